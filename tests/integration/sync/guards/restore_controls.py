"""The table of what a declared restore holds back: how each is broken, and the day that notices."""

from __future__ import annotations

from tests.integration.sync.guards import breaking as by
from tests.integration.sync.guards import restore_schedules as restore
from tests.integration.sync.guards.controls import Control

RESTORE_CONTROLS: dict[str, Control] = {
    "orders from before a restore are not held": Control(
        "declared restore",
        by.put(by.hold_nothing_back, "order_sync.match.hold_back", "order_sync.post.hold_back"),
        restore.a_booking_under_way_when_an_older_ledger_is_put_back,
        "doubled",
    ),
    "after a restore one patient's payments are enough": Control(
        "declared restore",
        by.returns((), "order_sync.restores.LookEverywhere.entries_of"),
        restore.a_payment_on_another_chart_than_the_one_that_is_picked_anew,
        "doubled",
    ),
    "a search by date needs no witness": Control(
        "declared restore",
        by.returns(None, "order_sync.restores._require_witness"),
        restore.a_search_by_date_that_is_not_understood,
        "doubled",
    ),
    "accounts are opened after a restore as before": Control(
        "declared restore",
        by.returns(None, "order_sync.accounts.hold_on_account"),
        restore.an_account_under_way_when_an_older_ledger_is_put_back,
        "doubled",
    ),
}
"""Every mutant by its name."""
