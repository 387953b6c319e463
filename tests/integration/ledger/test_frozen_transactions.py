"""A process that is frozen, or cut off, in the middle of a transaction must not hold up the others for as long as it lasts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from order_sync.ledger.claims import take_claim
from order_sync.ledger.session import Ledger, open_engine

pytestmark = pytest.mark.postgres


@pytest.fixture
def database() -> str:
    """Only a server can end what somebody else has begun; on SQLite the others give up after a minute."""
    return "postgres"


@pytest.fixture
def ledgers(ledger_url: str) -> Iterator[tuple[Ledger, Ledger]]:
    """One whose transactions may stand still for half a second, and one as it is in production."""
    ledgers = Ledger(open_engine(ledger_url, stand_still_seconds=0.5)), Ledger(open_engine(ledger_url))
    yield ledgers
    for ledger in ledgers:
        ledger.close()


def test_a_lock_that_a_frozen_process_holds_is_free_again_and_what_it_wrote_is_gone(ledgers: tuple[Ledger, Ledger]):
    brittle, usual = ledgers

    def wake_up_after_another_has_worked() -> None:
        with brittle.transaction() as frozen:
            assert take_claim(frozen, "extract:eastern", holder="frozen", seconds=60)
            with usual.transaction() as other:
                assert take_claim(other, "extract:eastern", holder="other", seconds=60)

    with pytest.raises(DBAPIError):
        wake_up_after_another_has_worked()
    with usual.engine.connect() as connection:
        assert connection.execute(text("SELECT holder FROM claims")).scalar_one() == "other"


def test_the_limits_outlive_the_transaction_in_which_a_connection_was_opened(ledgers: tuple[Ledger, Ledger]):
    _, usual = ledgers
    for _ in range(2):
        with usual.engine.connect() as connection:
            assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "1min"
            assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "1min"
