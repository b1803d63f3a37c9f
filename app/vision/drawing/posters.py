"""Posters: (a drawn sheet, what is to be said of it) -> one picture that needs no page around it.

Letters are DejaVu Sans, which comes with Matplotlib (a free licence: https://dejavu-fonts.github.io);
on a machine without it Pillow's own font, which has no letters beyond English.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image, ImageColor, ImageDraw, ImageFont

from app.vision.drawing import png
from app.vision.drawing.fonts import Font, font

MARGIN, GAP, ABOVE = 32, 6, 15
NARROWEST = 880
GROUND, INK, QUIET, RED = (255, 254, 252), (29, 27, 25), (99, 93, 86), (198, 40, 40)
BAR = (420, 14)


@dataclass(frozen=True)
class Said:
    """The words of a poster. ticks: low, (zero,) high; none: `words` stand for the scale.

    stops: the palette from low to high, #rrggbb. mark: in red below the heading, of an untrained
    network; "" for none.
    """

    heading: str
    lines: tuple[str, ...]
    ticks: tuple[str, ...]
    words: str
    stops: tuple[str, ...]
    footer: str
    mark: str


def poster(
    sheet: Image.Image, facts: Mapping[str, Any], channels: Sequence[int], words: Said
) -> Image.Image:
    """A sheet's tiles, each under its channel's number, with heading, scale and footer; RGB.

    facts: of the sheet, as vision.sheets says them.
    """
    across, down = facts["tile"] + GAP, facts["tile_height"] + ABOVE + GAP
    width = max(NARROWEST, facts["columns"] * across - GAP + 2 * MARGIN)
    above = _Page(width)
    _head(above, words)
    top = above.at
    above.at += facts["rows"] * down + GAP
    _scale(above, words)
    above.paragraph(words.footer, 12, QUIET)
    page = above.drawn()
    left = MARGIN
    pen, small = ImageDraw.Draw(page), font(11)
    for place, channel in enumerate(channels):
        x = left + place % facts["columns"] * across
        y = top + place // facts["columns"] * down
        pen.text((x, y), str(channel), fill=QUIET, font=small)
        page.paste(sheet.crop(_tile(facts, place)), (x, y + ABOVE))
    return page


def _tile(facts: Mapping[str, Any], place: int) -> tuple[int, int, int, int]:
    """Where a tile lies on its sheet."""
    gap, tile, high = facts["gap"], facts["tile"], facts["tile_height"]
    x = gap + place % facts["columns"] * (tile + gap)
    y = gap + place // facts["columns"] * (high + gap)
    return x, y, x + tile, y + high


class _Page:
    """Things one below the other, drawn when it is known how much there is."""

    def __init__(self, width: int) -> None:
        self.width, self.at = width, MARGIN
        self._texts: list[tuple[int, int, str, Font, tuple[int, int, int]]] = []
        self._boxes: list[tuple[tuple[int, int, int, int], tuple[int, int, int]]] = []

    def paragraph(
        self, text: str, size: int, ink: tuple[int, int, int] = INK, bold: bool = False
    ) -> None:
        """A text in as many lines as the width needs."""
        letters = font(size, bold)
        for line in _lines(text, letters, self.width - 2 * MARGIN):
            self.text(MARGIN, self.at, line, letters, ink)
            self.at += round(size * 1.45)

    def text(self, x: int, y: int, text: str, letters: Font, ink: tuple[int, int, int]) -> None:
        """A line of text at a place."""
        self._texts.append((x, y, text, letters, ink))

    def box(self, box: tuple[int, int, int, int], ink: tuple[int, int, int]) -> None:
        """A filled rectangle: left, top, right, bottom."""
        self._boxes.append((box, ink))

    def drawn(self) -> Image.Image:
        """The page with all of it."""
        page = Image.new("RGB", (self.width, self.at + MARGIN), GROUND)
        pen = ImageDraw.Draw(page)
        for box, ink in self._boxes:
            pen.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=ink)
        for x, y, text, letters, color in self._texts:
            pen.text((x, y), _writable(text, letters), fill=color, font=letters)
        return page


def _head(page: _Page, words: Said) -> None:
    page.paragraph(words.heading, 28, bold=True)
    if words.mark:
        letters = font(18, bold=True)
        wide = round(letters.getlength(words.mark)) + 24
        page.box((MARGIN, page.at + 2, MARGIN + wide, page.at + 32), RED)
        page.text(MARGIN + 12, page.at + 6, words.mark, letters, (255, 255, 255))
        page.at += 40
    for line in words.lines:
        page.paragraph(line, 17)
    page.at += 12


def _scale(page: _Page, words: Said) -> None:
    """The palette as a bar with its numbers, or the words that stand for them."""
    width, height = BAR
    for x in range(width):
        color = _between(words.stops, x / (width - 1))
        page.box((MARGIN + x, page.at, MARGIN + x + 1, page.at + height), color)
    page.at += height + 5
    if not words.ticks:
        page.paragraph(words.words, 15)
    else:
        letters = font(15)
        for place, tick in enumerate(words.ticks):
            share = place / max(1, len(words.ticks) - 1)
            x = MARGIN + round(share * (width - letters.getlength(tick)))
            page.text(x, page.at, tick, letters, INK)
        page.at += 24
    page.at += 10


def _between(stops: tuple[str, ...], share: float) -> tuple[int, int, int]:
    """The colour at a share of the way along a palette's stops."""
    place = min(int(share * (len(stops) - 1)), len(stops) - 2)
    rest = share * (len(stops) - 1) - place
    low, high = (ImageColor.getrgb(stop) for stop in stops[place : place + 2])
    red, green, blue = (round(a + (b - a) * rest) for a, b in zip(low, high, strict=True))
    return red, green, blue


def _lines(text: str, letters: Font, width: int) -> list[str]:
    """A text broken between words, so that no line is longer than the width."""
    lines = [""]
    for word in text.split(" "):
        wider = f"{lines[-1]} {word}".strip()
        if lines[-1] and letters.getlength(wider) > width:
            lines.append(word)
        else:
            lines[-1] = wider
    return lines


def _writable(text: str, letters: Font) -> str:
    """A text without what Pillow's own font has no letters for."""
    if isinstance(letters, ImageFont.FreeTypeFont) and letters.getname()[0] == "DejaVu Sans":
        return text
    return text.replace("×", "x").replace("–", "-").encode("ascii", "replace").decode()


def png_of(picture: Image.Image, texts: Mapping[str, str]) -> bytes:
    """PNG bytes of an RGB picture."""
    raw, pixels = png.blank(picture.height, picture.width, 3)
    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    pixels.copy_(flat.view(picture.height, picture.width, 3))
    return png.encode(raw, None, texts)
