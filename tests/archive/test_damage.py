"""Files of the archive that are damaged, cut or gone: told in words, never used, never confused."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.archive import Archive, KeptImage
from app.archive.blobs import read_whole
from app.errors import LostImage, UnknownImage
from tests.archive.test_archive import MB, content, files_in, keep


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "data", 10 * MB)
    yield made
    made.close()


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flipped_with_its_times(path: Path) -> None:
    before = path.stat()
    flipped(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path) -> None:
    os.truncate(path, 10)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def grown(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"!")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARMS = [flipped, flipped_with_its_times, cut, emptied, grown, Path.unlink, replaced_by_a_folder]
Harm = Callable[[Path], None]


def old(image: KeptImage) -> KeptImage:
    """As after a while: files that were not written just now."""
    for file in (image.picture, image.preview):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    return image


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("which", ["picture", "preview"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_picture_whose_file_is_harmed_is_lost(
    archive: Archive, harm: Harm, which: str, is_known: bool
) -> None:
    kept, other = keep(archive), keep(archive, "dog")
    if is_known:
        assert archive.image(kept.id) == kept
    harm(getattr(kept, which))
    with pytest.raises(LostImage):
        archive.image(kept.id)
    with pytest.raises(LostImage):
        archive.read_picture(kept) if which == "picture" else archive.read_preview(kept)
    assert archive.images_of("anna") == [other]
    assert archive.image_or_lost(kept.id) == kept
    assert archive.read_picture(other) == content("dog")


def test_a_lost_picture_can_be_deleted_with_all_that_was_made_from_it(archive: Archive) -> None:
    kept = keep(archive)
    archive.keep_result("of cat", {}, content("grid"), "image/png", kept.id)
    flipped(kept.picture)
    archive.delete_image(kept.id)
    with pytest.raises(UnknownImage):
        archive.image_or_lost(kept.id)
    assert archive.result("of cat") is None
    assert files_in(archive) == set()


def test_a_picture_deleted_while_it_is_looked_at_is_unknown_not_damaged(archive: Archive) -> None:
    kept = keep(archive)
    archive.delete_image(kept.id)
    for read in (archive.read_picture, archive.read_preview):
        with pytest.raises(UnknownImage) as told:
            read(kept)
        assert told.type is UnknownImage


def test_a_file_that_comes_back_is_good_again(archive: Archive) -> None:
    kept = keep(archive)
    flipped(kept.picture)
    with pytest.raises(LostImage):
        archive.image(kept.id)
    flipped(kept.picture)
    assert archive.image(kept.id) == kept


@pytest.mark.parametrize("harm", HARMS[:-1])
@pytest.mark.parametrize("is_other", [True, False])
def test_a_sample_that_is_taken_anew_keeps_what_was_made_from_it(
    archive: Archive, harm: Harm, is_other: bool
) -> None:
    sample = keep(archive, id="coffee", hours=None)
    made = archive.keep_result("of coffee", {}, content("grid"), "image/png", "coffee")
    harm(sample.picture)
    again = keep(archive, "tea" if is_other else "cat", id="coffee", hours=None)
    assert archive.image("coffee") == again
    assert archive.read_picture(again) == content("tea" if is_other else "cat")
    assert archive.read(made) == content("grid")
    assert archive.result("of coffee") == made
    assert files_in(archive) == {again.picture, again.preview, made.path}
    assert archive.usage().total == 2102


def test_a_sample_lost_between_two_starts_keeps_what_was_made_from_it(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10 * MB)
    sample = keep(archive, id="coffee", hours=None)
    archive.keep_result("of coffee", {}, content("grid"), "image/png", "coffee")
    archive.close()
    sample.picture.unlink()
    archive = Archive(tmp_path, 10 * MB)
    with pytest.raises(LostImage):
        archive.image("coffee")
    assert keep(archive, id="coffee", hours=None).picture == sample.picture
    assert archive.result("of coffee") is not None
    archive.close()


@pytest.mark.parametrize("harm", HARMS[:-1])
@pytest.mark.parametrize("which", ["picture", "part"])
def test_a_result_is_whole_with_all_its_files_or_forgotten(
    archive: Archive, harm: Harm, which: str
) -> None:
    parts = {"x": content("x"), "y": content("y")}
    made = archive.keep_result("key", {}, content("grid"), "image/png", None, parts)
    assert archive.whole_result("key") == made
    digest = made.parts["y"] if which == "part" else made.digest
    assert digest is not None
    harm(archive.root / "blobs" / digest[:2] / digest)
    assert archive.whole_result("key") is None
    assert archive.result("key") is None
    assert files_in(archive) == set()


def test_each_state_of_a_file_is_read_once(archive: Archive) -> None:
    """A file that cannot be opened any more is still known to be whole, by its times."""
    kept = old(keep(archive))
    assert archive.image(kept.id) == kept
    before = kept.picture.stat()
    assert archive.image(kept.id) == kept
    after = kept.picture.stat()
    assert (after.st_atime_ns, after.st_ctime_ns) == (before.st_atime_ns, before.st_ctime_ns)


def test_what_another_process_reads_is_checked_by_its_name(archive: Archive) -> None:
    kept = keep(archive)
    assert read_whole(kept.picture) == content("cat")
    flipped(kept.picture)
    assert read_whole(kept.picture) is None
    assert read_whole(kept.picture.with_name("0" * 64)) is None
