"""The table of what keeps decisions about accounts, entries by hand, wrong patients and releases in order."""

from __future__ import annotations

from tests.integration.sync.guards import breaking as by
from tests.integration.sync.guards import decision_breaking as decision_by
from tests.integration.sync.guards import decision_schedules as decisions
from tests.integration.sync.guards.controls import Control
from tests.integration.sync.guards.ground import Schedule

DECISION_CONTROLS: dict[str, Control] = {
    "a run forgets that a person wants an account": Control(
        "account", decision_by.NOBODY_DECLINED, decisions.an_account_is_wanted, "wrong state"
    ),
    "an account that is looked for may be one that was declined": Control(
        "account",
        decision_by.NOBODY_DECLINED_IN_A_RECOVERY,
        decisions.a_declined_chart_is_left_alone_after_a_merge,
        "wrong patient",
    ),
    "a wanted account passes over charts that nobody was shown": Control(
        "account and Nextech's own check",
        by.both(decision_by.EVERYBODY_DECLINED, by.NO_CONFLICT),
        decisions.two_orders_of_one_customer_for_whom_accounts_are_wanted,
        "doubled chart",
    ),
    "Send takes a chart that is out of use": Control(
        "chart",
        by.returns(True, "order_sync.clients.nextech_wire._is_in_use"),
        decisions.a_chart_that_is_out_of_use_is_picked,
        "wrong patient",
    ),
    "an entry by hand is tied while ours may still be booked": Control(
        "24 hours",
        by.returns(None, "order_sync.manual_entries.refuse_while_late"),
        decisions.tied_while_ours_is_under_way,
        "doubled",
    ),
    "an entry by hand is tied without a look for ours": Control(
        "fresh read",
        by.returns([], "order_sync.manual_entries.find_markers"),
        decisions.tied_although_ours_has_arrived,
        "doubled",
    ),
    "an entry by hand may be two orders'": Control(
        "one order",
        by.returns(None, "order_sync.manual_entries.owner_of_payment"),
        decisions.one_entry_is_tied_to_two_orders,
        "lost",
    ),
    "an entry by hand is not compared with the order": Control(
        "differences",
        by.returns({}, "order_sync.manual_entries._differences"),
        decisions.an_entry_of_another_amount_is_tied,
        "wrong amount",
    ),
    "an undo believes that the payment is voided": Control(
        "fresh read and old charts",
        decision_by.POST_ANEW_WITHOUT_A_LOOK,
        decisions.a_copy_stands_on_the_old_chart,
        "doubled",
    ),
    "what is posted anew is looked for on the new chart alone": Control(
        "old charts",
        decision_by.LOOK_AT_THE_NEW_CHART_ALONE,
        decisions.a_copy_comes_to_stand_on_the_old_chart,
        "doubled",
    ),
    "what was left voided is taken for what is posted anew": Control(
        "old rows",
        by.returns(False, "order_sync.verify._is_left_behind"),
        decisions.voided_and_posted_to_the_same_patient,
        "lost",
    ),
    "one voided payment accounts for two attempts": Control(
        "24 hours",
        by.returns(None, "order_sync.undo.refuse_while_late"),
        decisions.another_payment_may_still_come,
        "doubled",
    ),
    "an undo leaves the choice remembered": Control(
        "chart", by.returns(None, "order_sync.undo.revoke_choice"), decisions.the_next_order_of_the_customer, "wrong patient"
    ),
    "what was undone is matched by the rules again": Control(
        "chart",
        by.returns(frozenset(), "order_sync.match.undone_orders"),
        decisions.changed_before_it_is_posted_anew,
        "wrong patient",
    ),
    "a release passes over everything": Control(
        "release",
        decision_by.RELEASE_EVERYTHING,
        decisions.an_edited_order_is_released_before_it_is_paid,
        "wrong state",
    ),
    "a release outlives a change in the store": Control(
        "release", decision_by.release_for_ever, decisions.a_released_order_changes, "wrong state"
    ),
}

DECISION_COVERED: dict[str, tuple[by.Break, Schedule]] = {
    "an undo believes that the payment is voided": (
        decision_by.VOIDED_WITHOUT_A_LOOK,
        decisions.a_copy_stands_on_the_old_chart,
    ),
}
