"""A mask says which cells are covered, in an address; nothing else of the picture changes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.vision import covering, masks
from app.vision.covering import Fill

FILLS: tuple[Fill, ...] = ("mean", "blur", "noise")


def ends(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    low, high = (torch.full((1, 3, 1, 1), end, device=device) for end in (-2.0, 2.0))
    return low, high


@given(st.binary(max_size=masks.BYTES))
def test_a_mask_is_read_as_it_was_written(bits: bytes) -> None:
    whole = bits.ljust(masks.BYTES, b"\0")
    text = masks.written(whole)
    assert masks.read(text) == whole
    assert len(text) <= masks.LONGEST
    assert all(sign.isalnum() or sign in "-_" for sign in text)


@pytest.mark.parametrize("text", ["A", "!!!!", "A" * (masks.LONGEST + 4), "ø", "AAAA AAAA"])
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cells"):
        masks.read(text)


def test_a_rectangle_covers_its_share_and_lies_where_it_is_said() -> None:
    cells = covering.cells(masks.written(masks.rectangle(25, 50, 50, 25)))
    assert cells.float().mean() == pytest.approx(0.125)
    rows, columns = cells.any(1).nonzero(), cells.any(0).nonzero()
    assert (int(rows.min()), int(rows.max())) == (28, 41)
    assert (int(columns.min()), int(columns.max())) == (14, 41)
    assert not any(masks.rectangle(0, 0, 0, 50))
    assert covering.cells(masks.written(masks.rectangle(0, 0, 100, 100))).all()
    assert covering.cells(masks.written(masks.rectangle(100, 100, 100, 100))).sum() == 1
    both = masks.joined(masks.rectangle(0, 0, 50, 100), masks.rectangle(50, 0, 50, 100))
    assert covering.cells(masks.written(both)).all()


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("side", [64, 224, 227])
def test_only_what_is_covered_changes(fill: Fill, side: int, device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(1, 3, side, side, generator=generator).to(device) * 4 - 2
    low, high = ends(device)
    cells = covering.cells(masks.written(masks.rectangle(25, 25, 50, 50)))
    filled = covering.filling(batch, fill, low, high, seed=3)
    after = covering.covered(batch, cells, filled)
    changed = (after != batch).any(1)[0]
    edge = side // 4
    assert not changed[: edge - 3].any()
    assert not changed[:, side - edge + 3 :].any()
    inner = (slice(edge + 3, side - edge - 3),) * 2
    assert changed[inner].float().mean() > 0.99
    assert torch.equal(after[0, :, *inner], filled[0, :, *inner])


def test_fillings_are_what_they_say(device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    batch = (torch.rand(1, 3, 96, 96, generator=generator) + torch.linspace(0, 1, 96)).to(device)
    low, high = ends(device)
    assert not covering.filling(batch, "mean", low, high).any()
    blur = covering.filling(batch, "blur", low, high)
    assert float(blur.mean()) == pytest.approx(float(batch.mean()), abs=0.01)
    assert blur.diff(dim=3).abs().max() < batch.diff(dim=3).abs().max() / 10
    noise = covering.filling(batch, "noise", low, high, seed=1)
    assert torch.equal(noise, covering.filling(batch, "noise", low, high, seed=1))
    assert not torch.equal(noise, covering.filling(batch, "noise", low, high, seed=2))
    assert float(noise.std()) == pytest.approx(float(batch.std()), rel=0.1)
    assert noise.min() >= -2
    assert noise.max() <= 2
