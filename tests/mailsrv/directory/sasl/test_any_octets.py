"""Whatever a client sends, a mechanism answers or fails; it never raises, and nobody gets in by noise."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from mailsrv.directory.accounts import Account
from tests.mailsrv.directory.sasl.talk import ALL, talk
from tests.mailsrv.directory.world import logins

TEXT = "hostname: mx.x.org\naccounts: [{name: user1, password_hash: '{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,%s,%s', addresses: [u@x.org]}]"
DOOR_TEXT = TEXT % (("A" * 43 + "=",) * 2)
PIECES = [
    b"\0", b"user1", b"n,,", b"y,,", b"p=tls-exporter,,", b"n,a=user1,", b"n=user1", b",r=12345678", b",", b"=", b"\x01",
    b"auth=Bearer x", b"c=biws,r=12345678", b",p=AAAA", b"\xff", "\u00e9".encode(), b"x" * 300, b"=2C", b"\r\n",
]  # fmt: skip
OCTETS = st.one_of(st.binary(max_size=80), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))


@given(st.sampled_from(ALL), st.lists(st.none() | OCTETS, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_nothing_is_raised_and_nobody_gets_in(mechanism: str, said: list[bytes | None]) -> None:
    async def nobodys(name: str, token: bytes) -> Account | None:
        return None

    door = logins(DOOR_TEXT)
    answers = asyncio.run(talk(door, mechanism, said, check_token=nobodys))
    door.close()
    assert len(answers) == len(said)
    assert not [answer for answer in answers if answer.startswith("= ")]


def test_an_exchange_ends_though_a_client_does_not() -> None:
    answers = asyncio.run(talk(logins(), "LOGIN", [None, *([b"user1"] * 30)]))
    assert answers[:3] == ["Username:", "Password:", "! CREDENTIALS user1"]
    assert set(answers[3:]) == {"! MALFORMED "}
