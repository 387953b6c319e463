"""The Orders pages: a FastAPI app that knows the use cases and the ledger, and nothing of Airflow."""
