"""The letters that are kept in tests/data/letters, to be read in every diff: how each is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from order_sync.reports.letters import Letter, Links, compose_alarm, compose_letter
from tests.unit.letters import statements

FOLDER = Path(__file__).resolve().parents[2] / "data" / "letters"
LINKS = Links("https://airflow.example/orders/reports")

LETTERS: dict[str, Callable[[], Letter]] = {
    "no_orders": lambda: compose_letter(statements.empty_day(), links=LINKS),
    "one_order": lambda: compose_letter(statements.one_order(), links=LINKS),
    "busy_day": lambda: compose_letter(statements.busy_day(), links=LINKS),
    "five_thousand_orders": lambda: compose_letter(statements.five_thousand(), links=LINKS),
    "month": lambda: compose_letter(statements.month(), links=LINKS),
    "arizona_at_the_change_of_clocks": lambda: compose_letter(statements.arizona_at_the_change(), links=LINKS),
    "february_29": lambda: compose_letter(statements.leap_day()),
    "reopened_and_sent_again": lambda: compose_letter(statements.reopened(), is_repeat=True, links=LINKS),
    "hostile": lambda: compose_letter(statements.hostile()),
    "alarm_store_unreadable": lambda: compose_alarm(statements.unreadable_store(), links=LINKS),
    "alarm_not_tied": lambda: compose_alarm(statements.untied()),
}
"""Every kept letter by the name of its folder."""

_SMALL = {"one_order", "busy_day", "hostile"}
"""Whose CSV file is kept, too."""


def files_of(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every file that is kept of a letter."""
    letter = LETTERS[name]()
    yield "subject.txt", f"{letter.subject}\n".encode()
    yield "body.txt", letter.text.encode()
    yield "body.html", letter.html.encode()
    if name in _SMALL:
        yield from (("lines.csv", attachment.content) for attachment in letter.attachments if attachment.name.endswith(".csv"))


def write_all() -> None:
    """Write every file anew."""
    for name in LETTERS:
        for file, content in files_of(name):
            path = FOLDER / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
