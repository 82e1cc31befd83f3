"""What rspamd is asked, and what its answer means: POST /checkv2 over HTTP/1.1. Pure.

    no action, greylist              no opinion       add header, rewrite subject, quarantine    JUNK
    soft reject                      LATER            reject, discard                            REFUSE

Standards: RFC 9110 and 9112 by h11; rspamd's protocol (rspamd.com/doc/developers/protocol.html): Ip, Helo, Hostname, From,
Rcpt, User, Queue-Id. Nothing a peer said can begin a header of its own: control characters go. An action that we do not know
is no opinion. `greylist` is only a range of points: its greylisting says `soft reject` when a mail is to come again, and
where that module is off, deferring for `greylist` would defer for ever (rspamd issue 3295). `discard` refuses: mail is not thrown away in silence here.
Limits: 100 recipients, 512 octets of each value, an answer of 1 MiB. Fails by: `Later`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import h11

from dnsops.base.errors import Later
from mailsrv.spam.hints import Hint, Says, plain
from mailsrv.spam.mail import Mail
from mailsrv.spam.place import Manners, Place

SOURCE = "rspamd"
MANNERS = Manners(SOURCE, longest=1 << 20)
PIECE = 64 << 10
MOST_RECIPIENTS = 100
LONGEST_VALUE = 512
MOST_SYMBOLS = 5
ACTIONS = {
    "no action": Says.NOTHING,
    "greylist": Says.NOTHING,
    "soft reject": Says.LATER,
    "add header": Says.JUNK,
    "rewrite subject": Says.JUNK,
    "quarantine": Says.JUNK,
    "reject": Says.REFUSE,
    "discard": Says.REFUSE,
}


def question(mail: Mail, place: Place) -> Iterator[bytes]:
    """The request, piece by piece."""
    headers = [(b"Host", str(place).encode()), (b"Connection", b"close")]
    headers += [(b"Content-Length", str(len(mail.content)).encode()), *_told(mail)]
    request = h11.Request(method="POST", target=f"{place.path}/checkv2", headers=headers)
    yield h11.Connection(h11.CLIENT).send(request) or b""
    for start in range(0, len(mail.content), PIECE):
        yield mail.content[start : start + PIECE]


def hint(answer: bytes) -> Hint:
    """The adviser's word."""
    told = _json(_body(answer))
    action = told.get("action")
    if not isinstance(action, str):
        return Hint(SOURCE, Says.NOTHING, "it did not look" if "error" not in told else plain(str(told["error"])))
    score = _number(told.get("score"))
    says = ACTIONS.get(action, Says.NOTHING)
    return Hint(SOURCE, says, _why(action, told), score)


def _told(mail: Mail) -> Iterator[tuple[bytes, bytes]]:
    values = [("Ip", mail.client), ("Helo", mail.helo), ("Hostname", mail.hostname), ("From", mail.sender)]
    values += [("User", mail.account), ("Queue-Id", mail.id)]
    values += [("Rcpt", recipient) for recipient in mail.recipients[:MOST_RECIPIENTS]]
    for name, value in values:
        fit = "".join(c for c in value if c.isprintable()).strip().encode("utf-8", "replace")[:LONGEST_VALUE].strip()
        if fit:
            yield name.encode(), fit


def _body(answer: bytes) -> bytes:
    """Of a response with status 200."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MANNERS.longest)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "scanner"), ("Connection", "close")]))
    connection.send(h11.EndOfMessage())
    body = bytearray()
    try:
        connection.receive_data(answer)
        connection.receive_data(b"")
        while not isinstance(event := connection.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            if isinstance(event, h11.Response) and event.status_code != 200:
                raise Later(f"rspamd answers {event.status_code} {plain(event.reason, 60)}")
            if isinstance(event, h11.Data):
                body += event.data
    except h11.RemoteProtocolError as error:
        raise Later(f"rspamd does not speak HTTP: {plain(str(error), 80)}") from None
    return bytes(body)


def _json(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Later("rspamd's answer is no JSON object")
    return told


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if known and math.isfinite(value) else None  # type: ignore[arg-type]


def _why(action: str, told: dict[str, object]) -> str:
    """Its words for the peer when it has some, and the symbols that weighed most."""
    messages = told.get("messages")
    said = messages.get("smtp_message") if isinstance(messages, dict) else None
    symbols = ", ".join(_symbols(told.get("symbols")))
    return plain(f"{action}{f': {said}' if isinstance(said, str) else ''}{f' ({symbols})' if symbols else ''}")


def _symbols(found: object) -> list[str]:
    if not isinstance(found, dict):
        return []
    scores = {name: _number(one.get("score")) or 0.0 for name, one in found.items() if isinstance(one, dict)}
    return [name for name, score in sorted(scores.items(), key=lambda pair: -abs(pair[1])) if score][:MOST_SYMBOLS]
