"""Exports: what leaves a page is what the page shows."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops

from app.settings import ROOT
from app.studio.exports.notebooks import MOST_BYTES, notebook
from app.studio.exports.spreadsheets import csv_text
from tests.running import Laterna, wait_until

MODEL = "efficientnet-lite0"
LAYER = "blocks.2.0.bn1"
GRID = f"/images/coffee/models/{MODEL}/layers/{LAYER}"
#: Runs the code cells of notebooks one after another, as Jupyter would, each with its own names.
RUNNER = """
import json, sys
said = {}
for file in sys.argv[1:]:
    names = {"__name__": "__main__"}
    for cell in json.load(open(file))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], cell["id"], "exec"), names)
    said[file] = {name: names[name] for name in ("here", "found") if name in names}
    if "same" in names:
        said[file] |= {"same": names["same"], "facts": names["made"].facts}
    webs = ("fastapi", "uvicorn", "jinja2")
    said[file]["web"] = [name for name in webs if name in sys.modules]
print(json.dumps(said))
"""


def rows(client: httpx.Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_tables_are_the_numbers_of_the_page(server: Laterna) -> None:
    with server.client() as client:
        facts = client.get(f"{GRID}.json").json()
        layer = rows(client, f"{GRID}/statistics.csv")
        layers = rows(client, f"/images/coffee/models/{MODEL}/statistics.csv")
        channels = rows(client, f"/images/coffee/models/{MODEL}/statistics.csv?by=channel")
        names = [one["name"] for one in client.get(f"/models/{MODEL}.json").json()["layers"]]
    for row, told in zip(layer, facts["channels"], strict=True):
        assert int(row["channel"]) == told["channel"]
        assert float(row["max"]) == pytest.approx(told["max"], rel=1e-6)
        assert row["dead"] == str(int(told["dead"]))
    assert [row["layer"] for row in layers] == names
    own = next(row for row in layers if row["layer"] == LAYER)
    assert int(own["dead"]) == facts["dead"]
    assert float(own["max"]) == pytest.approx(max(row["max"] for row in facts["channels"]))
    assert [row["max"] for row in channels if row["layer"] == LAYER] == [
        row["max"] for row in layer
    ]


def test_a_cell_that_a_spreadsheet_would_run_is_only_text() -> None:
    table = csv_text(("name", "value"), [{"name": "=1+1", "value": -0.5}])
    assert table.splitlines()[1] == "'=1+1,-0.5"


def test_the_sheet_with_legend_has_the_sheet_in_it(server: Laterna) -> None:
    with server.client() as client:
        answer = client.get(f"{GRID}/sheet.png?sort=max")
        facts = client.get(f"{GRID}.json?sort=max").json()
        untrained = client.get(f"/images/coffee/models/{MODEL}-untrained/layers/{LAYER}/sheet.png")
    with Image.open(io.BytesIO(answer.content)) as picture:
        said = json.loads(str(picture.info["Laterna recipe"]))
        poster = picture.convert("RGB")
    assert (said["layer"], said["sort"]) == (LAYER, "max")
    assert "image" not in said, "nobody's picture is named in the file"
    tile = said["tile"] or facts["sheet"]["tile"]
    with server.client() as client:
        plain = client.get(f"{GRID}.png?sort=max&tile={tile}")
    sheet = facts["sheet"]
    with Image.open(io.BytesIO(plain.content)) as picture:
        first = picture.convert("RGB").crop((sheet["gap"],) * 2 + (sheet["gap"] + 8,) * 2)
    at = position(poster, first)
    assert at is not None, "the strongest channel's tile, pixel by pixel"
    red = (198, 40, 40)
    assert red not in colors(answer.content)
    assert red in colors(untrained.content)


def test_a_danish_sheet_is_marked_untrained_in_danish(server: Laterna) -> None:
    address = f"/images/coffee/models/{MODEL}-untrained/layers/{LAYER}/sheet.png"
    pictures = {}
    with server.client() as client:
        for language in ("en", "da"):
            answer = client.get(address, headers={"Accept-Language": language})
            with Image.open(io.BytesIO(answer.content)) as picture:
                pictures[language] = picture.convert("RGB")
    boxes = {language: red_box(picture) for language, picture in pictures.items()}
    assert boxes["en"] != boxes["da"], "as wide as its words are"
    assert boxes["en"][:2] == boxes["da"][:2]


def red_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is marked in red."""
    red, green, _ = picture.split()
    marked = ImageChops.subtract(red, green).point(lambda value: 255 * (value > 120))
    box = marked.getbbox()
    assert box is not None
    return box


def colors(png: bytes) -> set[Any]:
    with Image.open(io.BytesIO(png)) as picture:
        return {color for _, color in picture.convert("RGB").getcolors(1 << 24) or []}


def position(picture: Image.Image, part: Image.Image) -> tuple[int, int] | None:
    """Where a part lies in a picture; both RGB."""
    body, lines, width = picture.tobytes(), part.tobytes(), picture.width * 3
    stride = part.width * 3
    parts = [lines[at : at + stride] for at in range(0, len(lines), stride)]
    at = body.find(parts[0])
    while at >= 0:
        starts = range(at, at + len(parts) * width, width)
        if all(
            body[start : start + stride] == line for start, line in zip(starts, parts, strict=True)
        ):
            return at % width // 3, at // width
        at = body.find(parts[0], at + 1)
    return None


def saved(client: httpx.Client, address: str, folder: Path) -> str:
    answer = client.get(f"{address}/notebook.ipynb")
    assert answer.status_code == 200, answer.text
    book = json.loads(answer.text)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    file = folder / f"{len(list(folder.iterdir()))}.ipynb"
    file.write_text(answer.text, "utf-8")
    return str(file)


def test_notebooks_make_what_their_pages_show_in_an_interpreter_without_the_web(
    server: Laterna, tmp_path: Path
) -> None:
    channel = f"/models/{MODEL}/layers/{LAYER}/channels/7"
    asked = {"kind": "reconstruction", "image": "coffee", "layer": "blocks.0.0", "steps": 3}
    with server.client() as client:
        grid = client.get(f"{GRID}.json").json()
        queued = client.post("/visualizations.json", json=asked).json()["url"]
        wait_until(lambda: client.get(f"{queued}.json").json()["state"] == "done")
        made = client.get(f"{queued}.json").json()
        known = client.get(f"{channel}.json").json()["images"]
        files = [saved(client, address, tmp_path) for address in (GRID, channel, queued)]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *files],
        cwd=tmp_path,
        env={"LATERNA": str(ROOT), "STEPS": "2", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    of_grid, of_channel, of_made = json.loads(done.stdout.splitlines()[-1]).values()
    assert of_grid["here"]["dead"] == grid["dead"]
    assert of_grid["here"]["high"] == pytest.approx(grid["scale"]["high"], rel=1e-3)
    told = {row["id"]: row["max"] for row in known if row["max"] is not None}
    assert "coffee" in told
    for name, most in told.items():
        assert of_channel["found"][name]["max"] == pytest.approx(most, rel=1e-2, abs=1e-2)
    assert of_made["same"], "the same bytes as the page's"
    assert of_made["facts"]["relative_error"] == pytest.approx(made["relative_error"], rel=1e-3)
    assert of_grid["web"] == of_channel["web"] == of_made["web"] == []


def test_what_somebody_named_their_picture_never_becomes_code() -> None:
    name = 'x"\n\n# %%\nimport os; os.system("true")\n# <script>$told'
    values = dict.fromkeys(("model", "layer", "weights", "sort", "scale", "colors"), name)
    values |= {"low": 0.0, "high": 0.0, "gamma": 0.7, "tile": 0, "told": {}}  # type: ignore[dict-item]  # any values
    words = {"title": name, "address": "http://127.0.0.1/", "picture": name}
    book = json.loads(notebook("grid", words, values, b"\x89PNG"))
    plain = json.loads(notebook("grid", words | {"title": "", "picture": ""}, values, b"\x89PNG"))
    kinds = [cell["cell_type"] for cell in book["cells"]]
    assert kinds == [cell["cell_type"] for cell in plain["cells"]]
    text = "".join(cell["source"] for cell in book["cells"] if cell["cell_type"] == "markdown")
    assert "\\<script\\>" in text
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            compile(cell["source"], "cell", "exec")
            assert not re.search(r"^import os; os", cell["source"], re.MULTILINE)


def test_a_large_picture_is_read_from_a_file_beside_the_notebook() -> None:
    values = {
        "recipe": {},
        "weights": "",
        "device": "cpu",
        "threads": 1,
        "told": {},
        "versions": {},
    }
    values["digest"] = ""
    words = {"title": "a", "address": "b"}
    small, large = (
        json.loads(notebook("visualization", words, values, b"x" * size))
        for size in (MOST_BYTES, MOST_BYTES + 1)
    )
    assert "b64decode" in small["cells"][2]["source"]
    assert 'Path("picture.png")' in large["cells"][2]["source"]
