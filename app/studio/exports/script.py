"""Script: (visualization recipe, what is known of its making) -> Python that makes it again.

No torch in here: the web gives it away. The text is script.template beside this file.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from string import Template
from typing import Any

from app.studio.recipes import JobRecipe, OfPicture

TEMPLATE = Path(__file__).with_name("script.template")
OF_PICTURE = """
PICTURE is the picture as Laterna keeps it: the PNG that its page offers.
"""


def script(recipe: JobRecipe, facts: Mapping[str, Any]) -> str:
    """A program that makes the same picture, the same bytes of the PNG, from this package alone.

    facts: of the finished visualization; it takes weights_sha256, device, threads, versions.
    It names nobody's picture: the path of one comes from the command line.
    """
    of_picture = isinstance(recipe, OfPicture)
    threads = facts.get("threads")
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        title=recipe.title[:1].upper() + recipe.title[1:],
        usage="PICTURE.png OUT.png" if of_picture else "OUT.png",
        picture_note=OF_PICTURE if of_picture else "",
        arguments="source, target = sys.argv[1:]" if of_picture else "(target,) = sys.argv[1:]",
        kind=type(recipe).__name__,
        names=", ".join(sorted([type(recipe).__name__, *(["Sources"] if of_picture else [])])),
        sources=", Sources(picture=source)" if of_picture else "",
        fields="\n".join(f"    {name}={value}," for name, value in _fields(recipe)),
        weights=_literal(facts["weights_sha256"]),
        versions="\n".join(f'    "{name}": "{one}",' for name, one in facts["versions"].items()),
        torch="\nimport torch\n" if threads else "",
        threads=f"\ntorch.set_num_threads({threads})" if threads else "",
        device=_literal(facts["device"]),
    )


def _fields(recipe: JobRecipe) -> list[tuple[str, str]]:
    """Names and values of all fields as Python writes them."""
    given = {field.name: _literal(getattr(recipe, field.name)) for field in fields(recipe)}
    if isinstance(recipe, OfPicture):
        given |= {"image": '"the picture"'}
    return list(given.items())


def _literal(value: object) -> str:
    """A value as Python code writes it, texts in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
