"""Scenes about whose order it is: every rung of the evidence ladder, ties, blocks and new accounts (design section 5)."""

from __future__ import annotations

from sandbox.demo.characters import Person
from sandbox.demo.practices import ARIZONA, CENTRAL, EASTERN
from sandbox.demo.scenes import NEW, NOT_SYNCED, SHIPPED, TEN_MINUTES_AGO, Scene, scene

_MAYA = Person(EASTERN, 1, "Maya", "Trent")
_GORDON = Person(EASTERN, 2, "Gordon", "Pell")
_HANNAH = Person(EASTERN, 3, "Hannah", "Brightwell")
_THEO = Person(EASTERN, 4, "Theo", "Lindqvist")
_PRIYA = Person(EASTERN, 5, "Priya", "Raman")
_MARGARET = Person(EASTERN, 15, "Margaret", "Holloway")
_JOSE = Person(EASTERN, 16, "Jose", "Nunez")
_WALTER = Person(EASTERN, 19, "Walter", "Engel")
_PAUL = Person(EASTERN, 21, "Paul", "Okafor")
_PATRICIA = Person(EASTERN, 23, "Patricia", "Dunmore")
_OWEN = Person(CENTRAL, 1, "Owen", "Castle")
_LILA = Person(CENTRAL, 2, "Lila", "Fontaine")
_ADA = Person(CENTRAL, 3, "Ada", "Abernathy")
_JACK = Person(CENTRAL, 4, "Jack", "Moran")
_ROBERT = Person(CENTRAL, 14, "Robert", "Ellison")
_DANIEL = Person(CENTRAL, 15, "Daniel", "Prescott")
_OLGA = Person(CENTRAL, 18, "Olga", "Brandt")
_IVY = Person(CENTRAL, 21, "Ivy", "Sanders")
_CARMEN = Person(ARIZONA, 1, "Carmen", "Delgado")
_ROSA = Person(ARIZONA, 2, "Rosa", "Whitehorse")
_WILLIAM = Person(ARIZONA, 3, "William", "Ashcroft")
_DENISE = Person(ARIZONA, 4, "Denise", "Kolb")
_JULIA = Person(ARIZONA, 11, "Julia", "Benson")
_CHIDI = Person(ARIZONA, 12, "Chidi", "Okoro")
_WENDY = Person(ARIZONA, 13, "Wendy", "Larkin")
_KATHARINE = Person(ARIZONA, 18, "Katharine", "Vale")
_TOMAS = Person(ARIZONA, 21, "Tomas", "Hale")
_BELLA = Person(ARIZONA, 22, "Bella", "Norwood")
_FRANK = Person(ARIZONA, 23, "Frank", "Mercer")
_GUEST = {"customer_id": None, "birth_date": None}

KNOWN: tuple[Scene, ...] = (
    scene("known-patient", "A known patient, everything equal", _MAYA, days_ago=2),
    scene(
        "several-items",
        "A known patient buys products and a consultation",
        _GORDON,
        days_ago=6,
        basket=(("DRM-SPF50-50ML", 2), ("DRM-VITC-30", 1), ("DRM-CONSULT-15", 1)),
        options={"card": "MC"},
    ),
    scene("known-patient-central", "A known patient, shipped", _OWEN, days_ago=4, steps=SHIPPED),
    scene("known-patient-arizona", "A known patient where clocks never change", _CARMEN, days_ago=22),
    scene("ten-minutes-ago", "An order of ten minutes ago", _PAUL, days_ago=TEN_MINUTES_AGO, basket=(("DRM-EYE-15", 1),)),
    scene("guest", "A known patient who ordered as a guest: the names stand on the address", _PRIYA, days_ago=9, buyer=_GUEST),
    scene("nickname", "Bill in the store, William in Nextech", _WILLIAM, days_ago=8, buyer={"first": "Bill"}),
    scene(
        "nickname-on-file",
        "Trish in the store; the chart knows that nickname",
        _PATRICIA,
        days_ago=10,
        charts=(_PATRICIA.chart(nickname="Trish"),),
        buyer={"first": "Trish"},
    ),
    scene(
        "old-phone",
        "The chart still has the old phone",
        _THEO,
        days_ago=12,
        charts=(_THEO.chart(mobile="(212) 555-0181"),),
    ),
    scene(
        "new-email",
        "Another e-mail address; the phone confirms",
        _JACK,
        days_ago=13,
        buyer={"email": "jack.moran@workplace.example"},
    ),
    scene(
        "private-email",
        "Nextech keeps the e-mail private; the phone confirms",
        _DENISE,
        days_ago=14,
        charts=(_DENISE.chart(is_email_private=True),),
    ),
    scene("no-email", "No e-mail on the order; the phone confirms", _WALTER, days_ago=16, buyer={"email": None}),
    scene(
        "practice-phone",
        "Staff typed the practice's own phone: it counts as unknown",
        _OLGA,
        days_ago=15,
        buyer={"phone": CENTRAL.own_phone},
    ),
    scene(
        "accent", "José Núñez in the store, Jose Nunez in Nextech", _JOSE, days_ago=11, buyer={"first": "José", "last": "Núñez"}
    ),
    scene(
        "swapped-names",
        "First and last name typed into each other's field",
        _CHIDI,
        days_ago=17,
        buyer={"first": "Okoro", "last": "Chidi"},
    ),
    scene("typing-error", "One letter missing: Katharne, Katharine", _KATHARINE, days_ago=18, buyer={"first": "Katharne"}),
    scene(
        "married-name",
        "A married name: e-mail and birth date are equal",
        _JULIA,
        days_ago=19,
        buyer={"last": "Castellano"},
    ),
    scene(
        "father-and-son",
        "Two charts share name, e-mail and phone; the birth date tells them apart",
        _FRANK,
        days_ago=20,
        charts=(_FRANK.chart(), _FRANK.chart("father", birth_date="1931-02-03")),
    ),
)

UNCERTAIN: tuple[Scene, ...] = (
    scene(
        "duplicated-customer",
        "Two charts of the same person",
        _HANNAH,
        days_ago=3,
        charts=(_HANNAH.chart(), _HANNAH.chart("again")),
        status=NOT_SYNCED,
        reason="duplicated_customer",
    ),
    scene(
        "shared-email",
        "Twins share an e-mail address; only the other twin has a chart",
        _ADA,
        days_ago=5,
        buyer={"first": "Zoe", "phone": "(512) 555-0177"},
        status=NOT_SYNCED,
        reason="name_differs",
    ),
    scene(
        "last-name-differs",
        "Another last name, and no birth date to confirm it",
        _IVY,
        days_ago=7,
        charts=(_IVY.chart(birth_date=None),),
        buyer={"last": "Quimby", "birth_date": None},
        status=NOT_SYNCED,
        reason="name_differs",
    ),
    scene(
        "birth-date-differs",
        "Meg may be Margaret, but the birth date contradicts",
        _MARGARET,
        days_ago=9,
        buyer={"first": "Meg", "birth_date": "1999-12-24"},
        status=NOT_SYNCED,
        reason="birth_date_differs",
    ),
    scene(
        "junior-and-senior",
        "Robert Ellison Jr orders; the chart is Robert Ellison Sr",
        _ROBERT,
        days_ago=10,
        charts=(_ROBERT.chart(suffix="Sr", birth_date=None),),
        buyer={"suffix": "Jr", "birth_date": None},
        status=NOT_SYNCED,
        reason="suffix_differs",
    ),
    scene(
        "name-missing",
        "The last name is missing",
        _WENDY,
        days_ago=6,
        buyer={**_GUEST, "last": None},
        status=NOT_SYNCED,
        reason="name_missing",
    ),
)

NEWCOMERS: tuple[Scene, ...] = (
    scene("new-patient", "A new patient with everything that an account needs", _ROSA, days_ago=2, charts=()),
    scene(
        "household",
        "Same phone and last name, another first name: a new account",
        _DANIEL,
        days_ago=11,
        buyer={"first": "Emily", "email": "emily.prescott@mailbox.example", "birth_date": "1991-08-17"},
        patient_id=NEW,
    ),
    scene(
        "missing-birth-date",
        "A new customer without a birth date",
        _LILA,
        days_ago=1,
        charts=(),
        buyer={"birth_date": None},
        status=NOT_SYNCED,
        reason="cannot_create_account",
    ),
    scene(
        "new-guest",
        "A new guest: the store never asked for a birth date",
        _TOMAS,
        days_ago=4,
        charts=(),
        buyer=_GUEST,
        status=NOT_SYNCED,
        reason="cannot_create_account",
    ),
    scene(
        "placeholder-zip",
        "A new customer with ZIP 00000",
        _BELLA,
        days_ago=5,
        charts=(),
        buyer={"postal_code": "00000"},
        status=NOT_SYNCED,
        reason="cannot_create_account",
    ),
)

MATCHING_SCENES: tuple[Scene, ...] = (*KNOWN, *UNCERTAIN, *NEWCOMERS)
