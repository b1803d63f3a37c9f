"""Taps: `with tap(network, ["inception_4a"]) as seen: network(batch)`. Hooks that always come off.

The only module that registers hooks.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from torch import Tensor, nn

from app.errors import UnknownLayer

Listener = Callable[[str, Tensor], None]


class Tappable(Protocol):
    """A network that knows which of its layers need care when listened to."""

    @property
    def module(self) -> nn.Module:
        """What is run."""

    @property
    def unfolded(self) -> Mapping[str, nn.Module]:
        """Convolutions that a batch norm was folded into, as they were before."""

    @property
    def overwritten(self) -> Collection[str]:
        """Layers whose output a later operation changes in place."""

    @property
    def transposed(self) -> Collection[str]:
        """Layers whose output is [N,H,W,C]."""


class Seen(Mapping[str, Tensor]):
    """Activations by layer name, [N,C,H,W] or [N,C], as far as the pass came.

    What a folded convolution gave is computed on access, from its input and its own weights.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[Tensor, nn.Module | None]] = {}

    def hold(self, name: str, tensor: Tensor, then: nn.Module | None = None) -> None:
        """Keep what a layer gave; with `then`, what it was given, to run `then` on it later."""
        self._held[name] = (tensor, then)

    def let_go(self, name: str) -> None:
        """Keep nothing of a layer any more."""
        del self._held[name]

    def __getitem__(self, name: str) -> Tensor:
        tensor, then = self._held[name]
        if then is None:
            return tensor
        result: Tensor = then(tensor)
        return result

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    @property
    def nbytes(self) -> int:
        """Bytes of memory held, each storage counted once."""
        storages = (tensor.untyped_storage() for tensor, _ in self._held.values())
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def given(layer: str) -> str:
    """The name of what a layer is given, among activations."""
    return f"before {layer}"


class _Enough(Exception):
    """Every wanted layer was seen, so the pass can end. Caught by the tap that raised it."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen


@contextmanager
def tap(
    network: Tappable | nn.Module,
    names: Collection[str],
    *,
    stop: bool = True,
    on_seen: Listener | None = None,
    before: Collection[str] = (),
    keep: bool = True,
) -> Iterator[Seen]:
    """Listen to the layers `names` while the network runs inside the `with`.

    stop: leave the `with` block as soon as all of them were seen, in the middle of the pass.
    on_seen(name, activation): called in the pass as each of them is reached.
    before: layers of which what they are given is wanted, held as `given(name)`: before an
    activation, its linear part.
    keep: whether `seen` holds a layer after `on_seen` was called with it; else its memory is free
    for the rest of the pass, which must not be one that stops.
    A layer that runs more than once in a pass is called name, name_1, name_2 …
    A plain module's activations are copied, as nothing is known of what overwrites them.
    Raises UnknownLayer.
    """
    seen = Seen()
    ears = _Ears(network, names, before, seen, on_seen, keep)
    with ExitStack() as hooks:
        for module, hook in ears.hooks(stop):
            hooks.callback(module.register_forward_hook(hook).remove)
        hooks.callback(ears.root.register_forward_pre_hook(ears.start).remove)
        try:
            yield seen
        except _Enough as enough:
            if enough.seen is not seen:
                raise


class _Ears:
    """The hooks of one tap, and what they share during a pass."""

    def __init__(
        self,
        network: Tappable | nn.Module,
        names: Collection[str],
        before: Collection[str],
        seen: Seen,
        on_seen: Listener | None,
        keep: bool,
    ) -> None:
        self._network = None if isinstance(network, nn.Module) else network
        self.root = network if isinstance(network, nn.Module) else network.module
        modules = dict(self.root.named_modules())
        self._modules = modules
        self._wanted = {place(modules, name): name for name in names}
        self._before = {place(modules, name): name for name in before}
        self._seen, self._on_seen, self._keep = seen, on_seen, keep
        self._calls: dict[str, int] = {}

    def start(self, module: nn.Module, inputs: object) -> None:
        """At the start of each pass: nothing was called yet."""
        self._calls.clear()

    def hooks(self, stop: bool) -> Iterator[tuple[nn.Module, Callable[..., None]]]:
        """A hook for every module that a wanted layer is."""
        for path in dict.fromkeys(path for path, _ in (*self._wanted, *self._before)):
            yield self._modules[path], self._hook(path, stop)

    def _hook(self, path: str, stop: bool) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Sequence[Tensor], output: Tensor) -> None:
            turn = self._calls.get(path, 0)
            self._calls[path] = turn + 1
            name = self._wanted.get((path, turn))
            below = self._before.get((path, turn))
            if below is not None:
                self._seen.hold(given(below), inputs[0])
            if name is not None:
                self._hold(name, inputs, output)
                if self._on_seen:
                    self._on_seen(name, self._seen[name])
                    if not self._keep:
                        self._seen.let_go(name)
            if stop and len(self._seen) == len(self._wanted) + len(self._before):
                raise _Enough(self._seen)

        return hook

    def _hold(self, name: str, inputs: Sequence[Tensor], output: Tensor) -> None:
        if self._network is None:
            self._seen.hold(name, output.clone())
            return
        unfolded = self._network.unfolded.get(name)
        copy = name in self._network.overwritten
        if unfolded is not None and copy:
            self._seen.hold(name, unfolded(inputs[0]))
        elif unfolded is not None:
            self._seen.hold(name, inputs[0], unfolded)
        else:
            output = output.clone() if copy else output
            turned = name in self._network.transposed
            self._seen.hold(name, output.permute(0, 3, 1, 2) if turned else output)


def place(modules: Mapping[str, nn.Module], name: str) -> tuple[str, int]:
    """Which module a layer name means, and which of its calls in a pass, counted from 0.

    Raises UnknownLayer.
    """
    if name in modules and name:
        return name, 0
    path, _, turn = name.rpartition("_")
    if path in modules and path and turn.isdecimal():
        return path, int(turn)
    raise UnknownLayer(model=type(modules[""]).__name__, layer=name)


@contextmanager
def calls(
    network: nn.Module,
    entered: Callable[[str, nn.Module, tuple[Any, ...]], None],
    left: Callable[[str, nn.Module, Any], None],
) -> Iterator[None]:
    """Call `entered(path, module, inputs)` and `left(path, module, output)` around every module."""

    def before(path: str) -> Callable[..., None]:
        return lambda module, inputs: entered(path, module, inputs)

    def after(path: str) -> Callable[..., None]:
        return lambda module, inputs, output: left(path, module, output)

    with ExitStack() as hooks:
        for path, module in network.named_modules():
            hooks.callback(module.register_forward_pre_hook(before(path)).remove)
            hooks.callback(module.register_forward_hook(after(path)).remove)
        yield


@contextmanager
def outputs_through(
    network: nn.Module, hooks: Mapping[str, Callable[[Tensor, Tensor], Tensor | None]]
) -> Iterator[None]:
    """Have the outputs of modules go through `hook(input, output)` while a network runs.

    A hook gives what takes the output's place, or None to leave it; it may also ask the output for
    its gradient. hooks: by the path of the module.
    """

    def hooked(hook: Callable[[Tensor, Tensor], Tensor | None]) -> Callable[..., Tensor | None]:
        return lambda module, inputs, output: hook(inputs[0], output)

    with ExitStack() as stack:
        for path, hook in hooks.items():
            module = network.get_submodule(path)
            stack.callback(module.register_forward_hook(hooked(hook)).remove)
        yield


def scale_gradient(tensor: Tensor, factor: float) -> None:
    """Multiply the gradient that comes back to a tensor; it and what follows stay the same."""
    if tensor.requires_grad:
        tensor.register_hook(  # type: ignore[no-untyped-call]  # untyped in torch
            lambda gradient: gradient * factor
        )
