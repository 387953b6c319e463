"""Lines of a report as a frame: every column there, in its type, whoever makes them."""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.classes import Section
from order_sync.reconciliation.frames import DAY, LINES, TEXT

_EMPTY = {"entity_id": "Int64", "store_day": DAY, "nextech_day": DAY}


def make_lines(*, subject: pd.Series, section: Section | pd.Series, **columns: pd.Series) -> pd.DataFrame:
    """Return one line for each subject; sides that are not given are 0, other columns null; what is explained is reckoned."""
    index = subject.index
    lines = pd.DataFrame(
        {"subject": subject, "section": section.name if isinstance(section, Section) else section}, index=index
    )
    for name in LINES.columns:
        if name in columns:
            lines[name] = columns[name]
        elif name in {"store_cents", "nextech_cents"}:
            lines[name] = 0
        elif name not in lines.columns:
            lines[name] = pd.Series(pd.NA, index=index, dtype=_EMPTY.get(name, TEXT))
    lines["explains_cents"] = lines["store_cents"] - lines["nextech_cents"]
    types = {name: column.dtype.type for name, column in LINES.columns.items() if name not in {"store_day", "nextech_day"}}
    return lines[list(LINES.columns)].astype({**types, "store_day": DAY, "nextech_day": DAY})
