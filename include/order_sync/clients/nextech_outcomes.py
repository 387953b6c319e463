"""What the answer to one POST proves: the table of reliability 3.4, and nothing else.

Executed and not executed need evidence; whatever is not in the table is unknown, and an unknown outcome is settled by
looking, never by sending again.
"""

from __future__ import annotations

from order_sync.clients.exchanges import AnswerLostError, NotSentError
from order_sync.clients.http import Answer
from order_sync.clients.nextech_wire import guid, names_a_patient, payment_amount_cents, payment_patient_id, resource_id
from order_sync.patients import NewPatient
from order_sync.payments import PaymentRequest, PostAnswer, PostOutcome

LOGIN_STATUSES = frozenset({401, 403, 523})
"""523 is Nextech's own word for an authentication fault (contract section 4.0)."""
RENEWABLE_STATUSES = frozenset({401, 523})
_REJECTIONS = frozenset({400, 404, 409, 413, 415, 422})
_CONFLICT = 409
_TOO_MANY = 429


def not_sent(reason: str, *, is_login_refused: bool = False, is_rate_limited: bool = False) -> PostAnswer:
    """Say that no byte of the request can have left."""
    return PostAnswer(PostOutcome.NOT_EXECUTED, reason, is_login_refused=is_login_refused, is_rate_limited=is_rate_limited)


def outcome_of_failure(error: NotSentError | AnswerLostError, *, answer_seconds: float) -> PostAnswer:
    """Classify a POST that got no answer by whether a byte can have left."""
    if isinstance(error, NotSentError):
        return not_sent(str(error))
    reason = f"no usable answer within {answer_seconds:g} s: {error}"
    return PostAnswer(PostOutcome.UNKNOWN, reason, status=error.status)


def outcome_of_payment(answer: Answer, request: PaymentRequest) -> PostAnswer:
    """Classify the answer to a payment POST; executed needs the id, the amount and, when echoed, the patient."""
    if not answer.is_success:
        return _outcome_of_refusal(answer)
    payment = _resource(answer, "PaymentReconciliation")
    if payment is None:
        return _unknown(answer, "2xx without a PaymentReconciliation")
    payment_id = resource_id(payment)
    if payment_id is None:
        return _unknown(answer, "2xx without an id")
    if payment_amount_cents(payment) != request.amount_cents:
        return _unknown(answer, "2xx with another amount")
    if names_a_patient(payment) and payment_patient_id(payment) != guid(request.patient_id):
        return _unknown(answer, "2xx with another patient")
    return _executed(answer, payment_id)


def outcome_of_patient(answer: Answer, new: NewPatient) -> PostAnswer:
    """Classify the answer to a new account; executed needs the GUID and, when echoed, the birth date."""
    if not answer.is_success:
        return _outcome_of_refusal(answer)
    patient = _resource(answer, "Patient")
    if patient is None:
        return _unknown(answer, "2xx without a Patient")
    patient_id = guid(resource_id(patient))
    if patient_id is None:
        return _unknown(answer, "2xx without an id")
    if patient.get("birthDate", new.birth_date.isoformat()) != new.birth_date.isoformat():
        return _unknown(answer, "2xx with another patient")
    return _executed(answer, patient_id)


def _outcome_of_refusal(answer: Answer) -> PostAnswer:
    status = answer.status
    is_login = status in LOGIN_STATUSES
    is_rejection = status in _REJECTIONS and answer.is_api_shaped
    is_rate_limited = status == _TOO_MANY
    is_proven = is_login or is_rejection or is_rate_limited
    return PostAnswer(
        outcome=PostOutcome.NOT_EXECUTED if is_proven else PostOutcome.UNKNOWN,
        reason=f"status {status}" if is_proven or status not in _REJECTIONS else f"status {status} that is not the API's own",
        status=status,
        request_id=answer.request_id,
        is_rejection=is_rejection,
        is_duplicate=status == _CONFLICT,
        is_login_refused=is_login and status not in RENEWABLE_STATUSES,
        is_rate_limited=is_rate_limited,
    )


def _resource(answer: Answer, resource_type: str) -> dict[str, object] | None:
    document = answer.document
    is_right = answer.is_json and isinstance(document, dict) and document.get("resourceType") == resource_type
    return document if is_right else None


def _executed(answer: Answer, created_id: str) -> PostAnswer:
    return PostAnswer(
        PostOutcome.EXECUTED, "2xx with id", status=answer.status, request_id=answer.request_id, created_id=created_id
    )


def _unknown(answer: Answer, reason: str) -> PostAnswer:
    return PostAnswer(PostOutcome.UNKNOWN, reason, status=answer.status, request_id=answer.request_id)
