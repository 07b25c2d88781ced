"""The witness over HTTP: who gets in, how many at once, and an orderly end. TLS is the job of a proxy before it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dueprocess.doorway import Doorway
from dueprocess.errors import UnavailableError
from dueprocess.tlog.note import Vkey
from dueprocess.witness.conversation import Conversation
from dueprocess.witness.place import open_place
from dueprocess.witness.timekeeper import Clock, Report, Timekeeper


class WitnessServer(Doorway):
    """The doorway of a witness. A stop waits for what is being answered."""

    def __init__(self, address: tuple[str, int], timekeeper: Timekeeper, report: Report) -> None:
        self.timekeeper = timekeeper
        self._at_work = 0
        super().__init__(address, Conversation, report)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Work that a stop waits for."""
        with self.changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self.changed:
                self._at_work -= 1
                self.changed.notify_all()

    def stop(self, until: Callable[[], bool] = lambda: True) -> None:
        super().stop(lambda: not self._at_work and until())
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
