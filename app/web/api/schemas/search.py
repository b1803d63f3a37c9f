"""What is answered to a search."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from app.web.api import examples

Kind = Literal["class", "layer", "channel", "network", "image", "photo", "page"]


class Row(TypedDict):
    """What was found, and where it is; note: what it is, in words; text: what else it says.

    ask: what `POST /visualizations` takes to make it, where it is to be made.
    """

    kind: Kind
    title: str
    url: str
    note: str
    text: str
    ask: dict[str, str] | None


class Found(BaseModel):
    """What words lead to, the nearest first."""

    results: list[Row]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.FOUND))
