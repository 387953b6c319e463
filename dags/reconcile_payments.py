"""Prove every day and every month that the store and Nextech agree, to the cent, and mail it.

Every morning at 13:00 UTC, when the day before has ended in every practice from Puerto Rico to Hawaii:

    per practice:  reconcile_periods -> send_letters

`reconcile_periods` reads both systems anew, independent of what the sync believes, and keeps a report for every day of the
last 31 that has none, and for a month that has ended. It looks at the days before again: one that has changed since gets a
new version. `send_letters` mails what was made; for what could not be made it mails an alarm that says why. A practice whose
store or Nextech cannot be read holds up no other.

**On demand.** Trigger with `period` (`2026-11-02`, `2026-11` or `2026-11-02/2026-11-08`) and, if you like, `practice`. A
period that has not changed since its report gives the same letter and the same files, to the byte, and says "sent again".
`send` off: the report is made and kept, and mailed to nobody.

**When a task is red.** `reconcile_periods`: its message says which side could not be read, or that the sums do not tie.
`send_letters`: the mail server did not take a letter; clear it to send what is missing.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, ExceptionRetryPolicy, Param, RetryAction, RetryRule, chain, dag, task, task_group

from order_sync.bootstrap import report_steps
from order_sync.errors import PermanentError

FAIL_AT_ONCE = RetryRule(exception=PermanentError, action=RetryAction.FAIL)
# After weeks without a scheduler there are more periods than the 250 characters of a label hold.
PRACTICE = (
    "{{ task.op_kwargs['practice_id'] }}: {{ task.op_kwargs['periods'][:4] | join(', ') }}"
    "{% if task.op_kwargs['periods'] | length > 4 %} and {{ task.op_kwargs['periods'] | length - 4 }} more{% endif %}"
)


@dag(
    # The periods are computed from the practices' own calendars, never from the run's data interval. Without a start date
    # and with `run_immediately` off, switching the DAG on waits for the next morning.
    schedule=CronTriggerTimetable("0 13 * * *", timezone="UTC", run_immediately=False),
    catchup=False,
    max_active_runs=2,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=60),
        "retry_policy": ExceptionRetryPolicy(rules=[FAIL_AT_ONCE]),
        "execution_timeout": timedelta(minutes=14),
        "show_return_value_in_logs": False,
    },
    params={
        "period": Param(
            "",
            type="string",
            pattern=r"^(\d{4}-\d{2}(-\d{2}([/_]\d{4}-\d{2}-\d{2})?)?)?$",
            description="A day (2026-11-02), a month (2026-11) or two days (2026-11-02/2026-11-08). Empty: what is due.",
        ),
        "practice": Param("", type="string", pattern=r"^([a-z][a-z0-9_]{0,39})?$", description="Empty: every practice."),
        "send": Param(True, type="boolean", description="Mail the letters."),
    },
    tags=["payments", "reports"],
    doc_md=__doc__,
)
def reconcile_payments() -> None:
    @task
    def list_reports() -> list[report_steps.DueReports]:
        return report_steps.list_reports()

    # The letters go out after a failed reconciliation too, and would hide it: right behind every step, this keeps the run red.
    @task(trigger_rule="one_failed", retries=0)
    def report_failures() -> None:
        report_steps.report_failures()

    run_stays_red = report_failures()

    @task_group
    def report_practice(practice_id: str, periods: list[str]) -> None:
        @task(map_index_template=PRACTICE)
        def reconcile_periods(practice_id: str, periods: list[str]) -> int:
            return report_steps.reconcile_periods(practice_id, periods)

        # Also when the report could not be made: then an alarm says so.
        @task(map_index_template=PRACTICE, trigger_rule="all_done")
        def send_letters(practice_id: str, periods: list[str]) -> int:
            return report_steps.send_letters(practice_id, periods)

        in_order = [step(practice_id=practice_id, periods=periods) for step in (reconcile_periods, send_letters)]
        chain(*in_order)
        chain(in_order, run_stays_red)

    report_practice.expand_kwargs(list_reports())


reconcile_payments()
