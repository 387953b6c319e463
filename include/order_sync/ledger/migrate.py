"""Bring the ledger's schema to the newest revision, and say whether it is there: `python -m order_sync.ledger.migrate`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from order_sync.errors import SettingsError
from order_sync.ledger.session import open_engine

URL_VARIABLE = "ORDER_SYNC_DB_URL"
_COMMAND = "python -m order_sync.ledger.migrate"


def configuration() -> Config:
    """Return Alembic's settings: they live in code, so that there is no ini file to find."""
    config = Config()
    config.set_main_option("script_location", "order_sync.ledger:migrations")
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """Return the revision that this code is written for."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    if head is None:
        msg = "the ledger has no migrations: the installation is incomplete"
        raise SettingsError(msg)
    return head


def current_revision(engine: Engine) -> str | None:
    """Return the revision that the database stands at, or None when it is empty."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        # Alembic's own way logs two lines each time, in every task.
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return revision


def migrate(url: str) -> str:
    """Bring the database to the newest revision, all steps in one transaction; return that revision.

    Safe to call from several processes at once: one does it, the others wait for it and find nothing to do.
    """
    engine = open_engine(url)
    try:
        config = configuration()
        config.attributes["connection"] = engine
        command.upgrade(config, "head")
    finally:
        engine.dispose()
    return newest_revision()


def is_current(engine: Engine) -> bool:
    """Say whether the database's schema is the one that this code is written for."""
    return current_revision(engine) == newest_revision()


def require_current(engine: Engine) -> None:
    """Raise `SettingsError`, saying what to do, unless the database's schema is the one that this code is written for."""
    found, wanted = current_revision(engine), newest_revision()
    if found == wanted:
        return
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if found is None:
        msg = f"the ledger's database has no tables yet: run `{_COMMAND} <url>`"
    elif found in known:
        msg = f"the ledger's schema is at {found}, older than this code ({wanted}): run `{_COMMAND} <url>`"
    else:
        msg = f"the ledger's schema is at {found}, newer than this code ({wanted}): deploy the release that belongs to it"
    raise SettingsError(msg)


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrate the database that the command line or the environment names; print one line."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description="Bring the ledger's schema to the newest revision.")
    parser.add_argument("url", nargs="?", default=os.environ.get(URL_VARIABLE), help=f"database URL; default: ${URL_VARIABLE}")
    url = parser.parse_args(arguments).url
    if not url:
        parser.error(f"name the database: give its URL, or set {URL_VARIABLE}")
    try:
        revision = migrate(url)
    except (SQLAlchemyError, SettingsError) as error:
        # The driver's own words can hold the URL with its password.
        reason = "the URL cannot be read" if isinstance(error, ArgumentError) else type(error).__name__
        sys.stderr.write(f"ledger: not migrated ({reason})\n")
        return 1
    sys.stdout.write(f"ledger: schema is at revision {revision}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
