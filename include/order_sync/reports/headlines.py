"""The first sentence of a report: whether both sides agree, and what there is to do today."""

from __future__ import annotations

from order_sync.money import format_money
from order_sync.reconciliation.statement import Statement
from order_sync.reports.items import Item
from order_sync.reports.wording import count_words


def write_headline(statement: Statement, to_do: tuple[Item, ...]) -> str:
    """Say in a sentence or two whether both sides agree, and what there is to do."""
    variance = statement.variance_cents
    amount = format_money(abs(variance), statement.currency)
    if variance == 0 and statement.notes:
        agreement = "What could be read agrees to the cent."
    elif not statement.lines and not (statement.store_in_cents or statement.posted_cents):
        agreement = "No money moved: nothing came in, and nothing was posted."
    elif variance == 0:
        agreement = "Both sides agree to the cent."
    elif variance > 0:
        agreement = f"Nextech shows {amount} less than the store, and every cent of it is explained."
    else:
        agreement = f"Nextech shows {amount} more than the store, and every cent of it is explained."
    if statement.notes:
        count = len(statement.notes)
        agreement += (
            f" {count_words(count, 'thing')} could not be read and {'is' if count == 1 else 'are'} in none of the sums."
        )
    if not to_do:
        return agreement if statement.notes else f"{agreement} Nothing to do today."
    oldest = max(item.age_days or 0 for item in to_do)
    waited = f"; the oldest has waited {count_words(oldest, 'day')}" if oldest > 0 else ""
    return f"{agreement} {count_words(len(to_do), 'thing')} to do today{waited}."


def write_outcome(statement: Statement, to_do: tuple[Item, ...]) -> str:
    """Say the same in a few words, for a subject line or a list."""
    amount = format_money(abs(statement.variance_cents), statement.currency)
    agreement = "what was read agrees" if statement.notes else "both sides agree"
    agreement = f"{amount} apart" if statement.variance_cents else agreement
    unread = f", {len(statement.notes):,} not read" if statement.notes else ""
    to_do_words = f", {len(to_do):,} to do" if to_do else "" if unread else ", nothing to do"
    return f"{agreement}{to_do_words}{unread}"
