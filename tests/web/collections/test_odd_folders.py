"""A folder with all that folders may have in them, by address: pages, JSON, photos, the index."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.running import laterna

COLLECTION = "/collections/odd"
#: In the order of their names.
CLASSES = ("normal", "stage 1", "stage 2")


def photo(seed: int) -> bytes:
    """Noise of a colour."""
    file = io.BytesIO()
    noise = Image.effect_noise((90, 80), 20 + 9 * seed)
    Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180))).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of three photos and a broken one in the middle, among much else."""
    folder = tmp_path_factory.mktemp("folders") / "odd"
    for n, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for k in range(3):
            (folder / name / f"{k}.jpg").write_bytes(photo(4 * n + k))
    (folder / "stage 1" / "1.jpg").write_bytes(photo(5)[:300])
    (folder / "normal" / "0.jpg").rename(
        os.fsdecode(os.fsencode(folder) + b"/normal/bl\xe5b\xe6r\xe2\x80\xae.jpg")
    )
    with (folder / "huge.jpg").open("wb") as huge:
        huge.truncate(3_000_000_000)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "IMG_1.HEIC").write_bytes(b"x")
    (folder / "README.md").write_text("x")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = tmp_path_factory.mktemp("odd") / "data"
    server = laterna(data, LATERNA_COLLECTIONS=str(folder))
    with server as running, running.wait_until_ready().client() as client:
        yield client


@pytest.fixture(scope="module")
def told(client: httpx.Client) -> dict[str, Any]:
    said: dict[str, Any] = client.get(f"{COLLECTION}.json").raise_for_status().json()
    return said


def test_what_is_no_photo_is_counted_and_named(told: dict[str, Any], client: httpx.Client) -> None:
    unreadable = {note["name"]: note["code"] for note in told["unreadable"]}
    assert unreadable == {
        "gone.jpg": "leads_nowhere",
        "huge.jpg": "too_large",
        "pipe.jpg": "no_file",
    }
    assert told["unreadable_count"] == 3
    left_out = {note["name"]: note["code"] for note in told["left_out"]}
    assert left_out == {"IMG_1.HEIC": "heic", "README.md": "other_kind", "loop/": "seen_already"}
    assert told["found"] == len(told["photos"]) == 9
    page = client.get(COLLECTION).raise_for_status().text
    for note in (*told["unreadable"], *told["left_out"]):
        assert note["name"] in page
        assert note["reason"] in page
    listed = client.get("/collections.json").raise_for_status().json()["collections"][0]
    assert (listed["photos"], listed["unreadable_count"], listed["left_out_count"]) == (9, 3, 3)
    assert client.get("/collections").status_code == 200


def test_a_name_that_is_no_text_is_shown_all_the_same(
    told: dict[str, Any], client: httpx.Client
) -> None:
    first = next(row for row in told["photos"] if "bl" in row["name"])
    assert first["name"] == r"normal/bl\xe5b\xe6r\u202e.jpg"
    assert first["name"] in client.get(first["url"]).raise_for_status().text
    assert client.get(first["picture"]).raise_for_status().content[:2] == b"\xff\xd8"
    opened = client.post(f"{first['url']}/open")
    assert opened.status_code == 303


def test_no_part_of_a_name_turns_the_page(told: dict[str, Any], client: httpx.Client) -> None:
    for text in (str(told), client.get(COLLECTION).text):
        assert "\u202e" not in text
        assert not any("\ud800" <= sign <= "\udfff" for sign in text)


def test_a_folders_name_is_the_class_with_its_digits(told: dict[str, Any]) -> None:
    assert [row["label"] for row in told["photos"]] == [name for name in CLASSES for _ in range(3)]


def test_a_photo_that_goes_is_a_page_with_words(
    told: dict[str, Any], client: httpx.Client, folder: Path
) -> None:
    row = told["photos"][-1]
    path, away = folder / row["name"], folder.parent / "away.jpg"
    path.rename(away)
    os.mkfifo(path)  # in its place, before anybody looks again
    answer = client.get(row["picture"])
    path.unlink()
    away.rename(path)
    assert (answer.status_code, answer.json()["error"]["code"]) in (
        (404, "lost_photo"), (404, "unknown_photo"),
    )  # fmt: skip
