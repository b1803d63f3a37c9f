"""Attribution: (network, picture, class) -> a map of where the class was seen.

Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391) and occlusion (Zeiler & Fergus
2014, https://arxiv.org/abs/1311.2901), both by captum, of the class's score before the softmax.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.zoo.keeper import Network
from app.zoo.taps import outputs_through, place

#: Covered pictures that go through the network at once.
BATCH = 16
#: Windows side by side, each half over the next, that the finer and the quick map have.
WINDOW_SHARE = 7


def grad_cam(network: Network, layer: str, batch: Tensor, number: int) -> Tensor:
    """Where a layer's maps [H,W] speak for a class (above 0) or against it (below).

    batch: [1,3,H,W] as from `prepare`. Unlike the paper's, what speaks against it is kept.
    Raises UnknownLayer.
    """
    from captum.attr import LayerGradCam  # takes 1.5 s to import

    probe = nn.Identity()
    with torch.enable_grad(), probed(network, layer, probe):
        given = batch.detach().clone().requires_grad_()
        attributed: Tensor = LayerGradCam(network.module, probe).attribute(given, target=number)
    return attributed.detach()[0].sum(0).float()


@contextmanager
def probed(network: Network, layer: str, probe: nn.Module) -> Iterator[None]:
    """While a network runs, have a layer's output, [N,C,H,W], go through `probe`, a module.

    Captum listens to modules. A layer may be one call of several, have a batch norm folded into
    it or have its channels last; what goes through the probe is what the layer is said to give.
    """
    path, turn = place(dict(network.module.named_modules()), layer)
    calls = 0

    def through(given: Tensor, output: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        if calls - 1 != turn:
            return None
        plain = network.unfolded.get(layer)
        if plain is not None:
            return _through_folded(given, output, plain, network.module.get_submodule(path), probe)
        if layer in network.transposed:
            shown: Tensor = probe(output.permute(0, 3, 1, 2))
            return shown.permute(0, 2, 3, 1)
        passed: Tensor = probe(output)
        return passed.clone()  # later operations may change it in place

    with outputs_through(network.module, {path: through}):
        yield


def _through_folded(
    given: Tensor, output: Tensor, plain: nn.Module, folded: nn.Module, probe: nn.Module
) -> Tensor:
    """What the convolution alone gives through the probe, then scaled and shifted as the norm did.

    The scale of each channel is that of its folded weights to its own.
    """
    own, changed = (_weight(module).flatten(1).double() for module in (plain, folded))
    scale = (own * changed).sum(1) / (own * own).sum(1).clamp(min=1e-30)
    factors = scale.float().view(1, -1, 1, 1)
    alone: Tensor = plain(given)
    rest = (output - alone * factors).detach()
    passed: Tensor = probe(alone)
    return passed * factors + rest


def _weight(module: nn.Module) -> Tensor:
    weight = module.weight
    if not isinstance(weight, Tensor):
        raise TypeError("a folded module without weights")
    return weight


@dataclass(frozen=True)
class Windows:
    """A square of `side` pixels that slides by `step` over pictures of height x width."""

    side: int
    step: int
    height: int
    width: int

    @property
    def rows(self) -> int:
        """How often it slides down, and the first place."""
        return _places(self.height, self.side, self.step)

    @property
    def columns(self) -> int:
        """How often it slides to the right, and the first place."""
        return _places(self.width, self.side, self.step)


def _places(length: int, side: int, step: int) -> int:
    return math.ceil((length - side) / step) + 1


def windows(size: tuple[int, int], side: int = 0, *, finer: bool = False) -> Windows:
    """Windows for pictures of (H, W); side 0: a seventh of the picture.

    Each lies half over the next; finer: three quarters. Raises ValueError for a side that is larger
    than the picture.
    """
    side = side or max(2, min(size) // WINDOW_SHARE)
    if side > min(size):
        raise ValueError(f"a window of {side} pixels does not fit into {size}")
    return Windows(side, max(1, side // (4 if finer else 2)), *size)


@dataclass(frozen=True)
class Band:
    """One row of windows: what the score loses where each pixel is covered, a sum and a count.

    lost, covered: [H,W]; probabilities: the class's, with each window of the row covered.
    """

    row: int
    lost: Tensor
    covered: Tensor
    probabilities: list[float]


def occlusion(
    network: Network, batch: Tensor, number: int, over: Windows, fill: Tensor
) -> Iterator[Band]:
    """One row of windows after another; `lost / covered` of all of them together is the map.

    fill: [1,3,H,W], what lies under the windows. A row's pictures differ in one band of pixels, so
    captum is asked about that band; the rest of the picture is put around it.
    """
    from captum.attr import Occlusion

    for row in range(over.rows):
        top = row * over.step
        span = slice(top, min(top + over.side, over.height))
        seen: list[Tensor] = []

        def scores(bands: Tensor, span: slice = span, seen: list[Tensor] = seen) -> Tensor:
            pictures = batch.repeat(len(bands), 1, 1, 1)
            pictures[:, :, span] = bands
            logits = network(pictures)
            seen.append(logits.softmax(1)[:, number])
            return logits

        band = batch[:, :, span]
        lost = Occlusion(scores).attribute(
            band,
            strides=(band.shape[1], band.shape[2], over.step),
            sliding_window_shapes=(band.shape[1], band.shape[2], over.side),
            baselines=fill[:, :, span],
            target=number,
            perturbations_per_eval=BATCH,
        )
        yield _band(row, span, over, lost[0, 0], torch.cat(seen)[1:])


def _band(row: int, span: slice, over: Windows, lost: Tensor, probabilities: Tensor) -> Band:
    """Captum gives the mean over a row's windows; sums and counts can be added up over rows."""
    counts = torch.zeros(over.width, device=lost.device)
    for column in range(over.columns):
        counts[column * over.step : column * over.step + over.side] += 1
    sums, covered = torch.zeros(2, over.height, over.width, device=lost.device)
    sums[span] = lost * counts
    covered[span] = counts
    return Band(row, sums, covered, probabilities.tolist())
