"""Collections: photos that belong together: the samples, one's own uploads, an administrator's
folders. Nothing is written to a folder; which photos there are is looked up again and again
(listing.py).
"""

import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from app.archive import Archive, KeptImage
from app.errors import CollectionChanged, UnknownCollection, UnknownPhoto
from app.settings import Settings
from app.studio import samples
from app.studio.collections.listing import File, Notes, evenly, listing, printable
from app.studio.recipes import CollectionIndex, Member, OfCollection

SAMPLES, UPLOADS = "samples", "uploads"
#: A folder is listed anew when the last look is so many seconds old.
FRESH_SECONDS = 3.0
#: And so many times as long as the look itself took: large folders are not looked at all the time.
PAUSE = 50.0
#: Photos of a collection; of more, as many of each class as of the others.
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
    """Photos in their order. whose: a hash of whose they are, "" for everybody's.

    found: how many photos there are, of which the first MOST_PHOTOS are taken evenly over classes.
    unreadable: what in its folder cannot be read; left_out: what there is no photo of a kind that
    is taken.
    """

    name: str
    title: str
    photos: tuple[Photo, ...]
    whose: str = ""
    found: int = 0
    unreadable: Notes = field(default_factory=Notes)
    left_out: Notes = field(default_factory=Notes)

    @cached_property
    def digest(self) -> str:
        """Which photos these are."""
        photos = [(photo.name, photo.stamp) for photo in self.photos]
        return hashlib.sha256(json.dumps(photos).encode()).hexdigest()[:32]

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
        self._largest = settings.upload_max_bytes
        self._looking = {name: threading.Lock() for name in self._folders}
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
        with self._looking[name]:  # all who come meanwhile share one look
            due, seen = self._seen.get(name, (0.0, None))
            began = time.monotonic()
            if seen is None or began > due:
                seen = _of_folder(name, self._folders[name], self._largest)
                _ = seen.digest  # so that nobody else hashes thousands of names
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


def _named(given: Sequence[Path]) -> dict[str, Path]:
    """Each folder by a name for addresses, made of its own."""
    found: dict[str, Path] = {}
    for path in given:
        folder = Path(os.path.realpath(path))  # Path.resolve raises where links go in a circle
        plain = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "photos"
        name, number = plain, 2
        while name in found or name in (SAMPLES, UPLOADS):
            name, number = f"{plain}-{number}", number + 1
        found[name] = folder
    return found


def _of_images(name: str, whose: str, images: list[KeptImage]) -> Collection:
    members = [_member(image) for image in images]
    taken = evenly([member.label for member in members], MOST_PHOTOS)
    photos = tuple(
        Photo(n, members[place], images[place].picture.name) for n, place in enumerate(taken)
    )
    return Collection(name, name, photos, whose, len(images))


def _member(image: KeptImage) -> Member:
    label, wordnet = _label(Path(image.name).stem)
    return Member(image.name, str(image.picture), label, wordnet, image.id)


def _of_folder(name: str, folder: Path, largest: int) -> Collection:
    """A folder's photos by name."""
    listed = listing(folder, largest)
    found = [(_of_file(file), file) for file in listed.files]
    taken = evenly([member.label for member, _ in found], MOST_PHOTOS)
    photos = tuple(Photo(n, found[k][0], _stamp(found[k][1])) for n, k in enumerate(taken))
    title = printable(folder.name)
    return Collection(name, title, photos, "", len(found), listed.unreadable, listed.left_out)


def _of_file(file: File) -> Member:
    plain = Path(file.name).stem
    label, wordnet = _class(file.folder) if file.folder else _label(plain)
    return Member(file.name, file.path, label, wordnet or _label(plain)[1])


def _stamp(file: File) -> str:
    """Changes whenever the file does, or what its folder's name is taken for."""
    # Digits at the end of such names were not read once: what was made then is of other classes.
    is_other = file.folder and _class(file.folder)[0] != _label(file.folder)[0]
    return f"{file.size} {file.changed}" + (f" {file.folder}" if is_other else "")


def _class(folder: str) -> tuple[str | None, str | None]:
    """(the class that a folder's name is, the WordNet id in it): its digits are part of it."""
    found = WORDNET.match(folder)
    wordnet = found[1].lower() if found else None
    if found and not (found[2] or "").strip("0123456789_- "):
        return wordnet, wordnet
    plain = (found[2] if found else folder).replace("_", " ").strip(" -")
    return plain or folder, wordnet


def _label(words: str) -> tuple[str | None, str | None]:
    """(what a file's name says that is shown, the WordNet id in it), as far as it does."""
    found = WORDNET.match(words)
    if found and not (found[2] or "").strip("0123456789_- "):
        return found[1].lower(), found[1].lower()
    name = found[2] if found else words
    numbered = NUMBERED.match(name)
    plain = (numbered[1] if numbered else name).replace("_", " ").strip(" -")
    is_known = any(sign.isalpha() for sign in plain) and plain.lower() not in NO_LABELS
    return (plain if is_known else None), (found[1].lower() if found else None)
