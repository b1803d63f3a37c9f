"""Checkpoints for tests: one of one channel that sees wide pictures, one that sees tall ones."""

from pathlib import Path

import timm
import torch

from tests.zoo.checkpoints import models_dir, toml

LABELS = '["cat", "dog", "hen", "cow"]'
GREY = """
[preprocessing]
crop = [64, 128]
fit = "squash"
channels = "L"
mean = 0.45
std = 0.25
"""
TALL = """
[preprocessing]
resize = [108, 72]
crop = [96, 64]
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
"""
#: (height, width) of what each takes.
SIDES = {"grey": (64, 128), "tall": (96, 64)}


def odd_inputs(folder: Path) -> Path:
    """A folder of models with both of them beside the catalogue."""
    models = models_dir(folder)
    for name, channels, said in (("grey", 1, GREY), ("tall", 3, TALL)):
        with torch.random.fork_rng():
            torch.manual_seed(2)
            module = timm.create_model("test_resnet", num_classes=4, in_chans=channels)
        torch.save(module.state_dict(), models / "weights" / f"{name}.pth")
        (models / "weights" / f"{name}.toml").write_text(toml("timm:test_resnet", LABELS, said))
    return models
