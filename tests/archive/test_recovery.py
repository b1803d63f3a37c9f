"""An index that is damaged, gone, old or too new: set aside, made anew of what can be read."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.archive import Archive
from app.archive.index import VERSION, Index
from app.errors import (
    DataUnusable,
    IndexBroken,
    NewerData,
    NotMade,
    SecretUnusable,
    UnknownImage,
)
from tests.archive.test_archive import MB, content, keep

PICTURES = 40


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with pictures and results, closed."""
    archive = Archive(tmp_path / "data", 10 * MB)
    for number in range(PICTURES):
        kept = keep(archive, number, id=f"{number:032x}", owner="anna")
        archive.keep_result(f"of {number}", {"n": number}, content(-number), "image/png", kept.id)
    archive.close()
    return tmp_path / "data"


def all_files(folder: Path) -> set[str]:
    """Every blob, wherever it lies."""
    return {path.name for path in folder.rglob("*") if len(path.name) == 64}


def garbage(index: Path) -> None:
    index.write_bytes(content("garbage", 40_000))


def cut_short(index: Path) -> None:
    os.truncate(index, index.stat().st_size // 2)


def cut_to_nothing(index: Path) -> None:
    os.truncate(index, 0)


def gone(index: Path) -> None:
    index.unlink()


def header_flipped(index: Path) -> None:
    data = bytearray(index.read_bytes())
    data[5] ^= 0xFF
    index.write_bytes(data)


def without_a_table(index: Path) -> None:
    with closing(sqlite3.connect(index)) as opened:
        opened.execute("DROP TABLE parts")
        opened.execute("CREATE TABLE parts (key TEXT)")
        opened.commit()


def without_a_column(index: Path) -> None:
    with closing(sqlite3.connect(index)) as opened:
        opened.execute("ALTER TABLE images DROP COLUMN shared")
        opened.commit()


def with_unreadable_facts(index: Path) -> None:
    with closing(sqlite3.connect(index)) as opened:
        opened.execute("UPDATE results SET facts = '{' WHERE key = 'of 3'")
        opened.commit()


HARMS = [garbage, cut_short, cut_to_nothing, gone, header_flipped, without_a_table,
         without_a_column, with_unreadable_facts]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_index_is_set_aside_and_no_file_is_deleted(
    data: Path, harm: Callable[[Path], None]
) -> None:
    before = all_files(data)
    harm(data / "index.sqlite")
    archive = Archive(data, 10 * MB)
    assert all_files(data) == before
    kept = archive.images_of("anna")
    if harm in (without_a_table, without_a_column, with_unreadable_facts):
        assert len(kept) == PICTURES
        assert archive.result("of 7") is not None
        assert (archive.result("of 3") is None) == (harm is with_unreadable_facts)
    for image in kept:
        assert archive.read_picture(image) == content(int(image.id, 16))
    assert archive.index.is_sound()
    keep(archive, "new")
    archive.close()
    if harm is not gone:
        assert len(list(data.glob("index.sqlite.damaged-*[0-9]"))) == 1
    again = Archive(data, 10 * MB)
    assert len(again.images_of("anna")) == len(kept) + 1
    again.close()


def test_a_flipped_byte_anywhere_never_stops_a_start_nor_costs_a_file(data: Path) -> None:
    index = data / "index.sqlite"
    whole, before = index.read_bytes(), all_files(data)
    for place in range(0, len(whole), len(whole) // 24):
        harmed = bytearray(whole)
        harmed[place] ^= 0x55
        index.write_bytes(harmed)
        try:
            archive = Archive(data, 10 * MB)
        except NewerData:
            assert 60 <= place < 64
            continue
        known = {image.id for image in archive.images_of("anna")}
        assert all(archive.image_or_lost(id) for id in known)
        assert before <= all_files(data)
        archive.close()
        for moved in data.glob("blobs.unclaimed-*/*"):
            moved.rename(data / "blobs" / moved.name[:2] / moved.name)


def test_data_of_a_newer_program_are_left_alone(data: Path) -> None:
    with closing(sqlite3.connect(data / "index.sqlite")) as opened:
        opened.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = (data / "index.sqlite").read_bytes()
    with pytest.raises(NewerData, match=f"version {VERSION + 1}"):
        Archive(data, 10 * MB)
    assert (data / "index.sqlite").read_bytes() == before


def test_what_breaks_while_it_runs_is_told_in_words(data: Path) -> None:
    archive = Archive(data, 10 * MB)
    assert archive.index.is_sound()
    with closing(sqlite3.connect(data / "index.sqlite")) as other:
        other.execute("ALTER TABLE images RENAME TO photos")
        other.commit()
    assert not archive.index.is_sound()
    with pytest.raises(IndexBroken):
        archive.images_of("anna")
    archive.close()


@pytest.mark.parametrize("harm", [garbage, gone])
def test_an_index_that_goes_while_it_runs_is_noticed(
    data: Path, harm: Callable[[Path], None]
) -> None:
    archive = Archive(data, 10 * MB)
    harm(data / "index.sqlite")
    assert not archive.index.is_sound()


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below", Path("/proc/laterna")):
        with pytest.raises(DataUnusable):
            Archive(folder, MB)


@pytest.mark.parametrize("size", [0, 1, 31, 33, 4096])
def test_a_secret_of_another_length_is_refused(data: Path, size: int) -> None:
    archive = Archive(data, 10 * MB)
    (data / "session.key").write_bytes(b"x" * size)
    with pytest.raises(SecretUnusable, match=f"{size} bytes"):
        archive.secret("session")
    assert (data / "session.key").stat().st_size == size
    archive.close()


def test_a_secret_that_is_no_file_is_refused(data: Path) -> None:
    archive = Archive(data, 10 * MB)
    (data / "session.key").mkdir()
    with pytest.raises(SecretUnusable):
        archive.secret("session")
    (data / "other.key").symlink_to("nowhere")
    with pytest.raises(SecretUnusable):
        archive.secret("other")
    archive.close()


# What is made of an index


def indexed(archive: Archive) -> None:
    """An index of two pictures, and what was made of it."""
    for name in ("cat", "dog"):
        keep(archive, name, id=name)
    archive.keep_result("index", {"kind": "index"}, None, "", None, {}, ["cat", "dog"])
    archive.keep_result(
        "near", {"kind": "neighbours", "index": "index"}, None, "", None, of="index"
    )


def test_what_was_made_of_an_index_goes_with_each_of_its_pictures(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10 * MB)
    indexed(archive)
    archive.delete_image("dog")
    assert archive.result("near") is None
    assert archive.result("index") is None
    with pytest.raises(NotMade):
        archive.keep_result("near", {}, None, "", None, of="index")
    archive.close()


def test_it_goes_with_a_picture_that_expires(tmp_path: Path) -> None:
    now = 1_000_000.0
    archive = Archive(tmp_path, 10 * MB, lambda: now)
    indexed(archive)
    now += 24 * 3600
    assert set(archive.sweep()) == {"cat", "dog"}
    assert archive.result("near") is None
    archive.close()


@pytest.mark.parametrize(
    "kind", ["neighbours", "neighbours of picture", "neighbour shares", "plane"]
)
def test_what_an_older_program_made_goes_too(tmp_path: Path, kind: str) -> None:
    archive = Archive(tmp_path, 10 * MB)
    indexed(archive)
    for key, index in (("old", "index"), ("lost", "an index that went with its picture")):
        archive.keep_result(key, {"kind": kind, "index": index}, None, "", None)
    archive.close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as opened:
        opened.execute("PRAGMA user_version = 0")
    archive = Archive(tmp_path, 10 * MB)
    assert archive.result("lost") is None
    old = archive.result("old")
    assert old is not None
    assert json.dumps(old.facts)
    archive.delete_image("cat")
    assert archive.result("old") is None
    with pytest.raises(UnknownImage):
        archive.image("cat")
    archive.close()


def test_a_stranger_who_looks_into_it_harms_nothing(tmp_path: Path) -> None:
    """Also after it was looked at whether it is sound: what is written then is seen by others."""
    path = tmp_path / "index.sqlite"
    code = (
        "import sqlite3, sys; index = sqlite3.connect(sys.argv[1]);"
        "print(index.execute('SELECT count(*) FROM blobs').fetchone()[0]); index.close()"
    )

    def seen_by_a_stranger() -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    index = Index(path)
    try:
        for count in range(3):
            assert index.is_sound()
            assert seen_by_a_stranger() == str(count)
            with index.change() as change:
                change.execute("INSERT INTO blobs VALUES (?, 1)", (f"{count:064}",))
    finally:
        index.close()
    assert seen_by_a_stranger() == "3"
