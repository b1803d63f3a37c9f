"""What is noted of many photos in passing is what looking at all of it at once would give."""

import pytest
import torch
from torch import Tensor

from app.vision.statistics import Shift, Tally, histogram, reading, reading_after

PHOTOS, CHANNELS, KEPT = 40, 5, 3
GAIN = torch.tensor([2.0, -0.5, 1.0, -3.0, 0.25])
OFFSET = torch.tensor([0.5, 1.0, -2.0, 0.0, 3.0])


@pytest.fixture(scope="module")
def meant(device: str) -> Tensor:
    """What the layer gives: [PHOTOS, CHANNELS, 6, 7]; channel 2 is dead, channel 4 cut off at 1."""
    maps = torch.randn(PHOTOS, CHANNELS, 6, 7, generator=torch.Generator().manual_seed(3))
    maps[:, 2] = 0
    maps[:, 4] = maps[:, 4].clamp(max=1)
    return maps.to(device)


def tallied(maps: Tensor, shift: Shift | None = None) -> Tally:
    """Noted four at a time, narrowed three times."""
    tally = Tally(KEPT, shift)
    for first in range(0, PHOTOS, 4):
        tally.add(reading(maps[first : first + 4]), sampled=[0])
        if first in (4, 12, 24):
            tally.narrow()
    return tally


@pytest.mark.parametrize("folded", [False, True], ids=["plain", "stretched and shifted"])
def test_the_outermost_photos_are_found_and_where_they_are(meant: Tensor, folded: bool) -> None:
    gain, offset = GAIN.to(meant.device), OFFSET.to(meant.device)
    heard = meant * gain[:, None, None] + offset[:, None, None] if folded else meant
    tally = tallied(heard, Shift(gain, offset) if folded else None)
    torch.testing.assert_close(tally.highs, meant.amax((2, 3)), rtol=0, atol=1e-5)
    torch.testing.assert_close(tally.means.float(), meant.mean((2, 3)), rtol=1e-2, atol=1e-3)
    for most in (True, False):
        values, photos, places = tally.extremes(most)
        for channel in (0, 1, 3):
            truth = meant[:, channel].flatten(1).amax(1).sort(descending=most)
            assert photos[channel].tolist() == truth.indices[:KEPT].tolist()
            torch.testing.assert_close(values[channel], truth.values[:KEPT], rtol=0, atol=1e-5)
            for photo, place in zip(photos[channel], places[channel], strict=True):
                assert place == meant[photo, channel].flatten().argmax()


def test_those_that_are_even_come_by_their_means(meant: Tensor) -> None:
    """Of many photos that reach the limit the first by number would say nothing."""
    tally = tallied(meant)
    values, photos, places = tally.extremes(most=True)
    assert values[4].tolist() == [1.0] * KEPT
    at_limit = [n for n in range(PHOTOS) if meant[n, 4].amax() == 1]
    assert len(at_limit) > KEPT
    by_mean = sorted(at_limit, key=lambda n: -float(meant[n, 4].mean().half()))
    assert photos[4].tolist() == by_mean[:KEPT]
    assert all(
        meant[n, 4].flatten()[place] == 1 for n, place in zip(photos[4], places[4], strict=True)
    )


def test_a_dead_channel_has_photos_too(meant: Tensor) -> None:
    values, photos, places = tallied(meant).extremes(most=True)
    assert values[2].tolist() == [0.0] * KEPT
    assert photos[2].tolist() == [0, 1, 2]
    assert (places[2] >= 0).all()


def test_vectors_are_maps_of_one_position(meant: Tensor) -> None:
    tally = Tally(1)
    tally.add(reading(meant[:2, :, 0, 0]), sampled=[1])
    torch.testing.assert_close(tally.highs, meant[:2, :, 0, 0])
    torch.testing.assert_close(tally.sampled[0], meant[1:2, :, 0, 0])


def test_a_histogram_counts_everything_once(device: str) -> None:
    values = torch.tensor([[0.0, 0.1, 0.5, 1.0], [2.0, 2.0, 2.0, 2.0]], device=device)
    counts = histogram(values, values.amin(1), values.amax(1), 4)
    assert counts.tolist() == [[2, 0, 1, 1], [4, 0, 0, 0]]


def test_what_rises_need_not_be_read_again(meant: Tensor) -> None:
    before = reading(meant)
    after = reading_after(before, torch.relu, torch.relu(meant))
    fresh = reading(torch.relu(meant))
    torch.testing.assert_close(after.means, fresh.means)
    torch.testing.assert_close(after.columns, fresh.columns)
    torch.testing.assert_close(after.highs, fresh.highs)
