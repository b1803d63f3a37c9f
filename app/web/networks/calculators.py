"""Calculators: the sums of the lecture, with numbers that can be changed and pictures that follow.

The server computes, so the page is the same without JavaScript, and an address holds the numbers.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.web import pages, urls
from app.web.api import failures
from app.web.api.schemas import lecture as schemas
from app.web.networks import sketches
from app.web.networks.calculator_fields import ALEXNET, GOOGLENET, VGG16, Numbers, NumbersQuery
from app.zoo.arithmetic import Convolution, Head, seen, stacked, training_loss

router = APIRouter()

#: The heads that the lecture compares, by network and the layer where each begins.
HEADS: dict[str, tuple[str, str, Head]] = {
    "AlexNet": ("alexnet", "classifier.1", Head(256, 6, 6, (4096, 4096), 1000)),
    "VGG-16": ("vgg16", "classifier.0", Head(512, 7, 7, (4096, 4096), 1000)),
    "GoogLeNet": ("googlenet-2014", "classifier", Head(1024, 7, 7, (), 1000)),
}
STACKS = {"AlexNet": ALEXNET, "VGG-16": VGG16, "GoogLeNet": GOOGLENET}
#: GoogLeNet's blocks in their order; those with an auxiliary head, by the channels it reads.
BLOCKS = ("stem", "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "classifier")
AUXILIARY = {"4a": 512, "4d": 528}
#: Layers with weights in the stem, in an inception module, and in an auxiliary head.
STEM_DEPTH, MODULE_DEPTH, HEAD_DEPTH = 3, 2, 3


def auxiliary_parameters(channels: int, classes: int = 1000) -> int:
    """Of an auxiliary head: a 1x1 to 128 channels on 4x4 places, 1024 units, the classes."""
    reduced = Convolution(channels, 128, (1, 1)).parameters
    hidden = Convolution(128 * 4 * 4, 1024, (1, 1)).parameters
    return reduced + hidden + Convolution(1024, classes, (1, 1)).parameters


def way(block: str) -> int:
    """Layers with weights between the first and a loss: through a head on a block, or the end."""
    modules = BLOCKS.index(block)
    if block == "classifier":
        return STEM_DEPTH + MODULE_DEPTH * (modules - 1) + 1
    return STEM_DEPTH + MODULE_DEPTH * modules + HEAD_DEPTH


def results(numbers: Numbers) -> schemas.Calculators:
    """What comes of the numbers, by calculator."""
    slide, convolution, bottleneck = numbers.slide, numbers.convolution, numbers.bottleneck
    small = Convolution(numbers.depth, numbers.depth, (numbers.small, numbers.small), bias=False)
    wide = Convolution(numbers.depth, numbers.depth, (numbers.wide, numbers.wide), bias=False)
    count = max(1, stacked(numbers.wide, numbers.small))
    after = seen(numbers.windows)
    losses = (numbers.loss_4a, numbers.loss_4d) if numbers.phase == "training" else ()
    return schemas.Calculators(
        numbers=numbers.model_dump(),
        slide={
            "output": slide.outputs,
            "rest": slide.rest,
            "parameters": convolution.parameters,
            "multiply_adds": convolution.multiply_adds(slide.outputs, slide.outputs),
        },
        field=[
            {"filter": kernel, "stride": stride, "sees": unit.size, "jump": unit.jump}
            for (kernel, stride), unit in zip(numbers.windows, after, strict=True)
        ],
        stacks={
            "layers": count,
            "sees": 1 + count * (numbers.small - 1),
            "wide_weights": wide.weights,
            "small_weights": small.weights * count,
        },
        bottleneck={
            "direct": bottleneck.direct,
            "steps": list(bottleneck.steps),
            "through": bottleneck.through,
        },
        head={
            "connected": list(numbers.head.connected),
            "pooled": numbers.head.pooled,
            "networks": {
                name: sum(head.connected) if name != "GoogLeNet" else head.pooled
                for name, (_, _, head) in HEADS.items()
            },
        },
        auxiliary={
            "loss": training_loss(numbers.loss, losses, numbers.weight),
            "parameters": {
                block: auxiliary_parameters(channels) for block, channels in AUXILIARY.items()
            },
            "way": {block: way(block) for block in (*AUXILIARY, "classifier")},
        },
    )


@router.get(
    urls.CALCULATORS + urls.JSON,
    responses=failures.failures(422),
)
async def calculators_json(numbers: NumbersQuery) -> schemas.Calculators:
    """The sums of the lecture, with these numbers."""
    return results(numbers)


@router.get(urls.CALCULATORS, include_in_schema=False)
async def calculators_page(request: Request, numbers: NumbersQuery) -> Response:
    """The calculators; each is a block, asked for again when its numbers change."""
    return pages.respond(
        request,
        "networks/calculators.html",
        n=numbers,
        found=results(numbers),
        sliding=sketches.sliding(numbers.slide),
        sections=sketches.stacks(numbers.wide, numbers.small),
        breadth=sketches.breadth,
        lattice=sketches.lattice,
        heads=HEADS,
        stacks=STACKS,
        blocks=BLOCKS,
        defaults=Numbers().model_dump(),
        address=urls.calculators(**numbers.changed),
    )
