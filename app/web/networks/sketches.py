"""Sketches: (a calculator's numbers) -> where the lines of its picture are, in its view box.

The templates only draw what is said here, so that pictures follow the numbers without JavaScript.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from app.zoo.arithmetic import Slide, stacked

#: A side of the largest square, and how far the second one is from the first.
BOARD, APART = 280.0, 360.0
#: Up to so many positions a side each is drawn as a cell.
MOST_CELLS = 40
#: Up to so many places of a window are drawn, if they are this far apart.
MOST_STOPS, CLOSEST = 80, 2.0
#: The cross-section of a stack: width, height, and the largest cell.
SECTION, HEIGHT, CELL = 280.0, 190.0, 30.0


@dataclass(frozen=True)
class Square:
    """A square by its corner and side; `place`: which one it is in the order of sliding."""

    x: float
    y: float
    side: float
    place: int = 0


@dataclass(frozen=True)
class Sliding:
    """The map with its zeros and windows, and beside it what comes of it, on one scale.

    rest: how broad the strip is that no window reaches; cells: lines between positions, as a path;
    stops: the outlines of all windows of the first row and the first column.
    """

    padded: Square
    inner: Square
    windows: tuple[Square, ...]
    rest: float
    output: Square
    made: tuple[Square, ...]
    cells: str
    output_cells: str
    stops: str


def sliding(slide: Slide) -> Sliding:
    """A square window on a square map: the first, the second and the last place it stops at."""
    whole = slide.size + slide.front + slide.back
    unit = BOARD / max(whole, slide.span)
    places = sorted({0, 1, slide.outputs - 1} & set(range(slide.outputs)))
    zeros = slide.front * unit
    made = slide.outputs * unit
    top = (BOARD - made) / 2
    return Sliding(
        padded=Square(0, 0, whole * unit),
        inner=Square(zeros, zeros, slide.size * unit),
        windows=tuple(
            Square(place * slide.stride * unit, 0, slide.span * unit, place) for place in places
        )
        or (Square(0, 0, slide.span * unit),),
        rest=slide.rest * unit,
        output=Square(APART, top, made),
        made=tuple(Square(APART + place * unit, top, unit, place) for place in places),
        cells=lattice(0, 0, whole, unit),
        output_cells=lattice(APART, top, slide.outputs, unit),
        stops=_stops(slide, unit),
    )


def _stops(slide: Slide, unit: float) -> str:
    """Every place of the first row and column, while they can be told apart."""
    side, step = slide.span * unit, slide.stride * unit
    if not 2 < slide.outputs <= MOST_STOPS or step < CLOSEST:
        return ""
    corners = [(n * step, 0.0) for n in range(slide.outputs)]
    corners += [(0.0, n * step) for n in range(1, slide.outputs)]
    return "".join(f"M{x:.1f} {y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z" for x, y in corners)


def lattice(x: float, y: float, count: int, unit: float) -> str:
    """The lines between `count` x `count` cells as a path; none where they would be a blur."""
    if not 1 < count <= MOST_CELLS:
        return ""
    side = count * unit
    lines = [
        f"M{x + n * unit:.1f} {y:.1f}v{side:.1f}M{x:.1f} {y + n * unit:.1f}h{side:.1f}"
        for n in range(1, count)
    ]
    return "".join(lines)


@dataclass(frozen=True)
class Level:
    """A row of cells of a cross-section: from x on, `count` of `unit`; its y; its lines."""

    x: float
    y: float
    count: int
    unit: float
    cells: str


@dataclass(frozen=True)
class Section:
    """A stack of filters cut through: rows of cells from what is seen up to the one unit."""

    levels: tuple[Level, ...]
    fan: str


def section(kernels: list[int], widest: int) -> Section:
    """The cross-section of filters one upon another; cells as of a stack that sees `widest`."""
    sees = [1]
    for kernel in reversed(kernels):
        sees.append(sees[-1] + kernel - 1)
    unit = min(CELL, SECTION / widest)
    rise = (HEIGHT - unit) / max(1, len(kernels))
    levels = []
    for step, count in enumerate(sees):
        x, y = (SECTION - count * unit) / 2, step * rise
        lines = "".join(f"M{x + n * unit:.1f} {y:.1f}v{unit:.1f}" for n in range(1, count))
        levels.append(Level(x, y, count, unit, lines))
    fan = "".join(
        f"M{above.x:.1f} {above.y + unit:.1f}L{below.x:.1f} {below.y:.1f}"
        f"M{above.x + above.count * unit:.1f} {above.y + unit:.1f}"
        f"L{below.x + below.count * unit:.1f} {below.y:.1f}"
        for above, below in pairwise(levels)
    )
    return Section(tuple(levels), fan)


def stacks(wide: int, small: int) -> tuple[Section, Section]:
    """One large filter and the small ones that see as much, cut through on one scale."""
    count = stacked(wide, small)
    widest = max(wide, 1 + count * (small - 1))
    return section([wide], widest), section([small] * max(1, count), widest)


def breadth(channels: int) -> float:
    """How thick a map with so many channels is drawn; areas, not widths, are compared."""
    return 4 + 3.2 * sqrt(channels)


@dataclass(frozen=True)
class Bars:
    """A histogram: the height of each bin as a share of the highest of all, and how many.

    mean: the mean's place along the axis, 0..1.
    """

    heights: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float


def grain_chart(shares: dict[str, list[float | None]], bins: int) -> dict[str, Bars]:
    """Histograms of shares 0..1 on one axis, by whose they are; whoever has none is left out."""
    known = {name: [one for one in some if one is not None] for name, some in shares.items()}
    counts = {
        name: [sum(min(int(one * bins), bins - 1) == n for one in some) for n in range(bins)]
        for name, some in known.items()
        if some
    }
    highest = max((max(some) for some in counts.values()), default=1)
    return {
        name: Bars(
            tuple(count / highest for count in some),
            tuple(some),
            sum(known[name]) / len(known[name]),
        )
        for name, some in counts.items()
    }
