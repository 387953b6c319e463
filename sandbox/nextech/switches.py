"""What the contract leaves open, one switch per point; the defaults are its guesses (nextech-select-api.md section 5).

The numbers in the comments are those of section 5. What is not numbered comes from sections 1 to 4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, with_config


class SwitchError(ValueError):
    """Say which switch is unknown or set to a value that it does not have."""


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class NextechSwitches:
    """How this Nextech behaves where its documentation is silent."""

    # 1 Two identical payment requests are two payments, or the second one is a conflict.
    identical_payments: Literal["create", "conflict"] = "create"
    # 2 What a payment that was booked answers.
    payment_status: Literal[200, 201] = 201
    payment_answer: Literal["with_id", "without_id", "empty"] = "with_id"
    # 3 How long a new row stays invisible to searches and reads.
    read_delay_seconds: float = 0.0
    # 4 What a patient that was created answers.
    patient_status: Literal[200, 201] = 201
    # 5 Whether a 409 on a patient tells the existing chart's GUID.
    conflict_names_patient: bool = False
    # 6 The body of every error.
    error_body: Literal["operation_outcome", "message", "text", "empty"] = "operation_outcome"
    # 7 A missing or expired token; a wrong or missing practice.
    unauthorized_status: Literal[400, 401, 403, 523] = 401
    forbidden_status: Literal[400, 403, 523] = 403
    # 8 The header Retry-After of a 429, as it is sent; None sends none.
    retry_after: str | None = None
    # 9 The limiter: a fixed window of one second, per user and endpoint. 0 switches it off.
    requests_per_second: int = 20
    limit_per: Literal["user_and_endpoint", "user"] = "user_and_endpoint"
    # 10 A search without a hit.
    empty_search_status: Literal[200, 404] = 200
    # 11 A patient search without parameters; a parameter that the resource does not know.
    search_without_parameters: Literal["reject", "list"] = "reject"
    unknown_parameter: Literal["ignore", "reject"] = "ignore"
    # 12 `_count` above 50.
    count_above_maximum: Literal["clamp", "reject"] = "clamp"
    # 13 The order of a search's rows, by the time of entry.
    sort_order: Literal["ascending", "descending", "shuffled"] = "ascending"
    # 14 A bare date in a write is UTC midnight (and may show as the day before), or the practice's own day;
    #    an instant is brought into the practice's zone, or its date is simply cut out.
    bare_date: Literal["utc", "local"] = "utc"
    instant: Literal["converted", "cut"] = "converted"
    # 15 Where a day begins when a search names one.
    search_day: Literal["local", "utc"] = "local"
    # 16 `_lastUpdated=2026-01-05` means on that day, or since that day.
    last_updated_day: Literal["exact", "since"] = "exact"
    # 17 The extension that carries the card type.
    card_type_on_write: Literal["creditcard-type", "credit-cardtype", "either"] = "creditcard-type"
    card_type_on_read: Literal["credit-cardtype", "creditcard-type"] = "credit-cardtype"
    # 18 The form of the location's extension in a write.
    location_form: Literal["either", "sample", "read"] = "either"
    # 19 A category, card type, method, provider or location that the practice does not have.
    invalid_value: Literal["reject", "blank"] = "reject"
    # 20 A payment by card without a card type.
    card_type_required: bool = False
    # 21 Zero and negative amounts; more than two decimals.
    non_positive_amount: Literal["reject", "accept"] = "reject"
    excess_decimals: Literal["reject", "round"] = "reject"
    # 22 PUT and DELETE on a payment.
    correction_status: Literal[404, 405] = 405
    # 23 Whether a payment from outside lands as a pre-payment (nobody can ask for it).
    lands_as_prepayment: bool = False
    # 24 `apply-payment` when the request does not say it.
    apply_by_default: bool = False
    # 25 A payment for a GUID that is unknown; for one that was merged into another chart.
    unknown_patient_status: Literal[400, 404] = 404
    merged_patient: Literal["gone", "follow"] = "gone"
    # 26 Whether money that is not applied lowers the balance; whether a debt is shown as a positive number.
    unapplied_lowers_balance: bool = False
    debt_is_positive: bool = True
    # 27 The body of `GET /Patient/ID`.
    patient_id_body: Literal["json", "text", "object"] = "json"
    # 28 How a telephone number is compared in a search.
    phone_comparison: Literal["digits", "text"] = "digits"
    # 29 Which modifiers work on string fields.
    modifiers: Literal["all", "ignored", "rejected"] = "all"
    # 30 How an amount is written.
    amount_form: Literal["number", "noisy", "text"] = "number"

    # Section 3: bundles and their links.
    link_base: str = "https://nextech.invalid/api"
    is_type_sent: bool = True
    is_total_sent: bool = True
    are_links_sent: bool = True
    is_last_page_overlapping: bool = True
    does_small_result_loop: bool = False

    # Section 4.1: contact details that the patient marked as private are stored and never returned.
    private_details: Literal["without_value", "omitted"] = "without_value"
    are_private_details_findable: bool = False

    # Section 4.10 and reliability 2.2: what the server does to the note.
    note_storage: Literal["kept", "upper", "folded", "cut_80"] = "kept"

    # Section 1: the token endpoint.
    token_lifetime_seconds: int = 3599
    is_expires_in_text: bool = True
    does_refresh_end_old_token: bool = True
    are_logins_refused: bool = False
    lock_out_after: int = 10

    # Every answer takes this long.
    latency_seconds: float = 0.0

    def changed_by(self, changes: Mapping[str, object]) -> NextechSwitches:
        """Return these switches with some of them set otherwise; raise `SwitchError` for an unknown name or value."""
        unknown = sorted(set(changes) - set(self.__slots__))
        if unknown:
            msg = f"there is no switch {unknown[0]!r}"
            raise SwitchError(msg)
        try:
            return _ADAPTER.validate_json(json.dumps({**asdict(self), **changes}))
        except (TypeError, ValueError) as error:
            named = ", ".join(sorted(changes))
            msg = f"one of these has a value that its switch does not have: {named}"
            raise SwitchError(msg) from error

    def as_dict(self) -> dict[str, Any]:
        """Return every switch by its name."""
        return asdict(self)


_ADAPTER = TypeAdapter(NextechSwitches)
