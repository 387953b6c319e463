#!/usr/bin/env bash
# Make Airflow's database and the ledger's, each with a role that cannot see the other. Runs once, on an empty volume.
set -euo pipefail

make_database() {
    psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres \
        --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

make_database airflow "$AIRFLOW_DB_PASSWORD"
make_database order_sync "$ORDER_SYNC_DB_PASSWORD"
