"""A channel that gives nothing is climbed by its linear part, or said to be dead, with numbers."""

import pytest
import torch

from app.studio.makers import Workshop
from app.studio.makers.synthesis import dead_channels
from app.studio.makers.synthesis.dead_channels import Source
from app.studio.makers.synthesis.photo_maxima import activation
from app.studio.recipes import Atlas, ChannelImage
from tests.studio.makers.synthesis.conftest import DEAD, SHY
from tests.studio.makers.synthesis.driving import made, opened, watched


def test_a_shy_channel_is_reached_by_its_linear_part(workshop: Workshop) -> None:
    wanted = ChannelImage(model="tiny", layer="act1", channel=SHY, steps=80)
    result, seen = watched(workshop, wanted)
    facts = result.facts
    assert facts["silent"] == "pre-activation"
    assert facts["activation"] > 0
    assert facts["evidence"]["highest_in_samples"] > 0
    assert facts["evidence"]["highest_reached"] > 0
    assert facts["evidence"]["linear_part"]["layer"] == "before act1"
    scores = [progress.score for progress in seen if progress.score is not None]
    assert scores[: dead_channels.PATIENCE] == [0] * dead_channels.PATIENCE
    assert len(scores) == dead_channels.PATIENCE + 80
    assert scores[-1] > scores[dead_channels.PATIENCE]


def test_a_dead_channel_is_said_to_be_dead_with_evidence(workshop: Workshop) -> None:
    facts = made(workshop, ChannelImage(model="tiny", layer="act1", channel=DEAD, steps=12)).facts
    assert facts["silent"] == "dead"
    assert facts["activation"] == 0
    assert facts["multiple"] is None
    assert facts["rank"] is None
    assert facts["first"] is False
    evidence = facts["evidence"]
    assert evidence["sample_photos"] == 8
    assert evidence["highest_in_samples"] == evidence["highest_reached"] == 0
    linear = evidence["linear_part"]
    assert linear["channel"] == DEAD
    assert -1010 < linear["highest_in_samples"] < -990
    assert -1010 < linear["highest_reached"] < -990


def test_an_atlas_retries_the_shy_and_hatches_the_dead(workshop: Workshop) -> None:
    result = made(workshop, Atlas(model="tiny", layer="act1", size=40, steps=48))
    facts = result.facts
    rows = facts["channels"]
    assert [row["channel"] for row in rows] == list(range(32))
    assert facts["dead"] == 1
    assert [row["channel"] for row in rows if row["silent"] == "dead"] == [DEAD]
    assert rows[DEAD]["evidence"]["highest_reached"] == 0
    assert rows[SHY]["silent"] == "pre-activation"
    assert rows[SHY]["activation"] > 0
    assert rows[0]["silent"] is None
    assert "evidence" not in rows[0]
    sheet, picture = facts["sheet"], opened(result.picture)
    assert picture.size == (sheet["width"], sheet["height"])

    def colors(channel: int) -> int:
        step = sheet["tile"] + sheet["gap"]
        left = sheet["gap"] + channel % sheet["columns"] * step
        top = sheet["gap"] + channel // sheet["columns"] * step
        tile = picture.crop((left, top, left + sheet["tile"], top + sheet["tile"]))
        return len(tile.getcolors(1 << 16) or [])

    assert colors(DEAD) == 2, "black, and the lines of the hatch"
    assert colors(SHY) > 100


@pytest.mark.parametrize(
    ("model", "layer", "channel", "found"),
    [
        ("tiny", "act1", 4, Source("before act1", 4)),
        ("tiny", "maxpool", 4, Source("before act1", 4)),
        ("tiny", "layer1.0", 7, Source("before layer1.0.act2", 7)),
        ("tiny", "global_pool.pool", 7, Source("before layer4.0.act2", 7)),
        ("tiny", "layer1.0.conv1", 7, None),
        ("other", "features.3", 2, Source("before features.3.expand1x1_activation", 2)),
        ("other", "features.3", 66, Source("before features.3.expand3x3_activation", 2)),
        ("efficientnet-lite0", "bn1", 9, Source("before bn1", 9)),
    ],
)
def test_the_linear_part_is_found(
    workshop: Workshop, model: str, layer: str, channel: int, found: Source | None
) -> None:
    network = workshop.network(model)
    probe = workshop.cache.samples.probe(network)
    assert dead_channels.sources(network, layer, probe)[channel] == found


def test_a_channel_and_its_linear_part_are_the_same_one(workshop: Workshop) -> None:
    network = workshop.network("other")
    probe = workshop.cache.samples.probe(network)
    source = dead_channels.sources(network, "features.3", probe)[66]
    assert source is not None
    linear = activation(network, source.layer, probe)[:, source.channel]
    given = activation(network, "features.3", probe)[:, 66]
    assert torch.equal(linear.clamp(min=0), given)
