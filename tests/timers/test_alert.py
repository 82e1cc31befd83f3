"""Alerts arrive: a mail at a real SMTP server, a post at a real web server, JSON at a real program."""

from __future__ import annotations

import asyncio
import email
import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from dnsops.base.settings import Settings
from timers.alert import Command, Mail, Webhook, channels, send
from timers.changes import Notice
from timers.outcome import Outcome, State

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = Outcome("tlsa", NOON, NOON, 2.5, 1, State.FINDINGS, "bücher: no route", 3)
NOTICE = Notice("mx1.example.org", "keeps records true", State.OK, State.FINDINGS, RUN)


class Mailbox:
    """Keeps what arrives; refuses recipients that begin with `no`."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], Message]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("no"):
            return "550 not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, email.message_from_bytes(envelope.content)))
        return "250 OK"


class AnyPort(Controller):
    """A server at a port that the kernel chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def smtp() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    yield box, controller.port
    controller.stop()


def test_a_mail(smtp: tuple[Mailbox, int]) -> None:
    box, port = smtp
    assert send(Mail("mailsrv@mx1.example.org", ("a@example.org", "b@example.org"), "127.0.0.1", port), NOTICE) == ""
    sender, to, mail = box.mails[0]
    assert (sender, to) == ("mailsrv@mx1.example.org", ["a@example.org", "b@example.org"])
    assert mail["Subject"] == "mx1.example.org: tlsa findings: it ran, and a person should look"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@mx1.example.org>")
    assert email.utils.parsedate_to_datetime(mail["Date"]).tzinfo
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "It said: bücher: no route" in body.decode()
    assert "Runs in a row not as wanted: 3." in body.decode()


def test_a_mail_that_is_refused_says_so(smtp: tuple[Mailbox, int]) -> None:
    _, port = smtp
    assert "550" in send(Mail("m@example.org", ("nobody@example.org",), "127.0.0.1", port), NOTICE)
    assert send(Mail("m@example.org", ("nobody@example.org", "a@example.org"), "127.0.0.1", port), NOTICE) == (
        "refused for nobody@example.org"
    )


def test_a_host_name_with_a_line_end_makes_no_header(smtp: tuple[Mailbox, int]) -> None:
    box, port = smtp
    evil = Notice("mx1\r\nBcc: x@example.org", "", State.OK, State.FAILED, RUN)
    assert "ValueError" in send(Mail("m@example.org", ("a@example.org",), "127.0.0.1", port), evil)
    assert box.mails == []


class Hook(BaseHTTPRequestHandler):
    """Answers with the status that the path names, and keeps the bodies."""

    bodies: list[bytes] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(int(self.path[1:]))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.bodies.clear()
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status, said", [(200, ""), (204, ""), (302, "it answered 302"), (500, "it answered 500")])
def test_a_webhook(hook: str, status: int, said: str) -> None:
    assert send(Webhook(f"{hook}/{status}"), NOTICE) == said
    assert len(Hook.bodies) == 1, "no redirect is followed"
    told = json.loads(Hook.bodies[0])
    assert (told["job"], told["was"], told["now"], told["status"]) == ("tlsa", "ok", "findings", 1)


def test_a_command_gets_json_and_no_shell(tmp_path: Path) -> None:
    file = tmp_path / "heard"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + sys.stdin.read())"
    assert send(Command((sys.executable, "-c", code, str(file), "$(id)")), NOTICE) == ""
    assert json.loads(file.read_text(encoding="utf-8").removeprefix("$(id)")) == NOTICE.as_json()


FAILING = [
    (Command((sys.executable, "-c", "raise SystemExit('away')")), "it ended with status 1 away"),
    (Command(("/nonexistent",)), "FileNotFoundError"),
    (Mail("m@example.org", ("a@example.org",), "127.0.0.1", 1), "ConnectionRefusedError"),
    (Webhook("http://127.0.0.1:1/"), "ConnectionError"),
]


@pytest.mark.parametrize("channel, why", FAILING, ids=["status", "no program", "no server", "no hook"])
def test_who_cannot_be_reached_is_a_sentence(channel: Command | Mail | Webhook, why: str) -> None:
    assert why in send(channel, NOTICE)


def test_the_channels_that_the_configuration_names() -> None:
    assert channels(None) == ()
    house: dict[str, object] = {"hostname": "mx1.example.org"}
    assert channels(Settings.model_validate(house)) == ()
    alert = {
        "command": ["/bin/x", "y"],
        "mail": "a@example.org",
        "webhook": "https://example.org/h",
        "smtp": "[::1]:26",
    }
    assert channels(Settings.model_validate({**house, "alert": alert})) == (
        Command(("/bin/x", "y")),
        Mail("mailsrv@mx1.example.org", ("a@example.org",), "::1", 26),
        Webhook("https://example.org/h"),
    )
