"""Every answer in JSON holds what its description says, and nothing that it does not name."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from pydantic import BaseModel

from app.web.api.schemas import base, collections, images, lecture, networks, visualizations
from tests.asking import MODEL, made
from tests.running import Laterna

LAYER, IMAGE = "blocks.2.0", "chelsea"
NAMES = {"model": MODEL, "layer": LAYER, "channel": 7, "image": IMAGE, "collection": "samples"}
INDEX = {"kind": "index", "model": MODEL, "collection": "samples"}
MADE = (
    INDEX,
    {"kind": "map", "model": MODEL, "collection": "samples", "layer": LAYER, "steps": 260},
    {"kind": "class", "model": MODEL, "class": 954, "size": 64, "steps": 16},
    {"kind": "channel", "model": MODEL, "layer": LAYER, "channel": 7, "size": 64, "steps": 16},
    {"kind": "occlusion", "model": MODEL, "image": IMAGE, "class": 282},
)
#: What else is asked of an address than what it must be told.
QUERIES: dict[str, tuple[dict[str, str], ...]] = {
    "/images/{image}/models/{model}/layers/{layer}.json": (
        {"scale": "channel", "sort": "max"},
        {"low": "-1", "high": "1"},
    ),
    "/images/{image}/models/{model}/where.json": (
        {"method": "occlusion"},
        {"method": "occlusion", "class": "282"},
    ),
    "/images/{image}/models/{model}/covering.json": ({"left": "50", "width": "80"},),
    "/models/{model}/graph.json": ({"image": IMAGE, "layer": LAYER},),
    "/models/{model}/layers/{layer}/filters.json": ({"filter": "3", "scale": "shared"},),
    "/models/{model}/classes.json": ({"q": "banana"},),
    "/side-by-side.json": ({"scale": "own"},),
    "/collections/{collection}/models/{model}/layers/{layer}/neighbours.json": ({"image": IMAGE},),
    "/collections/{collection}/models/{model}/layers/{layer}/map.json": ({"method": "tsne"},),
}
#: Layers that have filters, for what is told of those alone.
FILTERED = {"/models/{model}/layers/{layer}/filters.json": {"layer": "conv_stem"}}


@pytest.fixture(scope="module")
def client(server: Laterna) -> Iterator[httpx.Client]:
    """Somebody for whom one of each kind has been made."""
    with server.client() as client:
        for body in MADE:
            made(client, body)
        yield client


@pytest.fixture(scope="module")
def described(client: httpx.Client) -> dict[str, Any]:
    """The OpenAPI description, in which objects have the fields that are named and no others.

    Those that say of themselves that they are open stay so.
    """
    found: dict[str, Any] = client.get("/openapi.json").json()
    for schema in found["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return found


def check(described: dict[str, Any], path: str, method: str, answer: httpx.Response) -> None:
    """The answer is as its operation describes this status."""
    assert answer.is_success, (path, answer.text)
    told = described["paths"][path][method]["responses"][str(answer.status_code)]
    schema = told["content"]["application/json"]["schema"]
    whole = {"components": described["components"], **schema}
    problems = [
        f"{path}: {'.'.join(map(str, each.instance_path))}: {each.message[:300]}"
        for each in jsonschema_rs.validator_for(whole).iter_errors(answer.json())
    ]
    assert problems == []


def test_every_page_in_json_answers_as_described(
    client: httpx.Client, described: dict[str, Any]
) -> None:
    tried = 0
    for path, methods in described["paths"].items():
        if "get" not in methods or not path.endswith(".json") or "{id}" in path:
            continue
        address = path.format(**NAMES | FILTERED.get(path, {}))
        for query in ({}, *QUERIES.get(path, ())):
            check(described, path, "get", client.get(address, params=query))
        tried += 1
    assert tried > 25
    assert set(QUERIES) <= set(described["paths"])


def test_every_kind_of_visualization_answers_as_described(
    client: httpx.Client, described: dict[str, Any]
) -> None:
    for body in MADE:
        answer = client.post("/visualizations.json", json=body)
        check(described, "/visualizations.json", "post", answer)
        shown = client.get(f"{answer.json()['url']}.json")
        check(described, "/visualizations/{id}.json", "get", shown)


def test_an_untrained_network_answers_as_described(
    client: httpx.Client, described: dict[str, Any]
) -> None:
    """It has no weights to be told of, and no labels of its own."""
    for path in ("/models/{model}.json", "/images/{image}/models/{model}/layers/{layer}.json"):
        address = path.format(**NAMES | {"model": f"{MODEL}-untrained"})
        check(described, path, "get", client.get(address))


def test_only_what_must_be_is_open(described: dict[str, Any]) -> None:
    """Of visualizations, which tell what their kind tells, and of what repeats one."""
    schemas = described["components"]["schemas"]
    opened = {
        name for name, schema in schemas.items() if schema.get("additionalProperties") is True
    }
    assert opened == {"Visualization", "Where"}


SCHEMAS = {
    kind
    for module in (base, collections, images, lecture, networks, visualizations)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.model_config
}


@pytest.mark.parametrize("schema", sorted(SCHEMAS, key=str))
def test_every_example_is_a_whole_answer(schema: type[BaseModel]) -> None:
    extra: Any = schema.model_config["json_schema_extra"]
    for example in extra["examples"]:
        read = schema.model_validate(example)
        assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == example
