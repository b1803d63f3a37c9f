"""Weights: (entry, architecture) -> a state dict that fits. Nothing is fetched, nothing is run."""

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from os.path import commonprefix

import safetensors.torch
import torch
from torch import Tensor, nn

from app.errors import ModelUnavailable, Words
from app.zoo.entries import Entry
from app.zoo.files import WEIGHTS_LIMIT, Unreadable, open_regular, printable, read_regular
from app.zoo.pickles import Pickled, Placed, Storage

#: Heads that help while training; weights for them are not needed here, and left out.
TRAINING_ONLY = re.compile(r"(aux\d?|AuxLogits|head_4[ad])\.")
#: DenseNet's weights were saved under names that PyTorch no longer allows for modules.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
#: What torch.compile and sharding put into names; no network of ours has modules of these names.
WRAPPERS = re.compile(r"(^|\.)(?:(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.)+")
WRAPPED = re.compile(r"_orig_mod\.|_fsdp_wrapped_module\.|_checkpoint_wrapped_module\.")
#: A prefix is one under which at least so much of the network is.
LEAST_SHARE = 0.5
DTYPES = {
    "Float": torch.float32, "Double": torch.float64, "Half": torch.float16,
    "BFloat16": torch.bfloat16, "Long": torch.int64, "Int": torch.int32, "Short": torch.int16,
    "Char": torch.int8, "Byte": torch.uint8, "Bool": torch.bool,
    "ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128,
}  # fmt: skip
NO_WEIGHTS = Words(
    "It has no weights of its own. Open it untrained, or put a checkpoint for it into "
    "models/weights."
)
CHECKSUM = re.compile(r"-([0-9a-f]{8,})\.")


@dataclass(frozen=True)
class Fitting:
    """A state dict that fits an architecture. sha256: of the file that it comes from.

    part: where in the file it was, "" for all of it; prefix: what was taken off all names.
    """

    state: dict[str, Tensor]
    sha256: str
    part: str = ""
    prefix: str = ""


def fitting_weights(skeleton: nn.Module, entry: Entry) -> Fitting:
    """An entry's weights. Raises ModelUnavailable.

    skeleton: the architecture, on whatever device; only its names and shapes are read.
    """
    if entry.problem or entry.file is None:
        raise ModelUnavailable(model=entry.title, reason=entry.problem or NO_WEIGHTS)
    try:
        data = read_regular(entry.file, WEIGHTS_LIMIT)
        digest = hashlib.sha256(data).hexdigest()
        _check(digest, entry)
        part, tensors = read_tensors(data, entry.file.name, entry.part)
        if (entry.weights or "").startswith("package:"):
            prefix, tensors = "", in_order(tensors, skeleton)
        else:
            prefix, tensors = without_prefix(tensors, skeleton)
        state = fitted(tensors, skeleton, entry, prefix)
        return Fitting(state, digest, part, prefix)
    except Unreadable as unreadable:
        raise ModelUnavailable(model=entry.title, reason=unreadable.reason) from None


def sha256_of(entry: Entry) -> str | None:
    """The SHA-256 of an entry's weights, None where they are not on this disk."""
    if not entry.present or entry.file is None:
        return None
    try:
        with open_regular(entry.file, WEIGHTS_LIMIT) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except Unreadable:
        return None


def read_tensors(data: bytes, name: str, part: str = "") -> tuple[str, dict[str, Tensor]]:
    """(where in the file, tensors by name) of a file's bytes. Raises Unreadable.

    part: where they are, "" for where training programs put them. Read from memory, not mapped: a
    mapped file that is cut short meanwhile kills the process.
    """
    if not name.lower().endswith(".safetensors"):
        pickled = Pickled(io.BytesIO(data), name)
        where, placed = pickled.state_dict(part)
        return where, _placed_tensors(pickled, placed)
    try:
        return "", safetensors.torch.load(data)
    except Exception as error:  # it raises whatever the file makes it raise
        raise Unreadable(
            Words("{file} cannot be read (“{error}”).", file=name, error=_line(error))
        ) from None


def _placed_tensors(pickled: Pickled, placed: Mapping[str, Placed]) -> dict[str, Tensor]:
    """The tensors themselves; those that share numbers in the file share them here."""
    storages: dict[Storage, bytearray] = {}
    tensors = {}
    for key, one in placed.items():
        if one.storage not in storages:
            storages[one.storage] = bytearray(pickled.numbers(one.storage))
        dtype = getattr(torch, one.dtype, None) if one.dtype else DTYPES.get(one.storage.kind)
        if not isinstance(dtype, torch.dtype):
            kind = one.dtype or one.storage.kind
            raise Unreadable(
                Words(
                    "{file} holds numbers of an unknown kind ({kind}).",
                    file=pickled.name,
                    kind=kind[:40],
                )
            )
        try:
            tensors[key] = _tensor(storages[one.storage], one, dtype)
        except (RuntimeError, ValueError, OverflowError):
            raise Unreadable(
                Words(
                    "{file} is damaged: {tensor} is not all there.",
                    file=pickled.name,
                    tensor=printable(key)[:80],
                )
            ) from None
    return tensors


def _tensor(numbers: bytearray, one: Placed, dtype: torch.dtype) -> Tensor:
    """A tensor over the numbers of its storage. Raises ValueError for one that they do not hold."""
    if not prod(one.size):
        return torch.empty(one.size, dtype=dtype)
    count = len(numbers) // dtype.itemsize
    ways = zip(one.size, one.stride, strict=True)
    if one.offset < 0 or one.offset + sum((side - 1) * step for side, step in ways) >= count:
        raise ValueError("numbers beyond the end")
    flat = torch.frombuffer(numbers, dtype=dtype, count=count)
    return flat.as_strided(one.size, one.stride, one.offset)


def in_order(tensors: dict[str, Tensor], skeleton: nn.Module) -> dict[str, Tensor]:
    """The tensors by position, of files that name the modules of another implementation."""
    wanted = [key for key in skeleton.state_dict() if _needed(key)]
    given = [value for key, value in tensors.items() if _needed(key)]
    return dict(zip(wanted, given, strict=True)) if len(given) == len(wanted) else tensors


def without_prefix(
    tensors: dict[str, Tensor], skeleton: nn.Module
) -> tuple[str, dict[str, Tensor]]:
    """(prefix, tensors without it): what wrappers put before names ("module.", "model.", …).

    Of several prefixes the one under which most of the network is, averages of weights last; what
    is not under it is left out. Names that wrappers put in the middle are taken off too.
    """
    given = {OLD_DENSENET.sub(r"\1\2", key): value for key, value in tensors.items()}
    plain = {WRAPPERS.sub(r"\1", key): value for key, value in given.items()}
    wrapped = next((WRAPPED.search(key) for key in given if WRAPPED.search(key)), None)
    wanted = {key for key in skeleton.state_dict() if _needed(key)}
    counts: Counter[str] = Counter()
    for key in plain:
        for start in _starts(key):
            if key[start:] in wanted:
                counts[key[:start]] += 1
    if max(counts.values(), default=0) < len(wanted) * LEAST_SHARE:
        return "", plain
    prefix = max(counts, key=lambda one: (counts[one], "ema" not in one.lower(), -len(one)))
    taken = prefix or (wrapped[0] if wrapped else "")
    return taken, {
        key.removeprefix(prefix): value for key, value in plain.items() if key.startswith(prefix)
    }


def _starts(key: str) -> Iterator[int]:
    """Where parts of a name begin, the first of them at 0."""
    yield 0
    for place, letter in enumerate(key):
        if letter == ".":
            yield place + 1


def fitted(
    given: dict[str, Tensor], skeleton: nn.Module, entry: Entry | None = None, prefix: str = ""
) -> dict[str, Tensor]:
    """The tensors that a network needs, once all of them fit. Raises Unreadable.

    entry: whose labels say how many classes there are; prefix: what was taken off their names.
    """
    wanted = {key: value for key, value in skeleton.state_dict().items() if _needed(key)}
    given = {key: value for key, value in given.items() if _needed(key)}
    missing = sorted(key for key in wanted.keys() - given.keys() if not _counts(key))
    if missing or given.keys() - wanted.keys():
        raise Unreadable(
            Words(
                "These weights are for another architecture: {missing} not in the file, {strange} "
                "not in the network.{prefix}",
                missing=_some(missing),
                strange=_some(sorted(given.keys() - wanted.keys())),
                prefix=_about_prefix(given, prefix),
            )
        )
    others = [key for key, value in given.items() if value.shape != wanted[key].shape]
    if others:
        raise Unreadable(_misfit(others, given, wanted, entry))
    for key, value in given.items():
        if value.layout != torch.strided or value.is_quantized:
            raise Unreadable(
                Words(
                    "These weights are sparse or quantized ({tensor}), which is not read.",
                    tensor=key,
                )
            )
        if value.is_complex() or not bool(torch.isfinite(value.float()).all()):
            raise Unreadable(
                Words(
                    "These weights are damaged: {tensor} holds NaN or infinite values.", tensor=key
                )
            )
    return given


def _about_prefix(given: Mapping[str, Tensor], prefix: str) -> str:
    """What names in the file begin with, where that may be why they do not fit."""
    if prefix:
        return Words(
            " “{prefix}” was taken off the names in the file.", prefix=printable(prefix)[:80]
        )
    first, last = min(given, default=""), max(given, default="")
    begins = commonprefix((first, last)).rpartition(".")[0]  # noqa: RUF071  # no paths
    if not begins:
        return ""
    return Words(" All names in the file begin with “{prefix}.”.", prefix=printable(begins)[:80])


def _misfit(
    others: list[str],
    given: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    entry: Entry | None,
) -> Words:
    """Why tensors do not fit in shape; where only the classes are more or fewer, that as such."""
    key = others[0]
    sizes = Words(
        "{tensor} is {given} in the file, {wanted} in the network",
        tensor=key,
        given=_size(given[key]),
        wanted=_size(wanted[key]),
    )
    seen = [tensor.shape[1] if tensor.ndim == 4 else 0 for tensor in (given[key], wanted[key])]
    if entry is not None and set(seen) == {1, 3}:
        return _other_colors(seen[0], sizes)
    names = entry.classes if entry else None
    classes = {given[one].shape[:1] for one in others}
    is_last = all(
        given[one].ndim == wanted[one].ndim >= 1
        and given[one].shape[1:] == wanted[one].shape[1:]
        and wanted[one].shape[0] == names
        for one in others
    )
    if not is_last or len(classes) != 1 or entry is None:
        return Words("These weights are for another architecture: {sizes}.", sizes=sizes)
    found = Words("{names} names, {classes} classes", names=names, classes=classes.pop()[0])
    if entry.labels == "imagenet":
        return Words(
            "{found}: these weights are for other labels or another architecture: {sizes}.",
            found=found,
            sizes=sizes,
        )
    return Words(
        "{found}: “labels” must have a name for each class of these weights ({sizes}).",
        found=found,
        sizes=sizes,
    )


def _other_colors(channels: int, sizes: Words) -> Words:
    """That the pictures are said to have as many channels as the weights do not take."""
    if channels == 1:
        return Words(
            'These weights take one channel: they need channels = "L" ({sizes}).', sizes=sizes
        )
    return Words(
        'These weights take three channels: channels must be "RGB" or "BGR" ({sizes}).',
        sizes=sizes,
    )


def _check(digest: str, entry: Entry) -> None:
    """Hold a fetched file against the checksum in its name, as torch.hub does when it fetches."""
    checksum = CHECKSUM.search(entry.url_name or "")
    if checksum and not digest.startswith(checksum[1]):
        raise Unreadable(
            Words("{file} is damaged: its checksum is wrong. Fetch it again.", file=entry.url_name)
        )


def _needed(key: str) -> bool:
    return not TRAINING_ONLY.match(key)


def _counts(key: str) -> bool:
    """A batch norm's count of training steps, which older files lack and nothing here reads."""
    return key.endswith("num_batches_tracked")


def _some(names: list[str]) -> Words:
    if not names:
        return Words("no tensors")
    if len(names) == 1:
        return Words("one tensor ({name})", name=names[0])
    return Words("{count} tensors ({names} …)", count=len(names), names=", ".join(names[:2]))


def _size(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or Words("a single number")


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
