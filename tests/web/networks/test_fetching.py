"""Fetching weights, seen from a browser: started by a form, told as a stream, stopped at will."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.running import PATIENCE, Laterna, laterna, wait_until

NAME = "squeezenet1_1"
SIZE, PIECES = 20_000_000, 6


class Held(BaseHTTPRequestHandler):
    """A mirror that gives a piece when it is let, and whose file has the wrong checksum."""

    let = threading.Semaphore(0)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        try:
            for _ in range(PIECES):
                self.let.acquire(timeout=PATIENCE)
                self.wfile.write(bytes(SIZE // PIECES))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Laterna]:
    """A server of its own, with a mirror on this machine and its own place for weights."""
    Held.let = threading.Semaphore(0)
    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Held)
    threading.Thread(target=mirror.serve_forever, daemon=True).start()
    models = tmp_path / "models"
    models.mkdir()
    (models / "catalogue.toml").write_bytes((ROOT / "models" / "catalogue.toml").read_bytes())
    address = f"http://127.0.0.1:{mirror.server_port}"
    places = {"LATERNA_WEIGHTS_MIRROR": address, "LATERNA_MODELS_DIR": str(models)}
    with laterna(tmp_path / "data", **places) as running:
        yield running
    Held.let.release(PIECES)
    mirror.shutdown()
    mirror.server_close()


def status(server: Laterna) -> str:
    with server.client() as client:
        rows = client.get("/models.json").json()["models"]
    return str(next(row["status"] for row in rows if row["name"] == NAME))


def test_progress_is_a_stream_of_fragments_that_ends(fetching: Laterna) -> None:
    with fetching.client() as client:
        wait_until(lambda: status(fetching) == "available")
        answer = client.post(f"/models/{NAME}/fetch")
        assert (answer.status_code, answer.headers["location"]) == (303, "/models")
        assert status(fetching) == "loading"
        assert 'data-live="/models/events"' in client.get("/models").text
        Held.let.release(PIECES)
        with client.stream("GET", "/models/events") as stream:
            together = list(stream.iter_lines())
        assert f'id="state-{NAME}"' in "".join(together)
        assert together.index("event: end") > together.index("event: progress")
        assert "data-live" not in client.get("/models").text
        assert client.post(f"/models/{NAME}/fetch").status_code == 303
        with client.stream("GET", f"/models/{NAME}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = []
            for line in stream.iter_lines():
                lines.append(line)
                if "<progress" in line:  # the next piece when the last one has been told
                    Held.let.release()
    assert sum("<progress" in line and "max=" in line for line in lines) >= 3
    assert lines.index("event: end") > max(n for n, line in enumerate(lines) if "<progress" in line)
    assert any("<form" in line for line in lines), "a wrong checksum can be tried again"
    wait_until(lambda: status(fetching) == "available")


def test_stopping_stops(fetching: Laterna) -> None:
    with fetching.client() as client:
        assert client.post(f"/models/{NAME}/fetch.json").json()["state"] == "running"
        assert client.post(f"/models/{NAME}/fetch/cancel").status_code == 303
        wait_until(lambda: status(fetching) == "available")
        assert client.post("/models/nope/fetch.json").status_code == 404
        for name in ("nope", f"{NAME}-untrained"):
            assert client.get(f"/models/{name}/events").status_code == 404
