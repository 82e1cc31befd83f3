"""A mail handed to a submission port: TLS, login, one recipient. It blocks: call it in a thread.

Standards: RFC 6409, RFC 8314 3.3. Limits: SECONDS for each step. Fails by: a sentence, "" when the server took it.
"""

from __future__ import annotations

import smtplib

from checks.echo.reading import Door
from dnsops.base.secrets import Secret
from mailsrv.spam.hints import plain

SECONDS = 30.0


def submit(door: Door, implicit: bool, login: tuple[str, Secret], sender: str, echo: str, content: bytes) -> str:
    """Why it was not taken. implicit: TLS from the first byte."""
    try:
        with _connected(door, implicit) as server:
            server.login(login[0], login[1].reveal())
            server.sendmail(sender, [echo], content)
    except (OSError, smtplib.SMTPException) as error:
        return told(error)
    return ""


def told(error: OSError) -> str:
    """What went wrong, in the server's words where it said some. smtplib's errors are OSErrors."""
    match error:
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            return f"{code} {plain(said if isinstance(said, bytes) else str(said))}"
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            return "; ".join(f"{code} {plain(said)}" for code, said in refused.values())
    return plain(f"{type(error).__name__}: {error}")


def _connected(door: Door, implicit: bool) -> smtplib.SMTP:
    if implicit and door.tls:
        return _Implicit(door.host, door.port, door.name, door)
    server = smtplib.SMTP(door.host, door.port, timeout=SECONDS)
    if door.tls:
        server._host = door.name or door.host  # type: ignore[attr-defined]  # the name that STARTTLS asks for
        server.starttls(context=door.tls)
    return server


class _Implicit(smtplib.SMTP_SSL):
    """Connects to an address, asks for a name."""

    def __init__(self, host: str, port: int, name: str, door: Door) -> None:
        self._wanted = name or host
        super().__init__(host, port, timeout=SECONDS, context=door.tls)

    def _get_socket(self, host: str, port: int, timeout: float) -> object:
        import socket

        line = socket.create_connection((host, port), timeout, self.source_address)
        return self.context.wrap_socket(line, server_hostname=self._wanted)
