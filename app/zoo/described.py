"""Described: what a network's description holds, as it is kept and read in JSON; no torch.

Made by keeper.describe. Shapes are [C, H, W], pairs [H, W]; see Layer and Graph for what each says.
"""

from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict  # pydantic reads its own only from 3.12 on

#: The kinds of layers whose filters can be drawn.
CONVOLUTIONS = ("convolution", "transposed convolution")


class PreprocessingFacts(TypedDict):
    """How a picture becomes the network's input; `text` in plain words.

    resize, crop: a square's side, or [height, width].
    """

    resize: int | list[int]
    crop: int | list[int]
    interpolation: Literal["bilinear", "bicubic"]
    channels: Literal["RGB", "BGR", "L"]
    range: float
    mean: list[float]
    std: list[float]
    fit: Literal["crop", "squash"]
    text: str


class WeightsFacts(TypedDict):
    """Where the weights are from; None: untrained, or not known."""

    source: str | None
    part: str | None
    prefix: str | None
    sha256: str | None


class FieldFacts(TypedDict):
    """Unit (y, x) sees `size` pixels of the input from `start` + (y, x) * `jump` on.

    whole: and all the rest besides, through a global pool or a fully connected layer.
    """

    start: Sequence[int]
    size: Sequence[int]
    jump: Sequence[int]
    whole: bool


class WindowFacts(TypedDict):
    """How a convolution or a pool slides over its input."""

    kernel: Sequence[int]
    stride: Sequence[int]
    front: Sequence[int]
    back: Sequence[int]
    dilation: Sequence[int]
    groups: int
    bias: bool
    ceil: bool


class LayerDescription(TypedDict):
    """One layer."""

    name: str
    kind: str
    shape: Sequence[int]
    parameters: int
    multiply_adds: int
    receptive_field: int
    stride: int
    inputs: Sequence[str]
    block: str
    field: FieldFacts
    given: Sequence[int]
    window: WindowFacts | None


class NodeDescription(TypedDict):
    """A single layer or a join, as it is drawn; `box` is the innermost that holds it, "" for none.

    layer: whether it has a page of its own.
    """

    id: str
    kind: str
    title: str
    shape: Sequence[int]
    inputs: Sequence[str]
    window: Sequence[int]
    stride: int
    layer: bool
    box: str


class BoxDescription(TypedDict):
    """What folds into one; parts: (kind, how many) of what is in it, the most frequent first."""

    id: str
    kind: str
    title: str
    shape: Sequence[int]
    window: Sequence[int]
    layer: bool
    nodes: int
    parts: list[tuple[str, int]]
    box: str


class GraphDescription(TypedDict):
    """nodes: in the order of their outputs, the picture first; boxes: each before those in it."""

    nodes: list[NodeDescription]
    boxes: list[BoxDescription]


class NetworkNames(TypedDict):
    """What can be said of a network whether it is known, not traced yet, or gone since."""

    name: str
    title: str
    labels: list[str]
    layers: list[LayerDescription]
    trained: bool
    definition: str


class NetworkDescription(NetworkNames):
    """All of a network that needs no weights' values. classes: how many it tells apart, or 0."""

    paper: str
    input_size: Sequence[int]
    preprocessing: PreprocessingFacts
    parameters: int
    multiply_adds: int
    weights: WeightsFacts
    classes: int
    graph: GraphDescription
