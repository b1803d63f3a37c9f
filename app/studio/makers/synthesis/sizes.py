"""Sizes: (network, method, layer) -> the method, once the network takes pictures of its size."""

import torch

from app.errors import Words, WrongField
from app.vision import ascent
from app.vision.methods import Method
from app.zoo.keeper import Network
from app.zoo.preprocessing import sides
from app.zoo.taps import tap


def fitting(network: Network, method: Method, layer: str | None = None) -> Method:
    """The method itself. Raises WrongField where pictures are too small for the network.

    Larger ones than the network takes are seen reduced, so these always fit. layer: how far the
    pass goes, None: to its end.
    """
    crop = network.preprocessing.crop
    if ascent.covers(method.size, crop):
        return method
    grey = torch.full((1, 3, *method.sides), 0.5, device=network.device)
    try:
        with (
            torch.no_grad(),
            tap(network, [] if layer is None else [layer], stop=layer is not None),
        ):
            network(ascent.normalized(network, grey))
    except (RuntimeError, ValueError) as error:
        if "memory" in str(error):
            raise
        raise WrongField(
            field="size", allowed=Words("{crop} pixels for this network.", crop=max(sides(crop)))
        ) from None
    return method
