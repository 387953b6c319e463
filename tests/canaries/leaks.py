"""Whatever is left of a scene, searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canaries.mornings import mails
from tests.canaries.people import TOKENS
from tests.canaries.scanner import Hit, Scanner
from tests.canaries.stage import Stage


def leaks(stage: Stage, capsys: pytest.CaptureFixture[str], folder: Path) -> list[Hit]:
    """Search whatever is left of a scene; fails when there was nothing to leak, or nothing to search."""
    scanner = Scanner(TOKENS)
    printed = capsys.readouterr()
    hits = [
        *stage.watch.find(scanner),
        *scanner.in_values([printed.out, printed.err], "printed"),
        *scanner.in_database(stage.world.ledger.engine),
        *scanner.in_path(folder),
        *scanner.in_values((str(row) for row in stage.world.shop.sync_rows.values()), "statuses told to the store"),
        *scanner.in_values((row.note for row in stage.world.booked() if row.note not in stage.typed), "notes of payments"),
        *scanner.in_values(sorted(stage.pages), "pages"),
        *(hit for mail in mails(stage) for hit in scanner.in_mail(mail.source, f"mail {mail.mail_id}")),
    ]
    assert len(stage.seen) > 6, "no patient data went over the wire: nothing was proved"
    assert scanner.looked_at > 50_000
    return hits
