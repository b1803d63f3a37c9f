"""Own checkpoints in the running program: real ones work, bad and hostile ones harm nobody."""

import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import laterna
from tests.zoo.checkpoints import BGR, RGB, models_dir, toml

ALEXNET = "laterna:alexnet-2012-convolutions"
REAL = {
    "googlenet": toml("laterna:googlenet-2014", preprocessing=BGR.format(crop=224)),
    "squeezenet1_1": toml("torchvision:squeezenet1_1", preprocessing=BGR.format(crop=227)),
    "alexnet_conv": toml(ALEXNET, "[]", RGB.replace("crop = 224", "crop = 227")),
}


class Marker:
    """Pickled, it is a program that leaves a file behind when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, weights_folder: Path) -> Path:
    """A folder of models with the three real checkpoints and a handful of bad files."""
    folder = models_dir(tmp_path_factory.mktemp("models"))
    weights = folder / "weights"
    for name, said in REAL.items():
        (weights / f"own-{name}.safetensors").symlink_to(
            (weights_folder / f"{name}.safetensors").resolve()
        )
        (weights / f"own-{name}.toml").write_text(said, "utf-8")
    os.mkfifo(weights / "fifo.pth")
    (weights / "device.pth").symlink_to("/dev/zero")
    (weights / "empty.safetensors").touch()
    (weights / "code.pth").write_bytes(pickle.dumps(Marker(folder / "it-ran")))
    shutil.copy(weights_folder / "squeezenet1_1.safetensors", weights / "wrong.safetensors")
    (weights / "alone.pth").write_bytes(b"something")
    for name in ("fifo", "device", "empty", "code", "wrong"):
        (weights / f"{name}.toml").write_text(REAL["googlenet"], "utf-8")
    return folder


@pytest.fixture(scope="module")
def asked(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server that has these models."""
    data = tmp_path_factory.mktemp("own") / "data"
    with laterna(data, LATERNA_MODELS_DIR=str(models)) as server:
        server.wait_until_ready()
        with server.client() as client:
            yield client


def listed(client: httpx.Client) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in client.get("/models.json").json()["models"]}


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("own-googlenet", "inception_4a", [512, 14, 14]),
        ("own-squeezenet1_1", "features.0", [64, 113, 113]),
        ("own-alexnet_conv", "conv1", [96, 55, 55]),
    ],
)
def test_a_real_checkpoint_can_be_browsed(
    asked: httpx.Client, name: str, layer: str, shape: list[int]
) -> None:
    assert listed(asked)[name]["status"] == "ready"
    described = asked.get(f"/models/{name}.json").json()
    assert len(described["weights"]["sha256"]) == 64
    grid = asked.get(f"/images/coffee/models/{name}/layers/{layer}.json").json()
    assert grid["shape"] == shape
    assert grid["dead"] == sum(row["dead"] for row in grid["channels"])
    png = asked.get(f"/images/coffee/models/{name}/layers/{layer}.png")
    assert png.headers["content-type"] == "image/png"


def test_published_googlenet_knows_an_espresso(asked: httpx.Client) -> None:
    top = asked.get("/images/coffee/models/own-googlenet.json").json()["top"]
    assert top[0]["label"] == "espresso"


def test_a_network_without_classes_says_so(asked: httpx.Client) -> None:
    answer = asked.get("/images/coffee/models/own-alexnet_conv.json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_classifier")
    page = asked.get("/images/coffee/models/own-alexnet_conv")
    assert page.status_code == 200
    assert "convolution layers only" in page.text


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fifo", "not an ordinary file"),
        ("device", "not an ordinary file"),
        ("empty", "empty"),
        ("code", "holds code"),
        ("alone", ".toml"),
    ],
)
def test_a_bad_file_is_listed_with_its_reason(asked: httpx.Client, name: str, reason: str) -> None:
    row = listed(asked)[name]
    assert row["status"] == "unavailable"
    assert reason in row["note"]
    assert asked.get(f"/images/coffee/models/{name}.json").status_code == 409


def test_weights_of_another_network_are_found_out_and_listed(asked: httpx.Client) -> None:
    answer = asked.get("/images/coffee/models/wrong/layers/conv1.json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "model_unavailable")
    row = listed(asked)["wrong"]
    assert row["status"] == "unavailable"
    assert row["note"]


def test_no_code_of_a_file_ever_ran(asked: httpx.Client, models: Path) -> None:
    listed(asked)
    asked.get("/images/coffee/models/code.json")
    asked.get("/models/code.json")
    assert not (models / "it-ran").exists()


def test_a_checkpoint_dropped_in_appears_and_vanishes(asked: httpx.Client, models: Path) -> None:
    weights = models / "weights"
    for suffix in ("toml", "safetensors"):
        (weights / f"late.{suffix}").symlink_to(weights / f"own-googlenet.{suffix}")
    assert listed(asked)["late"]["status"] == "ready"
    (weights / "late.toml").unlink()
    (weights / "late.safetensors").unlink()
    assert "late" not in listed(asked)
    assert asked.get("/models/late.json").status_code == 404


def test_the_server_is_well_after_all_this(asked: httpx.Client) -> None:
    assert asked.get("/readyz").status_code == 200
    assert asked.get("/images/chelsea/models/efficientnet-lite0.json").json()["top"]
