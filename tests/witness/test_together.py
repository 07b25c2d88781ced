"""Check and keep is one step: threads, processes and kills never take a cosigned head back."""

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dueprocess.errors import UnavailableError
from dueprocess.tlog.note import Vkey, parse_note
from dueprocess.tlog.witness import format_add_checkpoint, monitoring_path
from dueprocess.witness import store
from dueprocess.witness.place import WitnessPlace
from dueprocess.witness.server import Running
from dueprocess.witness.signer import WitnessSigner
from witness.asking import connect, send, verified
from witness.growing import GrowingLog

KILLS = Path(__file__).with_name("kills.py")
MOST = 80


@dataclass(frozen=True)
class Given:
    """One cosignature that was given: for which head, at what time, and when it was asked for and came back."""

    size: int
    root: bytes
    timestamp: int
    asked_at: float
    given_at: float


class Crowd:
    """Clients of one log who do not know of each other and pay no heed to what the others reached."""

    def __init__(self, log: GrowingLog, vkeys: tuple[Vkey, ...]) -> None:
        self.vkeys = vkeys
        self.given: list[Given] = []
        self.stories = [log, log.forked(5), log.forked(20)]
        notes = {
            (which, size): told.note(size) for which, told in enumerate(self.stories) for size in range(MOST)
        }
        self.bodies = {
            (which, old, new): format_add_checkpoint(told.asked(old, new, note=notes[which, new]))
            for which, told in enumerate(self.stories)
            for old in range(MOST)
            for new in range(old, min(old + 3, MOST))
        }

    def run(self, url: str, seed: int, rounds: int) -> None:
        """Submits heads at random; after a 409 from the size that it names, like a hasty client."""
        chance, connection, old = random.Random(seed), connect(url), 0
        for _ in range(rounds):
            which, new = chance.choice((0, 0, 1, 2)), min(old + chance.randrange(3), MOST - 1)
            asked_at = time.monotonic()
            found = send(connection, "POST", "/add-checkpoint", self.bodies[which, old, new])
            if found.status == 200:
                head = self.stories[which].head(new)
                stamps = {each.timestamp or 0 for each in verified(head.text, found.body, self.vkeys)}
                self.given.append(Given(new, head.root, max(stamps), asked_at, time.monotonic()))
                old = new
            elif found.status == 409:
                old = int(found.body)
            else:
                assert found.status == 422
        connection.close()


def crowd_on(crowd: Crowd, urls: list[str], rounds: int) -> None:
    threads = [
        threading.Thread(target=crowd.run, args=(url, 10 * place + seed, rounds))
        for place, url in enumerate(urls)
        for seed in range(8 // len(urls))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not any(each.is_alive() for each in threads)


def one_history(given: list[Given]) -> None:
    """Never two roots of one size; whoever asked after another was answered never got a smaller size."""
    roots: dict[int, bytes] = {}
    for each in given:
        assert roots.setdefault(each.size, each.root) == each.root
    for earlier in given:
        for later in given:
            assert later.asked_at <= earlier.given_at or later.size >= earlier.size


def test_checking_and_keeping_must_be_atomic_among_threads(running: Running, log: GrowingLog) -> None:
    """Eight clients at once, two of three stories forked: in the order of time stamps the sizes never fall."""
    crowd = Crowd(log, running.vkeys)
    crowd_on(crowd, [running.url], 40)
    one_history(crowd.given)
    in_order = sorted(crowd.given, key=lambda each: each.timestamp)
    assert len({each.timestamp for each in in_order}) == len(in_order) > 8
    sizes = [each.size for each in in_order]
    assert sizes == sorted(sizes)
    assert newest(running.url, log) == sizes[-1]


def newest(url: str, log: GrowingLog) -> int:
    connection = connect(url)
    found = send(connection, "GET", f"/{monitoring_path(log.origin)}")
    connection.close()
    return int(parse_note(found.body).text.split("\n")[1])


SERVE = """
import datetime as dt, sys
from pathlib import Path
from dueprocess.witness.server import serve_in_thread
running = serve_in_thread(Path(sys.argv[1]), clock=lambda: dt.datetime.now(dt.UTC), report=lambda line: None)
print(running.url, flush=True)
sys.stdin.read()
running.stop()
"""


def test_checking_and_keeping_must_be_atomic_between_two_processes(
    place: WitnessPlace, log: GrowingLog
) -> None:
    """Two servers on one folder are one witness."""
    words = [sys.executable, "-c", SERVE, str(place.folder)]
    both = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    urls = []
    for each in both:
        assert each.stdout is not None
        urls.append(each.stdout.readline().strip())
    crowd = Crowd(log, WitnessSigner.open(place.name, place.keys).vkeys)
    crowd_on(crowd, urls, 40)
    one_history(crowd.given)
    assert newest(urls[0], log) == newest(urls[1], log) == max(each.size for each in crowd.given)
    for each in both:
        each.communicate(timeout=20)
        assert each.returncode == 0


def test_a_kill_leaves_the_old_or_the_new_state_and_never_forgets_an_answer(
    place: WitnessPlace, log: GrowingLog, tmp_path: Path
) -> None:
    """Fifty kills at random moments: what was answered is kept, what is kept was asked for and is whole."""
    story = [log.body(size, size + 1).decode() for size in range(250)]
    roots = [log.head(size).root.hex() for size in range(251)]
    (tmp_path / "story.json").write_text(json.dumps({"bodies": story, "roots": roots, "origin": log.origin}))
    words = [sys.executable, str(KILLS), str(place.folder), str(tmp_path / "story.json"), "50", "7"]
    found = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    rounds = json.loads(found.stdout)
    assert rounds["kills"] == 50
    assert rounds["answered"] > 20


def test_a_busy_state_is_unavailable_and_nothing_is_signed(place: WitnessPlace) -> None:
    """Somebody else holds the state for too long: 503, to be asked again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "BUSY_SECONDS", 0.1)
        held = store.Store(place.state)
        other = sqlite3.connect(place.state, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError), held.exclusively():
            pass
        other.execute("ROLLBACK")
        with held.exclusively(), pytest.raises(UnavailableError), held.exclusively():
            pass
        other.close()
        held.close()
