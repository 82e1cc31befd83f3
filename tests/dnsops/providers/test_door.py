"""The promises of the door, kept by every provider: the same tests over memory, a file, Cloudflare, knot and BIND."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.providers.door import Change, Mark
from dnsops.records.rdata import Record, txt
from tests.dnsops.providers import places
from tests.dnsops.providers.places import STRANGERS, Place, facts, record

OWNER = "_25._tcp.mx.example.org"
ONE = record(OWNER, "TLSA", "3 1 1 " + "ab" * 32)
TWO = record(OWNER, "TLSA", "3 1 1 " + "cd" * 32)
LONG = Record("sel._domainkey.example.org", "TXT", 600, txt("v=DKIM1; k=rsa; p=" + "A/b+" * 180))


def at(place: Place, name: str, type_name: str = "", below: bool = False) -> set[Record]:
    return {held.record for held in place.provider.read(name, type_name, below)}


def test_what_was_added_is_read_with_name_type_data_and_ttl(place: Place) -> None:
    place.provider.write(Change(add=(ONE, LONG)))
    assert at(place, OWNER, "TLSA") == {ONE}
    assert at(place, LONG.name, "TXT") == {LONG}
    assert place.facts() == facts([*STRANGERS, ONE, LONG])


def test_marks_tell_ours_from_a_strangers(place: Place) -> None:
    place.provider.write(Change(add=(ONE,)))
    marks = {held.record.type: held.mark for held in place.provider.read("mx.example.org", below=True)}
    known = {"TLSA": Mark.OURS, "A": Mark.FOREIGN}
    assert marks == (known if place.marks else dict.fromkeys(known, Mark.UNKNOWN))


def test_adding_twice_is_success_and_makes_one_record(place: Place) -> None:
    for _ in range(2):
        place.provider.write(Change(add=(ONE, ONE)))
    assert at(place, OWNER) == {ONE}
    assert place.facts() == facts([*STRANGERS, ONE])


def test_removing_what_is_gone_is_success(place: Place) -> None:
    place.provider.write(Change(add=(ONE, TWO)))
    for _ in range(2):
        place.provider.write(Change(remove=(TWO,)))
    assert place.facts() == facts([*STRANGERS, ONE])


def test_a_removal_does_not_look_at_the_ttl(place: Place) -> None:
    place.provider.write(Change(add=(ONE,)))
    place.provider.write(Change(remove=(Record(OWNER, "TLSA", 7200, ONE.data),)))
    assert place.facts() == facts(STRANGERS)


def test_two_records_at_one_name_stand_beside_each_other(place: Place) -> None:
    place.provider.write(Change(add=(ONE,)))
    place.provider.write(Change(add=(TWO,)))
    assert at(place, OWNER, "TLSA") == {ONE, TWO}


def test_our_record_takes_a_new_ttl(place: Place) -> None:
    place.provider.write(Change(add=(ONE,)))
    later = Record(OWNER, "TLSA", 900, ONE.data)
    place.provider.write(Change(add=(later,)))
    # by RFC 2136 the server decides: BIND takes the new TTL, knot keeps the RRset's
    assert at(place, OWNER, "TLSA") in ([{later}] if place.marks else [{ONE}, {later}])


def test_names_may_be_written_in_upper_case_and_with_a_final_dot(place: Place) -> None:
    place.provider.write(Change(add=(Record("_25._TCP.MX.Example.ORG.", "TLSA", 300, ONE.data),)))
    assert at(place, "_25._tcp.mx.EXAMPLE.org", "tlsa") == {ONE}
    place.provider.write(Change(remove=(Record("_25._tcp.mx.EXAMPLE.org", "TLSA", 300, ONE.data),)))
    assert place.facts() == facts(STRANGERS)


@pytest.mark.parametrize("name", ["mx.example.net", "example.com", "xexample.org", "org"])
def test_a_name_outside_every_zone_is_refused_with_nothing_done(place: Place, name: str) -> None:
    with pytest.raises(ForUser) as refusal:
        place.provider.write(Change(add=(ONE, record(name, "A", "192.0.2.1"))))
    assert name in str(refusal.value)
    with pytest.raises(ForUser):
        place.provider.read(name, "A")
    assert place.facts() == facts(STRANGERS)


def test_types_are_read_apart_or_together(place: Place) -> None:
    note = record("mx.example.org", "TXT", '"a machine"')
    place.provider.write(Change(add=(note,)))
    assert {one.type for one in at(place, "mx.example.org")} == {"A", "TXT"}
    assert at(place, "mx.example.org", "TXT") == {note}
    assert at(place, "mx.example.org", "TLSA") == set()
    assert at(place, "nobody.example.org") == set()


def test_below_reaches_every_name_under_one_at_a_labels_border(place: Place) -> None:
    beside = record("amx.example.org", "A", "192.0.2.9")
    place.provider.write(Change(add=(ONE, beside)))
    assert {one.name for one in at(place, "mx.example.org", below=True)} == {"mx.example.org", OWNER}
    assert {one.name for one in at(place, "mx.example.org", "TLSA", below=True)} == {OWNER}
    assert facts(at(place, "example.org", below=True)) == facts([*STRANGERS, ONE, beside])


def test_adding_and_removing_tlsa_at_one_name_in_one_change_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="added and removed"):
        place.provider.write(Change(add=(ONE,), remove=(TWO,)))
    shouted = Record(OWNER.upper(), "TLSA", 300, TWO.data)
    with pytest.raises(ValueError, match="added and removed"):
        place.provider.write(Change(add=(ONE,), remove=(shouted,)))
    assert place.facts() == facts(STRANGERS)


def test_a_strangers_identical_record_stays_the_strangers(place: Place) -> None:
    before = {held.record: held.mark for held in place.provider.read("mx.example.org", "A")}
    place.provider.write(Change(add=tuple(before)))
    assert {held.record: held.mark for held in place.provider.read("mx.example.org", "A")} == before


EVERY_TYPE = [
    record("host.example.org", "A", "192.0.2.7"),
    record("host.example.org", "AAAA", "2001:DB8::7"),
    record("alias.example.org", "CNAME", "Host.example.org."),
    record("host.example.org", "MX", "0 ."),
    record("host.example.org", "TXT", r'"semi;colon" "quote\" back\\slash \195\188"'),
    record("_submission._tcp.example.org", "SRV", "0 1 587 mx.example.org."),
    record("_imap._tcp.example.org", "SRV", "0 0 0 ."),
    record("example.org", "CAA", '0 issue "letsencrypt.org; validationmethods=dns-01"'),
    record("host.example.org", "HTTPS", '1 . alpn="h3,h2" port=8443'),
    record("host.example.org", "SVCB", "0 mx.example.org."),
    record("_mail.example.org", "URI", '10 1 "https://example.org/a?b=c"'),
    record("7.example.org", "PTR", "host.example.org."),
    record("child.example.org", "NS", "ns.example.org."),
    record("_smimecert.example.org", "SMIMEA", "3 0 1 " + "0f" * 32),
    record("host.example.org", "SSHFP", "4 2 " + "0a" * 32),
]


@pytest.mark.parametrize("one", EVERY_TYPE, ids=lambda one: one.type)
def test_records_of_every_type_go_in_and_come_back_the_same(place: Place, one: Record) -> None:
    if not place.takes(one):
        with pytest.raises(ForUser, match="octoDNS"):
            place.provider.write(Change(add=(one,)))
        return
    place.provider.write(Change(add=(one,)))
    place.provider.write(Change(add=(one,)))
    assert one in at(place, one.name, one.type)
    place.provider.write(Change(remove=(one,)))
    assert one not in at(place, one.name, one.type)
    assert place.facts() == facts(STRANGERS)


def test_more_records_than_one_call_takes(place: Place) -> None:
    many = tuple(record(f"h{number}.example.org", "A", f"192.0.2.{number % 250}") for number in range(230))
    place.provider.write(Change(add=many))
    assert place.facts() == facts([*STRANGERS, *many])
    place.provider.write(Change(remove=many))
    assert place.facts() == facts(STRANGERS)


POOL = [
    *(record(OWNER, "TLSA", f"3 1 1 {digits * 32}", ttl) for digits in ("ab", "cd") for ttl in (300, 600)),
    record("_465._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32),
    record("a.example.org", "TXT", '"one"'),
    record("a.example.org", "TXT", '"two" "three"', 900),
    record("a.example.org", "A", "192.0.2.1"),
    LONG,
    *STRANGERS,
]
some = st.lists(st.sampled_from(POOL), max_size=4).map(tuple)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    add, remove = draw(some), draw(some)
    torn = {one.name for one in add if one.type == "TLSA"}
    return Change(add, tuple(one for one in remove if one.type != "TLSA" or one.name not in torn))


ORPHAN = [  # an MX whose host has no address any more
    Change(remove=(record("mx.example.org", "A", "192.0.2.25"),)),
    Change((record("example.org", "MX", "10 mx.example.org."),), (record("example.org", "MX", "10 mx.example.org."),)),
]


@given(sequence=st.lists(changes(), max_size=5))
@example(sequence=ORPHAN)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_changes_ends_as_in_the_model(place: Place, sequence: list[Change]) -> None:
    place.reset()
    model = places.memory()
    for change in sequence[: place.patience]:
        for _ in range(2):  # twice is as good as once
            place.provider.write(change)
            model.provider.write(change)
        assert place.facts() == place.seen(model.facts())
