"""What the documentation says of the code is true."""

import re
import subprocess
from pathlib import Path

from app.settings import ROOT, Settings

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
