"""Whether a credit memo's money went through the gateway."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from order_sync.credit_memos import CreditMemo, MemoState, offline_ids
from tests.unit.situations import an_order

NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)


def memo(memo_id: int, dollars: int, *, is_online: bool = True, state: MemoState = MemoState.REFUNDED) -> CreditMemo:
    return CreditMemo(memo_id, f"00000{memo_id}", 4127, 1, state, NOON, NOON, Decimal(dollars), has_transaction=is_online)


@pytest.mark.parametrize(
    ("memos", "refunded", "offline", "expected"),
    [
        pytest.param([memo(1, 10)], 10, 0, set(), id="through the gateway"),
        pytest.param([memo(1, 10, is_online=False)], 10, 10, {1}, id="offline"),
        pytest.param([memo(1, 10), memo(2, 5, is_online=False)], 15, 5, {2}, id="one of each"),
        pytest.param([memo(1, 10, is_online=False)], 10, 0, set(), id="the gateway left its transaction out"),
        pytest.param([memo(1, 10)], 10, 10, {1}, id="a transaction of something else"),
        pytest.param([memo(1, 10, is_online=False)], 0, 0, {1}, id="the order has not heard of it yet"),
        pytest.param([memo(1, 10), memo(2, 5, is_online=False)], 10, 0, {2}, id="the order has heard of one"),
        pytest.param([memo(1, 9, is_online=False, state=MemoState.CANCELED)], 0, 0, set(), id="cancelled"),
        pytest.param([memo(1, 9, is_online=False, state=MemoState.OPEN)], 0, 0, set(), id="nothing moved yet"),
        pytest.param([memo(1, 8, is_online=False), memo(2, 8, is_online=False)], 16, 8, {1, 2}, id="the sums do not say which"),
    ],
)
def test_a_memo_is_offline_by_its_own_word_unless_the_orders_sums_leave_no_doubt(
    memos: list[CreditMemo], refunded: int, offline: int, expected: set[int]
):
    totals = replace(an_order().totals, refunded=Decimal(refunded), refunded_offline=Decimal(offline))
    assert offline_ids(memos, totals) == expected
