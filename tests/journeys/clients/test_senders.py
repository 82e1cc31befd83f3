"""swaks, curl and msmtp send: in the clear from outside, by STARTTLS and by TLS from the first octet with a login."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.clients.conftest import Run
from tests.lab.mailserver import DOMAIN, PASSWORD, MailServer

LOGIN = ("--auth-user", "alice", "--auth-password", PASSWORD)
SWAKS = {
    "from outside": ("smtp", ("--from", "you@example.net")),
    "from outside, inside TLS": ("smtp", ("--from", "you@example.net", "--tls")),
    "PLAIN by STARTTLS": ("submission", ("--tls", "--auth", "PLAIN", *LOGIN)),
    "LOGIN by STARTTLS": ("submission", ("--tls", "--auth", "LOGIN", *LOGIN)),
    "PLAIN inside TLS": ("submissions", ("--tls-on-connect", "--auth", "PLAIN", *LOGIN)),
}


def arrived(server: MailServer, user: str, subject: str) -> list[bytes]:
    return [message for message in server.messages(user) if f"Subject: {subject}\r\n".encode() in message]


@pytest.mark.parametrize("way", SWAKS)
def test_swaks(server: MailServer, program: Run, way: str) -> None:
    port, words = SWAKS[way]
    who = ("--from", f"alice@{DOMAIN}") if "--from" not in words else ()
    to = ("--server", f"{server.address}:{server.ports[port]}", "--to", f"bob@{DOMAIN}")
    said = program("swaks", *to, *who, *words, "--header", f"Subject: swaks {way}").stdout
    assert " 250 " in said
    (message,) = arrived(server, "bob", f"swaks {way}")
    assert message.startswith(b"Return-Path: <")


@pytest.mark.parametrize(
    "port, words, status, said",
    [
        (
            "submission",
            ("--tls", "--auth", "PLAIN", "--auth-user", "alice", "--auth-password", "wrong"),
            28,
            "535 5.7.8",
        ),
        ("submission", ("--tls",), 23, "530 5.7.0"),
        ("submission", ("--auth", "PLAIN", *LOGIN), 28, "did not advertise authentication"),
        ("smtp", ("--to", "you@example.net"), 24, "550 5.7.1"),
        ("smtp", ("--to", f"nobody@{DOMAIN}"), 24, "550 5.1.1"),
    ],
)
def test_swaks_is_refused(
    server: MailServer, program: Run, port: str, words: tuple[str, ...], status: int, said: str
) -> None:
    where = ("--server", f"{server.address}:{server.ports[port]}", "--from", f"alice@{DOMAIN}")
    to = () if "--to" in words else ("--to", f"bob@{DOMAIN}")
    done = program("swaks", *where, *to, *words, status=None)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in (done.stdout + done.stderr).lower() or said in done.stdout


@pytest.mark.parametrize("scheme, port", [("smtp", "submission"), ("smtps", "submissions")])
def test_curl_sends(server: MailServer, program: Run, tmp_path: Path, scheme: str, port: str) -> None:
    letter = tmp_path / "letter"
    text = f"From: alice@{DOMAIN}\r\nTo: bob@{DOMAIN}\r\nSubject: curl {scheme}\r\n\r\n.\r\n..\r\n.two dots\r\nend\r\n"
    letter.write_bytes(text.encode())
    program(
        "curl", "-sS", f"{scheme}://{server.address}:{server.ports[port]}", "--ssl-reqd", "--cacert", server.ca,
        "-u", f"alice:{PASSWORD}", "--mail-from", f"alice@{DOMAIN}", "--mail-rcpt", f"bob@{DOMAIN}", "-T", letter,
    )  # fmt: skip
    (message,) = arrived(server, "bob", f"curl {scheme}")
    assert message.endswith(b"\r\n\r\n.\r\n..\r\n.two dots\r\nend\r\n")


@pytest.mark.parametrize("auth", ["plain", "login", "scram-sha-256"])
@pytest.mark.parametrize("port", ["submission", "submissions"])
def test_msmtp(server: MailServer, program: Run, tmp_path: Path, port: str, auth: str) -> None:
    start = "on" if port == "submission" else "off"
    config = tmp_path / "msmtprc"
    config.write_text(
        f"account default\nhost {server.address}\nport {server.ports[port]}\nfrom alice@{DOMAIN}\n"
        f"auth {auth}\nuser alice\npassword {PASSWORD}\ntls on\ntls_starttls {start}\ntls_trust_file {server.ca}\n"
    )
    config.chmod(0o600)
    subject = f"msmtp {port} {auth}"
    letter = f"From: alice@{DOMAIN}\nTo: bob@{DOMAIN}\nSubject: {subject}\n\nhello\n"
    program("msmtp", "-C", config, f"bob@{DOMAIN}", typed=letter)
    assert len(arrived(server, "bob", subject)) == 1
