"""`make bench`: all benchmarks; the figures of the last run are kept in benchmarks/results."""

import json
import os
import platform
import time
from pathlib import Path

import torch

from benchmarks import grids, serving, synthesis

RESULTS = Path(__file__).resolve().parent / "results" / "last.json"


def main() -> None:
    """Run everything, print it and keep it."""
    grids.with_kept_memory()
    given = grids.weights_argument().parse_args()
    results = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "first grid, one thread": grids.run(given.weights, given.rounds, given.device),
        "serving": serving.run(),
        "synthesis, one thread": synthesis.run(given.rounds, given.device, threads=1),
    }
    text = json.dumps(results, indent=2)
    RESULTS.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
