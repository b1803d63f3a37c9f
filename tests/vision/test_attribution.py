"""Attribution is what captum gives, whatever was done to the network, and finds what it should."""

import pytest
import torch
from captum.attr import LayerGradCam, Occlusion
from PIL import Image

from app.vision import attribution
from app.vision.attribution import Windows, windows
from app.vision.drawing import heat
from app.zoo.keeper import Network
from tests.vision.conftest import ROOT

ESPRESSO = 967
#: The cup in what the network sees of the photo: rows and columns of its 224 pixels.
CUP = (slice(0, 150), slice(20, 190))


@pytest.fixture(scope="module")
def coffee(lite0: Network) -> torch.Tensor:
    with Image.open(ROOT / "static" / "samples" / "coffee.jpg") as photo:
        return lite0.prepare(photo.convert("RGB"))


def test_grad_cam_is_captums(lite0: Network, coffee: torch.Tensor) -> None:
    ours = attribution.grad_cam(lite0, "blocks.5.0", coffee, ESPRESSO)
    given = coffee.clone().requires_grad_()
    layer = lite0.module.get_submodule("blocks.5.0")
    theirs = LayerGradCam(lite0.module, layer).attribute(given, target=ESPRESSO)
    assert torch.allclose(ours, theirs.detach()[0, 0], atol=1e-6)
    assert ours.shape == lite0.layers["blocks.5.0"].shape[1:]


def test_a_folded_convolution_answers_for_itself(lite0: Network, coffee: torch.Tensor) -> None:
    """By the rule of the chain: the norm's scale is in the gradient, not in the maps."""
    name, norm = "conv_head", "bn2"
    assert name in lite0.unfolded
    ours = attribution.grad_cam(lite0, name, coffee, ESPRESSO)
    own, folded = lite0.unfolded[name].weight, lite0.module.get_submodule(name).weight
    assert isinstance(own, torch.Tensor)
    assert isinstance(folded, torch.Tensor)
    strongest = own.flatten(1).abs().argmax(1, keepdim=True)
    scale = (folded.flatten(1).gather(1, strongest) / own.flatten(1).gather(1, strongest))[:, 0]
    given = coffee.clone().requires_grad_()
    seen: dict[str, torch.Tensor] = {}

    def hear(module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        seen["input"], seen["output"] = inputs[0], output

    handle = lite0.module.get_submodule(name).register_forward_hook(hear)
    logits = lite0(given)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[0, ESPRESSO], seen["output"])
    alone = lite0.unfolded[name](seen["input"])
    weights = gradient.mean((2, 3), keepdim=True) * scale.view(1, -1, 1, 1)
    expected = (weights * alone).sum(1)[0].detach()
    assert torch.allclose(ours, expected, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(ours, attribution.grad_cam(lite0, norm, coffee, ESPRESSO), atol=1e-2)


def test_grad_cam_finds_the_cup(lite0: Network, coffee: torch.Tensor) -> None:
    seen = attribution.grad_cam(lite0, "bn2", coffee, ESPRESSO)
    sized = torch.nn.functional.interpolate(seen[None, None], (224, 224), mode="nearest")[0, 0]
    inside = sized[CUP]
    outside = sized.clone()
    outside[CUP] = 0
    area = inside.numel() / sized.numel()
    assert inside.mean() > 2 * outside.sum() / (sized.numel() * (1 - area))
    assert not lite0.module.get_submodule("bn2")._forward_hooks, "no hook is left behind"


def test_rows_of_windows_add_up_to_captums_map(lite0: Network, coffee: torch.Tensor) -> None:
    over = Windows(side=128, step=96, height=224, width=224)
    fill = torch.zeros_like(coffee)
    with torch.no_grad():
        bands = list(attribution.occlusion(lite0, coffee, ESPRESSO, over, fill))
        theirs = Occlusion(lite0.module).attribute(
            coffee,
            strides=(3, 96, 96),
            sliding_window_shapes=(3, 128, 128),
            baselines=fill,
            target=ESPRESSO,
        )[0, 0]
        covered = coffee.clone()
        covered[:, :, :128, 96:] = 0
        probability = float(lite0(covered).softmax(1)[0, ESPRESSO])
    assert len(bands) == over.rows
    lost, counts = (
        torch.stack(parts) for parts in zip(*((b.lost, b.covered) for b in bands), strict=True)
    )
    ours = lost.sum(0) / counts.sum(0)
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert [len(band.probabilities) for band in bands] == [over.columns] * over.rows
    assert bands[0].probabilities[1] == pytest.approx(probability, rel=1e-4)


@pytest.mark.parametrize("size", [(224, 224), (227, 227), (64, 64), (5, 9)])
@pytest.mark.parametrize("finer", [False, True])
def test_windows_leave_no_pixel_out(size: tuple[int, int], finer: bool) -> None:
    over = windows(size, finer=finer)
    seen = torch.zeros(size)
    for row in range(over.rows):
        for column in range(over.columns):
            top, left = row * over.step, column * over.step
            assert top < size[0]
            assert left < size[1]
            seen[top : top + over.side, left : left + over.side] += 1
    assert seen.min() >= 1
    with pytest.raises(ValueError, match="does not fit"):
        windows(size, min(size) + 1)


def test_heat_is_dark_at_zero_and_the_same_size_either_way(device: str) -> None:
    values = torch.tensor([[-2.0, 0.0, 2.0]], device=device)
    shades = heat.entries(values, heat.reach_of(values))[0, 0].tolist()
    assert shades == [0, 126, 252]
    assert (heat.entries(torch.zeros(2, 2), 0.0) == 126).all()
    photo = torch.full((1, 3, 8, 8), 0.5, device=device)
    lit = heat.over(photo, torch.tensor([[1.0, 0.0]], device=device), 1.0, 16)
    assert lit.shape == (1, 16, 16, 3)
    left, right = lit[0, 8, 0].float(), lit[0, 8, 15].float()
    assert left.sum() > right.sum(), "light where the map is high"
    assert right.max() - right.min() <= 12, "and hardly any colour where it is zero"
