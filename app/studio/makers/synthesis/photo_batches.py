"""Albums: (photos by where they lie) -> what a network is given of them; a sheet of them all."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from app.studio.makers.synthesis.reconstructions import pictured
from app.studio.recipes import Member
from app.zoo.keeper import Network

#: The sheet's longest side, and that of one photo on it, in pixels.
LONGEST, TILE, SMALLEST = 2048, 96, 16
#: The side of the preview while it is being made.
PREVIEW = 448


@dataclass(frozen=True)
class Opened:
    """Some photos as a network takes them [N,3,H,W], and their numbers."""

    numbers: list[int]
    batch: Tensor


class Album:
    """The photos of a collection as one network sees them.

    rows: what is known of each; readable: the numbers of those that could be read, in order.
    """

    def __init__(self, network: Network, members: Sequence[Member]) -> None:
        self.network, self.members = network, members
        self.rows: list[dict[str, Any]] = []
        self.readable: list[int] = []
        self._columns = max(1, ceil(sqrt(len(members) * 4 / 3)))
        self._tile = max(SMALLEST, min(TILE, LONGEST // self._columns))
        lines = max(1, ceil(len(members) / self._columns))
        self._canvas = Image.new("RGB", (self._columns * self._tile, lines * self._tile))

    def open(self, numbers: Sequence[int]) -> Opened | None:
        """The next photos; None when none of them can be read, which their rows then say."""
        found, batches = [], []
        for n in numbers:
            member = self.members[n]
            row = {"n": n, "name": member.name, "label": member.label, "wordnet": member.wordnet}
            row |= {"image": member.image or None}
            try:
                picture, size = opened(Path(member.path), self.network.preprocessing.resize)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                self.rows.append(row | {"unreadable": True})
                continue
            self.rows.append(row | {"width": size[0], "height": size[1]})
            self.rows[-1]["crop"] = [round(edge, 2) for edge in self.network.crop_box(*size)]
            found.append(n)
            batches.append(self.network.prepare(picture))
        if not found:
            return None
        batch = torch.cat(batches)
        self.readable += found
        self._hang(found, batch)
        return Opened(found, batch)

    def _hang(self, numbers: Sequence[int], batch: Tensor) -> None:
        small = functional.interpolate(pictured(self.network, batch), self._tile, mode="area")
        pixels = (small.permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(torch.uint8).cpu()
        for n, tile in zip(numbers, pixels.numpy(), strict=True):
            place = (n % self._columns * self._tile, n // self._columns * self._tile)
            self._canvas.paste(Image.fromarray(tile), place)

    def preview(self) -> bytes:
        """The sheet so far, small, as JPEG."""
        small = self._canvas.copy()
        small.thumbnail((PREVIEW, PREVIEW))
        return _jpeg(small)

    def sheet(self) -> tuple[bytes, dict[str, Any]]:
        """All photos as the network sees them, as JPEG, and where each is."""
        width, height = self._canvas.size
        where = {"columns": self._columns, "tile": self._tile}
        return _jpeg(self._canvas), {"sheet": where, "width": width, "height": height}


def opened(path: Path, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """(a photo upright in RGB, its size in the file). Much larger ones come reduced.

    side: pixels of the shorter side that are wanted at least twice over.
    """
    with Image.open(path) as picture:
        turned = picture.getexif().get(0x0112, 1) >= 5
        size = (picture.height, picture.width) if turned else picture.size
        picture.draft("RGB", (4 * side, 4 * side))
        return ImageOps.exif_transpose(picture).convert("RGB"), size


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
