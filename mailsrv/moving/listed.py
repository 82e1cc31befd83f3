r"""The mailboxes of another server, and what each is called here. Pure.

    planned(listed, prefix="INBOX.", ours={"\\Sent": "Sent"})     one Planned each, those that cannot be taken with the reason

Levels are parted by "/" here, whatever parts them there. What holds sent mail there becomes what holds it here. Names are modified
UTF-7, or UTF-8 from servers that do not know better. Standards: RFC 9051 7.3.1 (LIST), RFC 6154 (special use), RFC 2342 (NAMESPACE).
Fails by: `Unreadable` from `listed`, for a response that is no LIST.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailsrv.imap.grammar.cursor import Unreadable
from mailsrv.imap.grammar.names import from_utf7, mailbox_name
from mailsrv.moving.answers import Answer, Value, octets, words

MOST = 10_000
VIRTUAL = {"\\all": "all mail", "\\flagged": "flagged mail", "\\important": "important mail"}
SPECIAL = ("\\drafts", "\\sent", "\\junk", "\\trash", "\\archive")
_UNFIT = str.maketrans({"%": "_", "*": "_", "\\": "_"})


@dataclass(frozen=True)
class Listed:
    """A mailbox as LIST shows it; attributes in lower case."""

    name: bytes
    separator: str
    attributes: frozenset[str]


@dataclass(frozen=True)
class Planned:
    """Where a mailbox goes. why: it goes nowhere; note: it goes under a name that it did not have."""

    source: bytes
    target: str
    special: str = ""
    why: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        return text(self.source)


def listed(answer: Answer) -> Listed:
    """Of a LIST or LSUB response."""
    match answer.values:
        case [list() as attributes, separator, name, *_]:
            lower = frozenset(word.lower() for word in words(attributes))
            return Listed(octets(name), _separator(separator), lower)
    raise Unreadable("a list of mailboxes expected")


def _separator(value: Value) -> str:
    return "" if value is None else octets(value).decode("latin-1")[:1]


def personal(answer: Answer) -> str:
    """The prefix of one's own mailboxes that NAMESPACE tells, such as "INBOX."."""
    match answer.values:
        case [[[prefix, *_], *_], *_]:
            return octets(prefix).decode("latin-1")
    return ""


def text(name: bytes) -> str:
    """What a name says."""
    plain = name.decode("utf-8", "replace")
    try:
        return from_utf7(plain) if plain.isascii() else plain
    except Unreadable:
        return plain


def planned(found: Sequence[Listed], prefix: str, ours: Mapping[str, str], skip: Iterable[str] = ()) -> list[Planned]:
    """Those of a special use first get what is ours for it; nobody shares a name with another."""
    left_out, taken, result = {name.casefold() for name in skip}, set[str](), list[Planned]()
    specials = {special.lower(): name for special, name in ours.items()}
    for one in sorted(found, key=lambda one: (not one.attributes & set(SPECIAL), one.name)):
        plan = _named(one, prefix, specials, taken)
        if plan.shown.casefold() in left_out or plan.target.casefold() in left_out:
            plan = replace(plan, why="left out, as asked")
        if not plan.why and plan.target in taken:
            plan = _other_name(plan, taken)
        if not plan.why:
            taken.add(plan.target)
        result.append(plan)
    return sorted(result, key=lambda plan: (plan.target != "INBOX", plan.target))


def _named(one: Listed, prefix: str, specials: Mapping[str, str], taken: set[str]) -> Planned:
    for virtual in sorted(one.attributes & VIRTUAL.keys()):
        return Planned(one.name, text(one.name), why=f"shows {VIRTUAL[virtual]}, which other mailboxes hold")
    if one.attributes & {"\\noselect", "\\nonexistent"}:
        return Planned(one.name, text(one.name), why="only a name, holds no mail")
    for special in SPECIAL:
        if special in one.attributes and special in specials and specials[special] not in taken:
            return Planned(one.name, specials[special], special)
    return _translated(one, prefix)


def _translated(one: Listed, prefix: str) -> Planned:
    """The same name with our separator."""
    plain = text(one.name)
    own = plain[len(prefix) :] if prefix and plain.startswith(prefix) and len(plain) > len(prefix) else plain
    levels = own.split(one.separator) if one.separator else [own]
    fitting = [level.replace("/", "_").translate(_UNFIT).replace("..", "__").strip() or "_" for level in levels]
    fitting = ["_" if level == "." else level for level in fitting]
    note = "" if fitting == levels else "its name has what no mailbox here may be called"
    try:
        return Planned(one.name, mailbox_name("/".join(fitting)), note=note)
    except Unreadable as error:
        return Planned(one.name, plain, why=str(error))


def _other_name(plan: Planned, taken: set[str]) -> Planned:
    for count in range(2, MOST):
        other = f"{plan.target} {count}"
        if other not in taken:
            return replace(plan, target=other, note=f"{plan.target} is another mailbox's name here")
    return replace(plan, why="too many mailboxes of that name")
