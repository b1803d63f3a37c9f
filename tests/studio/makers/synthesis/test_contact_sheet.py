"""`make contact-sheet` draws what the makers really made, each with what it is."""

from pathlib import Path

from PIL import Image

from app.studio.makers import Workshop
from benchmarks.contact_sheet import GAP, LINE, TILE, drawn, rows


def test_it_has_classes_five_depths_and_a_strip(workshop: Workshop, photo: str) -> None:
    titled = list(rows(workshop, "tiny", Path(photo), (4, 7), 2, 2))
    assert [len(row) for _, row in titled] == [2, 2, 2, 2, 2, 2, 7]
    assert [said for said, _ in titled[0][1]] == ["class 4", "class 7"]
    assert "conv1.2" in titled[1][0]
    assert "layer4.0" in titled[5][0]
    assert titled[6][1][0][0] == "the photo"
    sheet = drawn(titled)
    assert sheet.size == (7 * (TILE + GAP) + GAP, 7 * (2 * LINE + TILE + GAP) + GAP)
    places = [(GAP, GAP + LINE), (GAP + 6 * (TILE + GAP), GAP + LINE + 6 * (2 * LINE + TILE + GAP))]
    for (left, top), (_, picture) in zip(places, (titled[0][1][0], titled[6][1][6]), strict=True):
        small = picture.resize((TILE, TILE), Image.Resampling.LANCZOS)
        assert sheet.crop((left, top, left + TILE, top + TILE)).tobytes() == small.tobytes()
