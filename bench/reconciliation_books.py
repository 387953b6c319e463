"""One month of one practice, as large as wanted: the four frames, the same for the same seed, whatever pandas makes them.

This module must not import the product: it also runs beside another pandas.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

FIRST_DAY, DAYS = np.datetime64("2026-11-01", "s"), 30
DAY, INSTANT, TEXT = "datetime64[s]", "datetime64[us, UTC]", "str"

KINDS = {
    "cancelled": 0.004,
    "cutoff": 0.002,
    "disabled": 0.001,
    "doubled": 0.003,
    "gift_card": 0.004,
    "lost": 0.002,
    "never_seen": 0.001,
    "number_only": 0.002,
    "marker_only": 0.010,
    "on_hold": 0.001,
    "orphan": 0.001,
    "over": 0.002,
    "overdue": 0.001,
    "person": 0.003,
    "refund_missing": 0.003,
    "refund_recorded": 0.010,
    "shifted": 0.003,
    "short": 0.002,
    "split": 0.005,
    "unattached": 0.001,
    "unlinked": 0.002,
    "voided": 0.002,
    "wrong_patient": 0.002,
}
"""What befalls which share of the orders; all others are posted as they should be."""

_WITHOUT_ENTRY = ["cancelled", "disabled", "gift_card", "lost", "never_seen", "on_hold", "overdue", "person"]
_STATES = {
    "cancelled": ("nothing_to_post", "Synced", "nothing", "cancelled"),
    "disabled": ("disabled", "Disabled", "inactive", "integration_inactive"),
    "gift_card": ("nothing_to_post", "Synced", "nothing", "amount_zero"),
    "on_hold": ("waiting", "Waiting for Sync", "waits", "on_hold"),
    "overdue": ("received", "Waiting for Sync", "due", None),
    "person": ("queued", "Not Synced", "due", None),
}
_EVERYDAY = ("confirmed", "Synced", "due", None)

Frames = dict[str, pd.DataFrame]


def write_books(count: int, seed: int = 1) -> Frames:
    """Return `orders`, `memos`, `entries`, `ledger` and the `absent` order numbers of a month with so many orders."""
    draw = np.random.default_rng(seed)
    names = np.array(["everyday", *KINDS], dtype=object)
    shares = [1 - sum(KINDS.values()), *KINDS.values()]
    kind = pd.Series(names[draw.choice(len(names), size=count, p=shares)])
    ids = np.arange(1, count + 1)
    state = [pd.Series(kind.map({name: _STATES.get(name, _EVERYDAY)[part] for name in names}), dtype=TEXT) for part in range(4)]
    day = pd.Series(FIRST_DAY + (draw.integers(0, DAYS, count)).astype("timedelta64[D]")).astype(DAY)
    placed_at = (
        (day + pd.to_timedelta(draw.integers(6 * 3600, 20 * 3600, count), unit="s")).dt.tz_localize("UTC").astype(INSTANT)
    )
    cents = pd.Series(draw.integers(5_00, 900_00, count))
    expected = cents.where(~kind.isin(["cancelled", "gift_card"]), 0)
    numbers = pd.Series([f"{entity_id:09d}" for entity_id in ids], dtype=TEXT)
    markers = pd.Series([f"DP-{entity_id * 7919 % 10**12:012d}-H" for entity_id in ids], dtype=TEXT)
    patients = pd.Series(
        [f"{number:08x}-5a17-4c3e-9d20-000000000000" for number in draw.integers(0, count // 3 + 1, count)], dtype=TEXT
    )
    payments = pd.Series([f"{number:09d}" for number in 3 * draw.permutation(count) + 1], dtype=TEXT)

    is_in_store = kind != "orphan"
    orders = pd.DataFrame(
        {
            "entity_id": ids,
            "number": numbers,
            "marker": markers,
            "placed_at": placed_at,
            "placed_day": day,
            "eligibility": state[2],
            "reason": state[3],
            "is_held": kind == "on_hold",
            "is_partly_paid": False,
            "expected_cents": expected,
            "gift_cards_sold_cents": 0,
            "gift_cards_used_cents": cents.where(kind == "gift_card", 0),
            "is_prepaid_service": False,
        }
    )[is_in_store].reset_index(drop=True)
    is_linked = ~kind.isin([*_WITHOUT_ENTRY, "marker_only", "number_only", "orphan", "unlinked"]) | (kind == "lost")
    ledger = pd.DataFrame(
        {
            "entity_id": ids,
            "state": state[0],
            "public_status": state[1],
            "reason": pd.Series(None, range(count), dtype=TEXT),
            "detail": pd.Series(None, range(count), dtype=TEXT),
            "patient_id": patients,
            "is_patient_known": True,
            "marker": markers,
            "payment_id": payments.where(is_linked),
            "posted_at": (placed_at + pd.Timedelta(minutes=9)).where(state[0] == "confirmed"),
            "due_since": placed_at,
            "changed_at": placed_at,
        }
    )[is_in_store & (kind != "never_seen")].reset_index(drop=True)
    memos = _write_memos(kind, ids, placed_at, day, cents)
    entries = _write_entries(kind, numbers=numbers, markers=markers, patients=patients, payments=payments, day=day, cents=cents)
    absent = pd.DataFrame({"number": numbers[~is_in_store].to_numpy()})
    return {"orders": orders, "memos": memos, "entries": entries, "ledger": ledger, "absent": absent}


def _write_memos(kind: pd.Series, ids: np.ndarray, placed_at: pd.Series, day: pd.Series, cents: pd.Series) -> pd.DataFrame:
    is_refunded = kind.isin(["refund_missing", "refund_recorded"])
    return pd.DataFrame(
        {
            "memo_id": ids,
            "entity_id": ids,
            "created_at": placed_at,
            "created_day": day,
            "gateway_cents": cents // 2,
            "offline_cents": 0,
            "gift_cards_refunded_cents": 0,
            "gift_cards_returned_cents": 0,
        }
    )[is_refunded].reset_index(drop=True)


def _write_entries(
    kind: pd.Series,
    *,
    numbers: pd.Series,
    markers: pd.Series,
    patients: pd.Series,
    payments: pd.Series,
    day: pd.Series,
    cents: pd.Series,
) -> pd.DataFrame:
    next_day, after = day + pd.Timedelta(days=1), FIRST_DAY + np.timedelta64(DAYS, "D")
    amount = cents + (kind == "over").astype("int64") - (kind == "short").astype("int64")
    paid_day = day.mask((kind == "shifted") & (next_day < after), next_day).mask(kind == "cutoff", after)
    main = pd.DataFrame(
        {
            "payment_id": payments,
            "patient_id": patients.mask(kind == "unattached").mask(kind == "wrong_patient", "somebody-else"),
            "status": pd.Series("active", kind.index, dtype=TEXT).mask(kind == "voided", "cancelled"),
            "amount_cents": amount.mask(kind == "split", 1),
            "paid_day": paid_day.astype(DAY),
            "created_at": day.dt.tz_localize("UTC").astype(INSTANT),
            "is_our_category": True,
            "marker": markers.mask(kind.isin(["number_only", "unlinked"])),
            "number": numbers.mask(kind == "unlinked"),
            "unapplied_cents": pd.Series(0, kind.index, dtype="Int64"),
        }
    )
    second = main.assign(payment_id="2" + main["payment_id"])
    parts = [
        main[~kind.isin(_WITHOUT_ENTRY)],
        second[kind == "doubled"],
        second.assign(amount_cents=cents - 1)[kind == "split"],
        second.assign(amount_cents=-cents)[kind == "voided"],
        second.assign(amount_cents=-(cents // 2))[kind == "refund_recorded"],
    ]
    return pd.concat(parts, ignore_index=True).astype({"payment_id": TEXT})
