"""How good a judge is: over all true pairs, and over orders, each beside every other record as a chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from bench.scorecard.judges import Judge, contacts_of, normal_form
from bench.scorecard.records import LabelledSet, Pair


@dataclass(frozen=True, slots=True)
class Figures:
    """What a judge did with one set; shares are of `of`."""

    of: int
    """True pairs, or orders of people who have another record."""
    right: int
    """Decided by itself, and rightly."""
    wrong: int
    """Decided by itself, and wrongly: the payment would be on somebody else's chart."""
    asked: int
    """Left to a person who has the right chart among the choices."""
    asked_in_vain: int
    """Left to a person although the right chart is not among the choices, or there is none."""

    @property
    def precision(self) -> float | None:
        """Return which share of what was decided automatically is right; None when nothing was."""
        decided = self.right + self.wrong
        return self.right / decided if decided else None

    @property
    def recall(self) -> float:
        """Return the automatic recall."""
        return self.right / self.of

    @property
    def to_a_person(self) -> float:
        """Return the share that a person decides, with the right chart before them."""
        return self.asked / self.of

    @property
    def missed(self) -> float:
        """Return the share that nobody notices."""
        return 1 - (self.right + self.asked) / self.of


def candidate_pairs(of_set: LabelledSet) -> frozenset[Pair]:
    """Return every pair that the product's searches bring together: by e-mail, by phone, by birth date before an account."""
    sharing: dict[object, list[str]] = defaultdict(list)
    for record in of_set.records:
        birth_date = normal_form(record).birth_date
        for key in (*contacts_of(record), *([birth_date] if birth_date else [])):
            sharing[key].append(record.record_id)
    return of_set.playable(pair for ids in sharing.values() for pair in combinations(ids, 2))


def judge_pairs(judge: Judge, of_set: LabelledSet, also: Iterable[Pair] = ()) -> Figures:
    """Judge every pair by itself: a customer, and one chart; `also` those that only this judge brings together."""
    true = of_set.true_pairs()
    right = wrong = asked = in_vain = 0
    for pair in candidate_pairs(of_set) | true | frozenset(also):
        customer, chart = (of_set.by_id[record_id] for record_id in pair)
        verdict = judge(customer, [chart])
        right += verdict.chosen is not None and pair in true
        wrong += verdict.chosen is not None and pair not in true
        asked += bool(verdict.asked) and pair in true
        in_vain += bool(verdict.asked) and pair not in true
    return Figures(len(true), right, wrong, asked, in_vain)


def judge_orders(judge: Judge, of_set: LabelledSet, also: Iterable[Pair] = ()) -> Figures:
    """Let every record buy once: the charts are all others that a search finds, those of the same person and strangers'."""
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in candidate_pairs(of_set) | frozenset(also):
        for customer, chart in ((one, other), (other, one)):
            if of_set.by_id[customer].buys and of_set.by_id[chart].has_chart:
                found[customer].add(chart)
    own = _others_of_the_person(of_set)
    customers = [record for record in of_set.records if record.buys]
    right = wrong = asked = in_vain = 0
    for record in customers:
        charts = [of_set.by_id[record_id] for record_id in sorted(found[record.record_id])]
        verdict = judge(record, charts)
        is_right = verdict.chosen in own[record.record_id]
        right += is_right
        wrong += verdict.chosen is not None and not is_right
        is_among = bool(verdict.asked & own[record.record_id])
        asked += is_among
        in_vain += bool(verdict.asked) and not is_among
    return Figures(sum(1 for record in customers if own[record.record_id]), right, wrong, asked, in_vain)


def _others_of_the_person(of_set: LabelledSet) -> Mapping[str, frozenset[str]]:
    people: dict[str, set[str]] = defaultdict(set)
    for record in of_set.records:
        if record.has_chart:
            people[record.person].add(record.record_id)
    return {record.record_id: frozenset(people.get(record.person, set()) - {record.record_id}) for record in of_set.records}
