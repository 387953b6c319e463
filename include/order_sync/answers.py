"""What a page says when the store or Nextech did not give what it asked for: one sentence, nothing of their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from order_sync.errors import (
    IncompleteReadError,
    LoginRefusedError,
    RateLimitedError,
    RemoteError,
    RequestRejectedError,
    TransientError,
)

T = TypeVar("T")

_NAMES = {"store": "The store", "nextech": "Nextech"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is nothing to show, and what to do about it."""

    sentence: str


def ask(question: Callable[[], T]) -> T | Trouble:
    """Ask one of the two systems something; what goes wrong there comes back as words, never as an error."""
    try:
        return question()
    except RemoteError as error:
        return Trouble(_sentence(error))
    except TransientError:
        return Trouble("The other side is busy; try again in a minute.")


def _sentence(error: RemoteError) -> str:
    system = _NAMES.get(error.system, "The other side")
    match error:
        case LoginRefusedError():
            return f"{system} refuses our login: the data team has to renew it."
        case RequestRejectedError():
            return f"{system} refuses this question; tell the data team when it does so again."
        case RateLimitedError():
            return f"{system} is asked too much just now; try again in a minute."
        case IncompleteReadError():
            return f"{system}'s answer is not complete; try again."
        case _:
            return f"{system} does not answer; try again."
