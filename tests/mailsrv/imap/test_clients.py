"""Clients that others wrote: imaplib and IMAPClient, over plain TCP, STARTTLS and TLS, with and without compression."""

from __future__ import annotations

import imaplib
import socket
import ssl
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailsrv.imap.server import Tls
from tests.mailsrv.imap.house import PASSWORD, Running, running

LETTER = b"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A context with a key of its own."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.test")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(days=1), now + timedelta(days=9))
    folder = tmp_path_factory.mktemp("tls")
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    return context(folder)


def context(folder: Path) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return found


def careless() -> ssl.SSLContext:
    found = ssl.create_default_context()
    found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    return found


def use(client: imaplib.IMAP4) -> None:
    """What every client does."""
    assert client.login("alice", PASSWORD)[0] == "OK"
    assert client.append("INBOX", "(\\Flagged)", None, LETTER)[0] == "OK"
    assert client.select() == ("OK", [b"1"])
    _, found = client.fetch("1", "(RFC822 FLAGS)")
    assert found[0][1] == LETTER
    assert client.search(None, "SUBJECT", '"hello"') == ("OK", [b"1"])
    assert client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")[0] == "OK"
    assert client.expunge() == ("OK", [b"1"])
    assert client.logout()[0] == "BYE"


def test_imaplib_in_the_clear() -> None:
    with running() as house:
        use(imaplib.IMAP4("127.0.0.1", house.port))


def test_imaplib_with_starttls(certificate: ssl.SSLContext) -> None:
    with running(plaintext=False, tls=lambda: Tls(certificate)) as house:
        client = imaplib.IMAP4("127.0.0.1", house.port)
        assert {"STARTTLS", "LOGINDISABLED"} <= set(client.capabilities)
        with pytest.raises(imaplib.IMAP4.error, match="TLS"):
            client.login("alice", PASSWORD)
        client.starttls(careless())
        assert "STARTTLS" not in client.capabilities
        use(client)


def test_what_was_said_before_tls_counts_for_nothing(certificate: ssl.SSLContext) -> None:
    with running(plaintext=False, tls=lambda: Tls(certificate)) as house:
        with socket.create_connection(("127.0.0.1", house.port), 5) as plain:
            plain.recv(1000)
            plain.sendall(b"a STARTTLS\r\nb CAPABILITY\r\n")
            assert plain.recv(1000).startswith(b"a OK")
            plain.settimeout(0.3)
            assert not answered(plain)


def answered(plain: socket.socket) -> bytes:
    """What comes after the handshake, if there is one."""
    try:
        with careless().wrap_socket(plain) as secure:
            return secure.recv(1000)
    except OSError:
        return b""


def test_imaplib_with_tls_from_the_first_byte(certificate: ssl.SSLContext) -> None:
    with running(plaintext=False, tls=lambda: Tls(certificate), implicit=True) as house:
        use(imaplib.IMAP4_SSL("127.0.0.1", house.port, ssl_context=careless()))


def test_a_new_certificate_is_shown_without_a_restart(certificate: ssl.SSLContext) -> None:
    shown: list[Tls] = []

    def current() -> Tls | None:
        return shown[-1] if shown else None

    with running(plaintext=False, tls=current) as house:
        assert "STARTTLS" not in imaplib.IMAP4("127.0.0.1", house.port).capabilities
        shown.append(Tls(certificate))
        client = imaplib.IMAP4("127.0.0.1", house.port)
        client.starttls(careless())
        use(client)


def test_imapclient() -> None:
    from imapclient import IMAPClient
    from imapclient.response_types import Envelope

    with running() as house, IMAPClient("127.0.0.1", house.port, ssl=False) as client:
        client.login("bob", PASSWORD)
        client.create_folder("Entwürfe/Ü")
        assert "Entwürfe/Ü" in [name for _, _, name in client.list_folders()]
        client.append("INBOX", LETTER, ["\\Seen"], datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
        client.append("INBOX", LETTER.replace(b"hello", b"Re: hello"))
        assert client.select_folder("INBOX")[b"EXISTS"] == 2
        found = client.fetch([1, 2], ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE", "BODY.PEEK[TEXT]"])
        envelope = found[1][b"ENVELOPE"]
        assert isinstance(envelope, Envelope)
        assert (envelope.subject, envelope.from_[0].mailbox) == (b"hello", b"ann")
        assert found[1][b"FLAGS"] == (b"\\Seen",)
        assert found[2][b"BODY[TEXT]"] == b"body\r\n"
        assert client.search(["UNSEEN"]) == [2]
        assert client.sort("REVERSE ARRIVAL") == [2, 1]
        assert client.thread("ORDEREDSUBJECT") == ((1, 2),)
        client.move([1], "Archive")
        assert client.folder_status("Archive", ["MESSAGES"]) == {b"MESSAGES": 1}
        client.idle()
        assert client.idle_done()[0] == b"idled"
        assert client.namespace().personal == (("", "/"),)
        assert client.get_quota_root("INBOX")[0].quota_roots == [""]


def test_compressed(house: Running) -> None:
    """RFC 4978, also with commands that came right behind it."""
    with socket.create_connection(("127.0.0.1", house.port), 5) as sock:
        sock.recv(1000)
        sock.sendall(b"a LOGIN alice foobar\r\n")
        sock.recv(4000)
        pack, unpack = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        letter = b"Subject: x\r\n\r\n" + b"y" * 300000
        sent = pack.compress(
            b"c APPEND INBOX {%d+}\r\n" % len(letter) + letter + b"\r\nd COMPRESS DEFLATE\r\ne LOGOUT\r\n"
        )
        sock.sendall(b"b COMPRESS DEFLATE\r\n" + sent + pack.flush(zlib.Z_SYNC_FLUSH))
        raw = b""
        while data := sock.recv(65536):
            raw += data
    head, _, rest = raw.partition(b"\r\n")
    assert head.startswith(b"b OK")
    plain = unpack.decompress(rest)
    assert b"c OK [APPENDUID" in plain
    assert b"d NO [COMPRESSIONACTIVE]" in plain
    assert b"e OK" in plain


@pytest.fixture
def house() -> object:
    with running() as found:
        yield found
