"""Keeper: (name) -> a network on its device, loaded once, frozen, in evaluation mode.

The only module that moves a network to a device.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from app.errors import ModelUnavailable, UnknownLayer, Words
from app.zoo.architectures import build, skeleton
from app.zoo.catalogue import Catalogue
from app.zoo.described import NetworkDescription, WeightsFacts
from app.zoo.entries import Entry
from app.zoo.folding import fold, foldable
from app.zoo.graph import graph_of
from app.zoo.layers import Layer, layers_of
from app.zoo.memory import give_back
from app.zoo.pictures import Box, crop_box, normalised, prepared
from app.zoo.preprocessing import Preprocessing
from app.zoo.presets import labels_for, preprocessing_for
from app.zoo.tracing import Trace, traced
from app.zoo.weights import fitting_weights, sha256_of

#: How far outputs may move by folding, relative to the largest.
FOLDING_TOLERANCE = 1e-4
#: The largest convolutional networks have a third of this.
PARAMETERS_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class Network:
    """A network that can be run and listened to.

    stamp: what its weights file looked like when it was read, to see whether it was changed.
    unfolded, overwritten, transposed: what a tap must know of its layers (see taps.Tappable).
    branches: the last layers of residual branches beside a skip that changes nothing.
    """

    entry: Entry
    module: nn.Module
    layers: dict[str, Layer]
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    weights_sha256: str | None
    stamp: tuple[int, ...] | None
    device: torch.device
    unfolded: dict[str, nn.Module]
    overwritten: frozenset[str]
    transposed: frozenset[str]
    branches: tuple[str, ...]

    def __call__(self, batch: Tensor) -> Tensor:
        """[N,C,H,W] as from `prepare` -> logits [N,classes]."""
        logits: Tensor = self.module(batch)
        return logits

    @property
    def trained(self) -> bool:
        """Whether it has weights that somebody trained."""
        return self.entry.trained

    @cached_property
    def size(self) -> int:
        """Bytes of memory that its numbers take."""
        modules = (self.module, *self.unfolded.values())
        tensors = chain.from_iterable(chain(m.parameters(), m.buffers()) for m in modules)
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())

    @cached_property
    def saturating(self) -> tuple[str, ...]:
        """Paths of activations that cut off what is above a limit."""
        parts = self.module.named_modules()
        return tuple(path for path, part in parts if isinstance(part, nn.ReLU6))

    def prepare(self, picture: Image.Image) -> Tensor:
        """A picture as this network's input: [1,C,H,W] on its device."""
        return self._on_device(prepared(picture, self.preprocessing))

    def prepare_seen(self, small: Image.Image) -> Tensor:
        """What it sees of a picture (zoo/pictures.py: `seen`) as its input, the same way."""
        return self._on_device(normalised(small, self.preprocessing))

    def _on_device(self, batch: Tensor) -> Tensor:
        return batch.to(self.device, memory_format=torch.channels_last)

    def crop_box(self, width: int, height: int) -> Box:
        """(left, top, right, bottom) of what it sees of a picture, in the picture's pixels."""
        return crop_box(width, height, self.preprocessing)

    def weight(self, layer: str) -> Tensor | None:
        """The weights of a layer as they were trained, before any folding; None if it has none."""
        if layer not in self.layers:
            raise UnknownLayer(model=self.entry.title, layer=layer)
        module = self.unfolded.get(layer) or self.module.get_submodule(layer)
        weight = getattr(module, "weight", None)
        return weight if isinstance(weight, Tensor) else None


class Keeper:
    """The networks of one device, the most recently used within `budget` bytes.

    Belongs to one thread (the device's), so everybody who asks for a network waits for one load.
    """

    def __init__(self, catalogue: Catalogue, device: str, budget: int) -> None:
        self._catalogue, self._device, self._budget = catalogue, torch.device(device), budget
        self._kept: OrderedDict[str, Network] = OrderedDict()

    def network(self, name: str, loading: Callable[[], None] = lambda: None) -> Network:
        """A network, from memory or loaded now. Raises UnknownModel, ModelUnavailable.

        One whose files have changed since is loaded anew. loading: is called before that.
        """
        entry = self._catalogue.entry(name)
        kept, is_loaded = self._kept.pop(name, None), False
        if kept is None or kept.entry != entry or kept.stamp != _stamp(entry):
            del kept
            loading()
            kept, is_loaded = load(entry, self._device), True
        self._kept[name] = kept
        while (
            len(self._kept) > 1
            and sum(network.size for network in self._kept.values()) > self._budget
        ):
            self._kept.popitem(last=False)
        if is_loaded:  # what loading took for a while, and what had to leave for it
            give_back()
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        return kept

    def loaded(self) -> list[str]:
        """Names of the networks in memory, the least recently used first."""
        return list(self._kept)


def load(entry: Entry, device: torch.device) -> Network:
    """A network ready to run on a device. Raises ModelUnavailable."""
    preprocessing, size = _sizes(entry)
    skeleton, trace = _traced(entry, size)
    stamp = _stamp(entry)
    weights = fitting_weights(skeleton, entry) if entry.trained else None
    with torch.random.fork_rng(devices=[]):  # untrained: the same numbers after every start
        torch.manual_seed(0)
        module = build(entry)
    if weights is not None:
        module.load_state_dict(weights.state, strict=False)
    module.requires_grad_(False)
    _out_of_place(module)
    unfolded = _folded(module, trace, size)
    for part in (module.eval(), *unfolded.values()):
        part.to(device).to(memory_format=torch.channels_last)
    return Network(
        entry=entry,
        module=module,
        layers={layer.name: layer for layer in layers_of(trace, size)},
        preprocessing=preprocessing,
        labels=labels_for(entry),
        weights_sha256=weights.sha256 if weights else None,
        stamp=stamp,
        device=device,
        unfolded=unfolded,
        overwritten=frozenset(trace.overwritten),
        transposed=frozenset(call.name for call in trace.called if call.turned),
        branches=tuple(trace.branches),
    )


def describe(catalogue: Catalogue, name: str) -> NetworkDescription:
    """A network's facts and layers, as the page and its JSON show them; no weights are needed.

    Those of an own checkpoint are tried on, so that the list says early that they do not fit.
    Raises UnknownModel; ModelUnavailable where nothing is known of the architecture either.
    """
    entry = catalogue.entry(name)
    preprocessing, size = _sizes(entry)
    skeleton, trace = _traced(entry, size)
    labels = labels_for(entry)
    layers: list[Any] = [asdict(layer) for layer in layers_of(trace, size)]
    graph = graph_of(trace, size)
    return {
        "name": entry.name,
        "title": entry.title,
        "paper": entry.paper,
        "input_size": list(size),
        "preprocessing": preprocessing.facts,
        "parameters": trace.parameters,
        "multiply_adds": trace.multiply_adds,
        "weights": _weights_facts(skeleton, entry),
        "definition": entry.definition,
        "trained": entry.trained,
        "classes": len(labels),
        "labels": list(labels),
        "layers": layers,
        "graph": {"nodes": graph.nodes, "boxes": graph.boxes},
    }


def _weights_facts(skeleton: nn.Module, entry: Entry) -> WeightsFacts:
    """Where an entry's weights come from. Raises ModelUnavailable for own ones that do not fit."""
    source = entry.weights
    if not (source or "").startswith("file:"):
        return {"source": source, "part": None, "prefix": None, "sha256": sha256_of(entry)}
    found = fitting_weights(skeleton, entry)
    part, prefix = found.part or None, found.prefix or None
    return {"source": source, "part": part, "prefix": prefix, "sha256": found.sha256}


def _sizes(entry: Entry) -> tuple[Preprocessing, tuple[int, int, int]]:
    """How pictures are prepared for a network, and the (C, H, W) of its input."""
    if entry.problem:
        raise ModelUnavailable(model=entry.title, reason=entry.problem)
    preprocessing = preprocessing_for(entry)
    return preprocessing, preprocessing.input_size


def _traced(entry: Entry, size: tuple[int, int, int]) -> tuple[nn.Module, Trace]:
    """An entry's architecture on the meta device, which takes no memory, and its trace."""
    module = skeleton(entry)
    _out_of_place(module)
    try:
        trace = traced(module, size)
    except Exception as error:  # whatever an architecture that we do not know may raise
        reason = Words(
            "Its layers cannot be listed for pictures of {height} × {width} pixels (“{error}”).",
            height=size[1],
            width=size[2],
            error=str(error)[:200],
        )
        raise ModelUnavailable(model=entry.title, reason=reason) from error
    if trace.parameters > PARAMETERS_LIMIT:
        reason = Words(
            "It has {count} million parameters; at most {most} million are taken.",
            count=trace.parameters // 1_000_000,
            most=PARAMETERS_LIMIT // 1_000_000,
        )
        raise ModelUnavailable(model=entry.title, reason=reason)
    if not trace.called:
        raise ModelUnavailable(
            model=entry.title, reason=Words("It has no layers that can be shown.")
        )
    return module, trace


def _stamp(entry: Entry) -> tuple[int, ...] | None:
    """What changes when the weights file does, also where another took its size and times over."""
    try:
        found = entry.file.stat() if entry.file else None
    except OSError:
        return None
    if found is None:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _out_of_place(module: nn.Module) -> None:
    """Let activations leave their input as it is, so that both can be looked at."""
    for part in module.modules():
        if hasattr(part, "inplace"):
            part.inplace = False  # type: ignore[assignment]  # a flag, which nn.Module cannot say


def _folded(module: nn.Module, trace: Trace, size: tuple[int, int, int]) -> dict[str, nn.Module]:
    """Fold the batch norms of a network on the CPU, unless that would move its outputs."""
    pairs = foldable(trace)
    if not pairs:
        return {}
    noise = torch.randn(1, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = module(noise)
        folding = fold(module, pairs)
        moved = (module(noise) - before).abs().max()
    if not moved <= FOLDING_TOLERANCE * before.abs().max():
        folding.undo()
        return {}
    return folding.convolutions
