"""What the probes found, as values; `checks` says what each means. Pure.

An answer of the DNS is kept whole: whether it was proven belongs to what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dnsops.resolve.answer import Answer
from mailsrv.spam.dnsbl import Listing


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A probe that did not end: what it was to find out, and why not."""

    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Validation:
    """signed: a name that is proven for everybody.  forged: names whose signatures are broken on purpose."""

    signed: Answer
    forged: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """The domain as it is. ds: at the parent.  dnskey: in the zone.  mx: where its mail goes now."""

    domain: str
    hostname: str
    soa: Answer
    ds: Answer
    dnskey: Answer
    mx: Answer


@dataclass(frozen=True, slots=True)
class HostName:
    """Where the host's name leads: by the DNS, and by this machine's own idea (getaddrinfo, which reads /etc/hosts)."""

    hostname: str
    wanted: tuple[str, ...]
    found: tuple[Answer, ...]
    here: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reverse:
    """The reverse names of one address."""

    address: str
    hostname: str
    answer: Answer
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialled:
    """One try to reach another mail server. why: what went wrong, "" when it greeted us."""

    server: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """Port 25 outwards."""

    dialled: tuple[Dialled, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that we would listen on and cannot. denied: for want of privileges, not because somebody has it."""

    address: str
    port: int
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of ours. ours: a server of ours is running and has them."""

    taken: tuple[Taken, ...] = ()
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """wanted: the public ones.  here: on this machine's interfaces.  unreached: behind NAT, and no way in was found."""

    wanted: tuple[str, ...]
    here: frozenset[str]
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """synchronised: what the kernel says, None when it says nothing.  offset: seconds that we are ahead of `by`."""

    synchronised: bool | None
    offset: float | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """Whether the ACME directory can be had. why: "" when it can."""

    url: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Listings:
    """What one list says of our addresses. unusable: why it can say nothing."""

    zone: str
    listed: tuple[Listing, ...] = ()
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whether the zone can be read and written with the credential. later: it may be well in a while.

    remarks: (whether it is serious, sentence, advice) from the provider's own look at its rights.
    """

    provider: str
    zone: str
    why: str = ""
    advice: str = ""
    later: bool = False
    remarks: tuple[tuple[bool, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """root: whether we are.  low_ports: whether ports below 1024 may be opened.  free: octets where mail will be kept."""

    root: bool
    low_ports: bool
    user: bool
    state: str
    free: int
    unwritable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago the domain was registered (RFC 9083 4.5), in days; None when nobody told."""

    domain: str
    days: int | None


Fact: TypeAlias = (
    Unchecked
    | Validation
    | Zone
    | HostName
    | Reverse
    | Outbound
    | Ports
    | Addresses
    | Clock
    | Authority
    | Listings
    | Holder
    | Machine
    | Age
)
