"""The description of a payment in Nextech: the marker first, then the order, then what was bought.

255 characters is all that Nextech keeps of it (contract 4.10), so the least important comes last. No person's data.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from order_sync.follow_ups import kinds_sold
from order_sync.markers import without_markers
from order_sync.orders import Order, OrderLine, ProductKind
from order_sync.practices import Practice

LONGEST_NOTE = 255
GIFT_CARD_WARNING = "GIFT CARD SOLD - DO NOT APPLY"

_LONGEST_NUMBER = 40
_LONGEST_PRODUCT_NAME = 60
_LONGEST_SKU = 40
_LONGEST_QUANTITY = 12


def describe_order(marker: str, order: Order, practice: Practice) -> str:
    """Return the note of a payment: "DP-7K3QX0M9ZT4R-H #000004127 main 2x Mineral Sunscreen (DRM-SPF50) +2 more".

    At most 255 characters as Nextech's platform counts them (UTF-16). As many lines as fit stand there in the order's own
    sequence, and how many are left out. Control characters, line ends and bidirectional marks become blanks, and nothing
    in it reads as a marker but the marker itself. A gift card sold is warned of right behind the marker.
    """
    warning = f" {GIFT_CARD_WARNING}" if ProductKind.GIFT_CARD in kinds_sold(order.lines, practice) else ""
    number = _cut(_plain(order.number), _LONGEST_NUMBER)
    head = f"{marker}{warning} #{number} {_store_view(order, practice)}"
    lines = [_describe_line(line) for line in order.lines]
    shown = next(count for count in range(len(lines), -1, -1) if _length(_with_lines(head, lines, count)) <= LONGEST_NOTE)
    return _with_lines(head, lines, shown)


def _with_lines(head: str, lines: list[str], count: int) -> str:
    more = [f"+{len(lines) - count} more"] if count < len(lines) else []
    return " ".join([head, *lines[:count], *more])


def _describe_line(line: OrderLine) -> str:
    name, sku = _cut(_plain(line.name), _LONGEST_PRODUCT_NAME), _cut(_plain(line.sku), _LONGEST_SKU)
    return " ".join(part for part in (f"{_quantity(line.quantity)}x", name, f"({sku})" if sku else "") if part)


def _store_view(order: Order, practice: Practice) -> str:
    """Name the store view only where a practice has several: an order carries no name of it that could be trusted."""
    return f"view {order.store_id}" if len(practice.store_ids) > 1 else "main"


def _quantity(quantity: Decimal) -> str:
    """Write 2.0000 as 2 and 1.5000 as 1.5; what is no sensible quantity is a question mark."""
    if not quantity.is_finite() or abs(quantity.adjusted()) > _LONGEST_QUANTITY:
        return "?"
    return _cut(f"{quantity.normalize():f}", _LONGEST_QUANTITY)


def _plain(text: str) -> str:
    visible = "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
    return " ".join(without_markers(" ".join(visible.split())).split())


def _cut(text: str, longest: int) -> str:
    cut = text[:longest]
    while _length(cut) > longest:
        cut = cut[:-1]
    return cut.strip()


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
