"""What the documentation says of the code is true."""

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from app.settings import ROOT, Settings
from app.web import languages
from app.web.lecture.chapters import introduction
from tests.running import Laterna, laterna

README = (ROOT / "README.md").read_text("utf-8")


def settings_table() -> str:
    """The table of settings as the code has it."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = default.relative_to(ROOT)
        if isinstance(default, tuple):
            default = ",".join(default)
        rows.append(f"| `LATERNA_{name.upper()}` | `{default}` | {field.description} |")
    return "\n".join(rows).replace("| `` |", "| |")


def test_the_readme_has_the_settings_as_they_are() -> None:
    between = README.split("<!-- settings -->")[1].split("<!-- /settings -->")[0].strip()
    assert between == settings_table()


def test_every_setting_has_a_default_and_a_help_text() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


LECTURES = {"en": "lecture.md", "da": "lecture.da.md"}
#: Where `make run` serves.
HERE = "http://127.0.0.1:8000"


def lecture_tour(server: Laterna, language: str) -> str:
    """The lecture's chapters as the program tells them, with links into one that runs here."""
    with server.client() as client:
        client.headers["Accept-Language"] = language
        told = client.get("/lecture.json").json()["chapters"]
    languages.speak(language)
    said = [f"# {languages.gettext('The lecture')}", introduction()]
    languages.speak("en")
    for number, chapter in enumerate(told, 1):
        places = "\n".join(
            f"- [{place['title']}]({HERE}{place['url']})" for place in chapter["places"]
        )
        said += [f"## {number}. {chapter['title']}", chapter["text"]]
        said += [text for text in (chapter["paper"], chapter["note"], places) if text]
    return "\n\n".join(said) + "\n"


@pytest.mark.parametrize(("language", "name"), LECTURES.items())
def test_the_tour_of_the_lecture_says_what_the_program_says(
    server: Laterna, language: str, name: str
) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == lecture_tour(server, language)


def test_every_place_of_the_lecture_is_there(server: Laterna) -> None:
    with server.client() as client:
        for chapter in client.get("/lecture.json").json()["chapters"]:
            for place in chapter["places"]:
                assert _opens(client, place["url"]), place
    with server.client() as client:
        shown = client.get("/lecture", headers={"Accept-Language": "da"}).text
    assert "Forelæsningen" in shown


def _opens(client: httpx.Client, address: str) -> bool:
    path, _, anchor = address.partition("#")
    answer = client.get(path, follow_redirects=True)
    return answer.status_code == 200 and (not anchor or f'id="{anchor}"' in answer.text)


def test_links_in_the_documentation_lead_somewhere() -> None:
    documents = [ROOT / "README.md", ROOT / "models" / "README.md", *(ROOT / "docs").glob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text("utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_make_knows_the_targets_that_the_readme_names() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--question", "run", "test", "lint", "format", "lock", "bench"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "No rule to make target" not in done.stderr


def test_no_registry_address_and_no_foreign_asset_is_committed() -> None:
    for name in ("run", "dev", "tools"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


if __name__ == "__main__":  # writes the tours anew
    with TemporaryDirectory() as folder, laterna(Path(folder) / "data") as running:
        running.wait_until_ready()
        for language, name in LECTURES.items():
            (ROOT / "docs" / name).write_text(lecture_tour(running, language), "utf-8")
