"""The workers' turns: what is owed follows from the events, and a refusal is a sentence, not an end."""

import datetime as dt
import sys
from pathlib import Path

import pytest

import sabotage
from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.history.append import load_case
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
