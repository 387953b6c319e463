"""Print the table of the demo's situations that the README shows: `python -m sandbox.demo.table`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from sandbox.demo.story import Situation, build_demo

_HEAD = ("| order | situation | Nextech Status | reason |", "|---|---|---|---|")
_ORDER = ("Synced", "Not Synced", "Waiting for Sync", "Disabled")


def situations_table(situations: Iterable[Situation]) -> str:
    """Return a Markdown table, one row an order: first what is Synced, then what needs a person, then what waits."""
    rows = [
        f"| {number} | {one.title} | {one.status} | {', '.join(filter(None, (one.reason, *one.also)))} |"
        for one in sorted(situations, key=lambda one: (_ORDER.index(one.status), one.reason or "", one.order_numbers))
        for number in one.order_numbers
    ]
    return "\n".join((*_HEAD, *rows))


if __name__ == "__main__":
    sys.stdout.write(situations_table(build_demo(1, datetime.now(UTC)).situations) + "\n")
