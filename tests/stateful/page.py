"""What the front desk does on the Orders page, at any time, also where it is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import OperationalError

from order_sync.desk import Desk
from order_sync.errors import OrderNotSyncedError, OrderSyncError
from order_sync.manual_entries import accept_manual_entry
from order_sync.rerun import sync_order
from order_sync.resolve import DismissReason, choose_patient, create_account, dismiss, post_again
from order_sync.retries import retry
from order_sync.undo import begin_undo, look_for_void, post_to
from sandbox.nextech.staff import act_as_staff
from tests.stateful.people import DANA, Seen, an_order
from tests.stateful.town import PRACTICE_ID, Town, the_practice

LAST_DEED_HOURS = 44.0
"""So that the schedule has some runs left to settle what was decided."""
Deed = Callable[[Town, Desk, Seen, int | None], bool]
"""Does something; says whether there was anything to do."""


def at_the_desk(town: Town, rng: random.Random) -> None:
    """Do one thing on the Orders page."""
    name = rng.choices(list(_DEEDS), [weight for weight, _, _ in _DEEDS.values()])[0]
    _, states, deed = _DEEDS[name]
    seen = an_order(town, rng, states)
    if seen is None:
        return
    version = seen.version if rng.random() < 0.7 else None
    _press(town, name, lambda desk: deed(town, desk, seen, version))


def _press(town: Town, name: str, deed: Callable[[Desk], bool]) -> None:
    if town.stage.clock.now() > town.stage.start + timedelta(hours=LAST_DEED_HOURS):
        return
    desk = town.take_desk()
    try:
        if deed(desk):
            town.stage.note(f"page: {name}")
    except (OrderNotSyncedError, OrderSyncError, OperationalError) as error:
        town.stage.note(f"page: {name} answered {type(error).__name__}")
    finally:
        town.give_back(desk, town.stage.current)


def _send(town: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    """Pick the customer's chart; of two, now and then the wrong one, which somebody notices within hours."""
    rng, owner = town.stage.rng, town.owner_of(seen.placed.person)
    if owner is None:
        return False
    others = [chart for chart in town.charts_of(seen.placed.person) if chart != owner]
    is_wrong = bool(others) and rng.random() < 0.5
    if is_wrong:
        town.misled.add(seen.placed.person)
    choose_patient(desk, seen.order_id, others[0] if is_wrong else owner, actor=DANA, version=version)
    if is_wrong:
        for _ in range(2):
            _later(town, partial(_notice, town, seen), rng.uniform(1, 300))
    return True


def _notice(town: Town, seen: Seen) -> None:
    _press(town, "undo", lambda desk: _undo(town, desk, seen, None))


def _post_again(_: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    post_again(desk, seen.order_id, actor=DANA, version=version)
    return True


def _rerun(_: Town, desk: Desk, seen: Seen, __: int | None) -> bool:
    sync_order(desk, seen.number)
    return True


def _dismiss(_: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    dismiss(desk, seen.order_id, actor=DANA, version=version, why=DismissReason.SETTLED_OTHERWISE)
    return True


def _create_account(town: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    """Say "none of these": rightly of a newcomer, wrongly of somebody with two charts."""
    charts = town.charts_of(seen.placed.person)
    if len(charts) == 1:
        return False
    if charts:
        town.misled.add(seen.placed.person)
    create_account(desk, seen.order_id, actor=DANA, version=version)
    return True


def _tie_an_entry(town: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    """Say that what somebody has entered by hand, or enters now, is this order's, whether it is or not."""
    rng, owner = town.stage.rng, town.owner_of(seen.placed.person)
    by_hand = [row for row in town.payments() if row.origin == "staff" and not row.marker and row.status == "active"]
    if by_hand and rng.random() < 0.5:
        payment_id = rng.choice(by_hand).payment_id
    elif owner is not None:
        day = the_practice().business_day(seen.placed.placed_at)
        amount_cents = int(seen.placed.record.grand_total * 100)
        entered = {"patient_id": owner, "amount_cents": amount_cents, "business_day": day, "note": "paid online"}
        payment_id = act_as_staff(town.nextech, "hand-payment", {"practice": PRACTICE_ID, **entered})
    else:
        return False
    accept_manual_entry(desk, seen.order_id, payment_id, actor=DANA, version=version)
    return True


def _retry(_: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    retry(desk.ledger, seen.order_id, actor=DANA, version=version)
    return True


def _undo(town: Town, desk: Desk, seen: Seen, version: int | None) -> bool:
    undo = begin_undo(desk, seen.order_id, actor=DANA, version=version)
    if undo.payment_id is not None:
        town.stage.after(partial(_void, town, undo.payment_id, seen), minutes=town.stage.rng.uniform(0.5, 60))
    return True


def _void(town: Town, payment_id: str, seen: Seen) -> None:
    """Void what the page says, or correct it by mistake, or forget it; then somebody looks, and has it posted anew."""
    rng = town.stage.rng
    deed = rng.choices(("void", "void-and-correct", "forget"), (80, 10, 10))[0]
    stands = any(row.payment_id == payment_id and row.status == "active" for row in town.payments())
    if stands and deed != "forget":
        act_as_staff(town.nextech, deed, {"practice": PRACTICE_ID, "payment_id": payment_id})
        town.stage.note(f"staff: {deed} what is to be undone")
    for _ in range(3):  # people press again what did not work
        _later(town, partial(_go_on, town, seen), rng.uniform(1, 400))


def _go_on(town: Town, seen: Seen) -> None:
    owner = town.owner_of(seen.placed.person)
    if owner is not None:
        _press(town, "look for the void", lambda desk: bool(look_for_void(desk, seen.order_id, actor=DANA)))
        _press(town, "post to the right patient", lambda desk: _post_to(town, desk, seen, owner))


def _post_to(town: Town, desk: Desk, seen: Seen, owner: str) -> bool:
    post_to(desk, seen.order_id, owner, actor=DANA, remember=town.stage.rng.random() < 0.5)
    return True


def _later(town: Town, act: Callable[[], None], minutes: float) -> None:
    town.stage.after(lambda: town.stage.begin("person", act), minutes=minutes)


_WAITS = ("queued",)
_DEEDS: dict[str, tuple[int, tuple[str, ...], Deed]] = {
    # how often, on orders in which states
    "send": (30, _WAITS, _send),
    "post again": (22, _WAITS, _post_again),
    "rerun": (20, ("queued", "matched", "unknown", "received"), _rerun),
    "dismiss": (4, ("queued", "closed_voided"), _dismiss),
    "create account": (6, _WAITS, _create_account),
    "tie an entry by hand": (6, _WAITS, _tie_an_entry),
    "undo": (10, ("confirmed", "matched"), _undo),
    "retry": (5, _WAITS, _retry),
}
