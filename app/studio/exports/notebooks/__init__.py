"""Notebooks: (what a page shows, what is known of it) -> a Jupyter notebook that makes it again.

Each kind is a template beside this file, in cells as editors know them: `# %%` begins one of code,
`# %% [markdown]` one of text. What code prints stands in _("…"). The code needs this package, not
its server. No torch in here.
"""

import ast
import base64
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

#: Larger pictures are not put into a notebook but read from a file beside it.
MOST_BYTES = 1_500_000
CODE, TEXT = "# %%", "# %% [markdown]"
PRINTED = re.compile(r'\b_\(("(?:[^"\\]|\\.)*")\)')
KINDS = ("grid", "channel", "visualization")


def notebook(
    kind: str,
    words: Mapping[str, str],
    values: Mapping[str, Any],
    picture: bytes | None = None,
    translate: Callable[[str], str] = str,
) -> str:
    """A notebook in nbformat 4.5. kind: grid, channel or visualization, as the templates.

    words stand in texts, on one line each; values in code, as Python writes them, so that nothing
    that somebody named their picture can become code; definition: of the network, if it has one.
    picture: the PNG that it is about. translate: puts a cell of text, and what code prints, into
    the reader's language.
    """
    plain_words = {name: _plain(word) for name, word in words.items()}
    written = {name: repr(value) for name, value in ({"definition": ""} | dict(values)).items()}
    cells = [
        _text(translate(source), plain_words)
        if type_ == TEXT
        else _code(_spoken(source, translate), written)
        for type_, source in cells_of(kind)
    ]
    if picture is not None:
        cells.insert(2, _picture(picture))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    language = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    book = {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False, indent=1)


_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def cells_of(kind: str) -> Iterator[tuple[str, str]]:
    """(CODE or TEXT, its source) of each cell of a kind of notebook."""
    template = Path(__file__).with_name(f"{kind}.template").read_text("utf-8")
    for part in template.split(f"\n{CODE}")[1:]:
        head, _, source = part.partition("\n")
        lines = source.strip("\n").split("\n")
        if head.strip() == "[markdown]":
            yield TEXT, "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
        else:
            yield CODE, "\n".join(lines)


def printed(source: str) -> list[str]:
    """What a cell of code says to its reader."""
    return [ast.literal_eval(found) for found in PRINTED.findall(source)]


def _spoken(source: str, translate: Callable[[str], str]) -> str:
    """A cell of code in which that is in the reader's language."""

    def told(match: re.Match[str]) -> str:
        text = translate(ast.literal_eval(match[1]))
        return json.dumps(text, ensure_ascii=False).replace("$", "$$")

    return PRINTED.sub(told, source)


def _plain(word: str) -> str:
    """A word on one line, without a meaning in Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>#$])", r"\\\1", " ".join(word.split()))


def _text(source: str, words: Mapping[str, str]) -> dict[str, Any]:
    source_text = Template(source).substitute(words)
    return {"cell_type": "markdown", "metadata": {}, "source": source_text}


def _code(source: str, values: Mapping[str, str], hidden: bool = False) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"jupyter": {"source_hidden": True}} if hidden else {},
        "outputs": [],
        "source": Template(source).substitute(values),
    }


def _picture(picture: bytes) -> dict[str, Any]:
    """The cell that brings the picture: within it, or from a file if it is large."""
    if len(picture) <= MOST_BYTES:
        text = "\n".join(textwrap.wrap(base64.b64encode(picture).decode(), 100))
        return _code(f'PICTURE = base64.b64decode("""\n{text}\n""")', {}, hidden=True)
    return _code(
        "# Too large to be in here: save it from the picture's page, and say where it is.\n"
        'PICTURE = Path("picture.png").read_bytes()',
        {},
    )
