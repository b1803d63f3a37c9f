"""Static files: what is vendored is what its list says, and an address never changes content."""

import hashlib
import re
from pathlib import Path

from app.settings import ROOT
from app.web.statics import FOLDER, FOREVER, read_statics
from tests.running import Laterna

VENDOR = ROOT / "static" / "vendor"


def test_vendored_files_are_listed_with_their_hash_and_have_a_licence() -> None:
    listed = dict(
        re.findall(r"^\| (\S+) \|.*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.M)
    )
    files = {path for path in VENDOR.rglob("*") if path.suffix in (".js", ".css")}
    assert {path.relative_to(VENDOR).as_posix() for path in files} == set(listed)
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert digest == listed[path.relative_to(VENDOR).as_posix()]
        assert (path.parent / "LICENSE").is_file()


def test_the_address_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    before = read_statics(tmp_path)["a.css"].url
    (tmp_path / "a.css").write_text("b{}")
    assert read_statics(tmp_path)["a.css"].url != before


def test_a_static_is_immutable_and_gone_under_a_wrong_hash(server: Laterna) -> None:
    address = read_statics()["laterna.css"].url
    with server.client() as client:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == FOREVER
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.text == (FOLDER / "laterna.css").read_text()
        wrong = re.sub(r"/[0-9a-f]{16}/", "/0123456789abcdef/", address)
        assert client.get(wrong).status_code == 404
        assert client.get("/static/0123456789abcdef/../../app/settings.py").status_code == 404
