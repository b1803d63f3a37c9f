"""Arithmetic: one layer of a description -> the sums of the lecture with its own numbers."""

from dataclasses import dataclass
from typing import Literal

from app.web import languages, urls
from app.zoo.arithmetic import FLOAT, Bottleneck, Convolution, Seen, Slide
from app.zoo.described import FieldFacts, LayerDescription, NetworkDescription, WindowFacts

#: What a sum is about; the template has the words for each.
OUTPUT, PARAMETERS, WORK, FIELD, MEMORY = "output", "parameters", "work", "field", "memory"

#: What a pixel of the picture itself sees.
PICTURE: FieldFacts = {"start": (0, 0), "size": (1, 1), "jump": (1, 1), "whole": False}
#: (what a sum is about, the field of a layer that it comes to), of what blocks add up.
LEARNT: tuple[tuple[str, Literal["parameters", "multiply_adds"]], ...] = (
    (PARAMETERS, "parameters"),
    (WORK, "multiply_adds"),
)


@dataclass(frozen=True)
class Sum:
    """One line of the board: what it is about, the sum in its own numbers, what it comes to.

    note: a word for the template on how to read it, "" for none.
    """

    about: str
    terms: tuple[str, ...]
    total: int
    note: str = ""
    extra: int = 0


def sums(described: NetworkDescription, layer: LayerDescription) -> list[Sum]:
    """The sums of one layer. Every total is the sum's own, and the layer's as it was traced."""
    window = layer["window"]
    found = [_output(layer, axis) for axis in _axes(layer)] if window else []
    found += _learnt(layer, described["layers"])
    seen = _seen(described["layers"], layer)
    return [*found, *([seen] if seen else []), _memory(layer)]


def _number(number: int) -> str:
    return languages.whole(number)


def slide(layer: LayerDescription, axis: int) -> Slide:
    """How a layer's window slides along an axis, 0 for the height."""
    window = _window(layer)
    return Slide(
        layer["given"][1 + axis],
        window["kernel"][axis],
        window["stride"][axis],
        window["front"][axis],
        window["back"][axis],
        window["dilation"][axis],
        window["ceil"],
    )


def _window(layer: LayerDescription) -> WindowFacts:
    """The window of a layer that slides."""
    if layer["window"] is None:
        raise ValueError(layer["name"])
    return layer["window"]


def _axes(layer: LayerDescription) -> tuple[int, ...]:
    """The height alone where the width goes the same way."""
    return (0,) if slide(layer, 0) == slide(layer, 1) else (0, 1)


def _output(layer: LayerDescription, axis: int) -> Sum:
    along = slide(layer, axis)
    figures = [_number(along.size)]
    figures.append(f"− {_number(along.span)}")
    if along.front == along.back:
        figures.append(f"+ 2 · {_number(along.front)}")
    else:
        figures.append(f"+ {_number(along.front)} + {_number(along.back)}")
    terms = f"({' '.join(figures)}) / {_number(along.stride)} + 1"
    note = "up" if along.rest and along.ceil else "down" if along.rest else "even"
    return Sum(OUTPUT, (terms,), along.outputs, note, along.rest)


def convolution(layer: LayerDescription) -> Convolution:
    """A convolution's numbers, from its description."""
    window = _window(layer)
    return Convolution(
        layer["given"][0],
        layer["shape"][0],
        (window["kernel"][0], window["kernel"][1]),
        window["groups"],
        window["bias"],
    )


def _learnt(layer: LayerDescription, layers: list[LayerDescription]) -> list[Sum]:
    """Parameters and multiply-adds, as far as this kind of layer has a sum for them."""
    parameters, work = layer["parameters"], layer["multiply_adds"]
    channels, height, width = layer["shape"]
    if layer["kind"] == "convolution" and layer["window"]:
        found = convolution(layer)
        each = [*map(_number, found.kernel), _number(found.channels // found.groups)]
        inner = " · ".join(each)
        one = f"({inner} + 1)" if found.bias else inner
        return [
            Sum(PARAMETERS, (f"{one} · {_number(found.filters)}",), found.parameters,
                "bias" if found.bias else "plain", found.groups),
            Sum(WORK, (f"{_number(height)} · {_number(width)} · {inner} · {_number(channels)}",),
                found.multiply_adds(height, width)),
        ]  # fmt: skip
    if layer["kind"] == "fully connected" and height == width == 1:
        inputs = work // channels
        bias = parameters > work
        one = f"({_number(inputs)} + 1)" if bias else _number(inputs)
        return [
            Sum(PARAMETERS, (f"{one} · {_number(channels)}",), parameters, "connected"),
            Sum(WORK, (f"{_number(inputs)} · {_number(channels)}",), work, "connected"),
        ]
    parts = [each for each in layers if each["block"] == layer["name"] and each["parameters"]]
    if parts:
        return [
            Sum(
                about, tuple(_number(each[key]) for each in parts if each[key]), layer[key], "parts"
            )
            for about, key in LEARNT
            if sum(each[key] for each in parts) == layer[key]
        ]
    if "norm" in layer["kind"] and parameters == 2 * channels:
        return [Sum(PARAMETERS, (f"2 · {_number(channels)}",), parameters, "norm")]
    return [] if parameters else [Sum(PARAMETERS, (), 0, "none")]


def _seen(layers: list[LayerDescription], layer: LayerDescription) -> Sum | None:
    """What a unit sees, from what the layer before lets it see, where that is one window's sum."""
    window = layer["window"]
    before = [each for each in layers if each["name"] in layer["inputs"]]
    fields = [each["field"] for each in before] or [PICTURE]
    if layer["field"]["whole"] or any(each["whole"] for each in fields):
        return Sum(FIELD, (), layer["receptive_field"], "whole")
    if window is None or len(before) > 1:
        return Sum(FIELD, (), layer["receptive_field"], "ways" if len(before) > 1 else "same")
    axis = max((0, 1), key=lambda a: layer["field"]["size"][a])
    size, jump = fields[0]["size"][axis], fields[0]["jump"][axis]
    kernel, dilation = window["kernel"][axis], window["dilation"][axis]
    after = Seen(size, jump).after(kernel, window["stride"][axis], dilation)
    steps = f"({_number(kernel)} − 1)" + (f" · {_number(dilation)}" if dilation > 1 else "")
    if after.size != layer["receptive_field"]:  # an operation without a module came between
        return Sum(FIELD, (), layer["receptive_field"], "same")
    return Sum(FIELD, (f"{_number(size)} + {steps} · {_number(jump)}",), after.size, "window")


def _memory(layer: LayerDescription) -> Sum:
    channels, height, width = layer["shape"]
    terms = " · ".join(map(_number, (channels, height, width, FLOAT)))
    return Sum(MEMORY, (terms,), channels * height * width * FLOAT)


def explaining(described: NetworkDescription) -> list[str]:
    """Anchors of the calculators that stand beside a network: of ideas that it is known for."""
    layers = described["layers"]
    kernels = [layer["window"]["kernel"] for layer in layers if layer["kind"] == "convolution"
               and layer["window"]]  # fmt: skip
    family = described["name"].partition("-")[0].partition("_")[0]
    found = ["slide", "field"] if family == "alexnet" else []
    if kernels and all(list(kernel) == [3, 3] for kernel in kernels):
        found.append("stacks")
    if any(behind_bottleneck(described, layer) for layer in layers if _is_wide(layer)):
        found.append("bottleneck")
    if family.startswith(("alexnet", "vgg", "googlenet")):
        found.append("head")
    return found + (["auxiliary"] if family == "googlenet" else [])


def _is_wide(layer: LayerDescription) -> bool:
    window = layer["window"]
    return bool(
        window
        and layer["kind"] == "convolution"
        and window["kernel"][0] > 1
        and window["groups"] == 1
    )


def calculators(described: NetworkDescription, layer: LayerDescription) -> dict[str, str]:
    """Addresses of the calculators that explain a layer, with its numbers, by their anchors."""
    if layer["kind"] != "convolution" or not layer["window"]:
        return {}
    found, along = convolution(layer), slide(layer, 0)
    kernel = found.kernel[0]
    square = found.kernel[0] == found.kernel[1] and found.groups == 1
    links: dict[str, str] = {}
    if square and along.front == along.back and along.dilation == 1:
        links["slide"] = urls.calculators(
            anchor="slide", size=along.size, filter=kernel, padding=along.front,
            stride=along.stride, channels=found.channels, filters=found.filters,
        )  # fmt: skip
    if square and kernel > 3:
        links["stacks"] = urls.calculators(anchor="stacks", wide=kernel, depth=found.channels)
    before = behind_bottleneck(described, layer)
    if before and square and kernel > 1:
        links["bottleneck"] = urls.calculators(
            anchor="bottleneck", map=before.height, deep=before.channels, kernel=kernel,
            out=before.filters, reduced=before.reduced,
        )  # fmt: skip
    return links


def behind_bottleneck(described: NetworkDescription, layer: LayerDescription) -> Bottleneck | None:
    """The bottleneck that a filter stands behind: a 1x1 that made its channels fewer; or None."""
    by_name = {each["name"]: each for each in described["layers"]}
    before = layer
    if list(layer["given"][1:]) != list(layer["shape"][1:]):
        return None
    for _ in range(4):  # through a norm, an activation, the block that holds both
        if len(before["inputs"]) != 1 or before["inputs"][0] not in by_name:
            return None
        before = by_name[before["inputs"][0]]
        inside = [each for each in described["layers"] if each["block"] == before["name"]]
        wrapped = [each for each in inside if each["kind"] == "convolution"]
        before = wrapped[0] if len(wrapped) == 1 else before
        window = before["window"]
        if before["kind"] == "convolution" and window:
            fewer = before["given"][0] > before["shape"][0]
            if list(window["kernel"]) != [1, 1] or not fewer:
                return None
            height, width = layer["shape"][1:]
            kernel = _window(layer)["kernel"][0]
            return Bottleneck(
                height, width, before["given"][0], kernel, layer["shape"][0], before["shape"][0]
            )
    return None
