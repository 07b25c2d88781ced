"""Watching a log from a folder of one's own: what is told, what is remembered, what is recounted."""

import dataclasses
import datetime as dt

import pytest

from cli.watching import PERIOD, REGISTER, REPORT, Post, kinds, said
from dueprocess.cli.monitor_state import alone, read_memory
from dueprocess.errors import ConflictError, MalformedError, UnavailableError
from dueprocess.wire import canonical, parse_json
from madelog import (
    ALONE_TEXT,
    FIRST_EPOCH,
    POLICY_TEXT,
    MadeLog,
    end_of,
    grown,
    policy_leaf,
    trust,
)

# ------------------------------------------------------------------ a good log


def test_the_first_look_says_what_is_trusted_from_now_on(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    """Size, fingerprint, timekeepers and time, and what nobody can know at a first look."""
    log = post.serve(grown())
    found = post.look(log.now)
    told = said(found, capsys)
    assert found.exit_code == 0
    assert "had 6 entries" in told
    assert "north.example, south.example, west.example" in told
    assert "exchanged before today" in told
    assert not (post.state / "evidence").exists()


def test_later_looks_are_one_line(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    """Good, with size and time; each later run starts from the folder."""
    log = post.serve(grown())
    post.look(log.now)
    post.serve(log.epochs(2).publish())
    told = said(post.look(log.now), capsys)
    assert ": good. 8 entries, confirmed by" in told
    assert len(told.splitlines()) == 1


def test_a_notice_is_told_once_while_it_stays(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    """In a running monitor a silent timekeeper is not repeated every five minutes."""
    log = post.serve(grown().publish(by=("north", "south")))
    watch = post.watch()
    assert "did not confirm the head: west.example" in said(watch.look(log.now), capsys, brief=True)
    assert "Note" not in said(watch.look(log.now), capsys, brief=True)
    assert "Note" in said(watch.look(log.now), capsys)


def test_a_log_without_timekeepers_is_said_to_have_none(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hobby host's log: good, and the watcher is told what nobody vouches for."""
    post.policy = ALONE_TEXT
    rules = policy_leaf(witness_policy_sha256=trust(ALONE_TEXT).sha256)
    log = post.serve(MadeLog(rules).epochs(3).publish(by=()))
    told = said(post.look(log.now), capsys)
    assert "confirmed by no independent timekeeper" in told
    assert "the operator alone vouches" in told


# ------------------------------------------------------------------ not reached


def test_a_log_that_does_not_answer_is_an_alarm_only_when_late(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    """First a line with since when; after two time slots an alarm with the last good head and its newest entry."""
    good = post.serve(grown())
    post.look(good.now)
    (post.root / "log" / "checkpoint").unlink()
    at = good.now + dt.timedelta(minutes=1)
    found = post.look(at)
    assert found.exit_code == 6
    told = said(found, capsys)
    assert f"could not be reached since {at:%Y-%m-%d %H:%M} UTC" in told
    assert "no alarm yet" in told
    found = post.look(good.now + dt.timedelta(minutes=20))
    assert kinds(found) == ["missed-cadence"]
    assert f"since {at:%Y-%m-%d %H:%M} UTC" in found.alarms[0].finding.told
    folder = found.alarms[0].folder
    assert folder is not None
    assert post.recheck(folder).returncode == 0
    assert len(list((post.state / "evidence").iterdir())) == 1
    post.look(good.now + dt.timedelta(minutes=25))
    assert len(list((post.state / "evidence").iterdir())) == 1


def test_a_log_that_was_never_reached_is_no_alarm(post: Post) -> None:
    """Nothing is remembered, so nothing can be late."""
    found = post.look(end_of(FIRST_EPOCH))
    assert (found.exit_code, kinds(found)) == (6, [])
    assert read_memory(post.state).unreachable_since is not None


def test_a_log_that_answers_and_stands_still_is_an_alarm(post: Post) -> None:
    """The same head an hour later."""
    good = post.serve(grown())
    post.look(good.now)
    found = post.look(good.now + dt.timedelta(hours=1))
    assert kinds(found) == ["missed-cadence"]
    folder = found.alarms[0].folder
    assert folder is not None
    assert "word of whoever watched" in post.recheck(folder).stdout


# ------------------------------------------------------------------ reports


def published(post: Post, *, register: bytes = REGISTER.encoded, report: bytes = REPORT.encoded) -> MadeLog:
    log = grown()
    log.report(PERIOD, register, report)
    return post.serve(log.publish())


def wrong_cell() -> bytes:
    cells = [dataclasses.replace(each, number=12) if each.id == "total" else each for each in REPORT.cells]
    return dataclasses.replace(REPORT, cells=tuple(cells)).encoded


def test_a_good_report_is_recounted_once_a_day(post: Post) -> None:
    """Told as right, then left alone for a day, then fetched again."""
    log = published(post)
    post.pages(REGISTER.encoded, REPORT.encoded)
    found = post.look(log.now, site=True)
    assert (found.exit_code, found.told[-1].finding.kind) == (0, "report-recounted")
    post.pages(REGISTER.encoded, b"changed")
    assert post.look(log.now + dt.timedelta(minutes=4), site=True).exit_code == 0
    tomorrow = post.look(log.now + dt.timedelta(hours=25), site=True)
    assert "other-report" in kinds(tomorrow)


@pytest.mark.parametrize("kind", ["bad-report", "other-report", "unreadable"])
def test_a_bad_report_is_an_alarm_that_a_stranger_can_recount(post: Post, kind: str) -> None:
    """A wrong cell that the log names, a file that it does not name, and a file that is no report."""
    report = {"bad-report": wrong_cell(), "other-report": REPORT.encoded, "unreadable": b"{}"}[kind]
    log = published(post, report=report)
    post.pages(REGISTER.encoded, wrong_cell() if kind == "other-report" else report)
    found = post.look(log.now, site=True)
    assert kinds(found) == ["bad-report" if kind == "unreadable" else kind]
    folder = found.alarms[0].folder
    assert folder is not None
    checked = post.recheck(folder)
    assert checked.returncode == 0, checked.stderr
    about = parse_json((folder / "alarm.json").read_bytes())
    files = {name: digest for name, digest in about["files"].items() if name != "report.json"}
    (folder / "alarm.json").write_bytes(canonical({**about, "files": files}))
    assert post.recheck(folder).returncode == 4
    (folder / "alarm.json").write_bytes(canonical({**about, "kind": "too-few-witnesses"}))
    assert post.recheck(folder).returncode == 3


def test_a_named_report_that_is_not_shown_becomes_an_alarm_after_a_day(post: Post) -> None:
    """The files may come a little after the entries; not a day."""
    log = published(post)
    (post.root / "site").mkdir()
    found = post.look(log.now, site=True)
    assert (found.exit_code, found.told[-1].finding.kind) == (0, "report-missing")
    post.serve(log.epochs(290).publish())
    found = post.look(log.now, site=True)
    assert kinds(found) == ["report-withheld"]
    folder = found.alarms[0].folder
    assert folder is not None
    assert post.recheck(folder).returncode == 0


# ------------------------------------------------------------------ memory


def test_another_policy_file_than_last_time_is_told(post: Post) -> None:
    """Somebody may have exchanged it on the watcher's own computer."""
    log = post.serve(grown())
    post.look(log.now)
    post.policy = POLICY_TEXT + b"# a remark\n"
    found = post.look(log.now)
    assert "policy-file" in [each.finding.kind for each in found.told]
    assert kinds(found) == ["other-policy"]


def test_a_damaged_memory_is_refused_and_never_started_anew(post: Post) -> None:
    """A monitor that forgot would trust whatever it sees next."""
    log = post.serve(grown())
    post.look(log.now)
    for data in (b"", b"{}", (post.state / "state.json").read_bytes()[:-40]):
        (post.state / "state.json").write_bytes(data)
        with pytest.raises(MalformedError, match="damaged"):
            post.look(log.now)
    (post.state / "state.json").unlink()
    (post.state / "state.json").mkdir()
    with pytest.raises(UnavailableError):
        post.look(log.now)


def test_a_second_monitor_in_one_folder_is_refused(post: Post) -> None:
    """Two would forget what the other saw."""
    with alone(post.state), pytest.raises(ConflictError), alone(post.state):
        pytest.fail("both are in")
    with alone(post.state):
        pass
    (post.root / "file").write_bytes(b"")
    with pytest.raises(UnavailableError), alone(post.root / "file" / "state"):
        pytest.fail("a file is no folder")
