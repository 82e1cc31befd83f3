"""A document that we keep for ourselves: JSON text with the version of its form. Pure.

The reader is as careful as with a stranger's: a disk may have damaged the file, or an editor.
Limits: LARGEST bytes, unless told otherwise. Fails by: ValueError from `read`, with what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from dnsops.base.errors import ForUser

T = TypeVar("T")

LARGEST = 1 << 20


def write(version: int, **fields: object) -> bytes:
    """The same fields in the same order give the same bytes."""
    return (json.dumps({"version": version, **fields}, indent=1) + "\n").encode()


def read(data: bytes, version: int, what: str, value: Callable[[dict[str, Any]], T], largest: int = LARGEST) -> T:
    """What `value` makes of the document. A newer version is refused rather than guessed at. what: "a ledger"."""
    if len(data) > largest:
        raise ValueError(f"larger than {largest} bytes")
    try:
        document = json.loads(data)
        if document["version"] != version:
            raise ValueError(f"version {document['version']}, this program knows {version}")
        return value(document)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError, ForUser) as error:
        raise ValueError(f"not {what} ({type(error).__name__}: {error})") from None
