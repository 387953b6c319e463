"""The token of one Nextech API user: fetched once for all threads, renewed before it ends, and never begged for.

Issued credentials expire at first login and are reset by a person (contract section 1), and repeated failures lock the
account. So a refusal is final for a while: whoever asks next is told the same without another login.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from order_sync.clients.addresses import checked_base_url
from order_sync.clients.http import Answer, JsonEdge
from order_sync.clock import Clock
from order_sync.errors import LoginRefusedError, SourceUnavailableError, TransientError

ROUTE = "POST token"
_REFUSAL_SECONDS = 300.0
_SHARE_OF_LIFE = 0.8
_DEFAULT_LIFE_SECONDS = 300.0
"""When `expires_in` cannot be read: short, because a token that ends unnoticed costs an order a try."""
_SHORTEST_LIFE_SECONDS = 30.0
_LONGEST_LIFE_SECONDS = 86_400.0
_TRANSIENT_CODES = frozenset({"temporarily_unavailable", "server_error"})
_KEPT = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks for a token, and where (contract section 1, password grant)."""

    token_url: str
    username: str
    password: str = field(repr=False)
    client_id: str = field(repr=False)
    resource: str


@dataclass(frozen=True, slots=True)
class _Token:
    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    issued_at: float
    renew_at: float


class NextechToken:
    """Hold the current token and renew it, one thread at a time."""

    def __init__(self, login: Login, edge: JsonEdge, clock: Clock) -> None:
        """Check the token URL; nothing is asked for yet."""
        self._login = login
        self._url = checked_base_url(login.token_url, system="nextech token")
        self._edge = edge
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._refused_until = 0.0
        self._refusal: LoginRefusedError | None = None
        self._refused_with: dict[str, str] = {}
        """Route -> the token that was refused there and has not been followed by an accepted one."""

    def current(self) -> str:
        """Return a token with at least a fifth of its life left; fetch or refresh it when needed.

        Raises `LoginRefusedError`, `SourceUnavailableError` or `RateLimitedError`.
        """
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._token.renew_at:
                self._token = self._renewed()
            return self._token.access

    def renew(self, refused: str, route: str, status: int | None) -> None:
        """Replace a token that the API refused on a route; threads that come with the same one wait and share.

        Raises `LoginRefusedError` when a second, different token is refused on the same route, and what `current`
        raises.
        """
        with self._lock:
            before = self._refused_with.get(route)
            if before is not None and before != refused:
                reason = "refused again with a renewed token"
                raise LoginRefusedError(reason, system="nextech", route=route, status=status)
            self._refused_with[route] = refused
        self.replace(refused)

    def replace(self, doubtful: str) -> None:
        """Renew the token unless another thread has already replaced this one; raises what `current` raises."""
        with self._lock:
            if self._token is None or self._token.access == doubtful:
                self._token = self._renewed()

    def accept(self, route: str) -> None:
        """Note that the API took the token on a route."""
        if self._refused_with:
            with self._lock:
                self._refused_with.pop(route, None)

    def age_seconds(self) -> float:
        """Return how long ago the current token was issued; 0 without one."""
        token = self._token
        return self._clock.monotonic() - token.issued_at if token else 0.0

    def _renewed(self) -> _Token:
        if self._refusal is not None and self._clock.monotonic() < self._refused_until:
            raise LoginRefusedError(self._refusal.reason, system="nextech", route=ROUTE, status=self._refusal.status)
        old, self._token = self._token, None
        if old is not None and old.refresh is not None:
            try:
                return self._ask({"grant_type": "refresh_token", "refresh_token": old.refresh}, tries=1)
            except (LoginRefusedError, TransientError):
                # A refresh whose answer was lost may have used the pair up (reliability K23): the password decides, once.
                pass
        try:
            return self._ask(
                {
                    "grant_type": "password",
                    "username": self._login.username,
                    "password": self._login.password,
                    "resource": self._login.resource,
                },
                tries=3,
            )
        except LoginRefusedError as refusal:
            self._refusal, self._refused_until = refusal, self._clock.monotonic() + _REFUSAL_SECONDS
            raise

    def _ask(self, fields: dict[str, str], *, tries: int) -> _Token:
        body = urlencode({"client_id": self._login.client_id, **fields}).encode("ascii")

        def build() -> httpx.Request:
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            return httpx.Request("POST", self._url, headers=headers, content=body)

        asked_at = self._clock.monotonic()
        answer = self._edge.read(ROUTE, build, attempt_seconds=15.0, call_seconds=40.0, tries=tries, keep=_KEPT)
        return self._read_token(answer, asked_at)

    def _read_token(self, answer: Answer, asked_at: float) -> _Token:
        document = answer.document if isinstance(answer.document, dict) else {}
        code = document.get("error")
        if not answer.is_success and isinstance(code, str) and code not in _TRANSIENT_CODES:
            reason = "the token endpoint refuses the login"
            raise LoginRefusedError(reason, system="nextech", route=ROUTE, status=answer.status, request_id=answer.request_id)
        access, refresh = document.get("access_token"), document.get("refresh_token")
        if not (answer.is_success and isinstance(access, str) and access.isascii() and access.isprintable() and access):
            reason = "the token endpoint answers without a token"
            raise SourceUnavailableError(
                reason, system="nextech", route=ROUTE, status=answer.status, request_id=answer.request_id
            )
        life_seconds = _life_seconds(document.get("expires_in"))
        return _Token(
            access=access,
            refresh=refresh if isinstance(refresh, str) and refresh else None,
            issued_at=asked_at,
            renew_at=asked_at + life_seconds * _SHARE_OF_LIFE,
        )


def _life_seconds(expires_in: object) -> float:
    """Read `expires_in`, a number or a string of one (contract section 1)."""
    try:
        seconds = float(str(expires_in))
    except ValueError:
        return _DEFAULT_LIFE_SECONDS
    if not seconds > 0:
        return _DEFAULT_LIFE_SECONDS
    return min(max(seconds, _SHORTEST_LIFE_SECONDS), _LONGEST_LIFE_SECONDS)
