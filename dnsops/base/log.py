"""Log lines: an event with fields, once, at the edge. Text for people on a terminal, one JSON object per line otherwise.

    12:00:03 tlsa.rolled host=mx1.example.org from=3f9c1a2b to=a71e90cc waited=3h5m

Control characters and direction marks in values are escaped, so that no peer can write a line of ours.
Fails by: silence. A log that cannot be written (closed pipe, full disk) never stops the work.
"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime
from typing import Protocol

from dnsops.base.printable import printable

_ENCODED = json.JSONEncoder(default=str).encode
_QUOTED = json.encoder.encode_basestring_ascii
Value = str | int | float | bool | None | list[str]


class Stream(Protocol):
    """As much of a text file as a log needs."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...


class Log:
    """Writes events to a stream. `json_lines=None` chooses by whether the stream is a terminal."""

    def __init__(self, stream: Stream | None = None, json_lines: bool | None = None, quiet: bool = False) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._json = not self._stream.isatty() if json_lines is None else json_lines
        self._quiet = quiet

    def __call__(self, event: str, **fields: Value) -> None:
        if self._quiet:
            return
        now = datetime.now(UTC)
        line = as_json(event, now, fields) if self._json else as_text(event, now, fields)
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()


def as_json(event: str, now: datetime, fields: dict[str, Value]) -> str:
    """One JSON object; `time` is UTC."""
    # json escapes everything but ASCII, and so every control character and direction mark
    pairs = [f", {_QUOTED(key)}: {_json(value)}" for key, value in fields.items()]
    return f'{{"time": "{now.isoformat(timespec="milliseconds")}", "event": {_QUOTED(event)}{"".join(pairs)}}}'


def _json(value: Value) -> str:
    """Texts and numbers in place: a whole encoder for each line would be most of what a line costs."""
    if isinstance(value, str):
        return _QUOTED(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    return str(value) if type(value) is int else _ENCODED(value)


def as_text(event: str, now: datetime, fields: dict[str, Value]) -> str:
    """HH:MM:SS event key=value ..., values quoted where they hold blanks."""
    words = [f"{now:%H:%M:%S} {event}"]
    words += [f"{key}={_text(value)}" for key, value in fields.items() if value not in (None, "", [])]
    return " ".join(words)


def _text(value: Value) -> str:
    text = printable(",".join(map(str, value)) if isinstance(value, list) else str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text or not text else text
