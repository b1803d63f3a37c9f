"""Walls: (tiles that grow or are done) -> one picture with all of them, and a small one."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from app.vision.drawing import sheets
from app.vision.drawing.sheets import EMPTY, STRIP, Sheet
from app.vision.pixels import jpeg
from app.zoo.preprocessing import Size, sides

#: Longest side, in pixels, of what is looked at while it grows: of one picture, of several.
ONE, SEVERAL = 448, 960
GAP = 2


class TileSheet:
    """Places for pictures of the sheet's tiles on one sheet, which fill as they are done."""

    def __init__(self, sheet: Sheet, count: int, marked: bool) -> None:
        self.sheet = sheet
        self._marked = marked
        self._tiles = _empty(count, sheet)
        self._small_sheet = _shrunk(sheet, ONE if count == 1 else SEVERAL)
        self._small = _empty(count, self._small_sheet)

    def put(self, places: Sequence[int], tiles: Tensor) -> None:
        """Hang tiles uint8 [N,h,w,3] at N places, for good."""
        self._tiles[list(places)] = tiles
        self._small[list(places)] = self._shrink(tiles)

    def tiles(self, places: Sequence[int]) -> Tensor:
        """What hangs there: uint8 [N,h,w,3]."""
        return self._tiles[list(places)]

    def small(self, places: Sequence[int] = (), growing: Tensor | None = None) -> Tensor:
        """The whole, small, uint8 [H,W,3]; with tiles that are still growing at their places."""
        tiles = self._small
        if growing is not None:
            tiles = tiles.clone()
            tiles[list(places)] = self._shrink(growing)
        sheet = self._small_sheet
        pixels = torch.full((sheet.height, sheet.width, 3), EMPTY, dtype=torch.uint8)
        sheets.lay(tiles, sheet, pixels)
        return pixels

    def preview(self, places: Sequence[int] = (), growing: Tensor | None = None) -> bytes:
        """The same as a JPEG."""
        return jpeg(self.small(places, growing))

    def png(self, texts: dict[str, str]) -> bytes:
        """The whole, lossless, with text chunks; an untrained network's is marked."""
        return sheets.draw(self._tiles, self.sheet, None, texts, self._marked)

    def _shrink(self, tiles: Tensor) -> Tensor:
        size = (self._small_sheet.tile_height, self._small_sheet.tile)
        if size == tiles.shape[1:3]:
            return tiles
        planes = tiles.permute(0, 3, 1, 2).float()
        small = functional.interpolate(planes, size=size, mode="area")
        return small.round().to(torch.uint8).permute(0, 2, 3, 1)


def tile_sheet(count: int, tile: Size, marked: bool, *, in_a_row: bool = False) -> TileSheet:
    """A sheet for so many pictures; a single one has no edge. Raises ValueError when too large."""
    gap = 0 if count == 1 else GAP
    high, wide = sides(tile)
    if not in_a_row:
        return TileSheet(sheets.plan(count, wide, marked, gap, high), count, marked)
    height = high + 2 * gap + (STRIP if marked else 0)
    row = Sheet(count, 1, wide, high, gap, count * (wide + gap) + gap, height)
    return TileSheet(row, count, marked)


def _empty(count: int, sheet: Sheet) -> Tensor:
    return torch.full((count, sheet.tile_height, sheet.tile, 3), EMPTY, dtype=torch.uint8)


def _shrunk(sheet: Sheet, most: int) -> Sheet:
    """The same sheet with tiles so small that no side is above `most`; unmarked."""
    columns, rows, gap = sheet.columns, sheet.rows, sheet.gap
    across = (most - gap * (columns + 1)) // columns
    down = (most - gap * (rows + 1)) // rows
    wide = min(sheet.tile, max(1, across), max(1, down * sheet.tile // sheet.tile_height))
    high = max(1, round(wide * sheet.tile_height / sheet.tile))
    width, height = columns * (wide + gap) + gap, rows * (high + gap) + gap
    return Sheet(columns, rows, wide, high, gap, width, height)
