"""A program that serves a witness in a child, kills it with SIGKILL at a random moment, and looks at what is left.

    python kills.py FOLDER STORY ROUNDS SEED

The child is forked, not started anew, so that fifty kills take seconds. Prints counts as JSON; fails otherwise.
"""

import contextlib
import datetime as dt
import http.client
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dueprocess.tlog.note import parse_note, verify_note
from dueprocess.witness.place import open_place
from dueprocess.witness.server import serve_in_thread
from dueprocess.witness.signer import WitnessSigner
from dueprocess.witness.store import Cosigned, Store


def serve(folder: Path, tell: int) -> None:
    """The child: serves until it is killed."""
    running = serve_in_thread(folder, clock=lambda: dt.datetime.now(dt.UTC), report=lambda _: None)
    os.write(tell, f"{running.server.server_port}\n".encode())
    time.sleep(60)


def kill_later(victim: int, seconds: float) -> int:
    """A second child that kills the first one, so that nothing here has to look at a clock."""
    killer = os.fork()
    if not killer:
        time.sleep(seconds)
        os.kill(victim, signal.SIGKILL)
        os._exit(0)
    return killer


def ask(port: int, story: Any, size: int) -> tuple[int, int]:
    """Submits one head after another until nobody answers. The last size answered, the last one asked for."""
    connection, asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10), size
    with contextlib.suppress(OSError, http.client.HTTPException):
        while size + 1 < len(story["roots"]):
            asked = size + 1
            connection.request("POST", "/add-checkpoint", story["bodies"][size].encode())
            found = connection.getresponse()
            body = found.read()
            assert found.status == 200, (found.status, body)
            size += 1
    connection.close()
    return size, asked


def left(folder: Path) -> Cosigned | None:
    """What the killed one left, verified."""
    place = open_place(folder)
    store = Store(place.state)
    (kept,) = store.everything() or (None,)
    store.close()
    if kept is not None:
        verified = verify_note(parse_note(kept.note), WitnessSigner.open(place.name, place.keys).vkeys)
        assert len(verified) == 2
        assert kept.checkpoint.size == kept.size
    return kept


def main(folder: Path, story: Any, rounds: int, chance: random.Random) -> None:
    size = total = landed = 0
    for _ in range(rounds):
        hear, tell = os.pipe()
        child = os.fork()
        if not child:
            serve(folder, tell)
        port = int(os.read(hear, 20))
        killer = kill_later(child, chance.uniform(0, 0.07))
        answered, asked = ask(port, story, size)
        os.waitpid(killer, 0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        os.close(hear)
        os.close(tell)
        kept = left(folder)
        at = kept.size if kept else 0
        assert answered <= at <= asked, f"answered {answered}, kept {at}, asked {asked}"
        assert kept is None or kept.root.hex() == story["roots"][at]
        total += answered - size
        landed += at > answered
        size = at
    print(json.dumps({"kills": rounds, "answered": total, "kept but not answered": landed}))  # noqa: T201


if __name__ == "__main__":
    where, tale, count, seed = sys.argv[1:]
    main(Path(where), json.loads(Path(tale).read_text()), int(count), random.Random(int(seed)))
