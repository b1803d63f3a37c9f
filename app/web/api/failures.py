"""What can go wrong at an address, for the OpenAPI description."""

from typing import Any

from app.web.api.schemas.base import Failure
from app.web.api.schemas.visualizations import Queued

#: What can go wrong, by status.
WRONG = {
    400: "The request cannot be read, or not under this host name.",
    403: "It came from another site's page.",
    404: "Not here.",
    409: "Not possible as it is: a network without weights, or something not finished.",
    410: "The picture's file is damaged or gone on the server's disk; a sample comes back.",
    413: "Too many bytes or pixels.",
    415: "Not a picture that can be read here.",
    422: "A field is wrong, or the picture is damaged.",
    429: "Too many from one person; see Retry-After.",
    503: "Busy or away; see Retry-After.",
    507: "No room left on the disk; see Retry-After.",
}
Answers = dict[int | str, dict[str, Any]]


def failures(*statuses: int) -> Answers:
    """The descriptions of what can go wrong at an address."""
    return {status: {"model": Failure, "description": WRONG[status]} for status in statuses}


def beside_a_stream(*statuses: int) -> Answers:
    """The same at an address whose answer is a stream: what goes wrong is still told in JSON."""
    json_answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {status: {"content": json_answer, "description": WRONG[status]} for status in statuses}


def media(kind: str) -> Answers:
    """The description of an answer that is no JSON."""
    return {200: {"content": {kind: {}}, "description": f"One {kind.partition('/')[2].upper()}."}}


#: Made by a device; kept; changed; fetched; taken in; asked for; stopped; finished; watched.
MADE = failures(404, 409, 410, 422, 503, 507)
KEPT = failures(404, 410, 422)
CHANGED = failures(403, 404, 422, 507)
FETCHED = failures(403, 404, 409, 422)
ASKED = {200: {"model": Queued, "description": "Made already."}} | failures(
    403, 404, 409, 410, 413, 422, 429, 503, 507
)
CANCELLED = failures(403, 404, 409, 422)
DONE = failures(404, 409, 410, 422)
WATCHED = beside_a_stream(400, 404, 410, 422)
TAKEN = failures(403, 413, 415, 422, 429, 503, 507)
