"""Which order an entry of Nextech belongs to, and whether it is ours at all.

An entry is ours when the ledger knows its payment id, when it carries one of our markers, or when it is of our category. It
belongs to the order that the ledger's payment id names, else the one whose marker it carries, else the one whose number
is in its note. A marker outweighs a number: the stores of two practices count alike, so an entry with the marker of nobody
here is not linked by the number beside it.
"""

from __future__ import annotations

import pandas as pd

from order_sync.reconciliation.frames import Facts

ACTIVE = "active"


def link_entries(facts: Facts) -> pd.DataFrame:
    """Return every entry, in the order of `facts.entries`, with `entity_id` (null: no order), `is_order_read` and `is_ours`.

    `is_order_read` says whether the order is among `facts.orders`; an order that the ledger knows and the store did not show
    is no order that an amount could be compared with.
    """
    entries = facts.entries.reset_index(drop=True)
    orders, ledger = facts.orders, facts.ledger
    entity_id = _look_up(entries["payment_id"], _payments_known(facts))
    is_ours = entity_id.notna() | entries["marker"].notna() | entries["is_our_category"]

    # The ledger's own marker differs from the one made anew when the key was renewed since.
    for source in (orders, ledger):
        marked = entries.loc[entity_id.isna(), "marker"].dropna()
        entity_id = entity_id.fillna(_look_up(marked, _near(marked, source).drop_duplicates("marker")))

    is_unmarked = entity_id.isna() & entries["marker"].isna() & entries["is_our_category"]
    numbered = entries.loc[is_unmarked, "number"].dropna()
    entity_id = entity_id.fillna(_look_up(numbered, _near(numbered, orders).drop_duplicates("number", keep=False)))

    return entries.assign(entity_id=entity_id, is_order_read=entity_id.isin(orders["entity_id"]), is_ours=is_ours)


def select_counted(linked: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that count: ours and active. Of a voided pair neither half counts."""
    return linked[linked["is_ours"] & (linked["status"] == ACTIVE)]


def belongs_to_an_order(linked: pd.DataFrame) -> pd.Series[bool]:
    """Say of each entry whether its amount is compared with an order: it is on a patient, and its order was read."""
    return linked["is_order_read"] & linked["patient_id"].notna()


def _payments_known(facts: Facts) -> pd.DataFrame:
    recorded = facts.recorded_refunds
    refunds = pd.DataFrame({"payment_id": list(recorded), "entity_id": list(recorded.values())})
    posted = facts.ledger[["payment_id", "entity_id"]].dropna(subset="payment_id")
    if refunds.empty:
        known = posted
    else:
        known = pd.concat([posted, refunds.astype({"payment_id": posted["payment_id"].dtype, "entity_id": "int64"})])
    # One payment that the ledger gives to two orders belongs to the older; the younger then shows what it lacks.
    return known.sort_values("entity_id").drop_duplicates("payment_id")


def _near(keys: pd.Series, source: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a source whose key is wanted, so that only they are looked through."""
    name = str(keys.name)
    return source.loc[source[name].isin(keys), [name, "entity_id"]].sort_values("entity_id")


def _look_up(keys: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Return the entity id of each key, with the keys' own index; null where the table lacks it."""
    name = str(keys.name)
    # By an index on both sides, because pandas validates a column of texts by sorting it.
    by_key = table.set_index(name).astype({"entity_id": "Int64"})
    found = pd.DataFrame(index=pd.Index(keys)).join(by_key, how="left", validate="many_to_one")
    return pd.Series(found["entity_id"].array, index=keys.index)
