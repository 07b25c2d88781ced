"""A production of a warehouse is killed with SIGKILL and run again: what it had read is not read again."""

import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desk.slow_killed import DICE
from dueprocess.desk import production, resuming
from dueprocess.desk.check import check_everything
from dueprocess.desk.resuming import Run, clear_reads, kept_reads
from dueprocess.desk.sweeping import Swept, sweep
from dueprocess.desk.vaultcheck import unnamed_objects
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.production.resuming import KEPT_FOR
from dueprocess.steps import challenge
from dueprocess.wire import instant
from dueprocess.worker.production import attempted
from office import EVA, Office
from production.slow import slow_stores
from production.test_answer import opened

pytestmark = [pytest.mark.slow, pytest.mark.stage("ready")]

DRIVER = Path(__file__).with_name("slow_killed.py")
SECOND = ("dueprocess.production.collect:formatted", "2", "before")
"""Between the first table, which was read to its end, and the second."""
LAST = ("dueprocess.production.packing:manifest", "1", "before")
"""Every table was read."""
EXPLAINING = {
    "data/index.html", "data/index.pdf", "data/statement.json", "data/case.jsonld", "data/certificate.pdf",
    "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt",
}  # fmt: skip
OVER = "its production is over"


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stores say that they are slow; two productions throw the same dice, so that their files can be compared."""
    monkeypatch.setattr(production, "secrets", DICE)
    with slow_stores():
        yield


def killed(office: Office, where: tuple[str, str, str], root: Path | None = None) -> None:
    done = subprocess.run(
        [
            sys.executable, DRIVER, root or office.root, instant(office.now), *where,
            "produce", office.cases[0], office.environment["PLATFORM_DSN"],
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == (-9 if root is None else 0), done.stderr


def store(office: Office, *texts: str) -> None:
    with closing(sqlite3.connect(office.root.parent / "platform.db")) as link, link:
        for text in texts:
            link.execute(text, {"eva": EVA})


def keys(office: Office) -> set[str]:
    return {each.case_id for each in office.desk.keys.files()}


def kept(office: Office) -> list[Run]:
    return list(kept_reads(office.desk, load_case(office.cases[0])))


def parcel(office: Office, root: Path | None = None) -> dict[str, bytes]:
    (path,) = ((root or office.root) / "parcels").glob("*.tar.age")
    return opened(path.read_bytes(), office.officer)


def folders(office: Office) -> set[Path]:
    return {each for each in (office.root / "vault").glob("*/*") if each.is_dir()}


def test_a_killed_production_does_not_read_a_table_twice(office: Office, tmp_path: Path) -> None:
    """The first table's records change between the runs; the parcel is that of an undisturbed run, byte for byte."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(office.root, elsewhere)
    killed(office, ("dueprocess.production.collect:formatted", "99", "before"), elsewhere)
    undisturbed = parcel(office, elsewhere)
    before = (keys(office), folders(office))

    killed(office, SECOND)
    (run,) = kept(office)
    assert keys(office) - before[0] == {run.shelf_id}
    assert check_everything(office.desk) == []
    assert list(unnamed_objects(office.desk)) == []
    store(office, "UPDATE users SET created = 5 WHERE name = :eva")
    made = office.produce(office.cases[0])
    found = parcel(office)
    assert {path for path in found if found[path] != undisturbed[path]} == EXPLAINING
    at = instant(office.now)
    said = f"; read from {at} to {at}, in a run that was interrupted later".encode()
    assert found["data/case.jsonld"].count(said) == found["data/index.html"].count(said) == 1
    assert found["data/index.html"].replace(said, b"") == undisturbed["data/index.html"]
    statement = json.loads(found["data/statement.json"])
    assert [statement["entries"][0].pop(each) for each in ("read_from", "read_until")] == [at, at]
    assert statement == json.loads(undisturbed["data/statement.json"])
    assert made.tables == [f"main.users: found 1 record{said.decode()}", "main.sessions: found 3 records"]
    assert (keys(office), folders(office)) == before, "what was kept is gone with its key"
    assert check_everything(office.desk) == []


def test_a_production_that_was_never_killed_leaves_nothing(office: Office) -> None:
    """Nothing of it is kept when it is done, and nothing is said of an earlier run."""
    before = (keys(office), folders(office))
    made = office.produce(office.cases[0])
    assert made.tables == ["main.users: found 1 record", "main.sessions: found 3 records"]
    assert (keys(office), folders(office)) == before


def test_a_failed_run_keeps_what_it_had_read(office: Office) -> None:
    """A run that ends with an error, and not by a kill, is no different."""
    for _ in range(2):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("dueprocess.production.packing.manifest", _broken)
            with pytest.raises(UnavailableError):
                office.produce(office.cases[0])
        assert len(kept(office)) == 1
        store(office, "UPDATE users SET created = 5 WHERE name = :eva", "DELETE FROM sessions")
    made = office.produce(office.cases[0])
    assert [each.partition(";")[0] for each in made.tables] == [
        "main.users: found 1 record", "main.sessions: found 3 records",
    ]  # fmt: skip
    assert kept(office) == []


def _broken(*_: Any, **__: Any) -> bytes:
    raise OSError("no room")


def test_the_gate_is_asked_before_anything_kept_is_read(office: Office) -> None:
    """An objection in between: refused. Upheld: the worker's next turn destroys what was kept."""
    killed(office, LAST)
    case_id = office.cases[0]
    hand = office.desk.hand("boris", office.now, case_id)
    challenge.open_challenge(case_id, hand, "t1", by="user", ground="too wide")
    gets: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(resuming.ReadShelf, "get", lambda _, name: gets.append(name))
        with pytest.raises(RefusedError):
            office.produce(case_id)
    assert gets == []
    assert turn(office) == []
    assert len(kept(office)) == 1, "the objection may be turned down"
    challenge.close_challenge(case_id, hand, "t1", upheld=True)
    (run,) = kept(office)
    assert turn(office) == [f"{case_id[:8]} t1: what an interrupted production kept was destroyed: {OVER}"]
    assert not office.desk.keys.has(run.shelf_id)
    assert turn(office) == []
    assert check_everything(office.desk) == []


def turn(office: Office) -> list[str]:
    """What a turn of the worker says about what was kept."""
    return [each for each in attempted(office.desk, office.now).lines if "kept" in each]


def test_with_the_decision_ends_what_was_kept(office: Office) -> None:
    """A decision lapses; so does what was read under it."""
    killed(office, SECOND)
    case = load_case(office.cases[0])
    decision = case.target("t1").decision
    assert decision is not None
    ends, real = dt.datetime.fromisoformat(decision.text("expires_at")), dt.datetime.now(dt.UTC)
    assert clear_reads(office.desk, case, ends - dt.timedelta(seconds=1), real) == []
    (line,) = clear_reads(office.desk, case, ends, real)
    assert line.endswith("its decision has expired")
    assert kept(office) == []


def swept(office: Office, now: dt.datetime, *, dry_run: bool = False) -> tuple[Swept, ...]:
    """What a sweep takes, but half-made parcels: their lock may outlive a killed program by a moment."""
    found = sweep(office.desk, now, dry_run=dry_run).swept
    return tuple(each for each in found if each.kind != "parcel")


def test_what_a_finished_production_left_is_swept(office: Office) -> None:
    """Killed after its last word in history and before it cleared up: a sweep takes it, without a day's wait."""
    before = (keys(office), folders(office))
    killed(office, ("dueprocess.desk.resuming:clear_reads", "1", "before"))
    assert load_case(office.cases[0]).target("t1").stage == "produced"
    (run,) = kept(office)
    now = dt.datetime.now(dt.UTC)
    expected = (Swept("read", run.shelf_id, OVER),)
    assert swept(office, now, dry_run=True) == expected
    assert len(kept(office)) == 1
    assert swept(office, now) == expected
    assert (keys(office), folders(office)) == before
    assert swept(office, now) == ()
    assert check_everything(office.desk) == []


def test_what_may_still_be_used_is_not_swept(office: Office) -> None:
    """No event names its key, and for three days it stays all the same; then it is too old to be used, and goes."""
    killed(office, SECOND)
    (run,) = kept(office)
    old = dt.datetime.now(dt.UTC) - KEPT_FOR + dt.timedelta(hours=1)
    for path in [office.root / "keys" / "cases" / f"{run.shelf_id}.key", *(office.root / "vault").rglob("*")]:
        os.utime(path, (old.timestamp(), old.timestamp()))
    now = dt.datetime.now(dt.UTC)
    assert swept(office, now) == ()
    assert swept(office, now + dt.timedelta(hours=2)) == (Swept("read", run.shelf_id, "it is too old"),)
    assert kept(office) == []


def test_what_a_killed_clearing_left_is_swept(office: Office) -> None:
    """The bytes went first and the key is still there: the next sweep takes the key."""
    killed(office, SECOND)
    (run,) = kept(office)
    office.desk.vault.remove(run.shelf_id)
    office.produce(office.cases[0])
    assert kept(office) == []
    assert not office.desk.keys.has(run.shelf_id)


def test_a_closed_case_keeps_nothing(office: Office) -> None:
    """Withdrawn and closed before the worker's turn: closing destroys it."""
    killed(office, SECOND)
    case_id = office.cases[0]
    hand = office.desk.hand("boris", office.now, case_id)
    challenge.open_challenge(case_id, hand, "t1", by="user", ground="too wide")
    challenge.close_challenge(case_id, hand, "t1", upheld=True)
    office.close(case_id)
    assert kept(office) == []
    assert check_everything(office.desk) == []


def test_another_plan_or_decision_has_another_key() -> None:
    """Each part of what binds it changes the name, and none can stand for another."""
    run = Run("c" * 32, "t1", "d" * 64, "e" * 64)
    others = [
        run._replace(case_id="b" * 32), run._replace(ref="t2"), run._replace(decision_sha256="e" * 64),
        run._replace(plan_sha256="d" * 64), Run("c" * 32, "t1", "e" * 64, "d" * 64),
    ]  # fmt: skip
    assert len({each.shelf_id for each in (run, *others)}) == 6
    assert len(run.shelf_id) == 32
