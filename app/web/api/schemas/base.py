"""What the schemas of all rooms share."""

from pydantic import BaseModel, ConfigDict

from app.web.api import examples


class Problem(BaseModel):
    """What went wrong, in one word for programs and a sentence for people."""

    code: str
    message: str


class Failure(BaseModel):
    """Every error in JSON."""

    error: Problem
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.FAILURE))


class FromNetwork(BaseModel):
    """What every result of a recipe says of where it is from.

    definition: a digest of the network's architecture, preprocessing and labels, "" where they are
    as they always were; weights: of what the recipe was for, weights_sha256: of what it was made
    with, null for an untrained network.
    """

    kind: str
    model: str
    weights: str = ""
    definition: str = ""
    trained: bool
    weights_sha256: str | None


class FromImage(FromNetwork):
    """The same of a result that is of a picture; crop: (left, top, right, bottom) of what is seen,
    in the picture's pixels."""

    image: str
    crop: list[float]
