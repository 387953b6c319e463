"""The floor below the scorecard of docs/matching.md: nobody is matched wrongly, and the shares do not sink unnoticed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bench.scorecard.families import household_set
from bench.scorecard.figures import Figures, judge_orders, judge_pairs
from bench.scorecard.judges import ladder
from bench.scorecard.labelled_sets import email_set, phone_set, reference_folder
from bench.scorecard.records import LabelledSet
from order_sync.given_names import is_given_name


@cache
def folder() -> Path:
    found = reference_folder()
    if found is None:
        pytest.skip("ORDER_SYNC_REFERENCE does not name the folder with the labelled sets")
    return found


def assert_floor(figures: Figures, *, automatic: float, with_a_person: float) -> None:
    assert figures.wrong == 0
    assert figures.recall >= automatic
    assert figures.recall + figures.to_a_person >= with_a_person


@pytest.mark.reference
def test_the_email_set_stands_above_its_floor():
    of_set = email_set(folder())
    assert_floor(judge_pairs(ladder, of_set), automatic=0.074, with_a_person=0.43)
    assert_floor(judge_orders(ladder, of_set), automatic=0.15, with_a_person=0.70)


@pytest.mark.reference
def test_the_phone_set_stands_above_its_floor():
    of_set = phone_set(folder())
    assert_floor(judge_pairs(ladder, of_set), automatic=0.69, with_a_person=0.96)
    assert_floor(judge_orders(ladder, of_set), automatic=0.69, with_a_person=0.96)


@pytest.mark.parametrize("seed", [1, 20, 300, 4000])
def test_no_member_of_a_household_is_taken_for_another(seed: int):
    of_set = household_set(400, seed=seed)
    assert_floor(judge_pairs(ladder, of_set), automatic=0.97, with_a_person=0.99)
    assert_floor(judge_orders(ladder, of_set), automatic=0.96, with_a_person=0.99)


def test_a_household_set_is_the_same_for_the_same_seed_and_has_people_without_charts():
    one, again, other = household_set(50, seed=1), household_set(50, seed=1), household_set(50, seed=2)
    assert one.records == again.records != other.records
    with_chart = {record.person for record in one.records if record.has_chart}
    assert {record.person for record in one.records} > with_chart


def test_the_judges_of_the_scorecard_notice_a_wrong_chart():
    of_set = household_set(100, seed=1)
    assert judge_pairs(lambda _, charts: ladder(charts[0], charts), of_set).wrong > 0
    assert isinstance(of_set, LabelledSet)


def test_the_kept_lists_know_the_names_that_twins_are_given():
    """A library that lost its lists would make slips of names, and matches of twins."""
    twins = "jayden kayden brandon braydon lena lina karen karin erin eric joan john mara maria jaden aiden jose josue"
    assert [name for name in twins.split() if not is_given_name(name)] == []
    assert not any(is_given_name(name) for name in ("elizabteh", "benjamn", "katharne"))
