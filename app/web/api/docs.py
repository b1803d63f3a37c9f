"""The page for programmers: the OpenAPI description, written out; no scripts of others."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import UnknownPage
from app.web import pages, urls

router = APIRouter(include_in_schema=False)


@router.get(urls.DOCS)
async def docs(request: Request, of: Annotated[str, Query(max_length=200)] = "") -> Response:
    """All addresses for programs; of one of them ("GET /queue.json") the fields and examples too.

    All of all of them would be a page too heavy for a phone.
    """
    described: dict[str, Any] = request.app.openapi()
    listed = operations(described)
    if of and of not in {operation["name"] for operation in listed}:
        raise UnknownPage()
    return pages.respond(request, "api/docs.html", operations=listed, of=of)


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    """What can be asked, in the order of the routes: method, path, words, fields, answers."""
    return [
        {
            "name": f"{method.upper()} {path}",
            "method": method.upper(),
            "path": urls.at(path),
            "text": operation.get("description", ""),
            "fields": operation.get("parameters", []),
            "bodies": _bodies(described, operation),
            "answers": {
                status: _answer(described, answer)
                for status, answer in operation["responses"].items()
            },
        }
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def _bodies(described: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """What may be sent as JSON: the name, fields and an example of each kind of body."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    kinds = schema.get("discriminator", {}).get("mapping", {}).values()
    named = [described["components"]["schemas"][kind.rpartition("/")[2]] for kind in kinds]
    return [
        {
            "text": body.get("description", ""),
            "fields": body["properties"],
            "example": next(iter(body.get("examples", [])), None),
        }
        for body in named
    ]


def _answer(described: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """An answer's media types, and the first example of its schema."""
    content = answer.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    named = described.get("components", {}).get("schemas", {}).get(name, {})
    return {
        "text": answer.get("description", ""),
        "media": list(content),
        "fields": list(named.get("properties", {})),
        "example": next(iter(named.get("examples", [])), None),
    }
