"""What the descriptions of the catalogue's networks say, as the pages get them."""

import json
from typing import Any

from app.settings import ROOT
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import describe


def described(name: str) -> dict[str, Any]:
    """A network's description after its way through JSON."""
    found: dict[str, Any] = json.loads(json.dumps(describe(Catalogue(ROOT / "models"), name)))
    return found
