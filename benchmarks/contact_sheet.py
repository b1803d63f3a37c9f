"""`make contact-sheet`: what the studio makes of one network, on one sheet, in docs.

Classes, channels of five depths, and a depth strip of a sample photo, all with the defaults.
Nothing is chosen for its looks: channels lie evenly in layers, dead ones give way to the next.
"""

import argparse
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from app.settings import ROOT, Settings
from app.studio.makers import Workshop
from app.studio.makers.synthesis.strip_layers import strip_layers
from app.studio.recipes import ChannelImage, ClassImage, Made, Strip, Visualization
from app.studio.recipes.progress import finished
from app.zoo.keeper import Network
from benchmarks.grids import with_kept_memory

TARGET = ROOT / "docs" / "contact-sheet.png"
MODEL, SAMPLE = "efficientnet-lite0", "chelsea"
#: Of ImageNet: goldfish, flamingo, tabby, monarch, balloon, lighthouse, pineapple, volcano.
CLASSES = (1, 130, 281, 323, 417, 437, 953, 980)
DEPTHS, PER_LAYER = 5, 8
TILE, GAP, LINE = 168, 6, 20
GROUND, INK = (22, 22, 26), (214, 214, 222)

Row = list[tuple[str, Image.Image]]


def rows(
    workshop: Workshop, model: str, photo: Path, classes: Sequence[int], per_layer: int, steps: int
) -> Iterator[tuple[str, Row]]:
    """Title and pictures of each row. steps: 0 for the defaults."""
    network = workshop.network(model)
    yield (
        f"What {network.entry.title} takes for a class",
        [_class(workshop, ClassImage(model=model, class_=n, steps=steps)) for n in classes],
    )
    for layer in _depths(network):
        count = network.layers[layer].shape[0]
        numbers = [k * count // per_layer for k in range(per_layer)]
        title = f"What excites channels of {layer} ({network.layers[layer].kind}, {count} channels)"
        yield title, [_channel(workshop, model, layer, n, count, steps) for n in numbers]
    strip = Strip(model=model, image=photo.stem, source=str(photo), steps=steps)
    yield "The same photo again, from what each layer knows of it", _strip(workshop, strip)


def _depths(network: Network) -> list[str]:
    """The layers of a strip, one of each resolution; the deepest where there are too many."""
    by_side = {network.layers[name].shape[1]: name for name in strip_layers(network.layers)[::-1]}
    return list(by_side.values())[::-1][-DEPTHS:]


def _made(workshop: Workshop, recipe: Visualization) -> Made:
    print(recipe.title, flush=True)
    return finished(workshop.steps(recipe))


def _class(workshop: Workshop, recipe: ClassImage) -> tuple[str, Image.Image]:
    made = _made(workshop, recipe)
    return made.facts["label"], _opened(made.picture)


def _channel(
    workshop: Workshop, model: str, layer: str, channel: int, count: int, steps: int
) -> tuple[str, Image.Image]:
    """A channel's picture; a dead one gives way to the next."""
    for number in range(channel, count):
        recipe = ChannelImage(model=model, layer=layer, channel=number, steps=steps)
        made = _made(workshop, recipe)
        if made.facts["silent"] != "dead":
            break
    multiple = made.facts["multiple"]
    said = f"{number}" + (f"   {multiple:.1f} x photos" if multiple else "")
    return said, _opened(made.picture)


def _strip(workshop: Workshop, recipe: Strip) -> Row:
    made = _made(workshop, recipe)
    row = [("the photo", _opened(made.parts[made.facts["original"]]))]
    for found in made.facts["layers"]:
        said = f"{found['layer']}   error {found['relative_error']:.2f}"
        row.append((said, _opened(made.parts[found["part"]])))
    return row


def _opened(picture: bytes | None) -> Image.Image:
    with Image.open(io.BytesIO(picture or b"")) as image:
        return image.convert("RGB")


def drawn(titled: Sequence[tuple[str, Row]]) -> Image.Image:
    """All rows below each other, with their titles."""
    columns = max(len(row) for _, row in titled)
    height = LINE * 2 + TILE + GAP
    sheet = Image.new("RGB", (columns * (TILE + GAP) + GAP, len(titled) * height + GAP), GROUND)
    draw = ImageDraw.Draw(sheet)
    title_font, font = ImageFont.load_default(size=15), ImageFont.load_default(size=12)
    for place, (title, row) in enumerate(titled):
        top = GAP + place * height
        draw.text((GAP, top), title, fill=INK, font=title_font)
        for column, (said, picture) in enumerate(row):
            left = GAP + column * (TILE + GAP)
            small = picture.resize((TILE, TILE), Image.Resampling.LANCZOS)
            sheet.paste(small, (left, top + LINE))
            draw.text((left, top + LINE + TILE + 2), said, fill=INK, font=font)
    return sheet


def main() -> None:
    """Make it, and keep it in docs."""
    with_kept_memory()
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--model", default=MODEL)
    given.add_argument("--device", default="cpu")
    given.add_argument("--steps", type=int, default=0)
    given.add_argument("--to", type=Path, default=TARGET)
    wish = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / f"{SAMPLE}.png"
        with Image.open(ROOT / "static" / "samples" / f"{SAMPLE}.jpg") as sample:
            sample.convert("RGB").save(photo)
        workshop = Workshop(Settings(), wish.device)
        titled = list(rows(workshop, wish.model, photo, CLASSES, PER_LAYER, wish.steps))
    drawn(titled).save(wish.to, optimize=True)


if __name__ == "__main__":
    main()
