"""All layers in one pass say what each says when it is listened to alone."""

from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from app.vision.listening import Listener
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper
from app.zoo.taps import tap
from tests.zoo.checkpoints import models_dir, toml
from tests.zoo.conftest import shaken


@pytest.mark.parametrize("name", ["resnet18", "vgg11"])
def test_an_activation_that_is_used_in_several_places_is_heard_in_each(
    tmp_path: Path, device: str, name: str
) -> None:
    """The ReLUs of torchvision's ResNets are one module for two places of a block."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = shaken(get_model(name, weights=None, num_classes=2))
    models = models_dir(tmp_path / "models")
    torch.save(module.state_dict(), models / "weights" / "mine.pth")
    said = toml(f"torchvision:{name}", '["one", "other"]')
    (models / "weights" / "mine.toml").write_text(said.replace("= 224", "= 96"))
    network = Keeper(Catalogue(models), device, 2**31).network("mine")
    batch = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(4)).to(device)
    listener = Listener(network, kept=2)
    with torch.no_grad():
        listener.hear(batch)
        with tap(network, list(network.layers), stop=False) as alone:
            network(batch)
        for layer, tally in listener.tallies.items():
            maps = alone[layer].float()
            means = maps.mean((2, 3)) if maps.ndim == 4 else maps
            reach = float(means.abs().max())
            assert torch.allclose(tally.means.float(), means, rtol=1e-2, atol=1e-2 * reach), layer
