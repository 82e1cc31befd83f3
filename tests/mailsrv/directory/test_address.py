"""One spelling for each mailbox, whatever was written; and no two people's mailboxes in one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsrv.directory.address import Mailbox, parse

FEW = settings(max_examples=60, deadline=None)
SPELLINGS = [
    # as written, as looked up
    ("user1@example.org", "user1@example.org"),
    ("USER1@EXAMPLE.ORG", "user1@example.org"),
    ('"user1"@example.org', "user1@example.org"),
    (r'"u\ser1"@example.org', "user1@example.org"),
    ("user1@example.org.", "user1@example.org"),
    ('"john doe"@example.org', '"john doe"@example.org'),
    (r'"a\"b"@example.org', r'"a\"b"@example.org'),
    ('"a@b"@example.org', '"a@b"@example.org'),
    ("p\u00e4ivi@b\u00fccher.example", "p\u00e4ivi@xn--bcher-kva.example"),
    ("pa\u0308ivi@BU\u0308CHER.example", "p\u00e4ivi@xn--bcher-kva.example"),
    ("x@[192.0.2.1]", "x@[192.0.2.1]"),
    ("x@[IPv6:2001:DB8:0::1]", "x@[ipv6:2001:db8::1]"),
    ("a+b=c/d@example.org", "a+b=c/d@example.org"),
]


@pytest.mark.parametrize("written, looked_up", SPELLINGS)
def test_one_spelling(written: str, looked_up: str) -> None:
    mailbox = parse(written)
    assert str(mailbox) == looked_up
    assert parse(looked_up) == mailbox


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "user1", "@example.org", "user1@", '""@example.org', "a b@example.org", "a@b@example.org", '"a"b"@example.org',
        '"a\\"@example.org', "<user1@example.org>", "a,b@example.org", "user1@ex ample.org", "user1@example..org", "user1@*.org",
        "user1@-\u2028.org", "us\x00er1@example.org", '"us\ner1"@example.org', "user1\u200b@example.org", "user1\u202e@example.org",
        "\udce9@example.org", "a" * 65 + "@example.org", "\u00e4" * 33 + "@example.org", "a@" + "x." * 130 + "org",
        "a" * 60 + "@" + "b." * 97 + "org", "x@[192.0.2]", "x@[IPv6:1.2.3.4]", "a@" + "\u0f40" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "one, other",
    [
        ("stra\u00dfe@example.org", "strasse@example.org"),
        ("\uff55ser1@example.org", "user1@example.org"),
        ("user1@example.org", "user1 @example.org"),
        ("\u0430dmin@example.org", "admin@example.org"),  # Cyrillic
        ("\u017fam@example.org", "sam@example.org"),  # the long s, which upper case would turn into S
    ],
)
def test_two_people_stay_two(one: str, other: str) -> None:
    assert parse(one) != parse(other)


@given(st.text(max_size=80))
@FEW
def test_any_text_is_answered_and_written_text_reads_back(text: str) -> None:
    for written in (text, f"{text}@example.org", f'"{text}"@example.org', f"x@{text}"):
        mailbox = parse(written)
        assert mailbox is None or parse(str(mailbox)) == mailbox


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
@FEW
def test_any_local_part_can_be_written(local: str) -> None:
    mailbox = Mailbox(local.lower(), "example.org")
    assert parse(str(mailbox)) == mailbox
