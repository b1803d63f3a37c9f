"""Further files of a result: they come, go and count together with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.archive import Archive, Result
from app.errors import DiskFull
from tests.archive.test_archive import MB, content, files_in, keep


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "data", 10 * MB)
    yield made
    made.close()


def kept(archive: Archive, key: str, parts: dict[str, bytes], image: str | None = None) -> Result:
    return archive.keep_result(key, {"key": key}, content(key), "image/png", image, parts)


def test_parts_come_back_by_name_and_count(archive: Archive) -> None:
    before = archive.usage().total
    kept(archive, "a", {"growth.webp": content("growth", 5000), "0.png": content("0")})
    result = archive.result("a")
    assert result is not None
    assert sorted(result.parts) == ["0.png", "growth.webp"]
    assert archive.part(result, "growth.webp") == content("growth", 5000)
    assert archive.part(result, "1.png") is None
    assert archive.read(result) == content("a")
    assert archive.usage().total - before >= 7000


def test_a_result_without_a_picture_may_have_parts(archive: Archive) -> None:
    result = archive.keep_result("a", {}, None, "image/png", None, {"x": b"1", "y": b"2"})
    assert (archive.part(result, "x"), archive.part(result, "y")) == (b"1", b"2")


def test_what_is_made_again_leaves_nothing_of_the_old(archive: Archive) -> None:
    kept(archive, "a", {"x": content("old"), "y": content("same")})
    result = kept(archive, "a", {"y": content("same"), "z": content("new")})
    assert archive.result("a") == result
    assert archive.part(result, "y") == content("same")
    assert len(files_in(archive)) == 3


def test_parts_go_with_the_picture_that_the_result_was_made_from(archive: Archive) -> None:
    image = keep(archive).id
    kept(archive, "a", {"x": content("x"), "shared": content("shared")}, image)
    other = kept(archive, "b", {"shared": content("shared")})
    archive.delete_image(image)
    assert archive.result("a") is None
    assert archive.part(other, "shared") == content("shared"), "somebody else has the same file"
    assert len(files_in(archive)) == 2
    archive.sweep()
    assert len(files_in(archive)) == 2


def test_parts_are_evicted_with_their_result(archive: Archive) -> None:
    for number in range(40):
        kept(archive, str(number), {"growth.webp": content(f"growth {number}", MB // 2)})
    on_disk = sum(path.stat().st_size for path in files_in(archive))
    assert on_disk <= archive.usage().total <= 10 * MB
    found = [number for number in range(40) if archive.result(str(number))]
    assert found == list(range(found[0], 40))
    assert len(files_in(archive)) == 2 * len(found)


def test_what_does_not_fit_leaves_nothing(archive: Archive) -> None:
    with pytest.raises(DiskFull):
        kept(archive, "a", {"x": content("x"), "large": bytes(11 * MB)})
    assert archive.result("a") is None
    assert files_in(archive) == set()


@pytest.mark.parametrize("harm", ["flip", "lose"])
def test_a_damaged_part_costs_the_whole_result(archive: Archive, harm: str) -> None:
    result = kept(archive, "a", {"x": content("x"), "y": content("y")})
    digest = result.parts["x"]
    file = archive.root / "blobs" / digest[:2] / digest
    if harm == "flip":
        file.write_bytes(content("z"))
    else:
        file.unlink()
    assert archive.part(result, "x") is None
    assert archive.result("a") is None
    assert files_in(archive) == set()


def test_a_part_that_was_lost_between_two_starts_is_noticed(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "data", 10 * MB)
    result = kept(archive, "a", {"x": content("x")})
    kept(archive, "b", {"x": content("y")})
    digest = result.parts["x"]
    archive.close()
    (archive.root / "blobs" / digest[:2] / digest).unlink()
    archive = Archive(tmp_path / "data", 10 * MB)
    assert archive.result("a") is None
    assert archive.result("b") is not None
    assert len(files_in(archive)) == 2
    archive.close()
