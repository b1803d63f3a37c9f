"""What counts something says it right for one: every failure, every sentence of the pages."""

import re
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from app import errors
from app.errors import LaternaError
from app.web import languages

#: Nouns that pages and failures count.
NOUNS = (
    "channels|classes|photos|pictures|layers|seconds|minutes|hours|filters|requests|parameters|"
    "positions|networks|visualizations|times|scans|devices|people|steps|weights|neighbours|inputs|"
    "numbers|pixels|characters|entries|groups|things|places"
)
COUNTED = re.compile(
    rf"(?:%\((?P<page>\w+)\)s|\{{(?P<failure>\w+)\}}) (?:nearest |sample |CUDA )?(?:{NOUNS})\b"
)
#: What can never be one, and why.
NEVER_ONE = {
    "TooManyScans": "hundreds are too many",
    "%(number)s of %(found)s photos": "more than 10,000 were found",
    "%(shown)s of %(count)s photos are shown, evenly over the collection.": "hundreds are there",
    "from the head on 4a: %(layers)s layers with weights": "GoogLeNet has several",
    "reads one of %(groups)s groups of channels": "told only where there are several",
    "sample photos moves it": "eight come with Laterna",
    "{resize} pixels": "a network sees 16 or more",
    "{shorter} pixels": "a network sees 16 or more",
    "at most {most} pixels": "a picture has more",
    "{crop} pixels": "a network sees 16 or more",
    "it may have {max_length}": "limits are larger",
    "{height} × {width} pixels": "a network sees 16 or more",
    "{names} names, {classes} classes": "its numbers are of a file and a network, side by side",
    "{dead} of {count} channels": "printed by notebooks, which know no plurals",
    "{inputs} numbers of a picture": "a picture has more",
    "{side} × {side} filters": "a side is told twice",
    "{n} layers": "graph.js says which of the two",
}
FAILURES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, LaternaError) and kind.__doc__
]


def catalogue() -> Catalog:
    with (languages.CATALOGUES / "da" / "LC_MESSAGES" / "laterna.po").open("rb") as text:
        return read_po(text)


def is_exempt(sentence: str) -> bool:
    return any(part in sentence for part in NEVER_ONE)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_that_counts_says_it_right_for_one(kind: type[LaternaError]) -> None:
    sentence = " ".join((kind.__doc__ or "").split())
    counted = {found["failure"] for found in COUNTED.finditer(sentence)}
    if not counted or kind.__name__ in NEVER_ONE:
        return
    assert kind.one is not None, f"{kind.__name__} needs a sentence for one of {counted}"
    (fact,) = counted
    assert kind.one[0] == fact
    names = set(re.findall(r"\{(\w+)\}", sentence))
    facts: dict[str, Any] = dict.fromkeys(names, "x")
    for translate in (str, languages.catalogue("da").gettext):
        for one in (1, "1"):
            said = kind(**facts | {fact: one}).message(translate)
            assert said != kind(**facts | {fact: 2}).message(translate)
            assert not re.search(r"\b1 \w", said), said


def test_the_pages_say_it_right_for_one() -> None:
    failures = {" ".join((kind.__doc__ or "").split()) for kind in FAILURES}
    wrong = [
        message.id
        for message in catalogue()
        if isinstance(message.id, str)
        and COUNTED.search(message.id)
        and message.id not in failures
        and not any(kind.one and kind.one[1] == message.id for kind in FAILURES)
        and not is_exempt(message.id)
    ]
    assert wrong == []


def test_what_is_one_is_told_in_danish_too() -> None:
    for message in catalogue():
        if isinstance(message.id, tuple):
            assert isinstance(message.string, tuple)
            assert len(message.string) == 2, message.id
            assert all(message.string), message.id
