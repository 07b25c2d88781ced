"""The doorway: a small HTTP server for the few programs of ours that strangers reach, on the standard library alone.

A request must arrive whole in time, so that slow or silent clients cost a thread for a few seconds at most; there are
no more threads than connections that were let in; an end comes in order; and who asks is written down nowhere. What is
answered, and TLS, are others' business.
"""

import io
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

REQUEST_SECONDS = 15.0
"""In this time a request must have arrived whole; a quiet connection is closed after it."""
ANSWER_SECONDS = 10.0
"""For so long an answer may stand still on its way out."""
STOP_SECONDS = 5.0
MOST_CONNECTIONS = 64

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Doorway(ThreadingHTTPServer):
    """A thread for each connection, and no more than `MOST_CONNECTIONS` of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], handler: type["TimedConversation"], report: Callable[[str], None]
    ) -> None:
        self.report = report
        self.request_seconds = REQUEST_SECONDS
        self.stopping = False
        self.open: set[socket.socket] = set()
        self.changed = threading.Condition()
        """Held to look at or change who is in; told when somebody left."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Binds without asking the name service who we are, which the library would do."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # always a socket
        with self.changed:
            full = len(self.open) >= MOST_CONNECTIONS
            if not full:
                self.open.add(request)
        if full:
            with suppress(OSError):
                request.sendall(_FULL)
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # always a socket
        """The end of every connection, however it came."""
        super().shutdown_request(request)
        with self.changed:
            self.open.discard(request)
            self.changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the library's
        """One line for a bug; none for a client that went away, and never an address."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.report(f"A request failed: {type(error).__name__}: {error}")

    def stop(self, until: Callable[[], bool] = lambda: True) -> None:
        """Takes no more, waits a little ``until`` what must finish has, closes the rest. Once, from another thread."""
        self.stopping = True
        self.shutdown()
        with self.changed:
            self.changed.wait_for(until, STOP_SECONDS)
            for each in self.open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self.changed.wait_for(lambda: not self.open, STOP_SECONDS)
        self.server_close()


class _Arriving(io.RawIOBase):
    """What a client sends, until a deadline: a byte now and then does not keep a thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io gives it a memoryview
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("this request took too long to arrive")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class TimedConversation(BaseHTTPRequestHandler):
    """One connection, which may bring several requests, each of them in time.

    ``content_type`` is what an answer is that does not say it; ``always`` are the headers that every answer has.
    """

    content_type = "text/plain; charset=utf-8"
    always: tuple[tuple[str, str], ...] = ()
    protocol_version = "HTTP/1.1"
    sys_version = ""
    wbufsize = 65_536
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._arriving = _Arriving(self.connection)
        self.rfile = io.BufferedReader(self._arriving)

    def handle_one_request(self) -> None:
        seconds = cast("Doorway", self.server).request_seconds
        self._arriving.deadline = time.monotonic() + seconds
        super().handle_one_request()

    def answer(
        self,
        status: int,
        body: bytes,
        content_type: str | None = None,
        *,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Sends a whole answer; to HEAD without its body."""
        about = (("Content-Type", content_type or self.content_type), ("Content-Length", str(len(body))))
        self.answer_head(status, (*about, *headers))
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def answer_head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """What stands before a body. It says so where the connection ends with this answer."""
        self.connection.settimeout(ANSWER_SECONDS)
        self.send_response(status)
        for name, value in (*headers, *self.always):
            self.send_header(name, value)
        if self.close_connection or cast("Doorway", self.server).stopping:
            self.send_header("Connection", "close")
        self.end_headers()

    def answer_last(self, status: int, body: bytes) -> None:
        """The same for a request that was not read to its end, so that the connection cannot go on."""
        self.close_connection = True
        self.answer(status, body)

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002  the library's
        explain: str | None = None,  # noqa: ARG002  the library's
    ) -> None:
        """Plain text instead of the library's HTML page."""
        self.answer_last(code, f"{HTTPStatus(code).phrase}\n".encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the library's name
        """Nothing: who asks is nobody's business. What was done is on record elsewhere, where it must be."""
