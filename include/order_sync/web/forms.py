"""Form tokens: a change must come from a form that we gave to this login, not from a page elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Header, HTTPException, Request
from itsdangerous import BadData, URLSafeTimedSerializer

from order_sync.web.house import house_of
from order_sync.web.visitors import Visitor, acting_visitor_of

VALID_SECONDS = 12 * 3600
"""A form that was opened in the morning can be sent in the evening."""
_SALT = "order_sync.form"
STALE = "This form is too old, or was opened under another login. Nothing was done: open the page again"


def make_form_token(request: Request) -> str:
    """Return a token that only the visitor of this request can send back."""
    visitor: Visitor = request.state.visitor
    return _serializer(request).dumps(visitor.login)


def check_form_token(request: Request, token: str) -> None:
    """Raise `HTTPException` 403 unless the token was made for the visitor of this request, lately."""
    visitor: Visitor = request.state.visitor
    try:
        login = _serializer(request).loads(token, max_age=VALID_SECONDS)
    except BadData as error:
        raise HTTPException(403, STALE) from error
    if login != visitor.login:
        raise HTTPException(403, STALE)


def sender_of_form(
    request: Request, visitor: Annotated[Visitor, Depends(acting_visitor_of)], form_token: Annotated[str, Form()] = ""
) -> Visitor:
    """Return who sends a form; raises `HTTPException` 403 for one who may not act, or a form that is not ours."""
    check_form_token(request, form_token)
    return visitor


def sender_of_call(
    request: Request,
    visitor: Annotated[Visitor, Depends(acting_visitor_of)],
    authorization: Annotated[str, Header(include_in_schema=False)] = "",
    x_form_token: Annotated[str, Header(include_in_schema=False)] = "",
) -> Visitor:
    """Return who makes a call of the API: with a token of their own, which no browser sends by itself, or with a form's."""
    if not authorization.lower().startswith("bearer "):
        check_form_token(request, x_form_token)
    return visitor


Sender = Annotated[Visitor, Depends(sender_of_form)]
"""What every page takes that changes something."""
Caller = Annotated[Visitor, Depends(sender_of_call)]
"""What every call of the API takes that changes something."""


def _serializer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(house_of(request).form_key, salt=_SALT)
