"""Get every paid online order onto the right patient's billing tab, exactly once.

Every 15 minutes, and at once when a person has resolved an order:

    per practice:  extract_orders -> match_patients -> post_payments -> mark_status
    per order that failed, or became Not Synced since the last run:  sync_order

Each step takes up every order that stands at it in the ledger, whichever run left it there, so the next run finishes
what a broken one began. XCom carries counts, practice ids and order numbers, never a patient.

**When a task is red.** A step of a practice: its message says which system failed; the orders wait, the queue has a row,
and the next run tries again. A `sync_order`: its message says why the order is Not Synced and what to do; *Orders* in the
navigation is where to do it. Clearing any task is safe: nothing is ever posted twice. Clear one `sync_order` to try that order
again.

**Dry run.** Trigger with `dry_run`: the log of `extract_orders` says what would be posted, to whom and why; nothing is
written anywhere.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    Param,
    PokeReturnValue,
    RetryAction,
    RetryRule,
    chain,
    dag,
    task,
    task_group,
)

from order_sync.bootstrap import steps
from order_sync.errors import PermanentError

FAIL_AT_ONCE = RetryRule(exception=PermanentError, action=RetryAction.FAIL)
ORDER_RESOLVED = Asset(name="order_resolved", uri="x-order-sync://order-resolved")
PRACTICE = "{{ task.op_kwargs['practice_id'] }}"  # known before the task begins, so a task that hangs has its label too
ORDER = "{{ task.op_kwargs['order_number'] }}: {{ task.op_kwargs['reason'] }}"


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=[ORDER_RESOLVED]),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,  # claims in the ledger keep runs apart; a practice that hangs must not hold up the next tick
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "retry_policy": ExceptionRetryPolicy(rules=[FAIL_AT_ONCE]),
        "execution_timeout": timedelta(minutes=13),
        "show_return_value_in_logs": False,
    },
    params={"dry_run": Param(False, type="boolean", description="Say what would be posted, and write nothing.")},
    tags=["payments", "nextech"],
    doc_md=__doc__,
)
def sync_orders() -> None:
    @task
    def list_practices() -> list[str]:
        return steps.list_practices()

    # The steps after a failed one run all the same, and would hide it: right behind every step, this keeps the run red.
    @task(trigger_rule="one_failed", retries=0)
    def report_failures() -> None:
        steps.report_failures()

    run_stays_red = report_failures()

    @task_group
    def sync_practice(practice_id: str) -> None:
        @task(map_index_template=PRACTICE)
        def extract_orders(practice_id: str) -> int:
            return steps.extract_orders(practice_id)

        @task(map_index_template=PRACTICE, trigger_rule="all_done")
        def match_patients(practice_id: str) -> int:
            return steps.match_patients(practice_id)

        @task(map_index_template=PRACTICE, trigger_rule="all_done")
        def post_payments(practice_id: str) -> int:
            return steps.post_payments(practice_id)

        @task(map_index_template=PRACTICE, trigger_rule="all_done")
        def mark_status(practice_id: str) -> int:
            return steps.mark_status(practice_id)

        in_order = [step(practice_id=practice_id) for step in (extract_orders, match_patients, post_payments, mark_status)]
        chain(*in_order)
        chain(in_order, run_stays_red)

    # Beside the practices, not after them: it waits for them, though not for one that hangs. It keeps its process: a sensor
    # that is rescheduled every few seconds can be scheduled again before its executor has said how the last try ended.
    @task.sensor(mode="poke", poke_interval=3, timeout=600)
    def list_failed_orders() -> PokeReturnValue:
        failed = steps.list_failed_orders()
        return PokeReturnValue(is_done=failed is not None, xcom_value=failed)

    @task(map_index_template=ORDER, retries=0, show_return_value_in_logs=False)
    def sync_order(practice_id: str, order_number: str, reason: str) -> None:
        steps.sync_order(practice_id, order_number, reason)

    sync_practice.expand(practice_id=list_practices())
    chain(sync_order.expand_kwargs(list_failed_orders()), run_stays_red)


sync_orders()
