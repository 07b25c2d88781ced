"""A real homeserver: what happened on it, what may be seen of it, and that it always stops."""

import contextlib
import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dueprocess.cli.demo import homeserver, platform
from dueprocess.cli.demo.cast import EVA, EVERYTHING, FINN, GINA, PEOPLE, Read, demand_1, demand_2
from dueprocess.cli.demo.homeserver import find_synapse, running
from dueprocess.cli.demo.platform import PlatformRun, run_platform
from dueprocess.cli.demo.story import Session, png
from dueprocess.demand import Demand, Period, ScopeItem, Target, expand
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.law import assess
from dueprocess.library.datamaps import shipped_maps
from dueprocess.library.packs import shipped_packs
from dueprocess.plan import compile_plan
from dueprocess.production.collect import Collection
from dueprocess.production.stores import open_stores

TREE = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlatformRun:
    """One real run, shared by the tests of this file."""
    return run_platform(tmp_path_factory.mktemp("demo") / "platform", say=lambda _: None)


@pytest.fixture(scope="module")
def held(run: PlatformRun) -> bytes:
    """Every byte that the stopped platform keeps: its database and its media."""
    files = [run.database, *(each for each in run.media.rglob("*") if each.is_file())]
    return b"\n".join(each.read_bytes() for each in files)


def _rows(run: PlatformRun) -> dict[str, list[tuple[str, int]]]:
    """Device → (user agent, last seen), by user."""
    with closing(sqlite3.connect(f"{run.database.as_uri()}?mode=ro", uri=True)) as link:
        found = link.execute("SELECT user_id, user_agent, last_seen FROM user_ips").fetchall()
    rows: dict[str, list[tuple[str, int]]] = {}
    for user, agent, seen in found:
        rows.setdefault(user, []).append((agent, seen))
    return rows


def _read(run: PlatformRun) -> Read:
    window = Period(run.window_start, run.received_at)
    return Read(window, run.received_at, run.window_start.date(), bytes(32), "district-court")


def _permitted(run: PlatformRun, demand: Demand) -> ScopeItem:
    item = assess(demand, list(shipped_packs().values()), on=run.received_at.date()).permitted[0]
    assert item is not None
    return item


def _produced(run: PlatformRun, item: ScopeItem) -> tuple[dict[str, str], bytes]:
    """What the production stores give for one authorised item: the result by table, and all bytes."""
    plan = compile_plan(item, shipped_maps()["synapse"], nonce=bytes(32))
    stores = open_stores(shipped_maps()["synapse"], run.environment)
    try:
        collection = Collection(plan, stores, "TEST")
        members = {member.path: b"".join(member.chunks) for member in collection.members()}
    finally:
        stores.close()
    results = {each.table: f"{each.status} {each.rows}" for each in collection.results}
    return results, b"\n".join([*members.values(), *(path.encode() for path in members)])


def _silent_demand(run: PlatformRun) -> Demand:
    read = _read(run)
    until = run.received_at + dt.timedelta(days=30)
    return demand_2(read, due_on=read.issued_on, silent_until=until)


@pytest.mark.slow
def test_sessions_stand_before_inside_and_after_the_window(run: PlatformRun) -> None:
    """Each login left exactly one row, at a time of the phase that it belongs to."""
    since, until = (int(each.timestamp() * 1000) for each in (run.window_start, run.received_at))
    phases = {"before": range(since), "inside": range(since, until), "after": range(until, 2**53)}
    rows = _rows(run)
    for session in run.sessions:
        seen = [at for agent, at in rows[session.user] if agent == session.user_agent]
        assert len(seen) == 1, session
        assert seen[0] in phases[session.phase], session
    for person in (EVA, FINN, GINA):
        assert {each.phase for each in run.sessions if each.user == person.id} == set(phases)
    assert run.window_start.microsecond == run.received_at.microsecond == 0


@pytest.mark.slow
def test_every_canary_is_really_there(run: PlatformRun, held: bytes) -> None:
    """What must stand in no parcel stands on the platform: a search for it cannot pass by accident."""
    assert len(run.canaries) > 100
    wanted = set(run.canaries)
    for person in PEOPLE:
        wanted |= set(run.canaries_for(person.id, traffic=False))
    assert [each for each in sorted(wanted) if each.encode() not in held] == []


@pytest.mark.slow
def test_case_1_gives_exactly_the_rows_inside_the_window(run: PlatformRun) -> None:
    """Eva's two sessions and devices, her account and her address; no content, no other person, no other time."""
    results, produced = _produced(run, _permitted(run, demand_1(_read(run))))
    assert results == {
        "users": "found 1",
        "user_threepids": "found 1",
        "user_external_ids": "nothing_held 0",
        "user_ips": "found 2",
        "devices": "found 2",
        "user_daily_visits": "nothing_held 0",
    }
    agents = run.expected[EVA.id]
    assert len(agents) == 2
    assert all(each.encode() in produced for each in (*agents, EVA.id, EVA.mail))
    found = [each for each in run.canaries_for(EVA.id, traffic=True) if each.encode() in produced]
    assert found == []


@pytest.mark.slow
def test_case_2_gives_the_times_of_one_session_and_no_address(run: PlatformRun) -> None:
    """A subpoena reaches Gina's account and session times; programs, addresses and devices stay."""
    results, produced = _produced(run, _permitted(run, _silent_demand(run)))
    assert (results["users"], results["user_ips"]) == ("found 1", "found 1")
    assert GINA.id.encode() in produced
    found = [each for each in run.canaries_for(GINA.id, traffic=False) if each.encode() in produced]
    assert found == []


@pytest.mark.slow
def test_a_wider_scope_would_have_shown_the_canaries(run: PlatformRun) -> None:
    """With content and a day on either side, the same search finds words, pictures and other times."""
    day = dt.timedelta(days=1)
    wide = Period(run.window_start - day, run.received_at + day)
    _, produced = _produced(run, ScopeItem(Target("account", EVA.id), expand(EVERYTHING), wide))
    found = {each for each in run.canaries_for(EVA.id, traffic=True) if each.encode() in produced}
    outside = {each.user_agent for each in run.sessions if each.user == EVA.id and each.phase != "inside"}
    assert len(outside) == 2
    assert found >= outside | {EVA.display_name, "canary picture of eva, inside the window"}
    assert any("canary message" in each and "of eva, inside" in each for each in found)


@pytest.mark.slow
def test_the_stopped_database_is_one_file_that_reading_does_not_change(run: PlatformRun) -> None:
    """Nothing waits in a write-ahead log, and a reader leaves no file beside it."""
    before = run.database.read_bytes()
    _rows(run)
    _produced(run, _permitted(run, demand_1(_read(run))))
    assert run.database.read_bytes() == before
    assert [each.name for each in run.folder.glob("homeserver.db*")] == ["homeserver.db"]


@pytest.mark.slow
def test_the_run_says_how_long_each_phase_took(run: PlatformRun) -> None:
    """Every phase has its seconds, and none is negative."""
    assert list(run.seconds) == ["register", "before", "inside", "after", "written", "start and stop"]
    assert all(each >= 0 for each in run.seconds.values())


@pytest.mark.slow
def test_a_second_homeserver_in_the_same_folder_is_refused(run: PlatformRun) -> None:
    """The demonstration begins with an empty server, or not at all."""
    with pytest.raises(RefusedError, match="already"), running(run.folder, say=lambda _: None):
        pytest.fail("it must not start")


_ALONE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in its background without it
from pathlib import Path
from dueprocess.cli.demo.homeserver import running
with running(Path(sys.argv[1]), say=lambda text: print(text, flush=True)) as server:
    print("port", server.port, flush=True)
    import time
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_no_server_behind(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C or SIGTERM in the middle: the command ends, and nothing listens any more."""
    command = [sys.executable, "-c", _ALONE, str(tmp_path / "platform")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = next(int(line.split()[1]) for line in process.stdout if line.startswith("port "))
        assert homeserver.is_healthy(port)
        process.send_signal(number)
        assert process.wait(120) == code
    assert not homeserver.is_healthy(port)


@contextlib.contextmanager
def _in_place_of_synapse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Iterator[Path]:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("DUEPROCESS_SYNAPSE", str(program))
    yield tmp_path / "platform"


def test_a_server_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error carries the code and the end of the log, so that nobody has to look for it."""
    script = "for i in 1 2 3; do echo line $i; done; echo 'the disk is full' >&2; exit 9"
    with (
        _in_place_of_synapse(tmp_path, monkeypatch, script) as folder,
        pytest.raises(UnavailableError) as caught,
        running(folder, say=lambda _: None),
    ):
        pytest.fail("it must not start")
    assert caught.value.code == "synapse-not-up"
    assert "code 9" in caught.value.why
    assert "the disk is full" in caught.value.why


def test_a_server_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time for the start the process is gone, also one that ignores being asked to end."""
    monkeypatch.setattr(homeserver, "START_SECONDS", 0.5)
    monkeypatch.setattr(homeserver, "_STOP_SECONDS", 0.2)
    script = f"trap '' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.05; done"
    with (
        _in_place_of_synapse(tmp_path, monkeypatch, script) as folder,
        pytest.raises(UnavailableError, match="did not start"),
        running(folder, say=lambda _: None),
    ):
        pytest.fail("it must not start")
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_missing_homeserver_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting, and a machine without Synapse: both say what to do."""
    monkeypatch.setenv("DUEPROCESS_SYNAPSE", str(tmp_path / "nothing"))
    with pytest.raises(UnavailableError, match=r"setup\.py synapse"):
        find_synapse()
    monkeypatch.delenv("DUEPROCESS_SYNAPSE")
    monkeypatch.setattr(homeserver, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "homeserver.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="DUEPROCESS_SYNAPSE"):
        find_synapse()
    (tmp_path / "synapse_homeserver").write_text("#!/bin/sh\n")
    (tmp_path / "synapse_homeserver").chmod(0o755)
    assert find_synapse() == [str(tmp_path / "synapse_homeserver")]


def test_the_source_tree_brings_its_own_homeserver(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `tools/setup.py synapse` made is found without any setting, and a setting goes first."""
    monkeypatch.delenv("DUEPROCESS_SYNAPSE", raising=False)
    assert find_synapse()[0] == str(TREE / ".venv-synapse" / "bin" / "python")
    monkeypatch.setenv("DUEPROCESS_SYNAPSE", sys.executable)
    assert find_synapse()[0] == sys.executable


def test_sessions_that_are_never_written_down_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait ends with an error that counts what is missing, never with a half-filled platform."""
    database = tmp_path / "some.db"
    with closing(sqlite3.connect(database)) as link:
        link.execute("CREATE TABLE user_ips (user_id TEXT, access_token TEXT)")
    monkeypatch.setattr(platform, "_FLUSH_SECONDS", 0.3)
    session = Session(EVA.id, "inside", "agent", "192.0.2.1", "D", "device", "token")
    with pytest.raises(UnavailableError) as caught:
        platform.wait_for_sessions(database, [session])
    assert "1 of 1" in caught.value.why


def test_a_whole_second_lies_between_what_was_and_what_comes() -> None:
    """It is later than the call and not later than the return."""
    before = time.time()
    second = platform.next_whole_second()
    assert second.microsecond == 0
    assert before < second.timestamp() <= time.time()


def test_the_picture_is_a_png_that_says_its_words() -> None:
    """Signature, header and comment stand where the specification wants them."""
    picture = png("canary picture")
    assert picture.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert b"tEXtComment\0canary picture" in picture
    assert picture.endswith(b"IEND\xaeB`\x82")
