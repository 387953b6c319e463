"""What the API says of orders."""

from __future__ import annotations

from datetime import date

from order_sync.ledger.models import AttemptKind, CaseRow, CaseState, HistoryRow, OrderRow
from order_sync.ledger.order_details import Mention as MentionRow
from order_sync.ledger.order_details import OrderDetails
from order_sync.ledger.order_details import Refund as RefundEntry
from order_sync.ledger.order_lists import ListedOrder
from order_sync.payments import PostOutcome
from order_sync.practices import Practice
from order_sync.reasons import Reason, sentence
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.statuses import OrderState, PublicStatus
from order_sync.web.api.answers import Answer, Instant


class Order(Answer):
    """One order as the list has it."""

    id: int
    """The ledger's own number of the order: what the paths below `/api/orders` take."""
    version: int
    """Grows by one with every step; a call that changes something names the one it saw."""
    practice_id: str
    number: str
    """The store's order number."""
    status: PublicStatus
    """One of the four words that staff see."""
    state: OrderState
    """Where it stands in the ledger, more finely."""
    reason: Reason | None
    sentence: str | None
    """The reason in the front desk's words."""
    next_step: str | None
    """What a person is to do; null when nothing is."""
    placed_at: Instant
    business_day: date
    """The day of the order in the practice's own time zone."""
    changed_at: Instant
    """Since when it stands where it stands."""
    amount_cents: int | None
    """The grand total; null when the store's order has no payable amount."""
    refunded_cents: int
    currency: str
    """ISO 4217, of all amounts of this order."""
    store_state: str
    is_new_account: bool
    """We made the account in Nextech: somebody should look whether the patient was there before."""


class OrderPage(Answer):
    """A page of orders."""

    orders: list[Order]
    next_cursor: str | None
    """The parameter `cursor` of the page after this one; null at the end."""
    previous_cursor: str | None


class Payment(Answer):
    """What is posted in Nextech for an order, or is to be."""

    payment_id: str | None
    """Nextech's id; null until it is known."""
    marker: str
    """What the payment's note begins with in Nextech."""
    patient_id: str | None
    """The chart's id in Nextech; null for logins that may not act."""
    amount_cents: int
    business_day: date
    posted_at: Instant | None
    verified_at: Instant | None
    """When a complete read last showed it as it should be."""


class Attempt(Answer):
    """One attempt to create something in Nextech."""

    attempt_id: str
    kind: AttemptKind
    intended_at: Instant
    finished_at: Instant | None
    outcome: PostOutcome | None
    """Null while it is under way."""
    http_status: int | None
    request_id: str | None
    """Nextech's own reference for the request."""
    reason: str | None


class OrderCase(Answer):
    """A case of the queue about the order, open or closed."""

    id: int
    version: int
    reason: Reason
    sentence: str
    next_step: str
    state: CaseState
    assignee: str | None
    opened_at: Instant
    closed_at: Instant | None
    closed_by: str | None
    resolution: str | None
    candidate_ids: list[str] | None
    """Ids of the charts among which a person has to choose; null where there are none, and for logins that may not act."""


class Refund(Answer):
    """A credit memo of the store."""

    memo_number: str
    made_at: Instant
    amount_cents: int
    is_offline: bool
    """No money moved through the gateway."""
    to_record_cents: int
    """What nobody has recorded in Nextech yet."""
    payment_ids: list[str]
    """The refunds in Nextech that record it."""


class Mention(Answer):
    """What a report says of the order or of its payment."""

    report_id: str
    is_current: bool
    """No later version of the report has taken its place."""
    class_name: DifferenceClass
    explains_cents: int


class OrderDetail(Order):
    """One order with all that the ledger has about it."""

    next_steps: list[str]
    """All that a person is to do, the most urgent first."""
    patient_id: str | None
    """The id of the chart in Nextech that was chosen; null for logins that may not act."""
    matched_by: str | None
    """rule, remembered, created, or the login of who picked the patient."""
    match_level: int | None
    payment: Payment | None
    attempts: list[Attempt]
    cases: list[OrderCase]
    refunds: list[Refund]
    mentions: list[Mention]


class HistoryStep(Answer):
    """One step of an order."""

    at: Instant
    from_state: OrderState | None
    to_state: OrderState
    reason: Reason | None
    sentence: str | None
    actor: str
    """`sync`, or the login of the person who acted."""


class OrderHistory(Answer):
    """What happened to an order, the latest first; the last 200 steps."""

    order_id: int
    steps: list[HistoryStep]


class OrderChanged(Answer):
    """An order after something was decided about it."""

    order: OrderDetail
    is_sync_started: bool
    """The sync runs now; false: nothing is to be done, or the next run, 15 minutes away at most, takes it up."""


def order_of(row: ListedOrder, practice: Practice) -> Order:
    """Return one row of the list."""
    return Order(
        id=row.id,
        version=row.version,
        practice_id=row.practice_id,
        number=row.number,
        status=row.public_status,
        state=row.state,
        reason=row.reason,
        sentence=row.sentence,
        next_step=row.next_step,
        placed_at=row.placed_at,
        business_day=row.business_day,
        changed_at=row.changed_at,
        amount_cents=row.amount_cents,
        refunded_cents=row.refunded_cents,
        currency=practice.currency,
        store_state=row.store_state,
        is_new_account=row.is_new_account,
    )


def detail_of(details: OrderDetails, practice: Practice, *, may_act: bool) -> OrderDetail:
    """Return all about one order; chart ids only for those who may act."""
    row = details.order
    return OrderDetail(
        id=row.id,
        version=row.version,
        practice_id=row.practice_id,
        number=row.number,
        status=row.public_status,
        state=row.state,
        reason=row.why,
        sentence=details.sentence,
        next_step=details.next_steps[0] if details.next_steps else None,
        next_steps=list(details.next_steps),
        placed_at=row.placed_at,
        business_day=row.business_day,
        changed_at=row.changed_at,
        amount_cents=row.amount_cents,
        refunded_cents=row.refunded_cents,
        currency=practice.currency,
        store_state=row.store_state,
        is_new_account=row.matched_by == "created",
        patient_id=row.patient_id if may_act else None,
        matched_by=row.matched_by,
        match_level=row.match_level,
        payment=_payment_of(details, may_act=may_act),
        attempts=[Attempt.model_validate(one, from_attributes=True, extra="ignore") for one in details.attempts],
        cases=[_case_of(case, may_act=may_act) for case in details.cases],
        refunds=[_refund_of(refund) for refund in details.refunds],
        mentions=[_mention_of(mention) for mention in details.mentions],
    )


def history_of(order: OrderRow, steps: tuple[HistoryRow, ...]) -> OrderHistory:
    """Return what happened to an order."""
    return OrderHistory(
        order_id=order.id,
        steps=[
            HistoryStep(
                at=step.at,
                from_state=OrderState(step.from_state) if step.from_state else None,
                to_state=OrderState(step.to_state),
                reason=Reason(step.reason) if step.reason else None,
                sentence=sentence(Reason(step.reason), step.detail) if step.reason else step.detail,
                actor=step.actor,
            )
            for step in steps
        ],
    )


def _payment_of(details: OrderDetails, *, may_act: bool) -> Payment | None:
    row = details.payment
    if row is None:
        return None
    return Payment(
        payment_id=row.payment_id,
        marker=row.marker,
        patient_id=row.patient_id if may_act else None,
        amount_cents=row.amount_cents,
        business_day=row.business_day,
        posted_at=row.posted_at,
        verified_at=row.verified_at,
    )


def _case_of(case: CaseRow, *, may_act: bool) -> OrderCase:
    return OrderCase(
        id=case.id,
        version=case.version,
        reason=Reason(case.reason),
        sentence=case.sentence,
        next_step=case.next_step,
        state=case.state,
        assignee=case.assignee,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        closed_by=case.closed_by,
        resolution=case.resolution,
        candidate_ids=case.candidate_ids if may_act else None,
    )


def _refund_of(refund: RefundEntry) -> Refund:
    return Refund(
        memo_number=refund.memo.memo_number,
        made_at=refund.memo.made_at,
        amount_cents=refund.memo.amount_cents,
        is_offline=refund.memo.is_offline,
        to_record_cents=refund.to_record_cents,
        payment_ids=[payment.payment_id for payment in refund.payments],
    )


def _mention_of(mention: MentionRow) -> Mention:
    return Mention(
        report_id=mention.report_id,
        is_current=mention.is_current,
        class_name=mention.class_,
        explains_cents=mention.explains_cents,
    )
