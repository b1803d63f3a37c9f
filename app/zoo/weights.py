"""Weights: (entry, architecture) -> a state dict that fits. Nothing is fetched, nothing is run."""

import hashlib
import io
import re
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from app.errors import ModelUnavailable
from app.zoo.entries import Entry
from app.zoo.files import WEIGHTS_LIMIT, Unreadable, inspect_pickle, open_regular, read_regular

#: Heads that help while training; weights for them are not needed here, and left out.
TRAINING_ONLY = re.compile(r"(aux\d?|AuxLogits|head_4[ad])\.")
#: DenseNet's weights were saved under names that PyTorch no longer allows for modules.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
NO_WEIGHTS = (
    "It has no weights of its own. Open it untrained, or put a checkpoint for it into "
    "models/weights."
)
CHECKSUM = re.compile(r"-([0-9a-f]{8,})\.")


def fitting_weights(skeleton: nn.Module, entry: Entry) -> tuple[dict[str, Tensor], str]:
    """An entry's weights as a state dict that fits its architecture, and their SHA-256.

    skeleton: the architecture, on whatever device; only its names and shapes are read.
    Raises ModelUnavailable.
    """
    if entry.problem or entry.file is None:
        raise ModelUnavailable(model=entry.title, reason=entry.problem or NO_WEIGHTS)
    try:
        data = read_regular(entry.file, WEIGHTS_LIMIT)
        digest = hashlib.sha256(data).hexdigest()
        _check(digest, entry)
        tensors = read_tensors(data, entry.file.suffix, entry.file.name)
        in_order = (entry.weights or "").startswith("package:")
        return fitted(tensors, skeleton, in_order), digest
    except Unreadable as unreadable:
        raise ModelUnavailable(model=entry.title, reason=str(unreadable)) from None


def sha256_of(entry: Entry) -> str | None:
    """The SHA-256 of an entry's weights, None where they are not on this disk."""
    if not entry.present or entry.file is None:
        return None
    try:
        with open_regular(entry.file, WEIGHTS_LIMIT) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except Unreadable:
        return None


def read_tensors(data: bytes, suffix: str, name: str) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth file by name. Raises Unreadable.

    Read from memory, not mapped: a mapped file that is cut short meanwhile kills the process.
    """
    try:
        if suffix == ".safetensors":
            found: Any = safetensors.torch.load(data)
        else:
            inspect_pickle(io.BytesIO(data), name)
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Unreadable:
        raise
    except Exception as error:  # these readers raise whatever the file makes them raise
        raise Unreadable(f"{name} cannot be read: {_line(error)}") from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping):
        raise Unreadable(f"{name} holds no state dict.")
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise Unreadable(f"{name} holds something else than tensors with names.")
        if value.layout != torch.strided or value.is_quantized:
            raise Unreadable(f"{name} holds sparse or quantized tensors ({key}).")
    return dict(found)


def fitted(
    tensors: dict[str, Tensor], skeleton: nn.Module, in_order: bool = False
) -> dict[str, Tensor]:
    """The tensors under the names of a network, once all fit. Raises Unreadable.

    in_order: match them by position (files that name the modules of another implementation).
    """
    wanted = {key: value for key, value in skeleton.state_dict().items() if _needed(key)}
    given = {OLD_DENSENET.sub(r"\1\2", key): it for key, it in tensors.items() if _needed(key)}
    if in_order and len(given) == len(wanted):
        given = dict(zip(wanted, given.values(), strict=True))
    missing = sorted(key for key in wanted.keys() - given.keys() if not _counts(key))
    if missing or given.keys() - wanted.keys():
        raise Unreadable(
            f"These weights are for another architecture: {_some(missing)} not in the file, "
            f"{_some(sorted(given.keys() - wanted.keys()))} not in the network."
        )
    for key, value in given.items():
        if value.shape != wanted[key].shape:
            raise Unreadable(
                f"These weights are for another architecture: {key} is {_size(value)} in the file, "
                f"{_size(wanted[key])} in the network."
            )
        if value.is_complex() or not bool(torch.isfinite(value.float()).all()):
            raise Unreadable(f"These weights are damaged: {key} holds values that are no numbers.")
    return given


def _check(digest: str, entry: Entry) -> None:
    """Hold a fetched file against the checksum in its name, as torch.hub does when it fetches."""
    said = CHECKSUM.search(entry.url_name or "")
    if said and not digest.startswith(said[1]):
        raise Unreadable(f"{entry.url_name} is damaged: its checksum is wrong. Fetch it again.")


def _needed(key: str) -> bool:
    return not TRAINING_ONLY.match(key)


def _counts(key: str) -> bool:
    """A batch norm's count of training steps, which older files lack and nothing here reads."""
    return key.endswith("num_batches_tracked")


def _some(names: list[str]) -> str:
    return f"{len(names)} tensors" + (f" ({', '.join(names[:2])} …)" if names else "")


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a single number"


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
