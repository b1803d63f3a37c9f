"""Sheets: (tiles [C,H,W] or [C,H,W,3]) -> one picture with all of them, and where each one is."""

import torch
from torch import Tensor

from app.vision.drawing import png
from app.vision.drawing.colors import GAP, MARK
from app.vision.drawing.layout import LARGEST_TILE as LARGEST_TILE
from app.vision.drawing.layout import MOST_PIXELS as MOST_PIXELS
from app.vision.drawing.layout import SMALLEST_TILE as SMALLEST_TILE
from app.vision.drawing.layout import STRIP as STRIP
from app.vision.drawing.layout import Sheet as Sheet
from app.vision.drawing.layout import high_for as high_for
from app.vision.drawing.layout import largest_tile as largest_tile
from app.vision.drawing.layout import natural_tile as natural_tile
from app.vision.drawing.layout import plan as plan

#: (the least width in pixels, what is written on it)
MARKS = (
    (400, "UNTRAINED NETWORK · UTRÆNET NETVÆRK"),
    (220, "UNTRAINED · UTRÆNET"),
    (0, "UNTRAINED"),
)
#: What lies between tiles in colour, and where nothing was made yet.
EMPTY = 40


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
