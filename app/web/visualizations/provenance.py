"""Provenance: everything that made a picture, as rows of a table."""

from typing import Any

from app.studio.jobs.job import Job
from app.web import languages

#: (what, value); a parameter of the method has a name of its own, in a tuple.
Row = tuple[str | tuple[str], str]
TOLD = ("size", "steps")


def rows(job: Job, described: dict[str, Any], made: dict[str, Any] | None) -> list[Row]:
    """(name, value) of all that decides how it looks, in this person's language."""
    return [*_asked(job, described), *(_made(job, made) if made else _chosen(job))]


def _asked(job: Job, described: dict[str, Any]) -> list[Row]:
    """What was asked for. What the quality decides is told once it is made."""
    gettext, facts = languages.gettext, job.recipe.facts()
    names = {
        "layer": gettext("Layer"),
        "layers": gettext("Layers"),
        "channel": gettext("Channel"),
        "unit": gettext("Unit"),
        "pictures": gettext("Pictures"),
        "class": gettext("Class"),
        "image": gettext("Picture"),
        "collection": gettext("Collection"),
        "quality": gettext("Quality"),
        "seed": gettext("Seed"),
    }
    network = (gettext("Network"), f"{described['title']} ({job.recipe.model})")
    weights = (gettext("Weights (SHA-256)"), job.recipe.weights)
    said = [
        (names[name], _value(value))
        for name, value in facts.items()
        if name in names and value != ()
    ]
    return [network, weights, *said]


def _chosen(job: Job) -> list[Row]:
    """What somebody chose who did not leave it to the quality."""
    asked, rows = job.recipe.facts(), list[Row]()
    if asked.get("size"):
        rows.append((languages.gettext("Size"), f"{asked['size']} px"))
    if asked.get("steps"):
        rows.append((languages.gettext("Steps"), languages.whole(asked["steps"])))
    return rows


def _made(job: Job, made: dict[str, Any]) -> list[Row]:
    """What it was made with, and where."""
    gettext = languages.gettext
    size = (gettext("Size"), f"{made['width']} × {made['height']} px")
    steps = (gettext("Steps"), languages.whole(made["steps"]))
    method: list[Row] = [
        ((name,), _value(value)) for name, value in made["method"].items() if name not in TOLD
    ]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    return [
        size,
        steps,
        *method,
        (gettext("Device"), made["device"]),
        (gettext("Seconds"), languages.short(made["seconds"])),
        (gettext("Finished"), languages.moment(job.finished) if job.finished else "–"),
        (gettext("Versions"), versions),
        (gettext("Recipe"), job.recipe.key),
    ]


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
            said = {name: one for name, one in value.items() if name not in TOLD}
            return ", ".join(f"{name} {_value(one)}" for name, one in said.items())
        case _:
            return str(value)
