"""The ledger: what we know, decided and did about every order. It drives the DAG, and it holds no patient data."""
