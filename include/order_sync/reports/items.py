"""One line of a report as a reader sees it: what it is about, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from order_sync.reconciliation.classes import TEXTS, DifferenceClass, Section, Weight
from order_sync.reconciliation.statement import Line
from order_sync.reports.wording import one_line

LONGEST_NAME = 60
"""Characters of a name or a number."""
_LONGEST_REMARK = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One line as a reader sees it; every text is on one line."""

    subject: str
    class_: DifferenceClass
    kind: str
    """ "Order" or "Payment"."""
    reference: str
    """The order's number, or the payment's id."""
    title: str
    """The class in a few words; of an order that needs a person, why it does."""
    remark: str
    """Why, and what might fit, where that is known."""
    next_step: str
    amount_cents: int
    """The whole amount of the order or the payment."""
    store_cents: int
    nextech_cents: int
    explains_cents: int
    age_days: int | None
    day: date | None
    owner: str
    is_critical: bool
    is_earlier: bool
    """It belongs to an earlier period."""
    is_elsewhere: bool = False
    """It stands in the report of another period, not in this one."""

    @property
    def label(self) -> str:
        """Return "Order 100000123" or "Payment 88213"."""
        return f"{self.kind} {self.reference}"

    @property
    def explanation(self) -> str:
        """Return all that is known of why, for a reader who knows the class already."""
        is_said = self.title == TEXTS[self.class_].title
        return self.remark if is_said else f"{self.title}. {self.remark}".rstrip()

    @property
    def has_two_amounts(self) -> bool:
        """Say whether both sides have money for it, and not the same."""
        return bool(self.store_cents and self.nextech_cents and self.explains_cents)


def needs_a_person(line: Line) -> bool:
    """Say whether somebody has to act on a line."""
    return TEXTS[line.class_].weight in {Weight.ACTION, Weight.CRITICAL}


def item_of(line: Line, *, is_earlier: bool = False, is_elsewhere: bool = False) -> Item:
    """Return a line as a reader sees it."""
    text = TEXTS[line.class_]
    payments = ", ".join(line.payment_ids)
    is_payment = bool(payments) and (text.section is Section.ENTRY or line.number is None)
    reason = one_line(line.reason or "", longest=_LONGEST_REMARK).rstrip(".")
    is_title = bool(reason) and line.class_ is DifferenceClass.NEEDS_A_PERSON
    is_said = is_title or reason.casefold().startswith(text.title.casefold())
    remarks = [
        f"{reason}." if reason and not is_said else "",
        f"Names order {line.number}." if is_payment and line.number else "",
        f"Order {line.suggestion} might fit; nobody has confirmed it." if line.suggestion else "",
    ]
    return Item(
        subject=line.subject,
        class_=line.class_,
        kind="Payment" if is_payment else "Order",
        reference=one_line(payments if is_payment else line.number or line.subject, longest=LONGEST_NAME),
        title=reason if is_title else text.title,
        remark=one_line(" ".join(filter(None, remarks)), longest=_LONGEST_REMARK),
        next_step=one_line(line.next_step or text.next_step, longest=_LONGEST_REMARK),
        amount_cents=line.at_stake_cents,
        store_cents=line.store_cents,
        nextech_cents=line.nextech_cents,
        explains_cents=line.explains_cents,
        age_days=line.age_days,
        day=line.store_day or line.nextech_day,
        owner=one_line(line.owner or "", longest=LONGEST_NAME),
        is_critical=text.weight is Weight.CRITICAL,
        is_earlier=is_earlier,
        is_elsewhere=is_elsewhere,
    )
