"""What an account and a correspondent have had to do with each other, and what follows from it. Pure.

    we wrote to them, and their mail is proven theirs       known correspondent        ACCEPT
    the user's last word on them was: junk                  user marked as junk        JUNK
    ... was: not junk                                       user took it out of junk   ACCEPT, when proven
    nothing from them yet                                   first contact              no opinion
    some mail, no word on it                                seen before                no opinion

Mail whose sender DMARC proves is counted apart from mail that only claims to come from there: nobody gains by a borrowed
name, and no friend is junked for one. The domain's count is for people's eyes: a large provider's users are not one another.
Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from mailsrv.directory import address
from mailsrv.spam.hints import Hint, Says, plain

SOURCE = "reputation"
MOST_KEPT = 2048  # correspondents whose names are known from their last mail
SHORT = 256  # characters of an address that is kept


class Mark(Enum):
    """The user's last word, by moving a message."""

    NONE = 0
    JUNK = 1
    NOT_JUNK = 2


class Acquaintance(Enum):
    """What they are to the account; the value is for people."""

    KNOWN = "known correspondent"
    RESCUED = "user took it out of junk"
    JUNKED = "user marked as junk"
    SEEN = "seen before"
    FIRST = "first contact"


@dataclass(frozen=True, slots=True)
class Record:
    """received: mails from them.  sent: mails to them.  mark: the last word.  neighbours: mails from their domain, proven ones."""

    received: int = 0
    sent: int = 0
    mark: Mark = Mark.NONE
    neighbours: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """The keys under which a correspondent is remembered: proven, claimed, the domain. None: there is nobody to remember."""

    proven: str
    claimed: str
    domain: str


def names(sender: str) -> Names | None:
    """An address of From, in its one spelling; its case and quotes mean nothing."""
    return _kept(sender) if len(sender) <= SHORT else _names(sender)


def _names(sender: str) -> Names | None:
    mailbox = address.parse(sender)
    return Names(f"+{mailbox}", f"-{mailbox}", f"@{mailbox.domain}") if mailbox else None


_kept = lru_cache(MOST_KEPT)(_names)


def acquaintance(record: Record, aligned: bool) -> Acquaintance:
    """`record`: of the proven name when the mail is `aligned` (DMARC passes), else of the claimed one."""
    if record.mark is Mark.JUNK:
        return Acquaintance.JUNKED
    if aligned and record.mark is Mark.NOT_JUNK:
        return Acquaintance.RESCUED
    if aligned and record.sent:
        return Acquaintance.KNOWN
    return Acquaintance.SEEN if record.received else Acquaintance.FIRST


_SAYS = {
    Acquaintance.KNOWN: Says.ACCEPT,
    Acquaintance.RESCUED: Says.ACCEPT,
    Acquaintance.JUNKED: Says.JUNK,
    Acquaintance.SEEN: Says.NOTHING,
    Acquaintance.FIRST: Says.NOTHING,
}


def hint(record: Record, aligned: bool) -> Hint:
    """The adviser's word on one mail for one account; `score` is the number of mails from them."""
    what = acquaintance(record, aligned)
    return Hint(SOURCE, _SAYS[what], plain(_sentence(what, record, aligned)), float(record.received))


def _sentence(what: Acquaintance, record: Record, aligned: bool) -> str:
    if what is Acquaintance.FIRST and record.neighbours:
        return f"{what.value}; {record.neighbours} mails from the domain before"
    if what is Acquaintance.SEEN and record.sent and not aligned:
        return f"{what.value}; a known correspondent's address, but nothing proves that it is theirs"
    return what.value
