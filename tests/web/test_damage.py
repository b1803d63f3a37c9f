"""Pictures whose files are damaged or gone: told in words wherever they are used, never a 500."""

import hashlib
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from PIL import Image

from app.web.site import ROUTERS
from tests.asking import CHANNEL, MODEL, REBUILT, made
from tests.running import Laterna, laterna, wait_until

LAYER = "blocks.0.0"
#: Every address that is of a picture.
OF_PICTURE = [
    route.path
    for part in ROUTERS
    for route in part.router.routes
    if isinstance(route, APIRoute) and "{image}" in route.path and "GET" in (route.methods or ())
]
#: Those that take one beside their path.
BESIDE = (
    "/side-by-side?left_image={image}",
    "/side-by-side.json?left_image={image}",
    "/side-by-side.json?right_image={image}",
    "/side-by-side/left.png?left_image={image}",
)
ADDRESSES = [*OF_PICTURE, *BESIDE]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    """A server whose files may come to harm."""
    with laterna(tmp_path_factory.mktemp("damage") / "data") as running:
        yield running.wait_until_ready()


def upload(client: httpx.Client, shade: int) -> str:
    """A picture that nobody else has; its id."""
    file = io.BytesIO()
    Image.radial_gradient("L").point(lambda value: (value + shade) % 256).save(file, "PNG")
    answer = client.post("/images.json", files={"file": file.getvalue()})
    assert answer.status_code == 201
    client.cookies.update(answer.cookies)
    return str(answer.json()["id"])


def files_of(server: Laterna, image: str) -> tuple[Path, Path]:
    """Where a picture and its preview lie."""
    with sqlite3.connect(server.data / "index.sqlite") as index:
        (row,) = index.execute("SELECT picture, preview FROM images WHERE id = ?", (image,))
    one, other = (server.data / "blobs" / digest[:2] / digest for digest in row)
    return one, other


def address(pattern: str, image: str) -> str:
    return pattern.format(image=image, model=MODEL, layer=LAYER, channel=3)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, 100)


def in_words(answer: httpx.Response) -> None:
    assert answer.status_code in (404, 410), (answer.url, answer.status_code, answer.text[:300])
    if "json" in answer.headers["content-type"]:
        assert answer.json()["error"]["code"] == "lost_image"
    assert "damaged or gone" in answer.text


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
def test_a_harmed_upload_is_told_in_words_at_every_address(
    own_server: Laterna, harm: Callable[[Path], None]
) -> None:
    """Looked at before or not, by page and by program."""
    with own_server.client() as client:
        image = upload(client, {flip: 40, cut: 80, Path.unlink: 120}[harm])
        for pattern in (OF_PICTURE[0], "/images/{image}.png"):
            assert client.get(address(pattern, image)).status_code == 200
        harm(files_of(own_server, image)[0])
        for pattern in ADDRESSES:
            in_words(client.get(address(pattern, image)))
        asked = client.post("/visualizations.json", json=REBUILT | {"image": image})
        in_words(asked)
        assert image not in client.get("/images.json").text
        assert client.get("/images").status_code == 200
        assert client.get("/visualizations/new?kind=reconstruction").status_code == 200
        assert client.get("/collections/uploads").status_code == 200
        assert client.delete(f"/images/{image}").status_code == 204
        assert client.get(f"/images/{image}.json").status_code == 404


def test_a_preview_that_is_harmed_is_told_in_words(own_server: Laterna) -> None:
    with own_server.client() as client:
        image = upload(client, 200)
        flip(files_of(own_server, image)[1])
        in_words(client.get(f"/images/{image}/preview.jpg"))
        assert image not in client.get("/images").text


def test_a_harmed_sample_comes_back_with_all_that_was_made_of_it(own_server: Laterna) -> None:
    """By itself: for everybody, without a new start."""
    with own_server.client() as client:
        before = client.get("/images/coffee.png").content
        known = made(client, REBUILT | {"image": "coffee"})
        grid = client.get(address("/images/{image}/models/{model}/layers/{layer}.png", "coffee"))
        for harm in (flip, Path.unlink):
            for file in files_of(own_server, "coffee"):
                harm(file)
            in_words(client.get("/images/coffee.json"))
            wait_until(lambda: client.get("/images/coffee.json").status_code == 200)
            assert client.get("/images/coffee.png").content == before
            assert client.get(known["url"]).status_code == 200
            assert client.get(str(grid.url)).content == grid.content


def test_a_job_whose_picture_was_harmed_meanwhile_is_told_in_words(own_server: Laterna) -> None:
    with own_server.client() as client:
        image = upload(client, 230)
        asked = client.post("/visualizations.json", json=REBUILT | {"image": image, "steps": 9})
        assert asked.status_code in (200, 202)
        flip(files_of(own_server, image)[0])
        for ending in ("", ".json", ".png", "/script.py", "/notebook.ipynb"):
            in_words(client.get(asked.json()["url"] + ending))


def test_results_that_are_harmed_are_made_again(own_server: Laterna) -> None:
    """At once where a device answers, by asking again where it is a job."""
    grid = address("/images/{image}/models/{model}/layers/{layer}.png", "rocket")
    with own_server.client() as client:
        for harm in (flip, cut, Path.unlink):
            before = client.get(grid)
            digest = before.headers["etag"].strip('"')
            harm(own_server.data / "blobs" / digest[:2] / digest)
            assert client.get(grid).content == before.content
        job = made(client, CHANNEL)
        growth = job["url"] + "/growth.webp"
        before = client.get(growth)
        digest = hashlib.sha256(before.content).hexdigest()
        flip(own_server.data / "blobs" / digest[:2] / digest)
        told = client.get(growth)
        assert told.status_code == 409
        assert "not made, or no longer there" in told.text
        assert client.get(job["url"]).status_code == 200
        assert made(client, CHANNEL)["state"] == "done"
        assert client.get(growth).status_code == 200
