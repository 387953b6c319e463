"""What must hold after every step, and what must have come of everything when it is calm again (reliability 4.1)."""

from __future__ import annotations

from collections import Counter

from order_sync.money import cents
from order_sync.statuses import ALLOWED_STEPS
from sandbox.nextech.records import PaymentRecord
from tests.stateful.stage import InvariantError
from tests.stateful.town import PEOPLE, Placed, Town, the_practice

_ALLOWED = {(old.value, new.value) for old, new in ALLOWED_STEPS}
_UNFINISHED = ("received", "matched", "intent", "unknown", "creating")
_POSTED_OR_ASKED = ("confirmed", "queued", "closed", "closed_voided")


class Watch:
    """Look at the ledger and at Nextech themselves after every step; remember where every order stood."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.stood: dict[int, str] = {}
        self._history_seen = 0
        self._ledger_changes = -1

    def begin_again(self) -> None:
        """Take over where the orders stand in a ledger that was restored."""
        self._history_seen = self.town.rows("SELECT coalesce(max(id), 0) FROM order_history")[0][0]
        self.stood = dict(self.town.rows("SELECT id, state FROM orders"))
        self._ledger_changes = -1

    def look(self) -> None:
        """Check I1 to I6 and I10; the first that does not hold ends the schedule."""
        try:
            self._look_at_nextech()
            if self._ledger_changes != (changes := self.town.books.total_changes):
                self._ledger_changes = changes
                self._look_at_ledger()
        except InvariantError as error:
            self.town.stage.fail(error)

    def _look_at_nextech(self) -> None:
        payments = self.town.payments()
        live = Counter(row.marker for row in payments if row.status == "active" and row.amount_cents > 0 and row.marker)
        for marker, number in live.items():
            _hold(number <= 1, f"I1 doubled: {number} live payments carry {marker}")

    def _look_at_ledger(self) -> None:
        town = self.town
        rows = town.rows(
            "SELECT id, order_id, from_state, to_state, actor FROM order_history WHERE id > ? ORDER BY id", self._history_seen
        )
        for history_id, order_id, before, after, actor in rows:
            assert isinstance(history_id, int)
            assert isinstance(order_id, int)
            self._history_seen = history_id
            _hold(bool(actor), "I10: a step without an actor")
            _hold(before == self.stood.get(order_id), f"I10: a step of order {order_id} is missing before {before}->{after}")
            is_edge = before is None or before == after or (before, after) in _ALLOWED
            _hold(is_edge, f"I6: no step leads from {before} to {after}")
            self.stood[order_id] = str(after)
            town.stage.note(f"step {before} -> {after}")
        orders = town.rows("SELECT id, entity_id, state, amount_cents FROM orders")
        by_class: Counter[str] = Counter()
        for order_id, entity_id, state, amount_cents in orders:
            _hold(state == self.stood.get(order_id), f"I10: order {order_id} stands at {state} without a step")
            by_class[str(state)] += int(amount_cents or 0)
            _hold(entity_id in town.placed, "I2: an order that nobody placed")
        truth = sum(cents(town.placed[int(row[1])].record.grand_total) for row in orders)
        _hold(sum(by_class.values()) == truth, f"I3: {sum(by_class.values())} cents in all classes, {truth} in the store")
        _hold(len({row[1] for row in orders}) == len(orders), "I2: an order stands in two classes")
        twice = town.rows("SELECT order_id FROM attempts WHERE outcome IS NULL GROUP BY order_id HAVING count(*) > 1")
        _hold(not twice, f"I5: two unfinished attempts of one order: {twice}")


def _hold(is_true: bool, otherwise: str) -> None:
    if not is_true:
        raise InvariantError(otherwise)


def settle_accounts(town: Town) -> Counter[str]:
    """Count, after the calm, what is lost, doubled, stuck or on a wrong patient, and everything that is as it should be."""
    ended: Counter[str] = Counter()
    by_marker: dict[str, list[PaymentRecord]] = {}
    for row in town.payments():
        if row.marker and row.amount_cents > 0:
            by_marker.setdefault(row.marker, []).append(row)
    known = {
        entity_id: (order_id, state, reason, marker)
        for order_id, entity_id, state, reason, marker in town.rows(
            "SELECT o.id, o.entity_id, o.state, o.reason, p.marker FROM orders o LEFT JOIN payments p ON p.order_id = o.id"
        )
    }
    for entity_id, placed in town.placed.items():
        if entity_id not in known:
            ended["lost"] += 1
            continue
        order_id, state, reason, marker = known[entity_id]
        booked = by_marker.get(str(marker), [])
        owner = town.owner_of(placed.person)
        ended["payments"] += bool(booked)
        ended["wrong patient"] += any(row.patient_guid != owner for row in booked if not _is_a_persons(town, placed, row))
        ended["wrong amount or day"] += any(not _is_as_ordered(row, placed) for row in booked if row.origin == "api")
        ended[f"ended {state}{f' ({reason})' if state == 'queued' else ''}"] += 1
        is_stuck = state in _UNFINISHED or (state == "waiting" and town.is_due(placed))
        has_case = town.rows(
            "SELECT 1 FROM manual_resolution_queue WHERE order_id = ? AND state IN ('open', 'assigned', 'waiting')", order_id
        )
        ended["stuck"] += is_stuck or (state == "queued" and not has_case)
        is_settled = state in (*_POSTED_OR_ASKED, *_UNFINISHED) or not town.is_due(placed)
        ended["lost"] += (not is_settled and not is_stuck) or (state == "confirmed" and not booked)
    ended["stuck"] += len(town.rows("SELECT 1 FROM attempts WHERE outcome IS NULL"))
    ended["stuck"] += len(town.rows("SELECT 1 FROM status_outbox WHERE sent_at IS NULL"))
    ended["second chart"] += len(_charts_too_many(town))
    ended["patient data"] += len(patient_data_in_ledger(town))
    return ended


def _is_a_persons(town: Town, placed: Placed, row: PaymentRecord) -> bool:
    """Say whether a person, not the machine, has put a payment on that chart: one of the customer's own."""
    return placed.person in town.misled and row.patient_guid in town.charts_of(placed.person)


def _is_as_ordered(row: PaymentRecord, placed: Placed) -> bool:
    day = the_practice().business_day(placed.placed_at)
    return (row.amount_cents, row.local_day) == (cents(placed.record.grand_total), day)


def _charts_too_many(town: Town) -> list[str | None]:
    emails = Counter(chart.email for chart in town.office.chart.patients.values() if chart.origin == "api")
    return [email for email, number in emails.items() if number > 1]


def patient_data_in_ledger(town: Town) -> list[str]:
    """I9: return which tables hold a name, an address, a phone number or a birth date of anybody in town."""
    found = []
    words = [
        word.lower()
        for person in PEOPLE
        for word in (person.last, person.first, person.email, person.phone, person.phone[-8:], person.birth_date)
    ]
    for (table,) in town.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        text = str(town.rows(f'SELECT * FROM "{table}"')).lower()  # noqa: S608 - a name from the database's own catalogue
        found += [f"{table}: {word}" for word in words if word in text]
    return found
