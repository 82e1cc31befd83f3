"""`mailsrv serve` as its operator sees it: ready, reloaded, drained, unprivileged, several at a time."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mailserver import DOMAIN, PASSWORD, MailServer
from tests.lab.network import Unavailable
from tests.lab.program import wait_until

LETTER = b"From: you@example.org\r\nSubject: one\r\n\r\nhello\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path) as running:
        yield running


def shown(server: MailServer, kind: str) -> bytes:
    """The certificate on a port."""
    context = ssl.create_default_context(cafile=str(server.pki.ca))
    with socket.create_connection((server.address, server.ports[kind]), 10) as sock:
        with context.wrap_socket(sock, server_hostname="mx.mail.test") as secure:
            certificate = secure.getpeercert(binary_form=True)
    assert certificate
    return certificate


def test_mail_comes_in_is_sent_and_read(server: MailServer) -> None:
    server.send(subject="from outside")
    with server.submission("bob") as bob:
        bob.sendmail(f"bob@{DOMAIN}", [f"alice@{DOMAIN}"], b"From: bob@mail.test\r\nSubject: from bob\r\n\r\nhi\r\n")
    with smtplib.SMTP_SSL(server.address, server.ports["submissions"], context=server.trust) as alice:
        alice.login("alice", PASSWORD)
        alice.sendmail(
            f"alice@{DOMAIN}", [f"bob@{DOMAIN}"], b"From: alice@mail.test\r\nSubject: implicit\r\n\r\nhi\r\n"
        )
    assert [b"from outside" in text or b"from bob" in text for text in server.messages()] == [True, True]
    assert b"Subject: implicit" in server.messages("bob")[0]


def test_no_password_in_the_clear(server: MailServer) -> None:
    for kind in ("smtp", "submission"):
        with smtplib.SMTP(server.address, server.ports[kind]) as client:
            client.ehlo()
            assert not client.has_extn("auth")
    with smtplib.SMTP(server.address, server.ports["smtp"]) as client:
        client.starttls(context=server.trust)
        client.ehlo()
        assert not client.has_extn("auth")
    with socket.create_connection((server.address, server.ports["imap"]), 10) as sock:
        sock.recv(1000)
        sock.sendall(b"a LOGIN alice foobar\r\n")
        assert b"PRIVACYREQUIRED" in sock.recv(1000)


def test_scram_plus_binds_to_the_connection(server: MailServer) -> None:
    """SCRAM-SHA-256-PLUS is offered inside TLS only, on each port that takes logins."""
    with smtplib.SMTP_SSL(server.address, server.ports["submissions"], context=server.trust) as client:
        client.ehlo()
        assert "SCRAM-SHA-256-PLUS" in client.esmtp_features["auth"].split()
    with server.imap() as client:
        assert client.state == "AUTH"
    import imaplib

    with imaplib.IMAP4_SSL(server.address, server.ports["imaps"], ssl_context=server.trust) as client:
        assert "AUTH=SCRAM-SHA-256-PLUS" in client.capabilities


def test_a_reload_ends_no_session_and_brings_new_accounts(server: MailServer) -> None:
    idle, busy = server.imap(), server.smtp()
    busy.ehlo()
    busy.mail("you@example.org")
    accounts = [
        *server.settings["accounts"],
        {"name": "carol", "password": "!file password", "addresses": [f"carol@{DOMAIN}"]},
    ]
    assert busy.rcpt(f"carol@{DOMAIN}")[0] == 550
    server.write(accounts=accounts)
    server.reload()
    assert busy.rcpt(f"carol@{DOMAIN}")[0] == 250
    assert busy.data(LETTER)[0] == 250
    assert idle.noop()[0] == "OK"
    assert len(server.messages("carol")) == 1
    busy.quit()
    idle.logout()


def test_a_configuration_that_cannot_be_read_changes_nothing(server: MailServer) -> None:
    good = server.config.read_text()
    server.config.write_text(good.replace('"domains"', '"domain"'))
    server.reload()
    assert "domain" in str(server.events("serve.not_reloaded")[0]["why"])
    server.send()
    assert len(server.messages()) == 1
    server.config.write_text(good)
    server.reload()
    assert server.events("serve.reloaded")


def test_a_new_certificate_is_served_while_sessions_go_on(server: MailServer) -> None:
    before = {kind: shown(server, kind) for kind in ("imaps", "submissions")}
    old = server.imap()
    server.pki.issue(["mx.mail.test", server.address]).write(server.directory, "tls")
    server.reload()
    assert all(shown(server, kind) != before[kind] for kind in before)
    assert old.noop()[0] == "OK"
    old.logout()
    with server.smtp() as client:
        client.starttls(context=server.trust)
        assert client.sock.getpeercert(binary_form=True) == shown(server, "imaps")  # type: ignore[union-attr]


def test_a_new_certificate_is_found_without_a_word(server: MailServer) -> None:
    before = shown(server, "imaps")
    server.pki.issue(["mx.mail.test", server.address]).write(server.directory, "tls")
    wait_until(lambda: shown(server, "imaps") != before, "the new certificate")


def test_sigterm_lets_a_message_under_way_arrive(tmp_path: Path) -> None:
    server = MailServer(tmp_path).start()
    client, idle = server.smtp(), server.imap()
    client.ehlo()
    client.mail("you@example.org")
    client.rcpt(f"alice@{DOMAIN}")
    client.putcmd("data")
    assert client.getreply()[0] == 354
    client.send(LETTER[:20])
    ended: list[int] = []
    waiting = threading.Thread(target=lambda: ended.append(server.stop()))
    waiting.start()
    wait_until(lambda: bool(server.events("serve.draining")), "the end to begin")
    with pytest.raises(OSError):
        socket.create_connection((server.address, server.ports["smtp"]), 1)
    client.send(LETTER[20:] + b".\r\n")
    assert client.getreply()[0] == 250
    waiting.join()
    assert ended == [0]
    assert b"BYE" in idle.file.read()
    server.check()
    with server:
        assert len(server.messages()) == 1


def test_two_servers_do_not_share_a_house(server: MailServer, tmp_path: Path) -> None:
    other = MailServer(tmp_path / "other", state={"directory": str(server.state)})
    with pytest.raises(Unavailable, match=r"serve\.lock"):
        other.start()
    assert server.running


def test_a_port_in_use_is_one_sentence(server: MailServer, tmp_path: Path) -> None:
    other = MailServer(tmp_path / "other", listeners=server.settings["listeners"])
    with pytest.raises(Unavailable, match="cannot listen there") as refused:
        other.start()
    assert "Traceback" not in str(refused.value)


def test_systemd_is_told_when_it_is_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(tmp_path / "notify"))
        inbox.settimeout(20)
        server = MailServer(tmp_path / "s", env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"})
        with server:
            heard = [inbox.recv(200) for _ in range(3)]
            assert heard[0] == b"READY=1"
            assert b"WATCHDOG=1" in heard[1:]
            server.reload()
            while not (word := inbox.recv(200)).startswith(b"RELOADING=1\nMONOTONIC_USEC="):
                assert word == b"WATCHDOG=1"
        inbox.setblocking(False)
        words = []
        try:
            while True:
                words.append(inbox.recv(200))
        except BlockingIOError:
            pass
        assert b"STOPPING=1" in words


def test_systemd_may_hand_the_sockets_over(tmp_path: Path) -> None:
    """The port below 1024 is systemd's to open; we find it by its name."""
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        given.listen()
        port = given.getsockname()[1]
        code = "import os,sys;os.dup2(int(sys.argv[1]),3);os.environ['LISTEN_PID']=str(os.getpid());os.execv(sys.argv[2],sys.argv[2:])"
        os.set_inheritable(given.fileno(), True)
        server = MailServer(tmp_path, env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"})
        command = [sys.executable, "-c", code, str(given.fileno())]
        command += [sys.executable, "-m", "mailsrv", "serve", "--config", str(server.config)]
        with server.log.open("wb") as log:
            child = subprocess.Popen(
                command, env=server.environment, stdout=log, stderr=log, pass_fds=(given.fileno(),)
            )
        try:
            wait_until(lambda: "serve.ready" in server.log.read_text(), "serve")
            given.close()
            with smtplib.SMTP("127.0.0.1", port) as client:
                client.sendmail("you@example.org", [f"alice@{DOMAIN}"], LETTER)
            with pytest.raises(OSError):
                socket.create_connection((server.address, server.ports["smtp"]), 1)
            assert len(server.messages()) == 1
        finally:
            child.send_signal(signal.SIGTERM)
            assert child.wait(30) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_becomes_an_ordinary_user(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(0o755)
    server = MailServer(tmp_path / "s", user="nobody", listeners={"smtp": {"port": 25, "bind": "127.0.0.7"}})
    with server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        ids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
        assert "0" not in ids
        with smtplib.SMTP("127.0.0.7", 25) as client:
            client.sendmail("you@example.org", [f"alice@{DOMAIN}"], LETTER)
        assert len(server.messages()) == 1
        owners = {path.stat().st_uid for path in server.state.rglob("*")}
        assert owners == {int(ids[0])}


def test_several_workers_share_the_ports(tmp_path: Path) -> None:
    server = MailServer(tmp_path, workers=3)
    with server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(children) == 3
        for n in range(12):
            server.send(subject=f"number {n}")
        wait_until(lambda: len(server.messages()) == 12, "each worker to hear of what the others took")
        os.kill(int(children[1]), signal.SIGKILL)
        wait_until(lambda: bool(server.events("serve.worker_died")), "the loss to be seen")
        time.sleep(1.5)
        for n in range(12):
            server.send(subject=f"more {n}")
        wait_until(lambda: len(server.messages()) == 24, "each worker to hear of what the others took")
        again = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert len(again) == 3
    assert not any(Path(f"/proc/{child}").exists() for child in again)
