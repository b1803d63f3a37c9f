"""Places in the plane: as scikit-learn finds them, and near where photos are like."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types
from torch import Tensor

from app.vision import embedding
from tests.vision.test_neighbours import clusters


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """These are too few numbers for two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("shape", [(50, 8), (20, 64)])
def test_principal_components_are_those_of_scikit_learn(
    shape: tuple[int, int], device: str
) -> None:
    vectors = torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * torch.arange(
        1.0, shape[1] + 1
    )
    ours = embedding.principal(vectors.to(device))
    places_of_ours = ours.places.cpu().numpy()
    theirs = PCA(2).fit(vectors.double().numpy())
    places = theirs.transform(vectors.double().numpy())
    signs = np.sign((places * places_of_ours).sum(0))
    assert np.allclose(places_of_ours, places * signs, rtol=1e-3, atol=1e-3)
    assert ours.shares == pytest.approx(list(theirs.explained_variance_ratio_), rel=1e-6)
    assert torch.equal(ours.places, embedding.principal(vectors.to(device)).places)


@pytest.mark.parametrize("vectors", [torch.zeros(4, 3), torch.ones(1, 3), torch.rand(5, 1)])
def test_what_does_not_differ_has_a_place_too(vectors: Tensor, device: str) -> None:
    found = embedding.principal(vectors.to(device))
    assert found.places.shape == (len(vectors), 2)
    assert found.places.isfinite().all()
    assert sum(found.shares) <= 1 + 1e-6


def test_tsne_comes_as_near_as_that_of_scikit_learn(device: str) -> None:
    vectors, _ = clusters(200, 8, 1.0)
    method = embedding.tsne_method(200, 500)
    *_, last = embedding.tsne(vectors.to(device), method)
    theirs = TSNE(perplexity=30, init="pca", method="exact", max_iter=500, random_state=0)
    with threadpool_limits(1):
        theirs.fit_transform(vectors.numpy())
    assert last.divergence is not None
    assert last.divergence == pytest.approx(theirs.kl_divergence_, rel=0.05)
    assert trustworthiness(vectors.numpy(), last.places.cpu().numpy(), n_neighbors=5) > 0.95


def test_each_photo_looks_at_as_many_neighbours_as_was_asked(device: str) -> None:
    vectors = clusters(90, 3, 0.2)[0].to(device)
    found = embedding.affinities(vectors, 10.0).double()
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)
    assert torch.equal(found, found.T)
    assert float(found.diagonal().abs().max()) == 0
    squares, found = torch.cdist(vectors.double(), vectors.double()).cpu(), found.cpu()
    near = squares.fill_diagonal_(torch.inf) < squares.quantile(0.3)
    assert float(found[near].sum()) > 0.9


@pytest.mark.parametrize("photos", [2, 3, 5])
def test_a_few_photos_or_all_the_same_stay_finite(photos: int, device: str) -> None:
    for vectors in (torch.rand(photos, 4), torch.zeros(photos, 4)):
        *_, last = embedding.tsne(vectors.to(device), embedding.tsne_method(photos, 60))
        assert last.places.isfinite().all()


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_a_handful_of_photos_has_places_too(count: int, spread: float) -> None:
    """Also photos that are all the same: nobody is anywhere but in the plane."""
    vectors = torch.ones(count, 8) + spread * torch.eye(8)[:count]
    for step in embedding.tsne(vectors, embedding.tsne_method(count, 40)):
        assert step.places.isfinite().all()
        assert step.divergence is None or math.isfinite(step.divergence)
    assert embedding.principal(vectors).places.isfinite().all()
