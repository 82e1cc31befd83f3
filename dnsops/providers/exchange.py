"""Questions and updates to one DNS server, over TCP, signed with TSIG: the wire below RFC 2136.

Standards: RFC 1035 4.2.2 (TCP), RFC 7766, RFC 8945 (TSIG), RFC 5936 (AXFR).
An answer must be signed as the question was; only a refusal is heard unsigned, as servers that do not know the key send it.
Fails by: `Lost` when nobody knows whether the message arrived; `Unreachable` when it surely did not; `ForUser` when the
two do not agree about the key.
Limits: TIMEOUT seconds for an exchange, TRANSFER_TIME seconds and MOST_RECORDS records for a transfer.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from dnsops.providers.tsig import Key

if TYPE_CHECKING:
    import dns.message
    import dns.rrset
    import dns.tsig

TIMEOUT = 10.0
TRANSFER_TIME = 60.0
MOST_RECORDS = 200_000
UNSIGNED = ("FORMERR", "SERVFAIL", "NOTIMP", "REFUSED", "NOTAUTH", "NOTZONE")


class Lost(Exception):
    """No answer, or none that can be believed."""


class Unreachable(Lost):
    """No connection at all."""


class NoTransfer(Exception):
    """The server does not hand out the zone as a whole."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 53 else f"{host}:{self.port}"


class Exchange:
    """One server and one key."""

    def __init__(self, server: Server, key: Key, timeout: float = TIMEOUT) -> None:
        self.server, self.key, self._timeout = server, key, timeout

    def send(self, message: dns.message.Message) -> dns.message.Message:
        """The answer to a question or an update."""
        import dns.exception

        message.use_tsig(self._tsig())
        raw = message.to_wire(max_size=65535)
        try:
            return self._believed(message, self._round_trip(raw))
        except (dns.exception.DNSException, ValueError) as error:
            self._disagreed(error)
            raise Lost(
                f"{self.server} gave an answer that cannot be believed ({error or type(error).__name__})"
            ) from None

    def transfer(self, zone: str) -> Iterator[dns.rrset.RRset]:
        """All RRsets of a zone (AXFR)."""
        import dns.exception
        import dns.query
        import dns.xfr

        key, count = self._tsig(), 0
        try:
            for message in dns.query.xfr(
                self._address(),
                f"{zone}.",
                port=self.server.port,
                keyring={key.name: key},
                keyname=key.name,
                keyalgorithm=key.algorithm,
                relativize=False,
                timeout=self._timeout,
                lifetime=TRANSFER_TIME,
            ):
                count += sum(len(rrset) for rrset in message.answer)
                if count > MOST_RECORDS:
                    raise ForUser(f"more than {MOST_RECORDS} records", zone, "this is not a mail domain's zone")
                yield from message.answer
        except dns.exception.Timeout:
            raise Lost(f"{self.server} did not finish the transfer of {zone} in time") from None
        except (dns.xfr.TransferError, dns.exception.FormError, EOFError) as error:
            raise NoTransfer(str(error)) from None
        except (dns.exception.DNSException, OSError) as error:
            self._disagreed(error)
            raise Lost(f"{self.server} broke off the transfer of {zone} ({error or type(error).__name__})") from None

    def _tsig(self) -> dns.tsig.Key:
        import dns.tsig

        return dns.tsig.Key(f"{self.key.name}.", self.key.secret.reveal(), f"{self.key.algorithm}.")

    def _round_trip(self, raw: bytes) -> bytes:
        end = time.monotonic() + self._timeout
        try:
            connection = socket.create_connection((self.server.host, self.server.port), self._timeout)
        except OSError as error:
            raise Unreachable(f"{self.server} is not reachable ({error})") from None
        try:
            with connection:
                connection.sendall(len(raw).to_bytes(2, "big") + raw)
                size = int.from_bytes(_read(connection, 2, end), "big")
                return _read(connection, size, end)
        except (OSError, EOFError) as error:
            raise Lost(f"{self.server} gave no answer ({error or type(error).__name__})") from None

    def _believed(self, message: dns.message.Message, raw: bytes) -> dns.message.Message:
        import dns.message
        import dns.rcode

        told = dns.message.from_wire(raw, keyring=False)
        if told.had_tsig or dns.rcode.to_text(told.rcode()) not in UNSIGNED:
            told = dns.message.from_wire(raw, keyring=message.keyring, request_mac=message.mac)
            if not told.had_tsig:
                raise ValueError("it is not signed")
        if not message.is_response(told):
            raise ValueError("it answers something else")
        return told

    def _address(self) -> str:
        try:
            found = socket.getaddrinfo(self.server.host, self.server.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreachable(f"{self.server} has no address ({error})") from None
        return str(found[0][4][0])

    def _disagreed(self, error: Exception) -> None:
        """What only a person can settle: the key or the clock."""
        for kind, (what, advice) in _disagreements().items():
            if isinstance(error, kind):
                name, algorithm = self.key.name, self.key.algorithm
                raise ForUser(what.format(key=name, algorithm=algorithm), str(self.server), advice) from None


def _disagreements() -> dict[type[Exception], tuple[str, str]]:
    import dns.tsig

    clocks = "its clock and ours are more than five minutes apart (BADTIME)", "set both by NTP"
    secrets = "it does not accept the secret of the key {key} (BADSIG)", "copy the key file from the server again"
    return {
        dns.tsig.PeerBadKey: (
            "it does not know a key {key} with {algorithm}, or lets it do nothing (BADKEY)",
            "add the key to the server, with this name and algorithm, and let it change the zone",
        ),
        dns.tsig.PeerBadSignature: secrets,
        dns.tsig.PeerBadTruncation: secrets,
        dns.tsig.PeerBadTime: clocks,
        dns.tsig.BadTime: clocks,
    }


def _read(connection: socket.socket, size: int, end: float) -> bytes:
    """Exactly so many bytes, until a point in time."""
    data = b""
    while len(data) < size:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError("the connection was closed")
        data += chunk
    return data
