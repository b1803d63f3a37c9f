"""One search leads to classes, layers, channels, networks, pictures and the lecture."""

import time
from typing import Any

import pytest

from app.settings import ROOT
from tests.running import Laterna

MODEL = "efficientnet-lite0"
JPEG = (ROOT / "static" / "samples" / "coffee.jpg").read_bytes()


def found(server: Laterna, q: str) -> list[dict[str, Any]]:
    with server.client() as client:
        answer = client.get("/search.json", params={"q": q})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["results"]
        return rows


@pytest.mark.parametrize(
    ("q", "kind", "url"),
    [
        ("banana", "class", f"/visualizations/new?kind=class&model={MODEL}&class=954&q=banana"),
        ("BLOCKS.2.0:17", "channel", f"/models/{MODEL}/layers/blocks.2.0/channels/17"),
        ("bn1 5", "channel", f"/models/{MODEL}/layers/bn1/channels/5"),
        ("blocks.2.0", "layer", f"/models/{MODEL}/layers/blocks.2.0"),
        ("vgg-16", "network", "/models/vgg16"),
        ("Chelsea", "image", "/images/chelsea"),
        ("collections", "page", "/collections"),
        ("transfer learning", "page", "/lecture"),
        ("bananna", "class", f"/visualizations/new?kind=class&model={MODEL}&class=954&q=banana"),
    ],
)
def test_the_first_that_is_found_is_what_was_meant(
    server: Laterna, q: str, kind: str, url: str
) -> None:
    first = found(server, q)[0]
    assert first["kind"] == kind
    assert first["url"].startswith(url)
    with server.client() as client:
        assert client.get(first["url"]).status_code == 200


def test_a_class_is_one_press_away(server: Laterna) -> None:
    ask = found(server, "volcano")[0]["ask"]
    with server.client() as client:
        answer = client.post("/visualizations", data=ask)
        assert answer.status_code == 303
        made = answer.headers["location"]
        page = client.get(made).text
        assert "volcano" in page.partition("<h1")[2].partition("</h1>")[0]
        client.post(f"{made}/cancel")


def test_nothing_too_much_or_too_far_is_found(server: Laterna) -> None:
    assert found(server, "  ") == []
    assert found(server, "qqqqzzzz") == []
    assert not [row for row in found(server, "bn1 99999") if row["kind"] == "channel"]
    many = found(server, "a")
    assert 8 < len(many) <= 24
    with server.client() as client:
        assert client.get("/search", params={"q": "x" * 81}).status_code == 422
        page = client.get("/search", params={"q": '"><script>'})
        assert page.status_code == 200
        assert "<script>" not in page.text.partition("<main")[2]


def test_strangers_do_not_find_a_picture(server: Laterna) -> None:
    with server.client() as owner:
        name = f"my {time.time_ns()}.jpg"
        answer = owner.post("/images", files={"file": (name, JPEG, "image/jpeg")})
        assert answer.status_code == 303
        mine = owner.get("/search.json", params={"q": name}).json()["results"]
        assert [row["title"] for row in mine] == [name]
    assert found(server, name) == []
