"""CAA, read and written, and what a set of them allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.records import rdata
from dnsops.records.txt.caa import Caa, Issuer, permits

URI = "https://ca.example.net/account/1234"


@pytest.mark.parametrize(
    "text, flags, tag, value",
    [
        ('0 issue "ca1.example.net"', 0, "issue", "ca1.example.net"),  # RFC 8659 4.2
        ('0 issue ";"', 0, "issue", ";"),
        ('128 tbs "Unknown"', 128, "tbs", "Unknown"),  # 4.5
        ('0 iodef "mailto:security@example.com"', 0, "iodef", "mailto:security@example.com"),  # 4.4
        ("0 ISSUE ca1.example.net", 0, "issue", "ca1.example.net"),
        ('0 issue "a\\"b\\\\c\\059"', 0, "issue", 'a"b\\c;'),
        ('0 issue ""', 0, "issue", ""),
    ],
)
def test_records_are_read(text: str, flags: int, tag: str, value: str) -> None:
    assert Caa.parse(text) == Caa(flags, tag, value)


@pytest.mark.parametrize(
    "text", ["", "0 issue", 'issue "a"', '256 issue "a"', '0 is-sue "a"', '0 issue "a" b', '0 issue "\\999"']
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ForUser):
        Caa.parse(text)


@given(
    st.integers(0, 255),
    st.from_regex(r"[a-z0-9]{1,15}", fullmatch=True),
    st.text(st.characters(min_codepoint=32, max_codepoint=126)),
)
def test_written_and_read_again_is_the_same(flags: int, tag: str, value: str) -> None:
    record = Caa(flags, tag, value)
    assert Caa.parse(str(record)) == record
    assert rdata.parse("CAA", str(record)) == record.data, "dnspython writes it the same way"


@pytest.mark.parametrize(
    "text, domain, parameters",
    [
        ("ca1.example.net", "ca1.example.net", ()),
        ("", "", ()),
        (";", "", ()),
        (" ; ", "", ()),
        ("ca1.example.net; account=230123", "ca1.example.net", (("account", "230123"),)),  # RFC 8659 4.2
        (f"CA.example.net;accounturi={URI} ; validationmethods=dns-01,http-01;",
         "ca.example.net", (("accounturi", URI), ("validationmethods", "dns-01,http-01"))),
        ("ca.example; a = b", "ca.example", (("a", "b"),)),
    ],
)  # fmt: skip
def test_issue_values_are_read(text: str, domain: str, parameters: tuple[tuple[str, str], ...]) -> None:
    issuer = Issuer.parse(text)
    assert (issuer.domain, issuer.parameters) == (domain, parameters)
    assert Issuer.parse(str(issuer)) == issuer


@pytest.mark.parametrize(
    "text",
    [
        "ca_1.example",
        "ca..example",
        "-ca.example",
        "ca.example; a",
        "ca.example; a b=c",
        "%%%%%",
        "ca.example; a=b c",
        "ca.example;;",
    ],
)
def test_what_is_no_issue_value_is_refused(text: str) -> None:
    """RFC 8659 4.2: `%%%%%` is its own example of a malformed value, which lets nobody issue."""
    with pytest.raises(ForUser):
        Issuer.parse(text)
    assert not permits([Caa(0, "issue", text)], "ca.example", URI, "dns-01")


def test_the_longest_is_limited() -> None:
    for text in ("a" * 5000, "a.b;" + "c=d;" * 100):
        with pytest.raises(ForUser):
            Issuer.parse(text)
    with pytest.raises(ForUser):
        Caa.parse(f'0 issue "{"a" * 5000}"')


@pytest.mark.parametrize(
    "records, plain, wild",
    [
        ([], True, True),
        ([("iodef", "mailto:a@b.example")], True, True),
        ([("issue", "ca.example")], True, True),
        ([("issue", "CA.example")], True, True),
        ([("issue", "other.example")], False, False),
        ([("issue", ";")], False, False),
        ([("issue", "other.example"), ("issue", "ca.example")], True, True),
        ([("issue", "ca.example"), ("issuewild", ";")], True, False),
        ([("issue", ";"), ("issuewild", "ca.example")], False, True),
        ([("issuewild", "ca.example")], True, True),
        ([("issuewild", ";")], True, False),
        ([("issue", f"ca.example; accounturi={URI}")], True, True),
        ([("issue", f"ca.example; accounturi={URI}5")], False, False),
        ([("issue", f"ca.example; accounturi={URI}; accounturi={URI}")], False, False),  # RFC 8657 3
        ([("issue", "ca.example; validationmethods=http-01,dns-01")], True, True),
        ([("issue", "ca.example; validationmethods=http-01")], False, False),
        ([("issue", "ca.example; x=y")], True, True),
        ([("issue", "")], False, False),
        ([("tbs", "Unknown")], True, True),
    ],
)
def test_what_a_set_allows(records: list[tuple[str, str]], plain: bool, wild: bool) -> None:
    found = [Caa(0, tag, value) for tag, value in records]
    assert permits(found, "ca.example", URI, "dns-01") is plain
    assert permits(found, "ca.example", URI, "dns-01", wildcard=True) is wild


def test_an_unknown_critical_property_allows_nobody() -> None:
    """RFC 8659 4.1."""
    assert not permits([Caa(128, "tbs", "x"), Caa(0, "issue", "ca.example")], "ca.example", URI, "dns-01")
    assert permits([Caa(128, "issue", "ca.example")], "ca.example", URI, "dns-01")


@pytest.mark.parametrize(
    "issuer, written",
    [
        (Issuer.bound("ca.example", URI, ("dns-01", "http-01")),
         f"ca.example; accounturi={URI}; validationmethods=dns-01,http-01"),
        (Issuer.bound("ca.example", URI), f"ca.example; accounturi={URI}"),
        (Issuer.bound("ca.example", ""), "ca.example"),
        (Issuer.persistent("ca.example", URI), f"ca.example; accounturi={URI}"),
        (Issuer.persistent("ca.example", URI, below=True), f"ca.example; accounturi={URI}; policy=wildcard"),
    ],
)  # fmt: skip
def test_what_we_write_of_our_account(issuer: Issuer, written: str) -> None:
    assert str(issuer) == written
    assert Issuer.parse(written) == issuer
