"""Somebody who does something at one of the calls to the Cloudflare emulator: before its work, or after it.

with Meddling(api, 3, lambda: edit(api)) as human: ...; human.was_there
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from tests.lab.cloudflare_api import CloudflareApi


class Meddling:
    """call: at how many calls from now, 0 for the next.  was_there: whether it came to that."""

    def __init__(self, api: CloudflareApi, call: int, act: Callable[[], object], after: bool = False) -> None:
        self.api, self.left, self.act, self.after, self.was_there = api, call, act, after, False
        self._answer = api.answer

    def __enter__(self) -> Self:
        self.api.answer = self.answer  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self.api.answer = self._answer  # type: ignore[method-assign]

    def answer(self, grant: Any, request: Any) -> Any:
        due, self.left = self.left == 0, self.left - 1
        if due and not self.after:
            self._meddle()
        done = self._answer(grant, request)
        if due and self.after:
            self._meddle()
        return done

    def _meddle(self) -> None:
        if not self.was_there:
            self.was_there = True
            self.act()
