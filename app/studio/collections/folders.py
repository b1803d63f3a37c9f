"""Collections: photos that belong together: the samples, one's own uploads, an administrator's
folders. Nothing is written to a folder; which photos there are is looked up again and again.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.archive import Archive, KeptImage
from app.errors import CollectionChanged, UnknownCollection, UnknownPhoto
from app.settings import Settings
from app.studio import samples
from app.studio.recipes import CollectionIndex, Member, OfCollection

SAMPLES, UPLOADS = "samples", "uploads"
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"})
#: A folder is listed anew when the last look is so many seconds old.
FRESH_SECONDS = 3.0
#: And so many times as long as the look itself took: large folders are not looked at all the time.
PAUSE = 50.0
#: Photos of a collection, the first by name.
MOST_PHOTOS = 10_000
WORDNET = re.compile(r"(n\d{8})(?:[_-](.*))?$", re.IGNORECASE)
NUMBERED = re.compile(r"(.*?)[\s_-]*\(?\d+\)?$")
#: What cameras and programs call their pictures says nothing of what they show.
NO_LABELS = frozenset(
    {"img", "dsc", "dscf", "dscn", "pxl", "p", "mvi", "wp", "image", "photo", "picture", "scan"}
    | {"screenshot", "signal", "file"}
)


@dataclass(frozen=True)
class Photo:
    """One photo of a collection. stamp: changes whenever its file does."""

    n: int
    member: Member
    stamp: str

    @property
    def name(self) -> str:
        """The name of its file, with the folders within the collection."""
        return self.member.name


@dataclass(frozen=True)
class Collection:
    """Photos in their order. whose: a hash of whose they are, "" for everybody's."""

    name: str
    title: str
    photos: tuple[Photo, ...]
    whose: str = ""

    @cached_property
    def digest(self) -> str:
        """Which photos these are."""
        said = [(photo.name, photo.stamp) for photo in self.photos]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]

    @cached_property
    def numbers(self) -> dict[tuple[str, str | None], int]:
        """The number of each photo by its name, and its id where it is kept here."""
        return {(photo.name, photo.member.image or None): photo.n for photo in self.photos}

    @property
    def has_labels(self) -> bool:
        """Whether it is known of most photos what they show."""
        known = sum(photo.member.label is not None for photo in self.photos)
        return known * 2 > len(self.photos)

    def photo(self, n: int) -> Photo:
        """Raises UnknownPhoto."""
        if not 0 <= n < len(self.photos):
            raise UnknownPhoto(collection=self.name, photos=len(self.photos), number=n)
        return self.photos[n]

    def index(self, model: str) -> CollectionIndex:
        """The recipe of its index for a network."""
        return CollectionIndex(
            model=model, collection=self.name, photos=self.digest, whose=self.whose
        )


class Collections:
    """All collections that somebody may see."""

    def __init__(self, settings: Settings, archive: Archive) -> None:
        self._archive, self._folders = archive, _named(settings.collections)
        self._seen: dict[str, tuple[float, Collection]] = {}

    def all(self, owner: str | None) -> list[Collection]:
        """The administrator's folders, the samples, and one's own uploads."""
        return [self.one(name, owner) for name in (*self._folders, SAMPLES, UPLOADS)]

    def one(self, name: str, owner: str | None) -> Collection:
        """A collection as it is now. Raises UnknownCollection."""
        if name == SAMPLES:
            return _of_images(SAMPLES, "", samples.kept(self._archive))
        if name == UPLOADS:
            own = self._archive.images_of(owner) if owner else []
            return _of_images(UPLOADS, mark(owner), own[::-1])
        if name in self._folders:
            return self._folder(name)
        raise UnknownCollection(collection=name)

    def members(self, recipe: OfCollection) -> tuple[Member, ...]:
        """The photos that a recipe is of. Raises UnknownCollection, CollectionChanged."""
        owners = [row["owner"] for row in self._archive.index.rows(OWNERS)] if recipe.whose else []
        owner = next((owner for owner in owners if mark(owner) == recipe.whose), None)
        found = self.one(recipe.collection, owner)
        if (found.digest, found.whose) != (recipe.photos, recipe.whose):
            raise CollectionChanged(collection=recipe.collection)
        return tuple(photo.member for photo in found.photos)

    def _folder(self, name: str) -> Collection:
        due, seen = self._seen.get(name, (0.0, None))
        began = time.monotonic()
        if seen is None or began > due:
            folder = self._folders[name]
            seen = Collection(name, folder.name, tuple(_photos(folder)))
            now = time.monotonic()
            self._seen[name] = (now + FRESH_SECONDS + PAUSE * (now - began), seen)
        return seen


OWNERS = "SELECT DISTINCT owner FROM images"


def mark(owner: str | None) -> str:
    """What tells whose photos these are, and does not tell who that is."""
    return hashlib.sha256(f"collection of {owner}".encode()).hexdigest()[:32]


def is_theirs(recipe: OfCollection, owner: str | None) -> bool:
    """Whether somebody may see what is made from a collection."""
    return not recipe.whose or (owner is not None and recipe.whose == mark(owner))


def _named(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Each folder by a name for addresses, made of its own."""
    found: dict[str, Path] = {}
    for folder in folders:
        plain = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "photos"
        name, number = plain, 2
        while name in found or name in (SAMPLES, UPLOADS):
            name, number = f"{plain}-{number}", number + 1
        found[name] = folder.resolve()
    return found


def _of_images(name: str, whose: str, images: list[KeptImage]) -> Collection:
    photos = [
        Photo(n, _member(image), image.picture.name) for n, image in enumerate(images[:MOST_PHOTOS])
    ]
    return Collection(name, name, tuple(photos), whose)


def _member(image: KeptImage) -> Member:
    label, wordnet = _label(Path(image.name).stem)
    return Member(image.name, str(image.picture), label, wordnet, image.id)


def _photos(folder: Path) -> Iterator[Photo]:
    """The photos in a folder and those below it, by name; hidden ones are left alone."""
    for n, (name, found) in enumerate(sorted(_files(folder, ""))[:MOST_PHOTOS]):
        inner, _, file = name.rpartition("/")
        label, wordnet = _label((inner.rpartition("/")[2]) or Path(file).stem)
        if wordnet is None:
            wordnet = _label(Path(file).stem)[1]
        stamp = f"{found.stat().st_size} {found.stat().st_mtime_ns}"
        yield Photo(n, Member(name, found.path, label, wordnet), stamp)


def _files(folder: Path | str, inner: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from _files(entry.path, f"{inner}{entry.name}/")
                elif Path(entry.name).suffix.lower() in PICTURES and entry.is_file():
                    yield inner + entry.name, entry
    except OSError:
        return  # a folder that cannot be read has no photos for us


def _label(said: str) -> tuple[str | None, str | None]:
    """(what a name says that is shown, the WordNet id in it), as far as it does."""
    found = WORDNET.match(said)
    if found and not (found[2] or "").strip("0123456789_- "):
        return found[1].lower(), found[1].lower()
    name = found[2] if found else said
    numbered = NUMBERED.match(name)
    plain = (numbered[1] if numbered else name).replace("_", " ").strip(" -")
    is_known = any(sign.isalpha() for sign in plain) and plain.lower() not in NO_LABELS
    return (plain if is_known else None), (found[1].lower() if found else None)
