"""What the practice's staff do in Nextech's own windows, by name, for the control endpoints and for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.nextech.engine import Nextech
from sandbox.nextech.office import NotOnFileError, Office


class StaffError(ValueError):
    """Say that a staff action is unknown, incomplete, or about something that is not there."""


class _Asked(BaseModel):
    """What an action needs to know; `amount_cents` of a refund is positive, the row that it makes is negative."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    practice: str
    payment_id: str | None = None
    patient_id: str | None = None
    into: str | None = None
    amount_cents: int | None = None
    business_day: date | None = None
    note: str | None = None

    def need(self, name: str) -> Any:  # noqa: ANN401
        """Return a value that the action cannot do without."""
        value = getattr(self, name)
        if value is None:
            msg = f"{name} is missing"
            raise StaffError(msg)
        return value


def _void(office: Office, asked: _Asked, now: datetime) -> str:
    return office.void(asked.need("payment_id"), now).payment_id


def _void_and_correct(office: Office, asked: _Asked, now: datetime) -> str:
    corrected = office.void_and_correct(
        asked.need("payment_id"), now, amount_cents=asked.amount_cents, note=asked.note, day=asked.business_day
    )
    return corrected.payment_id


def _delete(office: Office, asked: _Asked, now: datetime) -> str:
    return office.delete(asked.need("payment_id"), now).payment_id


def _edit_note(office: Office, asked: _Asked, now: datetime) -> str:
    return office.edit_note(asked.need("payment_id"), asked.need("note"), now).payment_id


def _hand_payment(office: Office, asked: _Asked, now: datetime) -> str:
    return _entered(office, asked, asked.need("amount_cents"), now)


def _refund(office: Office, asked: _Asked, now: datetime) -> str:
    return _entered(office, asked, -asked.need("amount_cents"), now)


def _entered(office: Office, asked: _Asked, amount_cents: int, now: datetime) -> str:
    day = asked.business_day or now.astimezone(office.setup.zone).date()
    return office.add_by_hand(asked.need("patient_id"), amount_cents, day, asked.note or "", now).payment_id


def _merge(office: Office, asked: _Asked, now: datetime) -> str:
    return office.merge(asked.need("patient_id"), asked.need("into"), now).guid


ACTIONS: Mapping[str, Callable[[Office, _Asked, datetime], str]] = {
    "void": _void,
    "void-and-correct": _void_and_correct,
    "delete": _delete,
    "edit-note": _edit_note,
    "hand-payment": _hand_payment,
    "refund": _refund,
    "merge": _merge,
}
"""Every action by its name; each returns the id of the row or chart that it made or changed."""


def act_as_staff(nextech: Nextech, action: str, description: Mapping[str, object]) -> str:
    """Do what staff do; return the id of the row or chart that came of it.

    Raises `StaffError` when it cannot be done.
    """
    perform = ACTIONS.get(action)
    if perform is None:
        msg = f"there is no action {action!r}; there are {', '.join(ACTIONS)}"
        raise StaffError(msg)
    try:
        asked = _Asked.model_validate(dict(description))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        msg = f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
        raise StaffError(msg) from error
    with nextech.lock:
        now = nextech.now()
        office = nextech.offices.get(asked.practice)
        if office is None:
            msg = f"there is no practice {asked.practice!r}"
            raise StaffError(msg)
        try:
            return perform(office, asked, now)
        except NotOnFileError as error:
            raise StaffError(str(error)) from error
