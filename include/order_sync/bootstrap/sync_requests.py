"""Ask for a run of `sync_orders` at once: an event of the asset that the DAG waits for, registered in this process.

Not over Airflow's API with the visitor's token: the simple auth manager lets a *user* edit a DAG, but only an *op* post
asset events.
"""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from order_sync.bootstrap.runs import SYNC_ORDERS

logger = logging.getLogger(__name__)

ORDER_RESOLVED_NAME = "order_resolved"
ORDER_RESOLVED_URI = "x-order-sync://order-resolved"
"""As the DAG file declares the asset; a test compares."""


def ask_for_sync(actor: str) -> bool:
    """Register that an order was resolved; return False, and log why, when no run will come of it by itself.

    `actor` is kept with the event, where whoever may read the asset sees it.
    """
    try:
        return _register(actor)
    except SQLAlchemyError as error:  # its text repeats the statement with its values
        logger.error("a run of %s could not be asked for: %s", SYNC_ORDERS, type(error).__name__)  # noqa: TRY400
        return False


def _register(actor: str) -> bool:
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    named = (AssetModel.name == ORDER_RESOLVED_NAME, AssetModel.uri == ORDER_RESOLVED_URI)
    with create_session() as session:
        asset = session.scalar(select(AssetModel).where(*named))
        is_paused = session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == SYNC_ORDERS))
        if asset is None or is_paused is not False:
            logger.warning("%s is unknown or switched off in Airflow: no run is asked for", SYNC_ORDERS)
            return False
        event = asset_manager.register_asset_change(asset=asset, extra={"resolved_by": actor}, session=session)
        return event is not None
