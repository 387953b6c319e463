"""The JSON API: the same ledger as the pages, for the data team's scripts; no patient data but chart ids."""
