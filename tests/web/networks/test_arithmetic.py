"""A layer's sums, with its own numbers in them, come to what was traced."""

import pytest

from app.web.networks import arithmetic
from tests.descriptions import described
from tests.running import Laterna


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "googlenet-2014", "inception_v3"])
def test_every_sum_on_a_layers_page_comes_to_what_was_traced(name: str) -> None:
    found = described(name)
    told = 0
    for layer in found["layers"]:
        traced = {
            "parameters": layer["parameters"],
            "work": layer["multiply_adds"],
            "field": layer["receptive_field"],
        }
        for line in arithmetic.sums(found, layer):
            if line.about in traced:
                assert line.total == traced[line.about], (layer["name"], line)
            told += bool(line.terms)
    assert told > 30


def test_a_layer_behind_a_bottleneck_leads_to_its_calculator() -> None:
    found = described("googlenet-2014")
    layer = next(each for each in found["layers"] if each["name"] == "inception_4a.b5")
    link = arithmetic.calculators(found, layer)["bottleneck"]
    assert link == "/calculators?map=14&deep=480&kernel=5&out=48&reduced=16#bottleneck"
    assert "auxiliary" in arithmetic.explaining(found)


def test_a_layer_tells_its_sums(server: Laterna) -> None:
    with server.client() as client:
        layer = client.get("/models/alexnet-2012/layers/conv1.json").json()
        sums = {line["about"]: line for line in layer["arithmetic"]}
        assert sums["output"]["terms"] == ["(227 − 11 + 2 · 0) / 4 + 1"]
        assert sums["parameters"]["total"] == layer["parameters"] == 34944
        page = client.get("/models/alexnet-2012/layers/conv1")
        assert "(227 − 11 + 2 · 0) / 4 + 1" in page.text
