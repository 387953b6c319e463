"""The Nextech client against the sandbox, in one process: every documented alternative, and what was really booked."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from order_sync.clients.limiter import PacedLimiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.errors import IncompleteReadError, LoginRefusedError, OrderSyncError
from order_sync.patients import NewPatient
from order_sync.payments import PaymentRequest, PostAnswer, PostOutcome
from sandbox.nextech.books import booked_payments
from sandbox.nextech.engine import Nextech
from sandbox.nextech.faults import Effect, Fault
from sandbox.nextech.logins import CLIENT_ID
from sandbox.nextech.transport import InProcessNextech
from sandbox.people import SeedPatient, SeedPayment
from tests.clocks import FakeClock
from tests.integration.sandbox_nextech.desk import ANA, ARIZONA, BEN, CAT, EASTERN, PAY_ROUTE, SMITHSON, people

MARKER = "DP-7K3QX0M9ZT4R-H"
CROWD = [f"7c0e5f3a-0000-4c22-8e57-{number:012d}" for number in range(130)]
REQUEST = PaymentRequest(
    patient_id=ANA,
    amount_cents=12_999,
    business_day=date(2026, 1, 5),
    payment_instant=datetime(2026, 1, 5, 17, tzinfo=UTC),
    marker=MARKER,
    note=f"{MARKER} #000004127 main",
    provider_id="9107",
    location_id="3",
    category="WEB - Online Store",
    card_type="Visa",
)


@pytest.fixture
def nextech(clock: FakeClock) -> Nextech:
    crowd = [
        SeedPatient("eastern", guid, f"9{position:04d}", "Crowd", f"Person{position}", email=f"crowd{position}@x.example")
        for position, guid in enumerate(CROWD)
    ]
    payments = [SeedPayment("eastern", BEN, 1_000 + number, "2026-01-02", f"by hand {number}") for number in range(123)]
    return Nextech([EASTERN, ARIZONA], clock=clock.now, seed=7, patients=[*people(), *crowd], payments=payments)


@pytest.fixture
def client(nextech: Nextech, clock: FakeClock) -> NextechClient:
    settings = NextechConnection(
        base_url="https://nextech.example/nextech/api",
        token_url="https://nextech.example/nextech/oauth2/token",
        username=EASTERN.username,
        password=EASTERN.password,
        client_id=CLIENT_ID,
        resource="https://select.nextech-api.com/api",
        practice_guid=EASTERN.guid,
    )
    return NextechClient(
        settings,
        transport=InProcessNextech(nextech, clock.sleep),
        limiter=PacedLimiter(19.0, clock),
        clock=clock,
        rng=random.Random(5),
    )


def send(client: NextechClient, clock: FakeClock, request: PaymentRequest = REQUEST) -> PostAnswer:
    return client.send_payment(client.prepare_payment(request), send_by=clock.monotonic() + 5)


def booked(nextech: Nextech) -> list[tuple[str, int]]:
    return [(row.patient_id, row.amount_cents) for row in booked_payments(nextech, "eastern") if MARKER in row.note.upper()]


def test_a_payment_is_posted_found_again_and_shows_the_right_day(
    client: NextechClient, nextech: Nextech, clock: FakeClock
) -> None:
    answer = send(client, clock)
    assert answer.outcome is PostOutcome.EXECUTED
    [entry] = client.read_payments([ANA]).entries
    assert entry.payment_id == answer.created_id
    assert (entry.patient_id, entry.amount_cents, entry.note) == (ANA, 12_999, REQUEST.note)
    assert (entry.method, entry.category, entry.card_type) == ("Charge", "WEB - Online Store", "Visa")
    assert (entry.location_id, entry.provider_id) == ("3", "9107")
    assert entry.payment_instant is not None
    assert entry.payment_instant.astimezone(EASTERN.zone).date() == date(2026, 1, 5)
    assert booked(nextech) == [(ANA, 12_999)]


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"is_total_sent": False},
        {"are_links_sent": False},
        {"is_total_sent": False, "are_links_sent": False},
        {"is_last_page_overlapping": False},
        {"does_small_result_loop": True},
        {"does_small_result_loop": True, "is_total_sent": False},
        {"is_type_sent": False},
        {"sort_order": "descending"},
        {"empty_search_status": 404},
        {"empty_search_status": 404, "error_body": "message"},
        {"modifiers": "ignored"},
        {"modifiers": "rejected"},
        {"phone_comparison": "text"},
        {"private_details": "omitted"},
        {"amount_form": "noisy"},
        {"amount_form": "text"},
        {"card_type_on_read": "creditcard-type"},
        {"unknown_parameter": "reject"},
        {"count_above_maximum": "reject"},
        {"is_expires_in_text": False},
        {"forbidden_status": 523},
    ],
    ids=str,
)
def test_every_documented_alternative_gives_the_same_reading(
    switches: dict, client: NextechClient, nextech: Nextech, clock: FakeClock
) -> None:
    nextech.switches = nextech.switches.changed_by(switches)

    assert len(client.read_payments([BEN]).entries) == 123
    assert client.read_payments([ANA, SMITHSON]).entries == ()
    assert len(client.read_payments([ANA, BEN, SMITHSON, *CROWD[:30]]).entries) == 123
    assert [patient.patient_id for patient in client.search_patients(emails=["JO@x.example"])] == [ANA]
    found = client.search_patients(emails=[f"crowd{number}@x.example" for number in range(130)])
    assert sorted(patient.patient_id for patient in found) == CROWD
    assert ANA in [patient.patient_id for patient in client.search_patients(phones=["3055550142"])]
    assert [patient.patient_id for patient in client.search_patients(family="Smith")] == [ANA]
    assert client.search_patients(family="Smit") == []
    assert client.search_patients(emails=["nobody@x.example"]) == []
    patient = client.read_patient(BEN.upper())
    assert patient is not None
    assert (patient.patient_id, patient.first, patient.birth_date) == (BEN, "Ben", date(1981, 5, 31))
    assert client.read_patient("00000000-0000-4000-8000-000000000000") is None
    assert len(client.search_patients(patient_ids=[ANA, BEN, CAT])) == 3
    assert send(client, clock).outcome is PostOutcome.EXECUTED


@pytest.mark.parametrize(
    ("switches", "outcome"),
    [
        ({"payment_answer": "with_id", "payment_status": 200}, PostOutcome.EXECUTED),
        ({"payment_answer": "without_id"}, PostOutcome.UNKNOWN),
        ({"payment_answer": "empty"}, PostOutcome.UNKNOWN),
    ],
)
def test_a_booked_payment_whose_answer_proves_nothing_is_found_by_reading(
    switches: dict, outcome: PostOutcome, client: NextechClient, nextech: Nextech, clock: FakeClock
) -> None:
    nextech.switches = nextech.switches.changed_by(switches)
    assert send(client, clock).outcome is outcome
    assert [entry.note for entry in client.read_payments([ANA]).entries] == [REQUEST.note]


@pytest.mark.parametrize(
    ("fault", "outcome", "is_booked"),
    [
        (Fault(Effect.CREATED), PostOutcome.EXECUTED, True),
        (Fault(Effect.CREATED_WITHOUT_ID), PostOutcome.UNKNOWN, True),
        (Fault(Effect.CREATED_MALFORMED), PostOutcome.UNKNOWN, True),
        (Fault(Effect.CREATED_HTML), PostOutcome.UNKNOWN, True),
        (Fault(Effect.CREATED_TRUNCATED), PostOutcome.UNKNOWN, True),
        (Fault(Effect.REDIRECTED), PostOutcome.UNKNOWN, False),
        (Fault(Effect.REJECTED), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.REJECTED, status=422), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.UNAUTHORIZED), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.UNAUTHORIZED, status=523), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.NOT_FOUND), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.CONFLICT), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.GATEWAY_ERROR), PostOutcome.UNKNOWN, False),
        (Fault(Effect.RATE_LIMITED), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.RATE_LIMITED, retry_after="1000000000"), PostOutcome.NOT_EXECUTED, False),
        (Fault(Effect.FAILED), PostOutcome.UNKNOWN, False),
        (Fault(Effect.FAILED_EXECUTED), PostOutcome.UNKNOWN, True),
        (Fault(Effect.TIMED_OUT), PostOutcome.UNKNOWN, False),
        (Fault(Effect.TIMED_OUT_EXECUTED), PostOutcome.UNKNOWN, True),
        (Fault(Effect.EXECUTED_LATE, after_seconds=600), PostOutcome.UNKNOWN, False),
        (Fault(Effect.OTHER_AMOUNT), PostOutcome.UNKNOWN, True),
    ],
    ids=lambda value: f"{value.effect}-{value.status}" if isinstance(value, Fault) else None,
)
def test_no_outcome_claims_more_than_what_was_booked(
    fault: Fault, outcome: PostOutcome, *, is_booked: bool, client: NextechClient, nextech: Nextech, clock: FakeClock
) -> None:
    nextech.faults.plant(replace(fault, method="POST", route=PAY_ROUTE, remaining=1))
    assert send(client, clock).outcome is outcome
    assert bool(booked(nextech)) is is_booked


@pytest.mark.parametrize(
    "effect",
    [
        Effect.FAILED,
        Effect.UNAVAILABLE,
        Effect.MALFORMED,
        Effect.TRUNCATED,
        Effect.DRIPPED,
        Effect.HUNG,
        Effect.PARTIAL_PAGE,
        Effect.SHIFTED_PAGE,
        Effect.FILTERS_IGNORED,
        Effect.NEXT_LOOPS,
        Effect.RATE_LIMITED,
        Effect.UNAUTHORIZED,
        Effect.TOKENS_EXPIRE,
        Effect.GATEWAY_ERROR,
        Effect.NOT_FOUND,
    ],
)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_read_that_is_disturbed_is_complete_or_raises(
    effect: Effect, nth: int, client: NextechClient, nextech: Nextech, clock: FakeClock
) -> None:
    send(client, clock, replace(REQUEST, patient_id=BEN))
    nextech.faults.plant(Fault(effect, method="GET", route="/PaymentReconciliation", nth=nth))
    try:
        entries = client.read_payments([BEN]).entries
    except OrderSyncError as error:
        assert not isinstance(error, LoginRefusedError)  # noqa: PT017 - either way out is right, and each is checked
    else:
        assert len({entry.payment_id for entry in entries}) == 124
        assert MARKER in " ".join(entry.note for entry in entries)


def test_a_filter_that_is_always_ignored_is_never_evidence(client: NextechClient, nextech: Nextech) -> None:
    nextech.faults.plant(Fault(Effect.FILTERS_IGNORED, method="GET"))
    with pytest.raises(IncompleteReadError):
        client.read_payments([ANA])
    assert [patient.patient_id for patient in client.search_patients(emails=["jo@x.example", "dan@x.example"])] == [
        ANA,
        SMITHSON,
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 523])
def test_a_token_that_ends_unnoticed_is_replaced_whatever_the_status(
    status: int, client: NextechClient, nextech: Nextech, clock: FakeClock
) -> None:
    nextech.switches = nextech.switches.changed_by({"unauthorized_status": status})
    client.read_payments([ANA])
    clock.advance(minutes=5)
    nextech.faults.plant(Fault(Effect.TOKENS_EXPIRE, remaining=1))
    assert client.read_payments([ANA]).entries == ()


def test_a_wrong_password_is_asked_once(client: NextechClient, nextech: Nextech) -> None:
    nextech.switches = nextech.switches.changed_by({"are_logins_refused": True})
    for _ in range(4):
        with pytest.raises(LoginRefusedError):
            client.read_payments([ANA])
    answers = nextech.traffic.described()["answers"]
    assert [counts for endpoint, counts in answers.items() if "token" in endpoint] == [{"400": 1}]


def test_a_refused_refresh_is_followed_by_one_login(client: NextechClient, nextech: Nextech, clock: FakeClock) -> None:
    client.read_payments([ANA])
    nextech.faults.plant(Fault(Effect.REFRESH_REFUSED, remaining=1))
    clock.advance(hours=1)
    assert client.read_payments([ANA]).entries == ()


def test_the_limit_of_the_server_is_never_reached(client: NextechClient, nextech: Nextech) -> None:
    for _ in range(90):
        client.read_payments([ANA])
    assert 15 <= nextech.traffic.peak() <= 20


NEW = NewPatient("Nora", "Lind", "nora@x.example", "(305) 555-0177", date(1990, 2, 3), "33130", referral_source_id="311")


def test_a_new_account_is_made_once_and_found(client: NextechClient, clock: FakeClock) -> None:
    created = client.create_patient(NEW, send_by=clock.monotonic() + 5)
    assert created.outcome is PostOutcome.EXECUTED
    [patient] = client.search_patients(emails=["nora@x.example"])
    assert patient.patient_id == created.created_id
    assert (patient.first, patient.last, patient.postal_code) == ("Nora", "Lind", "33130")

    again = client.create_patient(NEW, send_by=clock.monotonic() + 5)
    assert (again.outcome, again.is_duplicate) == (PostOutcome.NOT_EXECUTED, True)


def test_location_and_provider_exist_or_not(client: NextechClient) -> None:
    assert client.read_location("3") is not None
    assert client.read_location("99") is None
    assert client.read_practitioner("9107") is not None
    assert client.read_practitioner("99") is None
    assert client.check()


def test_a_practice_that_is_not_ours_is_refused(client: NextechClient) -> None:
    client._settings = replace(client._settings, practice_guid="00000000-0000-4000-8000-000000000000")
    with pytest.raises(LoginRefusedError):
        client.read_payments([ANA])
