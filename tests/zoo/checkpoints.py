"""Own checkpoints for tests: a folder of models with files in it, good and hostile."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

BGR = """
[preprocessing]
resize = 256
crop = {crop}
channels = "BGR"
range = 255.0
mean = [104, 117, 123]
std = [1, 1, 1]
"""
RGB = """
[preprocessing]
resize = 256
crop = 224
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
"""


def models_dir(folder: Path) -> Path:
    """A folder of models as the program has it, with the real catalogue and no weights."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "models" / "catalogue.toml", folder)
    (folder / "weights").mkdir()
    return folder


def toml(architecture: str, labels: str = '"imagenet"', preprocessing: str = RGB) -> str:
    """What lies beside a checkpoint."""
    return f'architecture = "{architecture}"\nlabels = {labels}\n{preprocessing}'
