"""The calculators compute what they are given, and stand beside the real networks' numbers."""

import pytest
import torch

from app.web.networks.calculators import AUXILIARY, HEADS, auxiliary_parameters, way
from app.zoo.architectures.googlenet import AuxiliaryHead
from tests.descriptions import described
from tests.running import Laterna


def test_heads_compared_are_those_of_the_networks() -> None:
    for name, layer, head in HEADS.values():
        found = described(name)
        layers = {each["name"]: each for each in found["layers"]}
        first = head.connected[0] if head.hidden else head.pooled
        assert layers[layer]["multiply_adds"] == first


def test_auxiliary_heads_have_the_parameters_that_the_calculator_says() -> None:
    for channels in AUXILIARY.values():
        with torch.device("meta"):
            head = AuxiliaryHead(channels, 1000)
        numbers = sum(parameter.numel() for parameter in head.parameters())
        assert auxiliary_parameters(channels) == numbers
    assert [way(block) for block in ("4a", "4d", "classifier")] == [12, 18, 22]


def test_calculators_compute_what_they_are_given(server: Laterna) -> None:
    with server.client() as client:
        lecture = client.get("/calculators.json").json()
        assert lecture["slide"]["output"] == 55
        assert lecture["stacks"]["wide_weights"] == 25
        assert lecture["stacks"]["small_weights"] == 18
        assert [row["sees"] for row in lecture["field"]] == [11, 19, 51, 67, 99, 131, 163]
        assert lecture["auxiliary"]["loss"] == pytest.approx(3.65)
        own = client.get("/calculators.json", params={"size": 224, "padding": 2, "wide": 7}).json()
        assert own["slide"] == {
            "output": 55, "rest": 1, "parameters": 34944, "multiply_adds": 105415200,
        }  # fmt: skip
        assert own["stacks"]["layers"] == 3
        use = client.get("/calculators.json?phase=use").json()
        assert use["auxiliary"]["loss"] == 2.0
        for wrong in ("size=0", "filter=much", "stack=3/0", "stack=a", "weight=nan", "hidden=-1"):
            refused = client.get(f"/calculators.json?{wrong}")
            assert refused.status_code == 422, wrong
            assert wrong.partition("=")[0] in refused.json()["error"]["message"]
        cleared = client.get("/calculators?size=&stack=")
        assert cleared.status_code == 200
        assert "(227 − 11" in cleared.text
        large = client.get("/calculators?size=9&filter=11")
        assert "larger than the map" in large.text
