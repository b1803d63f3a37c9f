"""What all tests share: the real photographs and weights, and a program that runs for real."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Laterna, laterna

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def shared(name: str) -> Path:
    """A folder of real photographs or weights beside the checkout; skips where it is absent."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs ../shared/{name}, which is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """Real pretrained checkpoints: GoogLeNet and AlexNet as published, SqueezeNet."""
    return shared("weights")


@pytest.fixture(scope="session")
def photos_folder() -> Path:
    """500 labelled photographs."""
    return shared("photos")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    """One real server for all tests that do no harm to it, ready to be asked."""
    with laterna(tmp_path_factory.mktemp("server") / "data") as running:
        yield running.wait_until_ready()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in this thread until the end."""
    items.sort(key=lambda item: "browser" in item.path.parts)
