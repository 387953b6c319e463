"""Why an order waits or needs a person: a code, a sentence in the front desk's words, and the next step.

One table, because the queue, the Orders pages, the reports and the store's status message must say the same thing.
A sentence never holds a name or an address; `detail` (which fields are missing, which status came) is added by the
caller from a closed vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The closed set of reasons; the value is what is stored and what a BI tool groups by."""

    # Waits by itself.
    NOT_PAID = "not_paid"
    PARTLY_PAID = "partly_paid"
    ON_HOLD = "on_hold"
    UNDER_REVIEW = "under_review"
    # Nothing to post.
    AMOUNT_ZERO = "amount_zero"
    CANCELLED = "cancelled"
    REFUNDED_BEFORE_POSTING = "refunded_before_posting"
    INTEGRATION_INACTIVE = "integration_inactive"
    # Matching.
    DUPLICATED_CUSTOMER = "duplicated_customer"
    NAME_DIFFERS = "name_differs"
    NAME_MISSING = "name_missing"
    BIRTH_DATE_DIFFERS = "birth_date_differs"
    SUFFIX_DIFFERS = "suffix_differs"
    POSSIBLE_EXISTING_PATIENT = "possible_existing_patient"
    CUSTOMER_UNSEARCHABLE = "customer_unsearchable"
    CANNOT_CREATE_ACCOUNT = "cannot_create_account"
    ACCOUNT_NOT_FOUND_AGAIN = "account_not_found_again"
    ACCOUNT_OUTCOME_UNKNOWN = "account_outcome_unknown"
    ACCOUNT_REJECTED = "account_rejected"
    PATIENT_GONE = "patient_gone"
    WRONG_PATIENT = "wrong_patient"
    # The order itself.
    TOTALS_DISAGREE = "totals_disagree"
    CURRENCY_UNKNOWN = "currency_unknown"
    AMOUNT_INVALID = "amount_invalid"
    AMOUNT_LIMIT = "amount_limit"
    EDITED_ORDER = "edited_order"
    ORDER_UNREADABLE = "order_unreadable"
    PAYMENT_MISSING = "payment_missing"
    # Posting.
    OUTCOME_UNKNOWN = "outcome_unknown"
    CANNOT_VERIFY = "cannot_verify"
    DUPLICATE_POSTING = "duplicate_posting"
    PAYMENTS_UNREADABLE = "payments_unreadable"
    POSSIBLE_MANUAL_ENTRY = "possible_manual_entry"
    PAYMENT_MISMATCH = "payment_mismatch"
    PAYMENT_REJECTED = "payment_rejected"
    PAYMENT_VOIDED = "payment_voided"
    AMOUNT_CHANGED_AFTER_POSTING = "amount_changed_after_posting"
    # After posting.
    REFUND_TO_RECORD = "refund_to_record"
    # A whole practice.
    LOGIN_REFUSED = "login_refused"
    STORE_UNAVAILABLE = "store_unavailable"
    NEXTECH_UNAVAILABLE = "nextech_unavailable"
    SETTINGS_WRONG = "settings_wrong"
    STATUS_NOT_WRITTEN = "status_not_written"
    REPORT_NOT_SENT = "report_not_sent"
    REPORT_NOT_MADE = "report_not_made"
    REPORT_NOT_TIED = "report_not_tied"


POSTED_BY_HAND = "posted by hand"
"""The detail of an order that a person has closed because its payment is in Nextech already."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What staff read about a reason."""

    sentence: str
    next_step: str


_LOOK_FIRST = "Look for the marker in the patient's billing tab before doing anything else."

EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.NOT_PAID: Explanation("Not paid yet", "Nothing: it is posted when the store has captured the payment."),
    Reason.PARTLY_PAID: Explanation(
        "Partly paid", "Nothing, or capture the rest in the store: it is posted when paid in full."
    ),
    Reason.ON_HOLD: Explanation("On hold in the store", "Check the order and release it in the store (Unhold)."),
    Reason.UNDER_REVIEW: Explanation("Payment under review", "Accept or deny the payment in the store."),
    Reason.AMOUNT_ZERO: Explanation("Nothing to post", "Make the bill or quote, and apply the gift card or credit by hand."),
    Reason.CANCELLED: Explanation("Nothing to post: cancelled in the store", "Nothing."),
    Reason.REFUNDED_BEFORE_POSTING: Explanation("Nothing to post: fully refunded in the store", "Nothing."),
    Reason.INTEGRATION_INACTIVE: Explanation(
        "The integration was not active when the order was placed", "Enter the payment by hand if it is missing."
    ),
    Reason.DUPLICATED_CUSTOMER: Explanation(
        "Duplicated customer", "Pick the right patient in the Orders page and press Send; merge the duplicates in Nextech."
    ),
    Reason.NAME_DIFFERS: Explanation(
        "Name differs", "Decide whether this is the patient: pick the chart, or create an account."
    ),
    Reason.NAME_MISSING: Explanation("Name missing", "Ask the customer, then pick the patient."),
    Reason.BIRTH_DATE_DIFFERS: Explanation("Birth date differs", "Check the birth date, then pick the patient."),
    Reason.SUFFIX_DIFFERS: Explanation(
        "Name suffix differs (Jr, Sr, III)", "Check which of the two it is, then pick the patient."
    ),
    Reason.POSSIBLE_EXISTING_PATIENT: Explanation(
        "Possible existing patient",
        "A patient with this last name and birth date exists: pick the chart, or create an account.",
    ),
    Reason.CUSTOMER_UNSEARCHABLE: Explanation(
        "The customer cannot be searched for in Nextech",
        "Find the patient in Nextech and pick the chart; tell the data team when it happens again.",
    ),
    Reason.CANNOT_CREATE_ACCOUNT: Explanation(
        "Cannot create account", "Ask the customer for what is missing, create the account in Nextech, then retry."
    ),
    Reason.ACCOUNT_NOT_FOUND_AGAIN: Explanation(
        "Nextech says that the account exists, but it cannot be found", "Find the patient in Nextech and pick the chart."
    ),
    Reason.ACCOUNT_OUTCOME_UNKNOWN: Explanation(
        "A new account may or may not have been created", "Look for the patient in Nextech, then pick the chart."
    ),
    Reason.ACCOUNT_REJECTED: Explanation(
        "Nextech refuses to create the account", "Create the account in Nextech by hand, then retry."
    ),
    Reason.PATIENT_GONE: Explanation(
        "The patient no longer exists in Nextech", "The chart was merged or removed: pick the patient again."
    ),
    Reason.WRONG_PATIENT: Explanation(
        "The wrong patient was picked", "Pick the right patient; void in Nextech first what was posted to the wrong one."
    ),
    Reason.TOTALS_DISAGREE: Explanation(
        "The order's totals do not add up", "Check the order in the store and enter the payment by hand."
    ),
    Reason.CURRENCY_UNKNOWN: Explanation("Unknown currency", "Check the order in the store and enter the payment by hand."),
    Reason.AMOUNT_INVALID: Explanation(
        "The amount cannot be posted", "Check the order in the store and enter the payment by hand."
    ),
    Reason.AMOUNT_LIMIT: Explanation("Above the practice's amount limit", "Check the order, then release it for posting."),
    Reason.EDITED_ORDER: Explanation(
        "The order was edited in the store", "Compare it with the order that it replaces, then post or dismiss it."
    ),
    Reason.ORDER_UNREADABLE: Explanation("The order cannot be read", "Open the order in the store; tell the store's support."),
    Reason.PAYMENT_MISSING: Explanation(
        "The order has no payment record", "Check the payment in the store and enter it by hand."
    ),
    Reason.OUTCOME_UNKNOWN: Explanation("Sent, but it is not known whether it was booked", _LOOK_FIRST),
    Reason.CANNOT_VERIFY: Explanation("The payment could not be verified for a day", _LOOK_FIRST),
    Reason.PAYMENTS_UNREADABLE: Explanation(
        "The patient's payments cannot be read",
        "Ask Nextech's support why they cannot be read, then retry. Before you enter the payment by hand, look whether it is"
        " there already.",
    ),
    Reason.DUPLICATE_POSTING: Explanation(
        "The payment stands in Nextech more than once", "Void the extra payment in Nextech, then retry."
    ),
    Reason.POSSIBLE_MANUAL_ENTRY: Explanation(
        "The payment may have been entered by hand",
        "A payment of the same amount and day is on the chart: confirm that it is this order's, or post it.",
    ),
    Reason.PAYMENT_MISMATCH: Explanation(
        "The payment in Nextech differs from the order", "Correct the payment in Nextech, then retry."
    ),
    Reason.PAYMENT_REJECTED: Explanation("Nextech refuses the payment", "Check category, provider and location, then retry."),
    Reason.PAYMENT_VOIDED: Explanation("The payment was voided in Nextech", "Post it to the right patient, or leave it."),
    Reason.AMOUNT_CHANGED_AFTER_POSTING: Explanation(
        "The order's amount changed after it was posted", "Correct the payment in Nextech by hand."
    ),
    Reason.REFUND_TO_RECORD: Explanation("Refund to record", "Record the refund on the patient's billing tab in Nextech."),
    Reason.LOGIN_REFUSED: Explanation("Login refused", "Renew the credentials in the connection."),
    Reason.STORE_UNAVAILABLE: Explanation(
        "The store cannot be reached", "Nothing at first: orders wait and are synced when it is back."
    ),
    Reason.NEXTECH_UNAVAILABLE: Explanation(
        "Nextech cannot be reached", "Nothing at first: orders wait and are synced when it is back."
    ),
    Reason.SETTINGS_WRONG: Explanation("A setting is wrong", "Correct the setting that the message names."),
    Reason.STATUS_NOT_WRITTEN: Explanation(
        "The status could not be written to the store", "Nothing at first: it is tried again."
    ),
    Reason.REPORT_NOT_SENT: Explanation("A letter did not leave", "Check the connection smtp_default; it is tried again."),
    Reason.REPORT_NOT_TIED: Explanation(
        "The reconciliation's sums do not tie", "Tell the data team: nobody may book by this report until it is mended."
    ),
    Reason.REPORT_NOT_MADE: Explanation(
        "The reconciliation could not be made", "Look at what it says of the cause; it is tried again the next morning."
    ),
}
"""What staff read, for every reason."""


def sentence(reason: Reason, detail: str | None = None) -> str:
    """Return the sentence for a reason, with the detail after a colon: "Cannot create account: birth date missing"."""
    text = EXPLANATIONS[reason].sentence
    return f"{text}: {detail}" if detail else text


def next_step(reason: Reason) -> str:
    """Return what a person is to do about a reason."""
    return EXPLANATIONS[reason].next_step
