"""The door to every place that a certificate can come from: a spec such as `certbot:mx1.example.org` becomes a `Source`.

Every source: `read` blocks (callers run it in a thread), takes nothing but what it needs, and writes nothing. Where the place
also holds the private key, it is compared with the certificate and forgotten: it never leaves the function that read it.
Fails by: `Misused` for a spec that is none; `ForUser` for what is not there, not readable, damaged, of a wrong version, or
not fit for the host; `Later` when a server does not answer.
"""

from __future__ import annotations

import difflib
import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from dnsops.base import clock, files
from dnsops.base.errors import ForUser, Misused
from dnsops.certs.chain import LARGEST_PEM, Chain, check_key, flaws, from_pem

MOST_SUGGESTED = 10


class Source(Protocol):
    """What a caller needs of a place: the chain for a host, fit to be published, and the place's name for people."""

    def read(self, host: str) -> Chain: ...

    def describe(self) -> str: ...


class Place(ABC):
    """A source: `find` gives what is there, fit or not; `read` refuses what is not fit."""

    @abstractmethod
    def find(self, host: str) -> Chain:
        """The chain that is there for a host."""

    @abstractmethod
    def describe(self) -> str:
        """The place, for people."""

    def read(self, host: str) -> Chain:
        """The chain for a host; `ForUser` when it is another's, expired or not yet valid."""
        return fit(self.find(host), host, clock.now().wall)


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of `mailsrv cert sources`."""

    name: str
    syntax: str
    reads: str
    needs: str = ""

    @property
    def module(self) -> str:
        return "dnsops.certs.sources." + self.name.replace("-", "_")


KINDS = (
    Kind("pem", "pem:PATH", "a PEM file, or a directory with fullchain.pem, cert.pem, tls.crt ...", "to read the file"),
    Kind("certbot", "certbot:NAME", "/etc/letsencrypt/live/NAME; NAME may be a path", "root; CERTBOT_DIR if elsewhere"),
    Kind("lego", "lego:DIR#NAME", "DIR/certificates/NAME.crt", "to read DIR"),
    Kind("caddy", "caddy:DIR#NAME", "DIR/certificates/CA/NAME/NAME.crt, the newest of all CAs", "to read DIR"),
    Kind("traefik", "traefik:FILE#NAME", "Traefik's acme.json, versions 1 to 3", "to read FILE"),
    Kind(
        "stalwart-rocksdb", "stalwart-rocksdb:DIR#ACME_ID", "Stalwart 0.8 to 0.15, its data store", "mailsrv[rocksdb]"
    ),
    Kind(
        "stalwart-api",
        "stalwart-api:URL#ACME_ID",
        "Stalwart 0.7 to 0.15 by REST, from 0.16 by JMAP (then without #ACME_ID)",
        "STALWART_TOKEN, or STALWART_USER and STALWART_PASSWORD",
    ),
    Kind("starttls", "starttls:HOST:PORT", "what the running server shows, after STARTTLS", "to reach the port"),
    Kind("tls", "tls:HOST:PORT", "what the running server shows, TLS from the first byte", "to reach the port"),
    Kind(
        "mailsrv", "mailsrv:", "our own keys, current and next; mailsrv:DIR if elsewhere", "to read the state directory"
    ),
)
_MODULES = {"tls": "dnsops.certs.sources.starttls"}


def parse(spec: str) -> Place:
    """`KIND:REST` -> the source."""
    name, colon, rest = spec.strip().partition(":")
    kinds = {kind.name: kind for kind in KINDS}
    kind = kinds.get(name.lower())
    if kind is None or not colon:
        raise _unknown(spec, name, list(kinds))
    module = importlib.import_module(_MODULES.get(kind.name, kind.module))
    make = cast("Callable[[Kind, str], Place]", module.parse)
    return make(kind, rest)


def split(kind: Kind, rest: str, name_needed: bool = False) -> tuple[str, str]:
    """`PLACE#NAME` -> both. The last `#` divides."""
    place, _, name = rest.rpartition("#") if "#" in rest else (rest, "", "")
    if not place or (name_needed and not name):
        raise incomplete(kind, rest)
    return place, name


def incomplete(kind: Kind, rest: str) -> Misused:
    """What is missing from a spec."""
    return Misused(f"{kind.name}:{rest} is incomplete", "the source", f"write {kind.syntax}")


def fit(chain: Chain, host: str, now: datetime) -> Chain:
    """The chain itself, when it is for the host and valid now."""
    found = flaws(chain, host, now)
    if found:
        raise ForUser("; ".join(found), chain.where, "renew it, or name the source that has the right one")
    return chain


def best(chains: Iterable[Chain], host: str, now: datetime) -> Chain | None:
    """Of several: one that is fit for the host, and of those the newest; None of none."""
    return max(chains, key=lambda chain: (not flaws(chain, host, now), chain.not_before), default=None)


def read_chain(path: Path, advice: str, key_path: Path | None = None) -> Chain:
    """The chain in a PEM file; a private key in it, or in a file beside it that we may read, must be the leaf's."""
    data = read_file(path, LARGEST_PEM, advice)
    chain = from_pem(data, str(path))
    check_key(chain, data, str(path))
    if key_path:
        _check_beside(chain, key_path)
    return chain


def read_file(path: Path, limit: int, advice: str) -> bytes:
    """A regular file's bytes; `advice` is for when there is none."""
    try:
        if path.exists() and not path.is_file():
            raise ForUser("is not a file", str(path), advice)
        return files.read_bounded(path, limit)
    except FileNotFoundError:
        raise ForUser("is not there", str(path), advice) from None
    except NotADirectoryError:
        raise ForUser("is not there: a part of the path is a file", str(path), advice) from None
    except ValueError:
        raise ForUser(f"larger than {limit} bytes, or no file name", str(path), advice) from None
    except OSError as error:
        raise unreadable(path, error) from None


def entries(folder: Path, limit: int, advice: str) -> list[Path]:
    """What a directory holds, sorted, at most `limit`."""
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        raise ForUser("is not there", str(folder), advice) from None
    except NotADirectoryError:
        raise ForUser("is not a directory", str(folder), advice) from None
    except OSError as error:
        raise unreadable(folder, error) from None
    if len(found) > limit:
        raise ForUser(f"holds more than {limit} entries", str(folder), advice)
    return found


def unreadable(path: Path, error: OSError) -> ForUser:
    """Not readable: why, and who may."""
    return ForUser(f"cannot be read ({error.strerror})", str(path), "run as root or as the user who owns it")


def near(wanted: str, there: Iterable[str]) -> str:
    """Advice for a name that is not there: the near miss, or what there is."""
    known = sorted(set(there))
    close = difflib.get_close_matches(wanted, known, 1)
    if close:
        return f"did you mean {close[0]}?"
    return "there is: " + ", ".join(known[:MOST_SUGGESTED]) if known else "there is none at all"


def _check_beside(chain: Chain, path: Path) -> None:
    """Compare with a key file, when there is one for us: publishing needs no right to read private keys."""
    try:
        pem = files.read_bounded(path, LARGEST_PEM)
    except (OSError, ValueError):
        return
    check_key(chain, pem, str(path))


def _unknown(spec: str, name: str, kinds: list[str]) -> Misused:
    close = difflib.get_close_matches(name.lower(), kinds, 1)
    advice = f"did you mean {close[0]}:?" if close else "write one of " + " ".join(kind.syntax for kind in KINDS)
    if Path(spec).is_absolute():
        advice = f"did you mean pem:{spec}?"
    return Misused(f"{spec!r} is no source of certificates (known: {', '.join(kinds)})", "", advice)
