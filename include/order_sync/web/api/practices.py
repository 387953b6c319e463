"""The API's calls about the practices, and whether their sync is well."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Response

from order_sync.health import LateOrder
from order_sync.statuses import OrderState
from order_sync.web.api.answers import Answer, Instant, failures
from order_sync.web.health_page import judge_all
from order_sync.web.health_words import Judged, Verdict, sum_up, worst_of
from order_sync.web.house import InHouse, Practices

router = APIRouter(prefix="/api", tags=["Practices"])

_MOST_ORDERS = 100


class Practice(Answer):
    """A practice that the login may see."""

    id: str
    name: str
    time_zone: str
    currency: str


class PracticeList(Answer):
    """The practices that the login may see."""

    practices: list[Practice]


class WaitingOrder(Answer):
    """An order that should be further than it is."""

    order_id: int
    number: str
    state: OrderState
    since: Instant


class QueueAges(Answer):
    """How many cases wait for a person; each number counts what is older than its age, too."""

    cases: int
    amount_cents: int
    older_than_a_day: int
    older_than_a_week: int
    older_than_a_month: int
    oldest_opened_at: Instant | None


class UnsentLetter(Answer):
    """A letter that no mail server has taken over."""

    report_id: str | None
    """Null for an alarm."""
    kind: str
    created_at: Instant


class DayWithoutReport(Answer):
    """A day with orders that no report covers."""

    day: date
    orders: int


class PracticeHealth(Answer):
    """How one practice's sync is doing."""

    practice_id: str
    verdict: Verdict
    troubles: list[str]
    """A sentence for each trouble; none when all is well."""
    last_good_run_at: Instant | None
    read_until: Instant | None
    """Everything that changed in the store before this is known."""
    is_posting_held_back: bool
    overdue_count: int
    """Orders that are due for more than 20 minutes and not posted."""
    overdue: list[WaitingOrder]
    """The first hundred of them, the oldest first."""
    outcome_unknown_count: int
    outcome_unknown: list[WaitingOrder]
    """The first hundred, the oldest first."""
    queue: QueueAges
    statuses_to_tell: int
    """What the store has still to be told."""
    unsent_letters: list[UnsentLetter]
    days_without_report: list[DayWithoutReport]


class Health(Answer):
    """How the sync is doing."""

    verdict: Verdict
    """The worst of all practices: fine, attention (somebody should look), overdue (the sync is late)."""
    summary: str
    """The same in a sentence."""
    as_of: Instant
    practices: list[PracticeHealth]


@router.get("/practices", summary="List practices", responses=failures())
def list_practices(practices: Practices) -> PracticeList:
    """Return the practices that the login may see: every other call is limited to them."""
    return PracticeList(
        practices=[
            Practice(id=one.id, name=one.name, time_zone=one.time_zone, currency=one.currency) for one in practices.values()
        ]
    )


@router.get(
    "/health",
    summary="Say whether the sync is well",
    responses={**failures(), 503: {"model": Health, "description": "A practice is overdue"}},
)
def show_health(house: InHouse, practices: Practices, response: Response) -> Health:
    """Answer 200 while the sync is on time, and 503 when orders of a practice are overdue or no run goes through.

    A monitor needs no more than the status. A 503 whose body is a failure (`error`, `detail`) says that the ledger itself
    is not available.
    """
    judged = judge_all(house.ledger, practices)
    verdict = worst_of(judged)
    if verdict is Verdict.OVERDUE:
        response.status_code = 503
    return Health(
        verdict=verdict,
        summary=sum_up(judged) if judged else "There is no practice that this login may see.",
        as_of=judged[0].health.as_of if judged else house.clock.now(),
        practices=[_health_of(one) for one in judged],
    )


def _health_of(judged: Judged) -> PracticeHealth:
    health = judged.health
    return PracticeHealth(
        practice_id=health.practice_id,
        verdict=judged.verdict,
        troubles=list(judged.troubles),
        last_good_run_at=health.last_good_run_at,
        read_until=health.read_until,
        is_posting_held_back=health.is_breaker_open,
        overdue_count=len(health.overdue),
        overdue=[_waiting(order) for order in health.overdue[:_MOST_ORDERS]],
        outcome_unknown_count=len(health.outcome_unknown),
        outcome_unknown=[_waiting(order) for order in health.outcome_unknown[:_MOST_ORDERS]],
        queue=QueueAges.model_validate(health.queue, from_attributes=True),
        statuses_to_tell=health.untold_statuses,
        unsent_letters=[
            UnsentLetter(report_id=letter.report_id, kind=letter.kind, created_at=letter.created_at)
            for letter in health.unsent_letters
        ],
        days_without_report=[DayWithoutReport(day=day, orders=orders) for day, orders in health.days_without_report.items()],
    )


def _waiting(order: LateOrder) -> WaitingOrder:
    return WaitingOrder.model_validate(order, from_attributes=True)
