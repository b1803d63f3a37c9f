"""All messages that people can meet, from templates, errors and lists of words.

`python -m tests.web.extraction` brings every catalogue up to date: new messages untranslated,
gone ones removed.
"""

import io
from collections.abc import Iterator

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from app import errors
from app.settings import ROOT
from app.studio import samples
from app.studio.collections import groups
from app.studio.exports import notebooks
from app.web import languages

OPTIONS = {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}
CALLS = {"gettext": None, "ngettext": (1, 2)}


def messages() -> Catalog:
    """The catalogue of everything that can be translated."""
    found = Catalog(project="Laterna", domain="laterna", fuzzy=False)
    for place, message in (
        *_in_templates(),
        *_in_code(),
        *_in_words(),
        *_in_notebooks(),
        *_samples(),
        *_errors(),
        *_kinds(),
        *_groups(),
    ):
        found.add(message, locations=[(place, 0)])
    return found


def catalogue(language: str) -> Catalog:
    """What has been translated into a language."""
    path = ROOT / "locales" / language / "LC_MESSAGES" / "laterna.po"
    with path.open("rb") as text:
        return read_po(text, locale=language)


def _in_templates() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        with path.open("rb") as text:
            for _, _, message, _ in babel_extract(text, list(CALLS), (), OPTIONS):
                if message is None:  # a variable is translated: its words are named below
                    continue
                yield f"templates/{path.name}", _plain(message)


def _in_code() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for path in sorted((ROOT / "app" / "web").rglob("*.py")):
        with path.open("rb") as code:
            for _, message, _, _ in extract("python", code, keywords=CALLS):
                yield f"app/web/{path.name}", message


def _in_words() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Parts of errors' sentences, wherever they are raised."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        with path.open("rb") as code:
            for _, message, _, _ in extract("python", code, keywords={"Words": None}):
                yield str(path.relative_to(ROOT)), message


def _in_notebooks() -> Iterator[tuple[str, str]]:
    for kind in notebooks.KINDS:
        for type_, source in notebooks.cells_of(kind):
            if type_ == notebooks.TEXT:
                yield f"app/studio/notebooks/{kind}.template", source
            else:
                for words in notebooks.printed(source):
                    yield f"app/studio/notebooks/{kind}.template", words


def _samples() -> Iterator[tuple[str, str]]:
    for sample in samples.all_samples().values():
        yield "static/samples/samples.toml", sample.title


def _plain(message: object) -> str | tuple[str, ...]:
    """Jinja gives (singular, plural, None) for plurals; a catalogue wants (singular, plural)."""
    if isinstance(message, tuple):
        said = tuple(part for part in message if part is not None)
        return said if len(said) > 1 else said[0]
    return str(message)


def _errors() -> Iterator[tuple[str, str]]:
    for kind in _kinds_of(errors.LaternaError):
        yield "app/errors.py", " ".join((kind.__doc__ or "").split())
        if kind.one is not None:
            yield "app/errors.py", kind.one[1]


def _kinds_of(kind: type[errors.LaternaError]) -> Iterator[type[errors.LaternaError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds_of(narrower)


def _kinds() -> Iterator[tuple[str, str]]:
    for kind in languages.KINDS:
        yield "app/zoo/kinds.py", kind


def _groups() -> Iterator[tuple[str, str]]:
    for group in groups.names():
        yield "app/studio/collections/groups.toml", group


def update(language: str) -> bytes:
    """The catalogue of a language brought up to date, as a .po file."""
    known = catalogue(language)
    fresh = messages()
    for message in fresh:
        if message.id and message.id in known:
            message.string = known[message.id].string
    fresh.locale = known.locale
    written = io.BytesIO()
    write_po(written, fresh, sort_output=True, no_location=True, width=98)
    return written.getvalue()


if __name__ == "__main__":
    for language in languages.LANGUAGES:
        path = ROOT / "locales" / language / "LC_MESSAGES" / "laterna.po"
        if path.exists():
            path.write_bytes(update(language))
