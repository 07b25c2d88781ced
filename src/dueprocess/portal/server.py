"""The portal over HTTP: who gets in, how many at once, and an orderly end. TLS is the job of a proxy before it.

    python -m dueprocess.portal.server --releases DIR --fetched DIR [--host H] [--port N] [--clock FILE]

It is given two folders and nothing else: it reads the released ciphertexts in the one, and writes into the other
what it sent. The server is our own because only the one who fills the socket knows what a client has got: each byte
that is put on record was acknowledged by the other end.
"""

import argparse
import datetime as dt
import signal
import socket
import socketserver
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path

from dueprocess.delivery.fetches import Live
from dueprocess.errors import EXIT_CODES, DueprocessError, UnavailableError
from dueprocess.portal.conversation import Conversation
from dueprocess.wire import parse_instant

REQUEST_SECONDS = 15.0
"""In this time a request must have arrived whole; a quiet connection is closed after it."""
MOST_CONNECTIONS = 64
MOST_DOWNLOADS = 16
MOST_OF_ONE = 4
"""So many are sent one parcel at once, so that nobody takes the places of all others."""
PLACE_SECONDS = 5.0
STOP_SECONDS = 5.0
HOST, PORT = "127.0.0.1", 8081

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
Clock = Callable[[], dt.datetime]
Report = Callable[[str], None]


class PortalServer(ThreadingHTTPServer):
    """A thread for each connection, and no more than `MOST_CONNECTIONS` of them; fewer that are sent a parcel."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], folders: tuple[Path, Path], *, clock: Clock, report: Report
    ) -> None:
        self.releases, self.fetched = folders
        self.clock, self.report = clock, report
        self.request_seconds = REQUEST_SECONDS
        self.place_seconds = PLACE_SECONDS
        self.stopping = False
        self.live: Live = set()
        self._sent: Counter[str] = Counter()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Conversation)

    def server_bind(self) -> None:
        """Binds without asking the name service who we are, which the library would do."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

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

    @contextmanager
    def sending(self, release: str) -> Iterator[bool]:
        """A place among those who are sent a parcel now, waited for a little; false where all stay taken.

        A request keeps its place until its last byte is acknowledged, which may be after its client asks again.
        """
        with self._changed:
            free = self._changed.wait_for(lambda: self._has_place(release), self.place_seconds)
            self._sent[release] += free
        try:
            yield free
        finally:
            with self._changed:
                self._sent[release] -= free
                self._changed.notify_all()

    def _has_place(self, release: str) -> bool:
        return self._sent.total() < MOST_DOWNLOADS and self._sent[release] < MOST_OF_ONE

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the library's
        """One line for a bug; none for a client that went away, and never an address."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.report(f"A request failed: {type(error).__name__}: {error}")

    def stop(self) -> None:
        """Takes no more and ends what is being sent: it can be resumed. Call it once, from another thread."""
        self.stopping = True
        self.shutdown()
        with self._changed:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, STOP_SECONDS)
        self.server_close()


def open_server(
    host: str, port: int, folders: tuple[Path, Path], *, clock: Clock, report: Report
) -> PortalServer:
    """A portal that is bound and not running yet. Port 0 takes a free one."""
    try:
        return PortalServer((host, port), folders, clock=clock, report=report)
    except OSError as error:
        raise UnavailableError(
            "no-address",
            f"The address {host} port {port} cannot be used.",
            why=str(error),
            do="Another program may use it; choose another with --port.",
        ) from error


def _clock_of(file: Path | None) -> Clock:
    if file is None:
        return lambda: dt.datetime.now(dt.UTC)
    return lambda: parse_instant(file.read_text().strip())


def _say(line: str) -> None:
    """A screen that went away must not cost anybody an answer."""
    with suppress(OSError, ValueError):
        print(line, flush=True)  # noqa: T201  the portal's log goes to its standard output


def main() -> int:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="dueprocess portal")
    parser.add_argument("--releases", type=Path, required=True)
    parser.add_argument("--fetched", type=Path, required=True)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--clock", type=Path, help="a simulated clock: a file with the time")
    given = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = open_server(
            given.host, given.port, (given.releases, given.fetched), clock=_clock_of(given.clock), report=_say
        )
    except DueprocessError as error:
        print(f"{error.family.capitalize()}: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_CODES[type(error)]
    threading.Thread(target=server.serve_forever, args=(0.05,), name="portal", daemon=True).start()
    shown = f"[{given.host}]" if ":" in given.host else given.host
    _say(f"Released parcels are served at http://{shown}:{server.server_port}/parcels/   (Ctrl-C stops)")
    stop.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
