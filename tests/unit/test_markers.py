from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.markers import PostingKey, find_markers, is_valid_marker, make_marker, posting_key, without_markers
from tests.unit.situations import MARKER_KEY, a_practice, an_order

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
POSTING = PostingKey(practice_id="eastern", store="1", entity_id=4127)
MARKER = make_marker(MARKER_KEY, POSTING)

postings = st.builds(
    PostingKey,
    practice_id=st.text(max_size=10),
    store=st.text(max_size=5),
    entity_id=st.integers(1, 10**9),
    document_type=st.text(max_size=8),
    tender_line=st.integers(1, 9),
    kind=st.text(max_size=8),
)


def test_the_same_order_has_the_same_marker_for_ever():
    assert make_marker(MARKER_KEY, posting_key(an_order(), a_practice())) == "DP-MF49D3Q4S2D0-8"


@pytest.mark.parametrize(
    "change",
    [
        {"practice_id": "western"},
        {"store": "2"},
        {"entity_id": 4128},
        {"document_type": "credit_memo"},
        {"tender_line": 2},
        {"kind": "refund"},
    ],
)
def test_every_part_of_the_identity_changes_the_marker(change):
    assert make_marker(MARKER_KEY, replace(POSTING, **change)) != MARKER


def test_another_key_makes_another_marker():
    assert make_marker(b"somebody else's key", POSTING) != MARKER


def test_parts_of_the_identity_cannot_run_into_each_other():
    assert make_marker(MARKER_KEY, replace(POSTING, practice_id="a", store="b1")) != make_marker(
        MARKER_KEY, replace(POSTING, practice_id="ab", store="1")
    )


def test_an_empty_key_is_refused():
    with pytest.raises(ValueError, match="key of the markers is empty"):
        make_marker(b"", POSTING)


@given(postings)
def test_a_marker_is_short_plain_upper_case_and_finds_itself(posting):
    marker = make_marker(MARKER_KEY, posting)
    assert len(marker) == 17
    assert set(marker) <= set(ALPHABET) | {"-", "P"}
    assert is_valid_marker(marker)
    assert find_markers(f"{marker} #000004127 main") == [marker]


def test_no_two_of_many_orders_share_a_marker():
    markers = {make_marker(MARKER_KEY, replace(POSTING, entity_id=entity_id)) for entity_id in range(20_000)}
    assert len(markers) == 20_000


@given(st.integers(3, 16).filter(lambda index: index != 15), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_noticed(index, character):
    wrong = MARKER[:index] + character + MARKER[index + 1 :]
    assert is_valid_marker(wrong) == (wrong == MARKER)


@given(postings, st.integers(0, 11))
def test_any_swap_of_two_neighbours_is_noticed(posting, index):
    marker = make_marker(MARKER_KEY, posting)
    code = list(marker[3:15] + marker[16])
    code[index], code[index + 1] = code[index + 1], code[index]
    swapped = f"DP-{''.join(code[:12])}-{code[12]}"
    assert is_valid_marker(swapped) == (swapped == marker)


@pytest.mark.parametrize(
    "written",
    [
        MARKER.lower(),
        f"  {MARKER}  ",
        f"{MARKER[:3]} {MARKER[3:15]} - {MARKER[16]}",
        MARKER.replace("-", "\u2013"),
        MARKER.replace("-", "\u2011"),
        f"posted by hand,{MARKER}: corrected",
        f"{MARKER}\r\n#000004127",
        f"({MARKER})",
        MARKER.replace("-", "\u00a0-\u00a0"),
        "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in MARKER),
    ],
)
def test_a_marker_survives_what_servers_and_people_do_to_a_note(written):
    assert find_markers(written) == [MARKER]


def test_letters_misread_for_digits_are_understood():
    marker = next(
        marker
        for entity_id in range(1000)
        if {"0", "1"} <= set((marker := make_marker(MARKER_KEY, replace(POSTING, entity_id=entity_id)))[3:15])
    )
    for zero, one in [("O", "I"), ("o", "l"), ("O", "L")]:
        assert find_markers(marker.replace("0", zero).replace("1", one)) == [marker]


@pytest.mark.parametrize(
    "text",
    [
        "",
        MARKER[:-1],
        MARKER[:14],
        f"X{MARKER}",
        f"{MARKER}7",
        MARKER.replace("-", ""),
        MARKER[:3] + "U" + MARKER[4:],
        "DP-000000000000-1",
        "\x00" * 50 + "\N{FIRE}",
    ],
)
def test_what_is_no_whole_marker_is_none(text):
    assert find_markers(text) == []
    assert not is_valid_marker(text)


def test_several_markers_are_found_once_each_in_their_order():
    other = make_marker(MARKER_KEY, replace(POSTING, entity_id=1))
    assert find_markers(f"{other} corrects {MARKER}, see {other.lower()}") == [other, MARKER]
    assert not is_valid_marker(f"{other} {MARKER}")


def test_a_text_can_be_rid_of_its_markers():
    assert find_markers(without_markers(f"Cream {MARKER.lower()} 50 ml")) == []
    assert find_markers(without_markers("DP-DP-000000000000-0 000000000000-0")) == []
    assert without_markers("Cream 50 ml") == "Cream 50 ml"


@given(st.text(max_size=300))
def test_no_text_is_too_odd_to_be_searched(text):
    assert find_markers(without_markers(text)) == []
