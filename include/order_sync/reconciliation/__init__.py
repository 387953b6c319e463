"""Reconciliation: both sides of a period compared, to the cent. Pure rules on pandas frames; no database, no HTTP, no mail."""
