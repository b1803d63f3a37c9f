"""One cursor over two sheets: the same channel and place on both, held in the address."""

import re

from playwright.sync_api import Page, Position, expect

MODEL = "efficientnet-lite0"
BOTH = (
    f"/side-by-side?left_image=chelsea&left_model={MODEL}&left_layer=blocks.1.0.conv_pwl"
    "&right_image=coffee&right_layer=blocks.2.0.conv_pwl"
)
LEFT, RIGHT = ".sheet[data-side=left]", ".sheet[data-side=right]"
#: Well inside a tile of the left sheet.
INSIDE: Position = {"x": 329, "y": 30}
#: Whether a canvas of a side has the colour of the mark at the place that is pointed at.
MARKED = """side => {
  const canvas = document.querySelector(`canvas.closeup[data-side=${side}]`);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === 240 && data[at + 1] === 179 && data[at + 2] === 90) return true;
  return false;
}"""


def test_what_is_pointed_at_on_one_sheet_is_marked_on_both(page: Page) -> None:
    page.goto(BOTH)
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    page.wait_for_function(
        "[...document.querySelectorAll('.sheet img')].every(image => image.naturalWidth > 0)"
    )
    page.locator("#linked").check()
    page.locator(LEFT).hover(position=INSIDE)
    said = page.locator("#left-inspected")
    expect(said).to_contain_text(re.compile(r"Channel \d+"))
    channel = re.findall(r"\d+", said.inner_text())[0]
    expect(page.locator("#right-inspected")).to_have_text(f"Channel {channel}")
    expect(page.locator(f"{RIGHT} .cursor")).to_be_visible()
    assert page.evaluate(MARKED, "left")
    assert page.evaluate(MARKED, "right")

    page.locator(LEFT).click(position=INSIDE)
    expect(page).to_have_url(re.compile(rf"&channel={channel}$"))
    page.locator(RIGHT).hover(position={"x": 180, "y": 100})
    expect(said).to_contain_text(f"Channel {channel}")
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("channel="))

    page.locator(RIGHT).focus()
    page.keyboard.press("End")
    expect(page.locator("#right-inspected")).to_have_text("Channel 39")
    expect(said).to_contain_text("not here: this layer has 24 channels")
    expect(page.locator(f"{LEFT} .cursor")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/layers/blocks.2.0.conv_pwl/channels/39")


def test_unlinked_each_side_keeps_a_channel_of_its_own(page: Page) -> None:
    page.goto(BOTH)
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    expect(page.locator("#linked"), "different layers").not_to_be_checked()
    page.wait_for_function(
        "[...document.querySelectorAll('.sheet img')].every(image => image.naturalWidth > 0)"
    )
    page.locator(LEFT).click(position=INSIDE)
    page.locator(RIGHT).focus()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile(r"&channel=3&right_channel=39$"))
    page.reload()
    expect(page.locator("#left-inspected")).to_have_text("Channel 3")
    expect(page.locator("#right-inspected")).to_have_text("Channel 39")
    page.locator("#linked").check()
    expect(page.locator("#right-inspected")).to_have_text("Channel 3")
    expect(page).to_have_url(re.compile(r"&channel=3$"))


def test_another_side_is_chosen_and_both_are_swapped(page: Page) -> None:
    page.goto(BOTH)
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    page.locator("#right_layer").focus()
    page.locator("#right_layer").select_option("blocks.1.0.conv_pwl")
    expect(page).to_have_url(re.compile("right_layer=blocks.1.0.conv_pwl"))
    expect(page.locator("#right_layer")).to_be_focused()
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    page.get_by_role("link", name="swap").click()
    expect(page.locator("#left_image")).to_have_value("coffee")
    expect(page.locator("#right_image")).to_have_value("chelsea")


def test_without_javascript_a_channel_is_magnified_on_both_sides(
    page_without_javascript: Page,
) -> None:
    page = page_without_javascript
    page.goto(f"{BOTH}&channel=3")
    expect(page.locator("a.nojs img")).to_have_count(2)
    page.locator("#channel").fill("5")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("channel=5"))
    expect(page.locator("#left-inspected")).to_have_text("Channel 5")


def test_the_export_menu_opens_and_gives_a_file(page: Page) -> None:
    page.goto(f"/images/chelsea/models/{MODEL}/layers/blocks.1.0.conv_pwl")
    menu = page.locator(".export")
    menu.locator("summary").press("Enter")
    with page.expect_download() as download:
        menu.get_by_role("link", name="Numbers of this layer").click()
    assert download.value.suggested_filename == (
        "laterna-chelsea-efficientnet-lite0-blocks-1-0-conv-pwl.csv"
    )
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Notebook")).to_be_hidden()
