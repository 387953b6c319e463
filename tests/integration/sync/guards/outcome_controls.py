"""The table of what an answer proves (R5): each class of answers misread once, and the day that notices."""

from __future__ import annotations

from collections.abc import Callable

from order_sync.clients.exchanges import AnswerLostError, NotSentError
from order_sync.clients.http import Answer
from order_sync.payments import PostOutcome
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from sandbox.nextech.faults import Effect
from tests.integration.sync.guards import breaking as by
from tests.integration.sync.guards import outcome_schedules as answers
from tests.integration.sync.guards.controls import Control
from tests.integration.sync.guards.ground import Schedule

EXECUTED, NOT_EXECUTED, UNKNOWN = PostOutcome


def _status(*statuses: int) -> Callable[[Answer], bool]:
    return lambda answer: answer.status in statuses


def _is_success(answer: Answer) -> bool:
    return answer.is_success


HTML = {"content": b"<html>Signed out</html>", "headers": {"content-type": "text/html"}}
NO_ID = {"json": {"resourceType": "PaymentReconciliation"}}

OUTCOME_CONTROLS: dict[str, Control] = {
    "no answer is not executed": Control(
        "R5", by.misread_silence(NOT_EXECUTED, AnswerLostError), answers.executed_late_without_an_answer, "doubled"
    ),
    "5xx is not executed": Control(
        "R5", by.misread(_status(502), NOT_EXECUTED), answers.executed_late_behind(502, **answers.GATEWAY_PAGE), "doubled"
    ),
    "a gateway's 408 is not executed": Control(
        "R5", by.misread(_status(408), NOT_EXECUTED), answers.executed_late_behind(408, **answers.GATEWAY_PAGE), "doubled"
    ),
    "a gateway's 400 is not executed": Control(
        "R5", by.misread(_status(400), NOT_EXECUTED), answers.executed_late_behind(400, **answers.GATEWAY_PAGE), "doubled"
    ),
    "a redirect is not executed": Control(
        "R5", by.misread(_status(302), NOT_EXECUTED), answers.executed_late_behind(302), "doubled"
    ),
    "2xx without JSON is not executed": Control(
        "R5", by.misread(_is_success, NOT_EXECUTED), answers.executed_late_behind(200, **HTML), "doubled"
    ),
    "2xx without an id is not executed": Control(
        "R5", by.misread(_is_success, NOT_EXECUTED), answers.executed_late_behind(201, **NO_ID), "doubled"
    ),
    "2xx without an id is executed": Control(
        "R5", by.misread(_is_success, EXECUTED), answers.a_201_for_nothing, "wrong status"
    ),
    "2xx with another amount is executed": Control(
        "R5 and the read back",
        by.both(by.misread(_is_success, EXECUTED), by.returns(None, "order_sync.post._read_back")),
        answers.booked_with_another_amount,
        "wrong status",
    ),
    "401 proves nothing": Control(
        "R5", by.misread(_status(401), UNKNOWN), answers.refused(Effect.UNAUTHORIZED, OrderState.CONFIRMED), "wrong state"
    ),
    "429 proves nothing": Control(
        "R5", by.misread(_status(429), UNKNOWN), answers.refused(Effect.RATE_LIMITED, OrderState.CONFIRMED), "wrong state"
    ),
    "the API's own 400 proves nothing": Control(
        "R5",
        by.misread(_status(400), UNKNOWN),
        answers.refused(Effect.REJECTED, OrderState.QUEUED, Reason.PAYMENT_REJECTED),
        "wrong state",
    ),
    "the API's own 404 proves nothing": Control(
        "R5",
        by.misread(_status(404), UNKNOWN),
        answers.refused(Effect.NOT_FOUND, OrderState.QUEUED, Reason.PATIENT_GONE),
        "wrong state",
    ),
    "no connection proves nothing": Control(
        "R5", by.misread_silence(UNKNOWN, NotSentError), answers.no_connection, "wrong state"
    ),
}
"""Every mutant by its name."""

OUTCOME_COVERED: dict[str, tuple[by.Break, Schedule]] = {
    "another amount is executed": (by.misread(_is_success, EXECUTED), answers.booked_with_another_amount),
}
