"""What guards every answer: no other site may frame it, script it, cache it, or send changes in a visitor's name."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_sync.web.failures import answer_unforeseen
from order_sync.web.house import House

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_PATH = 1_000
"""Characters. None of ours is a tenth of it; a number of thousands of digits is an error of its own in Python."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'self'; base-uri 'none'; object-src 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Protection:
    """Refuse changes that another site sends, and put the headers on every answer (OWASP cross-site request forgery)."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        has_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        if len(scope["path"]) > _LONGEST_PATH:
            refusal = PlainTextResponse("There is no page with such a long address.", 414)
            await refusal(scope, receive, send_guarded)
            return
        if scope["method"] not in _SAFE_METHODS and self._is_from_elsewhere(Headers(scope=scope)):
            refusal = PlainTextResponse("This change was sent by another site. Nothing was done.", 403)
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception as failure:  # noqa: BLE001 - what leaves here is written to the server's log with its message
            answer = answer_unforeseen(Request(scope, receive), failure)
            if not has_begun:
                await answer(scope, receive, send_guarded)

    def _is_from_elsewhere(self, headers: Headers) -> bool:
        """Say whether a browser tells that another site made the request; what tells nothing is left to the form token."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site != "same-origin":
            return True
        ours = {headers.get("host", "").casefold(), *(host.casefold() for host in self._house.hosts)}
        return origin is not None and urlsplit(origin).netloc.casefold() not in ours
