"""One order: what to do next, what was done, and what both systems were told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from order_sync.ledger.audit import Action
from order_sync.ledger.models import AttemptKind, AttemptRow, OrderRow
from order_sync.ledger.order_details import Mention, OrderDetails, read_details
from order_sync.payments import PostOutcome
from order_sync.practices import Practice
from order_sync.reconciliation.classes import TEXTS
from order_sync.reconciliation.periods import Period
from order_sync.reports.wording import period_words
from order_sync.statuses import OrderState, PublicStatus
from order_sync.web.audit_page import ACTION_WORDS
from order_sync.web.house import House, InHouse, Practices
from order_sync.web.order_actions import Notice, actions_for, notice_of
from order_sync.web.order_columns import store_state_words
from order_sync.web.order_live import LiveView, read_live
from order_sync.web.rendering import page, path_to
from order_sync.web.visitors import Reading, Visitor

router = APIRouter()

_LARGEST_ID = 2**63 - 1
_LOOKS = 36
_LOOK_AGAIN_SECONDS = 5
"""After a Send the page looks again that often, `_LOOKS` times: three minutes."""
_AT_WORK = frozenset({OrderState.RECEIVED, OrderState.CREATING, OrderState.MATCHED, OrderState.INTENT})
_SHOWN_AT_ONCE = 10
"""Of the history; what is older is folded away."""

_OUTCOMES = {
    PostOutcome.EXECUTED: "Booked",
    PostOutcome.NOT_EXECUTED: "Not booked",
    PostOutcome.UNKNOWN: "Not known whether it was booked",
}
_ACCOUNT_OUTCOMES = {
    PostOutcome.EXECUTED: "Account made",
    PostOutcome.NOT_EXECUTED: "No account made",
    PostOutcome.UNKNOWN: "Not known whether it was made",
}
_LEVELS = {
    1: "e-mail, phone and both names are the same (level 1)",
    2: "e-mail and both names are the same (level 2)",
    3: "phone and both names are the same (level 3)",
    4: "e-mail or phone is the same, and both names nearly are (level 4)",
    5: "e-mail or phone, birth date and first name agree (level 5)",
}
"""Design section 5."""
_FIELDS = (
    ("email", "e-mail"),
    ("phone", "phone"),
    ("first", "first name"),
    ("last", "last name"),
    ("birth_date", "birth date"),
    ("suffix", "suffix"),
    ("postal_code", "ZIP"),
)
_AGREEMENT_WORDS = {"equal": "same", "near": "similar", "different": "different", "unknown": "not known"}


@router.get("/orders/{order_id:int}", include_in_schema=False)
def show_order(  # noqa: PLR0917 - FastAPI hands each in by its name
    request: Request, order_id: int, house: InHouse, practices: Practices, visitor: Reading, live: str = "", sent: str = ""
) -> HTMLResponse:
    """Answer with an order's page; with `live` what only the store and Nextech know is read at once, for want of a script."""
    details = _details_or_nothing(house, practices, order_id)
    order, practice = details.order, practices[details.order.practice_id]
    look = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 4 else 0  # noqa: PLR2004 - digits
    is_at_work = look > 0 and _is_at_work(details)
    looks_again = is_at_work and look < _LOOKS
    values: dict[str, Any] = {
        "title": f"Order {order.number}",
        "details": details,
        "order": order,
        "practice": practice,
        "zone": practice.zone,
        "currency": practice.currency,
        "now": house.clock.now(),
        "status_class": order.public_status.value.casefold().replace(" ", "-"),
        "store": store_state_words(order.store_state),
        "notice": _notice_after_send(details, is_at_work, looks_again) if look else notice_of(request),
        "again_href": f"{path_to(request, 'orders', order.id)}?sent={look + 1}" if looks_again else None,
        "again_seconds": _LOOK_AGAIN_SECONDS,
        "actions": actions_for(order, visitor),
        "matched": _matched_words(order),
        "agreement": _agreement(order),
        "payment_title": _payment_title(details),
        "attempts": [_attempt(attempt) for attempt in details.attempts],
        "history": details.history[:_SHOWN_AT_ONCE],
        "older_history": details.history[_SHOWN_AT_ONCE:],
        "mentions": [_mention(request, mention) for mention in details.mentions],
        "audit_href": f"{path_to(request, 'audit')}?{urlencode({'number': order.number})}",
        "audit": [(row, ACTION_WORDS[Action(row.action)]) for row in details.audit] if visitor.can_act else [],
        "task_links": house.task_links(order.practice_id, order.number, order.changed_at),
        "live": _live(house, visitor, details) if live else None,
    }
    return page(request, "order.html", values, menu="orders")


@router.get("/orders/{order_id:int}/live", include_in_schema=False)
def show_live_part(request: Request, order_id: int, house: InHouse, practices: Practices, visitor: Reading) -> HTMLResponse:
    """Answer with the piece of an order's page that only the store and Nextech know, for the page's script."""
    details = _details_or_nothing(house, practices, order_id)
    practice = practices[details.order.practice_id]
    values = {"live": _live(house, visitor, details), "currency": practice.currency, "zone": practice.zone}
    return page(request, "parts/order_live.html", values)


def _details_or_nothing(house: House, practices: Mapping[str, Practice], order_id: int) -> OrderDetails:
    details = None
    if 0 < order_id <= _LARGEST_ID:
        with house.ledger.reading() as tx:
            details = read_details(tx, order_id, tuple(practices))
    if details is None:
        raise HTTPException(404, "There is no such order")
    return details


def _live(house: House, visitor: Visitor, details: OrderDetails) -> LiveView:
    return read_live(house, visitor, details.order)


def _is_at_work(details: OrderDetails) -> bool:
    """Say whether the sync has still to end with an order: one that is to be tried again stays queued until a run comes."""
    order = details.order
    is_tried_again = any(row.action == Action.RETRIED.value and row.at >= order.changed_at for row in details.audit)
    return order.state in _AT_WORK or (order.state is OrderState.QUEUED and is_tried_again)


def _notice_after_send(details: OrderDetails, is_at_work: bool, looks_again: bool) -> Notice:
    order = details.order
    if looks_again:
        return Notice("Sent. The sync is at work; this page looks again by itself.", "")
    if is_at_work:
        return Notice("Sent. The sync has not come to it yet: the next run takes it, in 15 minutes at most.", "care")
    if order.state is OrderState.UNKNOWN:
        return Notice("Sent to Nextech. Whether it was booked is being verified: there is nothing to do.", "care")
    match order.public_status:
        case PublicStatus.SYNCED:
            return Notice("Done: the order is Synced.")
        case PublicStatus.WAITING | PublicStatus.DISABLED:
            return Notice(f"{order.public_status.value}: {details.sentence or 'see below'}.", "care")
        case PublicStatus.NOT_SYNCED:
            return Notice(f"Not Synced: {details.sentence or 'see below'}.", "bad")


def _matched_words(order: OrderRow) -> str:
    """Return who or what decided that the patient is the customer."""
    match order.matched_by:
        case None:
            return ""
        case "rule":
            return f"by the rules: {_LEVELS.get(order.match_level or 0, 'level unknown')}"
        case "remembered":
            return "as it was decided before for this customer of the store"
        case "created":
            return "a new account was made: check whether the patient was there before"
        case person:
            return f"picked by {person}"


def _agreement(order: OrderRow) -> list[tuple[str, str]]:
    """Return what agreed when the rules decided for one chart: the fields' names, and no value of any."""
    evidence = order.match_evidence
    if order.matched_by != "rule" or not isinstance(evidence, dict):
        return []
    return [(text, _AGREEMENT_WORDS.get(str(evidence.get(field)), "not known")) for field, text in _FIELDS if field in evidence]


def _payment_title(details: OrderDetails) -> str:
    payment, state = details.payment, details.order.state
    if payment is None:
        return ""
    if state is OrderState.CLOSED_VOIDED:
        return "The payment, voided in Nextech"
    if payment.payment_id is not None:
        return "The payment in Nextech"
    if state in {OrderState.UNKNOWN, OrderState.INTENT} or any(_may_be_booked(attempt) for attempt in details.attempts):
        return "The payment, not known whether booked"
    return "The payment, not posted yet"


def _may_be_booked(attempt: AttemptRow) -> bool:
    return attempt.kind is AttemptKind.PAYMENT and attempt.outcome is not PostOutcome.NOT_EXECUTED


def _attempt(attempt: AttemptRow) -> dict[str, object]:
    is_payment = attempt.kind is AttemptKind.PAYMENT
    words = _OUTCOMES if is_payment else _ACCOUNT_OUTCOMES
    return {
        "row": attempt,
        "kind": "Payment" if is_payment else "New account",
        "outcome": words[attempt.outcome] if attempt.outcome else "No outcome was recorded",
    }


def _mention(request: Request, mention: Mention) -> dict[str, object]:
    return {
        "href": path_to(request, "reports", mention.report_id, "lines", quote(mention.subject, safe=":")),
        "period": period_words(Period(mention.first_day, mention.last_day), with_year=True),
        "title": TEXTS[mention.class_].title,
        "explains_cents": mention.explains_cents,
        "is_current": mention.is_current,
    }
