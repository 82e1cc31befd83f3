"""Telling somebody: a command (JSON on stdin), a mail, a webhook (JSON posted). What to tell and when is in `changes`.

Standards: RFC 5322 (the mail), RFC 3834 5 (Auto-Submitted). Each channel has a time limit of its own.
Fails by: a sentence. Who cannot be reached is told at the next run; a job never fails because of it.
"""

from __future__ import annotations

import ipaddress
import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from timers import child
from timers.changes import Notice

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True)
class Command:
    """A program and its words; no shell."""

    argv: tuple[str, ...]
    key: str = "command"


@dataclass(frozen=True)
class Mail:
    """A mail to all of `to`, handed to one server."""

    sender: str
    to: tuple[str, ...]
    server: str = "localhost"
    port: int = 25
    key: str = "mail"


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON: https, or http on this machine (dnsops/base/settings checks)."""

    url: str
    key: str = "webhook"


Channel = Command | Mail | Webhook


def channels(settings: Settings | None) -> tuple[Channel, ...]:
    """The channels that the configuration names."""
    if settings is None:
        return ()
    wish = settings.alert
    found: list[Channel] = []
    if wish.command:
        found.append(Command(wish.command))
    if wish.mail:
        server, port = _server(wish.smtp)
        found.append(Mail(wish.sender or f"mailsrv@{settings.hostname}", wish.mail, server, port))
    if wish.webhook:
        found.append(Webhook(wish.webhook))
    return tuple(found)


def send(channel: Channel, notice: Notice) -> str:
    """Tell one channel; why it did not work, or nothing."""
    match channel:
        case Command():
            return _told(lambda: _command(channel, notice))
        case Mail():
            return _told(lambda: _mail(channel, notice))
        case Webhook():
            return _told(lambda: _webhook(channel, notice))


def _told(tell: Callable[[], str]) -> str:
    """smtplib's, ssl's and requests' errors are OSErrors; an address that is none is a ValueError."""
    try:
        return tell()
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def _command(channel: Command, notice: Notice) -> str:
    ended = child.run(channel.argv, PATIENCE, data=_json(notice))
    if ended.cut:
        return ended.cut
    said = ended.stderr.strip().splitlines()[-1:]
    return f"it ended with status {ended.status} {' '.join(said)}".strip() if ended.status else ""


def _mail(channel: Mail, notice: Notice) -> str:
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime, make_msgid

    mail = EmailMessage(policy=SMTP)
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Subject"] = notice.headline
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain=channel.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: nobody's vacation program answers
    mail.set_content(notice.as_text())
    with smtplib.SMTP(channel.server, channel.port, timeout=PATIENCE.total_seconds()) as server:
        if not _here(channel.server) and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        refused = server.send_message(mail, channel.sender, list(channel.to))
    return "refused for " + ", ".join(refused) if refused else ""


def _webhook(channel: Webhook, notice: Notice) -> str:
    import requests

    headers = {"Content-Type": "application/json", "User-Agent": "mailsrv"}
    limit = PATIENCE.total_seconds()
    with requests.post(
        channel.url, data=_json(notice), headers=headers, timeout=limit, allow_redirects=False, stream=True
    ) as answer:
        return "" if answer.status_code // 100 == 2 else f"it answered {answer.status_code}"


def _json(notice: Notice) -> bytes:
    return json.dumps(notice.as_json()).encode()


def _server(text: str) -> tuple[str, int]:
    """`localhost:25`, `[::1]:2525`, `mx.example.org` -> host and port."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text.strip("[]"), 25
    return host.strip("[]"), int(port)


def _here(server: str) -> bool:
    try:
        return ipaddress.ip_address(server).is_loopback
    except ValueError:
        return server == "localhost"
