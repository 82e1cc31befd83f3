"""What a person reads: findings, differences to a configuration that is there, and at the end what is left to do. Pure.

Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailsrv.quickstart.answers import Answers
from mailsrv.quickstart.finding import Finding, Level
from mailsrv.quickstart.steps import Step

DEFAULT_CONFIG = "/etc/mailsrv/mailsrv.yml"  # dnsops.base.output has the same; a test keeps them one
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
    commands = [*_next(answers, found), *_always(answers, found)]
    width = max(len(command) for command, _ in commands)
    for command, why in commands:
        yield f"  {command:{width}}   {why}"


def _next(answers: Answers, found: Found) -> Iterator[tuple[str, str]]:
    """What is left of this quickstart, with the reason for each."""
    usual = found.config == DEFAULT_CONFIG
    again = f"mailsrv quickstart {answers.domain}" + ("" if usual else f" --output {found.config.rpartition('/')[0]}")
    if not found.applied:
        yield f"mailsrv dns records{_named(found)}", "the records, to be published by hand; or:"
        yield again, "publishes them, and has the certificate issued"
    elif not found.serving and found.systemd:
        yield f"{again} --start", "writes the unit, starts the server by systemd, publishes the last records"
    elif not found.serving:
        yield f"mailsrv serve{_named(found)}", "the server; while it runs:"
        yield again, "publishes the records of its keys (its timers would, too)"


def _always(answers: Answers, found: Found) -> Iterator[tuple[str, str]]:
    yield f"mailsrv dns plan{_named(found)}", "no changes, when all is as it should be"
    yield (
        f"mailsrv dns verify{_named(found)}",
        f"what the world sees; https://internet.nl/mail/{answers.domain}/ agrees",
    )


def _named(found: Found) -> str:
    """The configuration as an option, where it is not at its usual place."""
    return "" if found.config == DEFAULT_CONFIG else f" --config {found.config}"


def applied(document: Any, kinds: tuple[str, ...] = ("dkim", "tlsa")) -> Iterator[str]:
    """What `dns apply --json` did: a line a zone, and one for these kinds of keys' records; what it found wrong."""
    for zone in _items(document, "results"):
        done, seen = _items(zone, "done"), _items(zone, "seen")
        unseen = sum(not (one.get("everywhere") and not one.get("why")) for one in seen)
        word = (
            f"{unseen} of {len(seen)} not seen everywhere yet" if unseen else "seen at every name server, and validated"
        )
        yield f"{zone.get('zone')}: {len(done)} changes, {word}" if done else f"{zone.get('zone')}: {zone.get('why')}"
        for finding in _items(zone, "findings"):
            yield f"  {finding.get('what')} - {finding.get('advice')}"
    keys = document.get("keys") if isinstance(document, dict) else None
    for name, told in (keys if isinstance(keys, dict) else {}).items():
        actions = dict.fromkeys(str(one.get("action")) for one in _items(told, "results"))
        if actions and name in kinds:
            yield f"{name.upper()}: {', '.join(actions)}"


def _items(document: Any, key: str) -> list[dict[str, Any]]:
    """A list of objects of a story's document; empty where there is none."""
    found = document.get(key) if isinstance(document, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def step(which: Step) -> str:
    """The heading of a step."""
    return f"-- {which.value}"
