"""Visualizations by HTTP: asked for, watched, shown, stopped; told what is wrong; kept private."""

import html
import io
import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from app.settings import ROOT
from app.studio.recipes import VISUALIZATIONS
from tests.asking import (
    ATLAS,
    CHANNEL,
    CLASS,
    LONG,
    MODEL,
    REBUILT,
    STRIP,
    ask,
    finish,
    made,
    state,
)
from tests.running import PATIENCE, Laterna, wait_until

SAMPLE = ROOT / "static" / "samples" / "rocket.jpg"
seeds = itertools.count(100)


@pytest.fixture
def client(server: Laterna) -> Iterator[httpx.Client]:
    """Somebody with a session of their own."""
    with server.client() as somebody:
        yield somebody


def events(client: httpx.Client, id: str, most: int = 1000) -> list[tuple[str, str]]:
    """The first of the stream's events, (name, data), until it ends."""
    told: list[tuple[str, str]] = []
    name, data = "", []
    with client.stream("GET", f"/visualizations/{id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif not line and name:
                told.append((name, "\n".join(data)))
                name, data = "", []
                if len(told) == most:
                    break
    return told


# Asking


def test_asked_as_json_it_waits_and_asked_again_it_is_there(client: httpx.Client) -> None:
    body = CHANNEL | {"seed": next(seeds)}
    answer = client.post("/visualizations.json", json=body)
    assert answer.status_code == 202
    assert set(answer.json()) == {"id", "state", "url"}
    assert answer.headers["location"] == answer.json()["url"]
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["id"])
    known = finish(client, answer.json()["id"])
    assert known["state"] == "done"
    again = client.post("/visualizations.json", json=body)
    assert again.status_code == 200
    assert again.json() == answer.json() | {"state": "done"}


def test_the_finished_one_tells_everything_that_made_it(client: httpx.Client) -> None:
    known = made(client, CLASS)
    for name in ("step", "steps", "scores", "recipe", "seconds", "device", "versions", "error"):
        assert name in known
    assert known["step"] == known["steps"] == 8 == len(known["scores"])
    assert known["recipe"]["class"] == 954
    assert known["recipe"]["model"] == MODEL
    assert re.fullmatch("[0-9a-f]{64}", known["weights_sha256"])
    page = html.unescape(client.get(known["url"]).text)
    for said in (known["weights_sha256"], known["device"], known["versions"]["torch"], "banana"):
        assert said in page
    assert 'http-equiv="refresh"' not in page
    assert "data-live" not in page


def test_a_form_leads_to_the_page_and_empty_fields_are_defaults(client: httpx.Client) -> None:
    form = {"kind": "channel", "model": "", "layer": "bn1", "channel": "6", "size": "64"}
    answer = client.post("/visualizations", data=form | {"steps": "8", "seed": ""})
    assert answer.status_code == 303
    address = answer.headers["location"]
    id = address.rpartition("/")[2]
    same = CHANNEL | {"channel": 6, "quality": "quick", "seed": 0, "model": MODEL}
    assert ask(client, same) == id
    assert finish(client, id)["state"] == "done"
    assert "Channel 6 of bn1" in client.get(address).text


def test_what_another_kind_needs_is_left_out(client: httpx.Client) -> None:
    every = {"layer": "x", "image": None, "class": 1, "unit": "neuron", "pictures": 3}
    asked = ask(client, every | CLASS)
    assert asked == ask(client, CLASS)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "kind", "one of class, channel, atlas, reconstruction, strip"),
    ({"kind": "dream"}, "kind", "one of class, channel, atlas, reconstruction, strip"),
    ({"kind": "class"}, "class", "must be given"),
    ({"kind": "class", "class": -1}, "class", "0 or more"),
    ({"kind": "class", "class": "banana"}, "class", "a whole number"),
    ({"kind": "channel", "layer": "bn1"}, "channel", "must be given"),
    (CHANNEL | {"quality": "best"}, "quality", "one of quick, fine"),
    (CHANNEL | {"unit": "x"}, "unit", "one of channel, neuron"),
    (CHANNEL | {"pictures": 5}, "pictures", "4 or less"),
    (CHANNEL | {"size": 8}, "size", "0 (by the quality) or from 32 to 512"),
    (CHANNEL | {"size": 4096}, "size", "512 or less"),
    (CHANNEL | {"steps": -1}, "steps", "0 or more"),
    (CHANNEL | {"seed": 2**40}, "seed", "2147483647 or less"),
    (CHANNEL | {"sed": 1}, "sed", "no such field"),
    (STRIP | {"layers": ["bn1"] * 9}, "layers", "8 entries at most"),
    (CHANNEL | {"layer": "x" * 500}, "layer", "200 characters at most"),
]


@pytest.mark.parametrize(("body", "field", "allowed"), WRONG)
def test_a_wrong_field_is_named_with_what_is_allowed(
    client: httpx.Client, body: dict[str, Any], field: str, allowed: str
) -> None:
    answer = client.post("/visualizations.json", json=body)
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert f"“{field}”" in message
    assert allowed in message
    form = {name: value for name, value in body.items() if value is not None}
    by_form = client.post("/visualizations", data=form)
    assert by_form.status_code == 422
    assert f"“{field}”" in by_form.text


OCCLUSION = {"kind": "occlusion", "image": "chelsea", "class": 1}
INDEX = {"kind": "index", "collection": "samples"}
PHOTO_MAP = {"kind": "map", "collection": "samples", "layer": "bn1"}
NUMBERS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "class": (CLASS, ("class", "size", "steps", "seed")),
    "channel": (CHANNEL, ("channel", "pictures", "size", "steps", "seed")),
    "atlas": (ATLAS, ("size", "steps", "seed")),
    "reconstruction": (REBUILT, ("size", "steps", "seed")),
    "strip": (STRIP, ("size", "steps", "seed")),
    "occlusion": (OCCLUSION, ("class", "window", "size", "steps", "seed")),
    "index": (INDEX, ("size", "steps", "seed")),
    "map": (PHOTO_MAP, ("size", "steps", "seed")),
}
NO_WHOLE_NUMBERS = ("true", "false", '"3"', '""', "3.0", "0.0", "1e3", "NaN", "Infinity", "null",
                    "[]", "{}", "[1]")  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_in_json_is_a_number_and_nothing_else(client: httpx.Client, kind: str) -> None:
    assert set(NUMBERS) == set(VISUALIZATIONS)
    body, fields = NUMBERS[kind]
    for field in fields:
        others = json.dumps({name: value for name, value in body.items() if name != field})
        for wrong in NO_WHOLE_NUMBERS:
            text = f'{others[:-1]}, "{field}": {wrong}}}'
            answer = client.post(
                "/visualizations.json", content=text, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 422, text
            message = answer.json()["error"]["message"]
            assert f"“{field}”" in message
            assert "whole number" in message


def test_a_form_says_numbers_in_digits(client: httpx.Client) -> None:
    form = {name: str(value) for name, value in CHANNEL.items()} | {"seed": "", "size": " 64 "}
    answer = client.post("/visualizations", data=form)
    assert answer.status_code == 303
    for wrong in ("true", "3.0", "1e3", "NaN", "٣"):
        answer = client.post("/visualizations", data=form | {"seed": wrong})
        assert answer.status_code == 422, wrong
        assert "“seed”" in answer.text


@pytest.mark.parametrize("wrong", [{"steps": "x"}, {"channel": 32}, {"name": "x", "path": "y"}])
def test_a_wrong_form_leads_back_to_itself(client: httpx.Client, wrong: dict[str, Any]) -> None:
    answer = client.post("/visualizations", data=CHANNEL | {"seed": 7} | wrong)
    assert answer.status_code in (404, 422)
    back = re.search(r'href="(/visualizations/new\?[^"]*)"', html.unescape(answer.text))
    assert back
    form = client.get(back[1])
    assert form.status_code == 200
    assert re.search(r'name="seed"[^>]*value="7"', form.text)
    for name, value in wrong.items():
        assert name not in CHANNEL or re.search(rf'name="{name}"[^>]*value="{value}"', form.text)


def test_a_form_at_an_address_with_nonsense_is_the_form(client: httpx.Client) -> None:
    assert client.get("/visualizations/new?name=x&path=y&self=z").status_code == 200


UNKNOWN = [
    (CHANNEL | {"model": "nonet"}, "unknown_model"),
    (CHANNEL | {"layer": "nowhere"}, "unknown_layer"),
    (CHANNEL | {"channel": 32}, "unknown_channel"),
    (CHANNEL | {"channel": 2**70}, "unknown_channel"),
    (CLASS | {"class": 1000}, "unknown_class"),
    (REBUILT | {"image": "0" * 32}, "unknown_image"),
    (STRIP | {"layers": ["bn1", "x"]}, "unknown_layer"),
]


@pytest.mark.parametrize(("body", "code"), UNKNOWN)
def test_what_is_not_there_is_a_404(client: httpx.Client, body: dict[str, Any], code: str) -> None:
    answer = client.post("/visualizations.json", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_a_network_without_weights_is_told_to_be_fetched(client: httpx.Client) -> None:
    answer = client.post("/visualizations.json", json=CLASS | {"model": "vgg19"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] in ("weights_not_fetched", "no_weights")


def test_what_cannot_be_read_is_a_400(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/visualizations.json", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("tail", ["", ".json", ".png", "/events", "/growth.webp", "/script.py"])
def test_an_unknown_one_is_a_404(client: httpx.Client, tail: str) -> None:
    assert client.get(f"/visualizations/{'0' * 32}{tail}").status_code == 404


def test_no_get_begins_anything(client: httpx.Client) -> None:
    """Every address that is described, as JSON and as a page, with all that one could ask for."""
    there = {"image": "chelsea", "model": MODEL, "layer": "bn1", "channel": "5", "class": "7"}
    asked = there | {"kind": "class", "steps": "8", "size": "64", "seed": "4242", "q": "banana"}
    paths = client.get("/openapi.json").json()["paths"]
    addresses = [path for path, methods in paths.items() if "get" in methods]
    before = jobs_by_state(client)
    visited = 0
    for address in addresses:
        filled = re.sub(r"\{(\w+)\}", lambda name: there.get(name[1], "0" * 32), address)
        if filled.endswith("/events"):
            continue
        for place in {filled, filled.removesuffix(".json")}:
            for method in ("GET", "HEAD"):
                visited += client.request(method, place, params=asked).status_code == 200
    assert visited > 40
    assert client.get("/visualizations/new", params=asked).status_code == 200
    assert client.get("/visualizations.json").json()["own"] == []
    assert jobs_by_state(client) == before


def jobs_by_state(client: httpx.Client) -> list[str]:
    lines = client.get("/metrics").text.splitlines()
    return [line for line in lines if line.startswith("laterna_jobs{")]


# Files


def test_its_files_can_be_had(client: httpx.Client) -> None:
    known = made(client, STRIP)
    picture = client.get(known["picture"])
    assert picture.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(picture.content)) as sheet:
        assert f'"model": "{MODEL}"' in sheet.info["Laterna recipe"]
        assert "coffee" not in str(sheet.info)
    again = client.get(known["picture"], headers={"If-None-Match": picture.headers["etag"]})
    assert again.status_code == 304
    with Image.open(io.BytesIO(client.get(f"{known['url']}/growth.webp").content)) as growth:
        assert growth.format == "WEBP"
        assert getattr(growth, "n_frames", 1) > 1
    assert [row["layer"] for row in known["layers"]] == STRIP["layers"]
    for row in known["layers"]:
        part = client.get(known["parts"][row["part"]])
        with Image.open(io.BytesIO(part.content)) as one:
            assert one.size == (224, 224)
    assert client.get(f"{known['url']}/parts/9.png").status_code == 404
    script = client.get(f"{known['url']}/script.py")
    assert script.headers["content-type"].startswith("text/x-python")
    compile(script.text, "script.py", "exec")


def test_an_atlas_leads_to_each_channel(client: httpx.Client) -> None:
    known = made(client, ATLAS)
    page = client.get(known["url"]).text
    for channel in range(32):
        assert f'href="/models/{MODEL}/layers/bn1/channels/{channel}"' in page


def test_a_damaged_picture_is_made_again_by_one_button(
    server: Laterna, client: httpx.Client
) -> None:
    known = made(client, CHANNEL, seed=next(seeds))
    before = client.get(known["picture"])
    (kept,) = server.data.rglob(before.headers["etag"].strip('"') + "*")
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    assert client.get(known["picture"]).status_code == 409
    assert state(client, known["id"]) == "unmade"
    page = client.get(known["url"]).text
    assert "no longer on this server" in page
    (form,) = re.findall(r'<form class="ask".*?</form>', page, re.DOTALL)
    assert "Make it again" in form
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form))
    answer = client.post("/visualizations", data=fields)
    assert answer.headers["location"] == known["url"]
    assert finish(client, known["id"])["state"] == "done"
    assert client.get(known["picture"]).content == before.content


# Stopping


def test_whoever_asked_can_stop_it_and_nobody_else(server: Laterna, client: httpx.Client) -> None:
    id = ask(client, LONG, seed=next(seeds))
    with server.client() as stranger:
        stranger.post("/visualizations.json", json=CHANNEL)  # has a session of their own
        answer = stranger.post(f"/visualizations/{id}/cancel.json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_asked")
        assert "Stop it" not in stranger.get(f"/visualizations/{id}").text
    wait_until(lambda: state(client, id) == "running")
    assert "Stop it" in client.get(f"/visualizations/{id}").text
    assert client.get(f"/visualizations/{id}.png").status_code == 409
    answer = client.post(f"/visualizations/{id}/cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/visualizations/{id}")
    wait_until(lambda: state(client, id) == "cancelled")
    page = client.get(f"/visualizations/{id}").text
    assert "It was stopped" in page
    assert "Make it after all" in page
    assert re.search(r">Steps<.*?</th><td>2,048<", page)
    done = made(client, CHANNEL)["id"]
    late = client.post(f"/visualizations/{done}/cancel.json")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "not_cancellable")
    assert client.post(f"/visualizations/{done}/cancel").status_code == 303


def test_two_who_want_it_leave_one_by_one(server: Laterna, client: httpx.Client) -> None:
    seed = next(seeds)
    id = ask(client, LONG, seed=seed)
    with server.client() as other:
        assert ask(other, LONG, seed=seed) == id
        assert client.post(f"/visualizations/{id}/cancel.json").status_code == 200
        assert state(other, id) in ("queued", "running")
        assert other.post(f"/visualizations/{id}/cancel.json").status_code == 200
        wait_until(lambda: state(other, id) == "cancelled")


def test_a_script_without_cookies_can_stop_its_own(server: Laterna) -> None:
    body = LONG | {"seed": next(seeds)}
    id = httpx.post(f"{server.url}/visualizations.json", json=body).json()["id"]
    answer = httpx.post(f"{server.url}/visualizations/{id}/cancel.json")
    assert answer.status_code == 200
    assert answer.json()["id"] == id


# Watching


def test_the_stream_begins_with_the_state_of_now_and_ends_by_name(client: httpx.Client) -> None:
    id = ask(client, CHANNEL, steps=80, size=160, seed=next(seeds))
    told = events(client, id)
    names = [name for name, _ in told]
    assert names[0] == "progress"
    assert names[-1] == "end"
    assert names.count("end") == 1
    assert 'data-state="done"' in told[-1][1]
    steps = [int(found) for _, data in told for found in re.findall(r'data-step="(\d+)"', data)]
    assert steps[:-2] == sorted(steps[:-2])
    previews = [data for _, data in told if "data:image/jpeg;base64," in data]
    assert len(set(previews)) > 1
    assert all("<html" not in data for _, data in told)


def test_who_comes_late_hears_that_it_is_done(client: httpx.Client) -> None:
    known = made(client, CHANNEL)
    assert [name for name, _ in events(client, known["id"])] == ["progress", "end"]


def test_the_first_paint_shows_the_state_and_needs_no_script(client: httpx.Client) -> None:
    id = ask(client, LONG, seed=next(seeds))
    wait_until(lambda: client.get(f"/visualizations/{id}.json").json()["step"] > 2)
    page = client.get(f"/visualizations/{id}").text
    assert "data:image/jpeg;base64," in page
    assert re.search(r"step \d+ of 2,048", page)
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    client.post(f"/visualizations/{id}/cancel")


# Privacy


def test_what_is_made_of_a_picture_is_as_private_as_it(server: Laterna) -> None:
    with server.client() as owner, server.client() as stranger:
        files = {"file": ("mine.jpg", SAMPLE.read_bytes(), "image/jpeg")}
        image = owner.post("/images.json", files=files).json()["id"]
        body = REBUILT | {"image": image}
        assert stranger.post("/visualizations.json", json=body).status_code == 404
        known = made(owner, body)
        tails = ("", ".json", ".png", "/events", "/growth.webp", "/script.py")
        for tail in tails:
            assert stranger.get(f"{known['url']}{tail}").status_code == 404, tail
        assert stranger.post(f"{known['url']}/cancel").status_code == 404
        assert known["id"] not in stranger.get("/visualizations").text
        assert known["id"] not in stranger.get("/visualizations.json").text
        assert known["id"] in owner.get("/visualizations").text
        owner.post(f"/images/{image}/share", data={"shared": "on"})
        for tail in tails:
            assert stranger.get(f"{known['url']}{tail}").status_code == 200, tail
        assert known["id"] not in stranger.get("/visualizations.json").text
        owner.post(f"/images/{image}/delete")
        assert owner.get(f"{known['url']}.json").status_code == 404
        assert known["id"] not in owner.get("/visualizations.json").text


def test_who_watches_a_shared_picture_sees_no_more_of_it_once_it_is_shared_no_more(
    server: Laterna,
) -> None:
    with server.client() as owner, server.client() as stranger:
        files = {"file": ("mine.jpg", SAMPLE.read_bytes(), "image/jpeg")}
        image = owner.post("/images.json", files=files).json()["id"]
        owner.post(f"/images/{image}/share", data={"shared": "on"})
        id = ask(owner, REBUILT, image=image, steps=2048, quality="fine")
        wait_until(lambda: owner.get(f"/visualizations/{id}.json").json()["step"] > 2)
        assert "data:image" in events(stranger, id, most=1)[0][1]
        with ThreadPoolExecutor() as aside:
            watching = aside.submit(events, stranger, id)
            wait_until(lambda: "laterna_watchers 0.0" not in owner.get("/metrics").text)
            owner.post(f"/images/{image}/share")
            told = watching.result(PATIENCE)
            assert state(owner, id) == "running", "it ended for the stranger alone"
            owner.post(f"/visualizations/{id}/cancel")
        assert [name for name, _ in told].count("end") == 0


# From where one is


def test_every_place_has_its_button(client: httpx.Client) -> None:
    places = {
        f"/models/{MODEL}/layers/bn1/channels/5": (
            "channel",
            "Visualize this channel (max-filter image)",
        ),
        f"/models/{MODEL}/layers/bn1": (
            "atlas",
            "Visualize all channels (layer atlas)",
        ),
        f"/models/{MODEL}/classes?q=banana": ("class", "banana"),
        f"/images/chelsea/models/{MODEL}/layers/bn1": ("reconstruction", "Reconstruct the picture"),
        f"/images/chelsea/models/{MODEL}/layers/bn1/channels/5": (
            "channel",
            "Visualize this channel",
        ),
    }
    client.get(f"/images/chelsea/models/{MODEL}.json")
    places[f"/images/chelsea/models/{MODEL}"] = ("strip", "Depth strip")
    for place, (kind, words) in places.items():
        page = client.get(place).text
        forms = re.findall(r'<form[^>]*action="/visualizations".*?</form>', page, re.DOTALL)
        assert any(f'value="{kind}"' in form and words in form for form in forms), place
    picture = client.get(f"/images/chelsea/models/{MODEL}").text
    assert re.search(r'<button[^>]*name="class" value="28\d"', picture), "each bar is a button"


def test_a_channels_page_shows_what_is_made_already(client: httpx.Client) -> None:
    address = f"/models/{MODEL}/layers/bn1/channels"
    known = made(client, {"kind": "channel", "layer": "bn1", "channel": 9})
    assert client.get(f"{address}/9.json").json()["visualization_url"] == known["url"]
    assert f'src="{known["url"]}.png"' in client.get(f"{address}/9").text
    assert client.get(f"{address}/31.json").json()["visualization_url"] is None


def test_change_one_thing_has_everything_filled_in(client: httpx.Client) -> None:
    known = made(client, CHANNEL | {"channel": 0, "unit": "neuron", "seed": 3})
    page = html.unescape(client.get(known["url"]).text)
    found = re.search(r'href="(/visualizations/new\?[^"]*)"', page)
    assert found
    form = client.get(found[1]).text
    assert re.search(r'<option value="bn1" selected', form)
    assert re.search(r'name="channel"[^>]*value="0"', form)
    assert re.search(r'<option value="neuron" selected', form)
    for name, value in (("size", 64), ("steps", 8), ("seed", 3)):
        assert re.search(rf'name="{name}"[^>]*value="{value}"', form), name
    for kind in ("class", "atlas", "reconstruction", "strip"):
        assert client.get(f"/visualizations/new?kind={kind}").status_code == 200
    assert client.get("/visualizations/new?kind=x&layer=y&class=z&image=w").status_code == 200


def test_classes_are_searched_in_the_form(client: httpx.Client) -> None:
    address = "/visualizations/new?kind=class&class=3"
    chosen = re.compile(r'type="radio" name="class" value="(\d+)"')
    assert chosen.findall(client.get(address).text)[:3] == ["3", "0", "1"]
    assert chosen.findall(client.get(f"{address}&q=shark").text) == ["3", "2"]


def test_the_description_shows_what_can_be_asked(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    post = described["paths"]["/visualizations.json"]["post"]
    assert {"200", "202", "404", "409", "422", "429", "503"} <= set(post["responses"])
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    for kind, reference in schema["discriminator"]["mapping"].items():
        shown = described["components"]["schemas"][reference.rpartition("/")[2]]["examples"][0]
        assert shown["kind"] == kind


def test_who_asked_can_stop_it_however_much_they_asked_for_since(client: httpx.Client) -> None:
    client.get("/")
    first = ask(client, LONG, seed=next(seeds))
    stop = f'action="/visualizations/{first}/cancel"'
    try:
        assert stop in client.get(f"/visualizations/{first}").text
        for _ in range(61):
            later = ask(client, LONG, seed=next(seeds))
            client.post(f"/visualizations/{later}/cancel.json")
        assert stop in client.get(f"/visualizations/{first}").text
    finally:
        client.post(f"/visualizations/{first}/cancel.json")
    assert stop not in client.get(f"/visualizations/{first}").text
