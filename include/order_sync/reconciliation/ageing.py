"""How old what is open is, in the bands that a bookkeeper reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from order_sync.reconciliation.statement import AgeBand

_BANDS = (("0-7 days", 7), ("8-30 days", 30), ("31-60 days", 60), ("61-90 days", 90), ("over 90 days", None))
"""Title, and the last day that belongs to it."""


def sum_by_age(open_amounts: Iterable[tuple[date, int]], last_day: date) -> tuple[AgeBand, ...]:
    """Return all bands with count and cents, aged at the end of a period; none at all when nothing is open.

    An amount comes with the practice-local day from which it is open; one of a day after the period is left out.
    """
    counts, cents = [0] * len(_BANDS), [0] * len(_BANDS)
    for day, amount_cents in open_amounts:
        age_days = (last_day - day).days
        if age_days < 0:
            continue
        band = next(number for number, (_, most) in enumerate(_BANDS) if most is None or age_days <= most)
        counts[band] += 1
        cents[band] += amount_cents
    if not any(counts):
        return ()
    return tuple(AgeBand(title, counts[number], cents[number]) for number, (title, _) in enumerate(_BANDS))
