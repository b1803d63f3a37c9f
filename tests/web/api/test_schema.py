"""Whatever the OpenAPI description allows, and much that it does not, never ends in a 5xx."""

from contextlib import suppress
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.running import PATIENCE, Laterna

#: Things that are there, so that the fields behind them are read too.
REAL = {"image": "chelsea", "model": "efficientnet-lite0", "layer": "blocks.2.0", "channel": 7}


def test_no_reading_ends_in_a_failure_of_ours(server: Laterna) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    readings = schema.include(method="GET").exclude(path_regex="events")
    tried = []
    for found in readings.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        for mode in GenerationMode:
            for real in ({}, REAL):

                @given(operation.as_strategy(generation_mode=mode))
                @settings(
                    max_examples=6,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                )
                def ask(case: schemathesis.Case[Any]) -> None:
                    known = {name: real[name] for name in case.path_parameters if name in real}  # noqa: B023  # called at once
                    case.path_parameters.update(known)
                    answer = case.call(base_url=server.url, timeout=PATIENCE)
                    assert answer.status_code < 500, case.as_curl_command()

                with suppress(Unsatisfiable):  # an address without fields has no wrong ones
                    ask()
        tried.append(operation.label)
    assert len(tried) > 15


def test_no_asking_ends_in_a_failure_of_ours(server: Laterna) -> None:
    """Right bodies and wrong ones; what is begun is stopped at once."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operation = schema["/visualizations.json"]["POST"]
    statuses = set()
    for mode in GenerationMode:

        @given(operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(base_url=server.url, timeout=PATIENCE)
            assert answer.status_code < 500, case.as_curl_command()
            statuses.add(answer.status_code)
            if answer.status_code == 202:
                httpx.post(f"{server.url}{answer.json()['url']}/cancel.json", timeout=PATIENCE)

        ask()
    assert 422 in statuses


def test_the_description_tells_what_can_go_wrong_and_shows_every_answer(server: Laterna) -> None:
    with server.client() as client:
        described = client.get("/openapi.json").json()
    upload = described["paths"]["/images.json"]["post"]["responses"]
    assert {"201", "400", "403", "413", "415", "422", "429", "503", "507"} == set(upload)
    grid = "/images/{image}/models/{model}/layers/{layer}.json"
    assert {"404", "409", "422", "503", "507"} <= set(described["paths"][grid]["get"]["responses"])
    assert "503" not in described["paths"]["/healthz"]["get"]["responses"]
    for path, methods in described["paths"].items():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
                name = schema.get("$ref", "").rpartition("/")[2]
                if name:
                    assert described["components"]["schemas"][name]["examples"], (path, status)
                if int(status) >= 400:
                    assert name == "Failure", (path, status)
