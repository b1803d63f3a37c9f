"""Curves: (a share for each of some layers) -> points of a chart by depth, which templates draw."""

from collections.abc import Sequence
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
    row: dict[str, Any]


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


def curve(rows: Sequence[dict[str, Any]], share: str) -> Curve:
    """The curve of one field of rows, which are in the order of the layers."""
    highest = max((row[share] for row in rows), default=0.0)
    top = next(top for top in TOPS if highest <= top or top == TOPS[-1])
    step = WIDTH / max(1, len(rows) - 1)
    points = (
        Point(k * step, HEIGHT * (1 - row[share] / top), row[share], row)
        for k, row in enumerate(rows)
    )
    return Curve(tuple(points), top)
