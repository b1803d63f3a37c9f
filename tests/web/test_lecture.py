"""The lecture leads to what is there, whatever the usual network is, and says what is not."""

import html
import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.studio.lecture import depths, pictures
from tests.descriptions import described
from tests.running import laterna, wait_until
from tests.zoo.checkpoints import models_dir, toml

MODEL = "efficientnet-lite0"


@pytest.fixture(scope="module")
def own_models(tmp_path_factory: pytest.TempPathFactory, weights_folder: Path) -> Path:
    """Models as the program has them, and two checkpoints of one's own."""
    folder = models_dir(tmp_path_factory.mktemp("models"))
    owned = {
        "alexnet_conv": toml("laterna:alexnet-2012-convolutions", "[]"),
        "squeezenet1_1": toml("torchvision:squeezenet1_1"),
    }
    for name, said in owned.items():
        weights = (weights_folder / f"{name}.safetensors").resolve()
        (folder / "weights" / f"own-{name}.safetensors").symlink_to(weights)
        (folder / "weights" / f"own-{name}.toml").write_text(said, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("model", "shown", "noted"),
    [
        ("own-alexnet_conv", "own-alexnet_conv", "names no classes"),
        ("own-squeezenet1_1", "own-squeezenet1_1", ""),
        ("vgg16", "efficientnet-lite0", "is shown instead"),
        ("resnet18-untrained", "resnet18-untrained", ""),
    ],
)
def test_every_place_of_the_lecture_is_there_whatever_the_usual_network_is(
    own_models: Path, tmp_path: Path, model: str, shown: str, noted: str
) -> None:
    """The chapters look at layers that the network has, or say why they look at another."""
    places = {"LATERNA_MODELS_DIR": str(own_models), "LATERNA_DEFAULT_MODEL": model}
    with laterna(tmp_path / "data", **places) as running, running.client() as client:
        wait_until(lambda: len(client.get("/images.json").json()["samples"]) >= 8)
        wait_until(lambda: client.get(f"/models/{model}.json").status_code == 200)
        chapters = client.get("/lecture.json").json()["chapters"]
        page = client.get("/lecture").text
        for chapter in chapters:
            assert chapter["note"] in html.unescape(page)
            for place in chapter["places"]:
                assert _opens(client, place["url"]), place
    assert len(chapters) == 16
    assert any(noted in chapter["note"] for chapter in chapters)
    assert f"/models/{shown}/layers/" in page


def test_a_network_that_is_not_among_those_of_the_server_is_named_in_the_lecture(
    own_models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(own_models, folder, symlinks=True)
    listed = (folder / "catalogue.toml").read_text("utf-8").split("[[network]]")
    kept = [one for one in listed if "alexnet-2012" not in one and '"vgg16"' not in one]
    (folder / "catalogue.toml").write_text("[[network]]".join(kept), "utf-8")
    with (
        laterna(tmp_path / "data", LATERNA_MODELS_DIR=str(folder)) as running,
        running.client() as client,
    ):
        running.wait_until_ready()
        chapters = {one["name"]: one for one in client.get("/lecture.json").json()["chapters"]}
        assert "AlexNet" in chapters["alexnet"]["note"]
        assert chapters["alexnet"]["places"] == []
        assert [place["url"] for place in chapters["vgg"]["places"]] == ["/calculators#stacks"]
        for name in ("vgg", "googlenet"):
            for place in chapters[name]["places"]:
                assert _opens(client, place["url"]), place


def test_every_link_and_button_leads_to_something_on_a_fresh_data_folder(tmp_path: Path) -> None:
    """What must be made first is a button that has it made; links lead to pages with something."""
    with laterna(tmp_path / "data") as running, running.client() as client:
        running.wait_until_ready()
        page = client.get("/lecture").text.partition("<main")[2]
        links = [
            html.unescape(link) for link in re.findall(r'<a class="button" href="([^"]+)', page)
        ]
        assert len(links) > 15
        for link in links:
            assert _opens(client, link), link
            shown = client.get(link.partition("#")[0], follow_redirects=True).text
            assert "has not been run over these photos" not in shown, link
            assert 'id="form" class="wish"' not in shown, link
        asked = _places(client, "unmade")
        assert {place["ask"]["kind"] for place in asked} >= {
            "index", "class", "channel", "atlas", "strip", "reconstruction",
        }  # fmt: skip
        assert page.count('<form class="ask"') == len(asked)
        for place in asked:
            answer = client.post("/visualizations", data=place["ask"])
            assert answer.status_code == 303, place
            assert client.get(answer.headers["location"]).status_code == 200
        assert _places(client, "unmade") == []
        wait_until(lambda: any(one["ask"] is None for one in _places(client, "done", "bn1")))
        for place in _places(client, "running") + _places(client, "queued"):
            client.post(f"{place['made']}/cancel")


def test_the_lecture_wants_what_the_idle_machine_makes(tmp_path: Path) -> None:
    made = {(recipe.kind, recipe.facts().get("layer")) for recipe in pictures(described(MODEL))}
    with laterna(tmp_path / "data") as running, running.client() as client:
        running.wait_until_ready()
        asks = [place["ask"] for place in _places(client, "unmade")]
    assert {(ask["kind"], ask.get("layer")) for ask in asks if ask["kind"] != "index"} == made


@pytest.mark.parametrize("model", ["efficientnet-lite0", "resnet18", "googlenet-2014"])
def test_the_five_depths_begin_with_edges_and_end_late(model: str) -> None:
    network = described(model)
    names = [layer["name"] for layer in network["layers"]]
    sees = {layer["name"]: layer["receptive_field"] for layer in network["layers"]}
    found = depths(network)
    places = [names.index(name) for name in found]
    assert len(found) == 5
    assert places == sorted(set(places))
    assert sees[found[0]] == network["layers"][0]["receptive_field"]
    assert places[-1] > 0.75 * len(names)


def _places(client: httpx.Client, state: str, words: str = "") -> list[dict[str, Any]]:
    chapters = client.get("/lecture.json").json()["chapters"]
    places = [place for chapter in chapters for place in chapter["places"]]
    return [one for one in places if one["state"] == state and words in one["title"]]


def _opens(client: httpx.Client, address: str) -> bool:
    path, _, anchor = address.partition("#")
    answer = client.get(path, follow_redirects=True)
    return answer.status_code == 200 and (not anchor or f'id="{anchor}"' in answer.text)
