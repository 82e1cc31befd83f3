"""The directory as SMTP and IMAP see it: their own words for the same verdicts, and the types they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from dnsops.base.errors import Later
from dnsops.base.secrets import Secret
from mailsrv.directory.doors import MALFORMED, TOO_LONG, ImapLogins, SmtpLogins
from mailsrv.directory.rights import Rights
from mailsrv.imap import login as imap
from mailsrv.receive import needs
from mailsrv.smtp import door as smtp
from tests.mailsrv.directory import house
from tests.mailsrv.directory.world import logins

MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "OAUTHBEARER")
TLS = smtp.Tls("TLSv1.3", "any", bindings=(("tls-exporter", b"e" * 32),))
CLIENT, OPEN = smtp.Client("192.0.2.1", tls=TLS), smtp.Client("192.0.2.1")
PEER = imap.Peer("192.0.2.1", secure=True)


async def smtp_says(name: str, said: Sequence[bytes | None]) -> list[object]:
    login = SmtpLogins(logins(), MECHANISMS).login(CLIENT, name)
    assert login is not None
    return [await login.step(data) for data in said]


@pytest.mark.parametrize(
    "name, said, heard",
    [
        ("PLAIN", [b"\0user1\0foobar"], [smtp.LoggedIn("user1")]),
        ("plain", [None, b"\0user1\0foobar"], [smtp.Challenge(b""), smtp.LoggedIn("user1")]),
        ("PLAIN", [b"\0user1\0wrong"], [smtp.Rejected()]),
        ("PLAIN", [b"bob\0user1\0foobar"], [smtp.Rejected()]),
        ("PLAIN", [b""], [smtp.Rejected(MALFORMED)]),
        ("PLAIN", [b"\0user1\0" + b"x" * 1025], [smtp.Rejected(TOO_LONG)]),
        (
            "LOGIN",
            [None, b"user1", b"foobar"],
            [smtp.Challenge(b"Username:"), smtp.Challenge(b"Password:"), smtp.LoggedIn("user1")],
        ),
    ],
)
def test_smtp(name: str, said: list[bytes | None], heard: list[object]) -> None:
    assert asyncio.run(smtp_says(name, said)) == heard


async def imap_says(name: str, said: Sequence[bytes]) -> list[object]:
    dialogue = ImapLogins(logins(), MECHANISMS).begin(name, PEER)
    assert dialogue is not None
    return [await dialogue.step(data) for data in said]


@pytest.mark.parametrize(
    "name, said, heard",
    [
        ("PLAIN", [b"\0user1\0foobar"], [imap.Granted("user1")]),
        ("PLAIN", [b"", b"\0user1\0foobar"], [imap.Challenge(b""), imap.Granted("user1")]),
        ("PLAIN", [b"\0user1\0wrong"], [imap.Denied()]),
        (
            "LOGIN",
            [b"", b"user1", b"foobar"],
            [imap.Challenge(b"Username:"), imap.Challenge(b"Password:"), imap.Granted("user1")],
        ),
    ],
)
def test_imap(name: str, said: list[bytes], heard: list[object]) -> None:
    assert asyncio.run(imap_says(name, said)) == heard


@pytest.mark.parametrize(
    "name, word, account", [("user1", "foobar", "user1"), ("user1", "x", None), ("n", "foobar", None)]
)
def test_imap_login(name: str, word: str, account: str | None) -> None:
    assert asyncio.run(ImapLogins(logins(), MECHANISMS).password(name, Secret(word), PEER)) == account


def test_what_is_on_offer() -> None:
    smtps, imaps = SmtpLogins(logins(), MECHANISMS), ImapLogins(logins(), MECHANISMS)
    assert smtps.mechanisms(CLIENT) == imaps.mechanisms(PEER) == ("PLAIN", "LOGIN")
    assert smtps.mechanisms(OPEN) == imaps.mechanisms(imap.Peer("192.0.2.1")) == ()
    assert SmtpLogins(logins(), MECHANISMS, plaintext_allowed=True).mechanisms(OPEN) == ("PLAIN", "LOGIN")
    assert smtps.login(OPEN, "PLAIN") is None
    assert imaps.begin("CRAM-MD5", PEER) is None


def test_scram_is_on_offer_where_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "foobar")
    door = logins("hostname: mx.x.org\naccounts: [{name: u, password: !env PW, addresses: [u@x.org]}]")
    assert SmtpLogins(door, MECHANISMS).mechanisms(CLIENT) == MECHANISMS[:4]
    assert ImapLogins(door, MECHANISMS).mechanisms(PEER) == MECHANISMS[1:4]
    bound = imap.Peer("192.0.2.1", secure=True, exporter=b"e" * 32, end_point=b"c" * 32)
    assert ImapLogins(door, MECHANISMS).mechanisms(bound) == MECHANISMS[:4]


def test_not_now_is_not_no() -> None:
    door = logins()

    async def guess(n: int) -> object:
        login = SmtpLogins(door, MECHANISMS).login(CLIENT, "PLAIN")
        return await login.step(b"\0user1\0guess%d" % n) if login else None

    for n in range(9):
        assert asyncio.run(guess(n)) == smtp.Rejected()
    with pytest.raises(Later):
        asyncio.run(guess(9))
    with pytest.raises(Later):
        asyncio.run(ImapLogins(door, MECHANISMS).password("user1", Secret("foobar"), PEER))


def test_receiving_finds_what_it_asks_for() -> None:
    """mypy reads these lines: book, rights and logins are what mailsrv.receive needs."""
    directory: needs.Directory = house.book()
    rights: needs.Rights = Rights(house.book())
    accounts: needs.Accounts = SmtpLogins(logins(), MECHANISMS)
    login: imap.Login = ImapLogins(logins(), MECHANISMS)
    assert directory.exact("user1@example.org")
    assert rights.header("user1", [needs.Said("From", ["user1@example.org"])]).allowed
    assert (accounts.mechanisms(CLIENT), login.mechanisms(PEER)) == (("PLAIN", "LOGIN"), ("PLAIN", "LOGIN"))
