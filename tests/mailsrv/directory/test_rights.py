"""Who may send as whom: the envelope's sender, and all that the header says of its writer."""

from __future__ import annotations

import pytest

from mailsrv.directory.accounts import Account
from mailsrv.directory.rights import Field, Rights
from tests.mailsrv.directory import house

BOOK = house.book()
RIGHTS = Rights(BOOK)


def person(name: str) -> Account:
    account = BOOK.account(name)
    assert account is not None
    return account


MAY = [
    # account, address, whether, a word of the reason
    ("user1", "user1@example.org", True, "an address of the account"),
    ("user1", '"USER1"@Example.org.', True, "an address of the account"),
    ("user1", "user1real+x@example.org", True, "a subaddress of user1real@example.org"),
    ("user1", "user1-x@example.org", True, "a subaddress of"),
    ("user1", "shop-a@example.org", True, "the pattern shop-*@example.org"),
    ("user1", "sales7@example.org", True, "the pattern re:(sales"),
    ("user1", "x@b\u00fccher.example", True, "the pattern *@"),
    ("user1", "team@example.org", True, "a group whose members may send"),
    ("user1", "quiet@example.org", False, "may not send as quiet@example.org; it may send as user1@example.org"),
    ("user1", "bob@example.org", False, "shop-*@example.org"),
    ("user1", "BOB@example.org", False, "may not"),
    ("user1", '"bob"@example.org', False, "may not"),
    ("user1", "bob@example.org.", False, "may not"),
    ("user1", "bob+x@example.org", False, "may not"),
    ("user1", "@x.test:bob@example.org", False, "no mail address"),
    ("user1", "ceo@bank.test", False, "may not"),
    ("user1", "user1@example.org@bank.test", False, "no mail address"),
    ("user1", "user1+boss@example.org", False, "may not"),  # it is mary's own
    ("user1", "user1+boss-x@example.org", False, "may not"),
    ("mary", "user1+boss@example.org", True, "an address"),
    ("mary", "mary-ann@example.org", False, "may not"),  # bob's
    ("mary", "mary-ann-x@example.org", False, "may not"),
    ("mary", "mary-x@example.org", True, "a subaddress of mary@example.org"),
    ("mary", "anything@example.org", False, "may not"),  # the catch-all brings mail, not rights
    ("bob", "mary-ann+x@example.org", True, "a subaddress of mary-ann@example.org"),
    ("bob", "bob+x@example.org", True, "a subaddress"),  # an alias that keeps a copy leaves the address its owner's
    ("user1", "us\u0435r1@example.org", False, "may not"),  # a Cyrillic e
    ("user1", "", False, "no mail address"),
]


@pytest.mark.parametrize("name, address, allowed, why", MAY, ids=[f"{row[0]} as {row[1]}" for row in MAY])
def test_who_may_send_as_whom(name: str, address: str, allowed: bool, why: str) -> None:
    right = RIGHTS.may_send(person(name), address)
    assert (right.allowed, why in right.why) == (allowed, True), right.why


def test_an_account_may_be_given_by_its_name() -> None:
    assert RIGHTS.envelope("user1", "user1@example.org").allowed
    assert RIGHTS.header("USER1", [Field("From", ["user1@example.org"])]).allowed
    assert RIGHTS.envelope("removed", "user1@example.org").why.endswith("it may send as nobody")
    assert not RIGHTS.header("removed", [Field("From", ["user1@example.org"])]).allowed


def test_the_null_sender_is_for_notices() -> None:
    assert RIGHTS.envelope(person("user1"), "").allowed


def test_a_switch_turns_all_of_it_off() -> None:
    free = Rights(BOOK, must_match=False)
    assert free.may_send(person("user1"), "ceo@bank.test").allowed
    assert free.header(person("user1"), []).allowed
    assert "must_match_sender" in free.header(person("user1"), []).why


OWN, OTHER = "user1@example.org", "bob@example.org"
HEADERS = [
    # fields, whether, a word of the reason
    ([("From", [OWN])], True, "all senders"),
    ([("From", [OWN, "user1+x@example.org"]), ("Sender", [OWN])], True, "all senders"),
    ([("From", [OWN]), ("To", [OTHER]), ("Reply-To", [OTHER])], True, "all senders"),
    ([("From", [OTHER])], False, "From: the account user1 may not send as bob@example.org"),
    ([("FROM ", [OTHER])], False, "From: "),
    ([("From", [OWN, OTHER])], False, "From: "),
    ([("From", [OWN]), ("from", [OTHER])], False, "2 From fields"),
    ([("From", [OWN]), ("From", [OWN])], False, "2 From fields"),
    ([("From", [OWN]), ("Sender", [OTHER])], False, "Sender: "),
    ([("From", [OWN]), ("Sender", [OWN]), ("Sender", [OTHER])], False, "2 Sender fields"),
    ([("From", [OWN]), ("Resent-From", [OWN]), ("Resent-From", [OTHER])], False, "Resent-From: "),
    ([("From", [OWN]), ("Resent-From", [OWN]), ("Resent-From", [OWN])], True, "all senders"),  # one a resending
    ([("From", [OWN]), ("Resent-Sender", [OTHER])], False, "Resent-Sender: "),
    ([("From", [])], False, "From cannot be read"),
    ([("From", None)], False, "From cannot be read"),
    ([("From", [OWN]), ("Sender", None)], False, "Sender cannot be read"),
    ([("To", [OTHER])], False, "no From field - add one, such as From: <user1@example.org>"),
    ([], False, "no From field"),
    ([("From", [OWN] * 101)], False, "more than 100"),
]


@pytest.mark.parametrize("fields, allowed, why", HEADERS)
def test_what_the_header_may_say(fields: list[tuple[str, list[str] | None]], allowed: bool, why: str) -> None:
    right = RIGHTS.header(person("user1"), [Field(name, addresses) for name, addresses in fields])
    assert (right.allowed, why in right.why) == (allowed, True), right.why


def test_a_reason_fits_into_a_reply_and_holds_no_line_end() -> None:
    many = ", ".join(f"{'long' * 10}{n}@example.org" for n in range(30))
    patterns = ", ".join(f'"{"p" * 200}{n}*@example.org"' for n in range(30))
    one = f'{{name: u, password_hash: "{{PLAIN}}x", addresses: [{many}], may_send_as: [{patterns}]}}'
    book = house.book(f"hostname: mx.example.org\ndomains: [example.org]\naccounts:\n - {one}")
    account = book.account("u")
    assert account is not None
    for address in ("x@y", "a" * 500, "a\r\nb@c", '"' + "x " * 30 + '"@' + "y." * 90 + "z"):
        why = Rights(book).may_send(account, address).why
        assert len(why) <= 460
        assert why.isprintable()
