"""Curves: (a share for each of some layers) -> points of a chart by depth, which templates draw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The chart's inside, in its own units; labels stand outside of it.
WIDTH, HEIGHT = 960, 220
#: What the upper end may be: the smallest that holds all shares.
TOPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Point:
    """One layer: where its dot is, and what it tells."""

    x: float
    y: float
    share: float
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Curve:
    """Points from the first layer to the last; `top` is the share at the upper end."""

    points: tuple[Point, ...]
    top: float
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def line(self) -> str:
        """The points as a polyline has them."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)

    @property
    def ticks(self) -> tuple[tuple[float, float], ...]:
        """(share, height) of the lines across."""
        return tuple((self.top * k / 2, self.height * (1 - k / 2)) for k in range(3))


def top_of(shares: Iterable[float]) -> float:
    """The least upper end that holds all shares."""
    highest = max(shares, default=0.0)
    return next((top for top in TOPS if highest <= top), TOPS[-1])


def curve(
    rows: Sequence[Mapping[str, Any]],
    share: str,
    top: float = 0.0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Curve:
    """The curve of one field of rows, which are in the order of the layers.

    top: the share at the upper end, 0 for the least that will do; size: the chart's inside.
    """
    top = top or top_of(row[share] for row in rows)
    width, height = size
    step = width / max(1, len(rows) - 1)
    points = (
        Point(k * step, height * (1 - row[share] / top), row[share], row)
        for k, row in enumerate(rows)
    )
    return Curve(tuple(points), top, width, height)
