"""Airflow's own login at the door of the Orders pages: who somebody is, and what they may do, is the auth manager's to say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import HTTPException, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from order_sync.bootstrap.runs import SYNC_ORDERS
from order_sync.web.visitors import NotLoggedInError, Visitor

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

logger = logging.getLogger(__name__)

_AWAY = "Airflow's own database does not answer; try again in a minute"


class AirflowDoorkeeper:
    """Admit whom Airflow admits: by its login cookie, or by a token in the `Authorization` header, which wins."""

    async def admit(self, request: Request) -> Visitor:
        """Return the visitor; raises `NotLoggedInError` for no login, and for one that is over, forged or made for others."""
        from airflow.api_fastapi.core_api.security import bearer_scheme, get_user

        try:
            user = await get_user(request, None, await bearer_scheme(request))
            # The audit trail needs a name: FAB's public role has none, whatever it may do.
            if getattr(user, "is_anonymous", False) or not user.get_name():
                raise NotLoggedInError(_login_href(request))
            return await run_in_threadpool(_visitor, user)
        except SQLAlchemyError as error:  # its text repeats the statement with its values
            logger.error("a login could not be checked: %s", type(error).__name__)  # noqa: TRY400
            away = HTTPException(503, _AWAY)
        except HTTPException:
            # Airflow answers 403 to a token that is not one of its own; whoever brings it is nobody to us.
            away = NotLoggedInError(_login_href(request))
        raise away


def _visitor(user: BaseUser) -> Visitor:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
    from airflow.models.dag import DagModel

    manager = get_auth_manager()
    dag = DagDetails(id=SYNC_ORDERS, team_name=DagModel.get_team_name(SYNC_ORDERS))
    can_read = manager.is_authorized_dag(method="GET", details=dag, user=user)
    can_act = can_read and manager.is_authorized_dag(method="PUT", details=dag, user=user)
    return Visitor(login=user.get_name(), can_read=can_read, can_act=can_act)


def _login_href(request: Request) -> str:
    """Return the path of Airflow's login, which leads back: to the same page, or to the first one after a change."""
    from airflow.api_fastapi.app import API_ROOT_PATH

    if request.method == "GET":
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    else:
        back = f"{request.scope.get('root_path', '')}/"
    return f"{API_ROOT_PATH}api/v2/auth/login?next={quote(back, safe='')}"
