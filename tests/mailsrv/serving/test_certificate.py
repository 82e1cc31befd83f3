"""Which certificate is served: what is configured, what is kept, or one of our own; a new one at once, a broken one never."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
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


def anyone() -> ssl.SSLContext:
    """A client that does not mind who it is."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting


def shown(context: ssl.SSLContext, asking: ssl.SSLContext | None = None, name: str | None = None) -> bytes:
    """The certificate that a client of this context's server sees."""
    inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(inbox, outbox, server_side=True)
    client = (asking or anyone()).wrap_bio(outbox, inbox, server_hostname=name)
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


def test_s_tls_02_half_a_renewal_is_not_served(pki: Pki, tmp_path: Path) -> None:
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


def test_s_tls_05_old_tls_is_not_spoken(pki: Pki, tmp_path: Path) -> None:
    served = Certificate(HOST, lambda: pair(pki, tmp_path / "live"), Told(), now)  # type: ignore[arg-type]
    served.look()
    context = served.served.context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    ciphers = {str(cipher["name"]) for cipher in context.get_ciphers()}
    assert all("GCM" in name or "POLY1305" in name for name in ciphers)
    assert context.options & ssl.OP_NO_RENEGOTIATION


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_s_tls_05_who_speaks_only_old_tls_is_not_talked_to(pki: Pki, tmp_path: Path, version: ssl.TLSVersion) -> None:
    served = Certificate(HOST, lambda: pair(pki, tmp_path / "live"), Told(), now)  # type: ignore[arg-type]
    served.look()
    old = anyone()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = version
    with pytest.raises(ssl.SSLError):
        shown(served.served.context, old)


@pytest.mark.parametrize("weak", ["eNULL", "aNULL", "CBC", "kRSA"])
def test_s_tls_05_weak_ciphers_are_not_there(pki: Pki, tmp_path: Path, weak: str) -> None:
    served = Certificate(HOST, lambda: pair(pki, tmp_path / "live"), Told(), now)  # type: ignore[arg-type]
    served.look()
    client = anyone()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(f"{weak}:@SECLEVEL=0")  # OpenSSL itself knows no export ciphers, RC4 and 3DES any more
    with pytest.raises(ssl.SSLError):
        shown(served.served.context, client)


@pytest.mark.parametrize("name", [HOST, "nobody.example.com", "xn--bcher-kva.example", "x" * 60 + ".example", None])
def test_s_tls_04_whatever_name_is_asked_for_the_same_certificate_is_shown(
    pki: Pki, tmp_path: Path, name: str | None
) -> None:
    """A sender who asks by the wrong name is told by the certificate, and not by an alert that breaks off opportunistic TLS."""
    served = Certificate(HOST, lambda: pair(pki, tmp_path / "live"), Told(), now)  # type: ignore[arg-type]
    served.look()
    assert shown(served.served.context, name=name) == shown(served.served.context)


@pytest.mark.parametrize("mode, said", [(0o600, False), (0o640, False), (0o644, True), (0o606, True), (0o601, False)])
def test_s_tls_01_a_key_that_everybody_may_read_is_told(pki: Pki, tmp_path: Path, mode: int, said: bool) -> None:
    told, live = Told(), pair(pki, tmp_path / "live")
    live.key.chmod(mode)
    Certificate(HOST, lambda: live, told, now).look()  # type: ignore[arg-type]
    flaws = [fields for event, fields in told.lines if event == "tls.flaw"]
    assert [(fields["what"], fields["where"]) for fields in flaws] == [
        ("everybody on this machine may read the key", str(live.key))
    ] * said


def test_s_tls_06_nothing_is_taken_before_the_handshake_is_over(pki: Pki, tmp_path: Path) -> None:
    """0-RTT data can be played again by whoever saw it; a session that may be resumed says how much it takes of it."""
    served = Certificate(HOST, lambda: pair(pki, tmp_path / "live"), Told(), now)  # type: ignore[arg-type]
    served.look()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taking = threading.Thread(target=_once, args=(listener, served.served.context))
        taking.start()
        done = subprocess.run(
            ["openssl", "s_client", "-tls1_3", "-ign_eof", "-connect", f"127.0.0.1:{listener.getsockname()[1]}"],
            input="hello\n",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        taking.join()
    said = re.findall(r"Max Early Data: (\d+)", done.stdout)
    assert said, done.stdout
    assert set(said) == {"0"}


def _once(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with context.wrap_socket(connection, server_side=True) as inside:
        inside.recv(100)
        inside.sendall(b"bye\n")
