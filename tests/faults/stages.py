"""How far on the office is when a step begins. Each is made once and copied for every injection."""

import contextlib
import datetime as dt
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dueprocess.desk import closing, decisions, demands
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import make_key
from dueprocess.history import connection
from dueprocess.publication.log import Log
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.policy import Witness
from dueprocess.witness.place import create_place, open_place
from dueprocess.witness.server import serve_in_thread
from dueprocess.witness.signer import WitnessSigner
from dueprocess.worker import loop
from dueprocess.worker.clock import read_clock, set_clock
from faults.traced import apart
from office import MAP, Office, make_platform, open_office

EPOCH = dt.timedelta(days=1)
"""Long epochs keep the log short: every look at it reads all of it."""
REPORTED = dt.datetime(2027, 4, 2, tzinfo=dt.UTC)
PAPER = "the words of a paper that nobody else may read"
WITNESS = "w1.example/witness"


@dataclass(frozen=True, slots=True)
class Stage:
    """A template: the office as it was in its own folder (None before there is one), and its witness's address."""

    folder: Path
    office: Office | None
    port: int = 0


def copied(stage: Stage, folder: Path) -> None:
    """The same folder once more. The files carry no path of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stage.folder, folder)


def entered(stage: Stage, folder: Path) -> Office:
    """The office in a copy of the stage's folder, opened as any program opens it."""
    assert stage.office is not None
    root = folder / "install"
    environment = {"PLATFORM_DSN": f"sqlite:///{folder / 'platform.db'}"}
    os.environ.update(environment)
    desk = open_desk(root)
    return replace(
        stage.office, desk=desk, root=root, environment=environment, seen=[], cases=list(stage.office.cases),
        now=read_clock(desk.installation),
    )  # fmt: skip


def _new(folder: Path, **changes: Any) -> Office:
    folder.mkdir(parents=True, exist_ok=True)
    return open_office(folder, epoch_seconds=int(EPOCH.total_seconds()), window_days=1, **changes)


def _staffed(folder: Path) -> Office:
    office = _new(folder)
    (folder / "order.txt").write_text(PAPER)
    return office


def _assessed(folder: Path) -> Office:
    office = _new(folder)
    case_id = office.assessed_case()
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    decisions.propose(office.desk, case_id, "t1", office.people["boris"], role="reviewer", now=office.now)
    office.cases = [case_id]
    return office


def _letter(folder: Path) -> Office:
    office = _new(folder)
    office.cases = [office.approved_case()]
    office.now += EPOCH
    set_clock(office.desk.installation, office.now)
    office.desk.log().close_due(office.now)
    return office


def _ready(folder: Path) -> Office:
    office = _new(folder)
    office.cases = [office.approved_case()]
    office.wait(days=2)
    return office


def _produced(folder: Path) -> Office:
    office = _ready(folder)
    # Apart: a production starts threads of the engines, and what is forked from a program with threads may hang.
    connection.close()
    ending = apart(lambda tell: tell(office.produce(office.cases[0]).parcel_id))
    assert ending.acked, f"the stage cannot be made: {ending.raised}"
    office.wait(days=1)
    return office


def _delivered(folder: Path) -> Office:
    office = _produced(folder)
    office.deliver(office.cases[0], folder / "parcel.age")
    office.wait(days=2)
    return office


def _reportable(folder: Path) -> Office:
    office = _delivered(folder)
    office.close(office.cases[0])
    office.now = REPORTED
    set_clock(office.desk.installation, office.now)
    loop.turn(office.desk, office.desk.log(), office.now)
    return office


def _erasable(folder: Path) -> Office:
    office = _reportable(folder)
    place = office.desk.installation
    closing.report(office.desk, "2026H2", place.public / "reports" / "2026H2", now=office.now)
    office.wait(days=1)  # the record of the parcel's purge is sealed too
    return office


def _waiting(folder: Path) -> Office:
    """Records wait; the epoch has just ended."""
    office = _ready(folder)
    _overdue(office)
    return office


def _overdue(office: Office) -> None:
    office.cases.append(office.receive(PAPER, "waiting.txt"))
    office.now += EPOCH
    set_clock(office.desk.installation, office.now)


def _unpublished(folder: Path) -> Office:
    """A head is committed; the signer died before the first tile."""
    office = _ready(folder)
    _commit_only(office)
    return office


def _commit_only(office: Office) -> None:
    _overdue(office)
    real = Log.publish
    Log.publish = lambda *_: None  # type: ignore[method-assign,assignment]  # the signer that dies in between
    try:
        office.desk.log().close_due(office.now)
    finally:
        Log.publish = real  # type: ignore[method-assign]


def _full_tile(folder: Path) -> Office:
    """255 leaves are published, the next fills a tile and a bundle."""
    office = _ready(folder)
    log = office.desk.log()
    while log.publish(office.now).size < 255:
        office.now += EPOCH
        set_clock(office.desk.installation, office.now)
        log.close_due(office.now)
    _overdue(office)
    return office


def _set_back(folder: Path) -> Office:
    """Somebody copied an older database into its place; the public log goes further."""
    office = _ready(folder)
    connection.close()
    store, older = office.root / "history.db", folder / "older.db"
    shutil.copyfile(store, older)
    office.receive(PAPER, "lost.txt")
    office.wait(days=2)
    connection.close()
    older.replace(store)
    return office


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _witnessed(folder: Path, port: int) -> Office:
    """As unpublished, with a policy that needs one witness, who signed every head but the newest."""
    place = create_place(folder / "w1", WITNESS)
    line = Witness("w1", WitnessSigner.open(WITNESS, place.keys).vkeys[0], f"http://127.0.0.1:{port}")
    office = _new(folder, witnesses=(line,))
    open_place(folder / "w1").add_logs(
        LogSigner.open(office.desk.installation.origin, office.root / "keys").vkeys
    )
    with witness(folder, office.now, port):
        office.desk.log().publish(office.now)
        office.cases = [office.approved_case()]
        office.wait(days=2)
        _commit_only(office)
    return office


@contextlib.contextmanager
def witness(folder: Path, now: dt.datetime, port: int) -> Iterator[None]:
    """The witness beside an office, served by a process of its own until the block ends."""
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(hear)
            serve_in_thread(folder / "w1", clock=lambda: now, port=port, report=lambda _: None)
            os.write(tell, b"up")
            time.sleep(600)
        finally:
            os._exit(1)
    os.close(tell)
    try:
        assert os.read(hear, 2) == b"up", "the witness did not start"
        yield
    finally:
        os.close(hear)
        os.kill(child, 9)
        os.waitpid(child, 0)


MADE: dict[str, Callable[[Path], Office]] = {
    "staffed": _staffed,
    "assessed": _assessed,
    "letter": _letter,
    "ready": _ready,
    "waiting": _waiting,
    "full tile": _full_tile,
    "unpublished": _unpublished,
    "produced": _produced,
    "delivered": _delivered,
    "reportable": _reportable,
    "erasable": _erasable,
    "set back": _set_back,
}


def make(name: str, folder: Path) -> Stage:
    """Makes one stage in this folder."""
    if name == "founders":
        return _founders(folder)
    if name == "witnessed":
        port = free_port()
        office = _witnessed(folder, port)
        connection.close()
        return Stage(folder, office, port)
    office = MADE[name](folder)
    connection.close()
    return Stage(folder, office)


def _founders(folder: Path) -> Stage:
    """A folder with two people's keys, a data map, and no installation yet."""
    (folder / "install").mkdir(parents=True)
    (folder / "install" / "map.toml").write_text(MAP)
    make_platform(folder / "platform.db")
    for name in ("boris", "chi"):
        make_key(name, folder / "people" / f"{name}.json")
    return Stage(folder, None)
