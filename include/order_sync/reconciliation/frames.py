"""The frames that cross a boundary of the reconciliation: their columns, types and rules, checked by pandera.

Amounts are whole cents. Instants are UTC. Days are practice-local, held as naive midnights. No column holds patient data;
`patient_id` is Nextech's GUID. `check` is called at every boundary; a frame that breaks its rules raises pandera's
`SchemaError` before anything is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd
import pandera.pandas as pa

from order_sync.reconciliation.classes import DifferenceClass, Section

INSTANT = pd.DatetimeTZDtype("us", "UTC")
DAY: Final = "datetime64[s]"
TEXT = pd.StringDtype(na_value=float("nan"))
"""What pandas 3 calls `str`."""


def _instant(*, nullable: bool = False) -> pa.Column:
    return pa.Column(INSTANT, nullable=nullable)


def _day(*, nullable: bool = False) -> pa.Column:
    return pa.Column(DAY, nullable=nullable)


def _text(*, nullable: bool = False, unique: bool = False, isin: list[str] | None = None) -> pa.Column:
    return pa.Column(TEXT, pa.Check.isin(isin) if isin else None, nullable=nullable, unique=unique)


def _cents(*, least: int | None = None) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(least) if least is not None else None)


STORE_ORDERS = pa.DataFrameSchema(
    {
        "entity_id": pa.Column("int64", unique=True),
        "number": _text(),
        "marker": _text(unique=True),  # made anew from the key: it does not come from the ledger
        "placed_at": _instant(),
        "placed_day": _day(),
        "eligibility": _text(
            isin=["due", "waits", "nothing", "person", "inactive"]
        ),  # eligibility.decide_due, on the order as it is now
        "reason": _text(nullable=True),  # the reason's code, where eligibility has one
        "is_held": pa.Column(bool),
        "is_partly_paid": pa.Column(bool),
        "expected_cents": _cents(least=0),  # E: captured by outside tenders, whatever was given back since
        "gift_cards_sold_cents": _cents(least=0),
        "gift_cards_used_cents": _cents(least=0),
        "is_prepaid_service": pa.Column(bool),
    },
    strict=True,
)
"""One row per order of the store, as the store shows it now."""

CREDIT_MEMOS = pa.DataFrameSchema(
    {
        "memo_id": pa.Column("int64", unique=True),
        "entity_id": pa.Column("int64"),  # the order's
        "created_at": _instant(),
        "created_day": _day(),
        "gateway_cents": _cents(least=0),  # Rs: money that went back through the gateway
        "offline_cents": _cents(least=0),  # Ro: marked offline, no gateway movement
        "gift_cards_refunded_cents": _cents(least=0),  # sold gift cards that were taken back
        "gift_cards_returned_cents": _cents(least=0),  # given back onto gift cards
    },
    strict=True,
)
"""One row per credit memo that is not cancelled."""

PAYMENT_ENTRIES = pa.DataFrameSchema(
    {
        "payment_id": _text(unique=True),
        "patient_id": _text(nullable=True),  # null: it hangs on no patient
        "status": _text(isin=["active", "cancelled", "entered-in-error"]),
        "amount_cents": _cents(),  # below zero: a refund, or the second half of a void
        "paid_day": _day(),
        "created_at": _instant(nullable=True),
        "is_our_category": pa.Column(bool),
        "marker": _text(nullable=True),  # the first of ours in its note
        "number": _text(nullable=True),  # the order number that its note names
        "unapplied_cents": pa.Column("Int64", nullable=True),  # null where `detail` does not show it
    },
    strict=True,
)
"""One row per payment of Nextech: all of the period, and all of the patients whose orders are looked at."""

LEDGER_ORDERS = pa.DataFrameSchema(
    {
        "entity_id": pa.Column("int64", unique=True),
        "state": _text(),  # statuses.OrderState
        "public_status": _text(),
        "reason": _text(nullable=True),
        "detail": _text(nullable=True),
        "patient_id": _text(nullable=True),  # whom the payment was, or is to be, posted to
        "is_patient_known": pa.Column(bool),  # Nextech still has this chart; True where nobody had to ask
        "marker": _text(nullable=True),  # of the payment that was planned; null before
        "payment_id": _text(nullable=True),
        "posted_at": _instant(nullable=True),
        "due_since": _instant(nullable=True),  # when it was last captured or released, as far as the ledger saw
        "changed_at": _instant(),
    },
    strict=True,
)
"""One row per order of the ledger, with its payment."""

LINES = pa.DataFrameSchema(
    {
        "subject": _text(),  # "order:4127" or "entry:88213"
        "section": _text(isin=[section.name for section in Section]),
        "class_": _text(isin=[member.value for member in DifferenceClass]),
        "entity_id": pa.Column("Int64", nullable=True),
        "number": _text(nullable=True),
        "payment_ids": _text(nullable=True),  # separated by a blank, smallest first
        "store_day": _day(nullable=True),
        "nextech_day": _day(nullable=True),
        "store_cents": _cents(),  # E, or -Rs: dated in the period
        "nextech_cents": _cents(),  # A, or -Rp: dated in the period
        "explains_cents": _cents(),  # store_cents - nextech_cents, whatever the class
        "at_stake_cents": _cents(),  # what a person would look for: the order's or the entry's whole amount
        "since": _instant(nullable=True),  # from when its age counts
        "reason": _text(nullable=True),
        "detail": _text(nullable=True),
        "suggestion": _text(nullable=True),  # an order number that might fit; never confirmed by itself
        "marker": _text(nullable=True),
    },
    strict=True,
    checks=[
        pa.Check(lambda lines: lines["explains_cents"] == lines["store_cents"] - lines["nextech_cents"], name="explains"),
        pa.Check(lambda lines: ~lines.duplicated(["subject", "section"]), name="one class each"),
    ],
)
"""One row per order and per entry of the period; a second one for an order's refunds (section REFUND)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one practice's reconciliation looks at: the three sides, checked."""

    orders: pd.DataFrame
    """`STORE_ORDERS`: every order placed in the period, and every order that a memo or an entry of it belongs to."""
    memos: pd.DataFrame
    """`CREDIT_MEMOS`: every memo of these orders."""
    entries: pd.DataFrame
    """`PAYMENT_ENTRIES`: every entry dated in the period, and every entry that belongs to these orders."""
    ledger: pd.DataFrame
    """`LEDGER_ORDERS`: what the ledger knows of these orders."""
    numbers_not_in_store: frozenset[str] = frozenset()
    """Order numbers that entries name and that the store, asked for each of them, does not have: the proof of an orphan."""
    recorded_refunds: Mapping[str, int] = field(default_factory=dict)
    """Payment id -> the order's entity id: refunds of Nextech that closed, or reduced, a refund case of the ledger."""

    def __post_init__(self) -> None:
        """Check each frame; raises `SchemaError` naming the column and the rule."""
        for schema, frame in (
            (STORE_ORDERS, self.orders),
            (CREDIT_MEMOS, self.memos),
            (PAYMENT_ENTRIES, self.entries),
            (LEDGER_ORDERS, self.ledger),
        ):
            check(schema, frame)


def check(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame once it keeps the schema's rules; raises `pandera.errors.SchemaError` naming the column and the rule."""
    return schema.validate(frame)


def empty(schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return a frame of this kind with no rows."""
    return pd.DataFrame({name: pd.Series([], dtype=column.dtype.type) for name, column in schema.columns.items()})
