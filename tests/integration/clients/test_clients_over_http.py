"""Both clients over real sockets against the running sandbox: what the in-process tests cannot show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from order_sync.clients.limiter import PacedLimiter
from order_sync.clients.nextech import NextechClient, NextechConnection
from order_sync.clients.store import Bearer, StoreClient, StoreConnection
from order_sync.clock import SystemClock
from order_sync.errors import SourceUnavailableError
from order_sync.payments import PaymentRequest, PostOutcome
from sandbox.demo.practices import EASTERN, NEXTECH_CLIENT_ID, NEXTECH_RESOURCE, PAYMENT_CATEGORY
from sandbox.nextech.books import booked_payments
from sandbox.nextech.faults import Effect, Fault
from sandbox.server import RunningSandbox
from tests.unit.clients.scripted import NoLimit

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        yield running


def open_client(sandbox: RunningSandbox, answer_seconds: float) -> NextechClient:
    sandbox.nextech.faults.clear()
    settings = NextechConnection(
        base_url=f"{sandbox.url}/nextech/api",
        token_url=f"{sandbox.url}/nextech/oauth2/token",
        username=EASTERN.nextech_user,
        password=EASTERN.nextech_password,
        client_id=NEXTECH_CLIENT_ID,
        resource=NEXTECH_RESOURCE,
        practice_guid=EASTERN.practice_guid,
    )
    return NextechClient(settings, limiter=PacedLimiter(18.0), answer_seconds=answer_seconds)


@pytest.fixture
def nextech(sandbox: RunningSandbox) -> Iterator[NextechClient]:
    client = open_client(sandbox, 30.0)
    yield client
    client.close()


@pytest.fixture
def hasty(sandbox: RunningSandbox) -> Iterator[NextechClient]:
    """A client that waits half a second: for answers that never come, so that no busy machine can make it wrong."""
    client = open_client(sandbox, 0.5)
    yield client
    client.close()


def any_patient(sandbox: RunningSandbox) -> str:
    return next(person.patient_id for person in sandbox.world.demo.patients if person.practice_id == EASTERN.id)


def request(patient_id: str, marker: str) -> PaymentRequest:
    return PaymentRequest(
        patient_id=patient_id,
        amount_cents=4_321,
        business_day=date(2026, 11, 20),
        payment_instant=datetime(2026, 11, 20, 17, tzinfo=UTC),
        marker=marker,
        note=f"{marker} #100000001",
        provider_id=EASTERN.provider_id,
        location_id=EASTERN.location_id,
        category=PAYMENT_CATEGORY,
    )


def send(client: NextechClient, patient_id: str, marker: str) -> PostOutcome:
    prepared = client.prepare_payment(request(patient_id, marker))
    client.check()  # so that the token is there before the budget runs
    return client.send_payment(prepared, send_by=CLOCK.monotonic() + 5).outcome


def test_a_payment_is_posted_and_read_back(sandbox: RunningSandbox, nextech: NextechClient) -> None:
    patient_id = any_patient(sandbox)
    assert send(nextech, patient_id, "DP-AAAAAAAAAAAA-A") is PostOutcome.EXECUTED
    notes = [entry.note for entry in nextech.read_payments([patient_id]).entries]
    assert "DP-AAAAAAAAAAAA-A #100000001" in notes


def booked(sandbox: RunningSandbox, marker: str) -> int:
    return sum(marker in row.note for row in booked_payments(sandbox.nextech, EASTERN.id))


@pytest.mark.parametrize(("effect", "most"), [(Effect.DRIPPED, 1), (Effect.HUNG, 1), (Effect.TIMED_OUT_EXECUTED, 1)])
def test_a_post_without_an_answer_ends_in_time_and_is_never_repeated(
    effect: Effect, most: int, sandbox: RunningSandbox, hasty: NextechClient
) -> None:
    marker = f"DP-{effect.name.replace('_', '')[:12]:X<12}-A"
    sandbox.nextech.faults.plant(Fault(effect, method="POST", route="/Patient/{id}/PaymentReconciliation"))
    began = time.monotonic()
    assert send(hasty, any_patient(sandbox), marker) is PostOutcome.UNKNOWN
    assert time.monotonic() - began < 5
    assert booked(sandbox, marker) <= most


@pytest.mark.parametrize(
    ("effect", "outcome", "count"),
    [
        (Effect.CREATED_TRUNCATED, PostOutcome.UNKNOWN, 1),
        (Effect.FAILED_EXECUTED, PostOutcome.UNKNOWN, 1),
        (Effect.REJECTED, PostOutcome.NOT_EXECUTED, 0),
    ],
)
def test_a_disturbed_answer_claims_no_more_than_it_proves(
    effect: Effect, outcome: PostOutcome, count: int, sandbox: RunningSandbox, nextech: NextechClient
) -> None:
    marker = f"DP-{effect.name.replace('_', '')[:12]:X<12}-A"
    sandbox.nextech.faults.plant(Fault(effect, method="POST", route="/Patient/{id}/PaymentReconciliation"))
    assert send(nextech, any_patient(sandbox), marker) is outcome
    assert booked(sandbox, marker) == count


def test_eight_threads_post_within_the_limit_and_each_payment_once(sandbox: RunningSandbox, nextech: NextechClient) -> None:
    patient_id = any_patient(sandbox)
    markers = [f"DP-THREADS{number:05d}-A" for number in range(40)]
    nextech.check()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda marker: send_bare(nextech, patient_id, marker), markers))
    assert set(outcomes) == {PostOutcome.EXECUTED}
    notes = [row.note for row in booked_payments(sandbox.nextech, EASTERN.id)]
    assert all(sum(marker in note for note in notes) == 1 for marker in markers)


def send_bare(client: NextechClient, patient_id: str, marker: str) -> PostOutcome:
    return client.send_payment(client.prepare_payment(request(patient_id, marker)), send_by=CLOCK.monotonic() + 30).outcome


def test_the_store_is_read_over_http(sandbox: RunningSandbox) -> None:
    settings = StoreConnection(f"{sandbox.url}/store/eastern", Bearer(EASTERN.store_token))
    client = StoreClient(settings, limiter=NoLimit())
    now = datetime.now(UTC)
    found = [order.entity_id for page in client.read_changes(now - timedelta(days=400), now, 20) for order in page.orders]
    assert sorted(found) == sorted(sandbox.shops["eastern"].orders)
    client.close()


def test_a_store_that_is_gone_is_unavailable() -> None:
    with RunningSandbox() as gone:
        url = gone.url
    client = StoreClient(StoreConnection(f"{url}/store/eastern", Bearer("x")), limiter=NoLimit())
    with pytest.raises(SourceUnavailableError):
        client.check()
