"""Stored passwords as others wrote them: their own published vectors, and what OpenSSL, libpass and bcrypt make here."""

from __future__ import annotations

import base64
import hashlib
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsops.base.settings import rules
from mailsrv.directory import hashes, slow
from mailsrv.directory.keys import BadHash, Keys


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


SALTED = {
    name: hashlib.new(name, b"foobar" + b"salt").digest() + b"salt" for name in ("md5", "sha1", "sha256", "sha512")
}
PUBLISHED = [
    # the stored line, its password, our name for it
    ("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", "ARGON2ID"),
    ("{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", "ARGON2ID"),
    # Ulrich Drepper's SHA-crypt.txt
    ("{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!", "SHA512-CRYPT"),
    ("{CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", "SHA256-CRYPT"),
    ("$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.", "Hello world!", "SHA512-CRYPT"),
    # crypt_blowfish's wrapper.c
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "BLF-CRYPT"),
    # RFC 6070 as Dovecot writes it; RFC 7914 11 (the same for Rust's password-hash), 12
    ("{PBKDF2}$1$salt$4096$4b007901b765489abead49d926f721d065a429c1", "password", "PBKDF2"),
    ("$pbkdf2-sha256$i=4096,l=32$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "password", "PBKDF2"),
    ("$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw", "pleaseletmein", "SCRYPT"),
    # RFC 7677 3
    ("{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil", "SCRAM-SHA-256"),
    # digests
    ("{SSHA}" + b64(SALTED["sha1"]), "foobar", "SSHA"),
    ("{SSHA256}" + b64(SALTED["sha256"]), "foobar", "SSHA256"),
    ("{SSHA512}" + b64(SALTED["sha512"]), "foobar", "SSHA512"),
    ("{SSHA512.HEX}" + SALTED["sha512"].hex(), "foobar", "SSHA512"),
    ("{SMD5}" + b64(SALTED["md5"]), "foobar", "SMD5"),
    ("{SHA}" + b64(hashlib.sha1(b"foobar").digest()), "foobar", "SHA"),
    ("{SHA256}" + hashlib.sha256(b"foobar").hexdigest(), "foobar", "SHA256"),
    ("{SHA512.b64}" + b64(hashlib.sha512(b"foobar").digest()), "foobar", "SHA512"),
    ("{PLAIN-MD5}3858f62230ac3c915f300c664312c63f", "foobar", "PLAIN-MD5"),
    ("{MD5}3858f62230ac3c915f300c664312c63f", "foobar", "MD5"),
    ("{PLAIN}foobar", "foobar", "PLAIN"),
    ("{plain}}x{", "}x{", "PLAIN"),
    ("{CLEARTEXT.HEX}666f6f626172", "foobar", "PLAIN"),
]  # fmt: skip


@pytest.mark.parametrize("line, password, scheme", PUBLISHED, ids=[row[0][:22] for row in PUBLISHED])
def test_the_right_password_and_no_other(line: str, password: str, scheme: str) -> None:
    stored = hashes.read(line)
    assert stored.scheme == scheme
    assert stored.check(password.encode())
    assert not stored.check(password.encode() + b"x")
    assert not stored.check(b"")
    assert password not in repr(stored) or scheme == "PLAIN-MD5"


@pytest.mark.parametrize("switch, scheme", [("-6", "SHA512-CRYPT"), ("-5", "SHA256-CRYPT"), ("-1", "MD5-CRYPT")])
def test_what_openssl_makes(switch: str, scheme: str) -> None:
    made = subprocess.run(["openssl", "passwd", switch, "yö-word"], capture_output=True, text=True, check=True).stdout
    stored = hashes.read(f"{{{scheme}}}{made.strip()}")
    assert stored.check("yö-word".encode())
    assert not stored.check(b"yo-word")
    assert not stored.good


@pytest.mark.parametrize("name", ["pbkdf2_sha256", "pbkdf2_sha512", "pbkdf2_sha1", "sha256_crypt", "argon2", "bcrypt"])
def test_what_libpass_makes(name: str) -> None:
    import passlib.hash  # type: ignore[import-untyped]

    rounds = {"argon2": 1, "bcrypt": 4}.get(name, 1000)
    stored = hashes.read(getattr(passlib.hash, name).using(rounds=rounds).hash("foobar"))
    assert stored.check(b"foobar")
    assert not stored.check(b"foobaR")


def test_bcrypt_does_not_cut_a_long_password() -> None:
    import bcrypt

    stored = hashes.read("{BLF-CRYPT}" + bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"))
    assert stored.check(b"a" * 72)
    assert not stored.check(b"a" * 73)


def test_ours_is_argon2id_and_nothing_better_is_wanted() -> None:
    line = slow.argon2id(b"foobar")
    assert line.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hashes.read(line).good
    assert not hashes.read("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" + "A" * 43).good
    assert slow.argon2id(b"foobar") != line


def test_scram_keys_are_written_as_they_are_read() -> None:
    keys = Keys.derive("sha256", b"pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    stored = hashes.read(str(keys))
    assert stored.keys == keys
    assert str(keys) == next(line for line, _, scheme in PUBLISHED if scheme == "SCRAM-SHA-256")
    assert "WG5d" not in repr(keys)


@pytest.mark.parametrize(
    "line, said",
    [
        ("", "what has no mark is not read"),
        ("secret", "what has no mark is not read"),
        ("$y$j9T$abc$def", "$y$ is not read"),
        ("{ROT13}sbbone", "the scheme {ROT13} is not known"),
        ("{SSHA.ROT}x", "is not known"),
        ("{SSHA", "is not known"),
        ("{PLAIN}", "an empty password"),
        ("{SSHA}!!!!", "not base64"),
        ("{SSHA.HEX}zz", "not hexadecimal"),
        ("{SSHA}" + b64(SALTED["sha1"][:20]), "20 octets of digest and a salt"),
        ("{SHA}" + b64(SALTED["sha1"]), "20 octets of digest"),
        ("{SHA512-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", "stands before what is SHA256-CRYPT"),
        ("$6$saltstring$short", "not a SHA512-CRYPT hash"),
        ("$6$rounds=99999999$saltstring$" + "a" * 86, "99999999 rounds; at most"),
        ("$2b$15$" + "a" * 53, "bcrypt of cost 15"),
        ("$2b$10$short", "not a bcrypt hash"),
        ("$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1a", "argon2 of more than"),
        ("$argon2id$v=19$m=1", "not an argon2 hash"),
        ("$pbkdf2-sha256$i=9999999$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "9999999 rounds"),
        ("{PBKDF2}$1$salt$0$4b007901b765489abead49d926f721d065a429c1", "0 rounds"),
        ("$scrypt$ln=30,r=8,p=1$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "scrypt of more than"),
        ("{SCRAM-SHA-256}4096,x", "ITERATIONS,SALT"),
        ("{SCRAM-SHA-256}100,c2FsdHNhbHQ=,c2FsdA==,c2FsdA==", "100 iterations"),
        ("{SCRAM-SHA-256}4096,c2FsdHNhbHQ=,c2FsdA==,c2FsdA==", "32 octets"),
        ("{SCRAM-SHA-256}4096,!,!,!", "base64"),
        ("{PLAIN}" + "x" * 2000, "longer than 1024"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_a_sentence(line: str, said: str) -> None:
    with pytest.raises(BadHash) as caught:
        hashes.read(line)
    assert said in str(caught.value)


def test_the_configuration_knows_the_same_schemes() -> None:
    assert set(rules.PASSWORD_SCHEMES) == set(hashes.SCHEMES)
    assert set(rules.PASSWORD_PREFIXES) == set(hashes.PREFIXES)


@given(st.sampled_from([*(f"{{{name}}}" for name in hashes.SCHEMES), *hashes.PREFIXES]), st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_line_is_read_or_refused(start: str, rest: str) -> None:
    try:
        stored = hashes.read(start + rest)
    except BadHash:
        return
    assert stored.scheme.startswith(("PLAIN", "S", "MD5", "LDAP"))  # nothing slow is made of noise
