"""What is seen of a domain's selectors in the DNS, and what a person asked for. Pure values.

Standards: RFC 6376 3.6.2.2 (the strings of a TXT record are one text; with several records at a name anything may happen),
RFC 2308 5 (how long "there is none" is kept), RFC 8198 5.4 (also for names that nobody asked for).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from dnsops.base.errors import ForUser
from dnsops.dkim.ring import Selector
from dnsops.records.rdata import Rdata, strings
from dnsops.records.txt.dkim import DkimKey
from dnsops.resolve.answer import Answer, Consensus, Security

LONGEST_NEGATIVE = 3 * 3600  # seconds; RFC 2308 5: one to three hours, and resolvers keep to it
UNTRUSTED = (Security.BOGUS, Security.FAILED)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person asked for. every: between two rotations, zero for none by itself.

    hold: how long records stay after their keys' last signature.  revoked: how long an empty p= stands there afterwards.
    rotate: now, whatever the age.  leaked: and the keys that sign are somebody else's too.
    """

    algorithms: tuple[str, ...] = ("rsa", "ed25519")
    every: timedelta = timedelta(days=90)
    hold: timedelta = timedelta(days=7)
    revoked: timedelta = timedelta(0)
    publish_retired: bool = False
    rotate: bool = False
    leaked: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """One selector's name: what the validated look-up says, and every server of its zone. zone: "" when not found out."""

    selector: str
    answer: Answer
    consensus: Consensus = field(default_factory=Consensus)
    zone: str = ""

    @property
    def place(self) -> str:
        """Where the record stands: after aliases. A wildcard is no place for it: a record of its own name hides that."""
        return self.answer.canonical or self.answer.name

    @property
    def trusted(self) -> bool:
        return self.answer.security not in UNTRUSTED and self.answer.rcode in ("NOERROR", "NXDOMAIN")

    @property
    def views(self) -> tuple[frozenset[str], ...]:
        """The texts that each one shows who was asked and answered."""
        told = [texts(told.items) for told in self.consensus.told if told.items is not None]
        return (*told, texts(self.answer.items)) if self.trusted else tuple(told)

    @property
    def strangers(self) -> frozenset[str]:
        """All texts there, but for those that a wildcard puts at every name."""
        return frozenset() if self.answer.wildcard else frozenset().union(*self.views)

    def shown_by_all(self, text: str) -> bool:
        """Whether this text, and no other beside it, is what everybody shows."""
        return self.consensus.complete and all(len(view) == 1 and same(text, *view) for view in self.views)

    def shown_by_any(self, text: str) -> bool:
        return any(same(text, found) for view in self.views for found in view)


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that was seen for one domain. negative_ttl: the longest that "no such name" is kept, in seconds.

    blind: what was in the way of looking; "" when nothing was.
    """

    domain: str
    sights: tuple[Sight, ...] = ()
    negative_ttl: int = 0
    blind: str = ""

    def sight(self, selector: str) -> Sight | None:
        return next((sight for sight in self.sights if sight.selector == selector), None)

    @property
    def complete(self) -> bool:
        """Whether everybody answered, for every selector."""
        return not self.blind and all(sight.trusted and sight.consensus.complete for sight in self.sights)

    @property
    def ttl(self) -> timedelta:
        """The longest that anything may still be believed about these names."""
        shown = [sight.consensus.ttl for sight in self.sights] + [
            sight.answer.ttl for sight in self.sights if sight.answer.items
        ]
        return timedelta(seconds=max([min(self.negative_ttl, LONGEST_NEGATIVE), *shown]))

    def everywhere(self, candidates: Iterable[Selector]) -> frozenset[Selector] | None:
        """Those of the candidates that everybody shows; None while anybody is silent."""
        if not self.complete:
            return None
        seen = ((one, self.sight(one.name)) for one in candidates)
        return frozenset(one for one, sight in seen if sight and sight.shown_by_all(one.text))

    def anywhere(self, candidates: Iterable[Selector]) -> frozenset[Selector]:
        """Those that somebody shows."""
        seen = ((one, self.sight(one.name)) for one in candidates)
        return frozenset(one for one, sight in seen if sight and sight.shown_by_any(one.text))

    def strangers(self, ours: Iterable[Selector]) -> frozenset[tuple[str, str]]:
        """(selector, text) of what stands at our names and is not of ours."""
        known = list(ours)
        return frozenset(
            (sight.selector, text)
            for sight in self.sights
            for text in sight.strangers
            if not any(one.name == sight.selector and same(one.text, text) for one in known)
        )


def texts(items: Iterable[Rdata]) -> frozenset[str]:
    """The texts of TXT records, whatever strings they are cut into."""
    return frozenset(_text(item) for item in items if item.type == "TXT")


@lru_cache(1024)
def _text(item: Rdata) -> str:
    return b"".join(strings(item)).decode("utf-8", "backslashreplace")


@lru_cache(1024)
def same(ours: str, found: str) -> bool:
    """Whether a text says what ours says: a person may have typed it with other blanks."""
    if ours == found:
        return True
    try:
        return DkimKey.parse(ours) == DkimKey.parse(found)
    except ForUser:
        return False
