"""What goes wrong on the stage: each scene names the reasons that it must lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from order_sync.errors import SettingsError
from order_sync.reasons import Reason
from order_sync.rerun import sync_order
from order_sync.resolve import choose_patient
from order_sync.trouble import report_trouble
from order_sync.undo import begin_undo, look_for_void, post_to
from sandbox.nextech.faults import Effect
from sandbox.store import actions
from sandbox.store.faults import Effect as StoreEffect
from tests.canaries.stage import Stage
from tests.worlds import PATIENTS, PAY, PAYMENTS


@dataclass(frozen=True)
class Scene:
    """One situation."""

    play: Callable[[Stage], None]
    reasons: frozenset[Reason]


SCENES: dict[str, Scene] = {}


def scene(*reasons: Reason) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Add a scene under its function's name."""

    def add(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        SCENES[play.__name__] = Scene(play, frozenset(reasons))
        return play

    return add


@scene(Reason.REFUND_TO_RECORD, Reason.AMOUNT_CHANGED_AFTER_POSTING)
def success(stage: Stage) -> None:
    known, new, guest, changed = stage.people[:4]
    for person in (known, guest, changed):
        stage.know(person)
    stage.buy(known, steps=("capture", "refund_offline"), basket=(("DRM-VITC-30", 1),))
    stage.buy(new, basket=(("DRM-GIFT-100", 1),))
    stage.buy(guest, buyer={"customer_id": None, "birth_date": None})
    record = stage.buy(changed)
    stage.run()
    record.row["grand_total"] += Decimal(3)
    record.row["updated_at"] = stage.world.clock.now().strftime("%Y-%m-%d %H:%M:%S")
    record.version += 1


@scene(Reason.PAYMENT_VOIDED)
def a_payment_voided_while_it_was_verified(stage: Stage) -> None:
    _one_known(stage)
    stage.world.plant(Effect.TIMED_OUT_EXECUTED)
    stage.run()
    stage.world.staff("void", payment_id=stage.world.booked()[0].payment_id)
    stage.run(after_minutes=(1, 40, 20, 30 * 60))


@scene(Reason.DUPLICATED_CUSTOMER, Reason.NAME_DIFFERS, Reason.NAME_MISSING, Reason.BIRTH_DATE_DIFFERS, Reason.SUFFIX_DIFFERS)
def people_who_cannot_be_told_apart(stage: Stage) -> None:
    twice, shared, nameless, elder, junior = stage.people[:5]
    stage.know(twice, "one")
    stage.know(twice, "two")
    stage.buy(twice)
    stage.know(shared, first=stage.people[5].first)
    stage.buy(shared)
    stage.know(nameless)
    stage.buy(nameless, buyer={"first": None, "customer_id": None})
    stage.know(elder, birth_date="1902-02-22")
    stage.buy(elder)
    stage.know(junior, suffix="Jr")
    stage.buy(junior, buyer={"suffix": "Sr"})


@scene(Reason.CANNOT_CREATE_ACCOUNT, Reason.POSSIBLE_EXISTING_PATIENT)
def accounts_that_are_not_made(stage: Stage) -> None:
    incomplete, moved = stage.people[:2]
    stage.buy(incomplete, buyer={"birth_date": None, "postal_code": None})
    stage.know(moved, email=None, mobile=None, home=None)
    stage.buy(moved)


@scene(
    Reason.TOTALS_DISAGREE,
    Reason.CURRENCY_UNKNOWN,
    Reason.AMOUNT_INVALID,
    Reason.AMOUNT_LIMIT,
    Reason.EDITED_ORDER,
    Reason.PAYMENT_MISSING,
)
def orders_that_make_no_sense(stage: Stage) -> None:
    for person in stage.people:
        stage.know(person)
    first, second, third, fourth, fifth, sixth = stage.people[:6]
    stage.buy(first, totals_error=Decimal("1.00"))
    stage.buy(second, currency="EUR")
    stage.buy(third, extra_tax=Decimal("0.0050"))
    stage.buy(fourth, basket=(("DRM-VITC-30", 90),))
    stage.buy(fifth, steps=("edit", "capture"))
    stage.buy(sixth, has_payment=False)


@scene(
    Reason.NOT_PAID,
    Reason.PARTLY_PAID,
    Reason.ON_HOLD,
    Reason.UNDER_REVIEW,
    Reason.AMOUNT_ZERO,
    Reason.CANCELLED,
    Reason.REFUNDED_BEFORE_POSTING,
)
def orders_that_wait_or_owe_nothing(stage: Stage) -> None:
    for person, steps in zip(
        stage.people,
        ((), ("capture_part",), ("capture", "hold"), ("review",), ("cancel",), ("capture", "refund_all"), ("capture",)),
        strict=False,
    ):
        stage.know(person)
        is_free = steps == ("capture",)
        basket = (("DRM-VITC-30", 1),)
        stage.buy(person, steps=steps, basket=basket, **({"gift_card": Decimal(10_000)} if is_free else {}))


@scene(Reason.INTEGRATION_INACTIVE)
def an_order_of_last_year(stage: Stage) -> None:
    person = stage.people[0]
    record = stage.buy(person)
    record.row["created_at"] = "2026-09-28 15:00:00"
    record.version += 1


@scene(Reason.ORDER_UNREADABLE)
def an_order_that_cannot_be_read(stage: Stage) -> None:
    for person in stage.people[:3]:
        stage.know(person)
        stage.buy(person)
    record = stage.buy(stage.people[3])
    record.row["created_at"] = f"born {stage.people[3].born}"
    record.row["grand_total"] = f"{stage.people[3].last} {stage.people[3].email}"
    record.version += 1


@scene(Reason.POSSIBLE_MANUAL_ENTRY, Reason.PATIENT_GONE)
def payments_by_hand_and_charts_that_go(stage: Stage) -> None:
    by_hand, gone = stage.people[:2]
    chart = stage.know(by_hand)
    record = stage.buy(by_hand)
    stage.world.staff(
        "hand-payment",
        patient_id=chart.patient_id,
        amount_cents=int(record.grand_total * 100),
        note=f"{by_hand.first} {by_hand.last} {by_hand.phone}",
    )
    stage.know(gone)
    stage.buy(gone)
    stage.world.plant(Effect.NOT_FOUND)


@scene(Reason.PAYMENT_MISMATCH)
def another_amount(stage: Stage) -> None:
    _one_known(stage)
    stage.world.plant(Effect.OTHER_AMOUNT)


@scene(Reason.DUPLICATE_POSTING)
def booked_twice(stage: Stage) -> None:
    _one_known(stage)
    stage.world.plant(Effect.EXECUTED_TWICE)


@scene(Reason.CANNOT_VERIFY)
def a_day_without_reads(stage: Stage) -> None:
    _one_known(stage)
    stage.world.plant(Effect.TIMED_OUT_EXECUTED)
    stage.run()
    stage.world.plant(Effect.UNAVAILABLE, method="GET", route=PAYMENTS, remaining=None)
    stage.run(after_minutes=(60, 13 * 60, 12 * 60))


@scene(Reason.WRONG_PATIENT)
def a_wrong_patient_was_picked(stage: Stage) -> None:
    person = stage.people[0]
    stage.know(person, "one", birth_date=None)
    stage.know(person, "two", birth_date=None)
    stage.buy(person)
    stage.run()
    order_id = stage.world.orders()[-1].id
    wrong, right = (chart.patient_id for chart in stage.world.charts()[-2:])
    choose_patient(stage.desk(), order_id, wrong, actor="dana")
    stage.run(after_minutes=(15,))
    undo = begin_undo(stage.desk(), order_id, actor="dana")
    stage.attempt(lambda: look_for_void(stage.desk(), order_id, actor="dana"))
    stage.world.staff("void", payment_id=undo.payment_id)
    look_for_void(stage.desk(), order_id, actor="dana")
    post_to(stage.desk(), order_id, right, actor="dana")
    stage.run(after_minutes=(15,))


@scene(Reason.CUSTOMER_UNSEARCHABLE)
def a_day_of_refused_searches(stage: Stage) -> None:
    _one_known(stage)
    stage.world.plant(Effect.REJECTED, method="GET", route=PATIENTS, remaining=None)
    stage.run(after_minutes=(5, 25 * 60))
    stage.attempt(lambda: sync_order(stage.desk(), stage.world.orders()[-1].number))
    stage.world.heal()


@scene(Reason.PAYMENTS_UNREADABLE)
def a_day_of_incomplete_reads(stage: Stage) -> None:
    person = stage.people[0]
    stage.know(person)
    for basket in ("DRM-VITC-30", "DRM-EYE-15"):
        stage.buy(person, basket=((basket, 1),))
    stage.run()
    stage.buy(person)
    stage.world.plant(Effect.SHIFTED_PAGE, method="GET", route=PAYMENTS, remaining=None)
    stage.run(after_minutes=(5, 25 * 60))
    stage.attempt(lambda: sync_order(stage.desk(), stage.world.orders()[-1].number))


@scene(Reason.LOGIN_REFUSED)
def a_login_refused(stage: Stage) -> None:
    _one_known(stage)
    stage.world.switch(are_logins_refused=True)
    stage.run()
    stage.world.switch(are_logins_refused=False)


@scene(Reason.STORE_UNAVAILABLE)
def a_store_that_is_out(stage: Stage) -> None:
    _one_known(stage)
    for effect in (
        StoreEffect.MASKED_500,
        StoreEffect.PHP_FATAL,
        StoreEffect.MESSAGE_200,
        StoreEffect.MAINTENANCE,
        StoreEffect.TOO_MANY,
        StoreEffect.BAD_GATEWAY,
        StoreEffect.GATEWAY_TIMEOUT,
        StoreEffect.TRUNCATED,
        StoreEffect.HANG,
        StoreEffect.RESET,
        StoreEffect.EXPIRED,
        StoreEffect.FORBIDDEN,
    ):
        stage.world.plant_in_store(effect, seconds=1)
        stage.run(after_minutes=(16,))
        stage.attempt(lambda: sync_order(stage.desk(), stage.world.order().number))
        stage.world.heal()


@scene(Reason.NEXTECH_UNAVAILABLE)
def a_nextech_that_is_out(stage: Stage) -> None:
    _one_known(stage)
    for effect in (
        Effect.UNAVAILABLE,
        Effect.MALFORMED,
        Effect.TRUNCATED,
        Effect.DRIPPED,
        Effect.HUNG,
        Effect.PARTIAL_PAGE,
        Effect.SHIFTED_PAGE,
        Effect.FILTERS_IGNORED,
        Effect.NEXT_LOOPS,
        Effect.RATE_LIMITED,
        Effect.REJECTED,
        Effect.REDIRECTED,
        Effect.FAILED,
        Effect.REFRESH_REFUSED,
    ):
        for route in (PATIENTS, PAYMENTS):
            stage.world.plant(effect, method="GET", route=route, remaining=None)
        stage.run(after_minutes=(16,))
        stage.world.heal()


@scene(Reason.STATUS_NOT_WRITTEN)
def statuses_that_the_store_does_not_take(stage: Stage) -> None:
    _one_known(stage)
    stage.world.plant_in_store(StoreEffect.MASKED_500, method="PUT")
    stage.run(after_minutes=(1, 16, 16, 61))


@scene(Reason.SETTINGS_WRONG)
def a_setting_that_is_wrong(stage: Stage) -> None:
    _one_known(stage)
    wrong = SettingsError("connection store_eastern, field password: missing")
    report_trouble(stage.world.ledger, "eastern", wrong)
    stage._look()
    stage.watch.note(wrong)


@scene()
def an_order_changed_while_it_is_synced(stage: Stage) -> None:
    person = stage.people[0]
    stage.know(person)
    record = stage.buy(person, steps=("capture", "hold"))
    stage.run()
    actions.unhold(stage.world.shop, record.entity_id)
    record.row["customer_email"] = stage.people[1].email
    record.version += 1


def _one_known(stage: Stage) -> None:
    stage.know(stage.people[0])
    stage.buy(stage.people[0])


POST_OUTCOMES = {
    "CREATED_WITHOUT_ID": (Effect.CREATED_WITHOUT_ID, None, None),
    "CREATED_MALFORMED": (Effect.CREATED_MALFORMED, None, None),
    "CREATED_HTML": (Effect.CREATED_HTML, None, None),
    "CREATED_TRUNCATED": (Effect.CREATED_TRUNCATED, None, None),
    "REDIRECTED": (Effect.REDIRECTED, None, Reason.OUTCOME_UNKNOWN),
    "REJECTED": (Effect.REJECTED, None, Reason.PAYMENT_REJECTED),
    "REJECTED_422": (Effect.REJECTED, 422, Reason.ACCOUNT_REJECTED),
    "UNAUTHORIZED": (Effect.UNAUTHORIZED, None, None),
    "UNAUTHORIZED_403": (Effect.UNAUTHORIZED, 403, Reason.LOGIN_REFUSED),
    "UNAUTHORIZED_523": (Effect.UNAUTHORIZED, 523, None),
    "NOT_FOUND": (Effect.NOT_FOUND, None, Reason.PATIENT_GONE),
    "CONFLICT": (Effect.CONFLICT, None, Reason.ACCOUNT_NOT_FOUND_AGAIN),
    "GATEWAY_ERROR": (Effect.GATEWAY_ERROR, None, Reason.ACCOUNT_OUTCOME_UNKNOWN),
    "GATEWAY_400": (Effect.GATEWAY_ERROR, 400, Reason.OUTCOME_UNKNOWN),
    "RATE_LIMITED": (Effect.RATE_LIMITED, None, None),
    "FAILED": (Effect.FAILED, None, Reason.OUTCOME_UNKNOWN),
    "FAILED_EXECUTED": (Effect.FAILED_EXECUTED, None, None),
    "TIMED_OUT": (Effect.TIMED_OUT, None, Reason.OUTCOME_UNKNOWN),
    "TIMED_OUT_EXECUTED": (Effect.TIMED_OUT_EXECUTED, None, None),
    "EXECUTED_LATE": (Effect.EXECUTED_LATE, None, None),
    "UNAVAILABLE": (Effect.UNAVAILABLE, None, Reason.OUTCOME_UNKNOWN),
    "DRIPPED": (Effect.DRIPPED, None, None),
}
"""Every outcome of a POST: the effect, its status, and a reason that it leads to."""


def play_post_outcome(stage: Stage, name: str) -> None:
    """Meet one outcome with a payment and with a new account."""
    effect, status, _ = POST_OUTCOMES[name]
    stage.know(stage.people[0])
    stage.buy(stage.people[0])
    stage.buy(stage.people[1])
    for route in (PAY, PATIENTS):
        stage.world.plant(effect, route=route, status=status, after_seconds=600)
    stage.run(after_minutes=(0, 2, 40, 20))
    stage.try_everything()
