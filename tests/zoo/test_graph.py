"""The drawn network: nodes, joins and boxes are those of the architecture."""

from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn

from app.zoo.architectures.googlenet import GoogLeNet
from app.zoo.catalogue import Catalogue
from app.zoo.described import BoxDescription, NodeDescription
from app.zoo.graph import Graph, graph_of
from app.zoo.keeper import describe
from app.zoo.tracing import PICTURE, traced


def drawn(module: nn.Module, side: int = 64) -> Graph:
    return graph_of(traced(module.to("meta").eval(), (3, side, side)), (3, side, side))


Row = TypeVar("Row", NodeDescription, BoxDescription)


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def outermost(graph: Graph) -> list[str]:
    return [row["id"] for row in (*graph.nodes, *graph.boxes) if row["box"] == ""]


@pytest.fixture(scope="module")
def catalogue(models: Path) -> Catalogue:
    return Catalogue(models)


def known(catalogue: Catalogue, name: str) -> Graph:
    return Graph(**describe(catalogue, name)["graph"])


def test_every_network_of_the_catalogue_folds_to_a_handful(catalogue: Catalogue) -> None:
    entries = [entry for entry in catalogue.entries() if not entry.problem]
    assert len(entries) > 15
    for entry in entries:
        said = describe(catalogue, entry.name)
        graph = Graph(**said["graph"])
        nodes, boxes = by_id(graph.nodes), by_id(graph.boxes)
        assert len(outermost(graph)) <= 14, entry.name
        layers = {layer["name"] for layer in said["layers"]}
        shown = {row["id"] for row in (*graph.nodes, *graph.boxes) if row["layer"]}
        assert shown == layers, entry.name
        places = {name: place for place, name in enumerate(nodes)}
        for node in graph.nodes:
            assert node["box"] in boxes or node["box"] == ""
            assert all(name in nodes for name in node["inputs"])
            assert all(places[name] < places[node["id"]] for name in node["inputs"]), node
            assert bool(node["inputs"]) == (node["id"] != PICTURE)
        for box in graph.boxes:
            assert box["box"] in boxes or box["box"] == ""
            assert box["nodes"] >= 1
        read = {name for node in graph.nodes for name in node["inputs"]}
        assert [name for name in nodes if name not in read] == [graph.nodes[-1]["id"]]


def test_an_inception_module_shows_its_four_branches_and_their_concatenation() -> None:
    graph = drawn(GoogLeNet(), 224)
    inside = [row for row in (*graph.nodes, *graph.boxes) if row["box"] == "inception_3a"]
    windows = sorted(tuple(row["window"]) for row in inside if row["kind"].startswith("conv"))
    assert windows == [(1, 1), (1, 1), (1, 1), (1, 1), (3, 3), (5, 5)]
    assert [row["window"] for row in inside if row["kind"] == "max pool"] == [(3, 3)]
    (join,) = [node for node in graph.nodes if node in inside and node["kind"] == "concatenation"]
    assert len(join["inputs"]) == 4
    assert join["shape"] == (256, 28, 28)
    assert len(inside) == 8


def test_a_residual_block_shows_its_shortcut(catalogue: Catalogue) -> None:
    graph = known(catalogue, "resnet50")
    boxes, nodes = by_id(graph.boxes), by_id(graph.nodes)
    assert {boxes[f"layer1.{n}"]["box"] for n in range(3)} == {"layer1"}
    inside = [row for row in graph.nodes if row["box"] == "layer1.1"]
    (join,) = [row for row in inside if row["kind"] == "sum"]
    assert join["inputs"] == ("layer1.1.bn3", "layer1.0.relu_2")
    assert boxes["layer1.1.conv1+"]["kind"] == "convolution + batch norm + ReLU"
    assert nodes["layer1.1.conv2"]["window"] == (3, 3)


def test_densenet_is_a_ladder(catalogue: Catalogue) -> None:
    """Nothing reads more than two things, and each concatenation has all that came before."""
    graph = known(catalogue, "densenet121")
    assert max(len(node["inputs"]) for node in graph.nodes) == 2
    joins = [node for node in graph.nodes if node["box"] == "features.denseblock1"]
    assert [node["shape"][0] for node in joins] == [96, 128, 160, 192, 224, 256]
    for earlier, later in pairwise(joins):
        assert earlier["id"] in later["inputs"]


class Odd(nn.Module):
    """A network as nobody has published it: two ways, a gate, and a module that joins."""

    class Both(nn.Module):
        def forward(self, one: Tensor, other: Tensor) -> Tensor:
            return torch.cat([one, other], 1)

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 5, padding=2)
        self.both = Odd.Both()
        self.head = nn.Linear(8, 2)

    def forward(self, picture: Tensor) -> Tensor:
        left, right = self.left(picture), self.right(picture)
        both = self.both(left * right.sigmoid(), left)
        result: Tensor = self.head(both.mean((2, 3)))
        return result


def test_joins_of_any_module_are_found() -> None:
    nodes = by_id(drawn(Odd()).nodes)
    (gate,) = [row for row in nodes.values() if row["kind"] == "product"]
    assert gate["inputs"] == ("left", "right")
    assert nodes["both"]["inputs"] == (gate["id"], "left")
    assert nodes["both"]["layer"]
    assert nodes["head"]["inputs"] == ("both",)
