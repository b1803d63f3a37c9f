"""What the budget lets go is given back to the system, with a device's allocation settings."""

import os
import subprocess
import sys

from app.studio.engine.allocation import KEEP_MEMORY
from tests.zoo.checkpoints import ROOT

#: Prints what the large network counts, and the growth with it and after it left, in bytes.
CODE = """
from pathlib import Path
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper
from benchmarks.memory import resident

keeper = Keeper(Catalogue(Path("models")), "cpu", 1)
keeper.network("squeezenet1_1-untrained")
before = resident()
size = keeper.network("resnet50-untrained").size
large = resident()
keeper.network("squeezenet1_1-untrained")
print(size, large - before, resident() - before)
"""


def test_a_network_that_left_takes_no_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT, env=os.environ | KEEP_MEMORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    size, large, after = (int(number) for number in done.stdout.split())
    assert 0.7 * size < large < 2 * size, "it takes what is counted, and little more"
    assert after < 0.35 * size
