"""Architectures: which of torchvision's classifiers can be opened, and how long tracing one takes.

python -m benchmarks.architectures [TEXT]   (only names that have TEXT in them)
"""

import json
import sys
import time

import torchvision

from app.errors import LaternaError
from app.zoo.architectures import skeleton
from app.zoo.entries import Entry
from app.zoo.tracing import traced

SIDES = {"inception_v3": 299}


def tried(name: str) -> str:
    """The number of its layers, or why it is refused."""
    entry = Entry(name="own", title=name, architecture=f"torchvision:{name}", classes=10)
    side = SIDES.get(name, 224)
    try:
        return f"{len(traced(skeleton(entry), (3, side, side)).called)} layers"
    except LaternaError as error:
        return str(error.facts["reason"])


def main(text: str = "") -> None:
    """Print a line for each."""
    for name in torchvision.models.list_models(module=torchvision.models):
        if text in name:
            began = time.perf_counter()
            said = tried(name)
            print(json.dumps({"name": name, "found": said, "s": time.perf_counter() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:2])
