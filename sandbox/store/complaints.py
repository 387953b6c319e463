"""What the store says when it refuses, in the framework's shape with its placeholders left in (contract section 6)."""

from __future__ import annotations

from http import HTTPStatus

Parameters = dict[str, object] | list[object]


class StoreComplaint(Exception):  # noqa: N818 - an answer of the played store, not an error of ours
    """Answer a request with an error in the framework's shape."""

    def __init__(self, status: int, message: str, parameters: Parameters | None = None) -> None:
        """Keep what the answer will say."""
        self.status = status
        self.message = message
        self.parameters = parameters
        super().__init__(message)

    def body(self) -> dict[str, object]:
        """Return the JSON body."""
        body: dict[str, object] = {"message": self.message}
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return body


def no_route() -> StoreComplaint:
    """Refuse an unknown path, a wrong verb or an unknown store code: always 404, never 405."""
    return StoreComplaint(HTTPStatus.NOT_FOUND, "Request does not match any route.")


def no_entity() -> StoreComplaint:
    """Refuse an unknown id."""
    return StoreComplaint(HTTPStatus.NOT_FOUND, "The entity that was requested doesn't exist. Verify the entity and try again.")


def bad_request(message: str, parameters: Parameters | None = None) -> StoreComplaint:
    """Refuse what the framework cannot accept."""
    return StoreComplaint(HTTPStatus.BAD_REQUEST, message, parameters)


def not_authorized(resource: str) -> StoreComplaint:
    """Refuse a guest: a missing, wrong or expired token and a missing permission look the same (contract section 1)."""
    return StoreComplaint(
        HTTPStatus.UNAUTHORIZED, "The consumer isn't authorized to access %resources.", {"resources": resource}
    )


def masked(report: str) -> StoreComplaint:
    """Hide an unexpected exception behind a report id."""
    return StoreComplaint(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"Internal Error. Details are available in Magento log file. Report ID: webapi-{report}",
    )
