"""Every route of the Orders pages, every method, everybody: on Airflow's real API server, with both auth managers."""

from __future__ import annotations

import re
from collections.abc import Iterable

import httpx
import pytest
from fastapi.routing import APIRoute

from order_sync.web.app import create_app
from order_sync.web.forms import STALE
from order_sync.web.visitors import FORBIDDEN_TO_ACT, FORBIDDEN_TO_READ
from tests.houses import NamedAtTheDoor
from tests.plugins.access_table import TABLE, VALUES, Need
from tests.plugins.api_server import DESK_ROLES, ROLES
from tests.plugins.visits import APP, ApiServer

pytestmark = pytest.mark.airflow

METHODS = ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READERS = {"vera", "rita"}
"""Everybody else of `ROLES` and `DESK_ROLES` may act."""
LATE = ("GET /api/health", 503)
"""What a monitor is told of a ledger in which nothing has ever run."""
HIDDEN = ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect")


class EmptyHouse:
    form_key = b"a form key for tests"
    hosts: frozenset[str] = frozenset()


@pytest.fixture(params=["simple", "fab"])
def server(request: pytest.FixtureRequest) -> ApiServer:
    served: ApiServer = request.getfixturevalue(f"{request.param}_server")
    return served


def filled(path: str) -> str:
    """Put values into the path of a route."""
    return APP + re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: VALUES[found[1]], path)


def visit(
    server: ApiServer, token: str | None, *, by_cookie: bool = False, lines: Iterable[str] = TABLE
) -> dict[str, httpx.Response]:
    """Make each request with this token, and return what came of it."""
    with server.visitor(token, by_cookie=by_cookie) as visitor:
        return {line: visitor.request(line.split()[0], filled(line.split()[1])) for line in lines}


def test_every_route_has_its_line_in_the_table():
    routes = create_app(EmptyHouse(), NamedAtTheDoor()).routes
    assert all(isinstance(route, APIRoute) for route in routes), "only a FastAPI route has the door in front of it"
    assert {f"{method} {route.path}" for route in routes for method in route.methods} == set(TABLE)


def test_nobody_comes_in_without_a_login(server: ApiServer):
    let_in = [
        f"{who}{' by cookie' if by_cookie else ''}: {line} gave {answer.status_code}"
        for who, token in server.strangers("ada").items()
        for by_cookie in ((False, True) if who in {"expired", "forged"} else (False,))
        for line, answer in visit(server, token, by_cookie=by_cookie).items()
        if answer.status_code != 401
    ]
    assert let_in == []


@pytest.mark.parametrize("login", [None, "ada"])
def test_no_other_method_does_anything(simple_server: ApiServer, login: str | None):
    paths = {line.split()[1] for line in TABLE}
    others = [line for path in sorted(paths) for line in (f"{method} {path}" for method in METHODS) if line not in TABLE]
    answers = visit(simple_server, login and simple_server.tokens[login], lines=others)
    assert {answer.status_code for answer in answers.values()} == {405}


def test_a_login_that_was_switched_off_is_none(fab_server: ApiServer):
    assert {answer.status_code for line, answer in visit(fab_server, fab_server.tokens["gone"]).items() if line in TABLE} == {
        401
    }


def test_who_has_logged_out_is_out(server: ApiServer):
    with server.visitor(server.new_token("ada"), by_cookie=True) as visitor:
        cookies = dict(visitor.cookies)
        assert visitor.get(f"{APP}/").status_code == 200
        assert visitor.get("/api/v2/auth/logout").status_code == 307
        visitor.cookies.update(cookies)  # as somebody would who has kept it
        assert visitor.get(f"{APP}/").status_code == 401


def test_who_may_not_read_the_dag_sees_nothing(server: ApiServer):
    answers = visit(server, server.tokens["nobody"])
    assert {(answers[line].status_code, FORBIDDEN_TO_READ.split(";")[0] in answers[line].text) for line in TABLE} == {
        (403, True)
    }


@pytest.mark.parametrize(
    ("served", "login"),
    [(name, login) for name, more in (("simple", {}), ("fab", DESK_ROLES)) for login in (*ROLES, *more)],
)
@pytest.mark.parametrize("by_cookie", [False, True], ids=["by token", "by cookie"])
def test_everybody_may_do_what_the_table_says(request: pytest.FixtureRequest, served: str, login: str, *, by_cookie: bool):
    server: ApiServer = request.getfixturevalue(f"{served}_server")
    wrong = []
    answers = visit(server, server.tokens[login], by_cookie=by_cookie)
    for line, need in TABLE.items():
        answer = answers[line]
        status = answer.status_code
        match need:
            case Need.READ:
                is_right = status in {200, 303, 404} or (line, status) == LATE
            case _ if login in READERS:
                is_right = status == 403 and FORBIDDEN_TO_ACT.split(":")[0] in answer.text
            case Need.ACT:
                is_right = status in {200, 303, 404, 422, 503}
            case Need.CALL if not by_cookie:
                is_right = status in {200, 400, 404, 409, 422, 503}
            case _:
                is_right = status == 403 and STALE.split(".")[0] in answer.text
        if not is_right:
            wrong.append(f"{line} gave {status}: {answer.text[:200]}")
    assert wrong == []


def test_nothing_describes_the_app_to_anybody(server: ApiServer):
    for token in (None, server.tokens["ada"]):
        with server.visitor(token) as visitor:
            assert {visitor.get(f"{APP}{path}").status_code for path in HIDDEN} == {404}


def test_a_bad_token_is_not_made_good_by_a_cookie(server: ApiServer):
    with server.visitor(server.tokens["ada"], by_cookie=True) as visitor:
        assert visitor.get(f"{APP}/").status_code == 200
        assert visitor.get(f"{APP}/", headers={"Authorization": "Bearer not-a-token"}).status_code == 401


def test_a_browser_without_login_is_shown_where_to_log_in_and_comes_back(server: ApiServer):
    with server.visitor(None) as visitor:
        answer = visitor.get(f"{APP}/queue?mine=1&reason=x")
        assert answer.status_code == 401
        link = re.search(r'href="([^"]+)"', answer.text)
        assert link is not None
        href = link[1].replace("&amp;", "&")
        base_path = httpx.URL(server.url).path.rstrip("/")
        assert href.startswith(f"{base_path}/api/v2/auth/login?next=")
        login = visitor.get(httpx.URL(server.url).join(href))
        assert login.status_code == 307
        assert httpx.URL(login.headers["location"]).params["next"] == f"{base_path}{APP}/queue?mine=1&reason=x"


def test_an_answer_is_kept_by_nobody_and_framed_only_by_airflow(server: ApiServer):
    for token in (None, server.tokens["ada"]):
        with server.visitor(token) as visitor:
            headers = visitor.get(f"{APP}/").headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
