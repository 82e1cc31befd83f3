"""Records to Cloudflare's objects and back, as we write them and as the service shows them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.providers.cloudflare_form import comment_for, from_api, shown, to_api, ttl_flaw
from dnsops.records.rdata import Generic, Record, from_wire, parse, txt
from tests.dnsops.providers.places import record
from tests.dnsops.providers.test_door import EVERY_TYPE
from tests.lab.cloudflare_records import entry

byte, word = st.integers(0, 255), st.integers(0, 65535)
label = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
host = st.lists(label, min_size=1, max_size=4).map(".".join)
quotable = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40).filter(
    lambda text: len(text.encode()) < 200
)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\{one:03d}" for one in text.encode()) + '"'


RDATA = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(st.sampled_from(["CNAME", "NS", "PTR"]), host.map("{}.".format)),
    st.tuples(st.just("MX"), st.builds("{} {}.".format, word, host)),
    st.tuples(st.just("SRV"), st.builds("{} {} {} {}.".format, word, word, word, host)),
    st.tuples(st.just("CAA"), st.builds(lambda flag, value: f"{flag} issue {quoted(value)}", byte, quotable)),
    st.tuples(st.just("URI"), st.builds(lambda p, w, value: f"{p} {w} {quoted(value)}", word, word, quotable)),
    st.tuples(
        st.sampled_from(["HTTPS", "SVCB"]), st.builds("{} {}. alpn=h2 port={}".format, st.integers(1, 9), host, word)
    ),
    st.tuples(st.sampled_from(["HTTPS", "SVCB"]), st.builds("0 {}.".format, host)),
    st.tuples(
        st.sampled_from(["TLSA", "SMIMEA"]), st.binary(min_size=32, max_size=32).map(lambda d: f"3 1 1 {d.hex()}")
    ),
    st.tuples(st.just("TLSA"), st.builds(lambda u, s, d: f"{u} {s} 0 {d.hex()}", byte, byte, st.binary(min_size=1))),
    st.tuples(st.just("DS"), st.binary(min_size=32, max_size=32).map(lambda d: f"4711 13 2 {d.hex()}")),
    st.tuples(st.just("SSHFP"), st.binary(min_size=32, max_size=32).map(lambda d: f"4 2 {d.hex()}")),
).map(lambda pair: (pair[0], parse(*pair)))
TXT = st.binary(min_size=1, max_size=900).map(lambda raw: ("TXT", txt(raw)))


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind, data = draw(st.one_of(RDATA, TXT))
    return Record(draw(host) + ".example.org", kind, draw(st.integers(60, 86400)), data)


def floats(value: Any) -> Any:
    """As the SDK's models give numbers."""
    if isinstance(value, dict):
        return {name: floats(one) for name, one in value.items()}
    return float(value) if isinstance(value, int) else value


@given(records())
@settings(max_examples=80, deadline=None)
def test_there_and_back(one: Record) -> None:
    assert from_api(to_api(one)) == one
    assert from_api(floats(to_api(one))) == one


@pytest.mark.parametrize("one", EVERY_TYPE, ids=lambda one: one.type)
def test_there_and_back_through_the_services_own_view(one: Record) -> None:
    view = entry("example.org", to_api(one)).shown
    assert from_api(view) == one
    assert from_api({**view, "data": None}) == one, "older answers have no data"


SEEN = [
    ({"type": "TLSA", "content": "3 1 1 " + "AB" * 32}, "3 1 1 " + "ab" * 32),
    (
        {
            "type": "TLSA",
            "content": "?",
            "data": {"usage": 3.0, "selector": 1.0, "matching_type": 1.0, "certificate": "AB " * 32},
        },
        "3 1 1 " + "ab" * 32,
    ),
    ({"type": "SRV", "content": "1 587 mx.example.org", "priority": 0.0}, "0 1 587 mx.example.org."),
    ({"type": "SRV", "content": "1\t587\tmx.example.org", "priority": 0}, "0 1 587 mx.example.org."),
    ({"type": "MX", "content": "", "priority": 0}, "0 ."),
    ({"type": "MX", "content": "MX.example.org", "priority": 10.0}, "10 mx.example.org."),
    (
        {"type": "URI", "content": "", "priority": 10, "data": {"weight": 1, "target": "https://a/"}},
        '10 1 "https://a/"',
    ),
    ({"type": "TXT", "content": "v=spf1 -all"}, '"v=spf1 -all"'),
    ({"type": "TXT", "content": 'say "hi" \\o/'}, '"say \\"hi\\" \\\\o/"'),
    ({"type": "TXT", "content": "x" * 256}, f'"{"x" * 255}" "x"'),
    ({"type": "TXT", "content": '"a" "b"'}, '"a" "b"'),
    ({"type": "TXT", "content": '"never closed'}, '"never closed'),
    ({"type": "LOC", "content": "IN LOC 37 46 46 N"}, "IN LOC 37 46 46 N"),
    ({"type": "A", "content": "not an address"}, "not an address"),
    (
        {"type": "TLSA", "content": "", "data": {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "xyz"}},
        "",
    ),
    ({"type": "SRV", "content": "", "data": {"port": True}}, ""),
]


@pytest.mark.parametrize("item, text", SEEN)
def test_what_the_service_shows(item: dict[str, Any], text: str) -> None:
    seen = from_api({"name": "Host.Example.ORG.", "ttl": 1.0, **item})
    assert (seen.name, seen.ttl, str(seen.data)) == ("host.example.org", 300, text)


def test_a_record_that_cannot_be_read_is_shown_by_its_content() -> None:
    item = {"id": "x", "name": "a.example.org", "type": "NAPTR", "ttl": 60, "content": "odd"}
    assert shown(item).held.record.data == Generic("NAPTR", "odd")


@pytest.mark.parametrize(
    "change",
    [
        {"ttl": None},
        {"ttl": True},
        {"ttl": 1.5},
        {"ttl": float("nan")},
        {"ttl": 1e300},
        {"name": 1},
        {"type": None},
        {"id": None},
    ],
)
def test_an_object_that_is_no_record(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        shown({"id": "x", "name": "a.example.org", "type": "A", "content": "192.0.2.1", "ttl": 60, **change})


def test_what_cloudflare_cannot_hold() -> None:
    with pytest.raises(ForUser, match="not written through Cloudflare"):
        to_api(Record("a.example.org", "DNSKEY", 300, parse("DNSKEY", "257 3 13 AAAA")))
    with pytest.raises(ForUser, match="UTF-8"):
        to_api(Record("a.example.org", "CAA", 300, from_wire("CAA", b"\0\5issue\xff")))


def test_ttls_and_comments() -> None:
    a, tlsa = record("a.example.org", "A", "192.0.2.1", 1), record("a.example.org", "TLSA", "3 1 1 " + "ab" * 32, 1)
    assert ttl_flaw(a) is None
    assert "rollover" in (ttl_flaw(tlsa) or "")
    assert [ttl_flaw(record("a.example.org", "A", "192.0.2.1", ttl)) is None for ttl in (59, 60, 86400, 86401)] == [
        False,
        True,
        True,
        False,
    ]
    assert comment_for(tlsa) == "mailsrv tlsa"
