"""Collections: which photos there are, what they show, whose they are, and when they changed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.archive import Archive
from app.errors import CollectionChanged, UnknownCollection, UnknownImage, UnknownPhoto
from app.settings import ROOT, Settings
from app.studio.collections import folders
from app.studio.collections.folders import Collections, is_theirs, mark

NAMES = {
    "n01440764_tench.jpg": ("tench", "n01440764"),
    "n02114367_timber_wolf.jpg": ("timber wolf", "n02114367"),
    "banana_0012.png": ("banana", None),
    "Granny Smith (3).webp": ("Granny Smith", None),
    "IMG_2034.jpg": (None, None),
    "2034.jpg": (None, None),
    "forest/x1.jpeg": ("forest", None),
    "n07753592_banana/n07753592_10.JPEG": ("banana", "n07753592"),
    "n07753592/n07753592_11.JPEG": ("n07753592", "n07753592"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Fall 2025"
    for name in (*NAMES, "README.md", ".hidden.jpg", ".trash/1.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = Archive(tmp_path / "data", 2**30)
    yield archive
    archive.close()


@pytest.fixture
def vectors(folder: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Collections:
    """Folders are looked at each time."""
    monkeypatch.setattr(folders, "FRESH_SECONDS", -1.0)
    return Collections(Settings(collections=(folder, folder.parent / "samples")), archive)


def keep(archive: Archive, owner: str, name: str) -> str:
    image = archive.keep_image(
        owner=owner, name=name, picture=name.encode(), preview=b"small", width=8, height=8,
        original=(8, 8), hours=1,
    )  # fmt: skip
    return image.id


def test_labels_come_from_the_names_of_files_and_folders(vectors: Collections) -> None:
    found = vectors.one("fall-2025", None)
    said = {photo.name: (photo.member.label, photo.member.wordnet) for photo in found.photos}
    assert said == NAMES
    assert [photo.n for photo in found.photos] == list(range(len(NAMES)))
    assert [photo.name for photo in found.photos] == sorted(NAMES)
    assert found.has_labels
    with pytest.raises(UnknownPhoto):
        found.photo(len(NAMES))


@pytest.mark.parametrize(
    "classes", [("normal", "stage 1", "stage 2"), ("0", "1", "10"), ("IMG", "photo_1", "photo 2")]
)
def test_the_name_of_a_folder_is_the_class_with_its_digits(
    archive: Archive, tmp_path: Path, classes: tuple[str, ...]
) -> None:
    for name in classes:
        (tmp_path / "classes" / name).mkdir(parents=True)
        (tmp_path / "classes" / name / "cat 12.jpg").write_bytes(b"x")
    found = Collections(Settings(collections=(tmp_path / "classes",)), archive)
    labels = [str(photo.member.label) for photo in found.one("classes", None).photos]
    assert sorted(labels) == sorted(name.replace("_", " ") for name in classes)


def test_of_too_many_photos_as_many_of_each_class_are_taken(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MOST_PHOTOS", 12)
    for n, name in enumerate(("ant", "bee", "cow")):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for k in range((40, 9, 3)[n]):
            (tmp_path / "classes" / name / f"{k:02}.jpg").write_bytes(b"x")
    taken = [
        Collections(Settings(collections=(tmp_path / "classes",)), archive).one("classes", None)
        for _ in range(2)
    ]
    labels = [photo.member.label for photo in taken[0].photos]
    assert labels == ["ant"] * 5 + ["bee"] * 4 + ["cow"] * 3
    assert taken[0].found == 52
    assert taken[0].digest == taken[1].digest
    assert [photo.n for photo in taken[0].photos] == list(range(12))


def test_a_collection_is_another_once_a_photo_comes_goes_or_changes(
    vectors: Collections, folder: Path
) -> None:
    digests = [vectors.one("fall-2025", None).digest]
    (folder / "new.jpg").write_bytes(b"new")
    digests.append(vectors.one("fall-2025", None).digest)
    (folder / "new.jpg").write_bytes(b"changed")
    digests.append(vectors.one("fall-2025", None).digest)
    (folder / "new.jpg").unlink()
    assert len(set(digests)) == 3
    assert vectors.one("fall-2025", None).digest == digests[0]


def test_what_was_asked_for_of_other_photos_is_not_made(vectors: Collections, folder: Path) -> None:
    recipe = vectors.one("fall-2025", None).index("tiny")
    assert len(vectors.members(recipe)) == len(NAMES)
    (folder / "new.jpg").write_bytes(b"new")
    with pytest.raises(CollectionChanged):
        vectors.members(recipe)


def test_a_folder_takes_no_name_that_is_taken(vectors: Collections) -> None:
    """And one that is not there has no photos, which is no failure."""
    names = [each.name for each in vectors.all(None)]
    assert names == ["fall-2025", "samples-2", "samples", "uploads"]
    assert vectors.one("samples-2", None).photos == ()
    with pytest.raises(UnknownCollection):
        vectors.one("Fall 2025", None)


def test_ones_own_pictures_are_ones_own(vectors: Collections, archive: Archive) -> None:
    first, second = keep(archive, "ada", "cat_1.jpg"), keep(archive, "ada", "cat_2.jpg")
    keep(archive, "bob", "dog.jpg")
    mine = vectors.one("uploads", "ada")
    assert [photo.member.image for photo in mine.photos] in ([first, second], [second, first])
    assert len(vectors.one("uploads", "bob").photos) == 1
    assert vectors.one("uploads", None).photos == ()
    recipe = mine.index("tiny")
    assert "ada" not in str(recipe.facts())
    assert is_theirs(recipe, "ada")
    assert not is_theirs(recipe, "bob")
    assert not is_theirs(recipe, None)
    assert {member.image for member in vectors.members(recipe)} == {first, second}
    assert mark("ada") != mark("bob")


def test_with_a_picture_goes_all_that_it_had_a_part_in(archive: Archive) -> None:
    first, second = keep(archive, "ada", "1.jpg"), keep(archive, "ada", "2.jpg")
    parts = {"conv.vectors": b"numbers of both"}
    archive.keep_result("k" * 64, {"n": 2}, None, "", None, parts, [first, second])
    archive.keep_result("l" * 64, {"n": 1}, None, "", None, {"conv.vectors": b"2"}, [second])
    before = archive.usage().total
    archive.delete_image(first)
    assert archive.result("k" * 64) is None
    assert archive.result("l" * 64) is not None
    assert archive.usage().total <= before - len(b"numbers of both")
    with pytest.raises(UnknownImage):
        archive.keep_result("m" * 64, {}, None, "", None, {}, [first, second])


def test_a_folder_with_a_comma_in_its_name_is_put_in_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them the server does not start, and says why."""
    both, plain = tmp_path / "cats, dogs", tmp_path / "birds"
    both.mkdir()
    plain.mkdir()
    for said in (f'{plain}, "{both}"', f'"{plain}","{both}",'):
        monkeypatch.setenv("LATERNA_COLLECTIONS", said)
        assert Settings().collections == (plain, both)
    for said in (f"{plain},{both}", f'"{plain},{both}', f'"{both}"x', str(tmp_path / "gone")):
        monkeypatch.setenv("LATERNA_COLLECTIONS", said)
        with pytest.raises(ValidationError, match="double quotes"):
            Settings()
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"LATERNA_COLLECTIONS": str(both), "LATERNA_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "cats" in done.stderr
    assert "Traceback" not in done.stderr
