"""The demo's keys: made once, kept beside the ledger that depends on them, never printed.

The markers are computed with one of them (reliability section 3.1), so a new key would make every posted payment look foreign.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from launch.plan import LaunchError


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Every secret of one copy of the demo."""

    marker_key: str
    """Computes the markers of payments."""
    customer_key: str
    """Hashes the store customers of remembered decisions."""
    fernet_key: str
    """Airflow encrypts stored connections with it: 32 bytes, URL-safe base64."""
    jwt_secret: str
    """Airflow's components prove themselves to the API server with it."""
    session_key: str
    """Signs the sessions of the Airflow pages."""

    @classmethod
    def invent(cls) -> Keys:
        """Make new keys."""
        return cls(
            marker_key=secrets.token_hex(32),
            customer_key=secrets.token_hex(32),
            fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            jwt_secret=secrets.token_hex(32),
            session_key=secrets.token_hex(32),
        )


def load_or_make_keys(path: Path) -> Keys:
    """Read the keys, or make and keep them for the owner's eyes only when there are none yet.

    Raises `LaunchError` when the file is there but is not a keys file.
    """
    if path.exists():
        try:
            return Keys(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            msg = f"{path} is damaged: put the old file back, or forget the demo with 'make reset'"
            raise LaunchError(msg) from error
    keys = Keys.invent()
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(keys), file, indent=2)
    unfinished.replace(path)
    return keys
