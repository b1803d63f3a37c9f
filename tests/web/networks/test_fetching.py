"""Fetching weights, seen from a browser: started by a form, told as a stream, stopped at will."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.running import Laterna, laterna, wait_until

NAME = "squeezenet1_1"
SIZE = 20_000_000


class Slow(BaseHTTPRequestHandler):
    """A mirror that takes five seconds, and whose file has the wrong checksum."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        try:
            for _ in range(20):
                self.wfile.write(bytes(SIZE // 20))
                time.sleep(0.25)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Laterna]:
    """A server of its own, with a mirror on this machine and its own place for weights."""
    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=mirror.serve_forever, daemon=True).start()
    models = tmp_path / "models"
    models.mkdir()
    (models / "catalogue.toml").write_bytes((ROOT / "models" / "catalogue.toml").read_bytes())
    address = f"http://127.0.0.1:{mirror.server_port}"
    places = {"LATERNA_WEIGHTS_MIRROR": address, "LATERNA_MODELS_DIR": str(models)}
    with laterna(tmp_path / "data", **places) as running:
        yield running
    mirror.shutdown()
    mirror.server_close()


def status(server: Laterna) -> str:
    with server.client() as client:
        rows = client.get("/models.json").json()["models"]
    return str(next(row["status"] for row in rows if row["name"] == NAME))


def test_progress_is_a_stream_of_fragments_that_ends(fetching: Laterna) -> None:
    with fetching.client() as client:
        wait_until(lambda: status(fetching) == "available", 20)
        answer = client.post(f"/models/{NAME}/fetch")
        assert (answer.status_code, answer.headers["location"]) == (303, "/models")
        assert status(fetching) == "loading"
        assert f'hx-sse:connect="/models/{NAME}/events"' in client.get("/models").text
        with client.stream("GET", f"/models/{NAME}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = list(stream.iter_lines())
    assert sum("<progress" in line and "max=" in line for line in lines) >= 3
    assert lines.index("event: end") > max(n for n, line in enumerate(lines) if "<progress" in line)
    assert any("<form" in line for line in lines), "a wrong checksum can be tried again"
    wait_until(lambda: status(fetching) == "available", 20)


def test_stopping_stops(fetching: Laterna) -> None:
    with fetching.client() as client:
        assert client.post(f"/models/{NAME}/fetch.json").json()["state"] == "running"
        assert client.post(f"/models/{NAME}/fetch/cancel").status_code == 303
        wait_until(lambda: status(fetching) == "available", 5)
        assert client.post("/models/nope/fetch.json").status_code == 404
        for name in ("nope", f"{NAME}-untrained"):
            assert client.get(f"/models/{name}/events").status_code == 404
