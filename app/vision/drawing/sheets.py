"""Sheets: (tiles [C,H,W] or [C,H,W,3]) -> one picture with all of them, and where each one is."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from app.vision.drawing import png
from app.vision.drawing.colors import GAP, MARK

#: A map is drawn at its own size up to this, beyond it at the largest whole fraction of its size.
LARGEST_TILE = 160
SMALLEST_TILE = 8
ASPECT = 1.5
#: The strip that marks untrained networks, in pixels.
STRIP = 20
#: (the least width in pixels, what is written on it)
MARKS = (
    (400, "UNTRAINED NETWORK · UTRÆNET NETVÆRK"),
    (220, "UNTRAINED · UTRÆNET"),
    (0, "UNTRAINED"),
)
MOST_PIXELS = 64_000_000
#: What lies between tiles in colour, and where nothing was made yet.
EMPTY = 40


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


def high_for(tile: int, shape: Sequence[int]) -> int:
    """How high a tile is for maps [...,H,W] that are drawn `tile` pixels wide."""
    return max(1, round(tile * shape[-2] / shape[-1]))


def natural_tile(side: int) -> int:
    """The tile for maps `side` positions wide: 1:1, small ones magnified, large ones reduced."""
    if side >= SMALLEST_TILE:
        return side // math.ceil(side / LARGEST_TILE)
    return side * math.ceil(SMALLEST_TILE / side)


def magnified(tiles: Tensor, sheet: Sheet) -> Tensor:
    """Tiles [C,H,W,...] brought to the sheet's tile size by nearest neighbour."""
    height, width = tiles.shape[1:3]
    if (height, width) == (sheet.tile_height, sheet.tile):
        return tiles
    rows = torch.arange(sheet.tile_height, device=tiles.device) * height // sheet.tile_height
    columns = torch.arange(sheet.tile, device=tiles.device) * width // sheet.tile
    return tiles.index_select(1, rows).index_select(2, columns)


def draw(
    tiles: Tensor, sheet: Sheet, palette: bytes | None, texts: dict[str, str], marked: bool
) -> bytes:
    """PNG of a sheet of tiles: uint8 [C,h,w] with a palette, [C,h,w,3] RGB without one.

    The tiles may be on any device.
    """
    bands = 1 if palette else 3
    raw, pixels = png.blank(sheet.height, sheet.width, bands, GAP if palette else EMPTY)
    lay(tiles.cpu(), sheet, pixels)
    if marked:
        _mark(pixels[-STRIP:], palette is not None)
    return png.encode(raw, palette, texts)


def lay(tiles: Tensor, sheet: Sheet, pixels: Tensor) -> None:
    """Put tiles [C,h,w] or [C,h,w,3] in their places of a whole uint8 [H,W] or [H,W,3]."""
    gap, across, down = sheet.gap, sheet.tile + sheet.gap, sheet.tile_height + sheet.gap
    grid = pixels[gap : gap + sheet.rows * down, gap:]
    cells = grid.view(sheet.rows, down, sheet.columns, across, *grid.shape[2:])
    places = cells[:, : sheet.tile_height, :, : sheet.tile].transpose(1, 2)
    tiles = magnified(tiles, sheet)
    whole, rest = divmod(len(tiles), sheet.columns)
    places[:whole] = tiles[: len(tiles) - rest].view(whole, sheet.columns, *tiles.shape[1:])
    if rest:
        places[whole, :rest] = tiles[-rest:]


def _mark(strip: Tensor, indexed: bool) -> None:
    """Write what it is in red on the strip below the tiles; one file is for all languages."""
    red = torch.tensor(MARK if indexed else [224, 36, 36], dtype=torch.uint8)
    height, width = strip.shape[:2]
    words = next((words for least, words in MARKS if width >= least), MARKS[-1][1])
    word = _word(words, height, width)
    strip[:2] = red
    strip[word] = red


def _word(text: str, height: int, width: int) -> Tensor:
    """Where ink is: bool [height, width]."""
    from PIL import Image, ImageDraw

    from app.vision.drawing import fonts

    picture = Image.new("L", (width, height))
    letters = fonts.font(13, bold=True)  # Pillow's own has no Danish ones
    ImageDraw.Draw(picture).text((4, 2), text, fill=255, font=letters)
    ink = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return ink.reshape(height, width) > 110
