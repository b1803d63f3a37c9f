"""What a network is said to be is part of every result: said anew, everything is made anew."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from torchvision.models import squeezenet1_1

from app.settings import ROOT
from app.zoo.catalogue import Catalogue
from tests.asking import made
from tests.running import Laterna, laterna
from tests.zoo.checkpoints import RGB, models_dir, toml

ARCHITECTURE = "torchvision:squeezenet1_1"
LABELS = '["cat", "dog", "hen"]'
INDEX = {"kind": "index", "model": "pets", "collection": "samples"}
CLASS = {"kind": "class", "model": "pets", "class": 1, "steps": 2, "size": 64}
LAYER = "features.3"
PAGE = "/images/coffee/models/pets"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    """A server with a small network of its own, and with one of the catalogue's untrained."""
    models = models_dir(tmp_path_factory.mktemp("defined") / "models")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        state = squeezenet1_1(weights=None, num_classes=3).state_dict()
    torch.save(state, models / "weights" / "pets.pth")
    (models / "weights" / "pets.toml").write_text(toml(ARCHITECTURE, LABELS), "utf-8")
    data = tmp_path_factory.mktemp("data") / "data"
    with laterna(data, LATERNA_MODELS_DIR=str(models)) as running:
        yield running.wait_until_ready()


@pytest.fixture
def client(server: Laterna) -> Iterator[httpx.Client]:
    """A client of it; the network is as it was at first."""
    say(server)
    with server.client() as client:
        yield client
    say(server)


def say(server: Laterna, labels: str = LABELS, preprocessing: str = RGB) -> None:
    """Write anew what lies beside the weights, as an editor does: another file of this name."""
    said = Path(server.environment["LATERNA_MODELS_DIR"]) / "weights" / "pets.toml"
    beside = said.with_name("new")
    beside.write_text(toml(ARCHITECTURE, labels, preprocessing), "utf-8")
    beside.replace(said)


def said_by(client: httpx.Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json() if address.endswith(".json") else answer.content


RESULTS = [
    f"{PAGE}.json",
    f"{PAGE}/layers/{LAYER}.json",
    f"{PAGE}/layers/{LAYER}.png",
    f"{PAGE}/layers/{LAYER}/channels/3.json",
    f"{PAGE}/layers/{LAYER}/channels/3.png",
    f"{PAGE}/layers/{LAYER}/sheet.png",
    f"{PAGE}/statistics.csv",
    f"{PAGE}/thumbnails.png",
    f"{PAGE}/where.png?layer={LAYER}",
]
MEAN = RGB.replace("0.485", "0.1")
CHANGES = {
    "std": RGB.replace("0.229", "0.5"),
    "resize": RGB.replace("256", "320"),
    "crop": RGB.replace("224", "160"),
    "channels": RGB + 'channels = "BGR"\n',
    "interpolation": RGB + 'interpolation = "bicubic"\n',
    "range": RGB + "range = 255.0\n",
}


def made_of(client: httpx.Client, addresses: list[str]) -> dict[str, Any]:
    return {address: said_by(client, address) for address in addresses}


def test_another_preprocessing_gives_other_results_at_once(
    server: Laterna, client: httpx.Client
) -> None:
    before = made_of(client, RESULTS)
    say(server, preprocessing=MEAN)
    after = made_of(client, RESULTS)
    assert [address for address in RESULTS if before[address] == after[address]] == []
    say(server)
    assert made_of(client, RESULTS) == before


@pytest.mark.parametrize("change", CHANGES)
def test_every_field_of_the_preprocessing_counts(
    server: Laterna, client: httpx.Client, change: str
) -> None:
    grid = RESULTS[1]
    before = said_by(client, grid)
    say(server, preprocessing=CHANGES[change])
    assert said_by(client, grid)["channels"] != before["channels"]


def test_another_label_is_told_everywhere_at_once(server: Laterna, client: httpx.Client) -> None:
    assert {row["label"] for row in said_by(client, f"{PAGE}.json")["top"]} == {"cat", "dog", "hen"}
    old = made(client, CLASS)
    say(server, '["cat", "wolf", "hen"]')
    assert {row["label"] for row in said_by(client, f"{PAGE}.json")["top"]} == {
        "cat",
        "wolf",
        "hen",
    }
    assert "wolf" in client.get(PAGE).text
    new = made(client, CLASS)
    assert new["id"] != old["id"]
    assert (old["label"], new["label"]) == ("dog", "wolf")
    page = client.get(f"/visualizations/{old['id']}").text
    assert "dog" in page, "what was made then is told as it was then"
    assert "wolf" not in page


def test_an_index_is_of_the_network_as_it_is_said_to_be(
    server: Laterna, client: httpx.Client
) -> None:
    made(client, INDEX)
    address = "/collections/samples/models/pets.json"
    before = client.get(address).json()
    assert before["layers"]
    say(server, preprocessing=MEAN)
    assert client.get(address).json()["layers"] == []
    made(client, INDEX)
    assert client.get(address).json()["layers"] != before["layers"]


def test_a_network_that_no_longer_fits_is_not_ready_because_results_are_there(
    server: Laterna, client: httpx.Client
) -> None:
    said_by(client, f"{PAGE}.json")
    say(server, '["cat", "dog", "hen", "cow"]')
    answer = client.get(f"{PAGE}.json")
    assert answer.status_code == 409
    rows = {row["name"]: row for row in client.get("/models.json").json()["models"]}
    assert rows["pets"]["status"] == "unavailable"
    say(server)
    assert client.get(f"{PAGE}.json").status_code == 200


def test_the_catalogue_said_anew_gives_other_results_without_a_restart(
    server: Laterna, client: httpx.Client
) -> None:
    catalogue = Path(server.environment["LATERNA_MODELS_DIR"]) / "catalogue.toml"
    text = catalogue.read_text("utf-8")
    address = "/images/coffee/models/efficientnet-lite0.json"
    before = said_by(client, address)
    catalogue.write_text(text.replace("mean = [127.0, 127.0, 127.0]", "mean = [90, 90, 90]", 1))
    after = said_by(client, address)
    assert after["top"] != before["top"]
    assert after["weights_sha256"] == before["weights_sha256"]
    catalogue.write_text("this is [ no catalogue")
    assert said_by(client, address) == after, "as it was while it cannot be read"
    catalogue.write_text(text)
    assert said_by(client, address) == before


def test_what_is_shown_of_the_weights_is_their_hash(client: httpx.Client) -> None:
    facts = said_by(client, f"{PAGE}/layers/{LAYER}.json")
    assert re.fullmatch("[0-9a-f]{64}", facts["weights_sha256"])
    assert said_by(client, "/models/pets.json")["weights"]["sha256"] == facts["weights_sha256"]


def test_keys_of_the_catalogue_are_those_of_before() -> None:
    listed = [
        entry
        for entry in Catalogue(ROOT / "models").entries()
        if entry.file is None or not (entry.weights or "").startswith("file:")
    ]
    assert {entry.name: entry.definition for entry in listed if entry.definition} == {}
    assert {entry.untrained.definition for entry in listed} == {""}
