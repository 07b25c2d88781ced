"""Attacks that must fail: each is really tried, on a copy of the installation, and its refusal is kept.

The attacker is an administrator with root: triggers are dropped, rows are changed with plain SQL, keys are made up,
the log is signed again with its own key. A control run first shows that the untouched copy does produce.
"""

import datetime as dt
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.cases.events import Draft
from dueprocess.cli.demo import cast, papers
from dueprocess.cli.demo.cases import SMALL, refused
from dueprocess.cli.demo.stage import Stage
from dueprocess.cli.produce import run_production
from dueprocess.demand import NONCE_BYTES, UNBOUNDED, Demand, Scope, ScopeItem, Target, expand, parse_scope
from dueprocess.desk import demands
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.setup import staff_document
from dueprocess.errors import BrokenError, DueprocessError
from dueprocess.history import connection, ledger
from dueprocess.history.append import append, load_case, load_events
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.growing import tiles_for_growth
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.wire import Json, b64
from dueprocess.worker.clock import read_clock


@contextmanager
def copied(stage: Stage, base: Path) -> Iterator[Desk]:
    """A copy of an installation, opened; afterwards the demo's own is open again."""
    with tempfile.TemporaryDirectory(prefix="dueprocess-attack-") as folder:
        root = Path(folder) / "install"
        shutil.copytree(base, root)
        try:
            yield open_desk(root)
        finally:
            connection.use(stage.desk.installation.database)


def tamper(desk: Desk, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Runs SQL as somebody who first drops the triggers and puts them back afterwards."""
    store = sqlite3.connect(desk.installation.database.removeprefix("sqlite:"))
    triggers = store.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        store.execute(f'DROP TRIGGER "{name}"')
    for sql, values in statements:
        store.execute(sql, values)
    for _, sql in triggers:
        store.execute(sql)
    store.commit()
    store.close()


def produce(desk: Desk, case_id: str, ref: str = "t1") -> DueprocessError | None:
    """The refusal of the production worker, in its own process, or None where it produced."""
    return refused(lambda: run_production(str(desk.installation.root), case_id, ref))


def control(stage: Stage, base: Path, case_id: str) -> None:
    """The untouched copy produces: so each refusal below is due to its attack alone."""
    with copied(stage, base) as desk:
        error = produce(desk, case_id)
    if error is not None:
        raise BrokenError(
            "no-control", "The untouched copy did not produce, so the attacks prove nothing.", why=str(error)
        )
    stage.telling.say("control       the untouched copy of the installation does produce")


def all_attacks(stage: Stage, base: Path, older: Path, case_id: str) -> None:
    """Tries them one by one. ``base`` is ready to produce, ``older`` the same installation a week before."""
    tell = stage.telling.attack

    def on_copy(name: str, tried: str, act: Callable[[Desk, str], DueprocessError | None]) -> None:
        with copied(stage, base) as desk:
            tell(name, tried, act(desk, case_id))

    control(stage, base, case_id)
    on_copy(
        "A widened scope after approval", "the authorised scope of a signed decision is made wider", _widen
    )
    on_copy("Two invented approvers", "an administrator adds two people who vouch for each other", _invent)
    on_copy("A deleted event", "the newest event of the case is deleted with SQL", _delete)
    on_copy("An edited row", "the recipient of a signed decision is edited with SQL", _edit)
    on_copy(
        "An edited row, seen by fsck", "who authenticated the requester is edited with SQL", _edit_quietly
    )
    on_copy("A rewritten log", "a published leaf is changed and the whole log signed again", _rewrite)
    with copied(stage, base) as desk:
        _set_back(desk, older)
        tell("A rolled-back log", "database and log are set back by a week", produce(desk, case_id))
    area(stage)
    emergency(stage)


def _widen(desk: Desk, case_id: str) -> DueprocessError | None:
    """t2 was signed for less than the law permits; it is widened to all of it, and produced on the old signatures."""
    now = read_clock(desk.installation)
    demands.narrow(desk, case_id, "t2", demands.Choice(), actor="mallory", now=now)
    state = load_case(case_id).target("t2")
    assert not state.approvals
    return produce(desk, case_id, "t2")


def _invent(desk: Desk, case_id: str) -> DueprocessError | None:
    """Two made-up people, each enrolled by the other, written straight into the event table with its ledger records."""
    pair = [FileKey(name, Ed25519PrivateKey.generate()) for name in ("mallory", "trent")]
    hand = desk.hand("admin", read_clock(desk.installation), desk.stream)
    for key in pair:
        document = staff_document(key.person, key.public, key.credential, ["reviewer"])
        given: list[Json] = [
            each.sign(desk.pins.origin, document, role="reviewer", verdict="enrol").as_json() for each in pair
        ]
        with connection.append_lock():
            append(desk.stream, [Draft("Enrolled", {"document": document, "signatures": given})], hand)
    return produce(desk, case_id)


def _delete(desk: Desk, case_id: str) -> DueprocessError | None:
    last = len(load_events(case_id))
    tamper(desk, ("DELETE FROM event WHERE case_id = ? AND case_seq = ?", (case_id, last)))
    return produce(desk, case_id)


def _edit(desk: Desk, case_id: str) -> DueprocessError | None:
    sql = "UPDATE event SET body = replace(body, 'a-district-court', 'a-somebody-else!') WHERE case_id = ? AND kind = ?"
    tamper(desk, (sql, (case_id, "DecisionProposed")))
    return produce(desk, case_id)


def _edit_quietly(desk: Desk, case_id: str) -> DueprocessError | None:
    sql = "UPDATE event SET actor = 'nobody' WHERE case_id = ? AND case_seq = 2"
    tamper(desk, (sql, (case_id,)))
    faults = check_everything(desk)
    if not faults:
        return None
    return BrokenError("fsck", f"fsck names it: {faults[0]}")


def _rewrite(desk: Desk, case_id: str) -> DueprocessError | None:
    """Changes one old leaf and signs a new history of the same length with the log's real key."""
    head = ledger.head()
    assert head is not None
    entries = [entry.encode() for entry in ledger.entries(0, head.size)]
    entries[5] = entries[5].replace(b'"ts":"20', b'"ts":"19')
    signer = LogSigner.open(desk.pins.origin, desk.installation.keys)
    frontier = Frontier().extend(leaf_hash(entry) for entry in entries)
    folder = desk.installation.log
    shutil.rmtree(folder)
    for path, content in tiles_for_growth(Frontier(), entries, desk.read_log):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    checkpoint = Checkpoint(desk.pins.origin, frontier.size, frontier.root)
    (folder / "checkpoint").write_text(signer.sign(checkpoint, read_clock(desk.installation)))
    return produce(desk, case_id)


def _set_back(desk: Desk, older: Path) -> None:
    """An old backup of database and log; the worker's memory of the newest head stays."""
    root = desk.installation.root
    connection.use(desk.installation.database)
    for name in ("history.db", "history.db-wal", "history.db-shm"):
        (root / name).unlink(missing_ok=True)
        if (older / name).exists():
            shutil.copy2(older / name, root / name)
    shutil.rmtree(root / "log")
    shutil.copytree(older / "log", root / "log")


def area(stage: Stage) -> None:
    """Everyone in an area, and everyone who used a word: there is no type that could hold it."""
    path = stage.folder / "papers" / "area-demand.txt"
    path.write_bytes(papers.area_demand(dated=stage.now.date()))
    kinds: list[tuple[str, str]] = [("area", "300 m around Harbour Square"), ("keyword", "lighthouse")]
    for kind, value in kinds:
        stage.telling.attack(
            f"A demand by {kind}", f"asks for: {value}", refused(partial(_reach, kind, value))
        )


def _reach(kind: str, value: str) -> None:
    """What a form would have to build to reach people through a place or a word."""
    nonce = b64(bytes(NONCE_BYTES))
    target: Json = {
        "kind": kind, "value": value, "categories": ["subscriber"], "from": None, "until": None, "purpose": None,
    }  # fmt: skip
    parse_scope({"v": 1, "nonce": nonce, "targets": [target]})


def emergency(stage: Stage) -> None:
    """An urgent mail that will not wait for a call: doubted, assessed, and not producible."""
    path = stage.folder / "papers" / "emergency.eml"
    path.write_bytes(papers.emergency_mail(sent_at=stage.now))
    desk, now = stage.desk, stage.now
    case_id, _ = demands.receive(desk, path, channel="mail", actor="ana", now=now)
    demands.authenticate(desk, case_id, authority=None, findings=["mail_only"], actor="ana", now=now)
    demands.read(desk, case_id, _emergency_demand(now), country="US", actor="ana", now=now)
    demands.assess(desk, case_id, actor="ana", now=now)
    choice = demands.Choice(categories=SMALL)
    stage.telling.attack(
        "An emergency mail without call-back",
        "from a look-alike domain: send everything in 30 minutes, do not call",
        refused(lambda: demands.narrow(desk, case_id, "t1", choice, actor="boris", now=now)),
    )


def _emergency_demand(now: dt.datetime) -> Demand:
    categories = expand(("subscriber", "location", "content", "secrets"))
    item = ScopeItem(Target("account", cast.EVA.id), categories, UNBOUNDED)
    return Demand(
        kind="disclosure",
        regime="us",
        instrument="emergency",
        scope=Scope(secrets.token_bytes(NONCE_BYTES), (item,)),
        received_at=now,
        issuer_kind="police",
        legal_bases=("18 USC 2702(b)(8)", "18 USC 2702(c)(4)"),
        emergency=True,
        elements=frozenset({"issuer", "identifier", "danger", "urgency"}),
    )
