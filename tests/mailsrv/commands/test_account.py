"""`mailsrv account` and `mailsrv alias`: the words, and what a running server makes of them."""

from __future__ import annotations

import imaplib
import json
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mailserver import DOMAIN, PASSWORD, MailServer
from tests.lab.program import wait_until


def run(config: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailsrv", *words, "--config", str(config)],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def told(config: Path, *words: str, typed: str = "") -> str:
    done = run(config, *words, typed=typed)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("accounts")) as server:
        yield server
        server.check()


def imap(server: MailServer) -> imaplib.IMAP4:
    context = ssl.create_default_context(cafile=server.ca)
    context.check_hostname = False
    return imaplib.IMAP4_SSL(server.address, server.ports["imaps"], ssl_context=context)


def smtp(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca)
    context.check_hostname = False
    return smtplib.SMTP_SSL(server.address, server.ports["submissions"], context=context, timeout=20)


def may_log_in(server: MailServer, name: str, password: str) -> bool:
    client = imap(server)
    try:
        client.login(name, password)
    except imaplib.IMAP4.error:
        return False
    finally:
        client.shutdown()
    return True


def heard(server: MailServer, event: str) -> int:
    """How often the log told of it."""
    return sum(line["event"] == event for line in server.lines())


def changed(server: MailServer, *words: str, typed: str = "") -> str:
    """Run it, and wait until the server knows."""
    before = heard(server, "serve.accounts")
    text = told(server.config, *words, typed=typed)
    wait_until(lambda: heard(server, "serve.accounts") > before, "the server to know", 10)
    return text


def test_an_account_comes_and_goes_while_the_server_runs(server: MailServer) -> None:
    changed(server, "account", "add", "carol", f"carol@{DOMAIN}", typed="lamb-and-rice\n")
    assert may_log_in(server, "carol", "lamb-and-rice")
    assert may_log_in(server, f"carol@{DOMAIN}", "lamb-and-rice")
    assert not may_log_in(server, "carol", "lamb-and-mint")
    with smtp(server) as client:
        client.login("carol", "lamb-and-rice")
        client.sendmail(f"carol@{DOMAIN}", [f"carol@{DOMAIN}"], f"From: carol@{DOMAIN}\r\nSubject: me\r\n\r\nhello\r\n")
    reader = imap(server)
    reader.login("carol", "lamb-and-rice")
    assert reader.select()[1] == [b"1"]
    reader.logout()
    changed(server, "account", "remove", "carol")
    assert not may_log_in(server, "carol", "lamb-and-rice")
    changed(server, "account", "add", "carol", f"carol@{DOMAIN}", typed="lamb-again\n")
    reader = imap(server)
    reader.login("carol", "lamb-again")
    assert reader.select()[1] == [b"1"]  # its mail was kept
    reader.logout()


def test_another_password_sends_away_who_had_the_old_one(server: MailServer) -> None:
    changed(server, "account", "add", "dave", f"dave@{DOMAIN}", typed="first\n")
    reader, writer = imap(server), smtp(server)
    reader.login("dave", "first")
    writer.login("dave", "first")
    stays = imap(server)
    stays.login("alice", PASSWORD)
    changed(server, "account", "passwd", "dave", typed="second\n")
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        wait_until(lambda: reader.noop()[0] != "OK", "BYE", 10)
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException)):
        writer.sendmail(f"dave@{DOMAIN}", [f"dave@{DOMAIN}"], b"From: dave\r\n\r\n")
    assert stays.noop()[0] == "OK"
    stays.logout()
    assert not may_log_in(server, "dave", "first")
    assert may_log_in(server, "dave", "second")


def test_app_passwords_come_and_go_alone(server: MailServer) -> None:
    changed(server, "account", "add", "erin", f"erin@{DOMAIN}", typed="main-one\n")
    inside = imap(server)
    inside.login("erin", "main-one")
    document = json.loads(changed(server, "account", "app", "erin", "phone", "--json"))
    assert document["account"] == "erin"
    assert may_log_in(server, "erin", document["password"])
    assert inside.noop()[0] == "OK"  # one more password sends nobody away
    changed(server, "account", "app", "erin", "phone", "--remove")
    assert not may_log_in(server, "erin", document["password"])
    assert may_log_in(server, "erin", "main-one")
    with pytest.raises((imaplib.IMAP4.abort, OSError)):  # it may have been the phone
        wait_until(lambda: inside.noop()[0] != "OK", "BYE", 10)


def test_closed_is_closed_and_mail_still_comes(server: MailServer) -> None:
    changed(server, "account", "add", "frank", f"frank@{DOMAIN}", typed="open-sesame\n")
    changed(server, "account", "disable", "frank")
    assert not may_log_in(server, "frank", "open-sesame")
    with smtplib.SMTP(server.address, server.ports["smtp"], timeout=20) as client:
        client.sendmail("x@example.net", [f"frank@{DOMAIN}"], "Subject: wait\r\n\r\nfor me\r\n")
    changed(server, "account", "enable", "frank")
    reader = imap(server)
    reader.login("frank", "open-sesame")
    assert reader.select()[1] == [b"1"]
    reader.logout()


def test_an_alias_leads_there_at_once(server: MailServer) -> None:
    with smtplib.SMTP(server.address, server.ports["smtp"], timeout=20) as client:
        client.ehlo()
        client.mail("x@example.net")
        assert client.rcpt(f"info@{DOMAIN}")[0] == 550
    changed(server, "alias", "add", f"info@{DOMAIN}", "alice", "bob")
    with smtplib.SMTP(server.address, server.ports["smtp"], timeout=20) as client:
        client.ehlo()
        client.mail("x@example.net")
        assert client.rcpt(f"info@{DOMAIN}")[0] == 250
    listed = json.loads(told(server.config, "alias", "list", "--json"))
    assert listed == [{"address": f"info@{DOMAIN}", "where": "database", "to": ["alice", "bob"]}]
    assert json.loads(changed(server, "alias", "remove", f"info@{DOMAIN}", "bob", "--json"))["to"] == ["alice"]
    changed(server, "alias", "remove", f"info@{DOMAIN}")
    assert json.loads(told(server.config, "alias", "list", "--json")) == []


def test_a_weak_hash_is_replaced_at_login(server: MailServer) -> None:
    weak = "{SSHA}Fx2tUZTIOa3wL3s5+nN0hYpFHMhzYWx0"  # of some other password
    assert (
        run(server.config, "account", "add", "gina", f"gina@{DOMAIN}", "--as-hash", typed="nonsense\n").returncode == 64
    )
    changed(server, "account", "add", "gina", f"gina@{DOMAIN}", "--as-hash", typed=weak + "\n")
    assert not may_log_in(server, "gina", "foobar")
    changed(server, "account", "passwd", "gina", "--as-hash", typed="{MD5}OFj2IjCsPJFfMAxmQxLGPw==\n")
    assert may_log_in(server, "gina", "foobar")
    wait_until(lambda: heard(server, "accounts.hash_upgraded") > 0, "a better hash", 10)
    rows = {row["name"]: row for row in json.loads(told(server.config, "account", "list", "--json"))}
    assert rows["gina"]["password"] == "ARGON2ID"
    assert may_log_in(server, "gina", "foobar")


def test_a_register_that_breaks_changes_nothing(server: MailServer) -> None:
    file = server.state / "accounts.sqlite"
    kept = file.read_bytes()
    spare = file.with_name("broken")
    spare.write_bytes(b"no database" * 1000)
    spare.rename(file)
    wait_until(lambda: heard(server, "accounts.not_read") > 0, "the log to say so", 10)
    assert may_log_in(server, "alice", PASSWORD)
    assert may_log_in(server, "erin", "main-one")
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    spare.write_bytes(kept)
    spare.rename(file)


WRONG = [
    (("account", "add", "alice", "a@mail.test"), 64, "alice is in the configuration"),
    (("account", "add", "zoe", "nonsense"), 64, "not a mail address"),
    (("account", "add", "zoe", "zoe@elsewhere.test"), 78, "elsewhere.test is not one of `domains`"),
    (("account", "add", "zoe", "alice@mail.test"), 78, "alice@mail.test is there twice"),
    (("account", "passwd", "nobody"), 64, "there is no account nobody"),
    (("account", "remove", "alice"), 64, "alice is in the configuration"),
    (("account", "app", "nobody", "phone"), 64, "there is no account nobody"),
    (("alias", "add", "x@mail.test", "nobody"), 78, "there is no account nobody"),
    (("alias", "remove", "x@mail.test"), 64, "there is no alias x@mail.test"),
]


@pytest.mark.parametrize("words, status, said", WRONG)
def test_what_cannot_be_is_said_in_one_line(server: MailServer, words: tuple[str, ...], status: int, said: str) -> None:
    done = run(server.config, *words, typed="foobar\n")
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "foobar" not in done.stderr
