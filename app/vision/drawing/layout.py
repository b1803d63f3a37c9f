"""Layout: (how many tiles, how large) -> where each lies on a sheet. Needs no torch."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: A map is drawn at its own size up to this, beyond it at the largest whole fraction of its size.
LARGEST_TILE = 160
SMALLEST_TILE = 8
ASPECT = 1.5
#: The strip that marks untrained networks, in pixels.
STRIP = 20
MOST_PIXELS = 64_000_000


@dataclass(frozen=True)
class Sheet:
    """Where tiles lie: tile k is at column k % columns, row k // columns; all sizes in pixels.

    x = gap + column * (tile + gap); y = gap + row * (tile_height + gap).
    """

    columns: int
    rows: int
    tile: int
    tile_height: int
    gap: int
    width: int
    height: int

    def facts(self) -> dict[str, Any]:
        """All fields as JSON."""
        return asdict(self)


def plan(count: int, tile: int, marked: bool = False, gap: int = 1, tile_height: int = 0) -> Sheet:
    """A sheet for `count` tiles, somewhat wider than high, without ragged rows where it can be.

    Tiles are square unless `tile_height` is given.

    Raises ValueError when the sheet would be larger than MOST_PIXELS.
    """
    columns = _columns(count)
    rows = math.ceil(count / columns)
    tile_height = tile_height or tile
    width, height = columns * (tile + gap) + gap, rows * (tile_height + gap) + gap
    if width * height > MOST_PIXELS:
        raise ValueError(f"a sheet of {width} x {height} pixels is too large")
    return Sheet(columns, rows, tile, tile_height, gap, width, height + (STRIP if marked else 0))


def largest_tile(count: int, shape: Sequence[int] = (1, 1)) -> int:
    """The largest tile, in pixels across, at which a sheet of `count` tiles is still drawn.

    shape: of the maps that are drawn, [...,H,W].
    """
    columns = _columns(count)
    cells = columns * math.ceil(count / columns) * max(1.0, shape[-2] / shape[-1])
    return math.isqrt(int(MOST_PIXELS // cells)) - 2


def _columns(count: int) -> int:
    wish = math.sqrt(count * ASPECT)
    divisors = [n for n in range(1, count + 1) if count % n == 0]
    best = min(divisors, key=lambda n: abs(math.log(n / wish)))
    return best if 0.6 < best / wish < 1.7 else min(count, math.ceil(wish))


def natural(shape: Sequence[int], marked: bool) -> Sheet:
    """The sheet of all maps [C,H,W] (vectors [C]) at their natural size."""
    high, wide = shape[1:] or (1, 1)
    tile = natural_tile(wide)
    return plan(shape[0], tile, marked, tile_height=high_for(tile, (high, wide)))


def high_for(tile: int, shape: Sequence[int]) -> int:
    """How high a tile is for maps [...,H,W] that are drawn `tile` pixels wide."""
    return max(1, round(tile * shape[-2] / shape[-1]))


def natural_tile(side: int) -> int:
    """The tile for maps `side` positions wide: 1:1, small ones magnified, large ones reduced."""
    if side >= SMALLEST_TILE:
        return side // math.ceil(side / LARGEST_TILE)
    return side * math.ceil(SMALLEST_TILE / side)
