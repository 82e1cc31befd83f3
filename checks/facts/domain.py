"""Everything that was seen of one mail domain: what the judges read. Pure.

Names have no dot at their end and are lower case, A-labels. The `book` holds every look-up by its question; judges that need
answers midway (SPF's includes, DMARC's report addresses, CAA's climb) are flows which the prober drives against the resolver and
the judge drives again against the book, so both ask the same.
Which name servers (reference internet.nl 5.1, 5.5): `name_servers` of the tested domain by `_above(domain)`: NS of it, else of
what is left when labels are taken from the left, as long as a dot stays (`selfs.test` -> nothing, `test` is not asked).
`MailHost.name_servers` the same, but the name has its dot at the end there (`mx.selfs.test.` -> `selfs.test.` -> `test.`).
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from checks.facts.beyond import Beyond
from checks.facts.looked import Addresses, Lookup, Question, unasked
from checks.facts.routing import Routing
from checks.facts.tls import Tls


@dataclass(frozen=True, slots=True)
class MailHost:
    """One MX host. tls: the address that the site would look at.  others: the host's other addresses (strict only)."""

    addresses: Addresses
    tls: Tls
    name_servers: tuple[Addresses, ...] = ()
    others: tuple[Tls, ...] = ()

    @property
    def name(self) -> str:
        return self.addresses.name


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen. at: when the looking began, aware, UTC: "now" for every judgement.

    hosts: of `checks.judge.mx.hosts`, in its order (by name, the first ten); empty when there are none to test.
    book: at least these plain: MX, A, AAAA, NS (and its climb) of the domain; A, AAAA of each host; TXT as the flows of
    `checks.judge.auth` ask; CAA as `checks.judge.caa` asks; A of `_25._tcp.HOST`. Accurate: SOA of the domain and of each host,
    TLSA of `_25._tcp.HOST`.
    selectors: DKIM selectors that are known of the domain (named, or from its configuration).  heard: from mail received.
    routing: by address of hosts and name servers; None when nobody was asked (the category is then not run).
    """

    domain: str
    at: datetime
    name_servers: tuple[Addresses, ...] = ()
    hosts: tuple[MailHost, ...] = ()
    book: Mapping[Question, Lookup] = field(default_factory=dict)
    routing: Mapping[str, Routing] | None = None
    beyond: Beyond = field(default=Beyond())
    selectors: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()

    def looked(self, name: str, type_name: str, accurate: bool = False) -> Lookup:
        """What the book has; a failure when it has nothing."""
        return self.answer(Question(name, type_name, accurate))

    def answer(self, question: Question) -> Lookup:
        """The same by its question: what drives a flow."""
        return self.book.get(question) or unasked(question)
