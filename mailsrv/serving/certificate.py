"""The certificate that the server shows, and the TLS that it speaks; a new one is served from the next handshake on.

    certificate = Certificate(hostname, Files(...)|Kept(...)|None, log); certificate.look(); certificate.served.context

Where it comes from: the files of the configuration, else the current pair that `mailsrv` keeps, else one that nobody signed,
made anew at each start, so that mail is encrypted before the first real one is there.
Standards: RFC 8446, RFC 8996 (no TLS 1.0 and 1.1), RFC 9325, RFC 5929 4 (what binds SCRAM to the certificate).
Fails by: keeping what is served, and saying so in the log, when a new pair cannot be used; `ForUser` only at the first look.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base import files
from dnsops.base.errors import ForUser
from dnsops.base.log import Log
from dnsops.base.secrets import Secret
from dnsops.certs.chain import LARGEST_PEM, flaws, from_pem
from dnsops.certs.generations import Generations
from dnsops.certs.selfsigned import selfsigned
from mailsrv.directory.sasl.binding import server_end_point
from mailsrv.serving.narrowed import narrowed

if TYPE_CHECKING:
    from dnsops.base.settings.mailserver import Tls

# RFC 9325 4.2: forward secrecy by elliptic curves, and AEAD, for TLS 1.2; TLS 1.3 has nothing else but its finite fields
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL"
Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Pair:
    """Two PEM files."""

    chain: Path
    key: Path

    def stamp(self) -> Stamp:
        """Changes when one of them does; empty when they cannot be looked at."""
        try:
            found = [(path, path.stat()) for path in (self.chain, self.key)]
        except OSError:
            return ()
        return tuple((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino) for path, stat in found)


@dataclass(frozen=True)
class Served:
    """What handshakes use now."""

    context: ssl.SSLContext
    end_point: bytes  # tls-server-end-point
    not_after: datetime
    where: str
    signed: bool = True  # by someone else
    pem: Secret = field(default=Secret(""), repr=False)  # key and chain in one text


class Certificate:
    """Looks for the pair to serve. `pair`: where it is now, None when there is none."""

    def __init__(self, host: str, pair: Callable[[], Pair | None], log: Log, now: Callable[[], datetime]) -> None:
        self._host, self._pair, self._log, self._now = host, pair, log, now
        self._stamp: Stamp | None = None
        self._served: Served | None = None
        self.ends: dict[ssl.SSLContext, bytes] = {}  # of all contexts that sessions may have been opened with

    @property
    def served(self) -> Served:
        if self._served is None:
            self.look()
        if self._served is None:
            raise ForUser("there is no certificate to serve", self._host)
        return self._served

    def end_point(self, context: ssl.SSLContext) -> bytes:
        """What binds a login to the certificate of just this session."""
        return self.ends.get(context, b"")

    def look(self, anew: bool = False) -> bool:
        """Serve what is there now; whether that is something new. `anew`: also when it looks the same."""
        try:
            pair = self._pair()
            stamp = pair.stamp() if pair else ()
            if self._served is not None and stamp == self._stamp and not (anew and pair):
                return False
            self._stamp = stamp
            served = self._loaded(pair) if pair else self._unsigned()
        except ForUser as error:
            if self._served is None:
                raise
            self._log("tls.kept", why=error.what, where=error.where)
            return False
        self._served = served
        self.ends = {**dict(list(self.ends.items())[-3:]), served.context: served.end_point}
        if reason := narrowed():
            self._log("tls.wide", why=reason, what="signatures with SHA-224 and finite field groups are not refused")
        self._log("tls.serving", where=served.where, until=served.not_after.isoformat(timespec="minutes"))
        return True

    def _loaded(self, pair: Pair) -> Served:
        try:
            chain = from_pem(files.read_bounded(pair.chain, LARGEST_PEM), str(pair.chain))
            context = server_context()
            context.load_cert_chain(pair.chain, pair.key)
            open_to_all = pair.key.stat().st_mode & stat.S_IROTH
            pem = Secret("\n".join(_text(path) for path in (pair.key, pair.chain)))
        except ssl.SSLError as error:
            raise ForUser(
                f"certificate and key do not fit ({error.reason})", f"{pair.chain}, {pair.key}", "name a pair"
            ) from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "too large"
            where = error.filename if isinstance(error, OSError) and error.filename else pair.chain
            raise ForUser(f"cannot be read ({why})", str(where), "run as a user who may, or mend its mode") from None
        if open_to_all:
            self._log("tls.flaw", what="everybody on this machine may read the key", where=str(pair.key))
        for flaw in flaws(chain, self._host, self._now()):
            self._log("tls.flaw", what=flaw, where=str(pair.chain))
        return Served(context, server_end_point(chain.certificates[0]), chain.not_after, str(pair.chain), pem=pem)

    def _unsigned(self) -> Served:
        """One of our own making; it never touches a disk."""
        made = selfsigned(self._host, self._now())
        pem = Secret(made.pem.decode("ascii"))
        self._log(
            "tls.unsigned", host=self._host, advice="no certificate yet: `mailsrv cert show` tells what is missing"
        )
        return Served(
            context_of(pem), server_end_point(made.der), made.not_after, "made at start", signed=False, pem=pem
        )


def finder(tls: Tls, host: str, certs: Path) -> Callable[[], Pair | None]:
    """Where the configuration has the pair to serve."""
    if tls.certificate is not None and tls.key is not None:
        named = Pair(tls.certificate, tls.key)
        return lambda: named
    generations = Generations(certs)

    def kept() -> Pair | None:
        current = generations.current(host)
        return Pair(current.chain_path, current.key_path) if current and current.chain_path.is_file() else None

    return kept


def context_of(pem: Secret, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """From key and chain in memory; they never touch a disk. protocols: for ALPN, none for none."""
    context = server_context()
    handle = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(handle, pem.reveal().encode())
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _text(path: Path) -> str:
    """PEM is ASCII; what people wrote around it may be anything."""
    return files.read_bounded(path, LARGEST_PEM).decode("ascii", "replace")


def server_context() -> ssl.SSLContext:
    """TLS 1.2 and 1.3 as a mail server should speak them; early data is off in each context of Python's."""
    narrowed()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.options |= ssl.OP_SINGLE_ECDH_USE
    return context
