"""Turn Airflow's connections into desks: the only room of the package that knows Airflow.

`steps` is what the DAG files call, `pages` what the plugin mounts; `hooks` are thin classes on the HTTP provider's;
`desks` puts a practice's clients, ledger and keys together. Nothing here is imported before it is needed: importing
Airflow costs seconds.
"""
