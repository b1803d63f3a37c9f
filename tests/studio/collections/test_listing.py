"""Folders: whatever lies in one costs only itself, and is counted and named."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import ROOT
from app.studio.collections import listing as module
from app.studio.collections.listing import (
    LONGEST_NAME,
    MOST_NOTED,
    Listing,
    evenly,
    listing,
    printable,
)

LARGEST = 1000
#: As a user who is not root, whom permissions do not stop: imports first, as it may not read ours.
AS_NOBODY = """
import json, os, sys
from pathlib import Path
from app.studio.collections.listing import listing
if os.getuid() == 0:
    os.setuid(65534)
found = listing(Path(sys.argv[1]), 1000)
print(json.dumps([[file.name for file in found.files],
                  {note.name: note.reason for note in found.unreadable.first}]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "cat").mkdir(parents=True)
    for name in ("dog.jpg", "cat/1.JPG"):
        (folder / name).write_bytes(b"a photo")
    return folder


def names(found: Listing) -> list[str]:
    return [file.name for file in found.files]


def unreadable(found: Listing) -> dict[str, str]:
    return {note.name: note.reason for note in found.unreadable.first}


def left_out(found: Listing) -> dict[str, str]:
    return {note.name: note.reason for note in found.left_out.first}


def test_what_is_no_ordinary_file_is_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(folder)  # such addresses may have a hundred signs
        listening.bind("socket.png")
        os.chdir(ROOT)
        (folder / "device.gif").symlink_to("/dev/zero")
        found = listing(folder, LARGEST)
    assert names(found) == ["cat/1.JPG", "dog.jpg"]
    assert unreadable(found) == dict.fromkeys(("pipe.jpg", "socket.png", "device.gif"), "no_file")
    assert left_out(found) == {"pipe": "other_kind"}


def test_what_is_empty_or_too_large_is_named(folder: Path) -> None:
    (folder / "empty.jpg").touch()
    with (folder / "huge.jpg").open("wb") as huge:
        huge.truncate(3_000_000_000)
    (folder / "just.jpg").write_bytes(bytes(LARGEST))
    found = listing(folder, LARGEST)
    assert names(found) == ["cat/1.JPG", "dog.jpg", "just.jpg"]
    assert unreadable(found) == {"empty.jpg": "empty", "huge.jpg": "too_large"}


def test_links_are_followed_once(folder: Path, tmp_path: Path) -> None:
    """Out of the folder too; a class folder may be a link, and no circle ends in more photos."""
    outside = tmp_path / "data" / "bird"
    outside.mkdir(parents=True)
    (outside / "wren.png").write_bytes(b"a photo")
    (outside / "back").symlink_to(folder, target_is_directory=True)
    (folder / "bird").symlink_to(outside, target_is_directory=True)
    (folder / "again").symlink_to(outside, target_is_directory=True)
    (folder / "zoo").symlink_to(folder / "cat", target_is_directory=True)
    (folder / "a photo too.jpg").symlink_to(folder / "dog.jpg")
    (folder / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    (folder / "no class").symlink_to(tmp_path / "gone", target_is_directory=True)
    (folder / "round.jpg").symlink_to(folder / "round.jpg")
    found = listing(folder, LARGEST)
    assert names(found) == ["a photo too.jpg", "again/wren.png", "cat/1.JPG", "dog.jpg"]
    assert found.files[1].folder == "again"
    assert unreadable(found) == {
        "nowhere.jpg": "leads_nowhere", "no class": "leads_nowhere", "round.jpg": "circle",
    }  # fmt: skip
    assert left_out(found) == dict.fromkeys(("again/back/", "bird/", "zoo/"), "seen_already")


def test_folders_may_lie_as_deep_as_the_system_lets_them(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(2500):  # deeper than Python recurses, and than a path may be long
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    deep = folder.joinpath(*["d"] * 1500)
    (deep / "deep.jpg").write_bytes(b"a photo")
    found = listing(folder, LARGEST)
    assert [name.rpartition("/")[2] for name in names(found)] == ["1.JPG", "deep.jpg", "dog.jpg"]
    assert list(unreadable(found).values()) == ["path_too_long"]
    assert all(len(name) <= LONGEST_NAME for name in unreadable(found))
    os.close(os.open(found.files[1].path, os.O_RDONLY))
    subprocess.run(["rm", "-rf", str(folder)], check=True)  # pytest recurses


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder for somebody who may not read all of it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in ("a.jpg", "b.jpg", "list/c.jpg", "list/inner/d.jpg", "shut/e.jpg", "z/f.jpg"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"a photo")
        folder.chmod(0o755)
        (folder / "b.jpg").chmod(0)
        (folder / "list").chmod(0o444)
        (folder / "shut").chmod(0o311)
        yield folder
        (folder / "list").chmod(0o755)
        (folder / "shut").chmod(0o755)


def test_what_may_not_be_read_costs_only_itself(locked: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(locked)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    photos, closed = json.loads(done.stdout)
    assert photos == ["a.jpg", "z/f.jpg"]
    assert closed == dict.fromkeys(("b.jpg", "shut/", "list/c.jpg", "list/inner/"), "no_permission")


def test_what_goes_while_it_is_listed_costs_only_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the system says to it: what is listed is looked at one by one afterwards."""
    (folder / "cat" / "2.jpg").write_bytes(b"a photo")
    found = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == "1.JPG":
            path.unlink(missing_ok=True)
        if path.name == "dog.jpg":
            raise OSError(116, "Stale file handle")
        return found(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    listed = listing(folder, LARGEST)
    assert names(listed) == ["cat/2.jpg"]
    assert unreadable(listed) == {"cat/1.JPG": "gone", "dog.jpg": "cannot_be_read"}
    gone = listing(folder.parent / "elsewhere", LARGEST)
    assert (names(gone), unreadable(gone)) == ([], {"elsewhere/": "gone"})


def test_names_are_printable_and_paths_stay_as_they_are(tmp_path: Path) -> None:
    raw = {
        b"bl\xe5b\xe6r.jpg": r"bl\xe5b\xe6r.jpg",
        b"\xed\xa0\x80.jpg": r"\xed\xa0\x80.jpg",
        b"a\nb\x1b[31m.jpg": r"a\nb\x1b[31m.jpg",
        "photo\u202egpj.jpg".encode(): r"photo\u202egpj.jpg",
        "line\u2028end.jpg".encode(): r"line\u2028end.jpg",
        "rødgrød 日本 👩‍🔬\u3000.jpg".encode(): "rødgrød 日本 👩‍🔬\u3000.jpg",
    }
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in raw:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(name)
    (folder / r"bl\xe5b\xe6r.jpg").write_bytes(b"called what the other is shown as")
    found = listing(folder, LARGEST)
    shown = {Path(file.path).read_bytes(): file.name for file in found.files}
    assert all(shown[name] == wanted for name, wanted in raw.items() if b"\xe5" not in name)
    assert len(set(shown.values())) == len(raw) + 1
    for text in shown.values():
        text.encode()
        assert printable(text) == text


def test_of_many_things_that_are_no_photos_some_are_named(folder: Path) -> None:
    for n in range(MOST_NOTED + 5):
        (folder / f"{n:03}.heic").write_bytes(b"x")
        (folder / f"{n:03}.jpg").touch()
    found = listing(folder, LARGEST)
    assert found.left_out.count == found.unreadable.count == MOST_NOTED + 5
    assert len(found.left_out.first) == len(found.unreadable.first) == MOST_NOTED
    assert found.left_out.first[0].reason == "heic"


def test_a_folder_without_end_is_looked_at_for_a_while(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 20)
    for n in range(40):
        (folder / f"{n:03}.jpg").write_bytes(b"x")
    found = listing(folder, LARGEST)
    assert 15 < len(found.files) <= 20
    assert found.left_out.first[-1].reason == "too_many_files"


@pytest.mark.parametrize("suffix", ["jfif", "JPE", "mpo", "jif", "apng", "dib", "TIF", "avif"])
def test_all_that_uploads_take_is_taken(folder: Path, suffix: str) -> None:
    (folder / f"new.{suffix}").write_bytes(b"x")
    assert f"new.{suffix}" in names(listing(folder, LARGEST))


def test_a_part_has_as_many_of_each_as_there_are() -> None:
    things: list[str | None] = [*"a" * 50, *"b" * 9, None, *"c" * 40, None]
    taken = evenly(things, 40)
    assert taken == sorted(set(taken)) == evenly(things, 40)
    assert Counter(things[place] for place in taken) == {"a": 15, "b": 9, "c": 14, None: 2}
    ends = [place for place in taken if things[place] == "a"]
    assert ends[0] < 5
    assert ends[-1] > 44
    assert evenly(things, 1000) == list(range(len(things)))
    classes: list[str | None] = [str(n) for n in range(100)]
    assert evenly(classes, 10) == list(range(0, 100, 10))
