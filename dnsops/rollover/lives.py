"""A life of records as values of JSON, and back: what every ledger remembers of the machine. Pure.

Fails by: KeyError, TypeError, ValueError or OverflowError for what is none; times that no clock can show are ValueErrors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from dnsops.base.moment import Moment
from dnsops.rollover.machine import K, Life, Phase, Stage

LONGEST_TTL = 2**31 - 1  # RFC 2181 8
LONGEST_UP = 1e12  # seconds


def write(life: Life[K], text: Callable[[K], str]) -> dict[str, Any]:
    """The life's part of a document, records in the order of their texts."""
    stages = sorted((text(key), stage) for key, stage in life.stages.items())
    return {
        "ttl": life.ttl.total_seconds(),
        "ttl_seen": life.ttl_seen.as_json() if life.ttl_seen else None,
        "records": {key: {"phase": stage.phase.name, "since": stage.since.as_json()} for key, stage in stages},
    }


def read(document: Mapping[str, Any], key: Callable[[str], K]) -> Life[K]:
    """The inverse of `write`."""
    stages = {
        key(text): Stage(Phase[stage["phase"]], sane(Moment.from_json(stage["since"])))
        for text, stage in document["records"].items()
    }
    return Life(stages, timedelta(seconds=_ttl(document["ttl"])), moment(document["ttl_seen"]))


def moment(data: dict[str, str | float] | None) -> Moment | None:
    """A moment, or that there was none."""
    return sane(Moment.from_json(data)) if data else None


def sane(when: Moment) -> Moment:
    """Only what a clock can have shown: nobody computes with infinity, or before the boot."""
    if not 0 <= when.up < LONGEST_UP:
        raise ValueError(f"{when.up} seconds since a boot")
    return when


def _ttl(value: object) -> float:
    seconds = float(value)  # type: ignore[arg-type]
    if not (math.isfinite(seconds) and 0 <= seconds <= LONGEST_TTL):
        raise ValueError(f"a TTL of {seconds} seconds")
    return seconds
