"""Tracing: one pass without numbers -> every layer, and how data flows between them.

The network runs on PyTorch's meta device (shapes only), so neither weights nor time are needed,
and functional operations (F.relu, cat, add) are followed like any other.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from app.zoo.fields import Field, Pair, joined
from app.zoo.kinds import CONTAINERS, block_kind, layer_kind
from app.zoo.operations import after
from app.zoo.taps import calls

#: What the flow of data begins with, as a source of what is drawn.
PICTURE = "@picture"
ADDING = {torch.ops.aten.add, torch.ops.aten.add_}
TO_CHANNELS_LAST, TO_CHANNELS_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


@dataclass(frozen=True)
class Flow:
    """What is known of a tensor in the pass: what a unit of it sees, and which layers made it.

    via: the last single layer or join that it went through.
    """

    field: Field
    sources: tuple[str, ...] = ()
    transposed: bool = False
    via: str = PICTURE


@dataclass(frozen=True)
class Join:
    """An operation on what came different ways: a sum, a concatenation …

    operation: PyTorch's name of it; via: where its inputs come from; place: how many layers were
    done before it; holder: the module that does it.
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    via: tuple[str, ...]
    place: int
    holder: "Call | None"


@dataclass
class Call:
    """One run of one module. `single`: one layer, whatever it is built of."""

    name: str
    path: str
    module: nn.Module
    single: bool
    inputs: tuple[str, ...]
    via: tuple[str, ...]
    joined: int
    given: Tensor | None
    holder: "Call | None"
    layers_inside: list["Call"] = field(default_factory=list)
    operations: int = 0
    multiply_adds: int = 0
    kind: str = ""
    shape: tuple[int, int, int] = (0, 0, 0)
    turned: bool = False
    flow: Flow = field(default_factory=lambda: Flow(Field()))
    output: Tensor | None = None


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Watches one pass; `called` holds what became a layer, in the order of their outputs.

    branches: the last layers of residual branches, those beside a skip that changes nothing;
    joins: where ways come together, outside what became a single layer.
    """

    def __init__(self, picture: Pair) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in torch
        self.called: list[Call] = []
        self.parameters = 0
        self.multiply_adds = 0
        self.overwritten: set[str] = set()
        self.readers: dict[int, list[str]] = {}
        self.branches: list[str] = []
        self.joins: list[Join] = []
        self._picture = picture
        self._open: list[Call] = []
        self._turns: Counter[str] = Counter()
        self._flows: dict[int, Flow] = {}
        self._kept: list[Tensor] = []  # keeps id() of every tensor its own

    def feed(self, batch: Tensor) -> None:
        """The network's input."""
        self._note(batch, Flow(Field()))

    # --- modules -------------------------------------------------------------------------------

    def entered(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A module begins; inside a single layer nothing more is told apart."""
        if not path or self._inside_single:
            return
        turn = self._turns[path]
        self._turns[path] += 1
        given = next((value for value in inputs if isinstance(value, Tensor)), None)
        flat = [part for value in inputs for part in (value if _many(value) else (value,))]
        self._open.append(
            Call(
                name=f"{path}_{turn}" if turn else path,
                path=path,
                module=module,
                single=layer_kind(module) is not None,
                inputs=self._sources(flat),
                via=self._ways(flat),
                joined=len(self.joins),
                given=given,
                holder=self._open[-1] if self._open else None,
            )
        )

    def left(self, path: str, module: nn.Module, output: Any) -> None:
        """A module ends: it becomes a layer if people would name it."""
        if not path or self._open[-1].module is not module:
            return
        call = self._open.pop()
        call.output = output if isinstance(output, Tensor) else None
        if call.holder:
            call.holder.multiply_adds += call.multiply_adds
            call.holder.operations += call.operations
        if not self._is_layer(call):
            if call.holder:
                call.holder.layers_inside += call.layers_inside
            return
        flow = self._flows[id(output)]
        self._finish(call, output, flow)
        if call.layers_inside:
            self._note(output, replace(flow, sources=(call.name,)))
        else:
            del self.joins[call.joined :]
            self._note(output, replace(flow, sources=(call.name,), via=call.name))

    def _is_layer(self, call: Call) -> bool:
        if (
            call.output is None
            or id(call.output) not in self._flows
            or call.output.ndim not in (2, 4)
        ):
            return False
        if call.single:
            return call.output is not call.given or call.operations > 0
        if not call.layers_inside:
            return call.operations > 0  # an operation of its own that has no name in `kinds`
        inside = call.layers_inside
        wraps_one = len(inside) == 1 and inside[0].operations == call.operations
        return type(call.module) not in CONTAINERS and not wraps_one

    def _finish(self, call: Call, output: Tensor, flow: Flow) -> None:
        sizes = list(output.shape[1:]) + [1] * (4 - output.ndim)
        call.turned = flow.transposed and output.ndim == 4
        call.kind = layer_kind(call.module) or block_kind(call.module)
        call.shape = (
            (sizes[2], sizes[0], sizes[1]) if call.turned else (sizes[0], sizes[1], sizes[2])
        )
        call.flow = flow
        if call.holder:
            call.holder.layers_inside.append(call)
        self.called.append(call)

    @property
    def _inside_single(self) -> bool:
        return bool(self._open) and self._open[-1].single

    # --- operations ----------------------------------------------------------------------------

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        operation = func._overloadpacket
        given = [value for part in args for value in (part if _many(part) else (part,))]
        known = [value for value in given if isinstance(value, Tensor) and id(value) in self._flows]
        if operation in flop_registry:
            done = flop_registry[operation](*args, **(kwargs or {}), out_val=output) // 2
            self.multiply_adds += done
            if self._open:
                self._open[-1].multiply_adds += done
        if self._open and not func.is_view:
            self._open[-1].operations += 1
        self._watch_writing(func, args)
        self._watch_skips(operation, known)
        for value in known:
            reader = self._open[-1].name if self._inside_single else ""
            self.readers.setdefault(id(value), []).append(reader)
        if known:
            via = self._way(operation, known, output)
            for result in output if _many(output) else (output,):
                if isinstance(result, Tensor):
                    flow = self._flowing(operation, args, known, result)
                    self._note(result, replace(flow, via=via))
        return output

    def _way(self, operation: Any, known: list[Tensor], output: Any) -> str:
        """The way by which what an operation gives has come: through a join if it is one."""
        ways = self._ways(known)
        if len(ways) == 1 or self._inside_single or not isinstance(output, Tensor):
            return ways[0]
        self.joins.append(
            Join(
                name=f"@{len(self.joins)}",
                operation=operation.__name__.rstrip("_"),
                shape=tuple(output.shape[1:]),
                via=ways,
                place=len(self.called),
                holder=self._open[-1] if self._open else None,
            )
        )
        return self.joins[-1].name

    def _watch_writing(self, func: Any, args: tuple[Any, ...]) -> None:
        """Remember whose output is changed in place, and which convolutions had read it before."""
        for value, argument in zip(args, func._schema.arguments, strict=False):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            for part in value if _many(value) else (value,):
                hit = _storage(part)
                self.overwritten |= {
                    call.name
                    for call in self.called
                    if (call.output is not None and _storage(call.output) == hit)
                    or (call.given is not None and _storage(call.given) == hit)
                }

    def _watch_skips(self, operation: Any, known: list[Tensor]) -> None:
        """Remember the last layer of a branch that is added to what its block was given."""
        if operation in ADDING and len(known) == 2 and self._open:
            given = self._open[-1].given
            branches = [value for value in known if value is not given]
            if len(branches) == 1:
                self.branches += self._flows[id(branches[0])].sources

    def _flowing(
        self, operation: Any, args: tuple[Any, ...], known: list[Tensor], out: Tensor
    ) -> Flow:
        flows = [self._flows[id(value)] for value in known]
        first = known[0]
        transposed = any(flow.transposed for flow in flows)
        if operation is torch.ops.aten.permute:
            order = [axis % first.ndim for axis in args[1]]
            transposed = order == TO_CHANNELS_LAST or (transposed and order != TO_CHANNELS_FIRST)
        return Flow(
            field=after(joined(flow.field for flow in flows), operation, args, out, self._picture),
            sources=self._sources(known),
            transposed=transposed,
        )

    def _note(self, tensor: Tensor, flow: Flow) -> None:
        self._flows[id(tensor)] = flow
        self._kept.append(tensor)

    def _ways(self, values: list[Any]) -> tuple[str, ...]:
        flows = [self._flows[id(value)] for value in values if id(value) in self._flows]
        return tuple(dict.fromkeys(flow.via for flow in flows))

    def _sources(self, values: list[Any]) -> tuple[str, ...]:
        flows = [self._flows[id(value)] for value in values if id(value) in self._flows]
        return tuple(dict.fromkeys(name for flow in flows for name in flow.sources))


def traced(module: nn.Module, input_size: tuple[int, int, int]) -> Trace:
    """The trace of a network on the meta device, in evaluation mode; input_size is (C, H, W)."""
    trace = Trace((input_size[1], input_size[2]))
    trace.parameters = sum(parameter.numel() for parameter in module.parameters())
    batch = torch.empty(1, *input_size, device="meta")
    trace.feed(batch)
    with torch.no_grad(), calls(module, trace.entered, trace.left), trace:
        module(batch)
    return trace


def _many(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _storage(tensor: Tensor) -> int:
    number: int = tensor.untyped_storage()._cdata
    return number
