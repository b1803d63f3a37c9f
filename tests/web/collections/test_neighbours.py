"""Neighbours and maps by address: of a person's own pictures, whose names say what they show."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from app.settings import ROOT
from tests.asking import MODEL, ask, finish, made
from tests.running import Laterna

THINGS, CUTS = ("chelsea", "coffee", "rocket"), ((0, 0), (40, 20), (80, 40))
OWN = f"/collections/uploads/models/{MODEL}"
LATE = "blocks.6.0"
INDEX = {"kind": "index", "collection": "uploads", "model": MODEL}
MAP = {"kind": "map", "collection": "uploads", "model": MODEL, "layer": LATE, "steps": 260}


def cut(thing: str, place: tuple[int, int]) -> bytes:
    """A part of a sample photo, as a JPEG."""
    with Image.open(ROOT / "static" / "samples" / f"{thing}.jpg") as picture:
        left, top = place
        part = picture.convert("RGB").crop((left, top, left + 220, top + 220))
    file = io.BytesIO()
    part.save(file, "JPEG", quality=92)
    return file.getvalue()


@pytest.fixture(scope="module")
def client(server: Laterna) -> Iterator[httpx.Client]:
    """Somebody with three pictures of each of three things, looked through by a network."""
    with server.client() as client:
        for thing in THINGS:
            for n, place in enumerate(CUTS):
                name = f"{thing} {n}.jpg"
                files = {"file": (name, cut(thing, place), "image/jpeg")}
                assert client.post("/images.json", files=files).status_code == 201
        made(client, INDEX)
        yield client


def get(client: httpx.Client, url: str) -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def code(client: httpx.Client, url: str) -> tuple[int, str]:
    answer = client.get(url)
    return answer.status_code, answer.json()["error"]["code"]


def test_the_share_is_that_of_the_neighbours_photo_by_photo(client: httpx.Client) -> None:
    said = get(client, f"{OWN}/neighbours.json")
    assert (said["by"], said["photos"], said["asked"]) == ("class", 9, 9)
    shares = {row["name"]: row["share"] for row in said["layers"]}
    assert said["chance"] == pytest.approx(5 * (2 / 8) / 2)
    layers = get(client, f"/models/{MODEL}.json")["layers"]
    assert list(shares) == [layer["name"] for layer in layers]
    for layer in (LATE, "bn1"):
        found = []
        for n in range(9):
            rows = get(client, f"{OWN}/layers/{layer}/neighbours.json?photo={n}")["by_features"]
            assert [row["likeness"] for row in rows] == sorted(
                (row["likeness"] for row in rows), reverse=True
            )
            assert {row["photo"] for row in rows} == set(range(9)) - {n}
            found.append(sum(row["same"] == "class" for row in rows[: said["count"]]) / 2)
        assert shares[layer] == pytest.approx(sum(found) / 9, abs=1e-6)
    assert shares[LATE] == 1


def test_a_picture_that_is_one_of_them_is_nearest_to_itself(client: httpx.Client) -> None:
    photos = get(client, "/collections/uploads.json")["photos"]
    own = photos[4]
    said = get(client, f"{OWN}/layers/{LATE}/neighbours.json?image={own['image']}")
    assert said["photo"] is None
    for way, same in (("by_features", 1.0), ("by_pixels", 0.0)):
        assert said[way][0]["photo"] == own["n"]
        assert said[way][0]["likeness"] == pytest.approx(same, abs=2e-3)
        assert said[way][0]["same"] is None
    sample = get(client, f"{OWN}/layers/{LATE}/neighbours.json?image=chelsea")
    assert {row["label"] for row in sample["by_features"][:3]} == {"chelsea"}


def test_pages_show_the_same_and_lead_on(client: httpx.Client) -> None:
    page = client.get(f"{OWN}/layers/{LATE}/neighbours?photo=0").text
    assert "2 of 8 show the same" in page
    assert page.count('class="same"') >= 2
    assert f"{OWN}/layers/{LATE}/neighbours?photo=1" in page
    assert f"{OWN}/layers/{LATE}/map" in page
    shares = client.get(f"{OWN}/neighbours").text
    assert f"{OWN}/layers/{LATE}/neighbours" in shares
    assert "100.0%" in shares
    drawn = client.get(f"{OWN}/layers/{LATE}/map?photo=4&group=coffee").text
    assert drawn.count("<use ") == 9
    assert drawn.count('class="lit"') + drawn.count('class="dim"') == 8
    assert len(drawn) < 130_000


def test_a_map_has_a_place_for_each_at_once_or_step_by_step(client: httpx.Client) -> None:
    said = get(client, f"{OWN}/layers/{LATE}/map.json")
    assert (said["method"], said["state"], len(said["photos"])) == ("pca", "done", 9)
    assert all(-1 <= value <= 1 for photo in said["photos"] for value in photo["place"])
    assert get(client, f"{OWN}/layers/{LATE}/map.json?method=tsne")["state"] == "none"
    assert 'value="map"' in client.get(f"{OWN}/layers/{LATE}/map?method=tsne").text
    known = finish(client, ask(client, MAP))
    assert known["state"] == "done", known["error"]
    assert known["steps"] == 260
    page = client.get(f"/visualizations/{known['id']}")
    assert page.status_code == 200
    assert f"{OWN}/layers/{LATE}/map?method=tsne" in page.text
    assert client.get(f"/visualizations/{known['id']}.png").status_code == 200
    for name in ("script.py", "notebook.ipynb"):
        answer = client.get(f"/visualizations/{known['id']}/{name}")
        assert answer.status_code == 409
        assert "there is no script" in answer.text


def test_what_cannot_be_is_said(client: httpx.Client, server: Laterna) -> None:
    assert code(client, f"{OWN}/layers/{LATE}/neighbours.json?photo=9") == (404, "unknown_photo")
    assert code(client, f"{OWN}/layers/nowhere/neighbours.json") == (404, "unknown_layer")
    assert code(client, f"{OWN}/layers/{LATE}/neighbours.json?image=nobody") == (
        404,
        "unknown_image",
    )
    assert client.get(f"{OWN}/layers/{LATE}/map.json?method=umap").status_code == 422
    untrained = OWN.replace(MODEL, f"{MODEL}-untrained")
    assert code(client, f"{untrained}/neighbours.json") == (409, "not_indexed")
    assert client.get(f"{untrained}/neighbours").headers["location"] == untrained
    with server.client() as stranger:
        assert code(stranger, f"{OWN}/neighbours.json") == (409, "not_indexed")
        answer = stranger.post("/visualizations.json", json=MAP)
        assert answer.json()["error"]["code"] == "empty_collection"
    wrong = client.post("/visualizations.json", json=MAP | {"layer": "nowhere"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (404, "unknown_layer")


def test_what_an_address_names_beyond_what_is_there_is_404(client: httpx.Client) -> None:
    map_page = f"{OWN}/layers/{LATE}/map"
    photo = "/collections/samples/photos/0"
    for url, wanted in {
        f"{map_page}?photo=9": "unknown_photo",
        f"{map_page}?photo=99999&group=": "unknown_photo",
        f"{map_page}?group=no-such-thing": "unknown_group",
        f"{OWN}/layers/{LATE}/neighbours?photo=9": "unknown_photo",
        f"{photo}?model={MODEL}&layer=nope": "unknown_layer",
        f"{photo}?model={MODEL}&layer=bn1&channel=99999": "unknown_channel",
        f"{photo}?model=nope&layer=bn1": "unknown_model",
        "/docs?of=GET /nope": "unknown_page",
    }.items():
        answer = client.get(url, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, wanted), url
    assert client.get(f"{map_page}?photo=8").status_code == 200


def test_with_a_picture_go_its_neighbours(client: httpx.Client) -> None:
    """The last test of these: the collection is another one afterwards."""
    id = ask(client, MAP)
    gone = get(client, "/collections/uploads.json")["photos"][0]["image"]
    assert client.delete(f"/images/{gone}").status_code in (200, 204)
    assert code(client, f"{OWN}/neighbours.json") == (409, "not_indexed")
    assert get(client, f"/visualizations/{id}.json")["state"] != "done"
