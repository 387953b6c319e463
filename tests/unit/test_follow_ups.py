from __future__ import annotations

import pytest

from order_sync.follow_ups import FollowUp, follow_up, follow_up_sentence, kinds_sold
from order_sync.orders import ProductKind
from tests.unit.situations import a_line, a_practice, an_order, totals

PRODUCT = a_line()
SERVICE = a_line("DRM-CONSULT-15", product_type="simple")
VIRTUAL = a_line("DRM-FACIAL", product_type="virtual")
MEMBERSHIP = a_line("drm-mem-gold", product_type="virtual")
GIFT_CARD = a_line("DRM-MEM-GC", product_type="giftcard")
BY_GIFT_CARD = totals("0", subtotal="50", gift_cards="50")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (PRODUCT, ProductKind.PRODUCT),
        (a_line(product_type="configurable"), ProductKind.PRODUCT),
        (a_line(product_type="downloadable"), ProductKind.PRODUCT),
        (SERVICE, ProductKind.SERVICE),
        (VIRTUAL, ProductKind.SERVICE),
        (MEMBERSHIP, ProductKind.MEMBERSHIP),
        (GIFT_CARD, ProductKind.GIFT_CARD),
    ],
)
def test_a_line_sells_one_kind(line, kind):
    assert kinds_sold([line], a_practice()) == {kind}


def test_without_prefixes_only_the_product_type_speaks():
    practice = a_practice(membership_sku_prefixes=[], service_sku_prefixes=[])
    assert kinds_sold([SERVICE, MEMBERSHIP], practice) == {ProductKind.PRODUCT, ProductKind.SERVICE}


@pytest.mark.parametrize(
    ("lines", "amounts", "expected"),
    [
        ((PRODUCT,), totals(), FollowUp.CREATE_BILL),
        ((), totals(), FollowUp.CREATE_BILL),
        ((PRODUCT, SERVICE), totals(), FollowUp.CREATE_BILL_OR_QUOTE),
        ((MEMBERSHIP,), totals(), FollowUp.CREATE_BILL_OR_QUOTE),
        ((PRODUCT,), BY_GIFT_CARD, FollowUp.CREATE_BILL_APPLY_BALANCE),
        ((PRODUCT,), totals(store_credit="1"), FollowUp.CREATE_BILL_APPLY_BALANCE),
        ((SERVICE,), totals(reward_points="1"), FollowUp.CREATE_BILL_OR_QUOTE_APPLY_BALANCE),
        ((GIFT_CARD,), totals(), FollowUp.KEEP_GIFT_CARD),
        ((GIFT_CARD, PRODUCT), totals(), FollowUp.CREATE_BILL_KEEP_GIFT_CARD),
        ((GIFT_CARD, VIRTUAL), BY_GIFT_CARD, FollowUp.CREATE_BILL_OR_QUOTE_KEEP_GIFT_CARD),
    ],
)
def test_the_front_desks_next_step(lines, amounts, expected):
    assert follow_up(an_order(lines=lines, totals=amounts), a_practice()) is expected


def test_every_next_step_has_its_own_sentence():
    sentences = {follow_up_sentence(step) for step in FollowUp}
    assert len(sentences) == len(FollowUp)
    assert follow_up_sentence(FollowUp.CREATE_BILL_OR_QUOTE) == "Create bill or quote (apply as pre-payment)."
    assert follow_up_sentence(FollowUp.KEEP_GIFT_CARD) == "Leave the credit of the gift card sold unapplied."
