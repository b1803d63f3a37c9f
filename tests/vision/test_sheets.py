"""Every map is where the sheet's numbers say, to the last pixel, and the PNG is one."""

import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.vision.drawing import colors, png, sheets

GRAY = colors.palette("gray", "one")


@given(st.integers(1, 300), st.integers(1, 20), st.booleans())
def test_each_tile_is_found_where_the_plan_says(
    device: str, count: int, tile: int, marked: bool
) -> None:
    generator = torch.Generator().manual_seed(count)
    tiles = torch.randint(0, 253, (count, tile, tile), generator=generator, dtype=torch.uint8)
    sheet = sheets.plan(count, tile, marked)
    data = sheets.draw(tiles.to(device), sheet, GRAY, {}, marked)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (sheet.width, sheet.height)
        assert picture.mode == "P"
        for k in range(count):
            left = sheet.gap + (k % sheet.columns) * (tile + sheet.gap)
            top = sheet.gap + (k // sheet.columns) * (tile + sheet.gap)
            cut = picture.crop((left, top, left + tile, top + tile))
            assert cut.tobytes() == tiles[k].numpy().tobytes()


@given(st.integers(1, 5000))
def test_a_sheet_has_room_for_all_and_no_empty_row(count: int) -> None:
    sheet = sheets.plan(count, 8)
    assert sheet.columns * (sheet.rows - 1) < count <= sheet.columns * sheet.rows


def test_common_layers_fill_their_sheet() -> None:
    for count in (64, 96, 192, 256, 480, 512, 1000, 1024, 1280, 2048, 4096):
        sheet = sheets.plan(count, 8)
        assert sheet.columns * sheet.rows == count
        assert 0.5 < sheet.columns / sheet.rows < 4


def test_a_sheet_too_large_for_anybody_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        sheets.plan(4096, 512)
    sheets.plan(4096, sheets.largest_tile(4096))


@given(st.integers(1, 600))
def test_natural_tiles_are_whole_multiples_or_fractions(side: int) -> None:
    tile = sheets.natural_tile(side)
    assert sheets.SMALLEST_TILE <= tile <= sheets.LARGEST_TILE
    if side < sheets.SMALLEST_TILE:
        assert tile % side == 0
        assert tile - side < sheets.SMALLEST_TILE, "no larger than it takes"
    else:
        times = side // tile
        assert side - times * tile < times, "so many positions to a pixel, but for a rest"
        assert times == 1 or side > (times - 1) * sheets.LARGEST_TILE, "no smaller than it takes"


def test_magnifying_is_nearest_neighbour(device: str) -> None:
    tiles = torch.tensor([[[1, 2], [3, 4]]], dtype=torch.uint8, device=device)
    large = sheets.magnified(tiles, sheets.plan(1, 6))
    assert large[0, :, 0].tolist() == [1, 1, 1, 3, 3, 3]
    assert large[0, 0].tolist() == [1, 1, 1, 2, 2, 2]


def test_rgb_tiles_keep_their_colours(device: str) -> None:
    tiles = torch.randint(0, 256, (5, 4, 4, 3), dtype=torch.uint8)
    sheet = sheets.plan(5, 4)
    with Image.open(io.BytesIO(sheets.draw(tiles.to(device), sheet, None, {}, False))) as picture:
        assert picture.mode == "RGB"
        assert picture.crop((1, 1, 5, 5)).tobytes() == tiles[0].numpy().tobytes()


@pytest.mark.parametrize("palette", [GRAY, None])
def test_an_untrained_network_is_marked_in_red(palette: bytes | None) -> None:
    shape = (64, 20, 20) if palette else (64, 20, 20, 3)
    tiles = torch.zeros(shape, dtype=torch.uint8)
    plain, marked = (sheets.plan(64, 20, marked) for marked in (False, True))
    assert (marked.width, marked.height) == (plain.width, plain.height + sheets.STRIP)
    with Image.open(io.BytesIO(sheets.draw(tiles, marked, palette, {}, True))) as picture:
        strip = picture.convert("RGB").crop((0, plain.height, plain.width, marked.height))
    red = sum(count for count, color in strip.getcolors() or () if color == (224, 36, 36))
    assert red > 2 * plain.width, "there is a line and a word"


def test_texts_come_with_the_picture() -> None:
    raw, _ = png.blank(2, 2)
    with Image.open(io.BytesIO(png.encode(raw, GRAY, {"Laterna recipe": "{“æ”: 1}"}))) as picture:
        picture.load()
        assert picture.info["Laterna recipe"] == "{“æ”: 1}"


@pytest.mark.parametrize("name", colors.NAMES)
def test_palettes_start_black_where_zero_is_their_start(name: str) -> None:
    one = colors.palette(name, "one")
    assert len(one) == len(colors.palette(name, "signed")) == 768
    assert one[:3] == b"\0\0\0"
    shown = [one[at : at + 3] for at in range(0, 3 * (colors.LAST + 1), 3)]
    assert len(set(shown)) > 100, "a diverging map has half its colours above zero"


def test_the_diverging_default_is_dark_in_the_middle() -> None:
    berlin = colors.palette(colors.DEFAULT["signed"], "signed")
    middle = berlin[3 * colors.CENTRE : 3 * colors.CENTRE + 3]
    assert max(middle) < 40 < max(berlin[:3])
    assert colors.stops("berlin", "signed")[8] == "#" + middle.hex()


@pytest.mark.parametrize("sided", ["one", "signed"])
def test_gamma_lights_what_is_small_and_moves_neither_zero_nor_the_ends(
    sided: colors.Sided,
) -> None:
    name = colors.DEFAULT[sided]
    plain, lit = colors.palette(name, sided), colors.palette(name, sided, 0.5)
    zero = 0 if sided == "one" else colors.CENTRE

    def shade(palette: bytes, entry: int) -> int:
        return sum(palette[3 * entry : 3 * entry + 3])

    for entry in (zero, colors.LAST, *range(colors.LAST + 1, 256)):
        assert shade(plain, entry) == shade(lit, entry)
    quarter = zero + (colors.LAST - zero) // 4
    half = zero + (colors.LAST - zero) // 2
    assert abs(shade(lit, quarter) - shade(plain, half)) < 15
    assert shade(lit, zero + 1) > shade(lit, zero), "only zero is black"
