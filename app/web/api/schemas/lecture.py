"""What is answered of the lecture: its chapters, its sums, its architectures."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from app.studio.jobs.job import State
from app.web.api import examples


class Place(TypedDict):
    """Where something can be seen. state: done, or how it is with what must be made before; made:
    the page of that, if it is one of its own or under way; ask: the fields that have it made.
    """

    title: str
    url: str
    state: State
    made: str | None
    ask: dict[str, str | int | list[str]] | None


class Chapter(TypedDict):
    """A chapter; paper: what the paper has; note: why something cannot be seen here, or not yet."""

    name: str
    title: str
    text: str
    paper: str
    places: list[Place]
    note: str


class Lecture(BaseModel):
    """The chapters of the lecture: name, title, text, and places with title and url."""

    chapters: list[Chapter]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.LECTURE))


class Sliding(TypedDict):
    """A convolution; rest: positions at the end that no window reaches."""

    output: int
    rest: int
    parameters: int
    multiply_adds: int


class Seeing(TypedDict):
    """What a unit sees after this layer, and how far it moves, in pixels of the input."""

    filter: int
    stride: int
    sees: int
    jump: int


class Stacks(TypedDict):
    """Small filters in place of a wide one."""

    layers: int
    sees: int
    wide_weights: int
    small_weights: int


class Bottlenecks(TypedDict):
    """Multiply-adds of a filter alone, and of both steps through fewer channels."""

    direct: int
    steps: list[int]
    through: int


class Heads(TypedDict):
    """Weights of fully connected layers, of one after a global pool, and of known networks."""

    connected: list[int]
    pooled: int
    networks: dict[str, int]


class Auxiliaries(TypedDict):
    """GoogLeNet's losses: their sum, the parameters of the heads, layers between them and the
    first."""

    loss: float
    parameters: dict[str, int]
    way: dict[str, int]


class Calculators(BaseModel):
    """The sums of the lecture, and the numbers they were made with: the address's fields."""

    numbers: dict[str, int | float | str]
    slide: Sliding
    field: list[Seeing]
    stacks: Stacks
    bottleneck: Bottlenecks
    head: Heads
    auxiliary: Auxiliaries
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.CALCULATORS))


class Memory(BaseModel):
    """Bytes in float32: of the weights; of every layer's output kept, as training needs it; of the
    most that one layer reads and makes."""

    weights: int
    kept: int
    most_at_once: int


class Weighed(BaseModel):
    """A single layer and what it adds."""

    name: str
    what: Literal["convolution", "connected", "other"]
    parameters: int
    multiply_adds: int


class Architecture(BaseModel):
    """A network in the numbers that are compared.

    depth: layers with weights (convolutions and fully connected) on the longest way through it;
    head: parameters of its fully connected layers; layers: those that have parameters.
    """

    name: str
    title: str
    trained: bool
    url: str
    input_size: list[int]
    depth: int
    parameters: int
    multiply_adds: int
    head: int
    memory: Memory
    layers: list[Weighed]


class Architectures(BaseModel):
    """Networks compared, in numbers."""

    models: list[Architecture]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.ARCHITECTURES))
