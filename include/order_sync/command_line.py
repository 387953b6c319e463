"""Run the sync without a scheduler: `python -m order_sync.command_line sync` does once what the DAG does every 15 minutes."""

from __future__ import annotations

import argparse
import getpass
import logging
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from order_sync.bootstrap.desks import load_all_practices, load_practice, open_desk, open_ledger
from order_sync.bootstrap.hooks import NextechHook, StoreHook
from order_sync.desk import Desk
from order_sync.errors import OrderSyncError, SettingsError
from order_sync.extract import extract_orders
from order_sync.mark import mark_status
from order_sync.match import match_patients
from order_sync.money import format_money
from order_sync.overview import Overview, overview_of
from order_sync.post import PostCounts, post_payments
from order_sync.practices import Practice
from order_sync.reasons import EXPLANATIONS, Reason
from order_sync.restores import declare_restore
from order_sync.statuses import PublicStatus

_WIDTH_IN_A_FILE = 120


@dataclass(slots=True)
class PracticeReport:
    """What one run did for one practice."""

    practice: Practice
    changed: int = 0
    posted: PostCounts | None = None
    overview: Overview | None = None
    problem: str | None = None
    """Why the practice could not be synced."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 when every practice was synced, though orders may wait for a person."""
    parser = argparse.ArgumentParser(prog="order_sync", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sync", help="sync every practice once")
    commands.add_parser("check", help="try every practice's connections; change nothing")
    back = commands.add_parser("restored", help="say that an older copy of our database was put back, before the next run")
    back.add_argument("--practice", action="append", metavar="ID", help="may be repeated; default: every practice")
    back.add_argument("--by", default=_user(), metavar="NAME", help="who says so; default: the user of this machine")
    chosen = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.WARNING)  # what a task's log says line by line, the table says at the end
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_IN_A_FILE)
    try:
        if chosen.command == "restored":
            return restored(console, chosen.practice, by=chosen.by)
        return sync(console) if chosen.command == "sync" else check(console)
    except SettingsError as error:
        console.print(Text(f"Settings: {error}", style="red"))
        return 1


def sync(console: Console) -> int:
    """Sync every practice once and print a table; 1 when some practice could not be synced."""
    practices = load_all_practices()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[name]}"),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bars:
        reports = [_sync_practice(practice, _bar_of(bars, practice)) for practice in practices]
    console.print(_table(reports))
    for report in reports:
        _print_cases(console, report)
    failed = [report for report in reports if report.problem]
    for report in failed:
        console.print(Text(f"{report.practice.id} could not be synced: {report.problem}", style="bold red"))
    return 1 if failed else 0


def _extract(desk: Desk, report: PracticeReport) -> None:
    report.changed = extract_orders(desk, holder=f"command line {uuid.uuid4()}").seen


def _match(desk: Desk, _: PracticeReport) -> None:
    match_patients(desk)


def _post(desk: Desk, report: PracticeReport) -> None:
    report.posted = post_payments(desk)


def _mark(desk: Desk, _: PracticeReport) -> None:
    mark_status(desk)


_STEPS = (("reading orders", _extract), ("matching patients", _match), ("posting payments", _post), ("writing statuses", _mark))


def _sync_practice(practice: Practice, show: Callable[[int, str], None]) -> PracticeReport:
    """Run the four steps; one that fails does not keep the next from finishing what it can, as in the DAG."""
    report = PracticeReport(practice)
    done: dict[str, int] = {}

    def progress(step: str, count: int) -> None:
        done[step] = done.get(step, 0) + count
        show(-1, f"{done[step]} {step}")

    for index, (title, step) in enumerate(_STEPS):
        show(index, title)
        try:
            with open_desk(practice.id, progress=progress) as desk:
                step(desk, report)
        except OrderSyncError as error:
            report.problem = report.problem or str(error)
        except DBAPIError as error:  # its text repeats the statement with its values
            report.problem = report.problem or f"our database: {type(error).__name__}; the next sync finishes what was begun"
    with open_ledger() as ledger, ledger.transaction() as tx:
        report.overview = overview_of(tx, practice.id)
    show(len(_STEPS), "done")
    return report


def _bar_of(bars: Progress, practice: Practice) -> Callable[[int, str], None]:
    bar = bars.add_task("", total=len(_STEPS), name=practice.id)

    def show(step: int, text: str) -> None:
        bars.update(bar, description=text, completed=step if step >= 0 else None)

    return show


def _table(reports: Sequence[PracticeReport]) -> Table:
    table = Table(title="Orders by practice", title_justify="left", header_style="bold")
    table.add_column("Practice")
    for title in ("Seen", *PublicStatus, "Posted now", "Posted in all"):
        table.add_column(str(title), justify="right")
    for report in reports:
        overview, currency = report.overview, report.practice.currency
        if overview is None:
            continue
        posted_now = report.posted.posted_cents if report.posted else 0
        table.add_row(
            Text(report.practice.name),
            str(overview.seen),
            *(str(overview.orders[status]) for status in PublicStatus),
            format_money(posted_now, currency),
            format_money(overview.posted_cents, currency),
        )
    return table


def _print_cases(console: Console, report: PracticeReport) -> None:
    if report.overview is None or not report.overview.open_cases:
        return
    reasons = report.overview.not_synced_by_reason
    counted = ", ".join(f"{EXPLANATIONS[Reason(reason)].sentence} ({count})" for reason, count in reasons.items())
    console.print(Text(f"\n{report.practice.name}: Not Synced because of: {counted or 'nothing'}"))
    table = Table(title=f"{report.practice.name}: waiting for a person", title_justify="left", header_style="bold")
    table.add_column("Order", no_wrap=True)
    table.add_column("Amount", justify="right")
    table.add_column("What happened")
    table.add_column("Next step")
    for case in report.overview.open_cases:
        amount = format_money(case.amount_cents, report.practice.currency) if case.amount_cents is not None else ""
        table.add_row(Text(case.order_number or "(whole practice)"), amount, Text(case.sentence), Text(case.next_step))
    console.print(table)


def check(console: Console) -> int:
    """Try every practice's two connections and print what they say; 1 when one does not work."""
    is_good = True
    for practice in load_all_practices():
        for hook in (StoreHook(practice.id), NextechHook(practice.id)):
            works, message = hook.test_connection()
            is_good = is_good and works
            console.print(
                Text(f"{'ok ' if works else 'NOT'} {hook.http_conn_id}: {message}", style="green" if works else "red")
            )
    return 0 if is_good else 1


def restored(console: Console, practice_ids: Sequence[str] | None, *, by: str) -> int:
    """Declare for these practices, or for all, that an older copy of the ledger was put back; print what is held."""
    practices = [load_practice(known) for known in practice_ids] if practice_ids else load_all_practices()
    with open_ledger() as ledger:
        for practice in practices:
            done = declare_restore(ledger, practice, actor=by)
            console.print(
                Text(
                    f"{practice.id}: orders placed before now and not posted are held until {done.until:%Y-%m-%d %H:%M} UTC,"
                    f" {done.held} of them on their way. Those that the copy does not know are held when they are read."
                )
            )
    return 0


def _user() -> str:
    """Return this machine's user; a container may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


if __name__ == "__main__":
    sys.exit(main())
