"""One connection to an SMTP server: bytes out, replies in, TLS in between; everything bounded in size and time.

asyncio's own protocol and not aiosmtplib's: that one cannot pipeline, and cannot say whether the peer spoke before its turn.
Standards: RFC 5321 4.2, RFC 3207 (nothing said before TLS counts after it).
Fails by: `Broken`, with the verdict for whoever was on this connection. It is closed then.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from typing import cast

from dnsops.base.errors import Deliberate
from mailsrv.send.reply import MOST_WAITING, Garbage, Replies, Reply
from mailsrv.send.verdict import Verdict, later
from mailsrv.transport.outcome import Trouble

BLOCK = 65536  # bytes between two looks at whether the peer still reads
_DER = 2  # _ssl.ENCODING_DER
_TROUBLES = {  # X509_V_ERR_: not yet valid, expired; other host name, other address
    9: Trouble.CERTIFICATE_EXPIRED,
    10: Trouble.CERTIFICATE_EXPIRED,
    62: Trouble.CERTIFICATE_HOST_MISMATCH,
    64: Trouble.CERTIFICATE_HOST_MISMATCH,
}


class Broken(Deliberate):
    """This conversation cannot go on; `verdict` is for those whom it was about. trouble: when TLS is the reason."""

    def __init__(self, verdict: Verdict, trouble: Trouble | None = None) -> None:
        super().__init__(str(verdict))
        self.verdict, self.trouble = verdict, trouble


class Wire(asyncio.Protocol):
    """The protocol object. One task at a time writes and waits."""

    def __init__(self) -> None:
        self.lost = False
        self._transport: asyncio.Transport | None = None
        self._reader = Replies()
        self._replies: deque[Reply] = deque()
        self._why, self._code = "the connection was closed", "4.4.2"
        self._trouble: Trouble | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        if self.lost:
            return
        try:
            for reply in self._reader.feed(data):
                self._replies.append(reply)
        except Garbage as error:
            self._end(f"the peer does not speak SMTP: {error}")
        if len(self._replies) > MOST_WAITING:
            self._end("the peer talks without being asked")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost:
            self._end(f"the connection was lost ({_kind(error)})" if error else "the peer closed the connection")

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    # what a session calls

    @property
    def early(self) -> bool:
        """Whether the peer has spoken though nothing was asked."""
        return bool(self._replies) or self._reader.midway

    @property
    def tls(self) -> str:
        """The TLS version, or ""."""
        inside = self._transport.get_extra_info("ssl_object") if self._transport else None
        return str(inside.version() or "") if inside else ""

    @property
    def chain(self) -> list[bytes]:
        """The certificates that the peer showed, its own first, DER; whether they are to be believed is not said."""
        inside = self._transport.get_extra_info("ssl_object") if self._transport else None
        return _shown(inside) if inside else []

    def write(self, data: bytes | memoryview) -> None:
        if self._transport is not None and not self.lost:
            self._transport.write(data)

    async def write_all(self, data: bytes, patience: float) -> None:
        """A large text, block by block; `patience` for each."""
        view = memoryview(data)
        for start in range(0, len(view), BLOCK):
            self.write(view[start : start + BLOCK])
            await asyncio.sleep(0)  # others have their turn, and the peer may have spoken or gone
            try:
                async with asyncio.timeout(patience):
                    await self._may_write.wait()
            except TimeoutError:
                self._end("the peer stopped reading")
            if self.lost:
                raise self._broken()
            if self.early:
                return

    async def reply(self, patience: float) -> Reply:
        """The next reply; a whole one, however slowly it drips, within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                while not self._replies and not self.lost:
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
        except TimeoutError:
            self._end(f"the peer did not answer within {patience:g} s")
        finally:
            self._waiter = None
        if self._replies:
            return self._replies.popleft()
        raise self._broken()

    async def encrypt(self, context: ssl.SSLContext, name: str, patience: float) -> None:
        """TLS from here on."""
        if self.early:
            self._end("the peer spoke between its yes to STARTTLS and TLS")
        if self._transport is None or self.lost:
            raise self._broken()
        loop = asyncio.get_running_loop()
        try:
            self._transport = await loop.start_tls(
                self._transport, self, context, server_hostname=name, ssl_handshake_timeout=patience
            )
        except ssl.SSLCertVerificationError as error:
            self._end(f"TLS would be with somebody else ({_kind(error)})", "4.7.5", _trouble(error))
        except (OSError, ValueError) as error:
            self._end(f"TLS could not begin ({_kind(error)})", trouble=Trouble.VALIDATION_FAILURE)
        if self._transport is None or self.lost:
            raise self._broken()

    def close(self) -> None:
        """Without a word; what was written may still go out."""
        self.lost = True
        if self._transport is not None:
            self._transport.close()
        self._wake()

    def abort(self) -> None:
        self._end("the connection was given up")

    def _broken(self) -> Broken:
        return Broken(later(self._code, self._why), self._trouble)

    def _end(self, why: str, code: str = "4.4.2", trouble: Trouble | None = None) -> None:
        if not self.lost:
            self.lost, self._why, self._code, self._trouble = True, why, code, trouble
        if self._transport is not None:
            self._transport.abort()
        self._may_write.set()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connect(
    address: str, port: int, patience: float, context: ssl.SSLContext | None = None, name: str = "", source: str = ""
) -> Wire:
    """A connection; with a context TLS from the first byte. source: the address of ours that it comes from, "" for any."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience):
            _, wire = await loop.create_connection(
                Wire,
                address,
                port,
                ssl=context,
                server_hostname=name if context else None,
                local_addr=(source, 0) if source else None,
            )
    except TimeoutError:
        raise Broken(later("4.4.1", f"{address} port {port}: no answer within {patience:g} s")) from None
    except (OSError, ValueError) as error:
        raise Broken(later("4.4.1", f"{address} port {port}: {_kind(error)}")) from None
    return wire


def _shown(inside: ssl.SSLObject) -> list[bytes]:
    """The peer's chain: public since Python 3.13, the same below that name's underscore before."""
    if hasattr(inside, "get_unverified_chain"):
        return [bytes(der) for der in inside.get_unverified_chain()]
    found = inside._sslobj.get_unverified_chain() or []  # type: ignore[attr-defined]
    return [certificate.public_bytes(_DER) for certificate in found]


def _trouble(error: ssl.SSLCertVerificationError) -> Trouble:
    return _TROUBLES.get(error.verify_code, Trouble.CERTIFICATE_NOT_TRUSTED)


def _kind(error: BaseException) -> str:
    """What went wrong, in words that hold no path of ours."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'handshake failed'}"
    with contextlib.suppress(AttributeError):
        return str(error.strerror or type(error).__name__)  # type: ignore[attr-defined]
    return type(error).__name__
