from __future__ import annotations

import re

import pytest

from order_sync.customer_keys import customer_key
from tests.unit.situations import CUSTOMER_KEY, a_customer


def a_guest(**changes):
    return a_customer(**({"customer_id": None, "is_guest": True} | changes))


def key_of(customer, practice_id="eastern"):
    return customer_key(CUSTOMER_KEY, practice_id, customer)


def test_an_account_is_known_by_its_id_whatever_its_address_becomes():
    assert key_of(a_customer()) == key_of(a_customer(email="new@mail.example", last="Gomez"))
    assert key_of(a_customer()) != key_of(a_customer(customer_id=813))


def test_a_guest_is_known_by_address_and_names_however_they_are_typed():
    assert key_of(a_guest()) == key_of(a_guest(first=" ANA", last="Ruíz", email="Ana.Ruiz@MAIL.example "))


@pytest.mark.parametrize("change", [{"first": "Pedro"}, {"last": "Gomez"}, {"email": "pedro@mail.example"}])
def test_another_member_of_the_family_is_another_guest(change):
    assert key_of(a_guest(**change)) != key_of(a_guest())


@pytest.mark.parametrize("change", [{"first": None}, {"last": "-"}, {"email": "no@email"}])
def test_a_guest_who_cannot_be_told_apart_is_not_remembered(change):
    assert key_of(a_guest(**change)) is None


def test_a_guest_with_an_account_number_left_over_is_still_a_guest():
    assert key_of(a_guest(customer_id=812)) == key_of(a_guest())


def test_a_decision_holds_for_its_practice_and_its_key_alone():
    assert key_of(a_customer()) != key_of(a_customer(), "western")
    assert key_of(a_customer()) != customer_key(b"another", "eastern", a_customer())


def test_an_account_and_a_guest_never_share_a_key_and_nothing_of_them_is_readable():
    keys = {key_of(a_customer()), key_of(a_guest())}
    assert len(keys) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


def test_an_empty_key_is_refused():
    with pytest.raises(ValueError, match="key of the remembered decisions is empty"):
        customer_key(b"", "eastern", a_customer())
