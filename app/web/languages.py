"""Languages: (cookie, Accept-Language) -> a catalogue of messages, compiled in memory at start."""

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.dates import format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent, format_scientific
from babel.support import NullTranslations, Translations

from app.settings import ROOT

CATALOGUES = ROOT / "locales"
#: Shown names of the languages there are; the first is the one the templates are written in.
LANGUAGES: Mapping[str, str] = {"en": "English", "da": "Dansk"}

#: What app/zoo/kinds.py calls layers, where another language has its own word.
KINDS = (
    "convolution", "transposed convolution", "fully connected", "batch norm", "layer norm",
    "group norm", "local response norm", "max pool", "average pool", "sigmoid", "hard swish",
    "hard sigmoid", "residual block", "conv-norm-activation", "ConvNeXt block",
    "depthwise separable", "squeeze-and-excitation", "inception", "fire", "dense layer",
    "dense block", "inverted residual", "concatenation", "sum", "flatten", "dropout",
    "product", "difference", "quotient", "maximum", "matrix product", "picture", "stage",
    "transition",
)  # fmt: skip

_spoken: ContextVar[str] = ContextVar("language", default="en")


@cache
def catalogue(language: str) -> NullTranslations:
    """The messages of a language; English needs none."""
    source = CATALOGUES / language / "LC_MESSAGES" / "laterna.po"
    return _compiled(source) if source.exists() else NullTranslations()


def prepare() -> None:
    """Read what the languages need, which Babel does at first use, before anybody waits for it."""
    for language in LANGUAGES:
        catalogue(language)
        format_timedelta(timedelta(hours=1), locale=language)
        format_datetime(datetime.now(UTC), locale=language)
        format_percent(0.5, locale=language)
        negotiate_locale([language], list(LANGUAGES))


def _compiled(source: Path) -> Translations:
    machine = BytesIO()
    with source.open("rb") as text:
        write_mo(machine, read_po(text))
    machine.seek(0)
    return Translations(machine, domain="laterna")


def negotiated(chosen: str | None, accepted: str) -> str:
    """The language to speak: the chosen one, else the best of an Accept-Language header."""
    if chosen is not None and chosen in LANGUAGES:
        return chosen
    wishes = sorted(_wishes(accepted), key=lambda wish: -wish[1])
    names = [name.replace("-", "_") for name, _ in wishes]
    return negotiate_locale(names, list(LANGUAGES)) or "en"


def _wishes(accepted: str) -> list[tuple[str, float]]:
    """Accept-Language as (language, quality); what cannot be read is left out."""
    wishes = []
    for part in accepted[:500].split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((name, float(quality or 1)))
        except ValueError:
            continue
    return [(name, quality) for name, quality in wishes if name and quality > 0]


def speak(language: str) -> None:
    """Let everything that this request writes from now on be in this language."""
    _spoken.set(language)


def spoken() -> str:
    """The language of this request."""
    return _spoken.get()


def gettext(message: str) -> str:
    """A message in the language of this request."""
    return catalogue(spoken()).gettext(message) if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    """A message that depends on a number."""
    return catalogue(spoken()).ngettext(one, many, count)


def kind(name: str) -> str:
    """A layer's kind; parts joined by + are translated one by one."""
    return " + ".join(gettext(part) for part in name.split(" + "))


def whole(number: int | None) -> str:
    """An integer with its thousands set apart; a dash when it is not known."""
    return "–" if number is None else format_decimal(number, locale=spoken())


def short(number: float | None) -> str:
    """A number with three significant digits: 4.65 million, 0.0123."""
    if number is None:
        return "–"
    for unit, word in ((1e9, gettext("billion")), (1e6, gettext("million"))):
        if abs(number) >= unit:
            return f"{_digits(number / unit)} {word}"
    return _digits(number)


def _digits(number: float) -> str:
    if number and (abs(number) < 1e-4 or abs(number) >= 1e6):
        return format_scientific(number, format="0.##E0", locale=spoken())
    before = len(str(int(abs(number)))) if abs(number) >= 1 else 0
    return format_decimal(
        float(f"{number:.3g}") if before <= 3 else round(number),
        format="#,##0." + "#" * (6 if abs(number) < 1 else 2),
        locale=spoken(),
    )


def size_of(bytes_: float) -> str:
    """An amount of memory in kB, MB or GB of thousands, with three significant digits."""
    for unit, word in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if bytes_ >= unit:
            return f"{_digits(bytes_ / unit)} {word}"
    return f"{_digits(bytes_)} B"


def percent(share: float) -> str:
    """A share as per cent with one decimal, with or without a space as the language has it."""
    pattern = Locale.parse(spoken()).percent_formats[None].pattern.replace("#,##0", "0.0")
    return format_percent(share, format=pattern, locale=spoken())


def duration(seconds: float) -> str:
    """A time span in words, in a unit of which there are two or more: 24 hours, 90 minutes."""
    span = timedelta(seconds=max(60.0, seconds))
    return format_timedelta(span, granularity="minute", threshold=2.0, locale=spoken())


def moment(seconds: float) -> str:
    """A point in time, given as seconds since 1970, in the server's time zone."""
    local = datetime.fromtimestamp(seconds, UTC).astimezone()
    return format_datetime(local, locale=spoken())
