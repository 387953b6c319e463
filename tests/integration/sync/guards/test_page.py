"""docs/guards.md tells of every mutant, and of none that does not run."""

import re
from pathlib import Path

from tests.integration.adversary.wire_controls import WIRE_CONTROLS
from tests.integration.ledger.broken_guards import DATABASE_GUARDS, POSTGRES_GUARDS
from tests.integration.ledger.broken_report_guards import REPORT_GUARDS
from tests.integration.sync.guards.every_control import EVERY_CONTROL
from tests.integration.sync.guards.test_naive_variants import DAYS, VARIANTS

PAGE = (Path(__file__).parents[4] / "docs" / "guards.md").read_text(encoding="utf-8")
EVERY_GUARD = {**EVERY_CONTROL, **WIRE_CONTROLS, **DATABASE_GUARDS, **POSTGRES_GUARDS, **REPORT_GUARDS}
TABLES, REST = PAGE.split("## Simpler ways to post")
SIMPLER, BY_CHANCE = REST.split("## What chance finds")


def rows(text: str) -> list[list[str]]:
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [row for row in found if not set(row[0]) <= {"-"}]


def test_the_page_has_every_mutant_with_what_goes_wrong():
    told = {}
    for row in rows(TABLES):
        how, wrong = row[-3], row[-1]
        told[re.split(r" \+ ", how)[0]] = wrong
    for heading in ("broken like this", "broken: it is gone, and"):
        told.pop(heading)
    assert told.keys() == EVERY_GUARD.keys()
    assert [name for name, control in EVERY_GUARD.items() if not told[name].startswith(control.goes_wrong)] == []


def test_no_two_mutants_have_one_name():
    tables = (EVERY_CONTROL, WIRE_CONTROLS, DATABASE_GUARDS, POSTGRES_GUARDS, REPORT_GUARDS)
    assert len(EVERY_GUARD) == sum(map(len, tables))


def test_the_page_has_every_day_of_the_simpler_ways():
    heading, *days = rows(SIMPLER)
    assert heading[1:] == list(VARIANTS)
    told = {day: {name: wrong for name, wrong in zip(heading[1:], wrongs, strict=True) if wrong} for day, *wrongs in days}
    assert told == {day: wrong for day, (_, wrong) in DAYS.items()}


def test_what_chance_finds_are_mutants_of_this_page():
    heading, *found = rows(BY_CHANCE)
    assert heading[0] == "broken like this"
    assert {row[0] for row in found} <= EVERY_CONTROL.keys()
    assert [int(row[1]) for row in found] == sorted(int(row[1]) for row in found)
