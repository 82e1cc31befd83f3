"""Zone files: what is read, what an edit leaves alone, and which files are refused."""

from __future__ import annotations

import contextlib
from datetime import date

import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.records import zonefile
from dnsops.records.rdata import Record, parse
from dnsops.records.zonefile import edited, next_serial, read

DAY = date(2026, 11, 22)
SOA = "@ 300 IN SOA ns host ( 7 3600\n 900 604800 300 ) ; about the zone\n"
HEAD = "$ORIGIN example.org.\n$TTL 1h\n" + SOA
A = Record("a.example.org", "A", 300, parse("A", "192.0.2.9"))

READ = [
    ("www A 192.0.2.1", "www.example.org. 3600 IN A 192.0.2.1"),
    ("www 60 IN A 192.0.2.1", "www.example.org. 60 IN A 192.0.2.1"),
    ("www IN 1d A 192.0.2.1", "www.example.org. 86400 IN A 192.0.2.1"),
    ("WWW.Example.NET. in a 192.0.2.1", "www.example.net. 3600 IN A 192.0.2.1"),
    ("@ MX 10 Mail", "example.org. 3600 IN MX 10 mail.example.org."),
    (" MX 10 mail.example.net.", "example.org. 3600 IN MX 10 mail.example.net."),
    ('t TXT "a;b(c" d\\;e', 't.example.org. 3600 IN TXT "a;b(c" "d;e"'),
    ('t TXT ("a"\n  "b" ; first\n ) ; last', 't.example.org. 3600 IN TXT "a" "b"'),
    ('t TXT "quote \\" and \\092"', 't.example.org. 3600 IN TXT "quote \\" and \\\\"'),
    ('t TXT "a""b"', 't.example.org. 3600 IN TXT "a" "b"'),
    ('s HTTPS 1 . alpn="h2,h3" port=443', 's.example.org. 3600 IN HTTPS 1 . alpn="h2,h3" port="443"'),
    ("_25._tcp.mx TLSA 3 1 1 ( abab\n cdcd )", "_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 ababcdcd"),
    ("_25._tcp.mx TLSA \\# 5 03 01 01 abab", "_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 abab"),
    ("$ORIGIN sub\nx A 192.0.2.1", "x.sub.example.org. 3600 IN A 192.0.2.1"),
    ("$TTL 5\nx A 192.0.2.1", "x.example.org. 5 IN A 192.0.2.1"),
    ("*.w A 192.0.2.1", "*.w.example.org. 3600 IN A 192.0.2.1"),
]


@pytest.mark.parametrize("text, wanted", READ)
def test_what_a_line_says(text: str, wanted: str) -> None:
    assert str(read(HEAD + text).entries[-1].record) == wanted


def test_without_ttl_directive_the_last_one_counts_and_then_the_minimum() -> None:
    zone = read(
        "$ORIGIN example.org.\n@ SOA ns host 1 2 3 4 5\n a A 192.0.2.1\nb 60 A 192.0.2.1\nc A 192.0.2.1\n".replace(
            " a A", "a A"
        )
    )
    assert [entry.record.ttl for entry in zone.entries] == [5, 5, 60, 60]


@pytest.mark.parametrize(
    "text, apex",
    [
        (HEAD, "example.org"),
        ("example.org. 60 SOA ns. host. 1 2 3 4 5\n", "example.org"),
        ("$ORIGIN example.org.\na 60 A 192.0.2.1\n$ORIGIN b.example.org.\n", "example.org"),
        ("$ORIGIN .\nexample.org 60 SOA ns. host. 1 2 3 4 5\n", "example.org"),
    ],
)
def test_the_soa_or_the_first_origin_says_which_zone_it_is(text: str, apex: str) -> None:
    assert read(text).apex == apex


REFUSED = [
    ("$INCLUDE other", "f:5: $INCLUDE is not edited"),
    ("$GENERATE 1-5 a$ A 192.0.2.$", "f:5: $GENERATE is not edited"),
    ("$UNKNOWN x", "f:5: not a directive"),
    ("$TTL soon", "f:5: not a TTL"),
    ("$ORIGIN a b", "f:5: not a directive"),
    ('t TXT "never closed', "f:5: a quote that does not close"),
    ("t A 192.0.2.1 \\", "f:5: a quote that does not close, or a stray backslash"),
    ("t TXT ( a", "f:5: a parenthesis opened here does not close"),
    ("t TXT a )", "f:5: a closing parenthesis too many"),
    ("t A 192.0.2", "f:5: not A rdata"),
    ("t FOO x", "f:5: not FOO rdata"),
    ("t", "f:5: a record without a type"),
    ("t 60 IN", "f:5: a record without a type"),
    ("t CH TXT x", "f:5: only class IN"),
    ("t 1x A 192.0.2.1", "f:5: not a TTL"),
    ("bücher\x80 A 192.0.2.1", "f:5: not a name"),
    ("a..b A 192.0.2.1", "f:5: not a name"),
    ("x.example.net. SOA ns host 1 2 3 4 5", "f: it has the SOA records of"),
    ("t TXT (" + "a " * 6000 + ")", "f:5: more than 5000 words"),
    ("t TXT (" + "\n" * 3000 + ")", "f:5: a record of more than 2000 lines"),
]


@pytest.mark.parametrize("text, told", REFUSED)
def test_what_is_not_understood_is_named_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ForUser) as refusal:
        read(HEAD + text, "f")
    assert told in str(refusal.value)


def test_limits() -> None:
    with pytest.raises(ForUser, match="larger than"):
        read(" " * (zonefile.LARGEST + 1))
    with pytest.raises(ForUser, match="a is relative"):
        read("a 60 A 192.0.2.1\n")


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_zone_or_a_sentence(text: str) -> None:
    with contextlib.suppress(ForUser):
        read(HEAD + text)


# editing


def test_a_line_whose_owner_goes_gets_it_written_out() -> None:
    text = HEAD + "w A 192.0.2.1 ; first\n  AAAA 2001:db8::1\n  TXT x\nz A 192.0.2.2\n"
    zone = read(text)
    after = edited(zone, [], [zone.entries[1].record], DAY)
    assert after == HEAD.replace("( 7 ", "( 8 ") + "w.example.org.  AAAA 2001:db8::1\n  TXT x\nz A 192.0.2.2\n"
    both = edited(zone, [], [entry.record for entry in zone.entries[1:3]], DAY)
    assert both == HEAD.replace("( 7 ", "( 8 ") + "w.example.org.  TXT x\nz A 192.0.2.2\n"


def test_an_edit_that_would_change_a_strangers_ttl_is_refused() -> None:
    zone = read("$ORIGIN example.org.\na 60 A 192.0.2.1\nb 90 A 192.0.2.1\nc A 192.0.2.1\n")
    with pytest.raises(ForUser, match="would alter other records"):
        edited(zone, [], [zone.entries[1].record], DAY)
    assert "c A" in edited(zone, [], [zone.entries[0].record], DAY)


def test_the_end_of_lines_is_kept_as_it_is() -> None:
    windows = HEAD.replace("\n", "\r\n")
    assert edited(read(windows), [A], [], DAY).endswith(
        " )  ; about the zone\r\na.example.org. 300 IN A 192.0.2.9 ; mailsrv\r\n".replace(" )  ;", " ) ;")
    )
    unfinished = HEAD + "z A 192.0.2.1"
    assert edited(read(unfinished), [A], [], DAY).endswith(
        "z A 192.0.2.1\na.example.org. 300 IN A 192.0.2.9 ; mailsrv\n"
    )


@pytest.mark.parametrize(
    "comment, ours",
    [("; mailsrv", True), (";mailsrv tlsa", True), ("; mailsrvx", False), ("; by mailsrv", False), ("", False)],
)
def test_our_mark(comment: str, ours: bool) -> None:
    assert read(f"{HEAD}a A 192.0.2.1 {comment}\n").entries[-1].ours is ours


@pytest.mark.parametrize(
    "serial, after",
    [
        (7, 8),
        (0, 1),
        (2**32 - 1, 1),
        (2**31, 2**31 + 1),
        (2026010101, 2026112201),
        (2026112201, 2026112202),
        (2026112200, 2026112201),
        (2026112299, 2026112300),
        (2027010101, 2027010102),
        (1762000000, 1762000001),
        (2026991234, 2026991235),
        (1989123199, 1989123200),
    ],
)
def test_the_serial_moves_on_in_its_own_style(serial: int, after: int) -> None:
    assert next_serial(serial, DAY) == after


@given(st.integers(0, 2**32 - 1), st.dates(date(2020, 1, 1), date(2099, 12, 31)))
def test_the_serial_is_always_ahead(serial: int, today: date) -> None:
    """RFC 1982 3.2."""
    assert 0 < (next_serial(serial, today) - serial) % 2**32 < 2**31


owners = st.sampled_from(["a", "b", "@", "c.example.org.", "_25._tcp.a"])
values = st.sampled_from(
    [
        ("A", "192.0.2.1"),
        ("A", "192.0.2.2"),
        ("TXT", '"x;y" "("'),
        ("TXT", '( "a"\n "b" )'),
        ("AAAA", "2001:db8::1"),
        ("TLSA", "3 1 1 " + "ab" * 32),
    ]
)
stated = st.sampled_from(["", "60", "IN", "IN 60", "60 IN"])
comments = st.sampled_from(["", " ; mailsrv", "; a machine", "   ;"])
fillers = st.sampled_from(
    ["\n", '; a line of comment ( "\n', "   \n", "\t; indented\n", "$TTL 120\n", "$ORIGIN example.org.\n"]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = [draw(fillers), "@ 60 IN A 192.0.2.3\n"]
    for _ in range(draw(st.integers(0, 12))):
        kind, value = draw(values)
        owner = draw(st.one_of(owners, st.just("")))
        lines.append(f"{owner} {draw(stated)} {kind} {value}{draw(comments)}\n")
        lines.append(draw(st.one_of(st.just(""), fillers)))
    return HEAD + "".join(lines)


@given(texts(), st.data())
@settings(max_examples=150, deadline=None)
def test_an_edit_does_what_was_asked_and_nothing_else(text: str, data: st.DataObject) -> None:
    zone = read(text)
    plain = [entry.record for entry in zone.entries if entry.record.type != "SOA"]
    gone = data.draw(st.lists(st.sampled_from(plain), max_size=4))
    new = data.draw(st.lists(st.sampled_from([A, Record("n.example.org", "TXT", 60, parse("TXT", '"n"'))]), max_size=2))
    after = edited(zone, new, gone, DAY)
    identities = {(one.name, one.type, one.data) for one in [*plain, *new]} - {
        (one.name, one.type, one.data) for one in gone
    }
    assert {
        (e.record.name, e.record.type, e.record.data) for e in read(after).entries if e.record.type != "SOA"
    } == identities
    kept = [one for one in text.splitlines() if one.lstrip().startswith((";", "$")) or not one.strip()]
    assert [one for one in after.splitlines() if one.lstrip().startswith((";", "$")) or not one.strip()] == kept
    assert edited(read(after), new, gone, DAY) == after, "a second time there is nothing to do"


@given(texts())
@settings(max_examples=60, deadline=None)
def test_dnspython_reads_the_same(text: str) -> None:
    theirs = dns.zone.from_text(text, "example.org.", relativize=False, check_origin=False)
    ours = {(one.record.name, one.record.type, one.record.data) for one in read(text).entries}
    assert ours == {
        (name.to_text(omit_final_dot=True), data.rdtype.name, parse(data.rdtype.name, data.to_text(chunksize=0)))
        for name, _, data in theirs.iterate_rdatas()
    }
