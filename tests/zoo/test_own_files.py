"""Files as training programs leave them: what is in them is found, named, and never run."""

import collections
import pickle
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torchvision.models import squeezenet1_1

from app.errors import ModelUnavailable
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network, describe
from app.zoo.weights import Fitting, fitting_weights
from tests.zoo.checkpoints import models_dir, toml
from tests.zoo.test_catalogue import Evil

ARCHITECTURE = "torchvision:squeezenet1_1"
LABELS = '["cat", "dog", "hen"]'
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def module() -> nn.Module:
    """A small network with three classes, as somebody may have trained it."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network: nn.Module = squeezenet1_1(weights=None, num_classes=3).eval()
    return network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of models with what is said of one called "mine": its weights are to come."""
    models = models_dir(tmp_path / "models")
    said(models)
    return models


def said(models: Path, labels: str = LABELS, more: str = "") -> None:
    (models / "weights" / "mine.toml").write_text(more + toml(ARCHITECTURE, labels), "utf-8")


def loaded(models: Path) -> Network:
    return Keeper(Catalogue(models), "cpu", 2**30).network("mine")


def refused(models: Path) -> str:
    with pytest.raises(ModelUnavailable) as met:
        describe(Catalogue(models), "mine")
    return str(met.value.facts["reason"])


def fit(models: Path, module: nn.Module) -> Fitting:
    """What is taken of the file, once seen to be the weights of the module and nothing else."""
    found = fitting_weights(module, Catalogue(models).entry("mine"))
    wanted = module.state_dict()
    assert found.state.keys() == wanted.keys()
    assert all(torch.equal(found.state[key], value) for key, value in wanted.items())
    return found


def under(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + key: value for key, value in state.items()}


def compiled_inside(state: State) -> State:
    """As of a network of which only a part was compiled."""
    return {key.replace("features.", "features._orig_mod.", 1): it for key, it in state.items()}


def beside_others(state: State) -> State:
    """As of a training module that holds more than the network."""
    return under("model.")(state) | {"criterion.weight": torch.ones(3), "n": torch.ones(1)}


def averaged_beside(state: State) -> State:
    """Two copies, the second an average."""
    return under("ema.module.")({k: it * 0 for k, it in state.items()}) | under("net.")(state)


WRAPPED: dict[str, tuple[Callable[[State], State], str]] = {
    "in parallel": (under("module."), "module."),
    "in a training module": (under("model."), "model."),
    "compiled": (under("_orig_mod."), "_orig_mod."),
    "compiled in parallel": (under("module._orig_mod."), "module."),
    "nested": (under("model.backbone.net."), "model.backbone.net."),
    "compiled inside": (compiled_inside, "_orig_mod."),
    "beside others": (beside_others, "model."),
    "only averaged": (under("ema_model.module."), "ema_model.module."),
    "averaged beside": (averaged_beside, "net."),
}


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("kind", WRAPPED)
def test_what_wrappers_put_before_names_is_taken_off_and_told(
    folder: Path, module: nn.Module, kind: str, suffix: str
) -> None:
    wrap, prefix = WRAPPED[kind]
    state, file = wrap(module.state_dict()), folder / "weights" / f"mine.{suffix}"
    save = torch.save if suffix == "pth" else safetensors.torch.save_file
    save({key: value.clone() for key, value in state.items()}, file)
    assert fit(folder, module).prefix == prefix


def test_what_was_taken_is_told_with_the_network(folder: Path, module: nn.Module) -> None:
    state = under("module.")(module.state_dict())
    torch.save({"model_ema": state, "epoch": 3}, folder / "weights" / "mine.pth")
    told = describe(Catalogue(folder), "mine")["weights"]
    assert (told["part"], told["prefix"]) == ("model_ema", "module.")
    batch = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.allclose(loaded(folder)(batch), module(batch), rtol=1e-3, atol=1e-5)


def test_a_prefix_is_named_where_the_rest_does_not_fit(folder: Path, module: nn.Module) -> None:
    state = under("student.")(module.state_dict())
    torch.save(dict(list(state.items())[:-2]), folder / "weights" / "mine.pth")
    assert "“student.”" in refused(folder)
    torch.save(
        {"teacher.a.weight": torch.ones(1), "teacher.b": torch.ones(1)},
        folder / "weights" / "mine.pth",
    )
    assert "“teacher.”" in refused(folder)


class Settings:
    """A class of somebody's own program, which is not here when the file is read."""


def trained(state: State) -> dict[str, Any]:
    """What lies beside a network in a training checkpoint."""
    moments = {n: {"exp_avg": torch.ones(2), "step": torch.tensor(1.0)} for n in range(3)}
    return {
        "epoch": 90,
        "args": Namespace(lr=0.1, path=Path("somewhere")),
        "settings": Settings(),
        "optimizer": {"state": moments, "param_groups": [{"lr": 0.1, "params": [0, 1, 2]}]},
        "lr_scheduler": {"base_lrs": [0.1], "weights": {"a": torch.ones(1)}},
        "best": torch.tensor(0.9),
        "history": collections.defaultdict(list, loss=[1.0]),
    }


def beneath(*keys: str) -> Callable[[State], dict[str, Any]]:
    def put(state: State) -> dict[str, Any]:
        held: dict[str, Any] = dict(state)
        for key in reversed(keys):
            held = {key: held}
        return held

    return put


WHERE: dict[str, tuple[Callable[[State], dict[str, Any]], str]] = {
    **{key: (beneath(key), key) for key in (
        "state_dict", "model", "model_state_dict", "net", "network", "module", "params", "ema",
        "model_ema", "state_dict_ema", "weights", "anything",
    )},
    "nested": (beneath("checkpoint", "model"), "checkpoint.model"),
    "average beside": (
        lambda state: {"model_ema": {k: v * 0 for k, v in state.items()}, "model": state}, "model"
    ),
    "average with a count": (
        lambda state: {"model_ema": {"n_averaged": torch.tensor(1)} | under("module.")(state)},
        "model_ema",
    ),
    "a whole network beside": (lambda state: {"model": Settings(), "ema": state}, "ema"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WHERE)
def test_the_network_in_a_training_checkpoint_is_found_and_told(
    folder: Path, module: nn.Module, kind: str
) -> None:
    wrap, part = WHERE[kind]
    state = module.state_dict()
    torch.save(trained(state) | wrap(state), folder / "weights" / "mine.pth")
    assert Catalogue(folder).entry("mine").problem is None
    assert fit(folder, module).part == part


@pytest.mark.parametrize("in_zip", [True, False])
@pytest.mark.parametrize("protocol", range(1, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickles_is_read(
    folder: Path, module: nn.Module, protocol: int, in_zip: bool
) -> None:
    file = folder / "weights" / "mine.pth"
    torch.save(
        {"state_dict": module.state_dict(), "args": Namespace(a=1)}, file,
        pickle_protocol=protocol, _use_new_zipfile_serialization=in_zip,
    )  # fmt: skip
    assert fit(folder, module)


@pytest.mark.parametrize("in_zip", [True, False])
def test_tensors_are_read_as_torch_reads_them(folder: Path, in_zip: bool) -> None:
    from app.zoo.weights import read_tensors

    whole = torch.arange(60.0).view(3, 4, 5)
    kinds = {
        "whole": whole, "turned": whole.permute(2, 0, 1), "part": whole[1:, ::2, 1],
        "same": whole, "parameter": nn.Parameter(whole[0]), "none": torch.zeros(0, 4),
        "number": torch.tensor(7), "spread": torch.ones(1).expand(5),
        "last": whole.to(memory_format=torch.contiguous_format)[:, None].contiguous(
            memory_format=torch.channels_last),
        **{str(dtype): torch.tensor([0, 1, 3]).to(dtype) for dtype in (
            torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
            torch.int8, torch.uint8, torch.bool, torch.complex64)},
    }  # fmt: skip
    if in_zip:
        kinds |= {"eight bits": torch.ones(3).to(torch.float8_e4m3fn)}
    file = folder / "weights" / "kinds.pth"
    torch.save(collections.OrderedDict(kinds), file, _use_new_zipfile_serialization=in_zip)
    where, found = read_tensors(file.read_bytes(), file.name)
    assert where == ""
    assert list(found) == list(kinds)
    for name, tensor in kinds.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name].to(torch.complex64), tensor.to(torch.complex64)), name


def test_of_several_networks_one_is_said(folder: Path, module: nn.Module) -> None:
    state = module.state_dict()
    both = {"generator": state, "critic": {key: value * 0 for key, value in state.items()}}
    torch.save(both, folder / "weights" / "mine.pth")
    reason = Catalogue(folder).entry("mine").problem or ""
    assert "“generator”, “critic”" in reason
    assert "“part”" in reason
    said(folder, more='part = "generator"\n')
    assert fit(folder, module)
    said(folder, more='part = "nobody"\n')
    assert "“nobody”" in (Catalogue(folder).entry("mine").problem or "")


def test_code_beside_the_tensors_is_never_run(folder: Path, module: nn.Module) -> None:
    harm = folder / "harm"
    for protocol in range(1, pickle.HIGHEST_PROTOCOL + 1):
        saved = {"args": Evil(harm), "state_dict": module.state_dict(), "z": [Evil(harm)]}
        torch.save(saved, folder / "weights" / "mine.pth", pickle_protocol=protocol)
        assert fit(folder, module)
        torch.save({"args": Evil(harm)}, folder / "weights" / "mine.pth", pickle_protocol=protocol)
        assert "holds code" in (Catalogue(folder).entry("mine").problem or "")
    assert not harm.exists()


def many_dictionaries() -> bytes:
    """Each has the one before under many names."""
    program = b"\x80\x04}\x94"
    for n in range(1, 5):
        program += (
            b"}\x94("
            + b"".join(
                b"X\x06\x00\x00\x00%06d" % key + b"h" + bytes([n - 1]) for key in range(1000)
            )
            + b"u"
        )
    return program + b"."


HARD = {
    "a deep key": b"\x80\x02}" + b")" + b"\x85" * 1_000_000 + b"K\x01s.",
    "deep lists": b"\x80\x02" + b"](" * 300_000 + b".",
    "many dictionaries": many_dictionaries(),
    "many names": b"\x80\x02" + b"".join(b"cm\nn%d\n" % n for n in range(300_000)) + b".",
    "no end": b"\x80\x02" + b"N" * 3_000_000,
    "an endless text": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f" + b"abc.",
    "an endless number": b"I" + b"9" * 1_000_000 + b"\n.",
    "only a start": b"\x80\x04\x95",
}


@pytest.mark.parametrize("kind", HARD)
def test_a_program_made_to_be_hard_is_refused(folder: Path, kind: str) -> None:
    (folder / "weights" / "mine.pth").write_bytes(HARD[kind])
    entries = {entry.name: entry for entry in Catalogue(folder).entries()}
    assert "mine.pth" in (entries["mine"].problem or "")


@pytest.mark.parametrize(
    "storage",
    ["beyond the end", "of a size below zero", "that is not there"],
)
def test_tensors_beyond_their_numbers_are_refused(folder: Path, storage: str) -> None:
    from app.zoo.files import Unreadable
    from app.zoo.pickles import Pickled, Placed, Storage
    from app.zoo.weights import _placed_tensors

    file = folder / "weights" / "mine.pth"
    torch.save({"a": torch.ones(4)}, file)
    with file.open("rb") as opened:
        pickled = Pickled(opened, file.name)
        _, tensors = pickled.state_dict()
        one = tensors["a"]
        bad = {
            "beyond the end": Placed(one.storage, 1, (4,), (1,)),
            "of a size below zero": Placed(one.storage, -8, (4,), (1,)),
            "that is not there": Placed(Storage("7", "Float"), 0, (4,), (1,)),
        }[storage]
        with pytest.raises(Unreadable, match="damaged"):
            _placed_tensors(pickled, {"a": bad})


# --- labels ---


def labelled(models: Path, data: bytes) -> None:
    (models / "weights" / "animals.txt").write_bytes(data)
    said(models, '"animals.txt"')


@pytest.mark.parametrize(
    "data",
    [
        b"cat\ndog\nhen\n\n",
        b"cat\ndog\nhen\n \t\n\n",
        b"cat\r\ndog\r\nhen\r\n\r\n",
        b"\xef\xbb\xbfcat\ndog\nhen",
        b"\xef\xbb\xbfcat\r\ndog\r\nhen\r\n",
    ],
)
def test_labels_are_read_as_editors_leave_them(
    folder: Path, module: nn.Module, data: bytes
) -> None:
    torch.save(module.state_dict(), folder / "weights" / "mine.pth")
    labelled(folder, data)
    assert loaded(folder).labels == ("cat", "dog", "hen")


@pytest.mark.parametrize("number", [1, 2, 4, 1001])
def test_that_there_are_more_names_than_classes_is_said_as_such(
    folder: Path, module: nn.Module, number: int
) -> None:
    torch.save(module.state_dict(), folder / "weights" / "mine.pth")
    labelled(folder, "".join(f"animal {n}\n" for n in range(number)).encode())
    assert f"{number} names, 3 classes" in refused(folder)
    assert "another architecture" not in refused(folder)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("kø\nræv\nhøne\n".encode("latin-1"), "Latin-1"),
        ("cat\ndog\nhen\n".encode("utf-16"), "UTF-16"),
        ("cat\ndog\nhen\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_another_encoding_is_named(
    folder: Path, module: nn.Module, data: bytes, encoding: str
) -> None:
    torch.save(module.state_dict(), folder / "weights" / "mine.pth")
    labelled(folder, data)
    reason = Catalogue(folder).entry("mine").problem or ""
    assert encoding in reason
    assert "save it as UTF-8" in reason
    (folder / "weights" / "mine.toml").write_bytes(
        ('title = "ø"\n' + toml(ARCHITECTURE, LABELS)).encode(
            "utf-16" if b"\0" in data else "latin-1"
        )
    )
    assert encoding in (Catalogue(folder).entry("mine").problem or "")


def test_a_toml_with_a_byte_order_mark_is_read(folder: Path, module: nn.Module) -> None:
    torch.save(module.state_dict(), folder / "weights" / "mine.pth")
    (folder / "weights" / "mine.toml").write_text(toml(ARCHITECTURE, LABELS), "utf-8-sig")
    assert Catalogue(folder).entry("mine").problem is None


# --- names of files ---


@pytest.mark.parametrize("suffix", ["pt", "ckpt", "bin", "pth.tar", "PTH", "pt.tar"])
def test_other_endings_are_listed_and_read(folder: Path, module: nn.Module, suffix: str) -> None:
    file = folder / "weights" / f"mine.{suffix}"
    torch.save({"state_dict": module.state_dict(), "epoch": 3}, file)
    assert fit(folder, module)
    file.rename(folder / "weights" / f"other.{suffix}")
    said(folder, more=f'file = "other.{suffix}"\n')
    assert [entry.name for entry in Catalogue(folder).entries()[18:]] == ["mine"]


@pytest.mark.parametrize("suffix", ["pt", "ckpt", "bin", "pth.tar", "onnx", "h5", "pkl", "tflite"])
def test_what_is_not_taken_is_listed_with_its_reason(folder: Path, suffix: str) -> None:
    (folder / "weights" / f"mine.{suffix}").write_bytes(b"\x08\x07\x12\x07pytorch")
    (folder / "weights" / f"alone.{suffix}").write_bytes(b"something else")
    entries = {entry.name: entry for entry in Catalogue(folder).entries()}
    assert f"mine.{suffix}" in (entries["mine"].problem or "")
    assert f"alone.{suffix}" in (entries["alone"].problem or "")


def test_a_program_of_torchscript_is_named(folder: Path) -> None:
    with zipfile.ZipFile(folder / "weights" / "mine.pt", "w") as archive:
        for name in ("mine/data.pkl", "mine/code/__torch__.py", "mine/constants.pkl"):
            archive.writestr(name, b"\x80\x02}.")
    assert "TorchScript" in (Catalogue(folder).entry("mine").problem or "")
