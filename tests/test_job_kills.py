"""Kills in the middle of a job: of the device, of the server, and of both as it is told to end."""

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import PATIENCE, Laterna, laterna, wait_until
from tests.test_kills import gone, started

pytestmark = pytest.mark.first

Body = dict[str, Any]


def body(number: int, steps: int) -> Body:
    """A small class image, whose step takes some hundredths of a second."""
    return {
        "kind": "class", "model": "efficientnet-lite0", "class": number, "size": 64, "steps": steps,
    }  # fmt: skip


def ask(client: httpx.Client, asked: Body) -> str:
    """The address of a job that was just asked for."""
    answer = client.post("/visualizations.json", json=asked)
    assert answer.status_code in (200, 202), answer.text
    url: str = answer.json()["url"]
    return url


def told(client: httpx.Client, url: str) -> Body:
    answer = client.get(f"{url}.json")
    assert answer.status_code == 200, answer.text
    said: Body = answer.json()
    return said


def wait_for(client: httpx.Client, url: str, condition: Callable[[Body], bool]) -> Body:
    """What is told of a job once it is so."""
    wait_until(lambda: condition(told(client, url)))
    return told(client, url)


def at_work(said: Body) -> bool:
    return bool(said["state"] == "running" and said["step"] >= 3)


def over(said: Body) -> bool:
    return said["state"] not in ("queued", "running")


def ready(server: Laterna) -> Laterna:
    with server.client() as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
    return server


def index_of(server: Laterna) -> sqlite3.Connection:
    return sqlite3.connect(server.data / "index.sqlite")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Laterna]:
    """A server that may come to harm."""
    with laterna(tmp_path / "data") as server:
        yield ready(server)


def test_a_job_goes_through_the_death_of_its_device_and_of_the_server(own_server: Laterna) -> None:
    """What was done stays, what ran is made after all, what waited still does."""
    server = own_server
    with server.client() as client:
        done = ask(client, body(1, steps=5))
        wait_for(client, done, over)
        picture = client.get(f"{done}.png").content
        assert picture.startswith(b"\x89PNG")
        victim = ask(client, body(2, steps=60))
        wait_for(client, victim, at_work)
        os.kill(server.device(), signal.SIGKILL)
        said = wait_for(client, victim, over)
        assert said["state"] == "done", said["error"]
        assert "tried again" in server.log.read_text("utf-8")

        running = ask(client, body(3, steps=120))
        waiting = [ask(client, body(number, steps=8)) for number in (4, 5)]
        wait_for(client, running, at_work)
        children = server.children()
        cookies = client.cookies
    server.kill()
    wait_until(lambda: all(gone(pid) for pid in children))
    with index_of(server) as index:
        assert index.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    index.close()

    ready(server.start())
    with httpx.Client(base_url=server.url, timeout=PATIENCE, cookies=cookies) as client:
        assert told(client, done)["state"] == "done"
        assert client.get(f"{done}.png").content == picture
        for url in (running, *waiting):
            assert wait_for(client, url, over)["state"] == "done"
        assert client.get("/queue.json").json()["jobs"] == []
        assert client.get("/queue.json").json()["waiting"] == []
        assert 'laterna_jobs{state="running"} 0.0' in client.get("/metrics").text
    with index_of(server) as index:
        states = index.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        assert states == [("done", 5)]
        assert index.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    index.close()
    assert list(server.data.rglob("*.part")) == []


def test_three_deaths_fail_a_job_with_the_reason_and_the_next_one_works(tmp_path: Path) -> None:
    with laterna(tmp_path / "data", LATERNA_FAULT="die:1,die:2,die:3") as server:
        with ready(server).client() as client:
            url, after = ask(client, body(1, steps=2000)), ask(client, body(2, steps=5))
            said = wait_for(client, url, over)
            assert said["state"] == "failed"
            assert said["error"]["code"] == "job_died"
            assert "3 times" in said["error"]["message"]
            assert wait_for(client, after, over)["state"] == "done"
            again = client.post("/visualizations.json", json=body(1, steps=2000))
            assert again.json()["state"] in ("queued", "running")
            stopped = client.post(f"{again.json()['url']}/cancel.json").json()
            assert stopped["state"] == "cancelled"
        assert "faults are on" in server.log.read_text("utf-8")


def test_it_ends_while_people_watch_and_a_flipped_byte_is_noticed(
    own_server: Laterna,
) -> None:
    server = own_server
    with server.client() as client:
        done = ask(client, body(1, steps=5))
        wait_for(client, done, over)
        with index_of(server) as index:
            [(digest,)] = index.execute("SELECT digest FROM results JOIN jobs USING (key)")
        index.close()
        file = server.data / "blobs" / digest[:2] / digest
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        assert told(client, done)["state"] == "unmade"
        assert ask(client, body(1, steps=5)) == done
        assert wait_for(client, done, over)["state"] == "done"

        running = ask(client, body(2, steps=2000))
        wait_for(client, running, at_work)
        watchers = [started(lambda: watch(server, running)) for _ in range(5)]
        wait_until(lambda: threading.active_count() > len(watchers))
        dropped = client.send(client.build_request("GET", f"{running}/events"), stream=True)
        next(dropped.iter_bytes())
        dropped.close()
        os.kill(server.device(), signal.SIGSTOP)  # nor does it wait for the step of now
        children = server.children()
        assert server.stop() == 0
    assert all(gone(pid) for pid in children)
    for watcher in watchers:
        watcher.join(PATIENCE)
    with index_of(server) as index:
        assert index.execute(
            "SELECT state FROM jobs WHERE id = ?", (running.split("/")[-1],)
        ).fetchall() == [("running",)]
    index.close()


def watch(server: Laterna, url: str) -> None:
    """Read a stream until it is cut off."""
    try:
        with server.client() as client, client.stream("GET", f"{url}/events") as stream:
            for _ in stream.iter_bytes():
                pass
    except httpx.HTTPError:
        return
