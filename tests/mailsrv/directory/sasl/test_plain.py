"""PLAIN, LOGIN and OAUTHBEARER: each conversation a row."""

from __future__ import annotations

import pytest

from mailsrv.directory.accounts import Account
from tests.mailsrv.directory import house
from tests.mailsrv.directory.sasl.talk import heard
from tests.mailsrv.directory.world import logins

LONG = b"f" * 1025
PLAIN = [
    # what the client says, what it hears
    ([b"\0user1\0foobar"], ["= user1/"]),
    ([None, b"\0user1\0foobar"], ["", "= user1/"]),
    ([b"", b"\0user1\0foobar"], ["! MALFORMED ", "! MALFORMED "]),
    ([b"user1\0user1\0foobar"], ["= user1/"]),
    ([b"user1@example.org\0user1\0foobar"], ["= user1/"]),
    ([b"bob\0user1\0foobar"], ["! AUTHZID user1"]),
    ([b"nobody\0user1\0foobar"], ["! AUTHZID user1"]),
    ([b"bob\0user1\0wrong"], ["! CREDENTIALS user1"]),
    ([b"\0user1\0wrong"], ["! CREDENTIALS user1"]),
    ([b"\0nobody\0foobar"], ["! CREDENTIALS nobody"]),
    (["\0päivi\0yö".encode()], ["= päivi/"]),
    ([b"\0user1\0" + LONG], ["! TOO_LONG user1"]),
    ([b"\0" + b"u" * 300 + b"\0foobar"], ["! TOO_LONG " + "u" * 254]),
    ([b"a" * 300 + b"\0user1\0foobar"], ["! TOO_LONG user1"]),
    ([b"x" * 12289], ["! TOO_LONG "]),
    ([None, b"x" * 12289], ["", "! TOO_LONG "]),
    ([b"\0user1"], ["! MALFORMED "]),
    ([b"user1\0foobar"], ["! MALFORMED "]),
    ([b"\0user1\0foo\0bar"], ["! MALFORMED "]),
    ([b"\0\0foobar"], ["! MALFORMED "]),
    ([b"\0user1\0"], ["! MALFORMED "]),
    ([b"\0\xff\xfe\0foobar"], ["! MALFORMED "]),
    ([b"\xff\0user1\0foobar"], ["! MALFORMED "]),
    ([b"\0user1\0foobar", b"once more"], ["= user1/", "! MALFORMED "]),
]
LOGIN = [
    ([None, b"user1", b"foobar"], ["Username:", "Password:", "= user1/"]),
    ([b"user1", b"foobar"], ["Password:", "= user1/"]),
    ([None, b"user1", b"wrong"], ["Username:", "Password:", "! CREDENTIALS user1"]),
    ([None, b"", b"foobar"], ["Username:", "! MALFORMED ", "! MALFORMED "]),
    ([None, b"user1\0", b"foobar"], ["Username:", "! MALFORMED ", "! MALFORMED "]),
    ([b"user1", b""], ["Password:", "! MALFORMED user1"]),
    ([b"user1", b"foobar\0"], ["Password:", "! MALFORMED user1"]),
    ([b"user1", LONG], ["Password:", "! TOO_LONG user1"]),
    ([b"\xff", b"foobar"], ["! MALFORMED ", "! MALFORMED "]),
]
REFUSED = '{"status":"invalid_token"}'
BEARER = [
    ([b"n,a=user1,\x01host=mx\x01port=143\x01auth=Bearer good\x01\x01"], ["= user1/token"]),
    ([b"n,,\x01auth=bearer  good\x01\x01"], ["= user1/token"]),
    ([None, b"n,,\x01auth=Bearer good\x01\x01"], ["", "= user1/token"]),
    ([b"n,a=user1@example.org,\x01auth=Bearer good\x01\x01"], ["= user1/token"]),
    ([b"n,a=bob,\x01auth=Bearer good\x01\x01"], ["! AUTHZID bob"]),
    ([b"n,a=user1,\x01auth=Bearer bad\x01\x01", b"\x01"], [REFUSED, "! CREDENTIALS user1"]),
    ([b"n,,\x01\x01", b"\x01"], [REFUSED, "! CREDENTIALS "]),
    ([b"p=tls-exporter,,\x01auth=Bearer good\x01\x01"], ["! MALFORMED "]),
    ([b"n,,\x01auth=Bearer good\x01"], ["! MALFORMED "]),
    ([b"n,,auth=Bearer good\x01\x01"], ["! MALFORMED "]),
    ([b"n,,\x01auth=Basic good\x01\x01"], ["! MALFORMED "]),
    ([b"n,,\x01auth=Bearer good\x01auth=Bearer bad\x01\x01"], ["! MALFORMED "]),
    ([b"n,,\x01host\x01auth=Bearer good\x01\x01"], ["! MALFORMED "]),
    ([b"n,,\x01" + b"a=b\x01" * 20 + b"auth=Bearer good\x01\x01"], ["! MALFORMED "]),
    ([b"n,,\x01auth=Bearer " + b"t" * 8193 + b"\x01\x01"], ["! MALFORMED "]),
    ([b""], ["! MALFORMED "]),
]


@pytest.mark.parametrize("said, answers", PLAIN)
def test_plain(said: list[bytes | None], answers: list[str]) -> None:
    assert heard(logins(), "plain", said) == answers


@pytest.mark.parametrize("said, answers", LOGIN)
def test_login(said: list[bytes | None], answers: list[str]) -> None:
    assert heard(logins(), "LOGIN", said) == answers


@pytest.mark.parametrize("said, answers", BEARER)
def test_oauthbearer(said: list[bytes | None], answers: list[str]) -> None:
    async def check(name: str, token: bytes) -> Account | None:
        return house.book().account("user1") if token == b"good" else None

    assert heard(logins(), "OAUTHBEARER", said, check_token=check) == answers


def test_without_a_checker_no_token_is_good() -> None:
    said = [b"n,,\x01auth=Bearer good\x01\x01", b"\x01"]
    assert heard(logins(), "OAUTHBEARER", said) == [REFUSED, "! CREDENTIALS "]


def test_the_app_password_is_named() -> None:
    text = house.TEXT.replace(
        '{PLAIN}foobar",', '{PLAIN}foobar", app_passwords: [{name: phone, password_hash: "{PLAIN}ring"}],'
    )
    assert heard(logins(text), "PLAIN", [b"\0user1\0ring"]) == ["= user1/phone"]


def test_too_many_failures_are_put_off() -> None:
    door = logins()
    for n in range(9):
        heard(door, "PLAIN", [b"\0user1\0guess%d" % n])
    assert heard(door, "PLAIN", [b"\0user1\0foobar"]) == ["! LATER  9"]


@pytest.mark.parametrize("name", ["CRAM-MD5", "", "PLAIN ", "SCRAM-SHA-256"])
def test_what_is_not_on_offer_does_not_begin(name: str) -> None:
    assert heard(logins(), name, [None], offered=["PLAIN", "LOGIN"]) == ["not on offer"]
