"""Patient data that a cell has left behind: in its ledger, in what its processes said, in its folder (reliability 5.1, I9)."""

from __future__ import annotations

from functools import cache

from sqlalchemy import select

from order_sync.ledger.columns import LedgerTable
from order_sync.ledger.session import open_engine
from tests.canaries.people import TOKENS
from tests.canaries.scanner import Hit, Scanner
from tests.crash.ground import Ground


@cache
def _scanner() -> Scanner:
    return Scanner(TOKENS)


def patient_data_in(ground: Ground) -> list[Hit]:
    """Search every table, every file of the folder, the statuses told to the store and the notes of the payments."""
    scanner = _scanner()
    scanner.looked_at = 0
    hits = scanner.in_path(ground.folder)
    engine = open_engine(ground.ledger_url)
    with engine.connect() as connection:
        for table in LedgerTable.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                hits += scanner.in_values(row, table.name)
    engine.dispose()
    shop, nextech = ground.neighbours.shop, ground.neighbours.world.nextech
    hits += scanner.in_values((str(row) for row in shop.sync_rows.values()), "statuses told to the store")
    ours = [row["comment"] for row in ground.record.histories if "Nextech Status" in str(row["comment"])]
    hits += scanner.in_values(ours, "comments told to the store")
    notes = [row.note for office in nextech.offices.values() for row in office.chart.payments.values() if row.origin == "api"]
    hits += scanner.in_values(notes, "notes of payments")
    assert scanner.looked_at > 2_000, "nothing was there to be searched"
    return hits
