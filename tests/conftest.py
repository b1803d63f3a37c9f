"""What all tests share: photographs, weights, a device, and a program that runs for real."""

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random
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

# Two processes of tests with two threads each would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--any-order 7` draws the order of the files with this seed."""
    parser.addoption(
        "--any-order", metavar="SEED", help="run the files in an order drawn by chance"
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    """The seed, so that an order that failed can be had again."""
    seed = config.getoption("--any-order")
    return f"files in any order: --any-order {seed}" if seed else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long first, so that no process waits for another at the end; browser tests last:

    Playwright keeps an event loop running in this thread until the end.
    """
    seed = config.getoption("--any-order")
    if seed:
        files = sorted({item.path for item in items})
        Random(seed).shuffle(files)
        items.sort(key=lambda item: files.index(item.path))
    else:
        items.sort(key=lambda item: item.get_closest_marker("first") is None)
    items.sort(key=lambda item: "browser" in item.path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The ten files that took longest, so that none grows unseen."""
    seconds: dict[str, float] = defaultdict(float)
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[report.nodeid.partition("::")[0]] += report.duration
    if seconds:
        terminalreporter.section("the ten slowest files")
    for file in sorted(seconds, key=lambda file: -seconds[file])[:10]:
        terminalreporter.line(f"{seconds[file]:7.1f} s  {file}")
