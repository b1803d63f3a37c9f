"""Filters beside those of the untrained twin, on a scale with its numbers."""

import pytest

from tests.running import Laterna


def test_filters_are_smoother_than_those_of_the_untrained_twin(server: Laterna) -> None:
    layer = "/models/efficientnet-lite0/layers/blocks.2.0.conv_dw"
    with server.client() as client:
        both = client.get(f"{layer}/filters.json").json()
        assert both["own"]["grain"] < both["noise"] - 0.2
        assert both["twin"]["grain"] == pytest.approx(both["noise"], abs=0.03)
        assert len(both["own"]["filters"]) == 144
        shared = client.get(f"{layer}/filters.json?scale=shared").json()
        assert shared["own"]["scale"] == shared["twin"]["scale"]
        assert client.get(shared["twin"]["picture"]).status_code == 200
        page = client.get(f"{layer}/filters?wait=1")
        assert page.text.count('class="pixels"') == 2
        assert f"{both['own']['grain']:.1%}" in page.text
        assert len(page.content) < 130_000


def test_a_deeper_filter_shows_its_inputs_strongest_first(server: Laterna) -> None:
    layer = "/models/efficientnet-lite0/layers/blocks.2.0.conv_pw"
    with server.client() as client:
        one = client.get(f"{layer}/filters.json?filter=3").json()
        norms = [row["norm"] for row in one["own"]["filters"]]
        assert norms == sorted(norms, reverse=True)
        assert len(norms) == 24
        assert one["own"]["grain"] is None, "a 1x1 has no grain"
        assert client.get(f"{layer}/filters.json?filter=144").status_code == 404
        page = client.get(f"{layer}/filters?filter=3&wait=1")
        assert page.status_code == 200
        assert "24 channels it reads" in page.text
        asked = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#numbers"}
        block = client.get(f"{layer}/filters?filter=3", headers=asked)
        assert block.text.strip().startswith('<div id="numbers"')
        assert block.text in page.text
        refused = client.get("/models/efficientnet-lite0/layers/bn1/filters.json")
        assert refused.json()["error"]["code"] == "no_filters"
