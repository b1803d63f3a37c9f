"""What networks take of resident memory, beside what the budget counts, as some come and go.

    python -m benchmarks.memory [BUDGET_MIB]

Runs with the allocation settings of a device's process. Prints, after each network: what the keeper
counts, and by how much the process has grown since the default network was there; both in MiB.
"""

import os
import sys
from pathlib import Path

from app.studio.engine.allocation import KEEP_MEMORY
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
#: Large and small in turn, twice.
NAMES = ("resnet50", "squeezenet1_1", "googlenet", "resnet18", "squeezenet1_1") * 2


def resident() -> int:
    """Bytes of memory that this process has of its own, without the files that it has mapped."""
    pages = Path("/proc/self/statm").read_text("ascii").split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    if any(os.environ.get(name) != value for name, value in KEEP_MEMORY.items()):
        command = [sys.executable, "-m", "benchmarks.memory", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | KEEP_MEMORY)  # noqa: S606  # ourselves
    budget = int(sys.argv[1]) * MIB if len(sys.argv) > 1 else 150 * MIB
    catalogue = Catalogue(ROOT / "models")
    keeper = Keeper(catalogue, "cpu", budget)
    keeper.network("efficientnet-lite0")
    before = resident()
    print(f"budget {budget // MIB}, before {before // MIB}")
    for name in NAMES:
        keeper.network(f"{name}-untrained")
        counted = sum(keeper.network(kept).size for kept in keeper.loaded())
        grown = resident() - before
        print(f"{name:16} counted {counted // MIB:5} grown {grown // MIB:5}", flush=True)


if __name__ == "__main__":
    main()
