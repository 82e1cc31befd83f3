"""What Cloudflare's refusals mean, and how long to wait. Pure: status, headers and body in, a verdict out.

    Verdict       what to do
    DENIED        a person must give the token a right, or us another token
    INVALID       a person must change what was asked for
    CHANGED       the records are not what we thought: read again, then decide
    BUSY          wait as long as it says, and try again
    UNSURE        nobody knows whether it was done: read again, then decide

Standards: Cloudflare API v4 error codes, RFC 9110 10.2.3 (Retry-After), draft-ietf-httpapi-ratelimit-headers (Ratelimit).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum


class Verdict(Enum):
    DENIED = "the token may not do that"
    INVALID = "Cloudflare does not accept what was asked for"
    CHANGED = "the records are not as they were read"
    BUSY = "Cloudflare asks for patience"
    UNSURE = "no answer that says whether it was done"


class Refusal(Exception):
    """An answer that is no success. wait: the seconds it asks for. code: Cloudflare's own number, 0 when there is none."""

    def __init__(self, verdict: Verdict, text: str, code: int = 0, wait: float | None = None) -> None:
        super().__init__(text)
        self.verdict, self.text, self.code, self.wait = verdict, text, code, wait


DENYING = {1000, 6003, 6111, 9103, 9106, 9107, 9109, 10000, 10001}
MALFORMED_TOKEN = {1000, 6003, 6111, 9103, 9106, 9107}  # the token itself, not a right that it lacks
CHANGING = {81044, 81057, 81058}  # gone already; there already
LONGEST_MESSAGE = 300
LONGEST_WAIT = 3600.0
DEFAULT_WAIT = 60.0  # for 429 without a word on how long


def refusal(status: int, headers: Mapping[str, str], body: object) -> Refusal:
    """The meaning of an answer; `body` is its JSON, or None when it was none."""
    codes = [code for code, _ in _errors(body)]
    text = _told(status, body)
    if status == 429:
        return Refusal(Verdict.BUSY, text, codes[0] if codes else 0, _wait(headers))
    verdict = _verdict(status, codes)
    return Refusal(verdict, text, _telling(codes), _wait(headers, None) if verdict is Verdict.UNSURE else None)


def unsure(text: str) -> Refusal:
    """No answer at all, or one that cannot be read."""
    return Refusal(Verdict.UNSURE, text[:LONGEST_MESSAGE])


def _verdict(status: int, codes: list[int]) -> Verdict:
    if status >= 500 or status in (408, 409, 425):
        return Verdict.UNSURE
    if CHANGING.intersection(codes):
        return Verdict.CHANGED
    if DENYING.intersection(codes) or status in (401, 403):
        # a bot wall in front of the API answers 403 in HTML, with no error number: that passes
        return Verdict.DENIED if codes or status == 401 else Verdict.UNSURE
    return Verdict.INVALID if status >= 400 and codes else Verdict.UNSURE


def _telling(codes: list[int]) -> int:
    """The number that decided."""
    return next((code for code in codes if code in DENYING | CHANGING), codes[0] if codes else 0)


def _told(status: int, body: object) -> str:
    told = "; ".join(f"{message} ({code})" if code else message for code, message in _errors(body))
    return (told or f"HTTP status {status}")[:LONGEST_MESSAGE]


def _errors(body: object, depth: int = 0) -> list[tuple[int, str]]:
    """Every error of an answer, and the chain that explains it."""
    key = "error_chain" if depth else "errors"
    items = body.get(key) if isinstance(body, dict) else None
    found = []
    for item in items[:10] if isinstance(items, list) else []:
        if isinstance(item, dict) and depth < 4:
            code = item.get("code")
            found.append((code if isinstance(code, int) else 0, str(item.get("message", ""))))
            found += _errors(item, depth + 1)
    return found


def _wait(headers: Mapping[str, str], default: float | None = DEFAULT_WAIT) -> float | None:
    """Seconds to wait: Retry-After in seconds or as a date, else the Ratelimit header's t=."""
    stated = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", stated):
        return min(float(stated), LONGEST_WAIT)
    if stated and (seconds := _until(stated, headers.get("date", ""))) is not None:
        return seconds
    if found := re.search(r"\bt=(\d{1,9})\b", headers.get("ratelimit", "")[:500]):
        return min(float(found[1]), LONGEST_WAIT) if default is not None else None
    return default


def _until(date: str, now: str) -> float | None:
    """Seconds between two HTTP dates, by the server's own clock."""
    try:
        distance = _moment(date) - _moment(now)
    except (ValueError, TypeError):
        return None
    return min(max(distance.total_seconds(), 0.0), LONGEST_WAIT)


def _moment(text: str) -> datetime:
    return parsedate_to_datetime(text[:64])
