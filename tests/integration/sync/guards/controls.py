"""The table: every guard, the way it is broken, the schedule that notices, and what goes wrong without it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from order_sync.accounts import find_namesakes
from order_sync.posting_plans import leave
from tests.integration.sync.guards import breaking as by
from tests.integration.sync.guards import looking_schedules as look
from tests.integration.sync.guards import posting_schedules as post
from tests.integration.sync.guards import unreadable_schedules as unread
from tests.integration.sync.guards.ground import Schedule


@dataclass(frozen=True)
class Control:
    """One guard broken in one way."""

    guard: str
    broken: by.Break
    schedule: Schedule
    goes_wrong: str
    """How the schedule's complaint begins."""


CONTROLS: dict[str, Control] = {
    "no look before a post": Control("R0", by.ABSENT_BEFORE_THE_POST, look.a_ledger_that_lost_its_memory, "doubled"),
    "an old look is good enough": Control(
        "R0", by.put(inf, "order_sync.post._FRESH_SECONDS"), post.refunded_while_the_batch_is_sent_slowly, "wrong state"
    ),
    "the order is neither read nor decided again before the post": Control(
        "R0",
        by.both(
            by.put(by.take_the_order_as_it_was, "order_sync.post.read_again"),
            by.returns(True, "order_sync.posting_plans._is_still_due"),
        ),
        post.refunded_between_matching_and_posting,
        "doubled",
    ),
    "no witnesses": Control(
        "R0",
        by.put(by.read_lists_without_witnesses, "order_sync.payment_reads._read_list"),
        look.a_ledger_that_lost_its_memory_before_a_server_without_lists(0),
        "doubled",
    ),
    "one witness, at the beginning": Control(
        "R0",
        by.put(by.read_lists_with_one_witness, "order_sync.payment_reads._read_list"),
        look.a_ledger_that_lost_its_memory_before_a_server_without_lists(0),
        "doubled",
    ),
    "a page is taken for all pages": Control(
        "complete read",
        by.put(by.read_the_first_page, "order_sync.clients.nextech.read_complete"),
        look.a_ledger_that_lost_its_memory_and_half_a_page,
        "doubled",
    ),
    "payments that cannot be read are nobody's case": Control(
        "complete read",
        by.put(leave, "order_sync.post.leave_unread"),
        unread.a_day_of_incomplete_reads,
        "stuck",
    ),
    "one read that fails is a person's case": Control(
        "complete read",
        by.returns(by.AT_ONCE, "order_sync.unanswered.timedelta"),
        unread.an_hour_of_incomplete_reads,
        "wrong status",
    ),
    "post, then write the intent": Control(
        "R1", by.put(by.send_then_record, "order_sync.post.send_payment"), post.a_late_booking_after_a_kill, "doubled"
    ),
    "send after a commit that failed": Control("R2", by.go_on_after_a_failed_commit, post.a_refused_commit, "doubled"),
    "no send budget": Control("R3", by.send_however_late, post.a_process_frozen_for_a_day_before_the_first_byte, "doubled"),
    "a post is tried again on 5xx": Control(
        "R4", by.resend_when(lambda answer: answer.status >= 500), post.a_500_for_what_was_executed, "doubled"
    ),
    "a post follows redirects": Control(
        "R4", by.resend_when(lambda answer: 300 <= answer.status < 400), post.a_redirect_to_another_host, "leak"
    ),
    "state and attempt in two transactions": Control(
        "R6", by.record_in_two_transactions, post.killed_while_the_outcome_is_recorded, "stuck"
    ),
    "the case in a transaction of its own": Control(
        "R6, queue row", by.write_along_in_a_transaction_of_its_own, post.killed_while_a_case_is_opened, "lost"
    ),
    "the status in a transaction of its own": Control(
        "R6, R14",
        by.write_along_in_a_transaction_of_its_own,
        post.killed_while_the_status_is_written_down,
        "wrong status",
    ),
    "late good news is ignored": Control(
        "R7", by.returns(None, "order_sync.sending._record_late"), post.an_answer_after_a_person_was_asked, "wrong text"
    ),
    "late news of an older attempt is ignored": Control(
        "R7",
        by.returns(None, "order_sync.sending._record_late"),
        post.an_answer_after_a_person_had_it_posted_again,
        "wrong status",
    ),
    "no recovery pass": Control(
        "R8", by.returns(by.NOTHING_VERIFIED, "order_sync.post.verify_payments"), post.killed_and_never_cleared, "stuck"
    ),
    "an intent is taken before its deadline": Control(
        "R9",
        by.put(by.overdue_at_once, "order_sync.verify.overdue_attempts"),
        post.another_run_looks_while_a_payment_is_refused,
        "wrong text",
    ),
    "no version is compared when an order is claimed": Control(
        "R1, compare-and-set",
        by.put(by.move_whatever_the_version, "order_sync.sending.move"),
        post.another_run_dies_over_the_order_that_this_one_looked_for,
        "doubled",
    ),
    "an unsettled attempt does not count": Control(
        "R1", by.returns(None, "order_sync.posting_plans.latest_attempt"), post.an_attempt_that_nobody_settled, "doubled"
    ),
    "the body is built when it is sent": Control(
        "R11", by.build_the_body_when_it_is_sent, post.bytes_on_the_wire, "wrong record"
    ),
    "cents by way of a float": Control(
        "R12",
        by.put(by.cents_by_float, "order_sync.posting_rules.cents"),
        post.an_amount_that_a_float_cannot_hold,
        "wrong amount",
    ),
    "amounts are read by way of a float": Control(
        "R12",
        by.put(
            by.read_amounts_by_float,
            "order_sync.clients.nextech_outcomes.payment_amount_cents",
            "order_sync.clients.nextech_wire.payment_amount_cents",
        ),
        post.an_amount_that_a_float_cannot_hold,
        "wrong state",
    ),
    "each process has a pace of its own": Control("R13", by.pace_each_process_alone, look.two_processes_at_once, "wrong pace"),
    "a status counts as told before it is": Control(
        "R14",
        by.put(by.call_it_sent_before_it_is, "order_sync.mark.lease_statuses"),
        look.the_store_is_down_when_the_status_is_written,
        "lost",
    ),
    "the marker stands last": Control(
        "marker first", by.put_the_marker_last, look.a_long_order_whose_answer_was_lost, "wrong state"
    ),
    "voided rows are overlooked": Control(
        "chain",
        by.put(by.overlook_voided_rows, "order_sync.verify.read_evidence"),
        look.voided_by_staff_before_the_ledger_lost_its_memory,
        "doubled",
    ),
    "one absent read is enough": Control(
        "two reads",
        by.put(1, "order_sync.verify._ENOUGH_ABSENT_READS"),
        look.late_by(45, looks_after=(36,)),
        "wrong status",
    ),
    "absences count before the payment has settled": Control(
        "settling",
        by.count_every_absence_without("settle_at"),
        look.late_by(25, looks_after=(2, 16)),
        "wrong status",
    ),
    "two absences at once are two": Control(
        "reads apart",
        by.count_every_absence_without("last_absent_at"),
        look.late_by(45, looks_after=(36, 1), is_rerun=True),
        "wrong status",
    ),
    "no breaker": Control(
        "breaker",
        by.returns(False, "order_sync.sending.is_breaker_open", "order_sync.post.is_breaker_open"),
        post.an_outage,
        "wrong state",
    ),
    "an account in doubt does not count": Control(
        "account and Nextech's own check",
        by.both(by.returns(None, "order_sync.accounts.doubtful_account"), by.NO_CONFLICT),
        look.two_orders_of_a_customer_whose_account_is_created_late,
        "doubled",
    ),
    "an account is asked for before the intent": Control(
        "account and Nextech's own check",
        by.both(by.put(by.create_then_record, "order_sync.accounts._create"), by.NO_CONFLICT),
        look.an_account_whose_answer_was_lost_in_a_kill,
        "doubled",
    ),
    "no look for namesakes": Control(
        "account", by.returns([], "order_sync.accounts.find_namesakes"), look.a_namesake_with_another_address, "doubled"
    ),
    "last name and birth date make a new account ours": Control(
        "account",
        by.put(find_namesakes, "order_sync.accounts._accounts_like"),
        look.a_twin_is_created_while_the_answer_for_the_other_is_lost,
        "wrong patient",
    ),
    "the first of two charts": Control(
        "uniqueness",
        by.put(by.pick_the_first_chart, "order_sync.match.match_patient"),
        look.two_charts_of_one_person,
        "wrong patient",
    ),
    "a page of charts is taken for all of them": Control(
        "uniqueness",
        by.put(by.read_the_first_page, "order_sync.clients.nextech.read_complete"),
        look.two_charts_and_half_a_page,
        "wrong patient",
    ),
    "a list of customers is trusted": Control(
        "uniqueness",
        by.put(by.trust_a_list, "order_sync.candidates._search_list"),
        look.two_customers_of_a_server_without_lists,
        "wrong patient",
    ),
}
"""Every mutant of the machine's own steps, by its name."""

COVERED: dict[str, tuple[by.Break, Schedule]] = {
    "the order is not read again": (
        by.put(by.take_the_order_as_it_was, "order_sync.post.read_again"),
        post.refunded_between_matching_and_posting,
    ),
    "the order is not decided again": (
        by.returns(True, "order_sync.posting_plans._is_still_due"),
        post.refunded_between_matching_and_posting,
    ),
    "an account in doubt does not count": (
        by.returns(None, "order_sync.accounts.doubtful_account"),
        look.two_orders_of_a_customer_whose_account_is_created_late,
    ),
}
"""Guards that another one covers: broken alone, the day still ends well (docs/guards.md says why they stay)."""
