import re
from dataclasses import fields
from pathlib import Path

import pytest

import order_sync.web
from order_sync.reports.looks import DARK, LIGHT, LOOKS, PAGE, Palette, letter_sheet, look_by_class, look_inline, page_sheet

TEXT_AA, GRAPHIC_AA = 4.5, 3.0


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("ink", ["ink", "quiet", "critical", "fine", "action", "link", "store", "nextech"])
def test_every_text_is_read_on_paper_with_wcag_aa(palette: Palette, ink: str):
    assert contrast(getattr(palette, ink), palette.paper) >= TEXT_AA


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_buttons_words_are_read_on_its_own_colour_and_both_bars_are_seen(palette: Palette):
    assert contrast(palette.button_ink, palette.link) >= TEXT_AA
    assert min(contrast(bar, palette.paper) for bar in (palette.store, palette.nextech)) >= GRAPHIC_AA


def test_every_colour_is_used_and_dark_has_each_of_them():
    used = {colour for look in LOOKS.values() for _, colour in look.colours}
    assert used == {field.name for field in fields(Palette)}
    sheet = letter_sheet()
    for look in LOOKS.values():
        assert look.coloured(DARK, " !important") in sheet


def test_a_page_takes_its_colours_from_the_theme_that_all_pages_have():
    assert "#" not in page_sheet()
    pages = (Path(order_sync.web.__file__).parent / "static" / "pages.css").read_text()
    for name in re.findall(r"var\((--[a-z-]+)\)", page_sheet()):
        assert pages.count(f"{name}:") == 3, f"{name}: light, dark as chosen, and dark as the system has it"


def test_a_letter_says_its_colours_inline_and_a_page_in_its_sheet():
    assert look_inline("headline").startswith(' class="headline" style="')
    assert look_by_class("headline") == ' class="headline"'
    assert f".report .headline{{{LOOKS['headline'].css(PAGE)}}}" in page_sheet()
    with pytest.raises(KeyError):
        look_by_class("headlien")
