"""What the environment may say: each wrong value is told in one sentence before anything starts."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings, complaints

#: Settings that say a size, a number or a time: none of them may be endless, below 0 or no number.
NUMBERS = [
    name for name, field in Settings.model_fields.items() if field.annotation in (int, float)
]


def said(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    """What is said of settings from the environment; nothing when all is well."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        Settings()
    except ValidationError as error:
        return list(complaints(error))
    return []


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "-1", "many", "", "1e400", "9" * 30])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_cannot_be_is_told_with_what_can(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = f"LATERNA_{name.upper()}"
    (told,) = said(monkeypatch, **{variable: value})
    assert told.startswith(f"{variable} is “{value}”; it must be a ")
    assert "number of" in told
    assert told.count("\n") == 0


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_that_are_told_are_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    variable = f"LATERNA_{name.upper()}"
    (told,) = said(monkeypatch, **{variable: "many"})
    low, _, high = told.rpartition("number of ")[2].rstrip(".").partition(" to ")
    for end in (low.removeprefix("more than "), high):
        is_excluded = low.startswith("more than ") and end != high
        assert bool(said(monkeypatch, **{variable: end.replace(",", "")})) == is_excluded


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        ("LATERNA_DEVICES", [",", "", " , ", "gpu", "cuda:x", "cuda:-1", "auto,cpu", "cpu;cuda:0"]),
        ("LATERNA_OFFLINE", ["perhaps", "2", ""]),
        ("LATERNA_IDLE_PICTURES", ["maybe"]),
        ("LATERNA_HOST", ["", " "]),
        ("HOST", [""]),
        ("PORT", ["65536", "-1", "http"]),
        ("LATERNA_DATA_DIR", [""]),
        ("LATERNA_MODELS_DIR", ["", " "]),
        ("LATERNA_DEFAULT_MODEL", ["", " "]),
        (
            "LATERNA_WEIGHTS_MIRROR",
            ["", "download.pytorch.org", "ftp://somewhere/models", "http://"],
        ),
        ("LATERNA_FAULT", ["nonsense", "die", "die:", "die:0", "die:x", "burn:1", "call-nan:1"]),
    ],
)
def test_what_makes_no_sense_is_told_under_the_name_that_was_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, values: list[str]
) -> None:
    for value in values:
        (told,) = said(monkeypatch, **{variable: value})
        assert told.startswith(f"{variable} is “{value}”; it must "), told


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = said(monkeypatch, LATERNA_DEVICES=",", LATERNA_UPLOAD_HOURS="inf", PORT="99999")
    assert [line.split()[0] for line in told] == ["PORT", "LATERNA_DEVICES", "LATERNA_UPLOAD_HOURS"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("auto", "auto"),
        (" CPU ", "cpu"),
        ("cuda", "cuda:0"),
        ("cuda:0, cuda:1,", "cuda:0,cuda:1"),
        ("cpu,cpu", "cpu,cpu"),
    ],
)
def test_devices_are_read_as_they_are_meant(given: str, meant: str) -> None:
    assert Settings(devices=given).devices == meant


def test_faults_of_all_kinds_are_taken() -> None:
    faults = "oom:1, nan:2,hang:3,die:4,call-oom:5,call-hang:6,call-die:7"
    assert Settings(fault=faults).fault == faults


def test_what_is_set_in_code_is_held_to_the_same() -> None:
    wrong: list[dict[str, Any]] = [{"upload_hours": math.inf}, {"devices": ""}, {"port": "x"}]
    for values in wrong:
        with pytest.raises(ValidationError):
            Settings(**values)
