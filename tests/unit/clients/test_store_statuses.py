"""Writing statuses back: repeatable, entry by entry, and never a mail to the customer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from order_sync.clients.store import StatusUpdate
from order_sync.errors import LoginRefusedError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import json_answer, store_client


def update(order_id: int, **changes: object) -> StatusUpdate:
    fields = {"status": "synced", "message": "Posted.", "run_key": f"key-{order_id}"} | changes
    return StatusUpdate(order_id, **fields)  # type: ignore[arg-type]


class Module:
    """The store's module, with entries that it refuses."""

    def __init__(self, *, conflicts: set[int] = frozenset(), chokes_on: int | None = None) -> None:
        self.conflicts, self.chokes_on = conflicts, chokes_on
        self.calls: list[list[dict]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("PUT", "/rest/V1/nextech/orders/sync-status")
        entries = json.loads(request.content)["syncStatuses"]
        self.calls.append(entries)
        if any(entry["order_id"] == self.chokes_on for entry in entries):
            return json_answer(400, {"message": "body-canary"})
        return json_answer(200, [self._result(entry) for entry in entries])

    def _result(self, entry: dict) -> dict:
        if entry["order_id"] in self.conflicts:
            return {"order_id": entry["order_id"], "error": {"code": 409, "message": "body-canary"}}
        return {"order_id": entry["order_id"], "status": entry["status"], "run_key": entry["run_key"], "changed": True}


def test_statuses_go_a_hundred_at_a_time_and_come_back_in_order(clock: FakeClock) -> None:
    module = Module(conflicts={7})
    results = store_client(module, clock).write_statuses([update(number) for number in range(1, 251)])
    assert [len(call) for call in module.calls] == [100, 100, 50]
    assert [result.order_id for result in results] == list(range(1, 251))
    assert [result.order_id for result in results if not result.is_written] == [7]
    assert results[6].conflict
    assert "canary" not in results[6].reason


def test_an_entry_says_what_the_module_documents(clock: FakeClock) -> None:
    module = Module()
    changed = datetime(2026, 3, 3, 9, 15, 32, tzinfo=UTC)
    store_client(module, clock).write_statuses([update(5, message="x" * 300, source_updated_at=changed)])
    assert module.calls == [
        [
            {
                "order_id": 5,
                "status": "synced",
                "message": "x" * 255,
                "run_key": "key-5",
                "source_updated_at": "2026-03-03 09:15:32",
            }
        ]
    ]


def test_one_entry_that_spoils_the_call_spoils_only_itself(clock: FakeClock) -> None:
    results = store_client(Module(chokes_on=42), clock).write_statuses([update(number) for number in range(1, 101)])
    assert [result.order_id for result in results if not result.is_written] == [42]
    assert "canary" not in repr(results)


def test_a_store_without_the_module_is_asked_once(clock: FakeClock) -> None:
    calls = []

    def missing(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return json_answer(404, {"message": "Request does not match any route."})

    results = store_client(missing, clock).write_statuses([update(1), update(2)])
    assert [result.is_written for result in results] == [False, False]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        [{"order_id": 2, "status": "synced"}],
        ["x"],
        [{"order_id": 1, "status": "disabled"}],
        [{"order_id": 1, "error": "x"}],
    ],
)
def test_an_answer_that_confirms_nothing_is_no_confirmation(document: object, clock: FakeClock) -> None:
    [result] = store_client(lambda _: json_answer(200, document), clock).write_statuses([update(1)])
    assert not result.is_written
    assert result.reason


def test_a_lost_answer_is_asked_for_again_with_the_same_key(clock: FakeClock) -> None:
    module = Module()
    lost = [True]

    def handler(request: httpx.Request) -> httpx.Response:
        answer = module(request)
        if lost.pop() if lost else False:
            raise httpx.ReadError("reset")
        return answer

    [result] = store_client(handler, clock).write_statuses([update(1)])
    assert result.is_written
    assert module.calls[0] == module.calls[1]


def test_a_refused_login_is_raised(clock: FakeClock) -> None:
    for writer in ("module", "comment"):
        with pytest.raises(LoginRefusedError):
            store_client(lambda _: json_answer(401, {"message": "x"}), clock, writer=writer).write_statuses([update(1)])


def test_an_unknown_status_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="status"):
        update(1, status="Synced")


class Comments:
    """An order with comments and a status, under one of the three policies of contract section 4."""

    def __init__(self, policy: str = "same_state") -> None:
        self.policy = policy
        self.status: str | None = "processing"
        self.comments: list[dict] = [{"comment": "Captured amount online.", "status": "processing"}, {"comment": None}]
        self.lose: Callable[[], str] = lambda: ""
        self.is_listed_in_full = True
        self.reads = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match (request.method, request.url.path):
            case ("GET", "/rest/V1/orders"):
                self.reads += 1
                return json_answer(200, {"items": [self._order()] if self.is_listed_in_full else [], "total_count": 1})
            case ("GET", "/rest/V1/orders/5"):
                self.reads += 1
                return json_answer(200, self._order())
            case ("POST", "/rest/V1/orders/5/comments"):
                return self._add(json.loads(request.content)["statusHistory"])
        raise AssertionError(request.url.path)

    def _order(self) -> dict:
        return {"entity_id": 5, "status": self.status, "status_histories": self.comments}

    def _add(self, comment: dict) -> httpx.Response:
        assert comment["is_customer_notified"] == 0
        assert comment["is_visible_on_front"] == 0
        assert comment["parent_id"] == 5
        how = self.lose()
        if how == "before":
            raise httpx.ReadTimeout("x")
        if self.policy == "refuse_change" and comment.get("status") != self.status:
            return json_answer(400, {"message": "refused"})
        if self.policy == "null_status":
            self.status = comment.get("status")
        self.comments.insert(0, comment)
        if how == "after":
            raise httpx.ReadError("x")
        return json_answer(200, True)

    @property
    def ours(self) -> list[str]:
        return [entry["comment"] for entry in self.comments if "key-5" in str(entry["comment"])]


@pytest.mark.parametrize("policy", ["null_status", "refuse_change", "same_state"])
def test_a_comment_leaves_the_orders_status_as_it_is(policy: str, clock: FakeClock) -> None:
    store = Comments(policy)
    [result] = store_client(store, clock, writer="comment").write_statuses([update(5, status="not_synced", message="Why.")])
    assert result.is_written
    assert store.status == "processing"
    assert store.ours == ["Nextech Status: Not Synced. Why. [key-5]"]


def test_a_comment_that_is_there_already_is_not_added_again(clock: FakeClock) -> None:
    store = Comments()
    for _ in range(3):
        [result] = store_client(store, clock, writer="comment").write_statuses([update(5)])
        assert result.is_written
    assert len(store.ours) == 1


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_comment_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(how: str, clock: FakeClock) -> None:
    store = Comments()
    faults = [how]
    store.lose = lambda: faults.pop() if faults else ""
    [result] = store_client(store, clock, writer="comment").write_statuses([update(5)])
    assert result.is_written
    assert len(store.ours) == 1


def test_one_read_tells_all_that_a_comment_depends_on(clock: FakeClock) -> None:
    store = Comments()
    [result] = store_client(store, clock, writer="comment").write_statuses([update(5)])
    assert result.is_written
    assert store.reads == 1


def test_an_order_that_the_list_does_not_tell_in_full_is_read_alone(clock: FakeClock) -> None:
    store = Comments()
    store.is_listed_in_full = False
    [result] = store_client(store, clock, writer="comment").write_statuses([update(5)])
    assert result.is_written
    assert (store.reads, len(store.ours)) == (2, 1)


def test_a_store_that_does_not_answer_is_not_asked_about_every_order(clock: FakeClock) -> None:
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ReadTimeout("x")

    results = store_client(handler, clock, writer="comment").write_statuses([update(number) for number in range(1, 51)])
    assert [result.is_written for result in results] == [False] * 50
    assert {path for path in asked if path.count("/") > 3} == {"/rest/V1/orders/1", "/rest/V1/orders/2"}


def test_a_comment_that_cannot_be_written_says_why(clock: FakeClock) -> None:
    store = Comments()
    store.status = None
    [result] = store_client(store, clock, writer="comment").write_statuses([update(5)])
    assert not result.is_written
    assert "status and comments cannot be read" in result.reason
    assert store.ours == []
