"""Which step comes next, from what exists: a quickstart that was interrupted goes on where it was. Pure.

    CONFIGURE -> KEYS -> RECORDS -> CERTIFICATE -> SERVE -> SETTLE -> nothing left

Every step may be done twice: what is there already is kept, and a second plan is empty. So the world decides what is left,
not a diary; the diary (STATE/quickstart.json) only remembers which domain and configuration a run was about.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from dnsops.base import versioned

VERSION = 1


class Step(Enum):
    """One step; the value is what a person reads."""

    CONFIGURE = "the configuration and the first account's password"
    KEYS = "the keys for TLS and DKIM"
    RECORDS = "the records in the DNS"
    CERTIFICATE = "the certificate"
    SERVE = "the server"
    SETTLE = "the records of its keys, and a last look at everything"


@dataclass(frozen=True, slots=True)
class Seen:
    """What exists. settled: this run has seen to the last records."""

    configured: bool = False
    keys: bool = False
    records: bool = False
    certified: bool = False
    serving: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. apply: write to the DNS.  start: start the server by systemd.  certify: the configuration wants one."""

    apply: bool = True
    start: bool = False
    certify: bool = True


def next_step(seen: Seen, wish: Wish) -> Step | None:
    """What to do now; None when nothing is left that may be done."""
    if not seen.configured:
        return Step.CONFIGURE
    if not seen.keys:
        return Step.KEYS
    if not wish.apply:
        return None
    if not seen.records:
        return Step.RECORDS
    if wish.certify and not seen.certified:
        return Step.CERTIFICATE
    if wish.start and not seen.serving:
        return Step.SERVE
    return None if seen.settled else Step.SETTLE


@dataclass(frozen=True, slots=True)
class Diary:
    """What a run leaves for the next one. config: the configuration's path.  done: names of steps, for people."""

    domain: str
    config: str
    done: tuple[str, ...] = ()

    def with_step(self, step: Step) -> Diary:
        """The diary after a step."""
        return Diary(self.domain, self.config, tuple(dict.fromkeys((*self.done, step.name.lower()))))


def write(diary: Diary) -> bytes:
    return versioned.write(VERSION, domain=diary.domain, config=diary.config, done=list(diary.done))


def read(data: bytes) -> Diary:
    """The inverse; ValueError for what is none."""
    return versioned.read(data, VERSION, "the diary of a quickstart", _diary)


def _diary(document: dict[str, Any]) -> Diary:
    return Diary(str(document["domain"]), str(document["config"]), tuple(map(str, document["done"])))
