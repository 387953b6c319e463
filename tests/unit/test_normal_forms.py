from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.normal_forms import (
    known_birth_date,
    normalise_customer,
    normalise_email,
    normalise_name,
    normalise_patient,
    normalise_phone,
    normalise_postal_code,
    normalise_suffix,
    split_suffix,
)
from tests.unit.situations import a_customer, a_patient, a_practice

hostile = st.one_of(st.none(), st.text(max_size=300), st.text("0123456789+-() @.\x00\r\n", max_size=80))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  Ana ", "ana"),
        ("RUIZ", "ruiz"),
        ("Núñez", "nunez"),
        ("Nu\u0301n\u0303ez", "nunez"),
        ("García-Núñez", "garcia nunez"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "obrien"),
        ("O\u00b4Brien", "obrien"),
        ("St. John", "st john"),
        ("J.P.", "jp"),
        ("De  La\tCruz", "de la cruz"),
        ("Straße", "strasse"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("\uff21\uff4e\uff41", "ana"),
        ("Ana\r\nRuiz", "ana ruiz"),
        ("Ana\x00", "ana"),
        ("Ana \N{SPARKLES}", "ana"),
        ("李", "李"),
        ("=HYPERLINK(1)", "hyperlink 1"),
    ],
)
def test_a_name_is_compared_without_case_accents_and_punctuation(written, expected):
    assert normalise_name(written) == expected


@pytest.mark.parametrize(
    "written", [None, "", "   ", "-", "\N{FIRE}\N{FIRE}", "Unknown", "N/A", "none", "Guest", "a" * 201, "\x00", "\r\n"]
)
def test_a_name_that_says_nothing_is_unknown(written):
    assert normalise_name(written) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *[("Jr", "jr"), ("JR.", "jr"), ("Junior", "jr"), ("Sr.", "sr"), ("II", "ii"), ("2nd", "ii"), ("III", "iii")],
        *[("IV", "iv"), ("V", "v"), ("M.D.", None), ("Esq.", None), ("", None), (None, None)],
    ],
)
def test_a_suffix_is_a_generation_or_unknown(written, expected):
    assert normalise_suffix(written) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ruiz jr", ("ruiz", "jr")),
        ("de la cruz iii", ("de la cruz", "iii")),
        ("ruiz", ("ruiz", None)),
        ("jr", ("jr", None)),
        ("garcia senior", ("garcia senior", None)),
        ("john v", ("john v", None)),
        (None, (None, None)),
    ],
)
def test_a_suffix_written_behind_a_name_is_told_from_it(name, expected):
    assert split_suffix(name) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Ana.Ruiz@Mail.Example", "ana.ruiz@mail.example"),
        ("  ana@mail.example\r\n", "ana@mail.example"),
        ("ana\u200b@mail.example", "ana@mail.example"),
        ("ana+store@mail.example", "ana+store@mail.example"),
        ("a.n.a@mail.example", "a.n.a@mail.example"),
    ],
)
def test_an_address_loses_case_and_blanks_but_keeps_dots_and_tags(written, expected):
    assert normalise_email(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        *[None, "", "  ", "no@email", "NO@EMAIL.COM", "none@none.com", "noemail@mail.example", "no-email@x.example"],
        *["someone@noemail.com", "noreply@mail.example", "n/a", "ana", "@mail.example", "ana@", "a b@mail.example"],
        *["ana@mail@mail.example", "ana\x00@mail.example", "ana@localhost", "ana@mail.", "a" * 250 + "@mail.example"],
    ],
)
def test_an_address_that_is_none_is_unknown(written):
    assert normalise_email(written) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("(305) 555-0142", "+13055550142"),
        ("305.555.0142", "+13055550142"),
        ("1 305 555 0142", "+13055550142"),
        ("+1 (305) 555-0142", "+13055550142"),
        ("305-555-0142 ext. 7", "+13055550142"),
        ("Tel: 305 555 0142", "+13055550142"),
        ("\uff13\uff10\uff15 555 0142", "+13055550142"),
        ("+44 20 7946 0018", "+442079460018"),
        ("555-0142", "5550142"),
        ("305 555 014200", "30555501420" + "0"),
    ],
)
def test_a_phone_is_compared_as_e164_or_by_its_digits(written, expected):
    assert normalise_phone(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "-",
        "none",
        "000-000-0000",
        "1-000-000-0000 x5",
        "(999) 999-9999",
        "123-456-7890",
        "12345",
        "5" * 30,
        "1" * 70,
        "0000000",
        "\x00",
    ],
)
def test_a_phone_that_is_none_is_unknown(written):
    assert normalise_phone(written) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *[("33130", "33130"), (" 33130-1234 ", "33130"), ("331301234", "33130"), ("\uff13\uff13130", "33130")],
        *[("00000", None), ("99999", None), ("2134", None), ("K1A 0B1", None), ("", None), (None, None), ("3" * 99, None)],
    ],
)
def test_a_zip_is_five_digits_or_unknown(written, expected):
    assert normalise_postal_code(written) == expected


@pytest.mark.parametrize(
    ("birth_date", "is_known"),
    [
        (date(1988, 4, 19), True),
        (date(1970, 1, 1), True),
        (date(1901, 1, 2), True),
        (date(1900, 1, 1), False),
        (date(1901, 1, 1), False),
        (date(1753, 1, 1), False),
        (date(1, 1, 1), False),
        (date(9999, 12, 31), False),
        (None, False),
    ],
)
def test_a_placeholder_for_a_birth_date_is_unknown(birth_date, is_known):
    assert known_birth_date(birth_date) == (birth_date if is_known else None)


def test_the_practices_own_phone_is_nobodys():
    practice = a_practice()
    assert normalise_customer(a_customer(phone="305-555-0100"), practice).phones == frozenset()
    chart = a_patient(phones=("(305) 555-0100", "(305) 555-0142", ""))
    assert normalise_patient(chart, practice).phones == {"+13055550142"}


def test_a_suffix_in_its_own_field_wins_over_one_in_the_name():
    practice = a_practice()
    assert normalise_customer(a_customer(last="Ruiz Jr.", suffix=None), practice).suffix == "jr"
    assert normalise_customer(a_customer(first="Ana III", suffix=None), practice).suffix == "iii"
    assert normalise_customer(a_customer(last="Ruiz Jr.", suffix="Sr"), practice).suffix == "sr"
    assert normalise_customer(a_customer(last="Ruiz Jr."), practice).last == "ruiz"


def test_a_person_in_normal_form_is_never_printed():
    shown = repr(normalise_patient(a_patient(nickname="Annie"), a_practice()))
    assert shown == "NormalPerson()"


@given(hostile)
def test_normalising_is_total_and_done_once(text):
    for normalise in (normalise_name, normalise_email, normalise_phone, normalise_postal_code):
        normal = normalise(text)
        assert normal is None or (0 < len(normal) <= 4000 and normalise(normal) in {normal, None})


@pytest.mark.parametrize(
    "text", ["a" * 10_000, "\N{FIRE}" * 10_000, "(305) 555-0142 " * 700, "\r\n\x00" * 3000, "'; DROP TABLE"]
)
def test_hostile_lengths_are_unknown_or_short(text):
    for normalise in (normalise_name, normalise_email, normalise_phone, normalise_postal_code, normalise_suffix):
        assert len(normalise(text) or "") < 300
