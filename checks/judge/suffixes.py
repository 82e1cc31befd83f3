"""Organizational domains as internet.nl finds them, by a public suffix list that is handed in as rules. Pure.

    example.co.uk <- co.uk;  city.kawasaki.jp <- !city.kawasaki.jp;  a.b.ck <- *.ck;  no rule: the last two labels
    ""  for what is itself a suffix, or has one label only

Rules of both parts count alike, so `x.github.io` is its own organization. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suffixes:
    """rules: suffixes as A-labels in lower case, with `*.` and `!` as the list has them."""

    rules: Collection[str]

    def organizational(self, domain: str) -> str:
        """The shortest name of the domain that is no suffix itself."""
        labels = domain.lower().strip(".").split(".")
        suffix = self._suffix(labels)
        return ".".join(labels[-suffix - 1 :]) if 0 < suffix < len(labels) else ""

    def _suffix(self, labels: list[str]) -> int:
        """How many labels the public suffix has; an exception has one less than its rule."""
        longest = 1
        for count in range(1, len(labels) + 1):
            name = ".".join(labels[-count:])
            if f"!{name}" in self.rules:
                return count - 1
            wild = ".".join(["*", *labels[len(labels) - count + 1 :]])
            if name in self.rules or (wild in self.rules):
                longest = count
        return longest
