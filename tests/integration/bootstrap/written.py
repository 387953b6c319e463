"""Airflow connections that a test writes and spoils."""

from __future__ import annotations

import json
from typing import Any

import pytest

PRACTICE = "eastern"


class Connections:
    """The connections of design section 10; each can be spoiled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._written: dict[str, dict[str, Any]] = {}

    def write(self, name: str, **fields: Any) -> None:
        """Write a connection; a later call changes some fields, and inside `extra` some of its fields; None removes one."""
        old = self._written.get(name, {})
        extra = {**old.get("extra", {}), **fields.pop("extra", {})}
        new = {**old, **fields, "extra": {key: value for key, value in extra.items() if value is not None}}
        self._written[name] = {key: value for key, value in new.items() if value is not None}
        self.write_text(name, json.dumps(self._written[name]))

    def write_text(self, name: str, text: str) -> None:
        """Write a connection as an operator types it: JSON or a URL."""
        self._monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", text)

    def remove(self, name: str) -> None:
        """Remove a connection."""
        self._monkeypatch.delenv(f"AIRFLOW_CONN_{name.upper()}")

    def fields(self, name: str) -> dict[str, Any]:
        """Return what a connection holds, to write it again later."""
        return dict(self._written[name])
