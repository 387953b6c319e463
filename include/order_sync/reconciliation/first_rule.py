"""Rules that are read from the top: the first one that speaks decides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.frames import TEXT

Rule = tuple[DifferenceClass, "pd.Series[bool]"]
"""A class, and of which rows it is true."""


def choose_first(rules: Sequence[Rule], index: pd.Index) -> pd.Series:
    """Return for each row the class of the first rule that is true of it; null where none is."""
    codes = np.select([mask.to_numpy(dtype=bool) for _, mask in rules], list(range(len(rules))), default=len(rules))
    names = np.array([*(class_.value for class_, _ in rules), None], dtype=object)
    return pd.Series(names[codes], index=index, dtype=TEXT)
