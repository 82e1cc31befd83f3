"""Records that stand beside ours, and servers whose word differs from the resolver's."""

from __future__ import annotations

import pytest

from dnsops.reconcile.zone_checks import STRAYS, strays
from dnsops.reconcile.zone_public import _differing
from dnsops.records.rdata import Record, parse
from dnsops.resolve.answer import Answer, Consensus, Security, Server, Told
from dnsops.wanted.door import Wanted, Wish

NAME = "good.test"
MINE = {
    "MX": "10 mx.good.test.",
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "SRV": "0 1 993 mx.good.test.",
    "TLSA": "3 1 1 " + "aa" * 32,
    "CAA": '0 issue "ca.example"',
    "TXT": '"v=spf1 mx -all"',
}
OTHER = {
    "MX": "5 mx.evil.test.",
    "A": "198.51.100.1",
    "AAAA": "2001:db8::bad",
    "SRV": "0 1 993 mx.evil.test.",
    "TLSA": "3 1 1 " + "bb" * 32,
    "CAA": '0 issue "evil.example"',
    "TXT": '"something else"',
}


def answer(kind: str, *texts: str, canonical: str = "") -> Answer:
    return Answer(
        NAME, kind, Security.SECURE, items=frozenset(parse(kind, text) for text in texts), canonical=canonical
    )


def wanted(kind: str) -> Wanted:
    return Wanted((Wish(Record(NAME, kind, 300, parse(kind, MINE[kind])), "because"),))


@pytest.mark.parametrize("kind", MINE)
def test_a_record_beside_ours_strays_where_it_leads_astray(kind: str) -> None:
    found = strays(wanted(kind), {(NAME, kind): answer(kind, MINE[kind], OTHER[kind])})
    assert [one.text for one in found] == ([str(parse(kind, OTHER[kind]))] if kind in STRAYS else [])
    assert all(one.grave is (kind in ("A", "AAAA", "MX", "SRV")) and one.why for one in found)


@pytest.mark.parametrize("kind", STRAYS)
def test_what_is_ours_known_or_an_alias_elsewhere_does_not_stray(kind: str) -> None:
    known = [Record(NAME, kind, 60, parse(kind, OTHER[kind]))]
    both = {(NAME, kind): answer(kind, MINE[kind], OTHER[kind])}
    assert strays(wanted(kind), {(NAME, kind): answer(kind, MINE[kind])}) == []
    assert strays(wanted(kind), {(NAME, kind): answer(kind)}) == []
    assert strays(wanted(kind), both, known) == []
    assert strays(wanted(kind), {(NAME, kind): answer(kind, MINE[kind], OTHER[kind], canonical="elsewhere.test")}) == []


@pytest.mark.parametrize(
    "texts, words",
    [
        ((MINE["MX"],), None),
        ((), "shows nothing"),
        ((OTHER["MX"],), "shows 5 mx.evil.test."),
        ((MINE["MX"], OTHER["MX"]), "shows 10 mx.good.test., 5 mx.evil.test."),
        (("10 MX.good.test.",), None),
        (None, None),  # silent: told by the care of the zone
    ],
)
def test_a_server_that_says_otherwise_is_named_with_what_it_says(
    texts: tuple[str, ...] | None, words: str | None
) -> None:
    items = None if texts is None else frozenset(parse("MX", text) for text in texts)
    server = Server("ns2.good.test", "192.0.2.2")
    right = Told(Server("ns1.good.test", "192.0.2.1"), frozenset({parse("MX", MINE["MX"])}))
    found = _differing(answer("MX", MINE["MX"]), Consensus((right, Told(server, items))))
    assert [(one.server, one.why) for one in found] == ([(str(server), words)] if words else [])
