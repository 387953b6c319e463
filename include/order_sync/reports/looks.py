"""How letters and pages look: one table of styles, written inline for mail programs and as a sheet for the pages.

Mail programs drop style sheets (some of them always), so a letter carries its light colours inline and its dark and
narrow ones in the head, for those that keep it. The pages may not use inline styles (their content security policy),
so there the same table becomes the sheet. Every pair of colours keeps WCAG AA (tests/unit/letters/test_looks.py).
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
    track: str
    """Behind a bar."""


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
    track="#eceeec",
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
    track="#222a26",
)


@dataclass(frozen=True, slots=True)
class Look:
    """One style: what is always so, which colours it takes, and what changes on a phone."""

    always: str = ""
    colours: tuple[tuple[str, str], ...] = ()
    """CSS property and the palette's name for it."""
    narrow: str = ""

    def css(self, palette: Palette) -> str:
        """Return the declarations in one scheme."""
        return "".join((self.always, self.coloured(palette)))

    def coloured(self, palette: Palette, suffix: str = "") -> str:
        """Return only the declarations of colour."""
        return "".join(f"{name}:{getattr(palette, colour)}{suffix};" for name, colour in self.colours)


def _ink(colour: str) -> tuple[tuple[str, str], ...]:
    return (("color", colour),)


_RULE = ("border-color", "rule")
_CELL = "padding:8px 0;vertical-align:top;text-align:left;font-size:15px;line-height:21px;font-weight:normal;"
_AMOUNT = "padding:8px 0 8px 12px;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;"
_TOP = "border-top-width:1px;border-top-style:solid;"

LOOKS: dict[str, Look] = {
    "ground": Look("margin:0;padding:0;", (("background-color", "ground"), ("color", "ink"))),
    "sheet": Look("width:100%;border-collapse:collapse;", (("background-color", "ground"),)),
    "paper": Look("max-width:640px;margin:0 auto;", (("background-color", "paper"), ("color", "ink"))),
    "inside": Look(f"padding:28px 32px;text-align:left;font-family:{FONT};", _ink("ink"), "padding:20px 16px !important;"),
    "band-fine": Look("height:6px;line-height:6px;font-size:0;", (("background-color", "fine"),)),
    "band-action": Look("height:6px;line-height:6px;font-size:0;", (("background-color", "action"),)),
    "band-critical": Look("height:6px;line-height:6px;font-size:0;", (("background-color", "critical"),)),
    "eyebrow": Look("margin:0 0 10px;font-size:14px;line-height:20px;", _ink("quiet")),
    "headline": Look(
        "margin:0 0 10px;font-size:22px;line-height:29px;font-weight:600;letter-spacing:-0.01em;",
        _ink("ink"),
        "font-size:20px !important;",
    ),
    "say": Look("margin:0 0 12px;font-size:15px;line-height:22px;", _ink("ink")),
    "quiet": Look("margin:0 0 8px;font-size:13px;line-height:19px;font-weight:normal;", _ink("quiet")),
    "small": Look("display:block;font-size:13px;line-height:18px;font-weight:normal;", _ink("quiet")),
    "heading": Look("margin:28px 0 4px;font-size:17px;line-height:24px;font-weight:600;", _ink("ink")),
    "subheading": Look("margin:16px 0 4px;font-size:15px;line-height:21px;font-weight:600;", _ink("ink")),
    "table": Look("width:100%;border-collapse:collapse;margin:4px 0 8px;"),
    "caption": Look("text-align:left;font-size:13px;line-height:19px;padding:0 0 4px;", _ink("quiet")),
    "head": Look(
        "padding:6px 0;text-align:left;vertical-align:bottom;font-size:12px;line-height:16px;font-weight:600;", _ink("quiet")
    ),
    "head-amount": Look(
        "padding:6px 0 6px 12px;text-align:right;vertical-align:bottom;font-size:12px;line-height:16px;font-weight:600;",
        _ink("quiet"),
    ),
    "cell": Look(f"{_CELL}{_TOP}", (_RULE, ("color", "ink"))),
    "cell-label": Look(f"{_CELL}{_TOP}width:30%;padding-right:12px;", (_RULE, ("color", "ink"))),
    "amount": Look(f"{_CELL}{_TOP}{_AMOUNT}", (_RULE, ("color", "ink"))),
    "sum": Look(
        f"{_CELL}border-top-width:2px;border-top-style:solid;font-weight:600;", (("border-color", "ink"), ("color", "ink"))
    ),
    "sum-amount": Look(
        f"{_CELL}border-top-width:2px;border-top-style:solid;{_AMOUNT}font-weight:600;",
        (("border-color", "ink"), ("color", "ink")),
    ),
    "bar-cell": Look(f"{_TOP}width:38%;padding:4px 0;", (_RULE,), "width:26% !important;"),
    "bar-day": Look(
        f"{_TOP}padding:4px 10px 4px 0;text-align:left;font-size:13px;line-height:18px;font-weight:normal;white-space:nowrap;",
        (_RULE,),
    ),
    "bar-amount": Look(
        f"{_TOP}padding:4px 0 4px 10px;text-align:right;font-size:13px;line-height:18px;font-weight:normal;white-space:nowrap;",
        (_RULE,),
    ),
    "bar-store": Look("font-size:0;line-height:7px;padding:0;", (("background-color", "store"),)),
    "bar-nextech": Look("font-size:0;line-height:7px;padding:0;", (("background-color", "nextech"),)),
    "key-store": Look("font-weight:600;", _ink("store")),
    "key-nextech": Look("font-weight:600;", _ink("nextech")),
    "strong": Look("font-weight:600;", _ink("ink")),
    "fine": Look("font-weight:600;", _ink("fine")),
    "critical": Look("font-weight:600;", _ink("critical")),
    "link": Look("text-decoration:underline;", _ink("link")),
    "button": Look(
        "display:inline-block;padding:11px 18px;font-size:15px;line-height:20px;font-weight:600;text-decoration:none;"
        "border-radius:6px;",
        (("background-color", "link"), ("color", "button_ink")),
    ),
    "foot": Look("margin:28px 0 0;padding:14px 0 0;font-size:13px;line-height:19px;" + _TOP, (_RULE, ("color", "quiet"))),
    "hidden": Look("display:none;max-height:0;overflow:hidden;font-size:1px;line-height:1px;"),
}
"""Every style by its name; the name is the class, too."""

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


def page_sheet() -> Markup:
    """Return the whole style of the pages."""
    light = "".join(f".{name}{{{look.css(LIGHT)}}}" for name, look in LOOKS.items())
    dark = "".join(f".{name}{{{look.coloured(DARK)}}}" for name, look in LOOKS.items() if look.colours)
    narrow = "".join(f".{name}{{{look.narrow}}}" for name, look in LOOKS.items() if look.narrow)
    return Markup(  # noqa: S704 - our own constants, and no markup in them
        f":root{{color-scheme:light dark;}}*{{box-sizing:border-box;}}{light}"
        f"@media (max-width:{_NARROW}px){{{narrow}}}@media (prefers-color-scheme:dark){{{dark}}}"
    )
