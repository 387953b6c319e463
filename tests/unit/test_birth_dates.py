from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.evidence import Agreement, compare_birth_dates

EQUAL, NEAR, DIFFERENT, UNKNOWN = Agreement.EQUAL, Agreement.NEAR, Agreement.DIFFERENT, Agreement.UNKNOWN


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (date(1988, 4, 19), date(1988, 4, 19), EQUAL),
        (date(1988, 4, 19), date(1988, 4, 18), NEAR),
        (date(1988, 4, 19), date(1988, 4, 29), NEAR),
        (date(1988, 4, 19), date(1988, 7, 19), NEAR),
        (date(1988, 4, 7), date(1988, 7, 4), NEAR),  # day and month in each other's place
        (date(1988, 4, 19), date(1988, 4, 20), DIFFERENT),  # two digits
        (date(1988, 4, 19), date(1988, 5, 18), DIFFERENT),
        (date(1988, 4, 19), date(1989, 4, 19), DIFFERENT),  # a year parts siblings
        (date(1988, 4, 7), date(1989, 7, 4), DIFFERENT),
        (date(1988, 4, 19), None, UNKNOWN),
        (None, None, UNKNOWN),
    ],
)
def test_birth_dates(ours, theirs, expected):
    assert compare_birth_dates(ours, theirs) is expected
    assert compare_birth_dates(theirs, ours) is expected


@given(st.dates(), st.dates())
def test_birth_dates_of_two_years_are_never_near(ours, theirs):
    if ours.year != theirs.year:
        assert compare_birth_dates(ours, theirs) is DIFFERENT
    assert compare_birth_dates(ours, ours) is EQUAL
