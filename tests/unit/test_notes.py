from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.markers import find_markers
from order_sync.notes import describe_order
from tests.unit.situations import a_customer, a_line, a_practice, an_order

MARKER = "DP-MF49D3Q4S2D0-8"
OTHER_MARKER = "DP-000000000000-0"
SUNSCREEN = a_line(quantity="2.0000")
CONSULTATION = a_line("DRM-CONSULT-15", "15 min consultation", product_type="virtual")

hostile_text = st.text(max_size=90)
hostile_lines = st.lists(
    st.builds(a_line, sku=hostile_text, name=hostile_text, quantity=st.sampled_from(["1", "2.5000", "NaN", "1E+9000", "-1"])),
    max_size=6,
).map(tuple)


def describe(*lines, practice=None, **changes):
    return describe_order(MARKER, an_order(lines=lines, **changes), practice or a_practice())


def test_the_marker_comes_first_then_the_order_then_what_was_bought():
    assert describe(SUNSCREEN, CONSULTATION) == (
        f"{MARKER} #000004127 main 2x Mineral Sunscreen (DRM-SPF50) 1x 15 min consultation (DRM-CONSULT-15)"
    )


def test_what_does_not_fit_is_counted():
    lines = [a_line(f"DRM-{number:03}", "Mineral Sunscreen") for number in range(30)]
    note = describe(*lines)
    shown = note.count("Mineral Sunscreen")
    assert len(note) <= 255
    assert note.endswith(f" +{30 - shown} more")
    assert len(note) + len(" 1x Mineral Sunscreen (DRM-000)") > 255


def test_a_gift_card_sold_is_warned_of_right_behind_the_marker():
    note = describe(SUNSCREEN, a_line("GC-50", "Gift Card", product_type="giftcard"))
    assert note.startswith(f"{MARKER} GIFT CARD SOLD - DO NOT APPLY #000004127 main ")
    assert "GIFT CARD SOLD" not in describe(SUNSCREEN)


def test_an_order_without_lines_is_still_described():
    assert describe() == f"{MARKER} #000004127 main"


def test_the_store_view_is_named_where_a_practice_has_several():
    assert describe(practice=a_practice(store_ids=[1, 4]), store_id=4) == f"{MARKER} #000004127 view 4"
    assert describe(practice=a_practice(store_ids=[4]), store_id=4) == f"{MARKER} #000004127 main"


@pytest.mark.parametrize(
    ("quantity", "written"),
    [
        ("2.0000", "2x"),
        ("1.5000", "1.5x"),
        ("10", "10x"),
        ("0", "0x"),
        ("NaN", "?x"),
        ("1E+9000", "?x"),
        ("0.33333333333333", "0.3333333333x"),
    ],
)
def test_a_quantity_is_written_plainly(quantity, written):
    assert f" {written} Mineral" in describe(a_line(quantity=quantity))


def test_line_ends_control_characters_and_direction_marks_become_blanks():
    assert describe(a_line("A\x00B", "Sun\r\n\tscreen\u202e 50")) == f"{MARKER} #000004127 main 1x Sun screen 50 (A B)"


def test_a_product_named_like_a_marker_cannot_claim_another_posting():
    assert find_markers(OTHER_MARKER) == [OTHER_MARKER]
    note = describe(a_line(OTHER_MARKER, f"Cream {OTHER_MARKER.lower()}"), number=OTHER_MARKER)
    assert find_markers(note) == [MARKER]


def test_a_long_name_is_cut_and_leaves_room_for_the_next_line():
    note = describe(a_line(name="Sunscreen " * 1000), CONSULTATION)
    assert note.endswith(" 1x 15 min consultation (DRM-CONSULT-15)")


def test_emoji_count_as_the_two_units_that_they_are():
    note = describe(*[a_line("\N{FIRE}" * 40, "\N{FIRE}" * 60)] * 3)
    assert len(note.encode("utf-16-le")) // 2 <= 255


def test_nothing_of_a_person_is_in_a_note():
    customer = a_customer()
    note = describe(SUNSCREEN, customer=customer)
    assert not any(
        str(value) in note for value in (customer.first, customer.last, customer.email, customer.phone, customer.city)
    )


@given(hostile_lines, hostile_text, st.booleans())
def test_no_order_makes_a_note_that_is_too_long_or_hides_its_marker(lines, number, has_gift_card):
    gift_card = (a_line("GC", "Gift Card", product_type="giftcard"),) if has_gift_card else ()
    note = describe(*lines, *gift_card, number=number)
    assert len(note.encode("utf-16-le", "surrogatepass")) // 2 <= 255
    assert note.startswith(f"{MARKER} ")
    assert find_markers(note) == [MARKER]
    assert not any(unicodedata.category(character).startswith("C") for character in note)
    assert ("GIFT CARD SOLD - DO NOT APPLY" in note) == has_gift_card
    assert "  " not in note
    note.encode()


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_quantity_can_be_written(quantity):
    assert describe(a_line(quantity=str(quantity))).startswith(MARKER)
    assert isinstance(quantity, Decimal)
