"""`python -m sandbox`: play the store, Nextech and the mail server until somebody ends it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sandbox.demo.practices import PRACTICES
from sandbox.server import PortTakenError, serve
from sandbox.world import SandboxOptions


def _practice_load(text: str) -> tuple[str, int]:
    practice_id, _, number = text.partition(":")
    if practice_id not in PRACTICES or not number.isdigit():
        msg = f"{text!r} is not PRACTICE:NUMBER; the practices are {', '.join(PRACTICES)}"
        raise argparse.ArgumentTypeError(msg)
    return practice_id, int(number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A store, a Nextech and a mail server on loopback.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8090, help="port of the pages and of both APIs (%(default)s)")
    parser.add_argument("--smtp-port", type=int, default=8025, help="port of the mail server (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same demo (%(default)s)")
    parser.add_argument(
        "--arrivals", action=argparse.BooleanOptionalAction, default=True, help="whether new orders keep arriving (yes)"
    )
    parser.add_argument("--arrival-seconds", type=float, default=90.0, help="seconds between two of them (%(default)s)")
    parser.add_argument(
        "--load", type=_practice_load, action="append", default=[], metavar="PRACTICE:N", help="add N paid orders, to measure"
    )
    parser.add_argument("--history", action="store_true", help="add the ordinary orders of the weeks before, for the reports")
    parser.add_argument("--empty", action="store_true", help="start without the demo's patients and orders")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}; Ctrl-C ends it\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the sandbox; return 1 when a port is taken, after one line that says which."""
    asked = _parser().parse_args(arguments)
    options = SandboxOptions(
        seed=asked.seed,
        is_empty=asked.empty,
        load=dict(asked.load),
        has_history=asked.history,
        has_arrivals=asked.arrivals and not asked.empty,
        arrival_seconds=asked.arrival_seconds,
    )
    try:
        serve(options, host=asked.host, port=asked.port, smtp_port=asked.smtp_port, announce=_say)
    except PortTakenError as error:
        sys.stderr.write(f"sandbox: {error}; end what uses it, or choose another with --port and --smtp-port\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
