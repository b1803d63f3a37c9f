"""The sample photos: free pictures that everybody sees, kept like uploads but for ever."""

import asyncio
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import app
from app.errors import UnknownImage

# The makers look at samples too, and run where there are no packages of the web.
if TYPE_CHECKING:
    from app.archive import Archive, KeptImage
    from app.studio.engine.decoders import Decoders

#: The owner of the samples: no session can have this name.
OWNER = ""
FOLDER = Path(app.__file__).parent.parent / "static" / "samples"


@dataclass(frozen=True)
class Sample:
    """A photo that ships with Laterna, and whom to thank for it."""

    id: str
    title: str
    credit: str
    licence: str
    source: str

    @property
    def file(self) -> Path:
        """The JPEG as it ships."""
        return FOLDER / f"{self.id}.jpg"


@cache
def all_samples() -> dict[str, Sample]:
    """All samples by their id, in the order they are shown."""
    rows = tomllib.loads((FOLDER / "samples.toml").read_text("utf-8"))["sample"]
    return {row["id"]: Sample(**row) for row in rows}


def kept(archive: "Archive") -> "list[KeptImage]":
    """The samples that are in the archive, in their order."""
    found = []
    for sample in all_samples():
        try:
            found.append(archive.image(sample))
        except UnknownImage:
            continue
    return found


async def take(archive: "Archive", decoders: "Decoders") -> None:
    """Bring the samples that are missing or damaged into the archive, one after another."""
    ready = {image.id for image in await asyncio.to_thread(kept, archive)}
    for sample in all_samples().values():
        if sample.id in ready:
            continue
        clean = await decoders.clean(await asyncio.to_thread(sample.file.read_bytes))
        await asyncio.to_thread(
            archive.keep_image,
            id=sample.id,
            owner=OWNER,
            name=sample.title,
            picture=clean.picture,
            preview=clean.preview,
            width=clean.width,
            height=clean.height,
            original=(clean.original_width, clean.original_height),
            hours=None,
        )
