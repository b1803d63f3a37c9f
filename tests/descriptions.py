"""What the descriptions of the catalogue's networks say, as the pages get them."""

import json

from app.settings import ROOT
from app.zoo.catalogue import Catalogue
from app.zoo.described import NetworkDescription
from app.zoo.keeper import describe


def described(name: str) -> NetworkDescription:
    """A network's description after its way through JSON."""
    found: NetworkDescription = json.loads(json.dumps(describe(Catalogue(ROOT / "models"), name)))
    return found
