"""One sentence about this machine or domain, how much it matters, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How much it matters; the value is for people."""

    FINE = "ok"
    WARNING = "warning"
    TROUBLE = "trouble"  # mail would not work


@dataclass(frozen=True, slots=True)
class Finding:
    """subject: `port 25 outbound`.  advice: "" where there is nothing to do."""

    level: Level
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        sentence = f"{self.subject}: {self.text}"
        return f"{sentence} - {self.advice}" if self.advice else sentence


def fine(subject: str, text: str) -> Finding:
    return Finding(Level.FINE, subject, text)


def warning(subject: str, text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, subject, text, advice)


def trouble(subject: str, text: str, advice: str) -> Finding:
    return Finding(Level.TROUBLE, subject, text, advice)
