"""An atlas is made some channels at a time, and fewer when the memory is short."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import OutOfMemory
from app.studio.makers import Workshop
from app.studio.recipes import Atlas
from app.vision import ascent
from app.vision.ascent import Step
from tests.studio.makers.synthesis.driving import made, watched

ATLAS = Atlas(model="tiny", layer="conv1.2", size=40, steps=4)


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let more than `most` pictures at once need too much in their second step."""
    real, tried = ascent.ascend, []

    def ascend(*given: Any, **said: Any) -> Iterator[Step]:
        count = given[4]
        tried.append(count)
        for step in real(*given, **said):
            if count > most and step.step == 2:
                raise MemoryError
            yield step

    monkeypatch.setattr(ascent, "ascend", ascend)
    return tried


def test_tiles_appear_as_they_are_done(workshop: Workshop) -> None:
    result, seen = watched(workshop, ATLAS)
    assert result.facts["batch"] == 8
    assert [progress.stage for progress in seen] == ["0–7"] * 4 + ["8–15"] * 4
    assert [progress.step for progress in seen] == list(range(1, 9))
    assert {progress.steps for progress in seen} == {8}


def test_its_scores_are_the_mean_over_all_channels_at_each_step(workshop: Workshop) -> None:
    result, seen = watched(workshop, ATLAS)
    scores = result.facts["scores"]
    assert len(scores) == ATLAS.steps
    assert scores[-1] > scores[0]
    assert all(progress.score is None for progress in seen), "batch after batch is no curve"


def test_short_of_memory_it_goes_on_with_half_as_many(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = short_of_memory(monkeypatch, most=2)
    result, seen = watched(workshop, ATLAS)
    assert tried == [8, 4, *[2] * 8]
    assert result.facts["batch"] == 2
    assert len(result.facts["channels"]) == 16
    assert all(row["activation"] > 0 for row in result.facts["channels"])
    assert seen[-1].step == seen[-1].steps


def test_with_no_room_for_one_it_fails_and_the_next_works(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as short:
        short_of_memory(short, most=0)
        with pytest.raises(OutOfMemory):
            made(workshop, ATLAS)
    assert made(workshop, ATLAS).facts["batch"] == 8


def test_a_layer_of_vectors_is_made_at_the_networks_size(workshop: Workshop) -> None:
    facts = made(workshop, Atlas(model="tiny", layer="fc", steps=2)).facts
    assert facts["sheet"]["tile"] == 64
    assert len(facts["channels"]) == 10
