"""Ascent: (network, objective, method) -> a generator of steps that climb from noise.

Adam on a Fourier canvas; a step is one forward pass, no further than the deepest layer wanted, and
one backward pass. The generator may be left at any step: nothing is held open in between.
"""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.canvas import Canvas, Fourier
from app.vision.gradients import shaped
from app.vision.methods import Method
from app.vision.objectives import LOGITS, PICTURES, Objective
from app.vision.pixels import grey_of
from app.vision.transforms import Affine, Chain, Noise, Transform
from app.zoo.keeper import Network
from app.zoo.preprocessing import Size, sides
from app.zoo.taps import given, tap

#: Cycles per picture that a coarse start begins with.
COARSEST = 4.0


@dataclass(frozen=True)
class Step:
    """One step done of `steps`. scores: [N], what each picture has reached, before this step.

    pictures(): [N,3,H,W] in 0..1 as they are now; only good until the next step.
    """

    step: int
    steps: int
    scores: Tensor
    pictures: Callable[[], Tensor]


def seeded(seed: int) -> torch.Generator:
    """The one source of noise for a recipe: the CPU's, so that a seed means the same everywhere."""
    return torch.Generator().manual_seed(seed)


def ascend(
    network: Network,
    objective: Objective,
    method: Method,
    generator: torch.Generator,
    count: int = 1,
    *,
    calm: Objective | None = None,
    shown: Objective | None = None,
) -> Iterator[Step]:
    """Climb `objective` with `count` pictures at once, each by itself.

    calm: climbed instead in the calm steps at the end; shown: gives the scores instead.
    """
    canvas = canvas_for(network, method, count, generator)
    optimiser = torch.optim.Adam(canvas.parameters, lr=method.rate, fused=True)
    average = Average(canvas, method.average)
    for step in range(method.steps):
        prepare(canvas, optimiser, method, step)
        aim = calm if calm is not None and is_calm(method, step) else objective
        scores = _step(network, canvas, aim, shown or aim, method, generator, step)
        optimiser.step()
        average.add()
        yield Step(step + 1, method.steps, scores, average.pictures)


def _step(
    network: Network,
    canvas: Canvas,
    objective: Objective,
    shown: Objective,
    method: Method,
    generator: torch.Generator,
    step: int,
) -> Tensor:
    """Gradients into the canvas; returns the scores [N]."""
    with torch.enable_grad():
        pictures = canvas()
        seen = transform(network, method, step)(pictures, generator)
        activations = listened(network, objective.layers | shown.layers, pictures, seen, method)
        scores = objective(activations)
        for parameter in canvas.parameters:
            parameter.grad = None
        torch.autograd.backward(-scores.sum())
    return scores.detach() if shown is objective else shown(activations).detach()


def listened(
    network: Network, wanted: Collection[str], pictures: Tensor, seen: Tensor, method: Method
) -> dict[str, Tensor]:
    """What is wanted of a pass of pictures [N,3,H,W] in 0..1; seen: the same, transformed."""
    with shaped(network, method.branches, method.straight):
        return heard(network, wanted, normalized(network, seen)) | {PICTURES: pictures}


def heard(network: Network, wanted: Collection[str], batch: Tensor) -> dict[str, Tensor]:
    """What is wanted of a prepared batch [N,3,H,W]: layers, what they are given, logits.

    The pass ends at the deepest of them.
    """
    below = [name for name in network.layers if given(name) in wanted]
    layers = [name for name in network.layers if name in wanted]
    activations: dict[str, Tensor] = {}
    if below or layers or LOGITS in wanted:
        with tap(network, layers, before=below, stop=LOGITS not in wanted) as seen:
            activations[LOGITS] = network(batch)
        activations |= seen
    return activations


def normalized(network: Network, pictures: Tensor) -> Tensor:
    """Pictures [N,3,H,W] in 0..1 as the network's input [N,C,H,W], channels last."""
    preprocessing = network.preprocessing
    if preprocessing.channels == "BGR":
        pictures = pictures.flip(1)
    elif preprocessing.channels == "L":
        pictures = grey_of(pictures)
    mean, std = (
        torch.tensor(values, device=pictures.device).view(1, -1, 1, 1)
        for values in (preprocessing.mean, preprocessing.std)
    )
    batch = torch.addcmul(-mean / std, pictures, preprocessing.range / std)
    return batch.contiguous(memory_format=torch.channels_last)


def pictured(network: Network, batch: Tensor) -> Tensor:
    """The way back from a network's input [N,C,H,W] to a picture [N,3,H,W] of 0..1, RGB."""
    preprocessing = network.preprocessing
    mean, std = (
        torch.tensor(values, device=batch.device).view(1, -1, 1, 1)
        for values in (preprocessing.mean, preprocessing.std)
    )
    pictures = (batch * std + mean) / preprocessing.range
    if preprocessing.channels == "L":
        return pictures.expand(-1, 3, -1, -1)
    return pictures.flip(1) if preprocessing.channels == "BGR" else pictures


def pictures_of(network: Network, batch: Tensor) -> Tensor:
    """A prepared batch as pictures [N,3,H,W] in 0..1 again: `normalized` the other way."""
    return pictured(network, batch).clamp(0, 1)


def transform(network: Network, method: Method, step: int = 0) -> Transform:
    """What pictures go through in a step: fewer and calmer ones at the end, if the method says."""
    crop = network.preprocessing.crop
    size = crop if covers(method.size, crop) else method.size
    whole = Affine(out=size) if size != method.size else None
    if is_calm(method, step):
        return Chain((whole,) if whole else ())
    noise = method.noise
    if method.calm:
        noise *= 1 - step / ((1 - method.calm) * method.steps)
    affine = Affine(method.scale, method.degrees, method.shift, method.flips, method.mirrors, size)
    return Chain((affine, Noise(noise)) if noise > 0 else (affine,))


def covers(size: Size, crop: Size) -> bool:
    """Whether pictures of a size are at least as large as a network takes them."""
    return all(own >= side for own, side in zip(sides(size), sides(crop), strict=True))


def canvas_for(network: Network, method: Method, count: int, generator: torch.Generator) -> Fourier:
    """The canvas that a method starts from, on the network's device, grey where that sees grey."""
    return Fourier(
        count,
        method.size,
        generator,
        power=method.power,
        gain=method.gain,
        deviation=method.deviation,
        colors=len(network.preprocessing.mean),
        device=network.device,
    )


def is_calm(method: Method, step: int) -> bool:
    """Whether a step is one of the last, without transforms."""
    return step >= (1 - method.calm) * method.steps


def prepare(canvas: Canvas, optimiser: torch.optim.Optimizer, method: Method, step: int) -> None:
    """Set the rate, and the highest frequency of a coarse start."""
    falling = 0.5 * (1 + math.cos(math.pi * step / method.steps))
    rate = method.rate * (method.last_rate + (1 - method.last_rate) * falling)
    for group in optimiser.param_groups:
        group["lr"] = rate
    if isinstance(canvas, Fourier):
        share = step / (method.coarse * method.steps) if method.coarse else 1.0
        grown = COARSEST * (max(method.sides) / COARSEST) ** share
        canvas.only = grown if share < 1 else None


class Average:
    """The canvas, or the running average of its parameters (Polyak's), which is calmer."""

    def __init__(self, canvas: Canvas, share: float) -> None:
        self._canvas, self._share = canvas, share
        self._means = [parameter.detach().clone() for parameter in canvas.parameters]

    def add(self) -> None:
        """Take the canvas's parameters of now into the average."""
        if self._share:
            for mean, parameter in zip(self._means, self._canvas.parameters, strict=True):
                mean.lerp_(parameter.detach(), 1 - self._share)

    def pictures(self) -> Tensor:
        """[N,3,H,W] in 0..1, without gradients."""
        with torch.no_grad():
            if not self._share:
                return self._canvas()
            ours = self._canvas.parameters
            self._canvas.parameters = self._means
            try:
                return self._canvas()
            finally:
                self._canvas.parameters = ours
