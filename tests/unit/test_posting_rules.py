from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.markers import make_marker, posting_key
from order_sync.money import AmountError
from order_sync.orders import Tender
from order_sync.payments import EntryStatus
from order_sync.posting_rules import (
    Absent,
    Doubled,
    Mismatch,
    PossibleManualEntry,
    Posted,
    Voided,
    payment_instant,
    payment_request,
    read_evidence,
)
from tests.unit.situations import MARKER_KEY, OTHER_PATIENT_ID, PATIENT_ID, a_practice, an_entry, an_order, totals

PRACTICE = a_practice()
MARKER = make_marker(MARKER_KEY, posting_key(an_order(), PRACTICE))
FOREIGN_MARKER = make_marker(MARKER_KEY, posting_key(an_order(entity_id=1), PRACTICE))
NOTE = f"{MARKER} #000004127 main 1x Mineral Sunscreen (DRM-SPF50)"
FOREIGN_NOTE = f"{FOREIGN_MARKER} #000000001 main"
DAY = date(2026, 3, 2)
CANCELLED, DELETED = EntryStatus.CANCELLED, EntryStatus.ENTERED_IN_ERROR
ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "Pacific/Honolulu"]


def ours(payment_id="88213", **changes):
    return an_entry(payment_id, **({"note": NOTE} | changes))


def read(*entries, known=(), practice=PRACTICE):
    return read_evidence(
        marker=MARKER,
        amount_cents=12210,
        business_day=DAY,
        patient_id=PATIENT_ID,
        entries=entries,
        practice=practice,
        known_payment_ids=frozenset(known),
    )


ORIGINAL = ours("1", status=CANCELLED)
NEGATIVE = ours("2", status=CANCELLED, amount_cents=-12210)
CORRECTED = ours("3")
REFUND = ours("4", amount_cents=-5000)
BY_HAND = an_entry("5", note="store payment")
FOREIGN = an_entry("6", note=FOREIGN_NOTE)


def test_a_request_says_everything_that_nextech_needs():
    request = payment_request(an_order(), PRACTICE, PATIENT_ID.upper(), MARKER)
    assert (request.patient_id, request.amount_cents, request.business_day) == (PATIENT_ID, 12210, DAY)
    assert request.payment_instant == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    assert (request.marker, request.note) == (MARKER, NOTE)
    assert (request.provider_id, request.location_id, request.category) == ("9107", "3", "WEB - Online Store")
    assert (request.method, request.card_type) == ("Charge", "Visa")


@pytest.mark.parametrize(
    ("tender", "card_type"),
    [
        (Tender("braintree", "ae"), "AmEx"),
        (Tender("braintree", " VI "), "Visa"),
        (Tender("braintree", "DI"), None),
        (Tender("paypal_express", None), None),
        (None, None),
    ],
)
def test_the_card_type_is_the_practices_spelling_or_none(tender, card_type):
    assert payment_request(an_order(tender=tender), PRACTICE, PATIENT_ID, MARKER).card_type == card_type


def test_an_order_at_eight_in_the_evening_is_that_days():
    placed_at = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    request = payment_request(an_order(placed_at=placed_at), a_practice(time_zone="America/Chicago"), PATIENT_ID, MARKER)
    assert request.business_day == DAY
    assert request.payment_instant == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def test_an_amount_that_cannot_be_posted_makes_no_request():
    with pytest.raises(AmountError):
        payment_request(an_order(totals=totals("10.0050")), PRACTICE, PATIENT_ID, MARKER)


@given(st.dates(date(2025, 1, 1), date(2030, 12, 31)), st.sampled_from(ZONES))
def test_the_day_survives_either_reading_of_the_payments_date(day, zone):
    practice = a_practice(time_zone=zone)
    instant = payment_instant(day, practice)
    assert instant.tzinfo is UTC
    assert instant.date() == practice.business_day(instant) == day


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        pytest.param(Absent(), [], id="no payments at all"),
        pytest.param(Absent(), [FOREIGN], id="another order of the same amount and day"),
        pytest.param(Absent(), [REFUND], id="a refund with our marker proves no posting"),
        pytest.param(Absent(), [an_entry(amount_cents=12211)], id="another amount"),
        pytest.param(Absent(), [an_entry(amount_cents=-12210)], id="a refund by hand"),
        pytest.param(Absent(), [an_entry(patient_id=OTHER_PATIENT_ID)], id="another patient's payment"),
        pytest.param(Absent(), [an_entry(patient_id=None)], id="a payment of nobody"),
        pytest.param(Absent(), [an_entry(payment_instant=None)], id="a payment without a date"),
        pytest.param(Absent(), [an_entry(status=CANCELLED)], id="a hand entry that was voided"),
        pytest.param(Absent(), [an_entry(status=DELETED)], id="a hand entry that was deleted"),
        pytest.param(Absent(), [an_entry(payment_instant=datetime(2026, 3, 3, 5, tzinfo=UTC))], id="the next day"),
        pytest.param(Absent(), [an_entry(payment_instant=datetime(2026, 3, 1, 5, tzinfo=UTC))], id="the day before"),
        pytest.param(Posted("88213", ours()), [ours()], id="posted"),
        pytest.param(Posted("88213", ours()), [ours(), REFUND], id="posted and partly refunded"),
        pytest.param(Posted("88213", ours()), [ours(), ours("9", amount_cents=-12210)], id="posted and wholly refunded"),
        pytest.param(Posted("88213", ours()), [ours(), BY_HAND, FOREIGN], id="posted, and others beside it"),
        pytest.param(Posted("3", CORRECTED), [ORIGINAL, NEGATIVE, CORRECTED], id="voided and corrected: one posting"),
        pytest.param(Posted("3", CORRECTED), [ours("1", status=DELETED), CORRECTED], id="deleted and entered again"),
        pytest.param(Voided(), [ORIGINAL, NEGATIVE], id="voided"),
        pytest.param(Voided(), [ours(status=DELETED)], id="deleted"),
        pytest.param(Voided(), [ORIGINAL], id="half of a void"),
        pytest.param(Voided(), [ORIGINAL, NEGATIVE, REFUND], id="voided, with a refund"),
        pytest.param(Doubled(("1", "2")), [ours("2"), ours("1")], id="booked twice"),
        pytest.param(Doubled(("9", "10")), [ours("10"), ours("9", amount_cents=1)], id="split in two"),
        pytest.param(Doubled(("3", "7")), [ORIGINAL, NEGATIVE, CORRECTED, ours("7")], id="corrected and booked again"),
        pytest.param(PossibleManualEntry("5"), [BY_HAND], id="entered by hand"),
        pytest.param(PossibleManualEntry("5"), [replace(BY_HAND, category="Copay")], id="by hand in another category"),
        pytest.param(PossibleManualEntry("5"), [replace(BY_HAND, patient_id=PATIENT_ID.upper())], id="capital letters"),
        pytest.param(PossibleManualEntry("5"), [BY_HAND, FOREIGN, REFUND], id="by hand among others"),
        pytest.param(PossibleManualEntry("5"), [replace(BY_HAND, payment_id="17"), BY_HAND], id="the oldest of two"),
        pytest.param(PossibleManualEntry("5"), [ORIGINAL, NEGATIVE, BY_HAND], id="voided, and a correction without our note"),
        pytest.param(
            PossibleManualEntry("5"), [replace(BY_HAND, payment_instant=datetime(2026, 3, 2, tzinfo=UTC))], id="midnight in UTC"
        ),
        pytest.param(
            PossibleManualEntry("5"),
            [replace(BY_HAND, payment_instant=datetime(2026, 3, 3, 4, 59, tzinfo=UTC))],
            id="late that evening",
        ),
        pytest.param(PossibleManualEntry("5"), [replace(BY_HAND, note=f"{MARKER[:-1]}?")], id="a damaged marker"),
    ],
)
def test_what_a_complete_read_proves(expected, entries):
    assert read(*entries) == expected


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        (("patient",), {"patient_id": OTHER_PATIENT_ID}),
        (("patient",), {"patient_id": None}),
        (("amount",), {"amount_cents": 12211}),
        (("amount",), {"amount_cents": 0}),
        (("day",), {"payment_instant": datetime(2026, 3, 3, 5, 0, tzinfo=UTC)}),
        (("day",), {"payment_instant": datetime(2026, 3, 2, 0, 0, tzinfo=UTC)}),
        (("day",), {"payment_instant": None}),
        (("category",), {"category": "Copay"}),
        (("category",), {"category": None}),
        (("method",), {"method": "Cash"}),
        (
            ("patient", "amount", "day", "category"),
            {"patient_id": None, "amount_cents": 1, "payment_instant": None, "category": ""},
        ),
    ],
)
def test_a_posting_that_stands_there_otherwise_is_a_mismatch(fields, changes):
    assert read(ours(**changes)) == Mismatch("88213", fields)


@pytest.mark.parametrize(
    "changes",
    [
        {"patient_id": PATIENT_ID.upper()},
        {"category": " web -  online store"},
        {"method": None},
        {"card_type": "MasterCard", "provider_id": "1", "location_id": "9"},
        {"payment_instant": datetime(2026, 3, 2, 17, 0, tzinfo=UTC)},
        {"note": MARKER.lower().replace("-", " - ")},
        {"note": f"corrected by staff, was {FOREIGN_MARKER}: {MARKER}"},
    ],
)
def test_what_servers_and_staff_rightly_change_is_no_mismatch(changes):
    assert isinstance(read(ours(**changes)), Posted)


def test_a_corrected_copy_with_another_amount_is_a_mismatch_and_no_duplicate():
    assert read(ORIGINAL, NEGATIVE, replace(CORRECTED, amount_cents=10000)) == Mismatch("3", ("amount",))


def test_a_payment_that_the_ledger_holds_for_another_order_is_no_hand_entry():
    assert read(BY_HAND, known={"5"}) == Absent()
    assert read(BY_HAND, replace(BY_HAND, payment_id="17"), known={"5"}) == PossibleManualEntry("17")


def test_our_own_row_is_found_although_the_ledger_knows_its_id():
    assert read(ours(), known={"88213"}) == Posted("88213", ours())


entries = st.lists(
    st.builds(
        an_entry,
        payment_id=st.integers(1, 10**6).map(str),
        status=st.sampled_from(EntryStatus),
        amount_cents=st.sampled_from([12210, -12210, 12211, 0, -5000]),
        note=st.sampled_from([NOTE, NOTE.lower(), FOREIGN_NOTE, "", "by hand", f"{FOREIGN_NOTE} {MARKER}"]),
        patient_id=st.sampled_from([PATIENT_ID, PATIENT_ID.upper(), OTHER_PATIENT_ID, None]),
        payment_instant=st.one_of(
            st.none(), st.integers(-40, 40).map(lambda hours: datetime(2026, 3, 2, 17, tzinfo=UTC) + timedelta(hours=hours))
        ),
    ),
    max_size=6,
    unique_by=lambda entry: entry.payment_id,
)


@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_never_matters(rows, random):
    shuffled = [*rows]
    random.shuffle(shuffled)
    assert read(*shuffled) == read(*rows)


@given(entries, st.sampled_from([NOTE, "", FOREIGN_NOTE]), st.integers(-20_000, -1))
def test_a_refund_never_changes_the_verdict(rows, note, amount_cents):
    refund = an_entry("9999999", note=note, amount_cents=amount_cents)
    assert read(*rows, refund) == read(*rows)


@given(entries)
def test_absent_means_that_nothing_of_ours_was_ever_there(rows):
    if read(*rows) == Absent():
        assert not any(
            MARKER in row.note.upper() and (row.status, row.amount_cents < 0) != (EntryStatus.ACTIVE, True) for row in rows
        )


@given(entries)
def test_one_more_live_row_of_ours_is_never_overlooked(rows):
    assert isinstance(read(*rows, ours("9999999")), (Posted, Doubled))


@given(entries)
def test_voiding_everything_leaves_nothing_posted(rows):
    voided = [replace(row, status=CANCELLED) for row in rows]
    assert isinstance(read(*voided), (Voided, Absent))


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_an_order_of_any_hour_is_found_on_its_own_day(moment, zone):
    practice = a_practice(time_zone=zone)
    placed_at = moment.replace(tzinfo=UTC)
    request = payment_request(an_order(placed_at=placed_at), practice, PATIENT_ID, MARKER)
    local_midnight = datetime.combine(request.business_day, datetime.min.time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for instant in (request.payment_instant, local_midnight):
        row = ours(payment_instant=instant)
        verdict = read_evidence(
            marker=MARKER,
            amount_cents=12210,
            business_day=request.business_day,
            patient_id=PATIENT_ID,
            entries=[row],
            practice=practice,
        )
        assert verdict == Posted("88213", row)
