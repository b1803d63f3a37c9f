"""Pictures are made for those who wait for them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx

from tests.running import Laterna, wait_until

MODEL = "vgg19-untrained"
GRID = f"/images/rocket/models/{MODEL}/layers/features.36"


def leave_soon(server: Laterna, address: str) -> None:
    with suppress(httpx.TimeoutException), httpx.Client(base_url=server.url, timeout=0.2) as client:
        client.get(address)


def test_those_who_leaf_on_leave_nothing_in_the_queue(server: Laterna) -> None:
    """While the device is still at loading the network, whoever waited for it has left."""
    with server.client() as client:
        assert client.get(f"/models/{MODEL}.json").status_code == 200
        with ThreadPoolExecutor(30) as leafing:
            for tile in range(10, 40):
                leafing.submit(leave_soon, server, f"{GRID}.png?tile={tile}")
        wait_until(lambda: client.get("/queue.json").json()["waiting"] == [], 1.5)
        assert client.get(f"{GRID}.png?tile=10").status_code == 200
