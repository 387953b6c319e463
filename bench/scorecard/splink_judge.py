"""Splink 5, trained on the set that it is asked about, without its labels: a probability for every pair it looks at.

It gets our normal forms, the comparisons that its own tutorial takes for people, term frequencies, and the blocking of its
documentation's kind: contact, birth date, and parts of names. In `make scorecard` alone: Splink is no part of the product.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pandas as pd
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_library as compare

from bench.scorecard.judges import Verdict, normal_form
from bench.scorecard.records import LabelledSet, Pair, Record

AUTOMATIC = 0.99
TO_A_PERSON = 0.5

_COMPARISONS = {
    "first": lambda: compare.NameComparison("first"),
    "last": lambda: compare.NameComparison("last"),
    "email": lambda: compare.EmailComparison("email"),
    "phone": lambda: compare.LevenshteinAtThresholds("phone", [1, 2]),
    "birth_date": lambda: compare.DateOfBirthComparison("birth_date", input_is_string=True),
    "postal_code": lambda: compare.ExactMatch("postal_code"),
    "city": lambda: compare.ExactMatch("city"),
}


def scored_pairs(of_set: LabelledSet) -> Mapping[Pair, float]:
    """Train on a set and return the probability of each pair that its blocking brings together."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    frame = pd.DataFrame(_row(record) for record in of_set.records)
    present = [name for name in _COMPARISONS if frame[name].notna().any()]
    blocks = [
        block_on(*names)
        for names in (("email",), ("phone",), ("birth_date",), ("first", "last"), ("last", "postal_code"), ("first", "city"))
        if set(names) <= set(present)
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            make().configure(term_frequency_adjustments=name in {"first", "last", "city", "postal_code"})
            for name, make in _COMPARISONS.items()
            if name in present
        ],
        blocking_rules_to_generate_predictions=blocks,
        retain_matching_columns=False,
    )
    database = DuckDBAPI()
    linker = Linker(database.register(frame), settings, log_level=logging.ERROR)
    contact = "email" if "email" in present else "phone"
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("first", "last", "birth_date"), block_on(contact, "birth_date")], recall=0.6
    )
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for block in (block_on("birth_date"), block_on("first", "last"), block_on(contact)):
        training.estimate_parameters_using_expectation_maximisation(block, record_sample_proportion=1.0)
    found = linker.inference.predict(threshold_match_probability=0.01).as_pandas_dataframe()
    scored = {
        (one, other): float(probability)
        for one, other, probability in zip(found["unique_id_l"], found["unique_id_r"], found["match_probability"], strict=True)
    }
    return {pair: probability for pair, probability in scored.items() for pair in of_set.playable([pair])}


class SplinkJudge:
    """Takes what Splink has scored: from `automatic` on by itself, from 0.5 on to a person."""

    def __init__(self, scored: Mapping[Pair, float], automatic: float = AUTOMATIC) -> None:
        self.scored, self.automatic = scored, automatic

    def __call__(self, customer: Record, charts: Sequence[Record]) -> Verdict:
        """Choose the one likely chart; several likely ones are asked about."""
        likely = {chart.record_id: self._probability(customer, chart) for chart in charts}
        certain = [name for name, probability in likely.items() if probability >= self.automatic]
        if len(certain) == 1:
            return Verdict(chosen=certain[0])
        return Verdict(asked=frozenset(name for name, probability in likely.items() if probability >= TO_A_PERSON))

    def _probability(self, customer: Record, chart: Record) -> float:
        pair = (customer.record_id, chart.record_id)
        return max(self.scored.get(pair, 0.0), self.scored.get(pair[::-1], 0.0))


def lowest_safe_threshold(scored: Mapping[Pair, float], true: frozenset[Pair]) -> float:
    """Return the lowest probability from which on no pair that it scored is false; it takes the labels to know it."""
    return max((probability for pair, probability in scored.items() if pair not in true), default=0.0) + 1e-12


def _row(record: Record) -> dict[str, str | None]:
    form = normal_form(record)
    return {
        "unique_id": record.record_id,
        "first": form.first,
        "last": form.last,
        "email": form.email,
        "phone": min(form.phones, default=None),
        "birth_date": form.birth_date.isoformat() if form.birth_date else None,
        "postal_code": form.postal_code,
        "city": record.city.strip().casefold() if record.city else None,
    }
