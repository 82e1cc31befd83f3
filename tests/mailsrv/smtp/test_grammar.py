"""The address grammar: what is an address, what it means, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.smtp.grammar import Address, address, forward_path, helo_name, reverse_path
from mailsrv.smtp.replies import Refused

LONG_LABEL = "a" * 63
TAKEN = [
    # RFC 5321 4.1.2, 4.1.3
    ("<user@example.org>", "user", "example.org"),
    ("<User@EXAMPLE.Org>", "User", "example.org"),
    ("  <user@example.org>", "user", "example.org"),
    ("<a.b-c+d=e/f!g%h@x.test>", "a.b-c+d=e/f!g%h", "x.test"),
    ("<user@localhost>", "user", "localhost"),
    ('<"a b"@x.test>', "a b", "x.test"),
    ('<"a\\"b\\\\"@x.test>', 'a"b\\', "x.test"),
    ('<"victim@ext.test"@x.test>', "victim@ext.test", "x.test"),
    ('<"a>b"@x.test>', "a>b", "x.test"),
    ('<"user"@x.test>', "user", "x.test"),
    ("<@a.test:user@x.test>", "user", "x.test"),
    ("<@a.test,@b.test:user@x.test>", "user", "x.test"),
    ("<user@[192.0.2.1]>", "user", "[192.0.2.1]"),
    ("<user@[IPv6:2001:DB8::1]>", "user", "[IPv6:2001:db8::1]"),
    ("<üser@bücher.example>", "üser", "bücher.example"),
    ("<用户@例え.test>", "用户", "例え.test"),
    (f"<{'l' * 64}@x.test>", "l" * 64, "x.test"),
    (f"<u@{LONG_LABEL}.{LONG_LABEL}.{LONG_LABEL}.{'a' * 59}>", "u", f"{LONG_LABEL}.{LONG_LABEL}.{LONG_LABEL}.{'a' * 59}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "local", "domain"), TAKEN)
def test_an_address_has_one_meaning(text: str, local: str, domain: str) -> None:
    assert forward_path(text) == (Address(local, domain), "")
    assert reverse_path(text) == (Address(local, domain), "")


@pytest.mark.parametrize(("text", "local", "domain"), TAKEN)
def test_what_is_written_is_read_again(text: str, local: str, domain: str) -> None:
    assert address(str(Address(local, domain))) == Address(local, domain)


@pytest.mark.parametrize(
    "text",
    [
        # shared by Postfix, Exim and others in the relay tests of decades
        "user@example.org", "<user@example.org", "user@example.org>", "<>x", "<user>", "<@example.org>", "<user@>",
        "<user@example.org.>", "<user@.example.org>", "<user@example..org>", "<user@-a.test>", "<user@a-.test>",
        "<user@a_b.test>", "<.user@x.test>", "<user.@x.test>", "<us..er@x.test>", "<a@b@x.test>", "<a b@x.test>",
        "<a,b@x.test>", "<a;b@x.test>", "<a(c)@x.test>", "<a@x.test(c)>", "<a:b@x.test>", "<a\\b@x.test>",
        "<a@x.test><b@x.test>", "<a@x.test>b", "<a@x.test,b@x.test>", '<"a@x.test>', '<"a"b@x.test>', '<a"b"@x.test>',
        '<""@x.test>', '<"victim@ext.test">', "<ext.test!victim>", "<victim%ext.test>", "<user@192.0.2.1>",
        "<user@[192.0.2.999]>", "<user@[192.0.2.1>", "<user@[IPv6:::g]>", "<user@[IPv6:fe80::1%eth0]>", "<user@[x400:y]>",
        "<user@[]>", "<@a.test user@x.test>", "<@a.test:@b.test:user@x.test>", "<us\0er@x.test>", "<us\rer@x.test>",
        "<us\ner@x.test>", "<us\ter@x.test>", "<us\x7fer@x.test>", "<user@x\u3002test>", "<user@\uff4dail.test>",
        "<us\u200der@x.test>", "<us\u2028er@x.test>", "<us\u00a0er@x.test>", "<us\ud800er@x.test>", "<user@e\u0301.test>",
        f"<{'l' * 65}@x.test>", f"<u@{'a' * 64}.test>", f"<u@{'a.' * 126}test>", f"<{'ü' * 33}@x.test>", "", "<", ">",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    for path in (forward_path, reverse_path):
        with pytest.raises(Refused):
            path(text)


def test_the_null_sender_is_a_sender_and_no_recipient() -> None:
    assert reverse_path("<> BODY=8BITMIME") == (None, "BODY=8BITMIME")
    with pytest.raises(Refused) as refused:
        forward_path("<>")
    assert refused.value.reply.code == 553


def test_postmaster_needs_no_domain() -> None:
    assert forward_path("<PostMaster> NOTIFY=NEVER") == (Address("PostMaster", ""), "NOTIFY=NEVER")
    with pytest.raises(Refused):
        reverse_path("<postmaster>")


def test_parameters_stand_behind_one_blank() -> None:
    assert forward_path("<u@x.test> A=1 B") == (Address("u", "x.test"), "A=1 B")
    assert forward_path('<"a> b"@x.test> A=1')[1] == "A=1"


def test_utf8_is_refused_where_it_was_not_asked_for() -> None:
    for text in ("<ü@x.test>", "<u@bücher.test>"):
        with pytest.raises(Refused) as refused:
            forward_path(text, utf8=False)
        assert refused.value.reply.enhanced == "5.6.7"


@pytest.mark.parametrize("local", ["a%b", "a!b", "a@b", "a/b", "|sh", ":include:", "../x", "a\\b"])
def test_what_relays_once_took_for_a_way_is_marked(local: str) -> None:
    assert Address(local, "x.test").routed
    assert not Address("a.b+c", "x.test").routed


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_and_what_is_read_is_stable(text: str) -> None:
    for path in (text, f"<{text}>", f"<{text}@x.test>", f'<"{text}"@x.test>'):
        try:
            found, _ = forward_path(path)
        except Refused:
            continue
        assert found.domain == "" or address(str(found)) == found
        assert not set(found.local + found.domain) & set("\0\r\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [("mx.example.org", "mx.example.org"), ("[192.0.2.1]", "[192.0.2.1]"), ("my_pc", "my_pc"), ("", None), ("a b", None),
     ("<script>", None), ("ü.test", None), ("a" * 256, None)],
)  # fmt: skip
def test_helo(text: str, name: str | None) -> None:
    assert helo_name(text) == name
