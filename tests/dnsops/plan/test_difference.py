"""What follows from wishes and a zone: a table of situations, and properties over many zones."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.plan.door import Step
from dnsops.plan.ownership import read, write
from dnsops.plan.safety import Limits
from dnsops.providers.door import Held, Mark
from dnsops.wanted.door import Wish
from tests.dnsops.plan.words import World, ours, record, steps, strangers, wish

SPF, DMARC = "v=spf1 mx -all", "v=DMARC1; p=reject; rua=mailto:postmaster@example.org"
HOST = wish("mx1 A 192.0.2.25")

# wishes, what strangers have there, and what a plan says
SITUATIONS: list[tuple[str, list[Wish], list[str], list[str]]] = [
    ("an empty zone", [wish("@ MX 10 mx1.example.org.")], [], ["add @ MX 10 mx1.example.org."]),
    ("the same there", [wish("@ MX 10 mx1.example.org.")], ["@ MX 10 mx1.example.org. ttl=3600"], []),
    (
        "mail elsewhere",
        [wish("@ MX 10 mx1.example.org.")],
        ["@ MX 1 aspmx.example.com.", "@ MX 5 alt.example.com."],
        ["conflict @ MX 10 mx1.example.org.", "foreign @ MX 5 alt.example.com."],
    ),
    ("our host by hand", [wish("@ MX 10 mx1.example.org.")], ["@ MX 5 mx1.example.org."], ["foreign @ MX 5 mx1.example.org."]),
    ("no mail taken", [wish("@ MX 10 mx1.example.org.")], ["@ MX 0 ."], ["conflict @ MX 10 mx1.example.org."]),
    ("an SPF record", [wish(f"@ TXT {SPF}")], ["@ TXT v=spf1 include:a.example.net ~all"], ["replace @ TXT v=spf1 include:a.example.net mx ~all"]),
    ("an SPF record that says it", [wish(f"@ TXT {SPF}")], ["@ TXT v=spf1 include:a.example.net mx -all"], []),
    ("two SPF records", [wish(f"@ TXT {SPF}")], ["@ TXT v=spf1 a -all", "@ TXT v=spf1 ?all"], [f"conflict @ TXT {SPF}"] * 2),
    ("ours and one more", [wish(f"@ TXT {SPF}")], [f"@ TXT {SPF}", "@ TXT v=spf1 ?all"], [f"conflict @ TXT {SPF}"]),
    ("SPF that is none", [wish(f"@ TXT {SPF}")], ["@ TXT v=spf1 foo bar"], [f"conflict @ TXT {SPF}"]),
    ("a parked name that sends", [wish("w TXT v=spf1 -all")], ["w TXT v=spf1 a -all"], ["conflict w TXT v=spf1 -all"]),
    ("other texts", [wish(f"@ TXT {SPF}")], ["@ TXT google-site-verification=x", "@ TXT v=spf10 x"], [f"add @ TXT {SPF}"]),
    ("a stricter DMARC", [wish("_dmarc TXT v=DMARC1; p=quarantine")], ["_dmarc TXT v=DMARC1; p=reject"], ["foreign _dmarc TXT v=DMARC1; p=reject"]),
    ("a laxer DMARC", [wish(f"_dmarc TXT {DMARC}")], ["_dmarc TXT v=DMARC1; p=none"], [f"conflict _dmarc TXT {DMARC}"]),
    ("somebody's MTA-STS", [wish("_mta-sts TXT v=STSv1; id=1")], ["_mta-sts TXT v=STSv1; id=2"], ["conflict _mta-sts TXT v=STSv1; id=1"]),
    ("reports elsewhere", [wish("_smtp._tls TXT v=TLSRPTv1; rua=mailto:a@example.org")], ["_smtp._tls TXT v=TLSRPTv1; rua=mailto:b@example.net"], ["foreign _smtp._tls TXT v=TLSRPTv1; rua=mailto:b@example.net"]),
    ("reports nowhere", [wish("_smtp._tls TXT v=TLSRPTv1; rua=mailto:a@example.org")], ["_smtp._tls TXT v=TLSRPTv1"], ["conflict _smtp._tls TXT v=TLSRPTv1; rua=mailto:a@example.org"]),
    ("another address", [HOST], ["mx1 A 192.0.2.99"], ["conflict mx1 A 192.0.2.25"]),
    ("one address more", [HOST], ["mx1 A 192.0.2.25", "mx1 A 192.0.2.99"], ["foreign mx1 A 192.0.2.99"]),
    ("the other family", [HOST], ["mx1 AAAA 2001:db8::1"], ["add mx1 A 192.0.2.25"]),
    ("an alias elsewhere", [wish("mail CNAME mx1.example.org.")], ["mail CNAME ghs.example.com."], ["conflict mail CNAME mx1.example.org."]),
    ("addresses of our host", [HOST, wish("mail CNAME mx1.example.org.")], ["mail A 192.0.2.25", "mx1 A 192.0.2.25"], ["foreign mail A 192.0.2.25"]),
    ("addresses of others", [HOST, wish("mail CNAME mx1.example.org.")], ["mail A 192.0.2.99", "mx1 A 192.0.2.25"], ["conflict mail CNAME mx1.example.org."]),
    ("an alias where data goes", [wish(f"_dmarc TXT {DMARC}")], ["_dmarc CNAME x.example.net."], [f"conflict _dmarc TXT {DMARC}"]),
    ("a stranger's CAA", [wish('@ CAA 0 issue "a.example"')], ['@ CAA 0 issue "b.example"'], ['add @ CAA 0 issue "a.example', 'foreign @ CAA 0 issue "b.example']),
    ("a service elsewhere", [wish("_imaps._tcp SRV 0 1 993 mx1.example.org.")], ["_imaps._tcp SRV 0 1 993 x.example.net."], ["conflict _imaps._tcp SRV 0 1 993 mx1.example.org."]),
    ("strangers at other names", [HOST], ["www A 192.0.2.80", "@ NS ns.example.net.", "a.b TXT x"], ["add mx1 A 192.0.2.25"]),
]  # fmt: skip


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
@pytest.mark.parametrize("wishes, there, wanted", [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS])
def test_what_follows_from_wishes_and_strangers(
    wishes: list[Wish], there: list[str], wanted: list[str], marks: bool
) -> None:
    world = World(strangers(*there), marks)
    assert steps(world.plan(wishes)) == wanted
    world.apply(wishes)
    assert world.plan(wishes).changes == (), "a second plan is empty (P-19)"


# what was wished first, what is wished now, and what a plan then says
CHANGED: list[tuple[str, list[Wish], list[Wish], list[str]]] = [
    ("no more", [HOST], [], ["remove mx1 A 192.0.2.25"]),
    ("another address", [HOST], [wish("mx1 A 192.0.2.26")], ["add mx1 A 192.0.2.26", "remove mx1 A 192.0.2.25"]),
    ("another text", [wish("_mta-sts TXT v=STSv1; id=1")], [wish("_mta-sts TXT v=STSv1; id=2")], ["replace _mta-sts TXT v=STSv1; id=2"]),
    ("another SPF", [wish(f"@ TXT {SPF}")], [wish("@ TXT v=spf1 a -all")], ["replace @ TXT v=spf1 a -all"]),
    ("an alias becomes addresses", [wish("mail CNAME mx1.example.org.")], [wish("mail A 192.0.2.25"), wish("mail AAAA 2001:db8::25")],
     ["replace mail A 192.0.2.25", "replace mail AAAA 2001:db8::25"]),
    ("addresses become an alias", [wish("mail A 192.0.2.25"), wish("mail AAAA 2001:db8::25")], [wish("mail CNAME mx1.example.org.")],
     ["replace mail CNAME mx1.example.org."] * 2),
    ("a service comes", [wish("_imap._tcp SRV 0 0 0 .", alone=True)], [wish("_imap._tcp SRV 0 1 143 mx1.example.org.")],
     ["replace _imap._tcp SRV 0 1 143 mx1.example.org."]),
    ("a service goes", [wish("_imap._tcp SRV 0 1 143 mx1.example.org.")], [wish("_imap._tcp SRV 0 0 0 .", alone=True)], ["replace _imap._tcp SRV 0 0 0 ."]),
    ("a parked name takes mail", [wish("w MX 0 .", alone=True)], [wish("w MX 10 mx1.example.org.")], ["replace w MX 10 mx1.example.org."]),
    ("another TTL", [HOST], [wish("mx1 A 192.0.2.25 ttl=600")], ["replace mx1 A 192.0.2.25"]),
]  # fmt: skip


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
@pytest.mark.parametrize("first, then, wanted", [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_what_follows_when_wishes_change(first: list[Wish], then: list[Wish], wanted: list[str], marks: bool) -> None:
    world = World(strangers("@ TXT stays", "www A 192.0.2.80"), marks)
    world.apply(first)
    assert steps(world.plan(then)) == wanted
    world.apply(then)
    assert world.plan(then).changes == ()
    world.apply([])
    assert world.records == {"@ TXT stays", "www A 192.0.2.80"}


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
def test_our_terms_in_a_strangers_spf_change_and_theirs_stay(marks: bool) -> None:
    world = World(strangers("@ TXT v=spf1 include:a.example.net ~all"), marks)
    world.apply([wish("@ TXT v=spf1 mx ip4:192.0.2.1 -all")])
    assert world.records == {"@ TXT v=spf1 include:a.example.net mx ip4:192.0.2.1 ~all"}
    world.ledger = read(write(world.ledger))
    world.apply([wish("@ TXT v=spf1 mx -all")])
    assert world.records == {"@ TXT v=spf1 include:a.example.net mx ~all"}
    world.apply([])
    assert world.records == {"@ TXT v=spf1 include:a.example.net mx ~all"}, "it is theirs"


def test_a_record_of_another_mailsrv_is_left_alone() -> None:
    world = World(ours("@ MX 20 mx2.example.org.", "mx2 A 192.0.2.26"))
    plan = world.apply([wish("@ MX 10 mx1.example.org.")])
    assert steps(plan) == ["add @ MX 10 mx1.example.org.", "foreign @ MX 20 mx2.example.org."]
    assert world.plan([]).changes[0].step is Step.REMOVE
    assert len(world.plan([]).changes) == 1


def test_a_record_whose_mark_somebody_took_away_is_theirs() -> None:
    world = World()
    world.apply([HOST])
    world.memory = type(world.memory)(["example.org"], strangers("mx1 A 192.0.2.25"))
    assert steps(world.plan([])) == []


@pytest.mark.parametrize("line", ["@ NS ns.example.net.", "@ DS 1 13 2 " + "ab" * 32, "a._domainkey TXT v=DKIM1; p=", "_25._tcp.mx1 TLSA 3 1 1 " + "ab" * 32, "_acme-challenge TXT x"])  # fmt: skip
def test_what_other_stories_keep_is_never_touched(line: str) -> None:
    world = World(ours(line))
    world.ledger = World().ledger
    assert steps(world.plan([])) == []
    assert world.plan([]).others == 0


def test_proxied_records_are_for_a_person() -> None:
    world = World([Held(record("mx1 A 192.0.2.25"), Mark.OURS, proxied=True)])
    assert steps(world.plan([HOST])) == ["conflict mx1 A 192.0.2.25"]


@pytest.mark.parametrize("count, refused", [(3, False), (4, True), (10, True)])
def test_more_removals_than_allowed_are_refused(count: int, refused: bool) -> None:
    world, wishes = World(), [wish(f"h{number} A 192.0.2.{number}") for number in range(10)]
    world.apply(wishes)
    assert bool(world.plan(wishes[count:]).refused) == refused
    assert world.plan(wishes[count:], Limits(most=0, percent=count * 10)).refused == ""


# many zones

NAMES = ["@", "mail", "_dmarc", "w"]
DATA = ["A 192.0.2.1", "A 192.0.2.2", "AAAA 2001:db8::1", "MX 10 mx1.example.org.", "MX 0 .", "CNAME mx1.example.org.", "CNAME x.example.net.",
        "TXT v=spf1 mx -all", "TXT v=spf1 a ~all", "TXT v=DMARC1; p=reject", "TXT v=DMARC1; p=none", "TXT hello", 'CAA 0 issue "a.example"',
        "SRV 0 0 0 .", "SRV 0 1 993 mx1.example.org.", "NS ns.example.net."]  # fmt: skip
lines = st.builds("{} {}".format, st.sampled_from(NAMES), st.sampled_from(DATA))
ttls = st.sampled_from(["", " ttl=600"])


def sound(some: list[str]) -> list[str]:
    """As a zone may be: an alias alone, no alias at the apex, and of a wish's family one."""
    kept: dict[str, list[str]] = {}
    for line in some:
        name, kind, *_ = line.split(" ", 2)
        there = kept.setdefault(name, [])
        if (kind == "CNAME" and (there or name == "@")) or any(other.split(" ")[1] == "CNAME" for other in there):
            continue
        there.append(line)
    return list(itertools.chain.from_iterable(kept.values()))


def wishable(some: list[str]) -> list[Wish]:
    chosen: dict[object, Wish] = {}
    for line in sound([line for line in some if " NS " not in line]):
        made = wish(line, alone=line.endswith(" ."))
        single = made.family if made.family.value else line
        chosen.setdefault((made.record.name, made.record.type, single), made)
    return [one for one in chosen.values() if not (one.record.type in ("MX", "SRV") and _torn(one, chosen.values()))]


def _torn(one: Wish, others: object) -> bool:
    assert isinstance(others, type({}.values()))
    return any(o.alone and o != one and (o.record.name, o.record.type) == (one.record.name, one.record.type) for o in others)  # fmt: skip


zones = st.lists(st.builds("{}{}".format, lines, ttls), max_size=8, unique_by=lambda line: line.partition(" ttl=")[0]).map(sound)  # fmt: skip
wishes_of = st.lists(lines, max_size=8).map(wishable)


@given(zone=zones, sequence=st.lists(wishes_of, min_size=1, max_size=3), marks=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_second_plan_is_empty_and_strangers_stay(zone: list[str], sequence: list[list[Wish]], marks: bool) -> None:
    world = World(strangers(*zone), marks)
    before = {one.record for one in world.held}
    for wishes in sequence:
        plan = world.apply(wishes)
        again = world.plan(wishes)
        assert again.changes == (), (steps(plan), steps(again))
        world.ledger = read(write(world.ledger))
        kept = {item.after for item in plan.items if item.step is Step.KEEP}
        assert all(item.after in {one.record for one in world.held} for item in plan.items if item.step is Step.KEEP), (
            kept
        )
    world.apply([])
    left = {one.record for one in world.held}
    lost = {one for one in before - left if "spf1" not in str(one.data)}
    wished = {(one.record.name, one.record.type, str(one.record.data)) for wishes in sequence for one in wishes}
    assert {(one.name, one.type, str(one.data)) for one in lost} <= wished, "only what was just as wanted may change"
    began = {one.name for one in lost}  # what took the place of a stranger's record stays, as that would have
    assert not {one for one in left - before if "spf1" not in str(one.data) and one.name not in began}
