"""Address lists: RFC 5322's examples, what mailers really write, and what attackers do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.message import limits
from mailsrv.message.addresses import GROUP_END, Address, addresses, people, shown

# header value -> (name, route, mailbox, host) each
VECTORS = [
    (b"john@doe.test", [(None, None, b"john", b"doe.test")]),
    (b"<john@doe.test>", [(None, None, b"john", b"doe.test")]),
    (b"John Doe <jdoe@machine.example>", [(b"John Doe", None, b"jdoe", b"machine.example")]),
    (b'"Joe Q. Public" <john.q.public@example.com>', [(b"Joe Q. Public", None, b"john.q.public", b"example.com")]),
    (
        b"Mary Q. Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
        [
            (b"Mary Q. Smith", None, b"mary", b"x.test"),
            (None, None, b"jdoe", b"example.org"),
            (b"Who?", None, b"one", b"y.test"),
        ],
    ),
    (
        b'<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
        [(None, None, b"boss", b"nil.test"), (b'Giant; "Big" Box', None, b"sysservices", b"example.net")],
    ),
    (
        b"A Group:Ed Jones <joe@where.test>,joe@where.test,John <jdoe@one.test>;",
        [
            (None, None, b"A Group", None),
            (b"Ed Jones", None, b"joe", b"where.test"),
            (None, None, b"joe", b"where.test"),
            (b"John", None, b"jdoe", b"one.test"),
            GROUP_END,
        ],
    ),
    (b"Undisclosed recipients:;", [(None, None, b"Undisclosed recipients", None), GROUP_END]),
    (
        b"a@b.test, G: x@y.test; , c@d.test",
        [
            (None, None, b"a", b"b.test"),
            (None, None, b"G", None),
            (None, None, b"x", b"y.test"),
            GROUP_END,
            (None, None, b"c", b"d.test"),
        ],
    ),
    (
        b"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
        [(None, None, b"Hidden recipients", None), GROUP_END],
    ),
    (b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", [(b"Pete", None, b"pete", b"silly.test")]),
    (
        b'"Joe & J. Harvey" <ddd @Org>, JJV @ BBN',
        [(b"Joe & J. Harvey", None, b"ddd", b"Org"), (None, None, b"JJV", b"BBN")],
    ),  # RFC 5322 A.6.3
    (
        b"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
        [(b"Mary Smith", b"@node.test", b"mary", b"example.net"), (None, None, b"jdoe", b"test.example")],
    ),
    (b"<@a.test,@b.test:c@d.test>", [(None, b"@a.test,@b.test", b"c", b"d.test")]),
    (b"tony@att.com (Tony Finn)", [(b"Tony Finn", None, b"tony", b"att.com")]),
    (b'"quoted local"@x.test', [(None, None, b"quoted local", b"x.test")]),
    (b'"a@b"@c.test', [(None, None, b"a@b", b"c.test")]),
    (b"user@[192.0.2.1]", [(None, None, b"user", b"[192.0.2.1]")]),
    (b"user@[IPv6:2001:db8::1]", [(None, None, b"user", b"[IPv6:2001:db8::1]")]),
    (b"=?utf-8?Q?J=C3=B6rg?= <j@x.test>", [(b"=?utf-8?Q?J=C3=B6rg?=", None, b"j", b"x.test")]),
    ("Jörg <jörg@bücher.test>".encode(), [("Jörg".encode(), None, "jörg".encode(), "bücher.test".encode())]),
    (b"root", [(None, None, b"root", b"")]),
    (b"MAILER-DAEMON <>", [(b"MAILER-DAEMON", None, b"", b"")]),
    (b"<Two Words@x.test>", [(None, None, b"Two Words", b"x.test")]),
    (b"John Doe jd@x.test", [(b"John Doe", None, b"jd", b"x.test")]),
    (b"a@b.test;c@d.test", [(None, None, b"a", b"b.test"), (None, None, b"c", b"d.test")]),
    (b'"unclosed <a@b.test>', [(None, None, b"unclosed <a@b.test>", b"")]),
    (b"a <b@c.test", [(b"a", None, b"b", b"c.test")]),
    (b"(only a comment)", []),
    (b" , ,; ", []),
    (b"", []),
]


@pytest.mark.parametrize("value, wanted", VECTORS)
def test_lists_are_read(value: bytes, wanted: list[tuple[bytes | None, ...]]) -> None:
    assert [tuple(one) for one in addresses(value)] == [tuple(one) for one in wanted]


def test_sort_and_search_see_address_first_then_name_and_address() -> None:
    found = addresses(b"=?utf-8?Q?J=C3=B6rg?= <J@X.test>, Friends: bob@y.test;")
    assert shown(found) == "J@X.test Jörg <J@X.test>, bob@y.test"
    assert [one.spec for one in people(found)] == ["J@X.test", "bob@y.test"]


def test_the_limit_ends_a_list_with_a_stranger() -> None:
    value = b", ".join(b"u%d@b.test" % i for i in range(limits.ADDRESSES))
    assert len(addresses(value)) == limits.ADDRESSES
    found = addresses(value + b", last@b.test")
    assert found[limits.ADDRESSES :] == [Address(None, None, b"last@b.test", b"")]


def test_a_hundred_thousand_addresses_are_all_read_when_asked() -> None:
    """The shape of CVE-2024-23184."""
    found = addresses(b",\r\n ".join(b"u%d@b.test" % i for i in range(100_000)), most=100_000)
    assert len(found) == 100_000
    assert found[-1] == Address(None, None, b"u99999", b"b.test")


@pytest.mark.parametrize(
    "unit",
    [
        b",",
        b"@",
        b"\\a",
        b"a:",
        b";",
        b"<",
        b">",
        b"(a),",
        b"(",
        b'"',
        b'"a"',
        b"a . ",
        b"<,",
        b"@,",
        b"<@a,",
        b"[",
        b"a@",
        b"g:;",
    ],
)
@pytest.mark.parametrize("before", [b"", b"<", b"g:", b"a@", b"<@a:"])
def test_nothing_is_read_twice(unit: bytes, before: bytes) -> None:
    """Quadratic time would show as a test run of minutes."""
    assert len(addresses(before + unit * (limits.HEADER // len(unit)))) <= limits.ADDRESSES + 1


@given(st.text(alphabet='ab<>@,:;()[]"\\. \t\xff', max_size=60))
def test_any_bytes_give_addresses_and_balanced_groups(text: str) -> None:
    found = addresses(text.encode("latin-1"))
    begun = [one for one in found if one.host is None and one.mailbox is not None]
    assert len(begun) == found.count(GROUP_END)
    shown(found).encode()
