"""What can go wrong, sorted by what the caller should do about it.

    OrderSyncError
    ├── TransientError                   try again later
    │   ├── SourceUnavailableError       the store or Nextech is down, slow or talks nonsense
    │   ├── RateLimitedError             429; says how long to wait when the server said so
    │   ├── IncompleteReadError          a search whose pages do not prove that nothing is missing
    │   ├── LedgerBusyError              somebody else holds the claim
    │   │   ├── CaseChangedError         a case of the queue changed since the person saw it; says who did what
    │   │   └── SomebodyWasFirstError    an order changed since the person saw it; says who, when, and where it stands
    │   ├── LetterNotSentError           a mail server did not take a letter over
    │   ├── OutOfTimeError               both sides could not be read before the task had to end
    │   └── PartialSweepError            some orders of a sweep failed; the others are done
    └── PermanentError                   trying again changes nothing until a person acts
        ├── SettingsError                practices.yaml or a connection is wrong
        ├── LoginRefusedError            401, 403, 523 or `invalid_grant`
        ├── RequestRejectedError         the other side refuses this request (4xx with its own body)
        ├── PaymentDiffersError          an entry by hand differs from the order that it is said to be for
        ├── OrderNotSyncedError          one order, run alone, did not become Synced
        └── ReconciliationError          a report that does not tie; the message names the sums

"Sent, but no answer came" is not an error: it is a value (`payments.PostOutcome.UNKNOWN`), because nothing may be
retried on its account. "Duplicated customer" is not an error either: it is a value that opens a case.

Messages carry order numbers, practice ids, statuses and request ids; never a name, an address, a body, a URL query or
a token (design section 8).
"""

from __future__ import annotations

from datetime import datetime

from order_sync.statuses import OrderState


class OrderSyncError(Exception):
    """Stand above every error of this package."""


class TransientError(OrderSyncError):
    """Ask the caller to try again later: nothing is lost and nothing is wrong with the order."""


class PermanentError(OrderSyncError):
    """Ask the caller not to try again before a person has acted."""


class RemoteError(OrderSyncError):
    """Carry where a request to the store or to Nextech went wrong, without body, query or token.

    `system` is "store" or "nextech"; `route` is the method and the path's template ("GET /Patient"); `status` is the
    HTTP status, or None when no answer came; `request_id` is the other side's own reference, when it gave one.
    """

    def __init__(
        self,
        reason: str,
        *,
        system: str,
        route: str,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        self.reason = reason
        self.system = system
        self.route = route
        self.status = status
        self.request_id = request_id
        super().__init__(reason, system, route, status, request_id)

    def __str__(self) -> str:
        """Say what happened in one sentence that holds no patient data."""
        status = f"status {self.status}" if self.status is not None else "no answer"
        reference = f", request id {self.request_id}" if self.request_id else ""
        return f"{self.system}: {self.route}: {self.reason} ({status}{reference})"


class SourceUnavailableError(RemoteError, TransientError):
    """The store or Nextech is down, too slow, or answers with something that cannot be read."""


class RateLimitedError(RemoteError, TransientError):
    """The server asks us to slow down; `retry_after_seconds` is set when it said for how long."""

    def __init__(
        self,
        reason: str,
        *,
        system: str,
        route: str,
        status: int | None = 429,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason, system=system, route=route, status=status, request_id=request_id)
        self.retry_after_seconds = retry_after_seconds


class IncompleteReadError(RemoteError, TransientError):
    """The pages of a search do not prove that every row was seen, so the search is no evidence."""


class LoginRefusedError(RemoteError, PermanentError):
    """The store or Nextech does not accept our credentials or our rights; a person must renew them."""


class RequestRejectedError(RemoteError, PermanentError):
    """The other side understood the request and refuses it."""


class LedgerBusyError(TransientError):
    """Another run holds the claim; it, or the next run, does the work."""


class CaseChangedError(LedgerBusyError):
    """A case of the queue was changed or closed after the person had seen it; the message says by whom, where that is known."""


class SomebodyWasFirstError(LedgerBusyError):
    """An order was decided about, or went on, after the person had seen it.

    `actor` is who took the first step since ("sync" when no person did), `at` when (UTC), `state` where the order stands now.
    """

    def __init__(self, subject: str, *, actor: str, at: datetime, state: OrderState) -> None:
        self.subject = subject
        self.actor = actor
        self.at = at
        self.state = state
        super().__init__(subject, actor, at, state)

    def __str__(self) -> str:
        """Say it in one sentence."""
        who = f"somebody else was first: {self.actor}" if self.actor != "sync" else "it went on meanwhile"
        return f"{self.subject}: {who}, {self.at:%Y-%m-%d %H:%M} UTC; it is {self.state.value} now; look at it again"


class PartialSweepError(TransientError):
    """Some orders of a sweep failed and stay where they were; all others are done."""


class OutOfTimeError(TransientError):
    """A reading that proves nothing until it is whole did not end in time; nothing of it is kept."""


class LetterNotSentError(TransientError):
    """A report or an alarm did not leave; the queue has a row, and it is tried again."""


class SettingsError(PermanentError):
    """A setting is missing or wrong; the message names the file or connection, the practice and the field."""


class PaymentDiffersError(PermanentError):
    """A payment that a person says is an order's differs from it; `fields` names what: patient, amount or day."""

    def __init__(self, subject: str, fields: tuple[str, ...], sentence: str) -> None:
        self.subject = subject
        self.fields = fields
        self.sentence = sentence
        super().__init__(subject, fields, sentence)

    def __str__(self) -> str:
        """Say what differs, in amounts and days."""
        return f"{self.subject}: {self.sentence}"


class OrderNotSyncedError(PermanentError):
    """One order, run by itself, is not Synced; the message says why and what to do."""


class ReconciliationError(PermanentError):
    """A report does not prove itself; the message names the practice, the period, the rule and the sums in cents."""
