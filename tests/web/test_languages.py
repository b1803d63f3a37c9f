"""Languages: everything is translated, and the one that is wished for is spoken."""

import pytest
from babel.messages.checkers import checkers

from app.errors import UnknownLayer
from app.web import languages
from tests.web.extraction import catalogue, messages

OTHERS = [language for language in languages.LANGUAGES if language != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_everything_is_translated_and_nothing_is_left_over(language: str) -> None:
    translated = catalogue(language)
    known = {message.id: message for message in translated if message.id}
    wanted = {message.id for message in messages() if message.id}
    assert wanted - set(known) == set(), "run: python -m tests.web.extraction"
    assert set(known) - wanted == set(), "run: python -m tests.web.extraction"
    for message in known.values():
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(said), message.id
        for check in checkers:
            check(translated, message)


@pytest.mark.parametrize("language", OTHERS)
def test_errors_keep_the_facts_they_tell(language: str) -> None:
    for message in catalogue(language):
        if isinstance(message.id, str) and "{" in message.id:
            placeholders = {part.split("}")[0] for part in message.id.split("{")[1:]}
            for name in placeholders:
                assert f"{{{name}}}" in str(message.string), message.id


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        (None, "", "en"),
        (None, "da", "da"),
        (None, "da-DK,da;q=0.9,en;q=0.8", "da"),
        (None, "fr,en;q=0.5,da;q=0.1", "en"),
        (None, "en;q=0.1,da;q=0.9", "da"),
        ("da", "en", "da"),
        ("auto", "da", "da"),
        ("xx", "da", "da"),
        (None, "da;q=0", "en"),
        (None, ";;q=,,q=x;*", "en"),
    ],
)
def test_the_choice_counts_first_then_the_browsers_wish(
    chosen: str | None, accepted: str, spoken: str
) -> None:
    assert languages.negotiated(chosen, accepted) == spoken


def test_numbers_kinds_and_errors_are_told_in_the_language() -> None:
    try:
        languages.speak("da")
        assert languages.whole(4652008) == "4.652.008"
        assert languages.short(4652008) == "4,65 mio."
        assert languages.kind("batch norm + ReLU6") == "batchnorm + ReLU6"
        assert languages.percent(0.4567) == "45,7\N{NO-BREAK SPACE}%"
        assert languages.duration(24 * 3600 - 1) == "24 timer"
        error = UnknownLayer(model="VGG-16", layer="x")
        assert "intet lag" in error.message(languages.gettext)
    finally:
        languages.speak("en")
    assert languages.short(0.012345) == "0.0123"
    assert languages.short(0) == "0"
    assert languages.percent(0.4567) == "45.7%"
    assert languages.duration(24 * 3600 - 1) == "24 hours"
    assert languages.duration(47 * 3600) == "47 hours"
    assert languages.duration(72 * 3600) == "3 days"
    assert languages.duration(90 * 60) == "90 minutes"
    assert languages.short(-3.14159) == "-3.14"
    assert languages.short(1234.5) == "1,234"
    assert languages.short(2.5e-7) == "2.5E-7"
    assert languages.short(None) == "–"
