"""Pictures are made for those who wait for them."""

import os
import signal
import socket
from contextlib import ExitStack

from tests.running import Laterna, wait_until

MODEL = "vgg19-untrained"
GRID = f"/images/rocket/models/{MODEL}/layers/features.36"


def test_those_who_leaf_on_leave_nothing_in_the_queue(server: Laterna) -> None:
    """The device stands still: it is not by being worked off that they go."""
    with server.client() as client:
        assert client.get(f"/models/{MODEL}.json").status_code == 200
        device = server.device()
        os.kill(device, signal.SIGSTOP)
        try:
            with ExitStack() as leafing:
                for tile in range(10, 40):
                    line = leafing.enter_context(socket.create_connection(server.address))
                    line.sendall(
                        f"GET {GRID}.png?tile={tile} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                    )
                wait_until(lambda: len(client.get("/queue.json").json()["waiting"]) >= 29)
            wait_until(lambda: client.get("/queue.json").json()["waiting"] == [])
        finally:
            os.kill(device, signal.SIGCONT)
        assert client.get(f"{GRID}.png?tile=10").status_code == 200
