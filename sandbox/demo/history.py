"""What a practice sold in the weeks before: many days of ordinary orders, so that its reports have something to say."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from decimal import Decimal

from sandbox.demo.catalog import EVERYDAY_BASKETS
from sandbox.demo.drafts import Draft
from sandbox.demo.load import Load, buyer_of, invent_patient
from sandbox.demo.practices import ACTIVE_SINCE_LOCAL, PRACTICES
from sandbox.demo.scenes import PAID
from sandbox.demo.staging import Timeline, play_draft
from sandbox.demo.story import open_shop
from sandbox.store.shop import FIRST_IDS

FIRST_HISTORY_ID = 500_001
"""Every key of a history begins here: above the demo's, below those of a load."""
_FIRST_PATIENT = 7_000
_PATIENTS = 24
_DAYS = 54
"""Back into the month before last, so that last month is whole."""
_TABLES = (*FIRST_IDS, "memo", "transaction", "invoice_item", "memo_item")
_GOODS = (("DRM-SPF50-50ML", 2),)
_GIFT_CARD = (("DRM-GIFT-100", 1),)
_SPECIALS: dict[int, tuple[tuple[str, ...], dict[str, object]]] = {
    5: ((*PAID, "refund_one"), {}),
    11: (PAID, {"basket": _GIFT_CARD}),
    14: (PAID, {"gift_card": Decimal(20)}),
    19: ((*PAID, "refund_all"), {}),
    23: (PAID, {"coupon_percent": 10}),
    28: ((*PAID, "refund_offline"), {}),
    33: (("capture", "hold"), {"basket": _GOODS}),
    41: (("cancel",), {"basket": _GOODS}),
    47: ((*PAID, "refund_one"), {}),
}
"""What is out of the ordinary about the order with this number; the count begins again at fifty."""


def build_history(practice_id: str, seed: int, now: datetime) -> Load:
    """Return one to three orders a day of the last weeks, none of today, none before the integration.

    The same seed and the same instant give the same history.
    """
    practice, rng, timeline = PRACTICES[practice_id], random.Random(f"{seed}/{practice_id}/history"), Timeline(now)
    shop = open_shop(practice, clock=timeline, rng=rng)
    for table in _TABLES:
        shop.ids.seen(table, FIRST_HISTORY_ID - 1)
    patients = [invent_patient(practice_id, _FIRST_PATIENT + number, rng) for number in range(_PATIENTS)]
    today = now.astimezone(practice.zone).date()
    first = max(today - timedelta(days=_DAYS), ACTIVE_SINCE_LOCAL.date())
    number = 0
    for days in range((today - first).days):
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            at = time(rng.randrange(7, 23), rng.randrange(60), rng.randrange(60))
            which = rng.randrange(_PATIENTS)
            steps, options = _SPECIALS.get(number % 50, (PAID, {}))
            draft = Draft(
                practice=practice,
                placed_at=datetime.combine(first + timedelta(days=days), at, tzinfo=practice.zone).astimezone(now.tzinfo),
                buyer=buyer_of(patients[which], _FIRST_PATIENT + which),
                **{"basket": rng.choice(EVERYDAY_BASKETS), **options},  # type: ignore[arg-type]
            )
            play_draft(shop, draft, steps, timeline)
            number += 1
    return Load(practice_id=practice_id, patients=patients, books={practice_id: shop.books()})
