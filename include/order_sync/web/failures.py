"""What a visitor reads when something goes wrong: what happened and what to do, never a stack trace or a value."""

from __future__ import annotations

import logging

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError
from starlette.exceptions import HTTPException as AnyHTTPException

from order_sync.errors import (
    LedgerBusyError,
    OrderSyncError,
    PermanentError,
    RemoteError,
    SettingsError,
)
from order_sync.web.rendering import page
from order_sync.web.visitors import NotLoggedInError

logger = logging.getLogger(__name__)

_TITLES = {
    400: "That cannot be read",
    401: "Please log in",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    409: "Somebody was first",
    422: "That cannot be done",
    500: "Something went wrong",
    502: "Another system does not answer",
    503: "Not available just now",
}

_CODES = {
    400: "unreadable",
    401: "not_logged_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    409: "somebody_was_first",
    422: "not_possible",
    502: "other_system_unavailable",
    503: "not_available",
}
"""What a program reads: these words do not change."""


def answer_failures(app: FastAPI) -> None:
    """Give the app an answer to every kind of failure; below `/api` it is JSON."""
    app.exception_handler(AnyHTTPException)(_answer_http)
    app.exception_handler(RequestValidationError)(_answer_unreadable)
    app.exception_handler(OrderSyncError)(_answer_ours)
    app.exception_handler(DBAPIError)(_answer_database)
    app.exception_handler(NoFreeConnectionError)(_answer_database)


def failure_answer(
    request: Request,
    status: int,
    sentence: str,
    headers: dict[str, str] | None = None,
    *,
    template: str = "failure.html",
    **more: str,
) -> Response:
    """Answer with one sentence, as a page or as JSON."""
    title = _TITLES.get(status, "Something went wrong")
    answer: Response
    if is_api(request):
        answer = JSONResponse({"error": _CODES.get(status, "failed"), "detail": sentence}, status)
    else:
        answer = page(request, template, {"title": title, "sentence": sentence, **more}, status=status)
    answer.headers.update(headers or {})
    return answer


def is_api(request: Request) -> bool:
    """Say whether a program asks: its answers are JSON."""
    below = request.url.path.removeprefix(str(request.scope.get("root_path", "")))
    return below.startswith("/api/")


def status_of(failure: OrderSyncError) -> int:
    """Return the HTTP status of one of our errors."""
    match failure:
        case LedgerBusyError():
            return 409
        case SettingsError():
            return 503
        case RemoteError():
            return 502
        case PermanentError():
            return 422
        case _:
            return 503


def _answer_http(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, AnyHTTPException)  # noqa: S101 - registered for it
    is_ours = isinstance(failure, HTTPException) or failure.detail
    sentence, headers = str(failure.detail) if is_ours else "", dict(failure.headers or {})
    if isinstance(failure, NotLoggedInError):
        return failure_answer(request, 401, sentence, headers, template="login.html", login_href=failure.login_href or "")
    return failure_answer(request, failure.status_code, sentence, headers)


def _answer_unreadable(request: Request, failure: Exception) -> Response:
    """Name the fields, not what was in them: it may be a patient's."""
    assert isinstance(failure, RequestValidationError)  # noqa: S101 - registered for it
    fields = sorted({str(error["loc"][-1]) for error in failure.errors()})
    return failure_answer(request, 400, f"Missing or not readable: {', '.join(fields)}. Nothing was done.")


def _answer_ours(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, OrderSyncError)  # noqa: S101 - registered for it
    return failure_answer(request, status_of(failure), f"{str(failure)[:1].upper()}{str(failure)[1:].rstrip('.')}.")


def _answer_database(request: Request, failure: Exception) -> Response:
    # The exception's text has the statement and its values: only its kind is written down.
    logger.error("the ledger's database failed: %s", type(failure).__name__)
    is_away = isinstance(failure, OperationalError | NoFreeConnectionError)
    sentence = "The ledger's database does not answer; try again in a minute." if is_away else "The ledger refused this."
    return failure_answer(request, 503 if is_away else 500, sentence)


def answer_unforeseen(request: Request, failure: Exception) -> Response:
    """Write down the kind and the place of a failure, and answer for it; its message may hold a value, and is dropped."""
    frames: list[str] = []
    trace = failure.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    logger.error("a page failed: %s at %s", type(failure).__name__, " > ".join(frames[-6:]))
    return failure_answer(request, 500, "The data team finds the cause in the log of Airflow's API server.")
