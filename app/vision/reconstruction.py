"""Reconstruction: (network, layer, picture) -> steps towards a picture that is the same there.

Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them", CVPR 2015. Two
ways: where a layer keeps much, its activation is matched by L-BFGS on a Fourier canvas; where it
keeps little and is sparse, matching learns to switch channels off, so likeness is climbed instead.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from app.vision import ascent, methods, objectives
from app.vision.ascent import Step
from app.vision.canvas import Fourier
from app.vision.methods import Method
from app.vision.objectives import Objective
from app.zoo.keeper import Network
from app.zoo.taps import given

#: Pairs of steps that L-BFGS remembers, and evaluations that one search along a line may take.
HISTORY, SEARCH = 50, 25
#: Layers whose units lie this many pixels apart, or more, are rebuilt by likeness.
SPARSE_STRIDE = 32
ACTIVATIONS = ("ReLU", "ReLU6", "SiLU", "GELU", "hard swish")


def by_likeness(network: Network, layer: str) -> bool:
    """Whether a layer is better climbed towards by likeness than matched."""
    found = network.layers[layer]
    return found.stride >= SPARSE_STRIDE or max(found.shape[1:]) == 1


def method_for(network: Network, layer: str, quality: str, steps: int = 0) -> Method:
    """How a layer is rebuilt from. The canvas is what the network sees of a picture."""
    choose = methods.likeness if by_likeness(network, layer) else methods.matching
    return choose(network.preprocessing.crop, quality, steps)


def reconstruct(
    network: Network, layer: str, batch: Tensor, method: Method, generator: torch.Generator
) -> Iterator[Step]:
    """Rebuild a prepared picture [1,3,H,W] from what a layer gives for it.

    scores: the relative error ||f(y) - f(x)|| / ||f(x)||, which falls.
    """
    liked = linear_part(network, layer)
    with torch.no_grad():
        aims = ascent.heard(network, {layer, liked}, batch)
    error = objectives.squared_error(layer, aims[layer])
    shown = objectives.root(error)
    if not by_likeness(network, layer):
        aim = -error - objectives.total_variation() * method.smooth
        yield from _matched(network, aim, shown, method, generator)
        return
    likeness = objectives.cosine(liked, aims[liked], by_position=liked != layer)
    yield from ascent.ascend(network, likeness, method, generator, calm=-error, shown=shown)


def linear_part(network: Network, layer: str) -> str:
    """The name of a layer's values before its activation; its own where it has none to look at.

    Values before an activation tell how far a channel is from firing, so none is ever silent.
    """
    kind = network.layers[layer].kind
    if kind.split(" + ")[-1] in ACTIVATIONS:
        return given(layer)
    inside = [one for one in network.layers.values() if one.block == layer]
    whole = [one for one in inside if one.shape == network.layers[layer].shape]
    if kind == "conv-norm-activation" and whole:
        last = whole[-1]
        return given(last.name) if last.kind in ACTIVATIONS else last.name
    return layer


def _matched(
    network: Network,
    objective: Objective,
    shown: Objective,
    method: Method,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Climb by L-BFGS; a step is one search along a line, of one evaluation or more."""
    canvas = ascent.canvas_for(network, method, 1, generator)
    climb = _Climb(network, canvas, objective, shown, method)
    optimiser = torch.optim.LBFGS(
        canvas.parameters,
        max_iter=1,
        max_eval=SEARCH,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=0,
        tolerance_change=0,
    )
    while climb.evaluations < method.steps:
        before = climb.evaluations
        optimiser.step(climb)  # type: ignore[no-untyped-call]  # untyped in torch
        done = method.steps if climb.evaluations == before else climb.evaluations
        yield Step(min(done, method.steps), method.steps, climb.scores, climb.pictures)
        if climb.evaluations == before:
            return  # no way leads further up


class _Climb:
    """The function that L-BFGS calls: minus the objective, with gradients in the canvas.

    It begins each search by asking again for the point where the last one ended, which is known.
    """

    def __init__(
        self,
        network: Network,
        canvas: Fourier,
        objective: Objective,
        shown: Objective,
        method: Method,
    ) -> None:
        self._network, self._canvas, self._method = network, canvas, method
        self._objective, self._shown = objective, shown
        self._known: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        self.evaluations = 0
        self.scores = torch.zeros(1)

    def __call__(self) -> Tensor:
        """The loss, and its gradient."""
        parameter = self._canvas.parameters[0]
        for point, gradient, loss, scores in self._known:
            if torch.equal(point, parameter):
                parameter.grad = gradient.clone()
                self.scores = scores
                return loss
        loss = self._evaluate(parameter)
        assert parameter.grad is not None
        self._known = [
            (parameter.detach().clone(), parameter.grad.clone(), loss, self.scores),
            *self._known[:1],
        ]
        return loss

    def _evaluate(self, parameter: Tensor) -> Tensor:
        self.evaluations += 1
        layers = self._objective.layers | self._shown.layers
        with torch.enable_grad():
            pictures = self._canvas()
            activations = ascent.listened(self._network, layers, pictures, pictures, self._method)
            loss = -self._objective(activations).sum()
            parameter.grad = None
            torch.autograd.backward(loss)
        self.scores = self._shown(activations).detach()
        return loss.detach()

    def pictures(self) -> Tensor:
        """[1,3,H,W] in 0..1."""
        with torch.no_grad():
            return self._canvas()
