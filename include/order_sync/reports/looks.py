"""How letters and pages look: one table of styles, written inline for mail programs and as a sheet for the pages.

Mail programs drop style sheets (some of them always), so a letter carries its light colours inline and its dark and
narrow ones in the head, for those that keep it. The pages may not use inline styles (their content security policy),
so there the same table becomes a sheet, in the colours of all pages. Every pair of colours keeps WCAG AA
(tests/unit/letters/test_looks.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme."""

    ground: str
    paper: str
    ink: str
    quiet: str
    """Text that is read second."""
    rule: str
    store: str
    """Bars of the store's side."""
    nextech: str
    """Bars of Nextech's side."""
    fine: str
    action: str
    critical: str
    link: str
    button_ink: str


LIGHT = Palette(
    ground="#f1f3f1",
    paper="#ffffff",
    ink="#18211d",
    quiet="#55605a",
    rule="#d5dbd7",
    store="#0b6e69",
    nextech="#a8640a",
    fine="#1b6b3c",
    action="#8a5200",
    critical="#a3211b",
    link="#0a5f78",
    button_ink="#ffffff",
)
DARK = Palette(
    ground="#0d1210",
    paper="#161c19",
    ink="#e9eeeb",
    quiet="#a7b2ac",
    rule="#33403a",
    store="#57c3ba",
    nextech="#e2a84f",
    fine="#7fd39b",
    action="#f0b866",
    critical="#ff9d92",
    link="#7cc7e0",
    button_ink="#0d1210",
)


@dataclass(frozen=True, slots=True)
class Look:
    """One style: what is always so, which colours it takes, and what changes on a phone."""

    always: str = ""
    colours: tuple[tuple[str, str], ...] = ()
    """What stands before the colour, such as "color:" or "border-top:1px solid ", and the palette's name for it."""
    narrow: str = ""

    def css(self, palette: Palette) -> str:
        """Return the declarations in one scheme."""
        return f"{self.always}{self.coloured(palette)}"

    def coloured(self, palette: Palette, suffix: str = "") -> str:
        """Return only the declarations of colour."""
        return "".join(f"{before}{getattr(palette, colour)}{suffix};" for before, colour in self.colours)


def _ink(colour: str) -> tuple[tuple[str, str], ...]:
    return (("color:", colour),)


def _fill(colour: str) -> tuple[tuple[str, str], ...]:
    return (("background-color:", colour),)


# Cells take size, line and colour from their table, so that a letter of many rows stays short: Gmail cuts at 102 kB.
_RULE = (("border-top:1px solid ", "rule"),)
_SUM_RULE = (("border-top:2px solid ", "ink"),)
_LEFT = "text-align:left;vertical-align:top;"
_RIGHT = "text-align:right;vertical-align:top;white-space:nowrap;"
_TABLE = "width:100%;border-collapse:collapse;margin:4px 0 8px;font-variant-numeric:tabular-nums;"
_BAND = "height:6px;line-height:6px;font-size:0;"

LOOKS: dict[str, Look] = {
    "ground": Look("margin:0;padding:0;", (*_fill("ground"), *_ink("ink"))),
    "sheet": Look("width:100%;border-collapse:collapse;", _fill("ground")),
    "paper": Look("max-width:640px;margin:0 auto;", (*_fill("paper"), *_ink("ink"))),
    "inside": Look(f"padding:28px 32px;text-align:left;font-family:{FONT};", _ink("ink"), "padding:20px 16px !important;"),
    "band-fine": Look(_BAND, _fill("fine")),
    "band-action": Look(_BAND, _fill("action")),
    "band-critical": Look(_BAND, _fill("critical")),
    "eyebrow": Look("margin:0 0 10px;font-size:14px;line-height:20px;", _ink("quiet")),
    "headline": Look(
        "margin:0 0 12px;font-size:22px;line-height:29px;font-weight:600;letter-spacing:-0.01em;",
        _ink("ink"),
        "font-size:20px !important;line-height:27px !important;",
    ),
    "say": Look("margin:0 0 12px;font-size:15px;line-height:22px;", _ink("ink")),
    "quiet": Look("margin:0 0 8px;font-size:13px;line-height:19px;", _ink("quiet")),
    "small": Look("display:block;font-size:13px;line-height:18px;", _ink("quiet")),
    "heading": Look("margin:32px 0 4px;font-size:17px;line-height:24px;font-weight:600;", _ink("ink")),
    "subheading": Look("margin:16px 0 4px;font-size:15px;line-height:21px;font-weight:600;", _ink("ink")),
    "table": Look(
        f"{_TABLE}font-size:15px;line-height:21px;",
        _ink("ink"),
    ),
    "chart": Look(
        f"{_TABLE}font-size:13px;line-height:18px;",
        _ink("ink"),
    ),
    "caption": Look("text-align:left;font-size:13px;line-height:19px;padding:0 0 4px;", _ink("quiet")),
    "head": Look(f"{_LEFT}padding:6px 0;font-size:12px;line-height:16px;font-weight:600;", _ink("quiet")),
    "head-amount": Look(f"{_RIGHT}padding:6px 0 6px 12px;font-size:12px;line-height:16px;font-weight:600;", _ink("quiet")),
    "cell": Look(f"{_LEFT}padding:8px 0;font-weight:400;", _RULE),
    "cell-label": Look(f"{_LEFT}padding:8px 12px 8px 0;font-weight:400;width:27%;", _RULE),
    "amount": Look(f"{_RIGHT}padding:8px 0 8px 12px;", _RULE),
    "sum": Look(f"{_LEFT}padding:8px 0;font-weight:600;", _SUM_RULE),
    "sum-amount": Look(f"{_RIGHT}padding:8px 0 8px 12px;font-weight:600;", _SUM_RULE),
    "bar-cell": Look("width:36%;padding:4px 0;vertical-align:middle;", _RULE, "width:24% !important;"),
    "bar-label": Look(f"{_LEFT}padding:4px 10px 4px 0;font-weight:400;white-space:nowrap;", _RULE),
    "bar-amount": Look(f"{_RIGHT}padding:4px 0 4px 10px;", _RULE),
    "bar-store": Look("font-size:0;line-height:7px;padding:0;", _fill("store")),
    "bar-nextech": Look("font-size:0;line-height:7px;padding:0;", _fill("nextech")),
    "key-store": Look("font-weight:600;", _ink("store")),
    "key-nextech": Look("font-weight:600;", _ink("nextech")),
    "strong": Look("font-weight:600;"),
    "critical": Look("font-weight:600;", _ink("critical")),
    "link": Look("text-decoration:underline;", _ink("link")),
    "button": Look(
        "display:inline-block;padding:11px 18px;font-size:15px;line-height:20px;font-weight:600;text-decoration:none;"
        "border-radius:6px;",
        (*_fill("link"), *_ink("button_ink")),
    ),
    "foot": Look("margin:28px 0 0;padding:14px 0 0;font-size:13px;line-height:19px;", (*_RULE, *_ink("quiet"))),
    "hidden": Look("display:none;max-height:0;overflow:hidden;font-size:1px;line-height:1px;"),
}
"""Every style by its name; the name is the class, too."""

PAGE = Palette(
    ground="var(--ground)",
    paper="var(--paper)",
    ink="var(--ink)",
    quiet="var(--quiet)",
    rule="var(--rule)",
    store="var(--store)",
    nextech="var(--nextech)",
    fine="var(--fine)",
    action="var(--care)",
    critical="var(--bad)",
    link="var(--link)",
    button_ink="var(--act-ink)",
)
"""On the pages the colours are those of all pages (web/static/pages.css), which follow the theme that was chosen."""

_NARROW = 480
"""Pixels: below this a letter is on a phone."""


def look_inline(name: str) -> Markup:
    """Return the class and the inline style of a name, for a letter."""
    return Markup(' class="{}" style="{}"').format(name, LOOKS[name].css(LIGHT))


def look_by_class(name: str) -> Markup:
    """Return the class of a name, for a page."""
    if name not in LOOKS:
        raise KeyError(name)
    return Markup(' class="{}"').format(name)


def letter_sheet() -> Markup:
    """Return the part of a letter's style that only a sheet can say: dark, and narrow."""
    dark = "".join(f".{name}{{{look.coloured(DARK, ' !important')}}}" for name, look in LOOKS.items() if look.colours)
    narrow = "".join(f".{name}{{{look.narrow}}}" for name, look in LOOKS.items() if look.narrow)
    return Markup(  # noqa: S704 - our own constants, and no markup in them
        f":root{{color-scheme:light dark;supported-color-schemes:light dark;}}"
        f"@media (max-width:{_NARROW}px){{{narrow}}}@media (prefers-color-scheme:dark){{{dark}}}"
    )


def page_sheet() -> str:
    """Return what the pages add to their own style, so that tables and charts look as they do in the letters."""
    always = "".join(f".report .{name}{{{look.css(PAGE)}}}" for name, look in LOOKS.items())
    narrow = "".join(f".report .{name}{{{look.narrow}}}" for name, look in LOOKS.items() if look.narrow)
    # What the pages' own sheet says of every table is taken back first, below the looks' own weight.
    plain = (
        ".report :where(.table,.chart) :where(th,td){border-top:0;padding:0;}"
        ".report :where(.table,.chart) tbody tr:hover{background:none;}"
    )
    return f"{plain}{always}@media (max-width:{_NARROW}px){{{narrow}}}"
