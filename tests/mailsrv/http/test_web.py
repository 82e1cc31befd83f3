"""The web listeners of a running server: each endpoint fetched over TLS, validations, proxies, other certificates, other domains."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from cryptography import x509

from dnsops.acme.answers import ACME_IDENTIFIER, AlpnAnswers, HttpAnswers
from dnsops.acme.door import Challenge
from dnsops.records.txt.mtasts import Sts
from tests.lab.mailserver import DOMAIN, HOST, MailServer, web_names
from tests.lab.program import listening, wait_until
from tests.mailsrv.http.asking import ask, connected, raw
from tests.mailsrv.http.house import outlook

POLICY = "/.well-known/mta-sts.txt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve"), web={"trusted_proxies": ["127.0.0.9"]}) as running:
        yield running


# what is there


@pytest.mark.parametrize(
    "host,path,kind",
    [
        (f"mta-sts.{DOMAIN}", POLICY, "text/plain"),
        (f"autoconfig.{DOMAIN}", f"/mail/config-v1.1.xml?emailaddress=alice%40{DOMAIN}", "application/xml"),
        (DOMAIN, f"/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=alice@{DOMAIN}", "application/xml"),
        (
            f"autodiscover.{DOMAIN}",
            f"/autodiscover/autodiscover.json?Email=a@{DOMAIN}&Protocol=AutodiscoverV1&RedirectCount=1",
            "application/json",
        ),
        (
            f"autodiscover.{DOMAIN}",
            f"/autodiscover/autodiscover.json/v1.0/a%40{DOMAIN}?Protocol=AutodiscoverV1",
            "application/json",
        ),
        (f"ua-auto-config.{DOMAIN}", "/.well-known/user-agent-configuration.json", "application/json"),
        (f"mail.{DOMAIN}", f"/profile.mobileconfig?email=alice@{DOMAIN}", "application/x-apple-aspen-config"),
        (f"mail.{DOMAIN}", "/", "text/html"),
        (HOST, "/", "text/html"),
    ],
)
def test_each_endpoint_over_tls(server: MailServer, host: str, path: str, kind: str) -> None:
    said = ask(server, host, path)
    assert (said.status, said.headers["content-type"].partition(";")[0]) == (200, kind)
    assert parsedate_to_datetime(said.headers["date"])
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["strict-transport-security"].startswith("max-age=")
    assert "default-src 'none'" in said.headers["content-security-policy"]
    assert "server" not in said.headers
    assert "access-control-allow-origin" not in said.headers
    head = ask(server, host, path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == said.headers["content-type"]


def test_outlook_posts(server: MailServer) -> None:
    said = ask(server, f"autodiscover.{DOMAIN}", "/Autodiscover/Autodiscover.xml", "POST", outlook(f"alice@{DOMAIN}"))
    assert said.status == 200
    assert f"<LoginName>alice@{DOMAIN}</LoginName>".encode() in said.body
    assert said.headers["cache-control"] == "no-store"


def test_the_policy_is_one_and_names_our_host(server: MailServer) -> None:
    policy = Sts.parse(ask(server, f"mta-sts.{DOMAIN}", POLICY).body)
    assert policy.mx == (HOST,)


def test_the_profile_is_signed_by_who_serves_it(server: MailServer, tmp_path: Path) -> None:
    """OpenSSL's CMS finds the signature good, the chain the lab's, and the profile inside."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    signed = tmp_path / "profile"
    signed.write_bytes(ask(server, f"mail.{DOMAIN}", f"/profile.mobileconfig?email=alice@{DOMAIN}").body)
    command = [
        "openssl",
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-in",
        str(signed),
        "-CAfile",
        server.ca,
        "-purpose",
        "any",
    ]
    done = subprocess.run([*command, "-binary"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert plistlib.loads(done.stdout)["PayloadContent"][0]["EmailAddress"] == f"alice@{DOMAIN}"


def test_two_people_who_ask_over_the_wire_cannot_be_told_apart(server: MailServer) -> None:
    """Alice is there, and Nobody is not: status, headers and bodies are the same, but for the address."""
    for host, path, body in (
        (f"autoconfig.{DOMAIN}", f"/mail/config-v1.1.xml?emailaddress=%s@{DOMAIN}", None),
        (f"autodiscover.{DOMAIN}", "/autodiscover/autodiscover.xml", outlook(f"%s@{DOMAIN}")),
        (f"autodiscover.{DOMAIN}", f"/autodiscover/autodiscover.json?email=%s@{DOMAIN}&protocol=autodiscoverv1", None),
    ):
        said = [
            ask(
                server,
                host,
                path.replace("%s", who),
                "POST" if body else "GET",
                body.replace(b"%s", who.encode()) if body else None,
            )
            for who in ("alice", "xlicx")
        ]
        assert said[0].status == said[1].status == 200
        assert said[0].body.replace(b"alice", b"xlicx") == said[1].body
        first, second = ({key: value for key, value in one.headers.items() if key != "date"} for one in said)
        assert first == second


@pytest.mark.parametrize("path", ["/health", "/metrics", "/live", "/ready"])
def test_management_is_not_here(server: MailServer, path: str) -> None:
    for name in web_names([DOMAIN]):
        assert ask(server, name, path).status == 404


def test_other_names_are_not_ours(server: MailServer) -> None:
    said = ask(server, f"mail.{DOMAIN}", "/", headers={"Host": "evil.example"})
    assert said.status == 421
    assert b"evil" not in said.body
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(server, "evil.example", "/")


# port 80


def test_plain_http_is_the_way_to_https(server: MailServer) -> None:
    said = ask(server, f"autodiscover.{DOMAIN}", "/autodiscover/autodiscover.xml?a=b&c=%0d%0a", tls=False)
    port = server.ports["https"]
    assert said.status == 302
    assert (
        said.headers["location"] == f"https://autodiscover.{DOMAIN}:{port}/autodiscover/autodiscover.xml?a=b&c=%0d%0a"
    )
    assert "strict-transport-security" not in said.headers
    assert ask(server, "evil.example", "/", tls=False).status == 421


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%0d%0aX:y", "http://evil.example/"])
def test_it_leads_nowhere_else(server: MailServer, path: str) -> None:
    said = raw(server, f"GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n".encode())
    head = said.partition(b"\r\n\r\n")[0].decode()
    where = [line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("location:")]
    assert head.startswith(("HTTP/1.1 302", "HTTP/1.1 400"))
    assert all(one.startswith(f"https://{DOMAIN}:{server.ports['https']}/") for one in where)


def test_http_01_is_answered_for_any_name(server: MailServer) -> None:
    answers, challenge = HttpAnswers(server.state), Challenge("http-01", DOMAIN, "token_1-a", "token_1-a.thumb")
    answers.show([challenge])
    try:
        for host in (DOMAIN, "other.example", "192.0.2.1"):
            said = ask(server, host, "/.well-known/acme-challenge/token_1-a", tls=False)
            assert (said.status, said.body) == (200, b"token_1-a.thumb")
        for token in ("token", "..", "%2e%2e/http-01/token_1-a", "../http-01/token_1-a", "token_1-a/", ""):
            assert ask(server, DOMAIN, f"/.well-known/acme-challenge/{token}", tls=False).status == 404
        assert ask(server, DOMAIN, "/.well-known/acme-challenge/token_1-a").status == 404
    finally:
        answers.remove([challenge])
    assert ask(server, DOMAIN, "/.well-known/acme-challenge/token_1-a", tls=False).status == 404


# TLS-ALPN-01


def validated(server: MailServer, name: str, drip: bool = False) -> x509.Certificate:
    """What an authority sees that validates a name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["acme-tls/1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with socket.create_connection((server.address, server.ports["https"]), 10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                hello = outgoing.read()
                for piece in (hello[:3], hello[3:60], hello[60:]) if drip else (hello,):
                    sock.sendall(piece)
                answered = sock.recv(65536)
                incoming.write(answered) if answered else incoming.write_eof()
        sock.sendall(outgoing.read())
        assert tls.selected_alpn_protocol() == "acme-tls/1"
        seen = tls.getpeercert(binary_form=True)
        assert seen
        return x509.load_der_x509_certificate(seen)


@pytest.mark.parametrize("drip", [False, True])
def test_tls_alpn_01_shows_its_certificate_to_the_authority_alone(server: MailServer, drip: bool) -> None:
    name = f"mta-sts.{DOMAIN}"
    answers, challenge = AlpnAnswers(server.state), Challenge("tls-alpn-01", name, "t", "t.thumb")
    answers.show([challenge])
    try:
        found = validated(server, name, drip)
        identifier = next(one for one in found.extensions if one.oid.dotted_string == ACME_IDENTIFIER)
        assert identifier.critical
        assert ask(server, name, POLICY).status == 200  # whoever else comes sees the real one
        with pytest.raises(ssl.SSLError):
            validated(server, f"mail.{DOMAIN}")
    finally:
        answers.remove([challenge])
    with pytest.raises(ssl.SSLError):
        validated(server, name)


def test_http_1_1_is_what_tls_agrees_on(server: MailServer) -> None:
    with connected(server) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.selected_alpn_protocol() == "http/1.1"
        assert sock.version() == "TLSv1.3"


# behind a proxy


def through(server: MailServer, source: str, host: str, path: str, *headers: str) -> bytes:
    """Plain HTTP from an address of this machine."""
    with socket.create_connection((server.address, server.ports["web"]), 10, (source, 0)) as sock:
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        said = b""
        while piece := sock.recv(65536):
            said += piece
        return said


@pytest.mark.parametrize(
    "source,headers,status",
    [
        ("127.0.0.9", ("X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.7"), 200),
        ("127.0.0.9", (), 200),
        ("127.0.0.9", ("X-Forwarded-Proto: http",), 302),
        ("127.0.0.8", ("X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.7"), 302),
    ],
)
def test_a_trusted_proxy_gets_the_site_in_plain(
    server: MailServer, source: str, headers: tuple[str, ...], status: int
) -> None:
    said = through(server, source, f"mta-sts.{DOMAIN}", POLICY, *headers)
    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    if "198.51.100.7" in str(headers) and status == 200:
        wait_until(lambda: any(e["peer"] == "198.51.100.7" for e in server.events("web.answered")), "the log")


def test_a_forwarded_host_is_believed_of_a_proxy_only(server: MailServer) -> None:
    forwarded = f"X-Forwarded-Host: mta-sts.{DOMAIN}"
    assert through(server, "127.0.0.9", "localhost:8080", POLICY, forwarded).startswith(b"HTTP/1.1 200")
    assert through(server, "127.0.0.8", "localhost:8080", POLICY, forwarded).startswith(b"HTTP/1.1 421")


# its life


def test_another_certificate_is_shown_from_the_next_handshake_on(tmp_path: Path) -> None:
    with MailServer(tmp_path, web=True) as server, connected(server, DOMAIN) as old:
        assert isinstance(old, ssl.SSLSocket)
        before = old.getpeercert(binary_form=True)
        server.pki.issue([HOST, *web_names([DOMAIN])]).write(tmp_path, "tls")

        def another() -> bool:
            with connected(server, DOMAIN) as now:
                assert isinstance(now, ssl.SSLSocket)
                return now.getpeercert(binary_form=True) != before

        wait_until(another, "the new certificate")
        old.sendall(f"GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n".encode())
        assert old.recv(100).startswith(b"HTTP/1.1 200")


def test_a_reload_brings_other_domains_and_policies(tmp_path: Path) -> None:
    both = [DOMAIN, "other.test"]
    with MailServer(tmp_path, web=True) as server:
        server.pki.issue([HOST, *web_names(both)]).write(tmp_path, "tls")
        assert ask(server, f"mta-sts.{DOMAIN}", POLICY).status == 200
        server.write(domains=both, records={"mta_sts": {"mode": "testing"}})
        server.reload()
        said = ask(server, "mta-sts.other.test", POLICY)
        assert b"mode: testing" in said.body
        assert said.body == ask(server, f"mta-sts.{DOMAIN}", POLICY).body
        server.write(domains=[DOMAIN], web={"display_name": "Another name"})
        server.reload()
        assert ask(server, "mta-sts.other.test", POLICY).status == 421
        assert b"Another name" in ask(server, f"mail.{DOMAIN}", "/").body


def test_mail_goes_on_where_the_port_is_another_program_s(tmp_path: Path) -> None:
    server = MailServer(tmp_path, web=True)
    with socket.socket() as other:
        other.bind((server.address, server.ports["https"]))
        other.listen()
        with server:
            told = server.events("web.not_listening")
            assert [(one["listener"], "listeners.https.enabled" in one["advice"]) for one in told] == [("https", True)]
            assert ask(server, DOMAIN, "/", tls=False).status == 302
            server.send()
            assert len(server.messages()) == 1


def test_several_workers_and_one_web(tmp_path: Path) -> None:
    with MailServer(tmp_path, web=True, workers=2) as server:
        for _ in range(6):
            assert ask(server, f"mta-sts.{DOMAIN}", POLICY).status == 200


def test_without_a_signed_certificate_nothing_is_promised_for_long(tmp_path: Path) -> None:
    """The time before the first real one: the profile is unsigned, and no HSTS."""
    with MailServer(tmp_path, web=True, tls=None) as server:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        request = f"GET /profile.mobileconfig?email=a@{DOMAIN} HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n"
        with (
            socket.create_connection((server.address, server.ports["https"]), 10) as plain,
            context.wrap_socket(plain, server_hostname=DOMAIN) as sock,
        ):
            sock.sendall(request.encode())
            said = b""
            while piece := sock.recv(65536):
                said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"strict-transport-security" not in head.lower()
    assert plistlib.loads(body)["PayloadType"] == "Configuration"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_all_of_it_is_there_for_an_ordinary_user(tmp_path: Path) -> None:
    """What root alone may read - the key, our libraries perhaps - is read before root is left."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(0o755)
    with MailServer(tmp_path / "s", web=True, user="nobody") as server:
        assert [one["name"] for one in server.events("serve.user")] == ["nobody"]
        assert ask(server, f"mail.{DOMAIN}", "/").status == 200
        assert ask(server, DOMAIN, "/autodiscover/autodiscover.xml", "POST", outlook(f"a@{DOMAIN}")).status == 200
        said = ask(server, f"mail.{DOMAIN}", f"/profile.mobileconfig?email=a@{DOMAIN}")
        assert said.body[:1] == b"0"  # DER: it is signed
        assert ask(server, f"mta-sts.{DOMAIN}", POLICY).status == 200


def test_the_web_alone_beside_another_mail_server(tmp_path: Path) -> None:
    server = MailServer(tmp_path, web=True)
    server.options = ("--only", "web")
    with server:
        assert ask(server, f"mta-sts.{DOMAIN}", POLICY).status == 200
        assert str(server.ports["imaps"]) in ask(server, f"mail.{DOMAIN}", "/").body.decode()
        assert not listening(server.address, server.ports["smtp"])
        with pytest.raises(OSError):
            smtplib.SMTP(server.address, server.ports["smtp"], timeout=2)
        server.write(web={"display_name": "Another name"})
        server.reload()
        assert b"Another name" in ask(server, f"mail.{DOMAIN}", "/").body
        assert not (server.state / "store").exists()


def test_figures_count_what_was_asked(server: MailServer) -> None:
    ask(server, f"mta-sts.{DOMAIN}", POLICY)
    with socket.create_connection((server.address, server.ports["http"]), 10) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        said = b""
        while piece := sock.recv(65536):
            said += piece
    assert b'mailsrv_sessions{protocol="web"}' in said
    assert json.dumps("web.answered").encode() in said
