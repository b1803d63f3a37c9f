"""A folder with all that folders may have in them, by address: pages, JSON, photos, the index."""

import io
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.asking import MODEL, ask, finish, made
from tests.running import laterna

LAYER = "blocks.0.0.bn1"
INDEX = {"kind": "index", "model": MODEL}
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
    for name, photos in {"one": [1], "two": [1, 2], "same": [1, 1, 1], "none": []}.items():
        few = folder.parent / name
        few.mkdir()
        (few / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing of a picture")
        for n, seed in enumerate(photos):
            (few / f"cat {n}.jpg").write_bytes(photo(seed))
    for name, count in (("ant", 8000), ("bee", 4000)):
        (folder.parent / "many" / name).mkdir(parents=True)
        for n in range(count):
            (folder.parent / "many" / name / f"{n}.jpg").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = tmp_path_factory.mktemp("odd") / "data"
    folders = (folder, *(folder.parent / name for name in ("one", "two", "same", "none", "many")))
    server = laterna(data, LATERNA_COLLECTIONS=",".join(str(each) for each in folders))
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


def test_of_too_many_photos_it_is_said_how_many_are_taken(client: httpx.Client) -> None:
    said = client.get("/collections/many.json").raise_for_status().json()
    assert (len(said["photos"]), said["found"]) == (10_000, 12_000)
    assert Counter(row["label"] for row in said["photos"]) == {"ant": 6000, "bee": 4000}
    for address in ("/collections", "/collections/many"):
        assert "10,000 of 12,000" in client.get(address).raise_for_status().text


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


@pytest.fixture(scope="module")
def index(client: httpx.Client, told: dict[str, Any]) -> dict[str, Any]:
    """Looked through, while the folder is as it was."""
    return made(client, INDEX | {"collection": "odd"})


def test_a_photo_that_cannot_be_read_is_named_in_the_index(
    client: httpx.Client, index: dict[str, Any]
) -> None:
    said = client.get(f"{COLLECTION}/models/{MODEL}.json").raise_for_status().json()
    assert said["index"] == index["id"]
    (row,) = said["unreadable"]
    assert (row["name"], row["code"]) == ("stage 1/1.jpg", "damaged_picture")
    assert (said["photos"], said["unreadable_count"]) == (8, 1)
    page = client.get(f"{COLLECTION}/models/{MODEL}").raise_for_status().text
    assert row["name"] in page
    assert row["reason"] in page


def test_a_photo_that_cannot_be_read_has_no_neighbours_which_is_said(
    client: httpx.Client, index: dict[str, Any]
) -> None:
    """The one in the middle is broken, so another is shown to begin with; none leads to it."""
    url = f"{COLLECTION}/models/{MODEL}/layers/{LAYER}/neighbours"
    broken = next(row["n"] for row in index["photos"] if row.get("unreadable"))
    assert broken == len(index["photos"]) // 2
    for address in (f"{url}.json?photo={broken}", f"{url}?photo={broken}"):
        answer = client.get(address)
        assert answer.status_code == 409
        assert "could not be read" in answer.text
    error = client.get(f"{url}.json?photo={broken}").json()["error"]
    assert error["code"] == "unreadable_photo"
    usual = client.get(f"{url}.json").raise_for_status().json()
    assert usual["photo"]["photo"] != broken
    pages = [
        client.get(f"{url}{query}") for query in ("", *(f"?photo={broken + k}" for k in (-1, 1)))
    ]
    for page in pages:
        assert page.status_code == 200
        assert f"photo={broken}" not in page.text
    for address in ("map", "map.json"):
        assert (
            client.get(f"{COLLECTION}/models/{MODEL}/layers/{LAYER}/{address}").status_code == 200
        )
        answer = client.get(f"{COLLECTION}/models/{MODEL}/layers/{LAYER}/map?photo={broken}")
        assert answer.status_code == 409, "it has no place there"


@pytest.mark.parametrize("collection", ["one", "two", "same", "none"])
def test_few_photos_or_none_that_can_be_read_have_pages_too(
    client: httpx.Client, collection: str
) -> None:
    """Every page that is made from an index: of 1, 2, 3 like photos, and of a broken one alone."""
    own = f"/collections/{collection}/models/{MODEL}"
    made(client, INDEX | {"collection": collection})
    pages = [
        own,
        f"{own}/neighbours",
        f"{own}/layers/{LAYER}",
        f"{own}/layers/{LAYER}/neighbours",
        f"{own}/layers/{LAYER}/neighbours?image=chelsea",
        f"{own}/layers/{LAYER}/map",
    ]
    for address in pages:
        path, _, query = address.partition("?")
        for url in (address, f"{path}.json?{query}"):
            answer = client.get(url)
            assert answer.status_code < 500, (url, answer.text[:400])
    plane = client.get(f"{own}/layers/{LAYER}/map.json").json()
    assert all(-1 <= x <= 1 for row in plane["photos"] for x in row["place"])
    asked = {"kind": "map", "collection": collection, "model": MODEL, "layer": LAYER, "steps": 20}
    id = ask(client, asked)
    known = finish(client, id)
    if collection == "none":
        assert (known["state"], known["error"]["code"]) == ("failed", "empty_collection")
    else:
        assert known["state"] == "done", known["error"]
    plane = client.get(f"{own}/layers/{LAYER}/map.json?method=tsne").json()
    assert all(-1 <= x <= 1 for row in plane["photos"] for x in row["place"])
