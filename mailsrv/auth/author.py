"""Who wrote a message, by its header: the domain of From, which DMARC is about. Pure.

    From: Ann <ann@example.org>                  -> Author(("example.org",))
    From: a@example.org, b@example.com           -> Author(("example.org", "example.com"), "From names 2 domains")
    no From, two of them, no address, a cut header -> Author(..., why): never to pass

Standards: RFC 5322 3.6.2 (one From), RFC 9989 5.3.1 (one domain, as A-labels) and 11.5 (what is evaded otherwise).
Only what stands within an address counts: a name, quoted or encoded, that looks like an address is a name.
Limits: `limits` of mailsrv.message, MOST_DOMAINS domains. Fails by: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dnsops.base.errors import ForUser
from dnsops.records import names
from mailsrv.message.addresses import Address, addresses, people
from mailsrv.message.header import Header, unfold

MOST_DOMAINS = 4
MOST_KEPT = 2048  # authors whose domain is known from their last mail
SHORT = 256  # octets of a From that is kept


@dataclass(frozen=True, slots=True)
class Author:
    """domains: those of From, each once, A-labels.  why: what keeps From from naming one author domain, or ""."""

    domains: tuple[str, ...] = ()
    why: str = ""

    @property
    def domain(self) -> str:
        """The first one, for those who must call it something."""
        return self.domains[0] if self.domains else ""

    @property
    def sound(self) -> bool:
        return len(self.domains) == 1 and not self.why


def author(header: Header) -> Author:
    """The author domain of a message."""
    values = tuple(header.fields.get(b"from", ()))
    return _kept(values, header.complete) if sum(map(len, values)) <= SHORT else _read(values, header.complete)


def _read(values: tuple[bytes, ...], complete: bool) -> Author:
    people_ = [one for value in values[:MOST_DOMAINS] for one in people(addresses(unfold(value)))]
    domains = list(dict.fromkeys(map(_domain, people_)))
    known = tuple(domain for domain in domains if domain)[:MOST_DOMAINS]
    return Author(known, _flaw(complete, len(values), people_, domains))


_kept = lru_cache(MOST_KEPT)(_read)


def _flaw(complete: bool, fields: int, people_: list[Address], domains: list[str]) -> str:
    if not complete:
        return "the header is too large to be read to its end"
    if fields != 1:
        return f"there are {fields} From fields" if fields else "there is no From field"
    if not people_:
        return "From names nobody"
    if "" in domains:
        return "From has an address without a domain"
    return f"From names {len(domains)} domains" if len(domains) > 1 else ""


def _domain(address: Address) -> str:
    """As A-labels, "" for what is no domain: an address literal, other characters, nothing."""
    try:
        return names.canonical((address.host or b"").decode())
    except (ForUser, UnicodeDecodeError):
        return ""
