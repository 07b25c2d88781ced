"""The workers' turns: what is owed follows from the events, and a refusal is a sentence, not an end."""

import datetime as dt
import gc
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import sabotage
from dueprocess.desk import production as desk_production
from dueprocess.desk.desk import Desk
from dueprocess.errors import BrokenError, ConflictError, MalformedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.leases import Leases, leased
from dueprocess.history.models import LeaseRow
from dueprocess.production import answer
from dueprocess.production.collect import Progress
from dueprocess.worker import clock, loop, production
from dueprocess.worker.ending import run
from office import Office


@pytest.mark.stage("brisk")
def test_the_production_worker_waits_and_then_produces(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the user was told and could object it says what it waits for; afterwards it makes one parcel."""
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    case_id = office.approved_case()
    office.wait(hours=6)
    assert "waits: " in production.turn(office.desk, office.now)[0]
    office.wait(hours=24)
    assert "produced p-" in production.turn(office.desk, office.now)[0]
    assert production.turn(office.desk, office.now) == []
    assert load_case(case_id).target("t1").stage == "produced"


@pytest.mark.stage("ready")
def test_a_store_that_is_away_is_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker reports it and stays; broken integrity ends it."""
    monkeypatch.setenv("PLATFORM_DSN", "postgresql://nobody@127.0.0.1:1/none")
    assert len(production.turn(office.desk, office.now)) == 1
    assert load_case(office.cases[0]).target("t1").produced is None
    with sabotage.unguarded():
        sabotage.delete("event", sabotage.rows("event")[-1])
    with pytest.raises(BrokenError):
        production.turn(office.desk, office.now)


@pytest.mark.stage("brisk")
def test_one_failing_case_does_not_stop_the_others(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken event, a fault of this program, a lease elsewhere: each is a line with its reason, the rest is made."""
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    cases = [office.approved_case() for _ in range(4)]
    office.wait(hours=30)
    real = desk_production.produce

    def faulty(desk: Desk, case_id: str, ref: str, *rest: Any, **named: Any) -> desk_production.Production:
        if case_id == cases[1]:
            raise ValueError("eva@mail.example cannot be converted")
        if case_id == cases[2]:
            raise MalformedError("bad-map", "The data map cannot be read.", do="Look at it.")
        return real(desk, case_id, ref, *rest, **named)

    monkeypatch.setattr(production, "produce", faulty)
    with sabotage.unguarded():
        sabotage.delete("event", [row for row in sabotage.rows("event") if row["case_id"] == cases[0]][2])
    done = production.attempted(office.desk, office.now)
    assert done.broken is not None
    lines = {line.partition(":")[0]: line for line in done.lines}
    assert "BROKEN" in lines[cases[0][:8]]
    assert "stopped by a fault of this program, ValueError in test_worker.py" in lines[f"{cases[1][:8]} t1"]
    assert lines[f"{cases[2][:8]} t1"].endswith("The data map cannot be read. Look at it.")
    assert f"{cases[3][:8]} t1" in lines
    assert "eva" not in "".join(done.lines)


@pytest.mark.stage("ready")
def test_two_workers_never_produce_the_same_target(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is at it, and since when, is said; nothing is begun; afterwards it goes on."""
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    for name in (f"target {office.cases[0]}:t1", "store main"):
        with leased([name], lambda: dt.datetime.now(dt.UTC)):
            (line,) = production.turn(office.desk, office.now)
        assert f"waits: Somebody works on {name} already: program " in line
        assert "ProductionStarted" not in [event.kind for event in load_case(office.cases[0]).events]
    (line,) = production.turn(office.desk, office.now)
    assert "produced p-" in line


@pytest.mark.stage("ready")
def test_a_worker_that_lost_its_lease_hands_nothing_over(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still for so long that somebody else began: its parcel is thrown away before any event names it."""
    real = answer.run_plan

    def slow(*args: Any, **named: Any) -> Any:
        answered = real(*args, **named)
        LeaseRow.objects.update(holder="somebody else")
        (held,) = [each for each in gc.get_objects() if isinstance(each, Leases)]
        held.prolong(office.now)
        return answered

    with monkeypatch.context() as patched:
        patched.setattr(desk_production, "run_plan", slow)
        with pytest.raises(ConflictError) as caught:
            office.produce(office.cases[0])
    assert caught.value.code == "lease-lost"
    assert list(office.desk.installation.parcels.iterdir()) == []
    assert "DataProduced" not in [event.kind for event in load_case(office.cases[0]).events]


@pytest.mark.stage("ready")
def test_credentials_come_from_the_workers_own_file(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """NAME=value lines under the process's environment; anything else in the file is an error that names its line."""
    path = office.desk.installation.worker / "stores.env"
    path.write_text("# comment\n\nPLATFORM_DSN = one\nOTHER=a=b\n")
    monkeypatch.delenv("PLATFORM_DSN", raising=False)
    found = production.store_environment(office.desk)
    assert (found["PLATFORM_DSN"], found["OTHER"]) == ("one", "a=b")
    monkeypatch.setenv("PLATFORM_DSN", "two")
    assert production.store_environment(office.desk)["PLATFORM_DSN"] == "two"
    path.write_text("PLATFORM_DSN=one\nno value\n")
    with pytest.raises(MalformedError) as caught:
        production.store_environment(office.desk)
    assert "Line 2" in caught.value.what


@pytest.mark.stage("ready")
def test_the_programs_run_once(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --once each does what is owed now and ends; one named target is answered as JSON with the family's code."""
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    clock.set_clock(office.desk.installation, office.now + dt.timedelta(hours=6))
    monkeypatch.setattr(sys, "argv", ["worker", "--install", str(office.root), "--once"])
    loop.main()
    assert "closed 1 epoch" in capsys.readouterr().out
    production.main()
    assert "produced p-" in capsys.readouterr().out
    one = ["worker", "--install", str(office.root), "--case", office.cases[0], "--target", "t1"]
    monkeypatch.setattr(sys, "argv", one)
    assert production.main() == 3
    assert '"family": "refused"' in capsys.readouterr().out


@pytest.mark.stage("ready")
def test_one_named_target_is_produced(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer names the parcel, what was proved, and a line for each table."""
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    one = ["worker", "--install", str(office.root), "--case", office.cases[0], "--target", "t1"]
    monkeypatch.setattr(sys, "argv", one)
    assert production.main() == 0
    assert '"parcel_id": "p-' in capsys.readouterr().out


def test_progress_is_said_now_and_then_and_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    """On the standard error of the worker; for the program that asked, as JSON on the standard output."""
    progress = Progress(3, 12, 400_000)
    production.Teller("c1 t1", 0)(progress)
    production.Teller("c1 t1", 60)(progress)
    assert capsys.readouterr().err == "c1 t1: table 3 of 12, 400,000 records so far\n"
    production.JsonTeller("", 0)(progress)
    told = json.loads(capsys.readouterr().out)
    assert told == {"progress": {"entry": 3, "entries": 12, "records": 400_000}}


def test_what_is_unavailable_has_its_exit_code_and_the_next_run_does_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --once the worker says what is unavailable and exits by its family. Here the log's folder is in the way."""
    clock.set_clock(office.desk.installation, office.now + dt.timedelta(hours=1))
    office.desk.installation.log.rename(office.root / "away")
    office.desk.installation.log.write_text("a file")
    monkeypatch.setattr(sys, "argv", ["worker", "--install", str(office.root), "--once"])
    with pytest.raises(SystemExit) as ended:
        run(loop.main)
    assert ended.value.code == 6
    assert "could not be published" in capsys.readouterr().err
    office.desk.installation.log.unlink()
    (office.root / "away").rename(office.desk.installation.log)
    loop.main()
    assert capsys.readouterr().err == ""


def test_a_simulated_clock_only_runs_forward(office: Office) -> None:
    """It is read as it was set, never set back, and an empty one is an error."""
    place = office.desk.installation
    assert clock.read_clock(place) == office.now
    with pytest.raises(MalformedError) as back:
        clock.set_clock(place, office.now - dt.timedelta(seconds=1))
    assert back.value.code == "clock-ran-back"
    place.clock_file.write_text("")
    with pytest.raises(MalformedError) as never:
        clock.read_clock(place)
    assert never.value.code == "no-clock"


def test_the_systems_clock_is_read_and_never_set(office: Office) -> None:
    """Whole seconds in UTC; it belongs to the system."""
    from dataclasses import replace

    place = replace(office.desk.installation, clock_mode="system")
    now = clock.read_clock(place)
    assert abs(dt.datetime.now(dt.UTC) - now) < dt.timedelta(seconds=5)
    assert now.microsecond == 0
    with pytest.raises(MalformedError) as caught:
        clock.set_clock(place, now)
    assert caught.value.code == "real-clock"


def test_an_office_that_is_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No installation, no turn."""
    monkeypatch.setattr(sys, "argv", ["worker", "--install", str(tmp_path), "--once"])
    with pytest.raises(UnavailableError):
        loop.main()
