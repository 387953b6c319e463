"""A ledger that is put back as it was: copied while it works, used in its place later."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from order_sync.ledger.session import Ledger
from order_sync.restores import DeclaredRestore, declare_restore
from tests.worlds import SmallWorld


def back_up(world: SmallWorld, new_ledger: Callable[[], Ledger]) -> Ledger:
    """Return a copy of the world's ledger as it is now."""
    copy = new_ledger()
    source, target = (sqlite3.connect(str(ledger.engine.url.database)) for ledger in (world.ledger, copy))
    source.backup(target)
    source.close()
    target.close()
    return copy


def put_back(world: SmallWorld, copy: Ledger) -> DeclaredRestore:
    """Go on with the copy, and declare it."""
    world.ledger = copy
    return declare_restore(copy, world.desk().practice, actor="dana")
