"""Find the task instances that worked on an order, by the labels that the DAG gives them: the ledger knows no run of Airflow.

Cheap: a few runs around an instant, through indexes of Airflow's own tables, and never more than `MOST_LINKS` rows.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from order_sync.bootstrap.runs import SYNC_ORDERS
from order_sync.practices import Practice
from order_sync.web.house import TaskLink

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

SYNC_ORDER = "sync_order"
SWEEPS = tuple(f"sync_practice.{step}" for step in ("extract_orders", "match_patients", "post_payments", "mark_status"))
MOST_RUNS = 8
"""Around the instant, and as many of the newest: an order is run alone soon after it failed, or when it is cleared later."""
MOST_LINKS = 5
_MARGIN = timedelta(seconds=2)
"""Between the database's clock, which the ledger's times are from, and the worker's."""
_LONGEST_RUN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Found:
    task_id: str
    run_id: str
    map_index: int
    started_at: datetime


def find_task_links(practice: Practice, order_number: str, since: datetime) -> tuple[TaskLink, ...]:
    """Return links to what worked on an order at `since` or later, newest first, and to the DAG when nothing is left of it.

    `since` is when the order last changed: the sweep that was at work in its practice then, and the `sync_order` tasks
    with its number.
    """
    from airflow.utils.session import create_session

    try:
        with create_session() as session:
            found = _find(session, practice.id, order_number, since)
    except SQLAlchemyError as error:  # a link is not worth a page
        logger.warning("Airflow's task instances could not be read: %s", type(error).__name__)
        found = []
    links = tuple(_link(practice, row) for row in found)
    return links or (TaskLink("Runs in Airflow", f"{_root()}dags/{SYNC_ORDERS}/runs"),)


def _find(session: Session, practice_id: str, order_number: str, since: datetime) -> list[_Found]:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance as Row

    of_dag = select(DagRun.run_id).where(DagRun.dag_id == SYNC_ORDERS)
    around = of_dag.where(DagRun.run_after >= since - _LONGEST_RUN).order_by(DagRun.run_after).limit(MOST_RUNS)
    newest = of_dag.order_by(DagRun.run_after.desc()).limit(MOST_RUNS)
    run_ids = {*session.scalars(around), *session.scalars(newest)}
    label = cast("ColumnElement[str]", Row.rendered_map_index)
    alone = and_(Row.task_id == SYNC_ORDER, label.startswith(f"{order_number}:", autoescape=True))
    at_work = and_(Row.start_date <= since + _MARGIN, or_(Row.end_date.is_(None), Row.end_date >= since - _MARGIN))
    swept = and_(Row.task_id.in_(SWEEPS), label == practice_id, at_work)
    rows = session.execute(
        select(Row.task_id, Row.run_id, Row.map_index, Row.start_date)
        .where(Row.dag_id == SYNC_ORDERS, Row.run_id.in_(run_ids), Row.start_date.is_not(None), or_(alone, swept))
        .order_by(Row.start_date.desc())
        .limit(MOST_LINKS)
    )
    return [_Found(task, run, index, started) for task, run, index, started in rows if started is not None]


def _link(practice: Practice, row: _Found) -> TaskLink:
    """Name the task and when it began; its page in Airflow shows the log first."""
    began = row.started_at.replace(tzinfo=row.started_at.tzinfo or UTC).astimezone(practice.zone)
    path = f"dags/{SYNC_ORDERS}/runs/{quote(row.run_id, safe='')}/tasks/{row.task_id}/mapped/{row.map_index}"
    return TaskLink(f"{row.task_id.rpartition('.')[2]}, {began:%Y-%m-%d %H:%M}", f"{_root()}{path}")


def _root() -> str:
    from airflow.api_fastapi.app import API_ROOT_PATH

    root: str = API_ROOT_PATH
    return root
