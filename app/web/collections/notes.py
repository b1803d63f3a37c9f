"""Notes: why something in a collection's folder is no photo, in words."""

from app.studio.collections.listing import Note, shortened
from app.studio.recipes.facts import IndexedPhoto
from app.web.api.schemas.collections import Absent
from app.web.languages import gettext


def reason(code: str) -> str:
    """The words for a code of listing.py, or of an error that a photo met when it was opened."""
    return _reasons().get(code, gettext("it cannot be read"))


def _reasons() -> dict[str, str]:
    return {
        "no_permission": gettext("there is no permission to read it"),
        "gone": gettext("it has just gone"),
        "leads_nowhere": gettext("it is a link that leads nowhere"),
        "circle": gettext("it is a link that leads in a circle"),
        "path_too_long": gettext("its path is too long"),
        "no_file": gettext("it is no ordinary file"),
        "empty": gettext("it is empty"),
        "too_large": gettext("it is larger than an upload may be"),
        "seen_already": gettext("it leads to a folder that is looked at already"),
        "too_many_files": gettext("there are too many files to look at the rest"),
        "heic": gettext("it is HEIC, which cannot be read here; JPEG can"),
        "other_kind": gettext("it is no kind of picture that can be read here"),
        "lost_photo": gettext("its file has gone, or cannot be read"),
        "not_a_picture": gettext("it is no picture that can be read here"),
        "heic_refused": gettext("it is HEIC, which cannot be read here; JPEG can"),
        "damaged_picture": gettext("it is damaged or cut short"),
        "too_many_pixels": gettext("it has too many pixels"),
        "too_hard_to_decode": gettext("it takes too much time or memory to decode"),
        "too_many_scans": gettext("it takes too much time or memory to decode"),
    }


def row(note: Note) -> Absent:
    """A note in JSON."""
    return {"name": note.name, "code": note.reason, "reason": reason(note.reason)}


def unreadable(photos: list[IndexedPhoto]) -> list[Absent]:
    """The photos of an index that could not be read, with the reason; older ones say none."""
    return [
        row(Note(shortened(photo["name"]), photo.get("reason", "")))
        for photo in photos
        if photo.get("unreadable")
    ]
