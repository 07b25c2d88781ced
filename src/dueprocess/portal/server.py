"""The portal over HTTP: who gets in, how many at once, and an orderly end. TLS is the job of a proxy before it.

    python -m dueprocess.portal.server --releases DIR --fetched DIR [--host H] [--port N] [--clock FILE]

It is given two folders and nothing else: it reads the released ciphertexts in the one, and writes into the other
what it sent. The server is our own because only the one who fills the socket knows what a client has got: each byte
that is put on record was acknowledged by the other end.
"""

import argparse
import datetime as dt
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dueprocess.delivery.fetches import Live
from dueprocess.doorway import Doorway
from dueprocess.errors import EXIT_CODES, DueprocessError, UnavailableError
from dueprocess.portal.conversation import Conversation
from dueprocess.wire import parse_instant

MOST_DOWNLOADS = 16
MOST_OF_ONE = 4
"""So many are sent one parcel at once, so that nobody takes the places of all others."""
PLACE_SECONDS = 5.0
HOST, PORT = "127.0.0.1", 8081

Clock = Callable[[], dt.datetime]
Report = Callable[[str], None]


class PortalServer(Doorway):
    """The doorway of the portal: of those who are in, fewer are sent a parcel. A stop ends them; they can resume."""

    def __init__(
        self, address: tuple[str, int], folders: tuple[Path, Path], *, clock: Clock, report: Report
    ) -> None:
        self.releases, self.fetched = folders
        self.clock = clock
        self.place_seconds = PLACE_SECONDS
        self.live: Live = set()
        self._sent: Counter[str] = Counter()
        super().__init__(address, Conversation, report)

    @contextmanager
    def sending(self, release: str) -> Iterator[bool]:
        """A place among those who are sent a parcel now, waited for a little; false where all stay taken.

        A request keeps its place until its last byte is acknowledged, which may be after its client asks again.
        """
        with self.changed:
            free = self.changed.wait_for(lambda: self._has_place(release), self.place_seconds)
            self._sent[release] += free
        try:
            yield free
        finally:
            with self.changed:
                self._sent[release] -= free
                self.changed.notify_all()

    def _has_place(self, release: str) -> bool:
        return self._sent.total() < MOST_DOWNLOADS and self._sent[release] < MOST_OF_ONE


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
