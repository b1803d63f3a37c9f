"""The default network, which is real, for what is made by its gradients."""

from pathlib import Path

import pytest

from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def lite0(device: str) -> Network:
    """EfficientNet-Lite0 with its trained weights."""
    return Keeper(Catalogue(ROOT / "models"), device, 2**31).network("efficientnet-lite0")
