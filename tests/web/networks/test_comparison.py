"""Networks compared: their numbers are those that torchvision and the papers state."""

import pytest

from app.web.networks.comparison import architecture
from tests.descriptions import described
from tests.running import Laterna

#: Parameters in millions, multiply-adds in 10^9, layers deep.
STATED = {
    "alexnet": (61.1, 0.71, 8),
    "vgg16": (138.4, 15.5, 16),
    "googlenet": (6.6, 1.5, 22),
    "resnet50": (25.6, 4.1, 50),
    "googlenet-2014": (7.0, 1.6, 22),
    "densenet121": (8.0, 2.8, 121),
}


@pytest.mark.parametrize("name", STATED)
def test_the_numbers_are_those_stated_elsewhere(name: str) -> None:
    found = architecture(described(name))
    million, billion, deep = STATED[name]
    assert round(found.parameters / 1e6, 1) == million
    assert found.multiply_adds / 1e9 == pytest.approx(billion, abs=0.05 if billion > 1 else 0.005)
    assert found.depth == deep
    assert found.memory.weights == 4 * found.parameters
    assert sum(layer.parameters for layer in found.layers) == found.parameters


def test_networks_stand_beside_each_other(server: Laterna) -> None:
    with server.client() as client:
        three = client.get("/architectures.json").json()["models"]
        assert [each["name"] for each in three] == ["alexnet", "vgg16", "googlenet"]
        share = {each["name"]: each["head"] / each["parameters"] for each in three}
        assert share["alexnet"] > 0.9
        assert share["vgg16"] > 0.85
        assert share["googlenet"] < 0.2
        page = client.get("/architectures?models=resnet18&models=vgg11")
        assert page.status_code == 200
        assert len(page.content) < 130_000
        assert client.get("/architectures?models=none-such").status_code == 404
        assert client.get("/architectures?models=a,b,c,d,e,f,g").status_code == 422
