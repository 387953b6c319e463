"""What each route does, on plain values: one method a route, named as in `routes.ROUTES`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.store import actions, sync_status
from sandbox.store.access import admin_token
from sandbox.store.answers import present, render_document, render_items, render_transaction
from sandbox.store.columns import INVOICE_COLUMNS, ITEM_COLUMNS, MEMO_COLUMNS, ORDER_COLUMNS, TRANSACTION_COLUMNS
from sandbox.store.complaints import bad_request, masked, no_entity, no_route
from sandbox.store.records import OrderRecord, Row
from sandbox.store.search_grammar import parse_criteria
from sandbox.store.searching import Page, search
from sandbox.store.shop import Shop

Found = TypeVar("Found")


@dataclass(slots=True)
class RawJson:
    """An answer that is written already."""

    text: str


@dataclass(slots=True)
class Operations:
    """One call's view of the shop."""

    shop: Shop
    query: dict[str, Any]
    body: bytes = field(repr=False)
    order_id: int = 0
    """The id in the path, whatever it names."""
    poisoned: frozenset[int] = frozenset()
    """Orders that break every answer which would hold them."""

    def _json_body(self) -> Any:  # noqa: ANN401 - whatever JSON came
        try:
            return json.loads(self.body or b"null")
        except ValueError:
            raise bad_request("Decoding error.") from None

    def _entry(self, key: str) -> dict[str, Any]:
        body = self._json_body()
        entry = body.get(key) if isinstance(body, dict) else None
        if not isinstance(entry, dict):
            raise bad_request('"%fieldName" is required. Enter and try again.', {"fieldName": key})
        return entry

    def _check_poison(self, order_ids: list[int]) -> None:
        if self.poisoned.intersection(order_ids):
            raise masked(f"{self.shop.rng.getrandbits(52):013x}")

    def _seen(self) -> OrderRecord:
        record = self.shop.orders.get(self.order_id)
        seen = self.shop.visible(record) if record is not None else None
        if seen is None:
            raise no_entity()
        self._check_poison([self.order_id])
        return seen

    def _listing(self, items: list[Any], total_count: int) -> Row:
        criteria = parse_criteria(self.query)
        return {"items": items, "search_criteria": criteria.echo(), "total_count": total_count}

    def _documents(self, kind: str, rows: list[Row], columns: frozenset[str]) -> Row:
        page = self._search([(row, row) for row in rows], columns)
        return self._listing([render_document(kind, row) for row in page.found], page.total_count)

    def _search(self, rows: list[tuple[Row, Found]], columns: frozenset[str]) -> Page[Found]:
        return search(rows, parse_criteria(self.query), columns, self.shop.switches, self.shop.rng)

    # -- orders

    def list_orders(self) -> object:
        """Search orders."""
        rows = [(record.row, record) for record in self.shop.visible_orders()]
        page = self._search(rows, ORDER_COLUMNS)
        self._check_poison([record.entity_id for record in page.found])
        if "fields" in self.query:
            answers = [self.shop.order_answer(record, is_list=True) for record in page.found]
            return self._listing(answers, page.total_count)
        echo = json.dumps(parse_criteria(self.query).echo(), separators=(",", ":"))
        items = ",".join(self.shop.order_text(record) for record in page.found)
        return RawJson(f'{{"items":[{items}],"search_criteria":{echo},"total_count":{page.total_count}}}')

    def list_items(self) -> object:
        """Search item rows of every order."""
        switches = self.shop.switches
        rows = [
            (row, answer)
            for record in self.shop.visible_orders()
            for row, answer in zip(record.items, render_items(record, switches), strict=True)
        ]
        page = self._search(rows, ITEM_COLUMNS)
        return self._listing(page.found, page.total_count)

    def read_order(self) -> object:
        """Read one order by its entity id."""
        return self.shop.order_answer(self._seen(), is_list=False)

    def save_order(self) -> object:
        """Save an order as the repository does."""
        if not self.shop.switches.has_entity_save:
            raise no_route()
        return self.shop.order_answer(actions.save_entity(self.shop, self._entry("entity")), is_list=False)

    def list_comments(self) -> object:
        """List an order's status histories."""
        rows = [present("history", row) for row in self._seen().histories]
        return {"items": rows, "search_criteria": {"filter_groups": []}, "total_count": len(rows)}

    def add_comment(self) -> object:
        """Add a comment."""
        actions.comment(self.shop, self.order_id, self._entry("statusHistory"))
        return True

    def read_status(self) -> object:
        """Read the shop's own label of an order's state."""
        return self._seen().row.get("status")

    def hold(self) -> object:
        """Put an order on hold."""
        actions.hold(self.shop, self.order_id)
        return True

    def unhold(self) -> object:
        """Release an order."""
        actions.unhold(self.shop, self.order_id)
        return True

    # -- documents

    def list_memos(self) -> object:
        """Search credit memos."""
        return self._documents("memo", list(self.shop.visible_memos()), MEMO_COLUMNS)

    def read_memo(self) -> object:
        """Read one credit memo."""
        return self.shop.memo_answer(self.order_id)

    def list_invoices(self) -> object:
        """Search invoices."""
        return self._documents("invoice", list(self.shop.invoices.values()), INVOICE_COLUMNS)

    def read_invoice(self) -> object:
        """Read one invoice."""
        row = self.shop.invoices.get(self.order_id)
        if row is None:
            raise no_entity()
        return render_document("invoice", row)

    def list_transactions(self) -> object:
        """Search payment transactions."""
        page = self._search([(row, row) for row in self.shop.transactions.values()], TRANSACTION_COLUMNS)
        return self._listing([render_transaction(row) for row in page.found], page.total_count)

    # -- the module and the login

    def write_sync_statuses(self) -> object:
        """Write many statuses at once."""
        self._check_module()
        body = self._json_body()
        return sync_status.write_statuses(self.shop, body.get("syncStatuses") if isinstance(body, dict) else None)

    def write_sync_status(self) -> object:
        """Write one status."""
        self._check_module()
        return sync_status.write_status(self.shop, self.order_id, self._entry("syncStatus"))

    def read_sync_status(self) -> object:
        """Read one status."""
        self._check_module()
        return sync_status.sync_status(self.shop, self.order_id)

    def _check_module(self) -> None:
        if not self.shop.switches.sync_module:
            raise no_route()

    def admin_token(self) -> object:
        """Log an administrator in."""
        return admin_token(self.shop, self._json_body())
