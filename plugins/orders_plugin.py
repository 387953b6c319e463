"""The Orders pages in Airflow: where they are mounted, and where the navigation shows them."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class OrdersPlugin(AirflowPlugin):
    """Register the pages; everything else is in `order_sync.bootstrap.pages`."""

    name = "orders"
    # Relative, so that they lead to the right place when Airflow lies below a path of its host.
    external_views = [
        {
            "name": "Orders",
            "href": "orders-app/",
            "url_route": "orders",
            "destination": "nav",
            "nav_top_level": True,
            "icon": "orders-app/static/orders.svg",
            "icon_dark_mode": "orders-app/static/orders-dark.svg",
        },
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Build the app only where it is served: the scheduler, the DAG processor and the tasks load this file, too."""
        from order_sync.bootstrap.pages import create_pages

        return [{"app": create_pages(), "url_prefix": "/orders-app", "name": "orders"}]
