"""The token endpoint, as Azure AD v1 answers (contract section 1): password and refresh grants, lock-out, new pairs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from sandbox.nextech.exchange import Answer, json_answer
from sandbox.nextech.records import PracticeSetup
from sandbox.nextech.switches import NextechSwitches

CLIENT_ID = "5e0d1c9a-2b7f-4c83-9a64-0f1d2e3c4b5a"
RESOURCE = "https://select.nextech-api.com/api"
REFRESH_LIFETIME = timedelta(days=14)

_WRONG_PASSWORD = (50126, "invalid_grant", "Invalid username or password.")
_LOCKED = (50053, "invalid_grant", "The account is locked after too many sign-in attempts with a wrong password.")
_EXPIRED_PASSWORD = (50055, "invalid_grant", "The password is expired.")
_DEAD_REFRESH = (70008, "invalid_grant", "The refresh token has expired or was revoked.")
_WRONG_CLIENT = (700016, "unauthorized_client", "The application was not found in the directory.")
_WRONG_GRANT = (70003, "unsupported_grant_type", "The grant type is not supported.")


@dataclass(slots=True)
class _Token:
    username: str
    ends_at: datetime


@dataclass(slots=True)
class Logins:
    """Who may sign in, and every token that is good."""

    setups: Mapping[str, PracticeSetup]
    """By user name."""
    rng: random.Random
    access: dict[str, _Token] = field(default_factory=dict, repr=False)
    refresh: dict[str, _Token] = field(default_factory=dict, repr=False)
    wrong_passwords: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, setups: Iterable[PracticeSetup], rng: random.Random) -> Logins:
        """Open the endpoint for the service users of these practices."""
        return cls({setup.username: setup for setup in setups}, rng)

    def granted(self, body: bytes, switches: NextechSwitches, now: datetime, *, is_refresh_refused: bool = False) -> Answer:
        """Answer a token request."""
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("client_id") != CLIENT_ID:
            return _refused(_WRONG_CLIENT, now)
        match form.get("grant_type"):
            case "password":
                return self._by_password(form, switches, now)
            case "refresh_token":
                return self._by_refresh(form, switches, now, is_refused=is_refresh_refused)
            case _:
                return _refused(_WRONG_GRANT, now)

    def _by_password(self, form: Mapping[str, str], switches: NextechSwitches, now: datetime) -> Answer:
        username = form.get("username", "")
        if self.wrong_passwords.get(username, 0) >= switches.lock_out_after:
            return _refused(_LOCKED, now)
        setup = self.setups.get(username)
        if setup is None or form.get("password") != setup.password:
            self.wrong_passwords[username] = self.wrong_passwords.get(username, 0) + 1
            return _refused(_WRONG_PASSWORD, now)
        if switches.are_logins_refused:
            return _refused(_EXPIRED_PASSWORD, now)
        self.wrong_passwords.pop(username, None)
        return self._pair(username, form.get("resource", RESOURCE), switches, now)

    def _by_refresh(self, form: Mapping[str, str], switches: NextechSwitches, now: datetime, *, is_refused: bool) -> Answer:
        given = form.get("refresh_token", "")
        token = self.refresh.get(given)
        if token is None or token.ends_at <= now or is_refused or switches.are_logins_refused:
            return _refused(_DEAD_REFRESH, now)
        if switches.does_refresh_end_old_token:
            del self.refresh[given]
        return self._pair(token.username, RESOURCE, switches, now)

    def _pair(self, username: str, resource: str, switches: NextechSwitches, now: datetime) -> Answer:
        lifetime = switches.token_lifetime_seconds
        access = f"simulated.{self.rng.getrandbits(128):032x}"
        refresh = f"simulated-{self.rng.getrandbits(128):032x}"
        self.access[access] = _Token(username, now + timedelta(seconds=lifetime))
        self.refresh[refresh] = _Token(username, now + REFRESH_LIFETIME)
        numbers: dict[str, Any] = {
            "expires_in": lifetime,
            "ext_expires_in": 0,
            "expires_on": int(now.timestamp()) + lifetime,
            "not_before": int(now.timestamp()),
        }
        if switches.is_expires_in_text:
            numbers = {name: str(number) for name, number in numbers.items()}
        document = {"token_type": "Bearer", "scope": "user_impersonation", **numbers, "resource": resource}
        return json_answer(200, {**document, "access_token": access, "refresh_token": refresh})

    def user_of(self, authorization: str | None, now: datetime) -> PracticeSetup | None:
        """Return whose token this is, or None when it is missing, unknown or over."""
        scheme, _, value = (authorization or "").partition(" ")
        token = self.access.get(value) if scheme.casefold() == "bearer" else None
        return self.setups[token.username] if token is not None and now < token.ends_at else None

    def end_all(self) -> None:
        """Let every access token end now."""
        self.access.clear()


def _refused(error: tuple[int, str, str], now: datetime) -> Answer:
    code, name, sentence = error
    return json_answer(
        400,
        {
            "error": name,
            "error_description": f"AADSTS{code}: {sentence}",
            "error_codes": [code],
            "timestamp": now.strftime("%Y-%m-%d %H:%M:%SZ"),
            "trace_id": "00000000-0000-4000-8000-000000000001",
            "correlation_id": "00000000-0000-4000-8000-000000000002",
        },
    )
