"""Listening: what is heard is what the untouched network computes, and nothing is left behind."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from app.errors import UnknownLayer
from app.zoo.architectures import build
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network
from app.zoo.taps import tap
from app.zoo.weights import fitting_weights

#: Folding changes the rounding; real bugs change the numbers.
TOLERANCE = 1e-4


def plainly(module: nn.Module, batch: Tensor) -> dict[str, Tensor]:
    """Every module's output in a plain pass, copied before anything can overwrite it."""
    found: dict[str, Tensor] = {}
    hooks = []

    def listen(path: str, part: nn.Module) -> None:
        def hook(_: nn.Module, __: object, output: object) -> None:
            turn = sum(name == path or name.rpartition("_")[0] == path for name in found)
            if isinstance(output, Tensor):
                found[f"{path}_{turn}" if path in found else path] = output.clone()

        hooks.append(part.register_forward_hook(hook))

    for path, part in module.named_modules():
        if path:
            listen(path, part)
    with torch.no_grad():
        module(batch)
    for hook in hooks:
        hook.remove()
    return found


def agree(network: Network, reference: nn.Module) -> None:
    """Hold every layer of a prepared network against the plain one."""
    batch = torch.randn(
        1, *network.preprocessing.input_size,
        generator=torch.Generator().manual_seed(5),
    )  # fmt: skip
    plain = plainly(reference, batch)
    with torch.no_grad(), tap(network, list(network.layers), stop=False) as seen:
        network(batch.to(network.device))
    assert set(seen) == set(network.layers)
    for name, layer in network.layers.items():
        heard, truth = seen[name].cpu(), plain[name]
        if truth.shape != heard.shape:  # ConvNeXt computes some layers with channels last
            truth = truth.permute(0, 3, 1, 2)
        assert tuple(heard.shape[1:]) == layer.shape[: heard.ndim - 1], name
        worst = (heard - truth).abs().max() / truth.abs().max().clamp_min(1e-6)
        assert worst < TOLERANCE, f"{name} is off by {worst:.1e}"


def unprepared(catalogue: Catalogue, name: str) -> nn.Module:
    """The network with its weights, but nothing else done to it."""
    entry = catalogue.entry(name)
    module = build(entry)
    module.load_state_dict(fitting_weights(module, entry).state, strict=False)
    return module.eval()


def test_every_layer_of_a_network_with_batch_norms_in_place_sums_and_shared_relus(
    keeper: Keeper, resnet18: nn.Module
) -> None:
    network = keeper.network("my-resnet")
    assert len(network.unfolded) == 20, "all of its batch norms can be folded"
    assert "layer1.0.bn2" in network.overwritten, "torchvision adds to it in place"
    agree(network, resnet18)


def test_every_layer_of_the_default_network(keeper: Keeper, models: Path) -> None:
    network = keeper.network("efficientnet-lite0")
    assert len(network.unfolded) == 49
    agree(network, unprepared(Catalogue(models), "efficientnet-lite0"))


@pytest.mark.parametrize("name", ["own-googlenet", "own-squeezenet1_1", "own-alexnet_conv"])
def test_every_layer_of_the_published_networks(real: Keeper, name: str) -> None:
    agree(real.network(name), unprepared(real._catalogue, name))


@pytest.mark.parametrize(
    "name", ["googlenet", "mobilenet_v3_large", "convnext_tiny", "densenet121", "inception_v3"]
)
def test_every_layer_of_other_families(keeper: Keeper, name: str) -> None:
    network = keeper.network(f"{name}-untrained")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reference = build(network.entry)
    agree(network, reference)
    keeper._kept.pop(f"{name}-untrained")


def hooks_on(module: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


class Broken(Exception):
    """Thrown in the middle of a pass."""


def test_hooks_come_off_whatever_happens(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    batch = torch.zeros(1, 3, 224, 224, device=network.device)

    def fail(name: str, activation: Tensor) -> None:
        raise Broken

    with torch.no_grad():
        with tap(network, ["layer1.0", "fc"]):
            network(batch)
        assert hooks_on(network.module) == 0
        with pytest.raises(Broken), tap(network, ["layer2.0"], on_seen=fail):
            network(batch)
        assert hooks_on(network.module) == 0
        with pytest.raises(RuntimeError), tap(network, ["fc"]):
            network(torch.zeros(1, 5, 224, 224, device=network.device))
        assert hooks_on(network.module) == 0
    with pytest.raises(UnknownLayer), tap(network, ["layer9"]):
        pass
    assert hooks_on(network.module) == 0


def test_the_pass_ends_at_the_deepest_wanted_layer(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    ran = []
    hook = network.module.get_submodule("layer2").register_forward_hook(
        lambda *_: ran.append("layer2")
    )
    batch = torch.zeros(1, 3, 224, 224, device=network.device)
    with torch.no_grad(), tap(network, ["conv1", "layer1.1"]) as seen:
        network(batch)
    assert set(seen) == {"conv1", "layer1.1"}
    assert not ran
    with torch.no_grad(), tap(network, ["conv1"], stop=False):
        network(batch)
    hook.remove()
    assert ran == ["layer2"]


def test_an_inner_tap_does_not_end_the_outer_one(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    batch = torch.zeros(1, 3, 224, 224, device=network.device)
    with torch.no_grad(), tap(network, ["fc"]) as outer:
        with tap(network, ["conv1"]) as inner:
            network(batch)
        assert set(inner) == {"conv1"}
        network(batch)
    assert set(outer) == {"fc"}


def test_layers_are_told_of_in_the_pass_in_order(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    told: list[str] = []
    with (
        torch.no_grad(),
        tap(network, ["fc", "conv1", "layer1.0.relu_1"], on_seen=lambda name, _: told.append(name)),
    ):
        network(torch.zeros(1, 3, 224, 224, device=network.device))
    assert told == ["conv1", "layer1.0.relu_1", "fc"]


def test_gradients_reach_the_picture_through_a_folded_convolution(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    picture = torch.rand(1, 3, 224, 224, device=network.device, requires_grad=True)
    with tap(network, ["layer1.0.conv2"]) as seen:
        network(picture)
    seen["layer1.0.conv2"][0, 3].mean().backward()  # type: ignore[no-untyped-call]  # untyped in torch
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0


def test_a_plain_module_can_be_listened_to(device: str) -> None:
    plain = torchvision.models.squeezenet1_1(weights=None).eval().to(device)
    batch = torch.rand(1, 3, 64, 64, device=device)
    truth = plainly(plain, batch)
    with torch.no_grad(), tap(plain, ["features.0", "features.3"]) as seen:
        plain(batch)
    assert torch.equal(seen["features.0"], truth["features.0"])
    assert torch.equal(seen["features.3"], truth["features.3"])


def test_bytes_are_counted_once_per_storage(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    with torch.no_grad(), tap(network, ["layer1.0", "layer1.0.relu_1"]) as seen:
        network(torch.zeros(1, 3, 224, 224, device=network.device))
    assert seen.nbytes == 64 * 56 * 56 * 4
