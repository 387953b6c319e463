"""The demo on one machine: the sandbox, a database and a whole Airflow, started together and ended together."""
