"""Nextech without HTTP: one request in, one answer out, and books that say what really happened.

Everything is decided by the seed, the injected clock and the order of the calls; a lock makes the calls one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from threading import RLock

from sandbox.nextech.exchange import Answer, Call, Delivery, RefusedError, json_answer
from sandbox.nextech.faults import Effect, Fault, FaultPlan
from sandbox.nextech.logins import Logins
from sandbox.nextech.misfortune import NOT_EXECUTED, disguised, error_answer, limited, refusal, without_id
from sandbox.nextech.office import Office
from sandbox.nextech.patient_writes import patient_draft, update_patient
from sandbox.nextech.payment_writes import payment_draft
from sandbox.nextech.reading import Reader
from sandbox.nextech.records import PracticeSetup
from sandbox.nextech.resources import patient_resource, payment_resource
from sandbox.nextech.routes import Route, route_of
from sandbox.nextech.switches import NextechSwitches
from sandbox.nextech.traffic import Traffic
from sandbox.people import SeedPatient, SeedPayment


@dataclass(frozen=True, slots=True)
class _Late:
    """A request that the server executes after its caller gave up."""

    due_at: datetime
    call: Call
    route: Route
    office: Office


class Nextech:
    """All practices behind one host, with one token endpoint.

    `clock` tells the instant in UTC; `seed` decides ids, tokens, the shuffled order and what a fault's probability
    means. The switches may be replaced at any time.
    """

    def __init__(
        self,
        setups: Sequence[PracticeSetup],
        *,
        clock: Callable[[], datetime],
        seed: int = 0,
        patients: Sequence[SeedPatient] = (),
        payments: Sequence[SeedPayment] = (),
        switches: NextechSwitches | None = None,
    ) -> None:
        """Open the practices and enter their seed."""
        self._setups = tuple(setups)
        self._clock = clock
        self._seed = seed
        self._patients, self._payments = tuple(patients), tuple(payments)
        self._initial_switches = switches or NextechSwitches()
        self.lock = RLock()
        self.reset()

    def reset(self, patients: Sequence[SeedPatient] | None = None, payments: Sequence[SeedPayment] | None = None) -> None:
        """Go back to the seed, or to a new one: books, tokens, switches, faults and counts."""
        with self.lock:
            self._patients = self._patients if patients is None else tuple(patients)
            self._payments = self._payments if payments is None else tuple(payments)
            self.rng = Random(self._seed)
            self.switches = self._initial_switches
            self.faults = FaultPlan()
            self.traffic = Traffic()
            self.logins = Logins.of(self._setups, self.rng)
            self.offices = {setup.practice_id: Office(setup, self.rng) for setup in self._setups}
            self._by_guid = {setup.guid.casefold(): self.offices[setup.practice_id] for setup in self._setups}
            self._late: list[_Late] = []
            self.seed(self._patients, self._payments)

    def seed(self, patients: Iterable[SeedPatient], payments: Iterable[SeedPayment] = ()) -> None:
        """Enter more patients and payments as if they had always been there."""
        people, paid = list(patients), list(payments)
        with self.lock:
            for practice_id, office in self.offices.items():
                mine = [person for person in people if person.practice_id == practice_id]
                theirs = [payment for payment in paid if payment.practice_id == practice_id]
                office.seed(mine, theirs, self._clock())

    def now(self) -> datetime:
        """Return the instant, after everything that was due until then has been executed."""
        now = self._clock()
        with self.lock:
            due = sorted((late for late in self._late if late.due_at <= now), key=lambda late: late.due_at)
            self._late = [late for late in self._late if late.due_at > now]
            for late in due:
                self._executed(late.call, late.route, late.office, late.due_at, None)
        return now

    def late_count(self) -> int:
        """Return how many requests are still to be executed late."""
        self.now()
        return len(self._late)

    def answer(self, call: Call) -> Answer:
        """Answer one request."""
        with self.lock:
            now = self.now()
            route = route_of(call.method, call.path)
            endpoint = f"{call.method} {route.template}" if route is not None else f"{call.method} (unknown)"
            try:
                answer = self._answered(call, route, endpoint, now)
            except RefusedError as error:
                answer = error_answer(error, self.switches.error_body)
            answer = replace(answer, delay_seconds=answer.delay_seconds + self.switches.latency_seconds)
            self.traffic.answered(endpoint, answer.status if answer.delivery is not Delivery.NEVER else None)
            return answer

    def _answered(self, call: Call, route: Route | None, endpoint: str, now: datetime) -> Answer:
        if route is None:
            raise RefusedError(404, "There is no such endpoint.")
        if route.action == "token":
            return self._token(call, route, now)
        user = self.logins.user_of(call.headers.get("authorization"), now)
        if not self.traffic.is_admitted(user.username if user else "(nobody)", endpoint, now, self.switches):
            return limited(self.switches.retry_after)
        if user is None:
            raise RefusedError(self.switches.unauthorized_status, "The token is missing or expired.")
        office = self._by_guid.get(call.headers.get("nx-practice-id", "").strip().casefold())
        if office is None or office.setup is not user:
            raise RefusedError(self.switches.forbidden_status, "The practice is not accessible.")
        fault = self.faults.strike(call.method, route.template, user.practice_id, self.rng)
        if fault is None:
            return self._executed(call, route, office, now, None)
        return self._struck(fault, call, route, office, now)

    def _token(self, call: Call, route: Route, now: datetime) -> Answer:
        fault = self.faults.strike(call.method, route.template, None, self.rng)
        if fault is not None and fault.effect in NOT_EXECUTED:
            return refusal(fault)
        is_refused = fault is not None and fault.effect is Effect.REFRESH_REFUSED
        answer = self.logins.granted(call.body, self.switches, now, is_refresh_refused=is_refused)
        return disguised(answer, fault) if fault is not None else answer

    def _struck(self, fault: Fault, call: Call, route: Route, office: Office, now: datetime) -> Answer:
        if fault.effect in NOT_EXECUTED:
            return refusal(fault)
        if fault.effect is Effect.TOKENS_EXPIRE:
            self.logins.end_all()
            raise RefusedError(self.switches.unauthorized_status, "The token is expired.")
        if fault.effect is Effect.EXECUTED_LATE:
            self._late.append(_Late(now + timedelta(seconds=fault.after_seconds), call, route, office))
            return Answer(0, delivery=Delivery.NEVER)
        answer = self._executed(call, route, office, now, fault.effect)
        if fault.effect is Effect.EXECUTED_TWICE:
            self._executed(call, route, office, now, fault.effect)
        return disguised(answer, fault)

    def _executed(self, call: Call, route: Route, office: Office, at: datetime, effect: Effect | None) -> Answer:
        """Do what the request asks; an error of the API's own is an answer like any other."""
        try:
            return self._done(call, route, office, at, effect)
        except RefusedError as error:
            return error_answer(error, self.switches.error_body)

    def _done(self, call: Call, route: Route, office: Office, at: datetime, effect: Effect | None) -> Answer:
        reader = Reader(office, self.switches, self.rng, at, effect)
        match route.action:
            case "search":
                return reader.search(route.kind, call.query)
            case "patient_id":
                return reader.patient_id(call.query)
            case "read":
                return reader.read(route.kind, route.identifier)
            case "create_patient":
                return self._create_patient(call, office, at)
            case "update_patient":
                return self._update_patient(call, office, at)
            case "pay":
                return self._pay(call, route, office, at, effect)
            case _:
                raise RefusedError(self.switches.correction_status, "The method is not allowed.")

    def _pay(self, call: Call, route: Route, office: Office, at: datetime, effect: Effect | None) -> Answer:
        draft = payment_draft(_document(call.body), office.setup, self.switches)
        payment = office.book(route.identifier, draft, self.switches, at, effect)
        answer = json_answer(self.switches.payment_status, payment_resource(payment, office.chart, self.switches))
        form = "with_id" if effect is Effect.CREATED else self.switches.payment_answer
        if form == "empty":
            return Answer(answer.status)
        return without_id(answer) if form == "without_id" else answer

    def _create_patient(self, call: Call, office: Office, at: datetime) -> Answer:
        patient = office.create_patient(patient_draft(_document(call.body)), self.switches, at)
        return json_answer(self.switches.patient_status, patient_resource(patient, office.chart, self.switches))

    def _update_patient(self, call: Call, office: Office, at: datetime) -> Answer:
        draft = patient_draft(_document(call.body))
        patient = office.patient_at(draft.guid or "", self.switches)
        if patient is None:
            raise RefusedError(404, "The patient does not exist.")
        update_patient(patient, draft, office.setup)
        patient.updated_at = at
        return json_answer(200, patient_resource(patient, office.chart, self.switches))


def _document(body: bytes) -> object:
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise RefusedError(400, "The body is not JSON.") from error
