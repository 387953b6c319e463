"""Serve the real API server of Airflow, with our plugin, in a process of its own: Airflow reads its settings once.

Run as `python -m tests.plugins.api_server PORT FILE`, with the settings in the environment. When it serves, it writes a
token for each login into the file.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
ROLES = {"vera": "Viewer", "ursula": "User", "otto": "Op", "ada": "Admin"}
"""Login to role, under both auth managers."""
DESK_ROLES = {"rita": "Orders reader", "dora": "Orders desk"}
"""Those of deploy/roles.json, under FAB; each beside its own Viewer."""


def make_database() -> None:
    """Make Airflow's tables, and keep the ledger's connection in one of them, as an operator does in the pages."""
    from airflow.models.connection import Connection
    from airflow.utils import db
    from airflow.utils.session import create_session

    db.initdb()
    with create_session() as session:
        session.add(Connection("sync_db", uri=os.environ["LEDGER_OF_THE_TEST"]))


def simple_tokens() -> dict[str, str]:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager: Any = get_auth_manager()
    users = {login: SimpleAuthManagerUser(username=login, role=role.upper(), teams=None) for login, role in ROLES.items()}
    users["nobody"] = SimpleAuthManagerUser(username="nobody", role=None, teams=None)
    return {login: manager.generate_jwt(user) for login, user in users.items()}


def fab_tokens() -> dict[str, str]:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.providers.fab.auth_manager.cli_commands.role_command import roles_import
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    manager: Any = get_auth_manager()
    roles_import(Namespace(file=os.environ["ROLES_OF_THE_TEST"], subcommand="import", verbose=False))
    tokens = {}
    with get_application_builder() as builder:
        for login, name in {**ROLES, **DESK_ROLES, "nobody": "Public", "gone": "Admin"}.items():
            roles = [builder.sm.find_role(name), *([builder.sm.find_role("Viewer")] if login in DESK_ROLES else [])]
            user = builder.sm.add_user(login, login.title(), "Example", f"{login}@practice.example", roles, "sandbox")
            tokens[login] = manager.generate_jwt(user)
        gone = builder.sm.find_user("gone")
        gone.active = False
        builder.sm.update_user(gone)
    return tokens


def main(port: int, ready: Path) -> None:
    make_database()
    import uvicorn
    from airflow.api_fastapi.app import create_app

    # Without the API that tasks report to: there are none.
    app = create_app("core")
    tokens = fab_tokens() if os.environ["AIRFLOW__CORE__AUTH_MANAGER"] == FAB else simple_tokens()

    class Server(uvicorn.Server):
        async def startup(self, *arguments: Any, **named: Any) -> None:
            await super().startup(*arguments, **named)
            written = ready.with_suffix(".part")
            written.write_text(json.dumps(tokens), encoding="utf-8")
            written.rename(ready)

    Server(uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False, log_config=None)).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
