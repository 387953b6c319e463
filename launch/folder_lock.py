"""One owner per folder: two copies in the same folder would fight over its database."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from launch.plan import LaunchError


class FolderTakenError(LaunchError):
    """Say who is at work in the folder already."""

    def __init__(self, owner: str) -> None:
        """Keep the owner's command, such as `run`."""
        super().__init__(f"'make {owner}' is already at work here; end it first, or wait for its end")
        self.owner = owner


class FolderLock:
    """Own a folder while the context lasts; the system gives it back when the process dies, however it dies."""

    def __init__(self, home: Path, command: str) -> None:
        """Keep the folder and the command that others are told about."""
        self._home = home
        self._command = command
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Make and take the folder. Raises `FolderTakenError` at once when somebody has it."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            msg = f"{self._home} cannot be used ({error.strerror})"
            raise LaunchError(msg) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(self._descriptor, 100).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise FolderTakenError(owner or "run") from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, self._command.encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Give the folder back."""
        os.close(self._descriptor)
