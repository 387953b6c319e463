"""Ways to break one guard: each takes the place of one named function, or wraps it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from order_sync import accounts, sending
from order_sync.candidates import _sorted_by_value
from order_sync.clients import nextech_outcomes, nextech_wire
from order_sync.clients.http import Answer, JsonEdge
from order_sync.clients.limiter import _OwnSlots
from order_sync.clients.nextech import NextechClient
from order_sync.clients.nextech_paging import Params, Row
from order_sync.desk import Desk
from order_sync.ledger import orders as ledger_orders
from order_sync.ledger.claims import LedgerSlots
from order_sync.ledger.models import AttemptKind
from order_sync.ledger.orders import Step, read_order
from order_sync.ledger.outbox import lease_statuses, mark_sent
from order_sync.ledger.postings import Intent, begin_attempt, finish_attempt, latest_attempt
from order_sync.ledger.session import Ledger, Transaction
from order_sync.matching import match_patient
from order_sync.notes import describe_order
from order_sync.patients import Patient
from order_sync.payments import EntryStatus, PaymentRequest, PaymentsRead, PostAnswer, PostOutcome, PreparedPayment
from order_sync.posting_plans import Posting
from order_sync.posting_rules import Absent, read_evidence
from order_sync.statuses import OrderState
from order_sync.verify import VerifyCounts, _settle_absence

Break = Callable[[pytest.MonkeyPatch], None]


def put(value: object, *places: str) -> Break:
    """Put a value in the place of a function, wherever it is imported."""

    def break_it(monkeypatch: pytest.MonkeyPatch) -> None:
        for place in places:
            monkeypatch.setattr(place, value)

    return break_it


def returns(value: object, *places: str) -> Break:
    """Let a function return this, whatever it is asked."""
    return put(lambda *_args, **_named: value, *places)


def both(*breaks: Break) -> Break:
    """Break several guards of which each covers the other."""

    def break_them(monkeypatch: pytest.MonkeyPatch) -> None:
        for one in breaks:
            one(monkeypatch)

    return break_them


def commit_here(tx: Transaction) -> None:
    """Commit what the transaction has written so far, and begin another one under its name."""
    tx.session.flush()
    connection = tx.session.connection()
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


# -- R1 to R4: the intent and the one send


def send_then_record(desk: Desk, posting: Posting, *, is_probe: bool = False) -> PostAnswer:  # noqa: ARG001
    """Send first; write intent and outcome afterwards."""
    answer = desk.nextech.send_payment(posting.prepared, send_by=math.inf)
    with desk.ledger.transaction() as tx:
        intent = ledger_orders.move(tx, posting.row, Step(OrderState.INTENT))
        attempt = begin_attempt(tx, intent, Intent(AttemptKind.PAYMENT, posting.prepared.sha256, 55))
        sending._record(tx, desk, intent, attempt, answer)
    return answer


def create_then_record(desk: Desk, row: Any, customer: Any, evidence: Mapping[str, object], _declined: object) -> Step:
    """Ask for the account first; write the intent and the outcome afterwards."""
    answer = desk.nextech.create_patient(accounts._new_patient(desk, customer), send_by=math.inf)
    step, changes = accounts._step_after(answer)
    with desk.ledger.transaction() as tx:
        creating = ledger_orders.move(tx, row, Step(OrderState.CREATING), match_evidence=evidence)
        begin_attempt(tx, creating, Intent(AttemptKind.PATIENT, "0" * 64, 55))
        if step.to is not OrderState.CREATING:
            ledger_orders.move(tx, creating, step, **changes)
    return step


def go_on_after_a_failed_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Ledger.transaction

    @contextmanager
    def transaction(ledger: Ledger) -> Iterator[Transaction]:
        try:
            with original(ledger) as tx:
                yield tx
                tx.session.flush()
                tx.session.expunge_all()
        except OperationalError as error:
            if error.statement != "COMMIT":
                raise

    monkeypatch.setattr(Ledger, "transaction", transaction)


def send_however_late(monkeypatch: pytest.MonkeyPatch) -> None:
    original = NextechClient.send_payment

    def send_payment(client: NextechClient, prepared: PreparedPayment, *, send_by: float) -> PostAnswer:  # noqa: ARG001
        return original(client, prepared, send_by=math.inf)

    monkeypatch.setattr(NextechClient, "send_payment", send_payment)


def resend_when(is_wanted: Callable[[Answer], bool]) -> Break:
    """Send a post a second time after such an answer, to where a redirect leads when it is one."""
    original = JsonEdge.send_once

    def send_once(edge: JsonEdge, request: httpx.Request, **wishes: Any) -> Answer:
        answer = original(edge, request, **wishes)
        if not is_wanted(answer):
            return answer
        url = str(request.url) if answer.status >= 500 else "https://elsewhere.invalid/sign-in"
        again = httpx.Request("POST", url, headers=request.headers, content=request.content)
        return original(edge, again, **wishes)

    return put(send_once, "order_sync.clients.http.JsonEdge.send_once")


# -- R5: what an answer proves


def misread(is_meant: Callable[[Answer], bool], outcome: PostOutcome) -> Break:
    """Read one class of answers as another outcome."""
    original = nextech_outcomes.outcome_of_payment

    def outcome_of_payment(answer: Answer, request: PaymentRequest) -> PostAnswer:
        right = original(answer, request)
        if not is_meant(answer):
            return right
        is_rejection = right.is_rejection and outcome is PostOutcome.NOT_EXECUTED
        return replace(right, outcome=outcome, is_rejection=is_rejection)

    return put(outcome_of_payment, "order_sync.clients.nextech.outcome_of_payment")


def misread_silence(outcome: PostOutcome, kind: type[Exception]) -> Break:
    """Read a post without an answer as another outcome."""
    original = nextech_outcomes.outcome_of_failure

    def outcome_of_failure(error: Any, *, answer_seconds: float) -> PostAnswer:
        right = original(error, answer_seconds=answer_seconds)
        return replace(right, outcome=outcome) if isinstance(error, kind) else right

    return put(outcome_of_failure, "order_sync.clients.nextech.outcome_of_failure")


# -- R6, R8 to R10: transactions, deadlines, versions


def record_in_two_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    record, finish = sending._record, finish_attempt

    def in_two(tx: Transaction, desk: Desk, intent: Any, attempt: Any, answer: PostAnswer) -> None:
        record(tx, desk, intent, attempt, answer)
        commit_here(tx)
        finish(tx, attempt.attempt_id, answer)

    monkeypatch.setattr(sending, "finish_attempt", lambda *_args: None)
    monkeypatch.setattr(sending, "_record", in_two)


def write_along_in_a_transaction_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    original = ledger_orders._write_along

    def later(tx: Transaction, row: Any, *rest: Any) -> None:
        if row.state in (OrderState.CONFIRMED, OrderState.QUEUED):
            commit_here(tx)
        original(tx, row, *rest)

    monkeypatch.setattr(ledger_orders, "_write_along", later)


def overdue_at_once(tx: Transaction, practice_id: str, state: OrderState, kind: AttemptKind) -> list[Any]:
    """Return every order of this state as overdue, whatever its deadline."""
    found = ledger_orders.orders_in(tx, practice_id, [state])
    return [(order, attempt) for order in found if (attempt := latest_attempt(tx, order.id, kind)) is not None]


def move_whatever_the_version(tx: Transaction, order: Any, step: Step, **changes: object) -> Any:
    return ledger_orders.move(tx, read_order(tx, order.id), step, **changes)


def expect_any_version(tx: Transaction, order_id: int, _version: int | None, **_named: object) -> Any:
    return read_order(tx, order_id)


WHATEVER_THE_VERSION = put(expect_any_version, "order_sync.decisions.expect", "order_sync.resolve.expect")


# -- R11, R12 and the marker: what is sent


def build_the_body_when_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    original = NextechClient.send_payment

    def send_payment(client: NextechClient, prepared: PreparedPayment, *, send_by: float) -> PostAnswer:
        body = json.dumps(json.loads(prepared.body), indent=1).encode()
        return original(client, replace(prepared, body=body), send_by=send_by)

    monkeypatch.setattr(NextechClient, "send_payment", send_payment)


def cents_by_float(amount: Decimal) -> int:
    return int(float(amount) * 100)


def read_amounts_by_float(resource: Mapping[str, Any]) -> int | None:
    return int(float(resource["total"]["value"]) * 100)


def put_the_marker_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the marker behind the description, and lift the check that it comes first."""
    original = nextech_wire.payment_body

    def describe(marker: str, *rest: Any) -> str:
        return f"{describe_order('', *rest)} {marker}"

    def body(request: PaymentRequest) -> bytes:
        marker = json.dumps(request.marker).encode()
        return original(replace(request, note=request.marker)).replace(marker, json.dumps(request.note).encode())

    monkeypatch.setattr("order_sync.posting_rules.describe_order", describe)
    monkeypatch.setattr("order_sync.clients.nextech.payment_body", body)


def hold_nothing_back(_desk: Desk, orders: list[Any]) -> list[Any]:
    return orders


# -- reads: orders, witnesses, pages, chains, absences


def take_the_order_as_it_was(desk: Desk, rows: list[Any], **_named: OrderState) -> list[Any]:
    """Take what the store says now for what was decided on, whatever it says."""
    seen = desk.store.read_orders([row.entity_id for row in rows])
    return [(row, replace(seen[row.entity_id], content_hash=row.content_hash)) for row in rows]


def read_lists_without_witnesses(desk: Desk, patient_ids: list[str], _witnesses: object) -> list[PaymentsRead]:
    return [desk.nextech.read_payments(patient_ids)]


def read_lists_with_one_witness(desk: Desk, patient_ids: list[str], witnesses: Mapping[str, str]) -> list[PaymentsRead]:
    if not witnesses:
        return [desk.nextech.read_payments([known]) for known in patient_ids]
    return [desk.nextech.read_payments([next(iter(witnesses)), *patient_ids])]


def read_the_first_page(fetch: Callable[[Params], Answer], params: Params, **_named: str) -> list[Row]:
    document: Any = fetch((*params, ("_count", "50"))).document
    return [entry["resource"] for entry in document.get("entry") or []]


def overlook_voided_rows(**asked: Any) -> Any:
    asked["entries"] = [entry for entry in asked["entries"] if entry.status is EntryStatus.ACTIVE]
    return read_evidence(**asked)


def count_every_absence_without(field: str) -> Break:
    """Count an absence as if this instant of the payment were not known."""

    def settle_absence(tx: Transaction, desk: Desk, found: Any, verdict: Any, counts: Any) -> None:
        setattr(found.payment, field, None)
        _settle_absence(tx, desk, found, verdict, counts)

    return put(settle_absence, "order_sync.verify._settle_absence")


ABSENT = Absent()
ABSENT_BEFORE_THE_POST = returns(ABSENT, "order_sync.post.verdict_on")
NOTHING_VERIFIED = VerifyCounts()
AT_ONCE = timedelta(0)


# -- charts

NO_CONFLICT = returns(None, "sandbox.nextech.office.existing_patient")
"""Nextech's own check for duplicates, which sees exact copies only, sees none."""


def trust_a_list(desk: Desk, wanted: frozenset[str], values_of: Any, ask: Any) -> Any:
    return _sorted_by_value(desk, wanted, ask(sorted(wanted)), values_of)


def pick_the_first_chart(customer: Any, candidates: list[Patient], practice: Any) -> Any:
    return match_patient(customer, sorted(candidates, key=attrgetter("patient_id"))[:1], practice)


# -- pace, and the store's status


def pace_each_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own: dict[int, _OwnSlots] = {}

    def reserve(slots: LedgerSlots, key: str, count: int, interval_seconds: float) -> float:
        clock = slots._ledger._clock
        assert clock is not None
        return own.setdefault(id(slots), _OwnSlots(clock)).reserve(key, count, interval_seconds)

    monkeypatch.setattr(LedgerSlots, "reserve", reserve)


def call_it_sent_before_it_is(tx: Transaction, practice_id: str, **asked: Any) -> Any:
    leased = lease_statuses(tx, practice_id, **asked)
    mark_sent(tx, [outbox.id for outbox, _ in leased])
    return leased
