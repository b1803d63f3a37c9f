"""Listings: (an administrator's folder) -> the photos in it, and what in it is none, and why.

Nothing that lies in a folder costs more than itself: what cannot be read, is no file, or is of
another kind is noted by name and reason. Nothing is opened here. Links are followed, out of the
folder too; a folder that several lead to is looked at once, where it lies or, failing that, through
the first link by name.
"""

import errno
import os
import stat
import unicodedata
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: What uploads take, by the names that such files have.
PICTURES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"}
    | {".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".avif", ".avifs"}
)
HEIC = frozenset({".heic", ".heif", ".hif", ".heics", ".heifs"})
#: Entries that are looked at in one collection; the rest of a larger folder is left out.
MOST_LOOKED_AT = 500_000
#: Notes of either sort that are kept with their names, and signs of a name that are shown.
MOST_NOTED, LONGEST_NAME = 100, 160
#: Why something is no photo, where the system says why it cannot be read.
BY_ERROR = {
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.ENOENT: "gone",
    errno.ELOOP: "circle",
    errno.ENAMETOOLONG: "path_too_long",
}


@dataclass(frozen=True)
class Note:
    """Something in a folder that is no photo. name: to show; reason: a code, see web's notes.py."""

    name: str
    reason: str


@dataclass
class Notes:
    """Some things in a folder: how many, and the first of them that were met."""

    count: int = 0
    first: list[Note] = field(default_factory=list)

    def add(self, name: str, reason: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < MOST_NOTED:
            self.first.append(Note(shortened(printable(name)), reason))


@dataclass(frozen=True)
class File:
    """A photo in a folder.

    name: printable, with the folders within, none like another; folder: what the innermost of them
    is called, "" for none; path: as the system has it (os.fsencode gives its bytes).
    """

    name: str
    folder: str
    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """What is in a folder: its photos by name, what cannot be read, and what is no photo."""

    files: tuple[File, ...]
    unreadable: Notes
    left_out: Notes


@dataclass(frozen=True)
class _Inner:
    """A folder to look at. name: within the collection, "" or with a slash at its end."""

    name: str
    path: str


class _Look:
    """One look through a folder and all below it, without recursion."""

    def __init__(self, largest: int) -> None:
        self.unreadable, self.left_out = Notes(), Notes()
        self.found: list[tuple[str, str, os.stat_result]] = []
        self._largest = largest
        self._waiting: deque[_Inner] = deque()
        self._links: deque[_Inner] = deque()
        self._seen: set[tuple[int, int]] = set()
        self._looked_at, self._is_full = 0, False

    def through(self, folder: Path) -> None:
        """Look at everything: folders before links to folders, so that links lose to them."""
        self._waiting.append(_Inner("", str(folder)))
        while self._waiting or self._links:
            inner = (self._waiting or self._links).popleft()
            try:
                self._at(inner)
            except OSError as error:
                self.unreadable.add(inner.name or f"{folder.name}/", reason_of(error))
            if self._is_full:
                self.left_out.add(inner.name or f"{folder.name}/", "too_many_files")
                return

    def _at(self, inner: _Inner) -> None:
        known = Path(inner.path).stat()
        if (known.st_dev, known.st_ino) in self._seen:
            self.left_out.add(inner.name, "seen_already")
            return
        self._seen.add((known.st_dev, known.st_ino))
        entries: list[os.DirEntry[str]] = []
        try:
            with os.scandir(inner.path) as listed:
                for entry in listed:
                    if self._looked_at >= MOST_LOOKED_AT:
                        self._is_full = True
                        break
                    entries.append(entry)
                    self._looked_at += 1
        finally:  # those that were listed before it failed are photos all the same
            for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
                if not entry.name.startswith("."):
                    self._entry(entry, inner.name + entry.name)

    def _entry(self, entry: os.DirEntry[str], name: str) -> None:
        try:
            is_link = entry.is_symlink()
            if entry.is_dir(follow_symlinks=False):
                self._waiting.append(_Inner(f"{name}/", entry.path))
            elif is_link and stat.S_ISDIR(Path(entry.path).stat().st_mode):
                self._links.append(_Inner(f"{name}/", entry.path))
            else:
                self._file(entry.path, name)
        except OSError as error:
            self.unreadable.add(name, reason_of(error, _is_link(entry)))

    def _file(self, path: str, name: str) -> None:
        suffix = Path(name).suffix.lower()
        if suffix not in PICTURES:
            self.left_out.add(name, "heic" if suffix in HEIC else "other_kind")
            return
        found = Path(path).stat()
        reason = self._reason(found, path)
        if reason is None:
            self.found.append((name, path, found))
        else:
            self.unreadable.add(name, reason)

    def _reason(self, found: os.stat_result, path: str) -> str | None:
        """Why a file cannot be a photo, as far as can be said without opening it."""
        if not stat.S_ISREG(found.st_mode):
            return "no_file"
        if not found.st_size:
            return "empty"
        if found.st_size > self._largest:
            return "too_large"
        return None if os.access(path, os.R_OK) else "no_permission"


def listing(folder: Path, largest: int) -> Listing:
    """What is in a folder and those below it; hidden entries are left alone.

    largest: bytes that a photo may have. Raises nothing: a folder that is not there has no photos,
    and is noted.
    """
    look = _Look(largest)
    look.through(folder)
    files: list[File] = []
    taken: set[str] = set()
    for raw, path, found in sorted(look.found, key=lambda one: os.fsencode(one[0])):
        name = _unlike(printable(raw), taken)
        inner = printable(raw.rpartition("/")[0].rpartition("/")[2])
        files.append(File(name, inner, path, found.st_size, found.st_mtime_ns))
    return Listing(tuple(files), look.unreadable, look.left_out)


def printable(name: str) -> str:
    """A name from the disk as text that can be shown, sent and kept.

    Bytes that are no UTF-8 become "\\xe5"; control characters, marks that turn the direction of
    writing, and what else is not seen become their escapes. Names as they should be stay as they
    are.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(_sign(sign) for sign in text) if not text.isprintable() else text


#: They join or part letters of several scripts and of emojis, so they belong to what is read.
JOINERS = "\u200c\u200d"


def _sign(sign: str) -> str:
    kind = unicodedata.category(sign)
    is_unseen = kind in ("Cc", "Cf", "Cs", "Zl", "Zp") and sign not in JOINERS
    return sign.encode("unicode_escape").decode() if is_unseen else sign


def _unlike(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if another photo is called the same once it is shown."""
    plain, number = name, 2
    while name in taken:
        name, number = f"{plain} ~{number}", number + 1
    taken.add(name)
    return name


def shortened(name: str) -> str:
    """A name of at most LONGEST_NAME signs: its beginning and its end."""
    if len(name) <= LONGEST_NAME:
        return name
    half = LONGEST_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def reason_of(error: OSError, is_link: bool = False) -> str:
    """The code of why the system could not read something."""
    reason = BY_ERROR.get(error.errno or 0, "cannot_be_read")
    return "leads_nowhere" if reason == "gone" and is_link else reason


def _is_link(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink()
    except OSError:
        return False


def evenly(things: Sequence[str | None], most: int) -> list[int]:
    """The places of at most so many of these, as many of each thing as there are or as of others.

    Those of one thing are taken evenly over their order; if there are more things than places,
    things are. The same for the same photos, in rising order.
    """
    if len(things) <= most:
        return list(range(len(things)))
    places: dict[str | None, list[int]] = {}
    for place, thing in enumerate(things):
        places.setdefault(thing, []).append(place)
    rows = list(places.values())
    if len(rows) > most:
        rows = [rows[n] for n in _spread(len(rows), most)]
    rows.sort(key=len)
    kept: list[int] = []
    for n, row in enumerate(rows):  # the rarest first: what they leave, the others share
        share = min(len(row), (most - len(kept)) // (len(rows) - n))
        kept += [row[k] for k in _spread(len(row), share)]
    return sorted(kept)


def _spread(count: int, most: int) -> list[int]:
    """So many of the numbers below `count`, evenly."""
    return [k * count // most for k in range(most)]
