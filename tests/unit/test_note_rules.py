"""Notes of staff: ordinary ones are kept, patient data is not."""

from dataclasses import replace
from datetime import date

import pytest

from order_sync import note_rules
from order_sync.note_rules import clean_note, what_is_wrong
from order_sync.orders import Customer

TODAY = date(2026, 11, 18)
ORA = Customer(
    customer_id=1,
    is_guest=False,
    first="Ora",
    last="Castellan",
    email="ora.castellan@mailbox.example",
    phone="(305) 555-0171",
    birth_date=date(1990, 4, 19),
)
OURS = ("000004127", "88213", "DP-7K3QX0M9ZT4R-H", "19880419", "3055550171")


def said(note: str, customer: Customer = ORA) -> str | None:
    return what_is_wrong(note, today=TODAY, customer=customer, ours=OURS)


@pytest.mark.parametrize(
    "note",
    [
        "Called, no answer. Try again Friday.",
        "Voided 88213, posted again on 11/20/2026; look at DP-7K3QX0M9ZT4R-H",
        "order 000004127 and 100004019 were paid together: $1,234.50",
        "wait for the manager until 2026-12-01 at 1000",
        "2x 15 min consultation, 30 % off, room 4-12",
        "see Nov 20, 2026 and 3 Dec 2025",
        "batch 19880419, entry 3055550171 is ours",
        "the orange jar was orally agreed",
        "chart E-100234 is the right one",
    ],
)
def test_an_ordinary_note_is_kept(note: str):
    assert said(note) is None


@pytest.mark.parametrize(
    "note",
    [
        "write to someone@elsewhere.example",
        "someone\uff20elsewhere.example",
        "mail x@y",
        "someone (at) elsewhere.example",
    ],
)
def test_an_email_is_refused(note: str):
    assert said(note) == note_rules.EMAIL


@pytest.mark.parametrize(
    "note",
    [
        "call (786) 555-0199",
        "call 786-555-0199 after five",
        "7865550199",
        "+1 786 555 0199",
        "call 555-0199",
        "786.555.0199",
        "call " + "".join(chr(0xFF10 + int(digit)) for digit in "7865550199"),
        "+44 20 7946 0123",
    ],
)
def test_a_phone_number_is_refused(note: str):
    assert said(note) == note_rules.PHONE


@pytest.mark.parametrize(
    "note",
    [
        "born 1/2",
        "DOB: 04/19",
        "04/19/1988",
        "4-19-88",
        "1988-04-19",
        "19.4.1988",
        "19880420",
        "04201988",
        "April 19, 1988",
        "19 Apr. 1988",
        "Apr 19th '88",
        "birthday is the 19th",
    ],
)
def test_a_birth_date_is_refused(note: str):
    assert said(note) == note_rules.BIRTH_DATE


def test_the_customers_own_birth_date_is_refused_however_young_she_is():
    child = replace(ORA, birth_date=date(2026, 2, 3))
    assert said("see 2/3/2026", child) == note_rules.BIRTH_DATE
    assert said("see 2/4/2026", child) is None


@pytest.mark.parametrize(
    "note",
    [
        "Ora called",
        "ask CASTELLAN",
        "Mrs. Castellán-Diaz",
        "OraCastellan wants it",
        "castellan, ora",
        "o. r. a.: ora?",
        "Castellan's card",
    ],
)
def test_the_customers_name_is_refused(note: str):
    assert said(note) == note_rules.NAME


@pytest.mark.parametrize(
    ("first", "last", "note"),
    [("Li", "Bo", "Bo will call"), ("María José", "de la Cruz", "talked to jose"), ("Jean-Luc", "O'Brien", "obrien is right")],
)
def test_parts_of_a_name_count_too(first: str, last: str, note: str):
    assert said(note, replace(ORA, first=first, last=last)) == note_rules.NAME


@pytest.mark.parametrize("note", ["her login is ora.castellan", "number ends 555 and 0171 is right, 5550171"])
def test_the_customers_contact_is_refused(note: str):
    assert said(note) in (note_rules.CONTACT, note_rules.NAME, note_rules.PHONE)


def test_a_customer_of_whom_nothing_is_known_refuses_nothing():
    assert said("called twice", Customer(customer_id=None, is_guest=True)) is None


def test_a_note_is_one_line_of_at_most_200_characters():
    assert clean_note(" a\nb\t c\u202e ") == "a b c"
    assert clean_note(" \n ") is None
    note = clean_note("x" * 100_000)
    assert note is not None
    assert said(note) == note_rules.TOO_LONG
    assert said("x " * 100) is None


def test_no_refusal_repeats_the_note():
    for note in ("someone@elsewhere.example", "786-555-0199", "04/19/1988", "Ora called"):
        refusal = said(note) or ""
        assert [word for word in note.split() if word in refusal] == []
