"""Asking for visualizations by script, as any program may."""

from typing import Any

import httpx

from tests.running import wait_until

MODEL = "efficientnet-lite0"
#: Some tenths of a second each: few steps, small, and only as deep as it takes.
CHANNEL = {"kind": "channel", "layer": "bn1", "channel": 5, "steps": 8, "size": 64}
ATLAS = {"kind": "atlas", "layer": "bn1", "steps": 8, "size": 32}
CLASS = {"kind": "class", "class": 954, "steps": 8, "size": 64}
REBUILT = {"kind": "reconstruction", "layer": "bn1", "image": "chelsea", "steps": 8}
STRIP = {"kind": "strip", "image": "coffee", "steps": 8, "layers": ["bn1", "blocks.0.0"]}
#: Runs until it is stopped.
LONG = {"kind": "class", "class": 1, "steps": 2048, "size": 224}


def ask(client: httpx.Client, body: dict[str, Any], **more: Any) -> str:
    """Ask for one; its id."""
    answer = client.post("/visualizations.json", json=body | more)
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["id"])


def state(client: httpx.Client, id: str) -> str:
    """Where it is."""
    return str(client.get(f"/visualizations/{id}.json").json()["state"])


def finish(client: httpx.Client, id: str) -> dict[str, Any]:
    """Wait until it neither waits nor runs; all that is known of it."""
    wait_until(lambda: state(client, id) not in ("queued", "running"))
    known: dict[str, Any] = client.get(f"/visualizations/{id}.json").json()
    return known


def made(client: httpx.Client, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Ask for one and wait until it is done."""
    known = finish(client, ask(client, body, **more))
    assert known["state"] == "done", known["error"]
    return known
