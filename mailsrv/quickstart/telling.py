"""What a person reads: findings, differences to a configuration that is there, and at the end what is left to do. Pure.

Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailsrv.quickstart.answers import Answers
from mailsrv.quickstart.finding import Finding, Level
from mailsrv.quickstart.steps import Step

MARKS = {Level.FINE: "ok", Level.WARNING: "!", Level.TROUBLE: "!!"}
LATER_BY_HAND = (
    "DNSSEC",
    "reverse name",
    "block lists",
    "addresses",
    "machine",
    "clock",
)  # subjects that stay somebody's task


@dataclass(frozen=True, slots=True)
class Found:
    """Where everything is at the end. password: its file, "" once it is gone.  serving: our server answers."""

    config: str
    password: str
    serving: bool
    systemd: bool
    applied: bool
    certified: bool


def rows(findings: Iterable[Finding]) -> list[tuple[str, str, str]]:
    """A table of findings: mark, subject, and what with its advice."""
    return [
        (MARKS[one.level], one.subject, f"{one.text} - {one.advice}" if one.advice else one.text) for one in findings
    ]


def documents(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """The same for a program."""
    return [
        {"level": one.level.name.lower(), "subject": one.subject, "what": one.text, "advice": one.advice}
        for one in findings
    ]


def differences(wanted: dict[str, str], there: dict[str, str]) -> list[tuple[str, str, str]]:
    """What was asked for and is otherwise in the configuration: setting, there, asked."""
    return [(key, there.get(key, ""), value) for key, value in wanted.items() if value and value != there.get(key, "")]


def summary(answers: Answers) -> list[tuple[str, str]]:
    """What will be written, before it is."""
    return [
        ("domain", answers.domain),
        ("mail host", answers.hostname),
        ("addresses", ", ".join(answers.addresses)),
        ("zone holder", answers.provider),
        ("first account", f"{answers.account}, {answers.address}"),
        ("certificates", f"{answers.directory}, contact {answers.contact}"),
    ]


def what_now(answers: Answers, findings: Sequence[Finding], found: Found) -> str:
    """The last page."""
    return "\n".join(
        [
            "",
            *_clients(answers, found),
            "",
            *_by_hand(findings),
            *_commands(answers, found),
        ]
    )


def _clients(answers: Answers, found: Found) -> Iterator[str]:
    yield f"Mail programs find these by themselves from {answers.address}; by hand:"
    yield f"  read  (IMAP)  {answers.hostname}, port 993, TLS"
    yield f"  send  (SMTP)  {answers.hostname}, port 465, TLS"
    told = f"in {found.password}: read it, then remove that file" if found.password else "as it was shown"
    yield f"  user  {answers.account}, password {told}"


def _by_hand(findings: Sequence[Finding]) -> Iterator[str]:
    """What only somebody else can do."""
    left = [one for one in findings if one.level is not Level.FINE and one.subject in LATER_BY_HAND]
    if left:
        yield "Left for you:"
        yield from (f"  {one}" for one in left)
        yield ""


def _commands(answers: Answers, found: Found) -> Iterator[str]:
    yield "And then:"
    if not found.applied:
        yield f"  mailsrv dns records --config {found.config}     the records; publish them, or run this again without --no-apply"
    if not found.serving:
        yield from _start(answers, found)
    yield f"  mailsrv dns plan --config {found.config}        no changes, when all is as it should be"
    yield f"  mailsrv dns verify --config {found.config}      what the world sees; https://internet.nl/mail/{answers.domain}/ agrees"


def _start(answers: Answers, found: Found) -> Iterator[str]:
    if found.systemd:
        yield f"  mailsrv quickstart {answers.domain} --start     writes the unit and starts the server by systemd"
    else:
        yield f"  mailsrv serve --config {found.config}           the server; then run this again for the last records"


def step(which: Step) -> str:
    """The heading of a step."""
    return f"-- {which.value}"
