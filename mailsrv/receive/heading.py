"""What the header of an arriving message says, and what a submission's header still needs. Pure.

Standards: RFC 5322 3.6 (fields), RFC 6409 8 (a submission server adds Date and Message-ID, and removes Bcc).
Limits: `mailsrv.message.limits`; `complete` says whether all of the header was read.
Never fails.
"""

from __future__ import annotations

from datetime import datetime

from mailsrv.auth import results
from mailsrv.message import dates, limits
from mailsrv.message.addresses import addresses, people
from mailsrv.message.header import Header, header, without
from mailsrv.message.received import was_delivered_to, without_return_path
from mailsrv.receive import told
from mailsrv.receive.needs import Said

WRITERS = {b"from": "From", b"sender": "Sender", b"resent-from": "Resent-From", b"resent-sender": "Resent-Sender"}


class Heading:
    """One look at the header of `content`. head: that header, where it has been read."""

    def __init__(self, content: bytes, head: Header | None = None) -> None:
        self._content, self._header = content, head or header(content)

    def of(self, content: bytes) -> Header:
        """The header of what became of the message: mostly it has not changed."""
        return self._header if content is self._content else header(content)

    @property
    def complete(self) -> bool:
        size, count = self._header.end - self._header.start, sum(map(len, self._header.fields.values()))
        return size <= limits.HEADER and count < limits.FIELDS

    @property
    def hops(self) -> int:
        """How many servers have had it (RFC 5321 6.3)."""
        return len(self._header.fields.get(b"received", ()))

    def went_to(self, address: str) -> bool:
        return was_delivered_to(self._header, address)

    def writers(self) -> list[Said]:
        """Every field that says who wrote or sent it."""
        names = [name for name in WRITERS if name in self._header.fields]
        return [Said(WRITERS[name], _specs(value)) for name in names for value in self._header.every(name)]

    @property
    def bare(self) -> bool:
        """No header at all: what comes is a body."""
        return not self._header.fields

    def plain(self, server: str) -> bytes:
        """As it came, without what an earlier delivery noted as the return path, and without what only we may say.

        server: our name in Authentication-Results (RFC 8601 5).
        """
        content = self._honest(self._content, server)
        if b"return-path" in self._header.fields:
            content = without_return_path(content)
        return _under_header(content) if self.bare else content

    def submitted(self, when: datetime, name: str, server: str) -> bytes:
        """With a date and a name, and without Bcc. `name`: a Message-ID of ours, without brackets."""
        content = self._honest(self._without_bcc(), server)
        added = [
            *([f"Date: {dates.written(when)}\r\n"] if b"date" not in self._header.fields else []),
            *([f"Message-ID: <{name}>\r\n"] if b"message-id" not in self._header.fields else []),
        ]
        content = _under_header(content) if self.bare else content
        return "".join(added).encode() + content if added else content

    def _honest(self, content: bytes, server: str) -> bytes:
        """Without fields in which somebody else speaks for us; beyond the limits of a header all of it is looked at."""
        found, whole = self._header.fields, self._header.complete
        if results.NAME in found or not whole:
            content = results.without_forged(content, server)
        return told.without_forged(content) if told.KEY in found or not whole else content

    def _without_bcc(self) -> bytes:
        if b"bcc" not in self._header.fields:
            return self._content
        return without(self._content, lambda field: field.name == b"bcc")


def _specs(value: bytes) -> list[str] | None:
    found = addresses(value)
    specs = [one.spec for one in people(found)]
    return specs if specs and len(found) < limits.ADDRESSES else None


def _under_header(content: bytes) -> bytes:
    """A body without a header gets the blank line that will part it from ours."""
    return content if content.startswith(b"\r\n") else b"\r\n" + content
