"""Layers: (network, input size) -> what a person can name in it, with its numbers."""

from dataclasses import dataclass

from torch import nn

from app.zoo.fields import Pair, Placed
from app.zoo.tracing import Call, Trace, traced


@dataclass(frozen=True)
class Layer:
    """One layer of a network, or a block of layers that people name as one.

    shape: (C, H, W) of its output, (C, 1, 1) for vectors; parameters: numbers learnt;
    multiply_adds: per picture; receptive_field and stride: in pixels of the input, the longer axis,
    beyond the edges as theory has it (the whole picture behind global pools and in fully connected
    layers); inputs: names of the layers it reads, () for the picture;
    block: the innermost composite layer that holds it, "" for none;
    field: where in the input what one unit sees begins, how large it is and how far it moves.
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
    )
