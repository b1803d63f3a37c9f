"""Side by side: equal colours are equal values, and the address holds both sides."""

import html
import io
import re
from typing import Any

import httpx
from PIL import Image

from app.vision.drawing.colors import CENTRE, DEAD, LAST
from tests.running import Laterna

MODEL = "efficientnet-lite0"
LAYER = "blocks.1.0.conv_pwl"
HERE = {"left_image": "chelsea", "left_model": MODEL, "left_layer": LAYER}


def reach(grid: dict[str, Any]) -> float:
    most: float = max(max(-row["min"], row["max"]) for row in grid["channels"])
    return most


def furthest(client: httpx.Client, address: str) -> int:
    """How far from zero the furthest entry of a signed sheet is; DEAD and above are signs."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.mode == "P"
        return max(abs(entry - CENTRE) for entry in set(picture.tobytes()) if entry < DEAD)


def test_a_trained_and_an_untrained_network_are_drawn_on_one_scale(server: Laterna) -> None:
    with server.client() as client:
        told = client.get("/side-by-side.json", params=HERE).json()
        left, right = told["left"], told["right"]
        assert right["model"] == f"{MODEL}-untrained", "what is left out is chosen"
        ends = [side["grid"]["scale"]["high"] for side in (left, right)]
        assert told["scale"]["high"] == max(ends)
        assert told["scale"]["peak"] == max(reach(left["grid"]), reach(right["grid"]))
        assert told["scale"]["beyond"] == sum(
            max(-row["min"], row["max"]) > max(ends)
            for side in (left, right)
            for row in side["grid"]["channels"]
        )
        assert told["scale"]["low"] == -told["scale"]["high"]
        steps = (LAST - CENTRE) / told["scale"]["high"]
        for side in (left, right):
            there = furthest(client, side["picture"])
            assert abs(there - min(reach(side["grid"]), max(ends)) * steps) <= 1.01, side["model"]
        own = client.get("/side-by-side.json", params=HERE | {"scale": "own"}).json()
        assert own["scale"] is None
        for side in (own["left"], own["right"]):
            assert furthest(client, side["picture"]) >= LAST - CENTRE - 1


def test_the_page_says_the_scale_why_a_sheet_is_dark_and_leads_to_the_swapped(
    server: Laterna,
) -> None:
    with server.client() as client:
        client.get("/side-by-side.json", params=HERE)
        page = html.unescape(client.get("/side-by-side", params=HERE).text)
        assert "The right sheet is that dark" in page
        assert "UNTRAINED" in page
        swapped = re.search(r'<a href="([^"]*)" data-swap', page)
        assert swapped is not None
        other = client.get(swapped.group(1).replace("/side-by-side?", "/side-by-side.json?")).json()
    assert (other["left"]["model"], other["right"]["model"]) == (f"{MODEL}-untrained", MODEL)


def test_a_layer_that_the_other_network_lacks_is_replaced_on_the_page_only(
    server: Laterna,
) -> None:
    asked = HERE | {"right_model": "squeezenet1_1-untrained", "right_layer": LAYER}
    with server.client() as client:
        page = client.get("/side-by-side", params=asked)
        network = client.get("/models/squeezenet1_1-untrained.json").json()
        refused = client.get("/side-by-side.json", params=asked)
    found = re.search(rf"has no layer {re.escape(LAYER)}; (\S+) is shown instead", page.text)
    assert found is not None
    names = [layer["name"] for layer in network["layers"]]
    assert 0 < names.index(found.group(1)) < len(names) - 1
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_layer")


def test_a_channel_that_one_side_lacks_is_said_not_to_be_there(server: Laterna) -> None:
    asked = HERE | {"right_layer": "blocks.2.0.conv_pwl", "channel": "39"}
    with server.client() as client:
        client.get("/side-by-side.json", params=asked)
        page = client.get("/side-by-side", params=asked)
    assert page.status_code == 200
    assert "Channel 39, not here: this layer has 24 channels" in page.text


def test_a_side_that_cannot_be_run_says_so_beside_the_other(server: Laterna) -> None:
    asked = HERE | {"right_model": "vgg19"}
    with server.client() as client:
        page = client.get("/side-by-side", params=asked)
        assert page.status_code == 200
        assert "weights of VGG-19 are not on this server" in page.text
        assert "right_model=vgg19-untrained" in page.text
        assert client.get("/side-by-side.json", params=asked).status_code == 409
        assert client.get("/side-by-side/left.png", params=asked).status_code == 200
        assert client.get("/side-by-side/right.png", params=asked).status_code == 409


def test_nobody_sees_anothers_picture_beside_their_own(server: Laterna) -> None:
    with server.client() as client:
        for path in ("/side-by-side", "/side-by-side.json", "/side-by-side/left.png"):
            answer = client.get(path, params=HERE | {"right_image": "not-mine"})
            assert answer.status_code == 404


def test_a_told_scale_is_said_with_what_goes_beyond_it(server: Laterna) -> None:
    grid = f"/images/chelsea/models/{MODEL}/layers/{LAYER}.json"
    with server.client() as client:
        own = client.get(grid).json()
        high = sorted(max(-row["min"], row["max"]) for row in own["channels"])[-3]
        told = client.get(grid, params={"high": high}).json()
        wrong = client.get(grid, params={"high": -1})
    assert (told["scale"]["mode"], told["scale"]["low"], told["scale"]["high"]) == (
        "told",
        -high,
        high,
    )
    assert told["scale"]["beyond"] == 2
    assert wrong.status_code == 422


def test_channels_apart_are_held_in_the_address_and_change_with_the_sides(server: Laterna) -> None:
    asked = HERE | {"right_layer": "blocks.2.0.conv_pwl", "channel": "3", "right_channel": "39"}
    with server.client() as client:
        client.get("/side-by-side.json", params=asked)
        page = html.unescape(client.get("/side-by-side", params=asked).text)
        alone = html.unescape(client.get("/side-by-side", params=asked | {"channel": ""}).text)
    assert 'data-channels=\'{"left": 3, "right": 39}\'' in page
    swapped = re.search(r'<a href="([^"]*)" data-swap', page)
    assert swapped is not None
    assert "&channel=39" in swapped.group(1)
    assert "right_channel=3" in swapped.group(1)
    turned = re.search(r'<a href="([^"]*)" data-swap', alone)
    assert turned is not None
    assert "&channel=39" in turned.group(1)
    assert "right_channel" not in turned.group(1)


def test_a_channel_that_no_side_has_is_404_in_every_form(server: Laterna) -> None:
    beyond = (
        {"channel": "40"},
        {"right_channel": "99999"},
        {"channel": "24", "right_channel": "3"},
    )
    with server.client() as client:
        for channels in beyond:
            for path in ("/side-by-side", "/side-by-side.json", "/side-by-side/left.png"):
                asked = HERE | {"right_layer": "blocks.2.0.conv_pwl"} | channels
                answer = client.get(path, params=asked, headers={"Accept": "application/json"})
                assert answer.status_code == 404, (path, channels)
                assert answer.json()["error"]["code"] == "unknown_channel"
