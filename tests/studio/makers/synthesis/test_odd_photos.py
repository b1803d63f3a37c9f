"""Whatever lies in a folder under a photo's name: the index is made, and it says what was wrong."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from app.settings import Settings
from app.studio.makers import Workshop
from app.studio.recipes import CollectionIndex, Made, Member, Sources
from tests.bad_pictures import bad_pictures, encoded
from tests.running import children_of
from tests.studio.makers.synthesis.driving import watched

pytestmark = pytest.mark.first

RECIPE = CollectionIndex(model="tiny", collection="odd", photos="x")


def members(folder: Path) -> tuple[Member, ...]:
    return tuple(Member(path.name, str(path)) for path in sorted(folder.iterdir()))


def index_of(
    workshop: Workshop, photos: tuple[Member, ...], between: Callable[[], None] = lambda: None
) -> Made:
    with torch.no_grad():
        return watched(workshop, RECIPE, between, Sources(members=photos))[0]


def reasons(made: Made) -> dict[str, str]:
    """Of the photos that could not be read."""
    return {
        row["name"]: row["reason"] for row in made.facts["photos"] if row.get("unreadable")
    }  # fmt: skip


def opener() -> list[int]:
    """The processes that open photos."""
    said = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children_of(os.getpid())}
    return [pid for pid, words in said.items() if "decoders:serve" in words]


def test_no_odd_photo_fails_an_index(workshop: Workshop, tmp_path: Path) -> None:
    odd = {f"{n:03}.jpg": found for n, found in enumerate(bad_pictures())}
    for name, found in odd.items():
        (tmp_path / name).write_bytes(found.data)
    good = [f"{n:03}-good.png" for n in range(0, len(odd), 7)]
    for name in good:
        (tmp_path / name).write_bytes(encoded("PNG"))
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    with (tmp_path / "huge.jpg").open("wb") as huge:
        huge.truncate(3_000_000_000)
    photos = (*members(tmp_path), Member("gone.jpg", str(tmp_path / "gone.jpg")))
    made = index_of(workshop, photos)
    assert [row["name"] for row in made.facts["photos"]] == [photo.name for photo in photos]
    unreadable = reasons(made)
    lost = ("pipe.jpg", "empty.jpg", "folder.jpg", "huge.jpg", "gone.jpg")
    assert {name: unreadable.pop(name) for name in lost} == dict.fromkeys(lost, "lost_photo")
    for name, found in odd.items():
        if found.quarters is None and found.data:
            assert unreadable[name] in found.refusals, found
        elif not found.refusals:
            assert name not in unreadable, found
    assert not set(good) & set(unreadable)


def test_an_opener_that_hangs_costs_a_photo_and_one_that_dies_none(
    models: Path, tmp_path: Path
) -> None:
    """And when all is done, or given up, there is no process more than before."""
    for n in range(40):
        (tmp_path / f"{n:02}.png").write_bytes(encoded("PNG"))
    struck: list[int] = []

    def strike(sign: signal.Signals) -> None:
        for pid in opener():
            if not struck:
                os.kill(pid, sign)
                struck.append(pid)

    settings = Settings(data_dir=tmp_path, models_dir=models, decode_seconds=2, decoders=1)
    workshop = Workshop(settings, "cpu")
    before = set(children_of(os.getpid()))
    made = index_of(workshop, members(tmp_path), lambda: strike(signal.SIGSTOP))
    assert struck
    assert len(reasons(made)) <= 1
    assert set(reasons(made).values()) <= {"too_hard_to_decode"}
    struck.clear()
    made = index_of(workshop, members(tmp_path), lambda: strike(signal.SIGKILL))
    assert struck
    assert reasons(made) == {}
    assert set(children_of(os.getpid())) == before
    steps = workshop.steps(RECIPE, Sources(members=members(tmp_path)))
    with torch.no_grad():
        next(steps)
        assert opener()
        steps.close()
    assert set(children_of(os.getpid())) == before


def test_a_part_of_a_collection_keeps_its_numbers(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there would be too many numbers to hold, as many of each class are looked at."""
    monkeypatch.setattr("app.studio.makers.synthesis.indices.most_photos", lambda _: 6)
    photos = []
    for n in range(20):
        path = tmp_path / f"{n:02}.png"
        path.write_bytes(encoded("PNG") if n != 0 else b"x")
        photos.append(Member(path.name, str(path), "ant" if n < 15 else "bee"))
    facts = index_of(workshop, tuple(photos)).facts
    assert [row["label"] for row in facts["photos"]] == ["ant"] * 3 + ["bee"] * 3
    assert all(row["name"] == photos[row["n"]].name for row in facts["photos"])
    assert facts["left_out"] == 14
