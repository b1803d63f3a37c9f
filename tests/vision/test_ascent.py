"""Ascent climbs what it is told to, the same way each time, and leaves nothing behind."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from app.vision import ascent, methods, objectives
from app.vision.ascent import Step
from app.vision.gradients import shaped
from app.vision.methods import Method
from app.vision.objectives import Objective
from app.zoo.keeper import Network
from app.zoo.taps import given, outputs_through, tap

LAYER, HEAD = "blocks.1.0", "bn2"
#: Small, and always looking from the same place, so that three steps must show; from noise.
STILL = Method(
    size=64,
    steps=3,
    deviation=0.5,
    scale=(1.0, 1.0),
    degrees=0.0,
    shift=0.0,
    noise=0.0,
    last_rate=1.0,
)


def last(steps: Iterator[Step]) -> Step:
    return list(steps)[-1]


def made(network: Network, objective: Objective, method: Method = STILL, seed: int = 0) -> Tensor:
    generator = ascent.seeded(seed)
    return last(ascent.ascend(network, objective, method, generator)).pictures()


def value(network: Network, objective: Objective, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        return objective(ascent.listened(network, objective.layers, pictures, pictures, STILL))


def wanted(network: Network) -> Tensor:
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(5)).to(network.device)
    with torch.no_grad():
        return ascent.heard(network, {LAYER}, ascent.normalized(network, noise))[LAYER]


OBJECTIVES = {
    "logit": lambda network: objectives.logit(954),
    "channel": lambda network: objectives.channel(LAYER, 3),
    "channel of a linear part": lambda network: objectives.channel(given(HEAD), 7),
    "neuron": lambda network: objectives.neuron(LAYER, 3),
    "neuron of the classifier": lambda network: objectives.neuron("classifier", 5),
    "cosine": lambda network: objectives.cosine(LAYER, wanted(network)),
    "cosine by position": lambda network: objectives.cosine(
        LAYER, wanted(network), by_position=True
    ),
    "less squared error": lambda network: -objectives.squared_error(LAYER, wanted(network)),
    "total variation": lambda network: objectives.total_variation(),
    "little total variation": lambda network: objectives.total_variation() * -1.0,
    "a sum": lambda network: objectives.logit(3) + 2.0 * objectives.channel(LAYER, 1),
    "a difference": lambda network: objectives.logit(3) - objectives.logit(4),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_three_steps_raise_every_objective(lite0: Network, name: str) -> None:
    objective = OBJECTIVES[name](lite0)
    start = next(ascent.ascend(lite0, objective, STILL, ascent.seeded(0)))
    after = value(lite0, objective, made(lite0, objective))
    assert float(after) > float(start.scores)


def test_three_steps_make_the_pictures_of_a_batch_differ_more(lite0: Network) -> None:
    objective = objectives.diversity(LAYER)
    steps = list(ascent.ascend(lite0, objective, STILL, ascent.seeded(0), count=3))
    assert float(value(lite0, objective, steps[-1].pictures()).sum()) > float(steps[0].scores.sum())


def test_a_picture_is_the_best_of_all_for_the_channel_that_it_was_made_for(lite0: Network) -> None:
    method = methods.channel_image(96, 19, "quick", size=96, steps=12)
    channels = (0, 5, 23)
    steps = ascent.ascend(
        lite0, objectives.channel(LAYER, *channels), method, ascent.seeded(0), count=3
    )
    pictures = last(steps).pictures()
    least = made(lite0, -objectives.channel(LAYER, 5), method)
    for place, channel in enumerate(channels):
        values = value(lite0, objectives.channel(LAYER, channel), torch.cat([pictures, least]))
        assert int(values.argmax()) == place
        assert channel != 5 or int(values.argmin()) == 3


def test_the_same_seed_gives_the_same_bytes_whatever_else_draws_numbers(lite0: Network) -> None:
    method = methods.class_image(64, "quick", steps=3)
    objective = objectives.channel(LAYER, 1)
    first = made(lite0, objective, method, seed=7)
    torch.manual_seed(123)
    torch.rand(10)
    assert torch.equal(made(lite0, objective, method, seed=7), first)
    assert not torch.equal(made(lite0, objective, method, seed=8), first)


def test_ascent_leaves_the_global_generator_alone(lite0: Network) -> None:
    before = torch.random.get_rng_state()
    made(lite0, objectives.channel(LAYER, 1), methods.class_image(64, "quick", steps=2))
    assert torch.equal(torch.random.get_rng_state(), before)


def hooks(network: Network) -> int:
    return sum(
        len(part._forward_hooks) + len(part._forward_pre_hooks) + len(part._backward_hooks)
        for part in network.module.modules()
    )


def test_nothing_listens_between_two_steps_nor_after_a_step_that_failed(lite0: Network) -> None:
    steps = ascent.ascend(
        lite0,
        objectives.logit(1),
        methods.class_image(64, "quick", steps=5),
        ascent.seeded(0),
    )
    for _ in range(2):
        next(steps)
        assert hooks(lite0) == 0
    assert isinstance(steps, Iterator)
    del steps
    assert hooks(lite0) == 0

    def fails(seen: object) -> Tensor:
        raise MemoryError

    broken = Objective(frozenset({LAYER}), fails)
    with pytest.raises(MemoryError):
        made(lite0, broken)
    assert hooks(lite0) == 0
    assert torch.is_grad_enabled()


def test_a_step_runs_no_further_than_the_deepest_layer_that_is_wanted(lite0: Network) -> None:
    ran: list[str] = []
    deeper: dict[str, nn.Module] = dict(lite0.module.named_modules())
    assert {"blocks.1.1", "conv_head"} <= set(deeper)
    with outputs_through(
        lite0.module,
        {path: lambda i, o, path=path: ran.append(path) for path in ("blocks.0.0", "blocks.1.1")},  # type: ignore[misc]  # a loop's name in a lambda
    ):
        made(lite0, objectives.channel(LAYER, 1))
    assert "blocks.0.0" in ran
    assert "blocks.1.1" not in ran


def test_gradients_into_branches_are_scaled_and_outputs_are_not(lite0: Network) -> None:
    pictures = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    pictures = pictures.to(lite0.device)
    found = {}
    for branches in (1.0, 0.5, 0.0):
        leaf = pictures.clone().requires_grad_()
        method = Method(size=64, steps=1, branches=branches)
        logits = ascent.listened(lite0, {objectives.LOGITS}, leaf, leaf, method)[""]
        torch.autograd.backward(logits[:, 3].sum())
        assert leaf.grad is not None
        found[branches] = (logits.detach(), leaf.grad)
    assert lite0.branches
    assert torch.equal(found[1.0][0], found[0.0][0])
    half, none = found[0.5][1], found[0.0][1]
    assert not torch.allclose(half, found[1.0][1])
    assert not torch.allclose(half, none)


def test_saturated_activations_let_gradients_through_when_they_are_asked_to(lite0: Network) -> None:
    leaf = torch.full((1, 3, 64, 64), 0.5, device=lite0.device).requires_grad_()
    with tap(lite0, ["bn1"]) as seen:
        lite0(leaf * 1000)
    assert bool((seen["bn1"] == 6).any()), "a picture this bright saturates the first layer"
    totals = []
    for straight in (False, True):
        leaf = leaf.detach().requires_grad_()
        method = Method(size=64, steps=1, straight=straight)
        with shaped(lite0, 1.0, method.straight), tap(lite0, ["bn1"]) as seen:
            lite0(leaf * 1000)
        torch.autograd.backward(seen["bn1"].sum())
        assert leaf.grad is not None
        totals.append(int((leaf.grad != 0).sum()))
    assert totals[1] > totals[0]
