"""Starts that cannot work end in one sentence and exit status 2; nobody's data come to harm."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.__main__ import main
from app.settings import ROOT
from tests.running import Laterna, laterna

MODELS = ROOT / "models"
#: Seconds after which a start that should have been refused is ended.
PATIENCE = 300
Refused = Callable[..., str]


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Refused]:
    """Start the program here; it must say one sentence, which comes back."""
    monkeypatch.setattr(os, "environ", os.environ.copy())

    def start(data: Path = tmp_path / "data", **environment: str) -> str:
        os.environ.clear()
        os.environ.update(Laterna(data, **environment).environment)
        capfd.readouterr()
        signal.alarm(PATIENCE)
        assert main() == 2
        signal.alarm(0)
        return sentence(capfd.readouterr().err)

    yield start
    signal.alarm(0)


def sentence(errors: str) -> str:
    """The one line of what a program said that is no line of its log."""
    lines = [line for line in errors.splitlines() if not line.startswith('{"')]
    assert "Traceback" not in errors
    assert len(lines) == 1, lines
    assert lines[0].endswith("."), lines
    return lines[0]


def test_a_process_that_cannot_start_says_why_and_ends_with_two(tmp_path: Path) -> None:
    environment = Laterna(tmp_path / "data", LATERNA_DEVICES=",").environment
    done = subprocess.run(
        [sys.executable, "-m", "app"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "LATERNA_DEVICES" in sentence(done.stderr)
    assert done.stdout == ""


def catalogue(folder: Path, text: str) -> Path:
    (folder / "weights").mkdir(parents=True)
    (folder / "catalogue.toml").write_text(text, "utf-8")
    return folder


LISTED = (MODELS / "catalogue.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("LATERNA_DEVICES", ",", "LATERNA_DEVICES is “,”; it must be auto, cpu"),
        ("LATERNA_DEVICES", "cuda:93", "cuda:93"),
        ("LATERNA_UPLOAD_HOURS", "inf", "LATERNA_UPLOAD_HOURS is “inf”; it must be a number of"),
        ("LATERNA_FAULT", "nonsense", "LATERNA_FAULT is “nonsense”"),
        ("LATERNA_DEFAULT_MODEL", "googlenot", "“googlenot”, but there is no such network"),
        ("LATERNA_DEFAULT_MODEL", "vgg11-untrained-untrained", "no such network"),
        ("PORT", "70000", "PORT is “70000”"),
        ("LATERNA_HOST", "no.such.host.invalid", "this name is not known"),
        ("LATERNA_HOST", "x" * 300, "this name is not known"),
        ("LATERNA_HOST", "192.0.2.1", "LATERNA_HOST"),
    ],
)
def test_a_setting_that_cannot_work_is_told(
    tmp_path: Path, refused: Refused, setting: str, value: str, words: str
) -> None:
    assert words in refused(**{setting: value})
    assert not (tmp_path / "data" / "index.sqlite").exists()


def test_a_port_that_is_taken_is_told(refused: Refused) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "already in use" in refused(PORT=port)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_host_is_answered_under_its_name(tmp_path: Path, host: str) -> None:
    with laterna(tmp_path / "data", HOST=host) as server, server.client() as client:
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists no [[network]]"),
        ("network = 3", "lists no [[network]]"),
        ("network = [3]", "network 1 of catalogue.toml is wrong: it is no table"),
        ("[[network]\nname =", "catalogue.toml is wrong"),
        ("\udcff", "catalogue.toml is wrong"),
        (LISTED.replace('title = "VGG-11"\n', ""), "“title” is missing"),
        (LISTED.replace("[3, 224, 224]", "[3, 224]", 1), "“input_size” is not three"),
        (LISTED.replace("[3, 224, 224]", "3", 1), "“input_size” is no list"),
        (LISTED.replace("classes = 1000", 'classes = "all"', 1), "“classes” is no int"),
        (LISTED.replace("parameters =", "params =", 1), "no field “params”"),
        (LISTED.replace('name = "alexnet"', 'name = "vgg11"'), "there is a “vgg11” before it"),
        (LISTED.replace('"timm:', '"tim:'), "“architecture” does not begin"),
        (LISTED.replace("crop = 224", "crop = 2240"), "resize and crop must be"),
        (LISTED.replace("crop = 224\n", ""), "it takes resize, crop"),
    ],
)
def test_a_broken_catalogue_is_told_by_place(
    tmp_path: Path, refused: Refused, text: str, words: str
) -> None:
    models = tmp_path / "models"
    catalogue(models, "")
    (models / "catalogue.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    told = refused(LATERNA_MODELS_DIR=str(models))
    assert words in told
    assert "LATERNA_MODELS_DIR" in told


def absent(models: Path) -> None:
    pass


def a_file(models: Path) -> None:
    models.write_text("models")


def empty(models: Path) -> None:
    models.mkdir()


def with_a_folder_in_its_place(models: Path) -> None:
    (models / "catalogue.toml").mkdir(parents=True)


@pytest.mark.parametrize("made", [absent, a_file, empty, with_a_folder_in_its_place])
def test_models_that_are_not_there_are_told(
    tmp_path: Path, refused: Refused, made: Callable[[Path], None]
) -> None:
    models = tmp_path / "models"
    made(models)
    told = refused(LATERNA_MODELS_DIR=str(models))
    assert str(models) in told
    assert "LATERNA_MODELS_DIR must be a folder" in told


def data_is_a_file(data: Path) -> None:
    data.write_text("x")


def key_is_a_folder(data: Path) -> None:
    (data / "session.key").mkdir(parents=True)


def key_is_short(data: Path) -> None:
    data.mkdir()
    (data / "session.key").write_bytes(b"")


def index_is_a_folder(data: Path) -> None:
    (data / "index.sqlite").mkdir(parents=True)


def lock_is_a_folder(data: Path) -> None:
    (data / "lock").mkdir(parents=True)


def index_is_newer(data: Path) -> None:
    data.mkdir()
    with closing(sqlite3.connect(data / "index.sqlite")) as index:
        index.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (data_is_a_file, "LATERNA_DATA_DIR must be a folder"),
        (key_is_a_folder, "session.key cannot be used"),
        (key_is_short, "it holds 0 bytes, where 32 belong"),
        (index_is_a_folder, "LATERNA_DATA_DIR must be a folder"),
        (lock_is_a_folder, "LATERNA_DATA_DIR must be a folder"),
        (index_is_newer, "from a newer Laterna"),
    ],
)
def test_data_that_cannot_be_used_are_told(
    tmp_path: Path, refused: Refused, made: Callable[[Path], None], words: str
) -> None:
    made(tmp_path / "data")
    assert words in refused()


def test_data_in_an_impossible_place_are_told(refused: Refused) -> None:
    assert "LATERNA_DATA_DIR must be a folder" in refused(Path("/proc/laterna"))


def test_a_start_on_a_damaged_index_serves_and_a_broken_one_is_not_ready(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "index.sqlite").write_bytes(b"garbage" * 1000)
    with laterna(data) as server, server.client() as client:
        assert "index.sqlite.damaged-" in server.log.read_text("utf-8")
        assert len(list(data.glob("index.sqlite.damaged-*"))) == 1
        server.wait_until_ready()
        (data / "index.sqlite").write_bytes(b"garbage" * 1000)
        told = client.get("/readyz")
        assert (told.status_code, told.json()["status"]) == (503, "broken")
        assert client.get("/healthz").status_code == 200
