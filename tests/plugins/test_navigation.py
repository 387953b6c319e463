"""The plugin as Airflow's UI sees it, and what it costs the processes that serve no page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from launch.plan import REPOSITORY
from tests.plugins.visits import APP, ApiServer

pytestmark = pytest.mark.airflow

LOAD = """
import time
from airflow import plugins_manager
began = time.perf_counter()
import importlib.util, sys
spec = importlib.util.spec_from_file_location("orders_plugin", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
took = time.perf_counter() - began
assert plugins_manager.is_valid_plugin(module.OrdersPlugin)
names = [plugin.name for plugin in plugins_manager._get_plugins()[0]]
print("LOADED", names, sorted(name for name in sys.modules if name.partition(".")[0] in {"order_sync", "orders_plugin"}), took)
"""


def entry(server: ApiServer, login: str) -> dict[str, str]:
    """Return our entry of the navigation, as the UI is told."""
    with server.visitor(server.tokens[login]) as visitor:
        plugins = visitor.get("/api/v2/plugins").raise_for_status().json()["plugins"]
    [view] = next(plugin for plugin in plugins if plugin["name"] == "orders")["external_views"]
    assert isinstance(view, dict)
    return view


@pytest.mark.parametrize("served", ["simple_server", "fab_server"])
def test_the_navigation_leads_to_the_pages_wherever_airflow_lies(served: str, request: pytest.FixtureRequest):
    server: ApiServer = request.getfixturevalue(served)
    view = entry(server, "ada")
    assert (view["name"], view["destination"], view["url_route"], view["nav_top_level"]) == ("Orders", "nav", "orders", True)
    base = httpx.URL(f"{server.url}/")  # the UI's own <base>
    with server.visitor(server.tokens["vera"], by_cookie=True) as visitor:
        assert visitor.get(base.join(view["href"])).status_code == 200
        for icon in (view["icon"], view["icon_dark_mode"]):
            answer = visitor.get(base.join(icon))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_links_of_a_page_stay_below_the_path_of_airflow(simple_server: ApiServer):
    with simple_server.visitor(simple_server.tokens["vera"]) as visitor:
        page = visitor.get(f"{APP}/").text
    assert f'href="{httpx.URL(simple_server.url).path}{APP}/queue"' in page
    assert f'"{APP}/' not in page


@pytest.mark.parametrize("login", ["rita", "dora"])
def test_the_roles_for_the_desk_show_the_entry(fab_server: ApiServer, login: str):
    assert entry(fab_server, login)["name"] == "Orders"


@pytest.mark.parametrize("login", ["vera", "ursula"])
def test_fabs_own_roles_need_those_of_ours_beside_them(fab_server: ApiServer, login: str):
    """What deploy/roles.json is for: FAB's Viewer and User may not read plugins, so Airflow shows them no entry."""
    with fab_server.visitor(fab_server.tokens[login]) as visitor:
        assert visitor.get("/api/v2/plugins").status_code == 403
        assert visitor.get(f"{APP}/").status_code == 200


def test_loading_the_plugin_costs_nothing_where_no_page_is_served(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ORDER_SYNC"))}
    environment |= {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "PYTHONPATH": str(REPOSITORY / "include"),
    }
    path = REPOSITORY / "plugins" / "orders_plugin.py"
    command = [sys.executable, "-W", "ignore", "-c", LOAD, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert line.rpartition(" ")[0] == "LOADED ['orders'] ['orders_plugin']", "nothing of the package, and one plugin alone"
    assert float(line.rpartition(" ")[2]) < 0.1


@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")
def test_airflow_executes_nothing_in_the_folder_but_entry_files(tmp_path: Path):
    from airflow._shared.module_loading import find_path_from_directory

    names = ("orders_plugin.py", "email.py", "pages/models.py", "other_plugin.py", "plugin.py")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    ignore = (REPOSITORY / "plugins" / ".airflowignore").read_text(encoding="utf-8")
    (tmp_path / ".airflowignore").write_text(ignore, encoding="utf-8")
    found = {
        Path(path).relative_to(tmp_path).as_posix()
        for path in find_path_from_directory(str(tmp_path), ".airflowignore", "glob")
    }
    assert found == {"orders_plugin.py", "other_plugin.py"}
