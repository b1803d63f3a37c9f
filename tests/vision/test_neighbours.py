"""Neighbours: who is near by which measure, and how often that is right."""

import pytest
import torch
from torch import Tensor

from app.vision import neighbours


def clusters(photos: int, groups: int, spread: float, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Vectors [photos,32] around as many centres as there are groups, and whose group each is."""
    generator = torch.Generator().manual_seed(0)
    belongs = torch.arange(photos) % groups
    centres = torch.randn(groups, 32, generator=generator)
    noise = torch.randn(photos, 32, generator=generator)
    return (centres[belongs] + spread * noise).to(device), belongs.to(device)


def share(vectors: Tensor, groups: Tensor, count: int = 5) -> float | None:
    towards = neighbours.directions(vectors)
    asked = torch.arange(len(groups))
    return neighbours.share_right(towards, groups, neighbours.cosine, count, asked)


def test_cosine_minds_the_direction_and_pixels_mind_the_brightness(device: str) -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.2, 0.02], [0.8, 0.6], [0.0, 0.0]], device=device)
    towards = neighbours.directions(vectors)
    own = torch.tensor([0])
    by_angle = neighbours.nearest(towards, towards[:1], neighbours.cosine, 3, own)
    by_value = neighbours.nearest(vectors, vectors[:1], neighbours.closeness, 3, own)
    assert by_angle.numbers.tolist() == [[1, 2, 3]]
    assert by_angle.likeness[0].tolist() == pytest.approx([0.99504, 0.8, 0.0], abs=1e-4)
    assert by_value.numbers.tolist() == [[2, 1, 3]]
    assert -float(by_value.likeness[0, 0]) == pytest.approx((0.2**2 / 2 + 0.6**2 / 2) ** 0.5)


def test_nobody_is_its_own_neighbour_and_a_stranger_may_be_its_twin(device: str) -> None:
    vectors, _ = clusters(20, 4, 0.3, device)
    towards = neighbours.directions(vectors)
    own = neighbours.nearest(towards, towards, neighbours.cosine, 19, torch.arange(20))
    assert all(k not in row for k, row in enumerate(own.numbers.tolist()))
    assert own.numbers.shape == (20, 19)
    stranger = neighbours.nearest(towards, towards[7:8], neighbours.cosine, 1)
    assert stranger.numbers.tolist() == [[7]]
    assert float(stranger.likeness[0, 0]) == pytest.approx(1)


@pytest.mark.parametrize("photos", [0, 1, 3])
def test_there_are_no_more_neighbours_than_others(photos: int, device: str) -> None:
    vectors = torch.rand(photos, 8, device=device)
    own = torch.arange(photos)
    near = neighbours.nearest(vectors, vectors, neighbours.closeness, 5, own)
    assert near.numbers.shape == (photos, max(0, photos - 1))


def test_the_share_that_is_right_lies_between_chance_and_one(device: str) -> None:
    tight, groups = clusters(200, 8, 0.05, device)
    loose, _ = clusters(200, 8, 1.5, device)
    noise = torch.randn(200, 32, generator=torch.Generator().manual_seed(1)).to(device)
    chance = neighbours.share_by_chance(groups, 5, torch.arange(200))
    assert share(tight, groups) == 1
    assert chance == pytest.approx(24 / 199)
    assert share(noise, groups) == pytest.approx(chance, abs=0.04)
    assert chance is not None
    assert chance + 0.1 < (share(loose, groups) or 0) < 0.9


def test_a_small_group_can_be_right_too_and_one_alone_is_not_asked(device: str) -> None:
    groups = torch.tensor([0, 0, 1, -1, -1], device=device)
    vectors = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1], [0, 0.9]], device=device)
    assert share(vectors, groups, 1) == 1
    assert share(vectors, groups, 3) == 1  # its one other is among the three
    assert share(vectors, torch.tensor([0, 1, 2, -1, -1], device=device)) is None
    assert (
        neighbours.share_by_chance(torch.full((3,), -1, device=device), 5, torch.arange(3)) is None
    )


def test_asking_some_is_asking_those(device: str) -> None:
    vectors, groups = clusters(60, 3, 1.0, device)
    towards = neighbours.directions(vectors)
    each = [
        neighbours.share_right(towards, groups, neighbours.cosine, 5, torch.tensor([n]))
        for n in (3, 30, 59)
    ]
    some = neighbours.share_right(towards, groups, neighbours.cosine, 5, torch.tensor([3, 30, 59]))
    assert some == pytest.approx(sum(one or 0.0 for one in each) / 3)
