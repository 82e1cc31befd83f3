"""A history as a small inline SVG: a line of totals, a dot for each run. Pure.

Standard: SVG 2; presentation attributes and classes only, so that a strict Content-Security-Policy lets it be drawn. A chart says in
words what it shows (`role="img"`, `aria-label`), each dot in its `title`. Limits: MOST points, the latest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

WIDTH, HEIGHT, EDGE = 320, 64, 6
MOST = 120
Point = tuple[datetime, int]


def chart(name: str, points: Sequence[Point]) -> str:
    """Percentages over time; nothing for less than two points."""
    kept = sorted(points)[-MOST:]
    if len(kept) < 2:
        return ""
    places = [_place(point, kept[0][0], kept[-1][0]) for point in kept]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(_dot(place, point) for place, point in zip(places, kept, strict=True))
    label = f"{name}: {kept[0][1]} % on {_day(kept[0][0])}, {kept[-1][1]} % on {_day(kept[-1][0])}"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<line class="grid" x1="0" y1="{EDGE}" x2="{WIDTH}" y2="{EDGE}"/>'
        f'<line class="grid" x1="0" y1="{HEIGHT - EDGE}" x2="{WIDTH}" y2="{HEIGHT - EDGE}"/>'
        f'<polyline points="{line}"/>{dots}</svg>'
    )


def _place(point: Point, first: datetime, last: datetime) -> tuple[float, float]:
    """Time from left to right, 0 to 100 from the lower line to the upper; all at one moment stand in the middle."""
    span = (last - first).total_seconds()
    part = (point[0] - first).total_seconds() / span if span else 0.5
    percent = min(max(point[1], 0), 100)
    return EDGE + part * (WIDTH - 2 * EDGE), HEIGHT - EDGE - percent / 100 * (HEIGHT - 2 * EDGE)


def _dot(place: tuple[float, float], point: Point) -> str:
    kind = "dot" if point[1] == 100 else "dot low"
    x, y = place
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{_day(point[0])}: {point[1]} %</title></circle>'


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
