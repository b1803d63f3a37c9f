"""What all tests share: photographs, weights, a device, and a program that runs for real."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

try:
    from hypothesis import settings
except ModuleNotFoundError:
    pass
else:  # how long an example takes says more of the machine than of what is tested
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")

# Tests of networks also run where there are no packages of the web (make test-gpu).
if TYPE_CHECKING:
    from tests.running import Laterna

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
def device() -> Iterator[str]:
    """Where the networks of tests live: cpu, or what LATERNA_TEST_DEVICE says, such as cuda:0.

    "pretended" is the one of tests/pretended.py, to see that the tests themselves mix nothing.
    """
    name = os.environ.get("LATERNA_TEST_DEVICE", "cpu")
    if name != "pretended":
        yield name
        return
    from tests.pretended import pretended

    with pretended() as name:
        yield name


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Laterna]":
    """One real server for all tests that do no harm to it, ready to be asked."""
    from tests.running import laterna

    with laterna(tmp_path_factory.mktemp("server") / "data") as running:
        yield running.wait_until_ready()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in this thread until the end."""
    items.sort(key=lambda item: "browser" in item.path.parts)
