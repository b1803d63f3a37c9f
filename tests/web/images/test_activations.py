"""Grids and maps by HTTP: picture and numbers agree, and the page shows what is known."""

import html
import io
import json
import re

from PIL import Image

from tests.running import Laterna

MODEL = "efficientnet-lite0"
GRID = f"/images/coffee/models/{MODEL}/layers/blocks.2.0.bn1"


def test_the_sheet_is_as_its_numbers_say(server: Laterna) -> None:
    with server.client() as client:
        facts = client.get(f"{GRID}.json").json()
        answer = client.get(f"{GRID}.png")
    assert answer.headers["content-type"] == "image/png"
    sheet = facts["sheet"]
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (sheet["width"], sheet["height"])
        for place, row in enumerate(facts["channels"]):
            x = sheet["gap"] + place % sheet["columns"] * (sheet["tile"] + sheet["gap"])
            high = sheet.get("tile_height", sheet["tile"])
            y = sheet["gap"] + place // sheet["columns"] * (high + sheet["gap"])
            tile = picture.convert("L").crop((x, y, x + sheet["tile"], y + high))
            if row["dead"]:
                assert len(tile.getcolors() or range(9)) <= 2, (
                    "a dead channel is a flat or hatched sign"
                )
    assert facts["dead"] == sum(row["dead"] for row in facts["channels"])
    assert {"min", "mean", "max", "share_active"} <= set(facts["channels"][0])


def test_sorting_orders_the_channels(server: Laterna) -> None:
    with server.client() as client:
        rows = client.get(f"{GRID}.json?sort=max").json()["channels"]
    assert [row["max"] for row in rows] == sorted((row["max"] for row in rows), reverse=True)


def test_a_page_has_its_numbers_in_it_once_they_are_known(server: Laterna) -> None:
    with server.client() as client:
        fresh = client.get(f"{GRID}?sort=mean").text
        facts = client.get(f"{GRID}.json?sort=mean").json()
        known = client.get(f"{GRID}?sort=mean").text
    if "data-facts" not in fresh:  # another test may have made it
        assert 'hx-trigger="load"' in fresh
        assert "<noscript><meta" in fresh
    compact = json.loads(html.unescape(re.search(r"data-facts='([^']*)'", known).group(1)))  # type: ignore[union-attr]  # absent is a failure
    assert [row[0] for row in compact["channels"]] == [row["channel"] for row in facts["channels"]]
    assert compact["sheet"] == facts["sheet"]
    assert 'http-equiv="refresh"' not in known


def test_a_picture_that_one_has_is_not_sent_again(server: Laterna) -> None:
    with server.client() as client:
        etag = client.get(f"{GRID}.png").headers["etag"]
        again = client.get(f"{GRID}.png", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert not again.content


def test_the_table_of_channels_is_paged_and_leads_to_each(server: Laterna) -> None:
    with server.client() as client:
        channels = client.get(f"{GRID}.json").json()["shape"][0]
        seen = set()
        for first in range(0, channels, 48):
            page = client.get(f"{GRID}?first={first}").text
            seen |= {int(n) for n in re.findall(r'<th scope="row"[^>]*><a[^>]*>(\d+)</a>', page)}
        assert seen == set(range(channels))
        last = client.get(f"{GRID}?first={channels - 1}").text
        assert '<details class="table" open>' in last
        assert client.get(f"{GRID}?first={channels}").status_code == 404
        went = client.get(f"{GRID}?channel=7")
        assert (went.status_code, went.headers["location"]) == (303, f"{GRID}/channels/7")


def test_a_map_is_one_channel_of_its_sheet(server: Laterna) -> None:
    with server.client() as client:
        facts = client.get(f"{GRID}.json").json()
        live = max(facts["channels"], key=lambda row: row["max"])
        one = client.get(f"{GRID}/channels/{live['channel']}.json").json()
        picture = client.get(f"{GRID}/channels/{live['channel']}.png?size=96")
    assert (one["max"], one["mean"], one["dead"]) == (live["max"], live["mean"], False)
    with Image.open(io.BytesIO(picture.content)) as image:
        assert max(image.size) <= 96 + 24


def test_a_channel_tells_which_samples_excite_it_most(server: Laterna) -> None:
    layer, channel = "blocks.1.0.bn1", 5
    with server.client() as client:
        base = f"/models/{MODEL}/layers/{layer}/channels/{channel}.json"
        path = f"/models/{MODEL}/layers/{layer}.json"
        largest = {}
        for image in client.get("/images.json").json()["samples"][-3:]:
            rows = client.get(f"{image['url']}{path}").json()["channels"]
            largest[image["id"]] = rows[channel]["max"]
        told = client.get(base).json()["images"]
    known = [image["id"] for image in told if image["max"] is not None]
    assert known == [image["id"] for image in told][: len(known)]
    assert known == sorted(largest, key=lambda id: -largest[id])
    assert {image["id"]: image["max"] for image in told[: len(known)]} == largest
    assert len(told) > len(known)


def test_untrained_networks_say_so_on_the_page(server: Laterna) -> None:
    path = "/images/coffee/models/squeezenet1_1-untrained"
    with server.client() as client:
        assert client.get(f"{path}.json").json()["trained"] is False
        assert "UNTRAINED" in client.get(path).text
        layers = client.get("/models/squeezenet1_1-untrained.json").json()["layers"]
        assert "UNTRAINED" in client.get(f"{path}/layers/{layers[0]['name']}").text


def test_a_network_without_its_weights_says_what_to_do(server: Laterna) -> None:
    with server.client() as client:
        answer = client.get("/images/coffee/models/vgg19.json")
        assert answer.status_code == 409
        assert answer.json()["error"]["message"]
        assert client.get("/models/vgg19").status_code == 200


def test_a_page_of_a_network_without_weights_waits_for_nothing(server: Laterna) -> None:
    with server.client() as client:
        layer = client.get("/models/vgg19.json").json()["layers"][0]["name"]
        pages = ("", f"/layers/{layer}", f"/layers/{layer}/channels/3")
        for tail in pages:
            answer = client.get(f"/images/coffee/models/vgg19{tail}")
            assert answer.status_code == 200
            assert "weights of VGG-19 are not on this server" in answer.text, tail
            assert f'href="/images/coffee/models/vgg19-untrained{tail}"' in answer.text
            assert 'http-equiv="refresh"' not in answer.text
            assert client.get(f"/images/coffee/models/vgg19{tail}.json").status_code == 409
        assert client.get(f"/images/coffee/models/vgg19{pages[1]}.png").status_code == 409


def test_filters_are_drawn_for_convolutions_only(server: Laterna) -> None:
    with server.client() as client:
        base = f"/models/{MODEL}/layers"
        for path in ("conv_stem/filters.png", "conv_stem/channels/3/filters.png"):
            assert client.get(f"{base}/{path}").headers["content-type"] == "image/png"
        answer = client.get(f"{base}/bn1/filters.png")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_filters")
        assert "filters.png" not in client.get(f"{base}/bn1").text
        assert "filters.png" in client.get(f"{base}/conv_stem").text


def test_a_legend_tells_no_numbers_where_every_channel_has_its_own_scale(server: Laterna) -> None:
    with server.client() as client:
        legends = {}
        for scale in ("layer", "channel"):
            client.get(f"{GRID}.json?scale={scale}")
            page = client.get(f"{GRID}?scale={scale}").text
            legends[scale] = re.search(r'<div class="legend">.*?</div>', page, re.DOTALL)
        facts = client.get(f"{GRID}/channels/7.json?scale=channel").json()
        own = client.get(f"{GRID}/channels/7?scale=channel").text
    assert legends["layer"] is not None
    assert legends["channel"] is not None
    assert "<span>" in legends["layer"].group()
    assert "Every channel has its own scale" in legends["channel"].group()
    assert "<span>" not in legends["channel"].group()
    assert facts["scale"]["mode"] == "channel"
    assert "Every channel has its own scale" not in own, "a single map has one scale, with numbers"
    assert re.search(r'<div class="legend">.*?<span>.*?</div>', own, re.DOTALL)


def test_the_table_leads_to_maps_in_the_same_scale_colours_and_order(server: Laterna) -> None:
    chosen = "scale=channel&colors=viridis"
    with server.client() as client:
        client.get(f"{GRID}.json?{chosen}&sort=max")
        page = html.unescape(client.get(f"{GRID}?{chosen}&sort=max").text)
    leads = re.findall(r'<th scope="row"[^>]*><a href="([^"]*)">(\d+)</a>', page)
    assert leads
    assert all(url == f"{GRID}/channels/{channel}?{chosen}&sort=max" for url, channel in leads)


def test_the_number_of_a_channel_leads_to_it_in_the_same_colours(server: Laterna) -> None:
    grid = "/images/chelsea/models/efficientnet-lite0/layers/conv_stem"
    with server.client() as client:
        asked = {"channel": "5", "scale": "channel", "sort": "max", "colors": "viridis"}
        answer = client.get(grid, params=asked)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{grid}/channels/5?scale=channel&colors=viridis&sort=max"
