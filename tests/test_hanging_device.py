"""A device that hangs keeps nobody from anything else."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from PIL import Image

from tests.running import Laterna, laterna, wait_until

pytestmark = pytest.mark.first

MODEL = "efficientnet-lite0"
PHOTOS = 2500


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    """A server whose device hangs at the first question, with a folder of many photos.

    It has run before, so that it knows its default network.
    """
    folder = tmp_path_factory.mktemp("hanging")
    (folder / "many").mkdir()
    one = folder / "one.png"
    Image.new("RGB", (8, 8)).save(one)
    for number in range(PHOTOS):
        (folder / "many" / f"a photo with a longer name {number:04}.png").hardlink_to(one)
    with laterna(folder / "data") as server, server.wait_until_ready().client() as client:
        assert client.get(f"/models/{MODEL}.json").status_code == 200
    many = {"LATERNA_COLLECTIONS": str(folder / "many"), "LATERNA_FAULT": "call-hang:1"}
    many["LATERNA_SILENT_SECONDS"] = "5"
    with laterna(folder / "data", **many) as server:
        yield server.wait_until_ready()


def doing(client: httpx.Client) -> str | None:
    said: str | None = client.get("/queue.json").json()["devices"][0]["doing"]
    return said


def test_many_photos_can_be_asked_for_while_it_hangs(hanging: Laterna) -> None:
    def grid() -> None:
        with suppress(httpx.HTTPError), hanging.client() as other:
            other.get(f"/images/chelsea/models/{MODEL}/layers/conv_stem.png")

    with hanging.client() as client:
        threading.Thread(target=grid, daemon=True).start()
        wait_until(lambda: doing(client) is not None)
        body = {"kind": "index", "model": MODEL, "collection": "many"}
        answer = client.post("/visualizations.json", json=body)
        assert answer.status_code == 202, answer.text
        state = client.get(f"/visualizations/{answer.json()['id']}.json")
        assert state.json()["state"] in ("queued", "running")
        wait_until(lambda: client.get("/queue.json").json()["jobs"] != [])
        assert client.get("/healthz").json() == {"status": "alive"}


def test_pictures_are_refused_for_now_long_before_the_device_is_given_up(hanging: Laterna) -> None:
    with hanging.client() as client:
        wait_until(lambda: doing(client) is not None)
        answer = client.get(f"/images/coffee/models/{MODEL}/layers/bn1.png")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "device_silent")
        assert int(answer.headers["Retry-After"]) > 0
