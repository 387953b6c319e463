"""A server of raw bytes: each connection is handed to a function that writes what no honest server would."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Talk = Callable[["Peer"], None]


class Peer:
    """One connection, as the server sees it."""

    def __init__(self, connection: socket.socket, ended: threading.Event) -> None:
        self.connection = connection
        self._ended = ended

    def read_request(self) -> bytes:
        """Read a request's head and its body by Content-Length; b"" when the client left without one."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.connection.recv(65_536)
            if not piece:
                return data
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self.connection.recv(65_536)
        return head + b"\r\n\r\n" + body

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def drip(self, data: bytes, *, seconds: float) -> None:
        """Write one byte after the other, so long as the client listens and the test runs."""
        for byte in data:
            if self._ended.wait(seconds):
                return
            self.write(bytes([byte]))

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the end of the test."""
        self._ended.wait(seconds)

    def stay_silent(self) -> None:
        """Do nothing until the client leaves or the test ends."""
        while not self._ended.is_set():
            self.connection.settimeout(0.05)
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.connection.close()


class WireServer:
    """Listen on a free port of loopback and keep every request; a context manager."""

    def __init__(self, talk: Talk, *, tls: ssl.SSLContext | None = None, greets: bool = True) -> None:
        self._talk = talk
        self._tls = tls
        self._greets = greets
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        # Closing alone leaves accept() waiting on Linux; a last connection wakes it.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ended.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(raw, server_side=True)
            peer = Peer(connection, self._ended)
            while True:
                if self._greets:
                    request = peer.read_request()
                    if not request:
                        break
                    self.requests.append(request)
                self._talk(peer)
                if not self._greets:
                    break
        connection.close()
