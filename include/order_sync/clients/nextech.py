"""Nextech of one practice: find and open patients, read and post payments.

Reads prove that they are complete or raise. Each write is one request and answers with what it proved
(`payments.PostOutcome`); it is never repeated here.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import TypeVar

import httpx

from order_sync.clients.addresses import checked_base_url, checked_header_value
from order_sync.clients.deadline import EXCHANGE_SECONDS, DeadlineTransport
from order_sync.clients.exchanges import AnswerLostError, NotSentError
from order_sync.clients.http import Answer, JsonEdge
from order_sync.clients.limiter import Limiter, PacedLimiter
from order_sync.clients.nextech_login import Login, NextechToken
from order_sync.clients.nextech_outcomes import (
    LOGIN_STATUSES,
    RENEWABLE_STATUSES,
    not_sent,
    outcome_of_failure,
    outcome_of_patient,
    outcome_of_payment,
)
from order_sync.clients.nextech_paging import Params, Row, chunks, query, read_complete
from order_sync.clients.nextech_periods import read_changed, read_period
from order_sync.clients.nextech_reference import ReferenceEntry, read_one, read_reference
from order_sync.clients.nextech_search import PatientSearch, plan_lookup, plan_searches
from order_sync.clients.nextech_wire import (
    UnreadableError,
    guid,
    patient_body,
    payment_body,
    read_patient,
    read_payment,
)
from order_sync.clock import Clock, SystemClock
from order_sync.errors import (
    IncompleteReadError,
    LoginRefusedError,
    RateLimitedError,
    RemoteError,
    RequestRejectedError,
    TransientError,
)
from order_sync.patients import NewPatient, Patient
from order_sync.payments import PaymentEntry, PaymentRequest, PaymentsRead, PeriodRead, PostAnswer, PreparedPayment

_Resource = TypeVar("_Resource")
_READ_PATIENTS = "GET /Patient"
_READ_PAYMENTS = "GET /PaymentReconciliation"
_POST_PAYMENT = "POST /Patient/{id}/PaymentReconciliation"
_POST_PATIENT = "POST /Patient"
_BAD_REQUEST = 400
_NOT_FOUND = 404
_SUSPECT_STATUSES = frozenset({400, 403})
_SUSPECT_TOKEN_SECONDS = 60.0
_QUERY_ROOM = 1_700
"""Of the 1,800 characters that a query may have: what is left for the values beside name and paging."""


@dataclass(frozen=True, slots=True)
class NextechConnection:
    """Where a practice's Nextech is and who we are there (contract section 1)."""

    base_url: str
    token_url: str
    username: str
    password: str = field(repr=False)
    client_id: str = field(repr=False)
    resource: str
    practice_guid: str
    requests_per_second: float = 18.0


class NextechClient:
    """Speak to one practice's Nextech; thread-safe."""

    def __init__(
        self,
        settings: NextechConnection,
        *,
        transport: httpx.BaseTransport | None = None,
        limiter: Limiter | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        answer_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        """Check the settings; nothing is sent yet. `answer_seconds` is the wall-clock deadline of one POST (R4)."""
        self._clock = clock or SystemClock()
        self._settings = settings
        self._base_url = checked_base_url(settings.base_url, system="nextech")
        checked_header_value(settings.practice_guid, field="nextech: the practice id")
        self._edge = JsonEdge(
            "nextech",
            transport or DeadlineTransport(self._clock),
            self._clock,
            rng or random.SystemRandom(),
            login_statuses=LOGIN_STATUSES,
        )
        login = Login(settings.token_url, settings.username, settings.password, settings.client_id, settings.resource)
        self._token = NextechToken(login, self._edge, self._clock)
        self._limiter = limiter or PacedLimiter(settings.requests_per_second, self._clock)
        self._answer_seconds = answer_seconds

    def search_patients(
        self,
        *,
        emails: Sequence[str] = (),
        phones: Sequence[str] = (),
        family: str | None = None,
        given: str | None = None,
        birth_date: date | None = None,
        patient_ids: Sequence[str] = (),
    ) -> list[Patient]:
        """Return every patient with any of these e-mails, phones or ids, proved complete and checked on our side.

        E-mails, phones and ids each widen the result; family, given and birth date narrow it, or search by themselves
        when nothing else is given. A row that shows no asked value is dropped, in case a filter was ignored; a row
        whose value is private is kept only when a single value was asked for, because then Nextech itself said whose
        it is (contract 4.1). Raises `IncompleteReadError` when completeness cannot be proved, `ValueError` without any
        criterion, and the errors of every read.
        """
        found: dict[str, Patient] = {}
        searches = plan_searches(
            emails=emails, phones=phones, family=family, given=given, birth_date=birth_date, patient_ids=patient_ids
        )
        for search in searches:
            for row in self._find_rows(search):
                patient = _readable(read_patient, row, _READ_PATIENTS)
                if search.accepts(patient, row):
                    found[patient.patient_id] = patient
        return list(found.values())

    def look_up_patients(
        self, *, family: str | None = None, given: str | None = None, birth_date: date | None = None, most: int
    ) -> list[Patient]:
        """Return every patient whose names begin like these and who was born that day, for a person to choose from.

        Raises `TooManyRowsError` when there are more than `most`, `ValueError` without any criterion, and the errors of every
        read.
        """
        search = plan_lookup(family=family, given=given, birth_date=birth_date)
        rows = self._read_complete("/Patient", search.params, "Patient", _READ_PATIENTS, most_rows=most)
        patients = ((_readable(read_patient, row, _READ_PATIENTS), row) for row in rows)
        return [patient for patient, row in patients if search.accepts(patient, row)]

    def read_patient(self, patient_id: str) -> Patient | None:
        """Return one patient, or None when Nextech has no chart with this GUID any more."""
        return next(iter(self.search_patients(patient_ids=[patient_id])), None)

    def read_payments(self, patient_ids: Iterable[str]) -> PaymentsRead:
        """Return every payment of these patients, proved complete (reliability 3.5); 40 patients cost one search.

        Raises `IncompleteReadError` when the pages are no proof, or when a row names none of the asked patients.
        """
        asked = _guids(patient_ids)
        as_of = self._clock.now()
        entries: dict[str, PaymentEntry] = {}
        for chunk in chunks(asked, room=_QUERY_ROOM):
            params = (("patient", ",".join(chunk)),)
            for row in self._read_complete("/PaymentReconciliation", params, "PaymentReconciliation", _READ_PAYMENTS):
                entry = _readable(read_payment, row, _READ_PAYMENTS)
                if entry.patient_id not in chunk:
                    reason = "a row of a patient who was not asked for"
                    raise IncompleteReadError(reason, system="nextech", route=_READ_PAYMENTS)
                entries[entry.payment_id] = entry
        return PaymentsRead(frozenset(asked), tuple(entries.values()), as_of)

    def read_payment(self, payment_id: str) -> PaymentEntry | None:
        """Return one payment, or None when Nextech has none with this id; raises `IncompleteReadError` for any other's."""
        if not (payment_id.isascii() and payment_id.isalnum()):
            return None
        route = "GET /PaymentReconciliation/{id}"
        answer = self._read(f"/PaymentReconciliation/{payment_id}", (), route, keep=frozenset({_NOT_FOUND}))
        document = read_one(answer, "PaymentReconciliation")
        entry = _readable(read_payment, document, route) if document is not None else None
        if entry is not None and entry.payment_id != payment_id:
            reason = "another payment than the one that was asked for"
            raise IncompleteReadError(reason, system="nextech", route=route)
        return entry

    def read_payments_between(
        self, first_day: date, last_day: date, *, zone: tzinfo, ends_at: float | None = None
    ) -> PeriodRead:
        """Return every payment of the practice dated from `first_day` to `last_day` in `zone`, proved complete.

        `ends_at` is an instant of the injected monotonic clock: past it no further page is asked for. Raises
        `IncompleteReadError` when that happens or the pages are no proof, and the errors of every read.
        """
        as_of = self._clock.now()
        return read_period(lambda params: self._find_payments(params, ends_at), first_day, last_day, zone=zone, as_of=as_of)

    def read_payments_changed(
        self, since: datetime, until: datetime, *, ends_at: float | None = None
    ) -> tuple[PaymentEntry, ...]:
        """Return every payment of the practice entered or changed in `[since, until)`, proved complete."""
        return read_changed(lambda params: self._find_payments(params, ends_at), since, until)

    def prepare_payment(self, request: PaymentRequest) -> PreparedPayment:
        """Freeze and hash the bytes of a posting before it is claimed (R11); raises `ValueError` for an impossible one."""
        body = payment_body(request)
        return PreparedPayment(request, body, hashlib.sha256(body).hexdigest())

    def send_payment(self, prepared: PreparedPayment, *, send_by: float) -> PostAnswer:
        """Send a prepared posting exactly once and say what that proved; trouble on the other side never raises.

        `send_by` is an instant of the injected monotonic clock: past it, nothing is sent (R3). A token that is refused
        is renewed, but the posting is not sent again: the caller looks first (R0).
        """
        path = f"/Patient/{guid(prepared.request.patient_id)}/PaymentReconciliation"
        return self._post(
            path,
            prepared.body,
            _POST_PAYMENT,
            send_by=send_by,
            classify=lambda answer: outcome_of_payment(answer, prepared.request),
        )

    def create_patient(self, new: NewPatient, *, send_by: float) -> PostAnswer:
        """Ask once for a new account and say what that proved; a 409 is marked as a duplicate (contract 4.3)."""
        body = patient_body(new)
        return self._post(
            "/Patient/", body, _POST_PATIENT, send_by=send_by, classify=lambda answer: outcome_of_patient(answer, new)
        )

    def check(self) -> str:
        """Log in and make one cheap read without patient data; return a sentence, or raise as every read does."""
        self._read("/Location", (("_count", "1"),), "GET /Location")
        return "Nextech accepts the login and answers."

    def read_location(self, location_id: str) -> ReferenceEntry | None:
        """Return a location of the practice, or None when there is none with this id."""
        return self._read_reference("Location", location_id)

    def read_practitioner(self, practitioner_id: str) -> ReferenceEntry | None:
        """Return a practitioner of the practice, or None; only those with a linked user exist here (contract 4.8)."""
        return self._read_reference("Practitioner", practitioner_id)

    def close(self) -> None:
        """Close the kept connections."""
        self._edge.close()

    def _read_reference(self, kind: str, entry_id: str) -> ReferenceEntry | None:
        if not (entry_id.isascii() and entry_id.replace("-", "").isalnum()):
            return None
        route = f"GET /{kind}/{{id}}"
        return read_reference(self._read(f"/{kind}/{entry_id}", (), route, keep=frozenset({_NOT_FOUND})), kind, entry_id)

    def _find_rows(self, search: PatientSearch) -> list[Row]:
        try:
            return self._read_complete("/Patient", search.params, "Patient", _READ_PATIENTS)
        except RequestRejectedError as refusal:
            if refusal.status != _BAD_REQUEST or not search.has_modifiers:
                raise
        # Modifiers may not work on every field (contract section 5 #29); without them the search finds more, not less.
        return self._read_complete("/Patient", search.without_modifiers(), "Patient", _READ_PATIENTS)

    def _find_payments(self, params: Params, ends_at: float | None) -> list[PaymentEntry]:
        rows = self._read_complete("/PaymentReconciliation", params, "PaymentReconciliation", _READ_PAYMENTS, ends_at)
        return [_readable(read_payment, row, _READ_PAYMENTS) for row in rows]

    def _read_complete(
        self, path: str, params: Params, resource_type: str, route: str, ends_at: float | None = None, **limits: int
    ) -> list[Row]:
        def fetch(page: Params) -> Answer:
            if ends_at is not None and self._clock.monotonic() >= ends_at:
                reason = "no time is left to read further pages"
                raise IncompleteReadError(reason, system="nextech", route=route)
            return self._read(path, page, route, keep=frozenset({_NOT_FOUND}))

        return read_complete(fetch, params, resource_type=resource_type, route=route, **limits)

    def _read(self, path: str, params: Params, route: str, keep: frozenset[int] = frozenset()) -> Answer:
        url = f"{self._base_url}{path}" + (f"?{query(params)}" if params else "")
        used = ""

        def build() -> httpx.Request:
            nonlocal used
            used = self._token.current()
            self._limiter.acquire(self._settings.username, route)
            return httpx.Request("GET", url, headers=self._headers(used))

        try:
            answer = self._edge.read(route, build, keep=keep)
        except (LoginRefusedError, RequestRejectedError) as refusal:
            if not used:
                raise
            if refusal.status in RENEWABLE_STATUSES:
                self._token.renew(used, route, refusal.status)
            elif refusal.status in _SUSPECT_STATUSES and self._token.age_seconds() >= _SUSPECT_TOKEN_SECONDS:
                # An expired token may come back as 400 or 403 (contract section 5 #7); a fresh one that does means it.
                self._token.replace(used)
            else:
                raise
        else:
            self._token.accept(route)
            return answer
        answer = self._edge.read(route, build, keep=keep)
        self._token.accept(route)
        return answer

    def _post(
        self, path: str, body: bytes, route: str, *, send_by: float, classify: Callable[[Answer], PostAnswer]
    ) -> PostAnswer:
        try:
            token = self._token.current()
            self._limiter.acquire(self._settings.username, route)
        except LoginRefusedError as refusal:
            return replace(not_sent(f"not sent: {refusal.reason}", is_login_refused=True), status=refusal.status)
        except RateLimitedError as busy:
            return not_sent(f"not sent: {busy.reason}", is_rate_limited=True)
        except (RemoteError, TransientError) as error:
            return not_sent(f"not sent: {error.reason if isinstance(error, RemoteError) else 'no slot to send in'}")
        headers = {**self._headers(token), "Content-Type": "application/json"}
        request = httpx.Request("POST", f"{self._base_url}{path}", headers=headers, content=body)
        try:
            answer = self._edge.send_once(request, answer_seconds=self._answer_seconds, send_by=send_by)
        except (NotSentError, AnswerLostError) as failure:
            return outcome_of_failure(failure, answer_seconds=self._answer_seconds)
        if answer.is_success:
            self._token.accept(route)
        outcome = classify(answer)
        return self._after_refusal(token, route, outcome) if answer.status in RENEWABLE_STATUSES else outcome

    def _after_refusal(self, token: str, route: str, outcome: PostAnswer) -> PostAnswer:
        """Renew a token that a POST was refused with, so that the caller's next try has a good one; send nothing."""
        try:
            self._token.renew(token, route, outcome.status)
        except LoginRefusedError as refusal:
            return replace(outcome, reason=refusal.reason, is_login_refused=True)
        except (RemoteError, TransientError):
            return replace(outcome, reason=f"{outcome.reason}, and the token could not be renewed")
        return replace(outcome, reason="token renewed, try again")

    def _headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "nx-practice-id": self._settings.practice_guid,
            "Accept": "application/json",
            "User-Agent": "order-sync",
        }


def _readable(read: Callable[[Row], _Resource], row: Row, route: str) -> _Resource:
    failure: IncompleteReadError
    try:
        return read(row)
    except UnreadableError as error:
        failure = IncompleteReadError(str(error), system="nextech", route=route)
    raise failure


def _guids(patient_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in lower case, each once, in order; raises `ValueError` for one that is no GUID."""
    asked = dict.fromkeys(guid(patient_id) for patient_id in patient_ids)
    if None in asked:
        msg = "a patient id that is no GUID"
        raise ValueError(msg)
    return tuple(patient_id for patient_id in asked if patient_id)
