"""Albums: (photos by where they lie) -> what a network is given of them; a sheet of them all."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from app.errors import LaternaError
from app.studio.pictures.looks import Look
from app.studio.recipes import Member
from app.vision.ascent import pictured
from app.vision.methods import scaled
from app.zoo.keeper import Network
from app.zoo.preprocessing import sides

if TYPE_CHECKING:
    from app.studio.engine.openers import Openers, Opening

#: Seconds that are waited for photos at a time.
PAUSE = 0.25
#: The sheet's longest side, and that of one photo on it, in pixels.
LONGEST, TILE, SMALLEST = 2048, 96, 16
#: The side of the preview while it is being made.
PREVIEW = 448


@dataclass(frozen=True)
class Opened:
    """Some photos as a network takes them [N,3,H,W], and their numbers."""

    numbers: list[int]
    batch: Tensor


class PhotoBatches:
    """The photos of a collection as one network sees them, numbered from 0 here.

    numbers: what each is in the collection; rows: what is known of each; readable: the numbers of
    those that could be read, in order.
    """

    def __init__(
        self,
        network: Network,
        members: Sequence[Member],
        openers: "Openers",
        numbers: Sequence[int] | None = None,
    ) -> None:
        self.network, self.members, self._openers = network, members, openers
        self._numbers = numbers or range(len(members))
        self._asked: dict[int, Opening] = {}
        self.rows: list[dict[str, Any]] = []
        self.readable: list[int] = []
        self._columns = max(1, ceil(sqrt(len(members) * 4 / 3)))
        self._tile = max(SMALLEST, min(TILE, LONGEST // self._columns))
        lines = max(1, ceil(len(members) / self._columns))
        self._canvas = Image.new("RGB", (self._columns * self._tile, lines * self._tile))

    def open(self, numbers: Sequence[int]) -> Opened | None:
        """The next photos; None when none of them can be read, which their rows then say."""
        self._ask_for(numbers)
        found, batches = [], []
        for n in numbers:
            member = self.members[n]
            row = {"n": self._numbers[n], "name": member.name, "label": member.label}
            row |= {"wordnet": member.wordnet, "image": member.image or None}
            seen = self._asked.pop(n).result()
            if isinstance(seen, LaternaError):
                self.rows.append(row | {"unreadable": True, "reason": seen.code})
                continue
            self.rows.append(row | {"width": seen.size[0], "height": seen.size[1]})
            self.rows[-1]["crop"] = [round(edge, 2) for edge in self.network.crop_box(*seen.size)]
            found.append(n)
            batches.append(self.network.prepare_seen(seen.picture))
        if not found:
            return None
        batch = torch.cat(batches)
        self.readable += found
        self._hang(found, batch)
        return Opened(found, batch)

    def has_opened(self, numbers: Sequence[int]) -> bool:
        """Wait for the next photos, but not for long; whether they are open, or cannot be."""
        self._ask_for(numbers)
        return self._openers.are_open([self._asked[n] for n in numbers], PAUSE)

    def _ask_for(self, numbers: Sequence[int]) -> None:
        """Have photos opened, and as many after them while the network is at these."""
        end = min(len(self.members), numbers[-1] + 1 + len(numbers))
        for n in range(numbers[0], end):
            if n not in self._asked:
                member, preprocessing = self.members[n], self.network.preprocessing
                wanted = Look(member.path, member.name, preprocessing, self._openers.largest)
                self._asked[n] = self._openers.open(wanted)

    def _hang(self, numbers: Sequence[int], batch: Tensor) -> None:
        high, wide = sides(scaled(self.network.preprocessing.crop, self._tile))
        small = functional.interpolate(pictured(self.network, batch), (high, wide), mode="area")
        pixels = (small.permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(torch.uint8).cpu()
        for n, tile in zip(numbers, pixels.numpy(), strict=True):
            place = (
                n % self._columns * self._tile + (self._tile - wide) // 2,
                n // self._columns * self._tile + (self._tile - high) // 2,
            )
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


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
