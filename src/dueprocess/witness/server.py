"""The witness over HTTP: who gets in, how many at once, and an orderly end. TLS is the job of a proxy before it."""

import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

from dueprocess.errors import UnavailableError
from dueprocess.tlog.note import Vkey
from dueprocess.witness.conversation import Conversation
from dueprocess.witness.place import open_place
from dueprocess.witness.timekeeper import Clock, Report, Timekeeper

REQUEST_SECONDS = 15.0
"""In this time a request must have arrived whole; a quiet connection is closed after it."""
STOP_SECONDS = 5.0
MOST_CONNECTIONS = 64

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class WitnessServer(ThreadingHTTPServer):
    """A thread for each connection, and no more than ``MOST_CONNECTIONS`` of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], timekeeper: Timekeeper, report: Report) -> None:
        self.timekeeper = timekeeper
        self.report = report
        self.request_seconds = REQUEST_SECONDS
        self.stopping = False
        self._open: set[socket.socket] = set()
        self._at_work = 0
        self._changed = threading.Condition()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Conversation)

    def server_bind(self) -> None:
        """Binds without asking the name service who we are, which the library would do."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Work that a stop waits for."""
        with self._changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # always a socket
        with self._changed:
            full = len(self._open) >= MOST_CONNECTIONS
            if not full:
                self._open.add(request)
        if full:
            with suppress(OSError):
                request.sendall(_FULL)
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # always a socket
        """The end of every connection, however it came."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the library's
        """One line for a bug; none for a client that went away."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.report(f"A request failed: {type(error).__name__}: {error}")

    def stop(self) -> None:
        """Takes no more, lets what is being answered finish, closes the rest. Call it once, from another thread."""
        self.stopping = True
        self.shutdown()
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, STOP_SECONDS)
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, STOP_SECONDS)
        self.server_close()
        self.timekeeper.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A witness that is being served."""

    url: str
    """Both the submission prefix and the monitoring prefix, without a slash at its end."""
    vkeys: tuple[Vkey, Vkey]
    """Ed25519 first, then ML-DSA-44."""
    server: WitnessServer

    def stop(self) -> None:
        """Ends the server; every answer that was begun is given. The state is closed."""
        self.server.stop()


def serve_in_thread(
    folder: Path, *, clock: Clock, host: str | None = None, port: int = 0, report: Report = print
) -> Running:
    """Serves the witness in a folder from a thread of this process. Port 0 takes a free one.

    ``clock`` gives the time for cosignatures, with its zone.
    """
    place = open_place(folder)
    timekeeper = Timekeeper(place, clock, report)
    address = (host or place.host, port)
    try:
        server = WitnessServer(address, timekeeper, report)
    except OSError as error:
        timekeeper.close()
        raise UnavailableError(
            "no-address",
            f"The address {address[0]} port {address[1]} cannot be used.",
            why=str(error),
            do="Another program may use it; choose another with --port.",
        ) from error
    threading.Thread(target=server.serve_forever, args=(0.05,), name="witness", daemon=True).start()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    return Running(f"http://{shown}:{server.server_port}", timekeeper.vkeys, server)
