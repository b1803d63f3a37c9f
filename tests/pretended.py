"""A pretended CUDA device: real numbers on the CPU, under CUDA's rules of what may be mixed.

On a machine without a GPU the functions that run on one are rehearsed on it: `with pretended():`
makes `cuda:0` a device whose tensors say that they are there, compute on the CPU, and refuse what
CUDA refuses. As their values are real, nothing that depends on values needs a way round: not
`.item()`, not boolean masks, not L-BFGS.

The rules, as PyTorch has them: all tensors of an operation lie on one device, but for numbers
without dimensions; only copies go from one to the other; a CUDA tensor may be indexed by a CPU one,
a CPU tensor never by a CUDA one; only a CPU tensor is numpy's; a generator draws on its own device.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("cuda:0")
aten = torch.ops.aten
#: What goes from one device to another.
COPIES = {aten.copy_.default, aten._to_copy.default, aten._copy_from_and_resize.default}
#: What is indexed may be on CUDA while what indexes it is not.
INDEXED = {
    aten.index.Tensor: (1,),
    aten._unsafe_index.Tensor: (1,),
    aten.index_put_.default: (1,),
    aten.index_put.default: (1,),
    aten._index_put_impl_.default: (1,),
}
#: Where a number without dimensions is no exception.
STRICT = {aten.cat.default, aten.stack.default}
#: What only a tensor on the CPU can be asked for.
OF_THE_CPU = {"numpy", "__array__", "__dlpack__"}


class Mixed(RuntimeError):
    """Tensors of two devices met in an operation, as CUDA would refuse it."""


class Pretended(Tensor):
    """A tensor on the pretended device."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]  # torch's is no property to mypy
        """Where it says that it is."""
        return DEVICE

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        """What a CUDA tensor says."""
        return True

    def __repr__(self, *, tensor_contents: Any = None) -> Any:  # type: ignore[override]
        return f"Pretended({_plain(self)!r})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch's own says less
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(func, args, kwargs or {})

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]


def _plain(value: Any) -> Any:
    """The same numbers in the same memory, as a tensor on the CPU."""
    if not isinstance(value, Pretended):
        return value
    with torch._C._DisableTorchDispatch():
        return Tensor._make_subclass(Tensor, value)


def _there(value: Any) -> Any:
    """The same numbers in the same memory, on the pretended device."""
    if not isinstance(value, Tensor) or isinstance(value, Pretended):
        return value
    with torch._C._DisableTorchDispatch():
        return Tensor._make_subclass(Pretended, value, value.requires_grad)


def _run(func: Any, args: Any, kwargs: Any) -> Any:
    """One operation, on the CPU, after a look at where its tensors are."""
    _check(func, args, kwargs)
    flat, _ = tree_flatten((args, kwargs))
    is_there = any(isinstance(one, Pretended) for one in flat)
    if func is aten.copy_.default:
        is_there = isinstance(args[0], Pretended)
    with torch._C._DisableTorchDispatch():
        result = func(*tree_map(_plain, args), **tree_map(_plain, kwargs))
    if func._schema.is_mutable and not isinstance(result, tuple | list):
        written = [
            given
            for said, given in zip(func._schema.arguments, args, strict=False)
            if said.alias_info is not None and said.alias_info.is_write
        ]
        if written and isinstance(result, Tensor):
            return written[0]
    return tree_map(_there, result) if is_there else result


def _check(func: Any, args: Any, kwargs: Any) -> None:
    if func in COPIES:
        return
    loose = INDEXED.get(func, ())
    rest = [one for place, one in enumerate(args) if place not in loose]
    tensors = [one for one in tree_flatten((rest, kwargs))[0] if isinstance(one, Tensor)]
    there = [one for one in tensors if isinstance(one, Pretended)]
    here = [one for one in tensors if not isinstance(one, Pretended)]
    if func not in STRICT:
        here = [one for one in here if one.ndim]
    indexing = [
        one for place in loose for one in tree_flatten(args[place])[0] if isinstance(one, Tensor)
    ]
    is_indexed_from_there = any(isinstance(one, Pretended) for one in indexing)
    if is_indexed_from_there and not isinstance(args[0], Pretended):
        raise Mixed(f"{func}: a CPU tensor is indexed by one on {DEVICE}")
    if there and here:
        shapes = [tuple(one.shape) for one in here]
        raise Mixed(f"{func}: some tensors are on {DEVICE}, others on the CPU: {shapes}")
    if there and kwargs.get("generator") is not None:
        raise Mixed(f"{func}: a generator of the CPU cannot draw on {DEVICE}")


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Looks at every operation, also at those of gradients and of CPU tensors."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Calls(TorchFunctionMode):
    """Turns what is asked of `cuda:0` into what the CPU can do, before torch looks for a driver."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if args and isinstance(args[0], Tensor):
            if name in _MOVES:
                return _moved(args[0], name, args[1:], dict(kwargs))
            if isinstance(args[0], Pretended):
                if name in OF_THE_CPU:
                    raise TypeError(f"can't convert {DEVICE} device type tensor to numpy")
                if name in ("tolist", "untyped_storage"):
                    return func(_plain(args[0]))
        if _is_there(kwargs.get("device")):
            generator = kwargs.get("generator")
            if generator is not None and generator.device.type != "cuda":
                raise Mixed(f"{name}: a generator of the CPU cannot draw on {DEVICE}")
            return _there(func(*args, **kwargs | {"device": "cpu"}))
        result = func(*args, **kwargs)
        return _copy(result, False) if kwargs.get("device") is not None else result


_MOVES = ("to", "cpu", "cuda")


def _is_there(place: Any) -> bool:
    return isinstance(place, str | torch.device) and torch.device(place).type == "cuda"


def _moved(tensor: Tensor, name: str, args: Any, kwargs: Any) -> Any:
    """A tensor brought from one device to the other, or to another kind of numbers where it is."""
    is_now = isinstance(tensor, Pretended)
    if name != "to":
        is_wanted, wanted = name == "cuda", kwargs
    else:
        copy = kwargs.pop("copy", False)
        device, dtype, _, memory_format = torch._C._nn._parse_to(*args, **kwargs)
        is_wanted = is_now if device is None else device.type == "cuda"
        if args and isinstance(args[0], Tensor):
            is_wanted = isinstance(args[0], Pretended)
        wanted = {"dtype": dtype, "memory_format": memory_format, "copy": copy or None}
        wanted = {key: value for key, value in wanted.items() if value is not None}
    if is_wanted != is_now:
        tensor = _Copied.apply(tensor, is_wanted)
    return Tensor.to(tensor, **wanted) if wanted else tensor


class _Copied(torch.autograd.Function):
    """The same numbers in other memory, on the other device; gradients go the same way back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, there: bool) -> Tensor:
        ctx.there = there
        return _copy(tensor, there)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return _copy(gradients[0], not ctx.there), None


def _copy(tensor: Tensor, there: bool) -> Tensor:
    copy = _plain(tensor.detach()).clone()
    copied: Tensor = _there(copy) if there else copy
    return copied


@contextmanager
def pretended() -> Iterator[str]:
    """While inside, there is a device `cuda:0`; gives its name."""
    cuda = torch.cuda
    before = cuda.get_device_name, cuda.device_count, cuda.empty_cache
    cuda.get_device_name, cuda.device_count = lambda *_: "pretended", lambda: 1
    cuda.empty_cache = lambda: None
    replaces = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with _Operations(), _Calls():  # type: ignore[no-untyped-call]  # untyped in torch
            yield str(DEVICE)
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(replaces)
        cuda.get_device_name, cuda.device_count, cuda.empty_cache = before
