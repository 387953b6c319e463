"""`python -m tests`: what `make test` runs. Those of a real scheduler, which mostly wait, are played beside all others."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time

PYTEST = (sys.executable, "-m", "pytest", "-q")
WORKERS = "3"
"""One more than the two cores that we reckon with: many tests wait for processes, sockets and locks."""
WITHOUT_SCHEDULER = (*PYTEST, "-n", WORKERS, "--dist", "worksteal", "-m", "not scheduler")
FOLDERS_WITH_SCHEDULER = ("tests/dags", "tests/integration/launch")
"""Named, so that not every other test is imported to be left out."""
WITH_SCHEDULER = (*PYTEST, "-m", "scheduler and not failures", *FOLDERS_WITH_SCHEDULER)
INTERRUPTED, TERMINATED = 130, 143


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def play_both(beside: tuple[str, ...], ahead: tuple[str, ...]) -> int:
    """Run both at the same time: what `ahead` says is seen at once, what `beside` says when both are through.

    Return 0 when both are well, else the first exit code that is not 0. Ctrl-C has reached both, which end in their own way.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        others = subprocess.Popen(beside, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        shown = subprocess.Popen(ahead)
        try:
            codes = [shown.wait(), others.wait()]
        except KeyboardInterrupt:
            codes = [INTERRUPTED]
        except SystemExit:
            for process in (shown, others):
                process.terminate()
            raise
        finally:
            for process in (shown, others):
                process.wait()
        said.seek(0)
        tell(said.read().decode(errors="replace").rstrip())
    tell(f"{time.monotonic() - began:.0f} seconds in all")
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.exit(play_both(WITH_SCHEDULER, WITHOUT_SCHEDULER))
