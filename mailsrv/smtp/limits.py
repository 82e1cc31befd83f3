"""How much of us one session, one network and everyone together may have. Pure: the time comes in.

    Spent     what one session has used up; each look gives the reply that ends it, or None
    Gate      who is connected, and how often lately, by IPv4 address and by IPv6 /64
    Allowance how many recipients an account has written to lately

Fails by: a `Reply` 421. Limits on octets of commands and messages stand here too, so that all are in one place.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

from mailsrv.smtp.replies import (
    TOO_MANY_ALL,
    TOO_MANY_ERRORS,
    TOO_MANY_HERE,
    TOO_MANY_LOGINS,
    TOO_MANY_MESSAGES,
    TOO_MUCH_BY_ACCOUNT,
    TOO_MUCH_JUNK,
    TOO_OFTEN,
    Reply,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@dataclass(frozen=True)
class Limits:
    """All limits of a listener; times in seconds, sizes in octets."""

    message: int = 50 << 20
    text_line: int = 16 << 20  # a line of a message; RFC 5322 says 998, senders do not
    command: int = 1024  # RFC 5321 4.5.3.1.4 says 512
    long_command: int = 2048  # MAIL and RCPT with all their parameters
    login: int = 12288  # a line of AUTH, RFC 4954 4
    junk_line: int = 1 << 20  # octets without a line end, after which we hang up
    recipients: int = 1000
    messages: int = 100_000  # in one session
    errors: int = 20  # refusals since the last message that was taken
    junk: int = 100  # commands that bring no mail, since the last message that was taken
    logins: int = 3  # failed ones
    idle: float = 300.0  # RFC 5321 4.5.3.2.7
    message_time: float = 1800.0  # from DATA to the dot, whatever the drip
    session_time: float = 14400.0
    handshake: float = 20.0
    proxy_header: float = 5.0
    connections: int = 2000
    per_network: int = 100
    new_per_minute: int = 300  # by network
    account_per_hour: int = 2000  # recipients that one account writes to
    exempt: tuple[Network, ...] = LOOPBACK  # from the two limits by network
    in_memory: int = 2 << 20  # of one message; the rest waits in a file
    memory: int = 128 << 20  # of all messages that are being received; at least one message fits

    @property
    def room(self) -> int:
        return max(self.memory, 2 * self.message)

    def of_command(self, verb: bytes) -> int:
        """How long a command line may be."""
        if verb in (b"MAIL", b"RCPT"):
            return self.long_command
        return self.login if verb == b"AUTH" else self.command


@dataclass(slots=True)
class Spent:
    """What a session has used up. Each method gives the reply that ends the session, or None."""

    limits: Limits
    errors: int = 0
    junk: int = 0
    messages: int = 0
    logins: int = 0

    def error(self) -> Reply | None:
        self.errors += 1
        return TOO_MANY_ERRORS if self.errors >= self.limits.errors else None

    def bare_command(self) -> Reply | None:
        """One that brings no mail: NOOP, RSET, VRFY, EHLO."""
        self.junk += 1
        return TOO_MUCH_JUNK if self.junk > self.limits.junk else None

    def failed_login(self) -> Reply | None:
        self.logins += 1
        return TOO_MANY_LOGINS if self.logins >= self.limits.logins else None

    def message(self) -> None:
        """One was taken: a clean slate, but for the count."""
        self.errors = self.junk = 0
        self.messages += 1

    def another(self) -> Reply | None:
        """Whether one more message may begin."""
        return TOO_MANY_MESSAGES if self.messages >= self.limits.messages else None


@dataclass(slots=True)
class _Guest:
    """A network: its open connections, and its new ones as a bucket that leaks."""

    open: int = 0
    level: float = 0.0
    since: float = 0.0


@dataclass
class Gate:
    """Who is in. `enter` gives the reply that turns a newcomer away, or None; who got None must `leave`."""

    limits: Limits = field(default_factory=Limits)
    inside: int = 0
    guests: OrderedDict[Network, _Guest] = field(default_factory=OrderedDict)

    MOST_GUESTS = 65536  # remembered; beyond, the quietest are forgotten

    def enter(self, address: str, now: float) -> Reply | None:
        if self.inside >= self.limits.connections:
            return TOO_MANY_ALL
        network = network_of(address)
        if network is not None and not self._exempt(network):
            reply = self._admit(network, now)
            if reply is not None:
                return reply
        self.inside += 1
        return None

    def leave(self, address: str) -> None:
        self.inside -= 1
        network = network_of(address)
        guest = self.guests.get(network) if network else None
        if guest is not None:
            guest.open = max(0, guest.open - 1)

    def _admit(self, network: Network, now: float) -> Reply | None:
        guest = self.guests.setdefault(network, _Guest(since=now))
        self.guests.move_to_end(network)
        guest.level = max(0.0, guest.level - (now - guest.since) * self.limits.new_per_minute / 60)
        guest.since = now
        if guest.open >= self.limits.per_network:
            return TOO_MANY_HERE
        if guest.level >= self.limits.new_per_minute:
            return TOO_OFTEN
        guest.level += 1
        guest.open += 1
        self._forget()
        return None

    def _forget(self) -> None:
        while len(self.guests) > self.MOST_GUESTS:
            network, guest = self.guests.popitem(last=False)
            if guest.open:  # still in: it stays, and the next goes
                self.guests[network] = guest
                break

    def _exempt(self, network: Network) -> bool:
        return any(network.version == one.version and network.subnet_of(one) for one in self.limits.exempt)  # type: ignore[arg-type]


@dataclass
class Allowance:
    """Recipients by account: a bucket that leaks in an hour. Only accounts of ours are asked for, so that it stays small."""

    per_hour: int
    levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def one_more(self, account: str, now: float) -> Reply | None:
        level, since = self.levels.get(account, (0.0, now))
        level = max(0.0, level - (now - since) * self.per_hour / 3600)
        over = level + 1 > self.per_hour
        self.levels[account] = (level if over else level + 1, now)
        return TOO_MUCH_BY_ACCOUNT if over else None


def network_of(address: str) -> Network | None:
    """An IPv4 address, or the /64 of an IPv6 one; mapped IPv4 is IPv4. None for what is no address (a Unix socket)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network(mapped)
        return found_network(found)
    return ipaddress.ip_network(found)


def found_network(address: ipaddress.IPv6Address) -> Network:
    """::1 stands alone; elsewhere a /64 is one household."""
    return ipaddress.ip_network((address, 128 if address.is_loopback else 64), strict=False)
