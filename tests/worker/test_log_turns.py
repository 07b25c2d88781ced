"""What the worker says about the log and its witnesses, and that it keeps running whatever they do."""

import datetime as dt
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dueprocess.cli.log import log_command
from dueprocess.cli.place import Place
from dueprocess.desk.check import check_everything
from dueprocess.history import connection, ledger
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.policy import Witness
from dueprocess.witness.place import create_place, open_place
from dueprocess.worker import clock, loop
from office import START, Office, open_office
from publication.bench import Friend

SIX_HOURS = 6 * 3600


def friends_of(folder: Path, count: int) -> list[Friend]:
    """Real witnesses that know no log yet. Their clock stands two days after the start, where an office begins."""
    made = []
    for number in range(1, count + 1):
        place = create_place(folder / f"w{number}", f"w{number}.example/witness")
        made.append(Friend(place.folder, f"w{number}", lambda: START + dt.timedelta(days=2)))
        made[-1].start()
    return made


def introduce(office: Office, friends: list[Friend]) -> None:
    """Each operator puts the log's keys, as policy.txt lists them, into the witness and starts it again."""
    place = office.desk.installation
    for each in friends:
        each.stop()
        open_place(each.folder).add_logs(LogSigner.open(place.origin, place.keys).vkeys)
        each.start()


@pytest.fixture
def two_friends(tmp_path: Path) -> Iterator[list[Friend]]:
    made = friends_of(tmp_path, 2)
    yield made
    for each in made:
        each.stop()
    connection.use("sqlite::memory:")


def opened(folder: Path, friends: list[Friend]) -> Office:
    """An office whose policy needs all of these friends, before any of them knows it."""
    (folder / "office").mkdir()
    lines: tuple[Witness, ...] = tuple(each.line() for each in friends)
    return open_office(folder / "office", epoch_seconds=SIX_HOURS, witnesses=lines)


def test_a_log_waits_for_its_witnesses_and_says_so(tmp_path: Path, two_friends: list[Friend]) -> None:
    """They do not know it yet: epochs are closed, one line says who does not sign, since when, what follows."""
    office = opened(tmp_path, two_friends)
    line = office.seen[-1]
    assert line.startswith("independent timekeepers (witnesses) do not sign: w1 since 2026-09-")
    assert "w2 since" in line
    assert "does not know this log (status 404)" in line
    assert "too few are left: 0 of 9 leaves are published" in line
    assert "dueprocess unwitnessed" in line
    assert "closed 1 epoch" in office.seen
    assert check_everything(office.desk) == []
    introduce(office, two_friends)
    log = office.desk.log()
    assert loop.turn(office.desk, log, office.now) == []
    head = ledger.head()
    assert head is not None
    assert log.published is not None
    assert (log.published.size, log.published.witnessed) == (head.size, True)
    office.now += dt.timedelta(days=3)
    loop.turn(office.desk, log, office.now)
    assert "gap" in ledger.entries(head.size, head.size + 1)[0]
    assert check_everything(office.desk) == []


def test_dueprocess_log_shows_who_signed_when(
    tmp_path: Path, two_friends: list[Friend], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before they know the log, and after: how much the world can see, and each witness with its time."""
    office = opened(tmp_path, two_friends)
    log_command(place=Place(office.root))
    told = capsys.readouterr().out
    assert "published: none of them" in told
    assert "unwitnessed: too few of them signed" in told
    assert "w1: has not signed" in told
    introduce(office, two_friends)
    loop.turn(office.desk, office.desk.log(), office.now)
    log_command(place=Place(office.root))
    told = capsys.readouterr().out
    assert "published: all of them" in told
    assert "w1: signed 2026-09-03T08:00:00Z" in told
    assert "enough of them signed" in told
    log_command(place=Place(office.root, json=True))
    assert '"witnessed": true' in capsys.readouterr().out


def test_the_worker_runs_on_without_witnesses_and_repeats_nothing(
    tmp_path: Path,
    two_friends: list[Friend],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Many turns with one fault print one line; when the witnesses sign, the same program publishes."""
    office = opened(tmp_path, two_friends)
    clock.set_clock(office.desk.installation, office.now)
    turns = 0
    stop = threading.Event()

    def wait(seconds: float) -> bool:
        nonlocal turns
        assert 0 < seconds <= loop.TURN_SECONDS
        turns += 1
        if turns == 3:
            introduce(office, two_friends)
        if turns == 4:
            stop.set()
        return stop.is_set()

    told = threading.Event()
    monkeypatch.setattr(told, "wait", wait)
    monkeypatch.setattr(told, "is_set", stop.is_set)
    monkeypatch.setattr(loop, "stop_on_signal", lambda: told)
    monkeypatch.setattr(sys, "argv", ["worker", "--install", str(office.root)])
    assert loop.main() == 0
    assert turns == 4
    assert capsys.readouterr().out.count("do not sign") == 1
    assert "witnesses" in (office.root / "public" / "policy.txt").read_text()
    assert (office.root / "log" / "checkpoint").exists()


def test_letters_rest_while_an_epoch_is_about_to_end(office: Office) -> None:
    """On a real clock, for the last half minute; a simulated clock stands still while we work."""
    seconds = office.desk.installation.epoch_seconds
    end = dt.datetime.fromtimestamp(int(START.timestamp()) // seconds * seconds + seconds, dt.UTC)
    real = replace(office.desk, installation=replace(office.desk.installation, clock_mode="system"))
    before = [dt.timedelta(seconds=each) for each in (1, 30, 31, 600)]
    assert [loop._ends_soon(real, end - each) for each in before] == [True, True, False, False]  # noqa: SLF001
    assert not loop._ends_soon(office.desk, end - before[0])  # noqa: SLF001
    assert loop.turn(office.desk, office.desk.log(), office.now, letters=False) == []


def pages(office: Office) -> str:
    """All public pages of an office, one after the other."""
    return "".join(each.read_text() for each in (office.root / "public").rglob("*.html"))


def test_the_public_page_shows_the_published_head(tmp_path: Path, two_friends: list[Friend]) -> None:
    """Not the newest one that nobody outside can see; before the first there is none."""
    office = opened(tmp_path, two_friends)
    assert "w1.example/witness" not in pages(office)
    introduce(office, two_friends)
    loop.turn(office.desk, office.desk.log(), office.now)
    assert "w1.example/witness" in pages(office)
