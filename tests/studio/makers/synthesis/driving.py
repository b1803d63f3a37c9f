"""Drives a making to its end."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from app.studio.makers import Workshop
from app.studio.recipes import JobRecipe, Made, Sources
from app.studio.recipes.progress import Progress


def made(workshop: Workshop, recipe: JobRecipe, sources: Sources | None = None) -> Made:
    """What comes of a recipe."""
    return watched(workshop, recipe, sources=sources)[0]


def watched(
    workshop: Workshop,
    recipe: JobRecipe,
    between: Callable[[], None] = lambda: None,
    sources: Sources | None = None,
) -> tuple[Made, list[Progress]]:
    """The same, and every step on the way; `between` is called after each."""
    steps, seen = workshop.steps(recipe, sources), []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            made: Made = end.value
            return made, seen
        between()


def opened(picture: bytes | None) -> Image.Image:
    """A picture, decoded."""
    with Image.open(io.BytesIO(picture or b"")) as image:
        image.load()
        return image


def texts(png: bytes | None) -> dict[str, str]:
    """The iTXt chunks of a PNG, read by hand; its checksums are held to what they say."""
    data, found, at = png or b"", {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        if kind == b"iTXt":
            key, _, said = body.partition(b"\0")
            found[key.decode()] = said[4:].decode()
        at += 12 + length
    return found
