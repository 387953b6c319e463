"""Write the scorecard into docs/matching.md: our ladder and the baselines, in one harness (`make scorecard`)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.scorecard.families import household_set
from bench.scorecard.figures import Figures, judge_orders, judge_pairs
from bench.scorecard.judges import Judge, all_keys_equal, all_keys_equal_as_written, contact_only, ladder
from bench.scorecard.labelled_sets import email_set, febrl_set, phone_set, reference_folder
from bench.scorecard.records import LabelledSet, Pair
from bench.scorecard.splink_judge import SplinkJudge, lowest_safe_threshold, scored_pairs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "matching.md"
BEGIN, END = "<!-- scorecard: written by `make scorecard` -->", "<!-- end of the scorecard -->"
_SEEDS = (1, 2, 3, 4)
_HEAD = (
    "| who decides | automatic, right | automatic, **wrong** | precision | to a person | missed | needless questions |\n"
    "|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True, slots=True)
class _Contender:
    name: str
    judge: Judge
    also: Iterable[Pair] = ()


def _contenders(of_set: LabelledSet) -> Iterator[_Contender]:
    yield _Contender("**the ladder**", ladder)
    yield _Contender("all keys equal, as written (the original's rule)", all_keys_equal_as_written(of_set))
    yield _Contender("all keys equal, normalised", all_keys_equal(of_set))
    yield _Contender("contact only", contact_only)
    scored = scored_pairs(of_set)
    yield _Contender("Splink 5, automatic from 0.99, a person from 0.5", SplinkJudge(scored), scored)
    safe = lowest_safe_threshold(scored, of_set.true_pairs())
    if safe > 1:
        yield _Contender("Splink 5: no threshold is without a false match", SplinkJudge(scored, safe), scored)
    else:
        yield _Contender(f"Splink 5, lowest threshold without a false match ({safe:.3f})", SplinkJudge(scored, safe), scored)


def _line(name: str, figures: Figures) -> str:
    precision = "" if figures.precision is None else f"{figures.precision:.4f}"
    return (
        f"| {name} | {figures.recall:.4f} | {figures.wrong} | {precision} | {figures.to_a_person:.4f} "
        f"| {figures.missed:.4f} | {figures.asked_in_vain} |\n"
    )


def _section(of_set: LabelledSet) -> str:
    people = len({record.person for record in of_set.records})
    contenders = list(_contenders(of_set))
    pairs = [(one.name, judge_pairs(one.judge, of_set, one.also)) for one in contenders]
    orders = [(one.name, judge_orders(one.judge, of_set, one.also)) for one in contenders]
    return (
        f"### {of_set.name}\n\n{len(of_set.records):,} records of {people:,} people; {of_set.source}.\n\n"
        f"Over all {pairs[0][1].of:,} true pairs:\n\n{_HEAD}{''.join(_line(*row) for row in pairs)}\n"
        f"Per order, {orders[0][1].of:,} of people with another record:\n\n{_HEAD}{''.join(_line(*row) for row in orders)}\n"
    )


def _other_households() -> str:
    lines = []
    for seed in _SEEDS[1:]:
        households = household_set(seed=seed)
        lines.append(_line(f"seed {seed}, pairs", judge_pairs(ladder, households)))
        lines.append(_line(f"seed {seed}, orders", judge_orders(ladder, households)))
    slips = household_set(seed=_SEEDS[0], first_name_slips=0.1)
    lines.append(_line("a letter lost in one first name of ten, pairs", judge_pairs(ladder, slips)))
    lines.append(_line("a letter lost in one first name of ten, orders", judge_orders(ladder, slips)))
    return f"### The ladder on other households\n\n{_HEAD}{''.join(lines)}\n"


def _write(scorecard: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{scorecard}{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge every set and write the page; return 2 when the labelled sets are not there."""
    parser = argparse.ArgumentParser(prog="python -m bench.scorecard", description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the scorecard, leave the page as it is")
    chosen = parser.parse_args(arguments)
    folder = reference_folder()
    if folder is None:
        sys.stderr.write("ORDER_SYNC_REFERENCE has to name the folder with the labelled sets (data/matching)\n")
        return 2
    sections = []
    for of_set in (email_set(folder), phone_set(folder), febrl_set(), household_set()):
        started = time.monotonic()
        sections.append(_section(of_set))
        sys.stderr.write(f"{of_set.name}: {time.monotonic() - started:.0f} s\n")
    scorecard = "".join([*sections, _other_households()])
    if chosen.print:
        sys.stdout.write(scorecard)
    else:
        _write(scorecard)
    return 0


if __name__ == "__main__":
    sys.exit(main())
