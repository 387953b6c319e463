"""What a struck request is answered: refusals that executed nothing, and answers that hide what was executed."""

from __future__ import annotations

import json
from dataclasses import replace

from sandbox.nextech.exchange import HTML_TYPE, Answer, Delivery, RefusedError, json_answer
from sandbox.nextech.faults import Effect, Fault

PAGE = b"<!DOCTYPE html><html><head><title>Service</title></head><body><h1>The service is not available.</h1></body></html>"
RATE_LIMIT_SENTENCE = "Rate limit is exceeded. Try again in 1 seconds."

NOT_EXECUTED = frozenset(
    {
        Effect.REDIRECTED,
        Effect.REJECTED,
        Effect.UNAUTHORIZED,
        Effect.NOT_FOUND,
        Effect.CONFLICT,
        Effect.GATEWAY_ERROR,
        Effect.RATE_LIMITED,
        Effect.FAILED,
        Effect.TIMED_OUT,
        Effect.HUNG,
        Effect.UNAVAILABLE,
    }
)
"""The effects that leave the request unexecuted; the engine holds back EXECUTED_LATE by itself."""


def limited(retry_after: str | None) -> Answer:
    """Answer 429 as an API gateway does (section 5 #8)."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return json_answer(429, {"statusCode": 429, "message": RATE_LIMIT_SENTENCE}, headers)


def refusal(fault: Fault) -> Answer:
    """Answer a request that is not executed; raise `RefusedError` where the API's own error body belongs."""
    match fault.effect:
        case Effect.REDIRECTED:
            return Answer(fault.status or 302, headers={"Location": "https://elsewhere.invalid/sign-in"})
        case Effect.REJECTED:
            raise RefusedError(fault.status or 400, "The request could not be processed.")
        case Effect.UNAUTHORIZED:
            raise RefusedError(fault.status or 401, "The token is not accepted.")
        case Effect.NOT_FOUND:
            raise RefusedError(404, "It does not exist.")
        case Effect.CONFLICT:
            raise RefusedError(409, "It already exists.")
        case Effect.FAILED:
            raise RefusedError(fault.status or 500, "An error has occurred.")
        case Effect.RATE_LIMITED:
            return limited(fault.retry_after)
        case Effect.GATEWAY_ERROR:
            return Answer(fault.status or 408, PAGE, HTML_TYPE)
        case Effect.UNAVAILABLE:
            return Answer(fault.status or 503, PAGE, HTML_TYPE)
        case _:
            return Answer(0, delivery=Delivery.NEVER)


def disguised(answer: Answer, fault: Fault) -> Answer:  # noqa: PLR0911 - a table
    """Change the answer of a request that was executed."""
    match fault.effect:
        case Effect.CREATED_WITHOUT_ID:
            return without_id(answer)
        case Effect.CREATED_HTML:
            return Answer(fault.status or answer.status, PAGE, HTML_TYPE)
        case Effect.CREATED_MALFORMED | Effect.MALFORMED:
            return replace(answer, body=answer.body[: max(1, len(answer.body) * 2 // 3)])
        case Effect.CREATED_TRUNCATED | Effect.TRUNCATED:
            return replace(answer, delivery=Delivery.TRUNCATED)
        case Effect.DRIPPED:
            return replace(answer, delivery=Delivery.DRIPPED)
        case Effect.FAILED_EXECUTED:
            raise RefusedError(fault.status or 500, "An error has occurred.")
        case Effect.TIMED_OUT_EXECUTED:
            return Answer(0, delivery=Delivery.NEVER)
        case Effect.SLOW:
            return replace(answer, delay_seconds=answer.delay_seconds + fault.after_seconds)
        case _:
            return answer


def without_id(answer: Answer) -> Answer:
    """Leave out what the docs' own sample of a created payment lacks (section 5 #2)."""
    if not answer.is_success:
        return answer
    document = json.loads(answer.body)
    kept = {key: value for key, value in document.items() if key not in {"id", "identifier", "status", "created", "meta"}}
    return json_answer(answer.status, kept)


def error_answer(error: RefusedError, form: str) -> Answer:
    """Write an error in the form of the switch (section 5 #6)."""
    match form:
        case "message":
            return json_answer(error.status, {"Message": error.sentence}, error.headers)
        case "text":
            return Answer(error.status, error.sentence.encode(), "text/plain; charset=utf-8", error.headers)
        case "empty":
            return Answer(error.status, b"", headers=error.headers)
        case _:
            issue = {"severity": "error", "code": "processing", "details": {"text": error.sentence}}
            document = {"resourceType": "OperationOutcome", "id": "1", "issue": [issue]}
            return json_answer(error.status, document, error.headers)
