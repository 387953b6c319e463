from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.evidence import Agreement
from order_sync.names import are_swapped, compare_first_names, compare_last_names

EQUAL, NEAR, DIFFERENT, UNKNOWN = Agreement.EQUAL, Agreement.NEAR, Agreement.DIFFERENT, Agreement.UNKNOWN

words = st.text("abcdeijmnorst", min_size=1, max_size=6)
names = st.one_of(st.none(), st.lists(words, min_size=1, max_size=3).map(" ".join))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("ana", "ana", EQUAL),
        ("mary ann", "maryann", EQUAL),
        ("bob", "robert", NEAR),
        ("elizabeth", "liz", NEAR),
        ("liz", "betty", DIFFERENT),  # two nicknames of one name may be two sisters
        ("j", "john", NEAR),
        ("j", "ana", DIFFERENT),
        ("jo", "john", DIFFERENT),
        ("benjamn", "benjamin", NEAR),
        ("micheal", "michael", DIFFERENT),  # both are given to children: a person says
        ("jonh", "john", NEAR),
        ("sara", "sarah", NEAR),  # by the table of nicknames
        ("erin", "eric", DIFFERENT),
        ("mary", "mark", DIFFERENT),
        ("jayden", "kayden", DIFFERENT),
        ("illiam", "william", DIFFERENT),  # the first letter is seldom mistyped
        ("margret", "margaert", DIFFERENT),
        ("elizabteh", "elizabeth", NEAR),
        ("john a", "john b", DIFFERENT),
        ("john a", "john adam", NEAR),
        ("ana", "anna", DIFFERENT),  # too short for an edit
        ("mario", "maria", DIFFERENT),
        ("eric", "erica", DIFFERENT),
        ("daniel", "daniela", DIFFERENT),
        ("rosa", "rose", DIFFERENT),  # the table of nicknames has them; sisters have, too
        ("julie", "julia", DIFFERENT),
        ("bill", "billy", NEAR),
        ("carla", "carlo", DIFFERENT),
        ("robert j", "robert", NEAR),
        ("bob j", "robert", NEAR),
        ("mary", "mary ann", NEAR),
        ("ann", "mary ann", DIFFERENT),  # a second name is often a parent's
        ("mary beth", "mary ann", DIFFERENT),
        ("al", "al mustafa", DIFFERENT),
        ("ana", "pedro", DIFFERENT),
        (None, "ana", UNKNOWN),
        ("ana", None, UNKNOWN),
    ],
)
def test_first_names(ours, theirs, expected):
    assert compare_first_names(ours, theirs) is expected
    assert compare_first_names(theirs, ours) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("ruiz", "ruiz", EQUAL),
        ("de la cruz", "delacruz", EQUAL),
        ("gonzales", "gonzalez", NEAR),
        ("smiht", "smith", NEAR),
        ("garcia", "garcia lopez", NEAR),
        ("lopez", "garcia lopez", NEAR),
        ("cruz", "de la cruz", NEAR),
        ("de", "de la cruz", DIFFERENT),
        ("de la cruz", "de la rosa", DIFFERENT),
        ("kim", "lim", DIFFERENT),
        ("r", "ruiz", DIFFERENT),
        ("smith", "jones", DIFFERENT),
        (None, "ruiz", UNKNOWN),
        ("ruiz", None, UNKNOWN),
    ],
)
def test_last_names(ours, theirs, expected):
    assert compare_last_names(ours, theirs) is expected
    assert compare_last_names(theirs, ours) is expected


def test_names_in_each_others_place_are_swapped():
    assert are_swapped("ruiz", "ana", "ana", "ruiz")
    assert not are_swapped("ana", "ruiz", "ana", "ruiz")
    assert not are_swapped("ruiz", "anna", "ana", "ruiz")


@pytest.mark.parametrize("missing", range(4))
def test_an_unknown_name_is_never_swapped(missing):
    four = ["ruiz", "ana", "ana", "ruiz"]
    four[missing] = None
    assert not are_swapped(*four)


@given(names, names)
def test_the_comparison_has_no_sides_and_equals_itself(ours, theirs):
    for compare in (compare_first_names, compare_last_names):
        assert compare(ours, theirs) is compare(theirs, ours)
        assert (compare(ours, theirs) is UNKNOWN) == (ours is None or theirs is None)
        assert compare(ours, ours) is (UNKNOWN if ours is None else EQUAL)
