"""Which certificate is served: what is configured, what is kept, or one of our own; a new one at once, a broken one never."""

from __future__ import annotations

import os
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser
from dnsops.base.log import Value
from dnsops.base.settings.mailserver import Tls
from dnsops.certs.generations import Generations
from mailsrv.serving.certificate import Certificate, Pair, finder
from tests.lab.pki import Pki

HOST = "mx1.example.org"


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Value]]] = []

    def __call__(self, event: str, **fields: Value) -> None:
        self.lines.append((event, fields))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.lines]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


def pair(pki: Pki, folder: Path, name: str = "a", host: str = HOST) -> Pair:
    return Pair(*pki.issue([host]).write(folder, name))


def shown(context: ssl.SSLContext) -> bytes:
    """The certificate that a client of this context's server sees."""
    inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    server, client = context.wrap_bio(inbox, outbox, server_side=True), trusting.wrap_bio(outbox, inbox)
    for _ in range(4):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = client.getpeercert(binary_form=True)
    assert certificate
    return certificate


def test_a_new_pair_is_served_from_the_next_look_on(pki: Pki, tmp_path: Path) -> None:
    told = Told()
    first = pair(pki, tmp_path / "live")
    certificate = Certificate(HOST, lambda: first, told, now)  # type: ignore[arg-type]
    assert certificate.look()
    before = certificate.served
    assert not certificate.look()
    second = pair(pki, tmp_path / "new")
    shutil.copy(second.key, first.key)
    shutil.copy(second.chain, first.chain)
    assert certificate.look()
    assert shown(certificate.served.context) != shown(before.context)
    assert certificate.end_point(before.context) == before.end_point != certificate.served.end_point
    assert told.events == ["tls.serving", "tls.serving"]


def test_half_a_renewal_is_not_served(pki: Pki, tmp_path: Path) -> None:
    """Key replaced, chain not yet: what was served stays, and the log says why; once both fit they are taken."""
    told = Told()
    first, second = pair(pki, tmp_path / "live"), pair(pki, tmp_path / "new")
    certificate = Certificate(HOST, lambda: first, told, now)  # type: ignore[arg-type]
    certificate.look()
    before = certificate.served
    shutil.copy(second.key, first.key)
    assert not certificate.look()
    assert certificate.served is before
    assert told.events[-1] == "tls.kept"
    shutil.copy(second.chain, first.chain)
    assert certificate.look()


@pytest.mark.parametrize("broken", ["missing", "empty", "text", "directory", "too large"])
def test_a_file_that_is_no_certificate_stops_the_start_only(pki: Pki, tmp_path: Path, broken: str) -> None:
    good = pair(pki, tmp_path / "live")
    served = Certificate(HOST, lambda: good, Told(), now)  # type: ignore[arg-type]
    served.look()
    good.chain.unlink()
    if broken == "empty":
        good.chain.write_bytes(b"")
    elif broken == "text":
        good.chain.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    elif broken == "directory":
        good.chain.mkdir()
    elif broken == "too large":
        with good.chain.open("wb") as file:
            file.truncate(2 << 20)
    with pytest.raises(ForUser) as refused:
        Certificate(HOST, lambda: good, Told(), now).look()  # type: ignore[arg-type]
    assert str(good.chain) in str(refused.value)
    assert not served.look(anew=True)
    assert shown(served.served.context)


def test_what_is_wrong_with_a_certificate_is_said_and_it_is_served(pki: Pki, tmp_path: Path) -> None:
    told = Told()
    expired = Pair(*pki.issue(["other.example"], life=timedelta(days=-1)).write(tmp_path, "old"))
    Certificate(HOST, lambda: expired, told, now).look()  # type: ignore[arg-type]
    flaws = " ".join(str(fields["what"]) for event, fields in told.lines if event == "tls.flaw")
    assert "expired" in flaws
    assert HOST in flaws


def test_without_any_it_makes_its_own_and_keeps_it(tmp_path: Path) -> None:
    told = Told()
    certificate = Certificate(HOST, finder(Tls(), HOST, tmp_path / "certs"), told, now)  # type: ignore[arg-type]
    certificate.look()
    assert not certificate.served.signed
    assert certificate.served.end_point
    before = shown(certificate.served.context)
    assert not certificate.look(anew=True)
    assert shown(certificate.served.context) == before
    assert list(tmp_path.iterdir()) == []
    assert told.events == ["tls.unsigned", "tls.serving"]


def test_the_kept_pair_is_served_once_it_is_current(pki: Pki, tmp_path: Path) -> None:
    """publish before use: the next key's certificate is not shown before it is promoted."""
    told, certs = Told(), tmp_path / "certs"
    certificate = Certificate(HOST, finder(Tls(), HOST, certs), told, now)  # type: ignore[arg-type]
    certificate.look()
    kept = Generations(certs)
    kept.make_next(HOST)
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    upcoming = kept.next(HOST)
    assert upcoming
    key = load_pem_private_key(upcoming.key_path.read_bytes(), None)
    kept.install_chain(HOST, pki.issue([HOST], key).chain)  # type: ignore[arg-type]
    assert not certificate.look()
    kept.promote(HOST)
    assert certificate.look()
    assert certificate.served.signed
    assert os.fspath(certs) in certificate.served.where


def test_old_tls_is_not_spoken(pki: Pki, tmp_path: Path) -> None:
    served = Certificate(HOST, lambda: pair(pki, tmp_path / "live"), Told(), now)  # type: ignore[arg-type]
    served.look()
    context = served.served.context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    ciphers = {str(cipher["name"]) for cipher in context.get_ciphers()}
    assert all("GCM" in name or "POLY1305" in name for name in ciphers)
    assert context.options & ssl.OP_NO_RENEGOTIATION
