"""Whether all is well, in a sentence for each practice: what the health page says first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from order_sync.health import Health, LateOrder
from order_sync.practices import Practice
from order_sync.reports.wording import count_words, one_line, span_words


class Verdict(StrEnum):
    """How bad it is; the value is what the API answers."""

    FINE = "fine"
    ATTENTION = "attention"
    """Somebody should look: a letter, a report, an unclear outcome. The sync itself goes on."""
    OVERDUE = "overdue"
    """The sync is late: no run went through for a while, or orders wait for longer than they may."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A practice's health, and what it comes to."""

    practice: Practice
    health: Health
    verdict: Verdict
    troubles: tuple[str, ...]
    """A sentence each; none when all is well."""


def judge(practice: Practice, health: Health) -> Judged:
    """Say what a practice's health comes to."""
    late = (*_about_runs(health), *_about_overdue(health))
    troubles = (*late, *_about_posting(health), *_about_letters(health))
    verdict = Verdict.OVERDUE if late else Verdict.FINE if health.is_well else Verdict.ATTENTION
    return Judged(practice, health, verdict, troubles)


def worst_of(judged: Sequence[Judged]) -> Verdict:
    """Return the worst verdict among the practices."""
    found = {one.verdict for one in judged}
    return next((verdict for verdict in (Verdict.OVERDUE, Verdict.ATTENTION) if verdict in found), Verdict.FINE)


def sum_up(judged: Sequence[Judged]) -> str:
    """Say whether all is well, in one sentence."""
    match worst_of(judged):
        case Verdict.FINE if len(judged) == 1:
            return f"All is well with {one_line(judged[0].practice.name)}."
        case Verdict.FINE:
            return f"All is well with all {len(judged)} practices."
        case Verdict.ATTENTION:
            return f"The sync is on time. Somebody should look at {_names(judged, Verdict.ATTENTION)}."
        case Verdict.OVERDUE:
            return f"The sync is late at {_names(judged, Verdict.OVERDUE)}: tell the data team."


def _names(judged: Sequence[Judged], verdict: Verdict) -> str:
    names = [one_line(one.practice.name) for one in judged if one.verdict is verdict]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _about_runs(health: Health) -> list[str]:
    if not health.is_run_late:
        return []
    if health.last_good_run_at is None:
        return ["No run has gone through yet."]
    return [f"The last run that went through was {span_words(health.last_good_run_at, health.as_of)} ago."]


def _about_overdue(health: Health) -> list[str]:
    return [f"{_counted(health.overdue)} overdue, the oldest for {_oldest(health.overdue, health)}."] if health.overdue else []


def _about_posting(health: Health) -> list[str]:
    said = []
    if health.is_breaker_open:
        in_a_row = f"{health.unclear_in_a_row} outcomes in a row were unclear"
        said.append(f"Posting is held back to one payment a run: {in_a_row}.")
    if health.outcome_unknown:
        said.append(
            f"Of {count_words(len(health.outcome_unknown), 'order')} it is not known whether the payment was booked,"
            f" the oldest for {_oldest(health.outcome_unknown, health)}."
        )
    return said


def _about_letters(health: Health) -> list[str]:
    said = []
    if health.unsent_letters:
        said.append(f"{count_words(len(health.unsent_letters), 'letter')} did not leave.")
    if health.days_without_report:
        said.append(f"{count_words(len(health.days_without_report), 'day')} with orders {_have(health)} no report.")
    return said


def _have(health: Health) -> str:
    return "has" if len(health.days_without_report) == 1 else "have"


def _counted(orders: Sequence[LateOrder]) -> str:
    return f"{count_words(len(orders), 'order')} {'is' if len(orders) == 1 else 'are'}"


def _oldest(orders: Sequence[LateOrder], health: Health) -> str:
    return span_words(min(order.since for order in orders), health.as_of)
