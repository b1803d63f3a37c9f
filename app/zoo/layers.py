"""Layers: (network, input size) -> what a person can name in it, with its numbers."""

from dataclasses import dataclass

from torch import nn

from app.zoo.fields import Pair, Placed
from app.zoo.tracing import Call, Trace, traced
from app.zoo.windows import Window, window


@dataclass(frozen=True)
class Layer:
    """One layer of a network, or a block of layers that people name as one.

    shape: (C, H, W) of its output, (C, 1, 1) for vectors; parameters: numbers learnt;
    multiply_adds: per picture; receptive_field and stride: in pixels of the input, the longer axis,
    beyond the edges as theory has it (the whole picture behind global pools and in fully connected
    layers); inputs: names of the layers it reads, () for the picture;
    block: the innermost composite layer that holds it, "" for none;
    field: where in the input what one unit sees begins, how large it is and how far it moves;
    given: (C, H, W) of what it reads first; window: how it slides, None for what does not.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    receptive_field: int
    stride: int
    inputs: tuple[str, ...]
    block: str
    field: Placed
    given: tuple[int, int, int]
    window: Window | None


def layers(module: nn.Module, input_size: tuple[int, int, int]) -> list[Layer]:
    """All layers of a network on the meta device, in the order of their outputs.

    input_size: (C, H, W). A module that runs more than once is name, name_1, name_2 …
    """
    return layers_of(traced(module, input_size), input_size)


def layers_of(trace: Trace, input_size: tuple[int, int, int]) -> list[Layer]:
    """The layers that a trace found."""
    names = {id(call): call.name for call in trace.called}
    return [_layer(call, names, (input_size[1], input_size[2])) for call in trace.called]


def _layer(call: Call, names: dict[int, str], picture: Pair) -> Layer:
    holder = call.holder
    while holder is not None and id(holder) not in names:
        holder = holder.holder
    return Layer(
        name=call.name,
        kind=call.kind,
        shape=call.shape,
        parameters=sum(parameter.numel() for parameter in call.module.parameters()),
        multiply_adds=call.multiply_adds,
        receptive_field=call.flow.field.side(picture),
        stride=max(call.flow.field.jump),
        inputs=call.inputs,
        block="" if holder is None else names[id(holder)],
        field=call.flow.field.placed(picture),
        given=(given := _given(call)),
        window=window(call.module, given[1:], call.shape[1:]),
    )


def _given(call: Call) -> tuple[int, int, int]:
    """The shape of what a layer was given first, as its own is told; (0, 0, 0) if not a tensor."""
    if call.given is None or call.given.ndim not in (2, 4):
        return (0, 0, 0)
    sizes = [*call.given.shape[1:], *[1] * (4 - call.given.ndim)]
    if call.turned:
        return (sizes[2], sizes[0], sizes[1])
    return (sizes[0], sizes[1], sizes[2])
