"""Which resolver validates for us and what it starts from: trust anchor, root hints, forwarders, patience.

    MAILSRV_TRUST_ANCHOR   a file of DS or DNSKEY records of the root, instead of `root.key` beside this module
    MAILSRV_ROOT_HINTS     a zone file with the root's servers, instead of libunbound's own list
    MAILSRV_FORWARD        addresses of resolvers to forward to, each ADDRESS or ADDRESS@PORT, separated by blanks
    MAILSRV_RESOLVER       `libunbound` or `ad`; without it libunbound where it is installed, else the AD bit

Standards: RFC 7958 (publication of the root's anchors), RFC 8109 (hints).
Fails by: `Misconfigured`, naming the variable.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base import files
from dnsops.base.errors import Misconfigured

if TYPE_CHECKING:
    from dnsops.base.settings.model import Resolver as Configured

ROOT_KEY = Path(__file__).with_name("root.key")
ENGINES = ("", "libunbound", "ad")
LARGEST_FILE = 65536  # bytes of an anchor or hints file
MOST_FORWARDERS = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """`deadline`: seconds that one question may take, all in all."""

    anchor: Path = ROOT_KEY
    hints: Path | None = None
    forward: tuple[str, ...] = ()
    engine: str = ""
    deadline: float = 10.0

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise Misconfigured(f"no such resolver: {self.engine!r}", "MAILSRV_RESOLVER", "write libunbound or ad")
        if len(self.forward) > MOST_FORWARDERS:
            raise Misconfigured(f"more than {MOST_FORWARDERS} forwarders", "MAILSRV_FORWARD")
        for forwarder in self.forward:
            _check_forwarder(forwarder)


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for; without any, the real root and what is installed."""
    hints = environ.get("MAILSRV_ROOT_HINTS")
    return Settings(
        anchor=Path(environ.get("MAILSRV_TRUST_ANCHOR") or ROOT_KEY),
        hints=Path(hints) if hints else None,
        forward=tuple(environ.get("MAILSRV_FORWARD", "").replace(",", " ").split()),
        engine=environ.get("MAILSRV_RESOLVER", "").strip().lower(),
    )


def configured(given: Configured) -> Settings:
    """The configuration's word (its section `resolver`); the environment's where the configuration is silent."""
    base = from_env()
    return replace(
        base,
        anchor=given.trust_anchor or base.anchor,
        hints=given.root_hints or base.hints,
        forward=given.forward or base.forward,
        engine=base.engine if given.mode == "auto" else given.mode,
    )


def check_files(settings: Settings) -> None:
    """That the anchor and the hints are there and look like what they should be."""
    anchor = _read(settings.anchor, "MAILSRV_TRUST_ANCHOR")
    if not any(_has(line, "DS") or _has(line, "DNSKEY") for line in anchor.splitlines()):
        raise Misconfigured(
            f"{settings.anchor} holds no DS and no DNSKEY record",
            "MAILSRV_TRUST_ANCHOR",
            "write the root's anchors into it, one per line, or unset the variable",
        )
    if settings.hints and not any(
        _has(line, "NS") for line in _read(settings.hints, "MAILSRV_ROOT_HINTS").splitlines()
    ):
        raise Misconfigured(f"{settings.hints} holds no NS record", "MAILSRV_ROOT_HINTS")


def _read(path: Path, where: str) -> str:
    try:
        return files.read_bounded(path, LARGEST_FILE).decode("ascii", "replace")
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({error.strerror})", where) from None
    except ValueError as error:
        raise Misconfigured(str(error), where) from None


def _has(line: str, type_name: str) -> bool:
    return type_name in line.partition(";")[0].upper().split()


def _check_forwarder(text: str) -> None:
    address, _, port = text.partition("@")
    try:
        ipaddress.ip_address(address)
        good = not port or 1 <= int(port) <= 65535
    except ValueError:
        good = False
    if not good:
        raise Misconfigured(f"not an address: {text!r}", "MAILSRV_FORWARD", "write ADDRESS or ADDRESS@PORT")
