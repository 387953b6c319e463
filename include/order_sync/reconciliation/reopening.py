"""Whether a closed period says something else than it was reported to say, by how much, and which lines did it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from order_sync.reconciliation.classes import TEXTS, Section
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.statement import Line, Reopening


def find_reopening(period: Period, version: int, before: Iterable[Line], after: Iterable[Line]) -> Reopening | None:
    """Return what changed between the lines of a period's last report and those of today; None when nothing did.

    `version` is that of the report that will say so. Each line of the result carries *the change* of its amounts: what came
    stands as it is, what went stands with its signs turned, and a line that changed shows the difference in its new class.
    So these lines add up to `after_cents - before_cents`. A line that is only older, has another owner or another reason
    re-opens nothing.
    """
    old = {_identity(line): line for line in before}
    new = {_identity(line): line for line in after}
    changed = [
        _change(old.get(identity), new.get(identity))
        for identity in sorted(old.keys() | new.keys())
        if _figures(old.get(identity)) != _figures(new.get(identity))
    ]
    if not changed:
        return None
    before_cents = sum(line.explains_cents for line in old.values())
    after_cents = sum(line.explains_cents for line in new.values())
    return Reopening(period, version, before_cents, after_cents, tuple(changed))


def _identity(line: Line) -> tuple[str, bool]:
    return line.subject, TEXTS[line.class_].section is Section.REFUND


def _figures(line: Line | None) -> tuple[object, ...] | None:
    if line is None:
        return None
    return line.class_, line.store_cents, line.nextech_cents, line.payment_ids, line.store_day, line.nextech_day


def _change(old: Line | None, new: Line | None) -> Line:
    shown = new or old
    if shown is None:
        msg = "a line that was never there cannot have changed"
        raise ValueError(msg)
    store_cents = (new.store_cents if new else 0) - (old.store_cents if old else 0)
    nextech_cents = (new.nextech_cents if new else 0) - (old.nextech_cents if old else 0)
    return replace(
        shown, store_cents=store_cents, nextech_cents=nextech_cents, explains_cents=store_cents - nextech_cents, next_step=""
    )
