"""Provenance: everything that made a picture, as rows of a table."""

from typing import Any

from app.studio.jobs.job import Job
from app.web import languages, wording
from app.zoo.described import NetworkNames

#: (what, value, what it decides: "" where the name says it).
Row = tuple[str, str, str]
TOLD = ("size", "steps")
#: Fields of a recipe that are told, in whichever order it has them.
FIELDS = frozenset(
    (
        "layer", "layers", "channel", "unit", "pictures", "class", "image", "collection",
        "quality", "seed",
    )
)  # fmt: skip


def rows(job: Job, described: NetworkNames, made: dict[str, Any] | None) -> list[Row]:
    """(name, value) of all that decides how it looks, in this person's language."""
    return [*_asked(job, described), *(_made(job, made) if made else _chosen(job))]


def _asked(job: Job, described: NetworkNames) -> list[Row]:
    """What was asked for. What the quality decides is told once it is made."""
    gettext, facts = languages.gettext, job.recipe.facts()
    network = (gettext("Network"), f"{described['title']} ({job.recipe.model})", "")
    weights = (
        gettext("Weights (SHA-256)"),
        job.recipe.weights,
        gettext("Hash of the file: the same weights have the same."),
    )
    known = [network, weights]
    if job.recipe.definition:
        tip = gettext("Digest of its architecture, preprocessing and labels.")
        known.append((gettext("Definition"), job.recipe.definition, tip))
    table = [
        (label, wording.value(name, _value(value)), tip)
        for name, value in facts.items()
        for label, tip in [wording.asked(name)]
        if name in FIELDS and value != ()
    ]
    return [*known, *table]


def _chosen(job: Job) -> list[Row]:
    """What somebody chose who did not leave it to the quality."""
    asked, rows = job.recipe.facts(), list[Row]()
    if asked.get("size"):
        rows.append(_row("size", f"{asked['size']} px"))
    if asked.get("steps"):
        rows.append(_row("steps", languages.whole(asked["steps"])))
    return rows


def _made(job: Job, made: dict[str, Any]) -> list[Row]:
    """What it was made with, and where."""
    gettext = languages.gettext
    size = _row("size", f"{made['width']} × {made['height']} px")
    steps = _row("steps", languages.whole(made["steps"]))
    method: list[Row] = [
        (label, wording.value(name, _value(value)), tip)
        for name, value in made["method"].items()
        for label, tip in [wording.parameter(name)]
        if name not in TOLD
    ]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    return [
        size,
        steps,
        *method,
        (gettext("Device"), made["device"], ""),
        (gettext("Seconds"), languages.short(made["seconds"]), ""),
        (gettext("Finished"), languages.moment(job.finished) if job.finished else "–", ""),
        (gettext("Versions"), versions, ""),
        (
            gettext("Recipe key"),
            job.recipe.key,
            gettext("Hash of all the above: the address of what it gives."),
        ),
    ]


def _row(name: str, value: str) -> Row:
    label, tip = wording.asked(name)
    return label, value, tip


def _value(value: Any) -> str:
    """A value of a recipe or method as text."""
    match value:
        case bool():
            return languages.gettext("yes") if value else languages.gettext("no")
        case float():
            return languages.short(value)
        case list() | tuple():
            return ", ".join(_value(one) for one in value)
        case dict():
            parts = {name: one for name, one in value.items() if name not in TOLD}
            return ", ".join(
                f"{wording.parameter(name)[0]} {wording.value(name, _value(one))}"
                for name, one in parts.items()
            )
        case _:
            return str(value)
