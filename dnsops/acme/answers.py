"""Challenges answered by our own web server: by a page on port 80, or by a certificate on port 443; both lie on disk.

    STATE/acme/http-01/TOKEN             the page at /.well-known/acme-challenge/TOKEN              RFC 8555 8.3
    STATE/acme/tls-alpn-01/NAME.pem      key and self-signed certificate for ALPN `acme-tls/1`      RFC 8737 3

Who issues writes them (`HttpAnswers`, `AlpnAnswers`), who serves reads them (`http_answer`, `alpn_pair`), and nothing else joins
the two: they may be different processes. The folders hold nothing but answers, so that a sweep may empty them of old ones.
Limits: a token of TOKEN, a name of NAME, a page of LARGEST bytes. Fails by: `ForUser` where a file cannot be written; to a reader
whatever cannot be read is not there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from dnsops.acme.door import Challenge
from dnsops.base import files
from dnsops.base.errors import ForUser
from dnsops.base.keeping import keep

LARGEST = 4096  # bytes of a page; a key authorisation has about ninety
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")  # RFC 8555 8.3: the base64url alphabet, no padding
NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_][a-z0-9_-]*)*")
ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"  # RFC 8737 3
LIFE = timedelta(days=7)
STALE = 3600.0  # seconds after which nobody waits for an answer any more


def http_answer(state: Path, token: str) -> bytes | None:
    """The page for a token that somebody on port 80 asks for; None when there is none. state: STATE."""
    if not TOKEN.fullmatch(token):
        return None
    try:
        return files.read_bounded(_pages(state) / token, LARGEST)
    except (OSError, ValueError):
        return None


def alpn_pair(state: Path, name: str) -> Path | None:
    """The PEM file (key, certificate) to show to who negotiates `acme-tls/1` for a name; None when there is none."""
    wanted = name.lower().rstrip(".")
    path = _pairs(state) / f"{wanted}.pem"
    return path if NAME.fullmatch(wanted) and path.is_file() else None


class HttpAnswers:
    """The solver for http-01. What it shows is on disk, and there at once for the server that reads it."""

    kind: Literal["http-01"] = "http-01"

    def __init__(self, state: Path) -> None:
        self._state, self._folder = state, _pages(state)

    def show(self, challenges: Sequence[Challenge]) -> None:
        for challenge in challenges:
            _write(self._state, _page(self._folder, challenge), challenge.text.encode("ascii"))

    def remove(self, challenges: Sequence[Challenge]) -> None:
        _unlink(_page(self._folder, challenge) for challenge in challenges)

    def sweep(self) -> None:
        _empty(self._folder)


class AlpnAnswers:
    """The solver for tls-alpn-01: one self-signed certificate for each name."""

    kind: Literal["tls-alpn-01"] = "tls-alpn-01"

    def __init__(self, state: Path) -> None:
        self._state, self._folder = state, _pairs(state)

    def show(self, challenges: Sequence[Challenge]) -> None:
        for challenge in challenges:
            _write(self._state, _pair(self._folder, challenge), pair_pem(challenge, datetime.now(UTC)))

    def remove(self, challenges: Sequence[Challenge]) -> None:
        _unlink(_pair(self._folder, challenge) for challenge in challenges)

    def sweep(self) -> None:
        _empty(self._folder)


def pair_pem(challenge: Challenge, now: datetime) -> bytes:
    """A fresh P-256 key and the certificate of RFC 8737 3: the name alone, and the critical acmeIdentifier."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ACME challenge")])
    # an OCTET STRING (tag 4) of 32 octets
    digest = b"\x04\x20" + hashlib.sha256(challenge.text.encode("ascii")).digest()
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(challenge.name)]), critical=False)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(ACME_IDENTIFIER), digest), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written + certificate.public_bytes(Encoding.PEM)


def _pages(state: Path) -> Path:
    return state / "acme" / "http-01"


def _pairs(state: Path) -> Path:
    return state / "acme" / "tls-alpn-01"


def _page(folder: Path, challenge: Challenge) -> Path:
    if not TOKEN.fullmatch(challenge.token):
        raise ForUser(f"a token that RFC 8555 8.3 does not know: {challenge.token[:80]!r}", "the authority")
    return folder / challenge.token


def _pair(folder: Path, challenge: Challenge) -> Path:
    if not NAME.fullmatch(challenge.name):
        raise ForUser(f"a name that no host has: {challenge.name[:80]!r}", "the authority")
    return folder / f"{challenge.name}.pem"


def _write(state: Path, path: Path, data: bytes) -> None:
    keep(state, path, data, "run as the user who owns it")


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ForUser(f"cannot be removed ({error.strerror})", str(path), "remove it") from None


def _empty(folder: Path) -> None:
    """Of what is old: another process may be showing the rest."""
    if folder.is_dir():
        old = datetime.now(UTC).timestamp() - STALE
        _unlink([path for path in folder.iterdir() if path.lstat().st_mtime < old])
