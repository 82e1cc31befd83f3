"""Where mail for an address goes."""

from __future__ import annotations

import pytest

from mailsrv.directory.accounts import Delivery, Forward, Outcome
from mailsrv.directory.book import Book
from mailsrv.directory.routing import MOST_PLACES
from tests.mailsrv.directory import house

BOOK = house.book()
ROUTES = [
    # address, account:delivered-to:tag ..., forwards
    ("user1@example.org", ["user1:user1@example.org:"], []),
    ("USER1REAL@EXAMPLE.ORG", ["user1:user1real@example.org:"], []),
    ("user1+shop@example.org", ["user1:user1+shop@example.org:shop"], []),
    ("user1+a+b@example.org", ["user1:user1+a+b@example.org:a+b"], []),
    ("user1-x@example.org", ["user1:user1-x@example.org:x"], []),
    ("user1+boss@example.org", ["mary:user1+boss@example.org:"], []),  # who has exactly this address
    ("user1+boss+x@example.org", ["mary:user1+boss+x@example.org:x"], []),  # the longest address first
    ("mary-ann-x@example.org", ["bob:mary-ann-x@example.org:x"], []),
    ("mary-x@example.org", ["mary:mary-x@example.org:x"], []),
    ("gone@example.org", ["gone:gone@example.org:"], []),  # closed to its owner, not to mail
    ("info@example.org", ["user1:info@example.org:"], ["Partner@example.net<info@example.org"]),
    ("info+q@example.org", ["user1:info+q@example.org:q"], ["Partner@example.net<info+q@example.org"]),
    ("both+t@example.org", ["user1:info@example.org:t", "bob:both+t@example.org:t"], ["Partner@example.net<info@example.org"]),
    ("team@example.org", ["user1:team@example.org:", "bob:team@example.org:", "mary:team@example.org:"], []),
    ("bob@example.org", ["bob:bob@example.org:"], ["bob@away.test<bob@example.org"]),
    ("postmaster@example.org", ["user1:postmaster@example.org:"], []),
    ("Postmaster", ["user1:postmaster@example.org:"], []),
    ("ABUSE@bücher.example", ["user1:abuse@xn--bcher-kva.example:"], []),
    ("postmaster@mx1.example.org", ["user1:postmaster@mx1.example.org:"], []),  # RFC 5321 4.5.1
    ("anything@example.org", ["mary:anything@example.org:"], []),
    ("päivi@xn--bcher-kva.example", ["päivi:päivi@xn--bcher-kva.example:"], []),
]  # fmt: skip


@pytest.mark.parametrize("address, deliveries, forwards", ROUTES, ids=[row[0] for row in ROUTES])
def test_where_mail_goes(address: str, deliveries: list[str], forwards: list[str]) -> None:
    route = BOOK.resolve(address)
    assert route.outcome is Outcome.KNOWN
    assert [f"{one.account}:{one.delivered_to}:{one.tag}" for one in route.deliveries] == deliveries
    assert [f"{one.address}<{one.delivered_to}" for one in route.forwards] == forwards


@pytest.mark.parametrize(
    "address, outcome",
    [
        ("nobody@bücher.example", Outcome.UNKNOWN),
        ("lost@example.org", Outcome.UNKNOWN),
        ("user1@example.net", Outcome.ELSEWHERE),
        ("user1@mx1.example.org", Outcome.ELSEWHERE),
        ("user1@sub.example.org", Outcome.ELSEWHERE),
        ("user1@[192.0.2.1]", Outcome.ELSEWHERE),
        ("a@example.org", Outcome.CIRCLE),
        ("user1@other.test@example.org", Outcome.NO_ADDRESS),
        ("", Outcome.NO_ADDRESS),
    ],
)
def test_where_it_does_not_go(address: str, outcome: Outcome) -> None:
    route = BOOK.resolve(address)
    assert (route.outcome, route.deliveries, route.forwards) == (outcome, (), ())


def domain(aliases: str) -> Book:
    one = '- {name: u, password_hash: "{PLAIN}x", addresses: [u@x.org]}'
    return house.book(f"hostname: mx.x.org\ndomains: [x.org]\naccounts:\n {one}\naliases:\n{aliases}")


def test_a_chain_of_aliases_ends() -> None:
    chain = [f" - {{address: a{n}@x.org, to: a{n + 1}@x.org}}" for n in range(12)]
    assert domain("\n".join([*chain, " - {address: a12@x.org, to: u}"])).resolve("a0@x.org").outcome is Outcome.TOO_MANY
    short = domain("\n".join([*chain[:8], " - {address: a8@x.org, to: u}"])).resolve("a0@x.org")
    assert [one.account for one in short.deliveries] == ["u"]


def test_a_fan_of_aliases_is_bounded() -> None:
    def fan(name: str, wide: int) -> str:
        return f" - {{address: {name}@x.org, to: [{', '.join(f'{name}{n}@out.test' for n in range(wide))}]}}"

    top = " - {address: top@x.org, to: [p@x.org, q@x.org]}\n"
    assert len(domain(top + fan("p", 500) + "\n" + fan("q", 500)).resolve("top@x.org").forwards) == MOST_PLACES
    assert domain(top + fan("p", 501) + "\n" + fan("q", 500)).resolve("top@x.org").outcome is Outcome.TOO_MANY


def test_every_place_gets_one_copy() -> None:
    many = domain(
        " - {address: a@x.org, to: [u, u@x.org, u+t@x.org, b@x.org, O@out.test, o@OUT.test]}\n - {address: b@x.org, to: [u, a@x.org]}"
    )
    route = many.resolve("a@x.org")
    assert route.deliveries == (Delivery("u", "a@x.org"),)
    assert route.forwards == (Forward("O@out.test", "a@x.org"),)


def test_without_domains_those_of_the_accounts_are_served() -> None:
    book = house.book('hostname: mx.x.org\naccounts: [{name: u, password_hash: "{PLAIN}x", addresses: [u@x.org]}]')
    assert book.resolve("u@x.org").outcome is Outcome.KNOWN
    assert book.resolve("u@y.org").outcome is Outcome.ELSEWHERE


def test_an_empty_house_delivers_nothing() -> None:
    book = house.book("hostname: mx.x.org\ndomains: [x.org]")
    assert book.resolve("postmaster@x.org").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "wanted, name",
    [("", "user1"), ("postmaster: bob", "bob"), ("accounts", "postmaster")],
)
def test_who_is_postmaster(wanted: str, name: str) -> None:
    extra = '  - {name: postmaster, password_hash: "{PLAIN}x", addresses: [pm@example.org]}\naliases:'
    text = house.TEXT.replace("\naliases:", f"\n{extra}", 1) if wanted == "accounts" else house.TEXT + wanted
    assert [one.account for one in house.book(text).resolve("abuse@example.org").deliveries] == [name]


@pytest.mark.parametrize(
    "name, account",
    [
        ("user1", "user1"), ("USER1", "user1"), ("user1@example.org", "user1"), ("User1Real@example.org", "user1"),
        ("bob@example.org", "bob"), ("p\u00e4ivi", "p\u00e4ivi"), ("pa\u0308ivi", "p\u00e4ivi"), ("user1+boss@example.org", "mary"),
        ("gone", None), ("user1+x@example.org", None), ("info@example.org", None), ("team@example.org", None),
        ("nobody@example.org", None), ("user1 ", None), (" user1", None), ("user1\0", None), ("\uff55ser1", None), ("", None),
        ("u" * 5000, None), ("user1\n", None), ("user1\u200b", None), ("*", None),
    ],
)  # fmt: skip
def test_who_logs_in(name: str, account: str | None) -> None:
    found = BOOK.login(name)
    assert (found.name if found else None) == account


@pytest.mark.parametrize(
    "address, exact",
    [("user1@example.org", True), ("user1+boss@example.org", True), ("info@example.org", True), ("user1+x@example.org", False),
     ("anything@example.org", False), ("postmaster@example.org", False), ("noise", False)],
)  # fmt: skip
def test_who_has_just_this_address(address: str, exact: bool) -> None:
    assert BOOK.exact(address) is exact


@pytest.mark.parametrize(
    "written, octets",
    [
        ("10 GiB", 10 << 30),
        ("500M", 500 << 20),
        ("2000KB", 2000 << 10),
        ("1T", 1 << 40),
        ("12345", 12345),
        ("7 B", 7),
        (None, None),
    ],
)
def test_a_quota(written: str | None, octets: int | None) -> None:
    text = house.TEXT.replace("{name: bob,", f"{{name: bob, quota: '{written}'," if written else "{name: bob,")
    account = house.book(text).account("bob")
    assert account is not None
    assert account.quota == octets
