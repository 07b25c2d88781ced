"""Watching a log from a folder of one's own: what is told, what is kept, and what a stranger can check again."""

import dataclasses
import datetime as dt
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from dueprocess.cli.monitor_fetch import place_of
from dueprocess.cli.monitor_show import show
from dueprocess.cli.monitor_state import alone, read_memory
from dueprocess.cli.monitor_watch import Round, Watch
from dueprocess.cli.monitor_words import MEANINGS, meaning_of
from dueprocess.cli.verify_evidence import answer_evidence
from dueprocess.errors import ConflictError, MalformedError, RefusedError, UnavailableError
from dueprocess.report import build_register, build_report
from dueprocess.tlog import IncidentLeaf, format_policy
from dueprocess.wire import canonical, parse_json
from madelog import (
    ALONE_TEXT,
    FIRST_EPOCH,
    LOGS,
    POLICY_TEXT,
    MadeLog,
    end_of,
    grown,
    key_leaf,
    live,
    log_vkey,
    policy_leaf,
    trust,
    witness,
)

PERIOD = "2026H1"
REGISTER = build_register([], period=PERIOD)
REPORT = build_report(REGISTER)


@dataclasses.dataclass
class Post:
    """A watcher's post: a folder with the log as it is served, and a folder of the watcher's own."""

    root: Path
    policy: bytes = POLICY_TEXT

    @property
    def state(self) -> Path:
        return self.root / "state"

    def serve(self, log: MadeLog) -> MadeLog:
        log.write(self.root / "log")
        return log

    def watch(self, *, site: bool = False) -> Watch:
        (self.root / "log").mkdir(exist_ok=True)
        pages = place_of(str(self.root / "site")) if site else None
        log = str(self.root / "log")
        return Watch(log, place_of(log), pages, trust(self.policy), self.policy, self.state)

    def look(self, now: dt.datetime, *, site: bool = False) -> Round:
        return self.watch(site=site).look(now)

    def pages(self, register: bytes, report: bytes) -> None:
        folder = self.root / "site" / "reports" / PERIOD
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "register.json").write_bytes(register)
        (folder / "report.json").write_bytes(report)

    def recheck(self, folder: Path, *, policy: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """Somebody else, in a process of its own, with a policy of its own and nothing else."""
        path = self.root / "mine.txt"
        path.write_bytes(self.policy if policy is None else policy)
        return run("verify", folder, "--policy", path)


def run(*words: str | Path, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """One command in a fresh process, whether or not the manual lists `monitor` already."""
    start = (
        "import dueprocess.cli.main as main, dueprocess.cli.manual as manual\n"
        "have = {each.name for each in manual.COMMANDS}\n"
        "new = manual.Command('monitor', 'dueprocess.cli.monitor:monitor_command', '')\n"
        "main.COMMANDS += () if 'monitor' in have else (new,)\n"
        "main.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", start, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
    )


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def kinds(found: Round) -> list[str]:
    return [each.finding.kind for each in found.alarms]


def said(found: Round, capsys: pytest.CaptureFixture[str], *, brief: bool = False) -> str:
    capsys.readouterr()
    show(found, as_json=False, brief=brief)
    return capsys.readouterr().out


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


# ------------------------------------------------------------------ alarms


def forked(log: MadeLog) -> MadeLog:
    return MadeLog().epochs(9, root=b"another").publish()


def same_size(log: MadeLog) -> MadeLog:
    return MadeLog().epochs(5, root=b"another").publish()


def rolled_back(log: MadeLog) -> MadeLog:
    return grown(3)


def late(log: MadeLog) -> MadeLog:
    log.epoch(late=700)
    log.next_epoch += 2
    return log.publish()


def missing(log: MadeLog) -> MadeLog:
    log.epoch(FIRST_EPOCH + 7)
    return log.publish()


def early(log: MadeLog) -> MadeLog:
    log.epoch(late=-3)
    return log.publish()


def swapped(log: MadeLog) -> MadeLog:
    new = format_policy(LOGS, [witness("north")], need=1)
    log.add(policy_leaf(2, witness_policy_sha256=trust(new).sha256))
    return log.publish()


def dropped(log: MadeLog) -> MadeLog:
    log.epoch()
    return log.publish(by=("north",))


def stolen(log: MadeLog) -> MadeLog:
    return log.publish(keys="thief")


def spoilt(log: MadeLog) -> MadeLog:
    log.epoch()
    log.publish()
    log.files["tile/entries/000.p/7"] = log.files["tile/entries/000.p/7"][:-1] + b"?"
    return log


def strange(log: MadeLog) -> MadeLog:
    log.add(b"hello")
    return log.publish()


def unvouched(log: MadeLog) -> MadeLog:
    log.add(key_leaf("add", log_vkey("thief"), by="thief"))
    return log.publish()


def exposed(log: MadeLog) -> MadeLog:
    log.add(IncidentLeaf("log-key-exposed", FIRST_EPOCH, FIRST_EPOCH))
    return log.publish()


def stale(log: MadeLog) -> MadeLog:
    log.epoch()
    return log.publish(at=log.now - dt.timedelta(hours=2))


ALARMS: list[tuple[Callable[[MadeLog], MadeLog], str]] = [
    (forked, "fork"),
    (same_size, "fork"),
    (rolled_back, "rollback"),
    (late, "wrong-time"),
    (early, "wrong-time"),
    (missing, "epochs-missing"),
    (swapped, "other-policy"),
    (dropped, "too-few-witnesses"),
    (stolen, "false-head"),
    (spoilt, "wrong-files"),
    (strange, "unknown-entry"),
    (unvouched, "key-not-vouched"),
    (exposed, "incident"),
    (stale, "stale-witnesses"),
]


@pytest.mark.parametrize(("change", "kind"), ALARMS, ids=[change.__name__ for change, _ in ALARMS])
def test_each_alarm_leaves_a_folder_that_a_stranger_can_check(
    post: Post, change: Callable[[MadeLog], MadeLog], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarm is told in plain words, its folder explains itself, and a fresh process confirms it."""
    good = post.serve(grown())
    post.look(good.now)
    bad = post.serve(change(good.copy()))
    now = max(good.now, end_of(FIRST_EPOCH + 5) + dt.timedelta(minutes=1))
    if change is late:
        now = bad.now - dt.timedelta(minutes=10)
    found = post.look(now)
    assert kind in kinds(found)
    assert found.exit_code == 7
    told = said(found, capsys)
    assert f"ALARM: {meaning_of(kind).title}" in told
    assert "Could it be innocent?" in told
    folder = next(each.folder for each in found.alarms if each.finding.kind == kind)
    assert folder is not None
    letter = (folder / "README.txt").read_text(encoding="utf-8")
    for part in (
        "What happened",
        "Why it matters",
        "Could it be innocent?",
        "What to do",
        "check this folder",
    ):
        assert part in letter
    checked = post.recheck(folder)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("These files show it:")
    if kind != "false-head":
        with pytest.raises(MalformedError, match="show nothing under your policy"):
            answer_evidence(folder, trust(format_policy([log_vkey("stranger")])))


def test_evidence_of_a_good_log_shows_nothing(post: Post) -> None:
    """A folder whose files were exchanged for those of a good log is not confirmed; a changed byte is named."""
    good = post.serve(grown())
    post.look(good.now)
    post.serve(missing(good.copy()))
    folder = post.look(good.now).alarms[0].folder
    assert folder is not None
    entry = folder / "entry-0000000006.json"
    data = entry.read_bytes()
    entry.write_bytes(data.replace(b"T", b"t", 1))
    changed = post.recheck(folder)
    assert changed.returncode == 4
    assert "was damaged or changed after the monitor wrote it" in changed.stderr
    entry.write_bytes(data)
    about = parse_json((folder / "alarm.json").read_bytes())
    (folder / "alarm.json").write_bytes(canonical({**about, "kind": "time-ran-back"}))
    refused = post.recheck(folder)
    assert refused.returncode == 3
    assert "do not show the alarm" in refused.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"files": []},
        {"files": {"../state.json": "00" * 32}},
        {"files": {"/etc/passwd": "00" * 32}},
        {"seen_at": "yesterday"},
        {"kind": 7},
        {"more": 1},
    ],
)
def test_a_spoilt_alarm_file_is_malformed(post: Post, change: dict[str, object]) -> None:
    """No name leads out of the folder, and nothing crashes."""
    good = post.serve(grown())
    post.look(good.now)
    post.serve(missing(good.copy()))
    folder = post.look(good.now).alarms[0].folder
    assert folder is not None
    about = parse_json((folder / "alarm.json").read_bytes())
    (folder / "alarm.json").write_text(json.dumps({**about, **change}, sort_keys=True, separators=(",", ":")))
    done = post.recheck(folder)
    assert done.returncode == 4, done


def test_a_standing_alarm_is_told_again_with_one_folder(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every look ends with 7 while the fork stands, and the evidence is written once."""
    good = post.serve(grown())
    post.look(good.now)
    bad = post.serve(forked(good))
    watch = post.watch()
    assert [watch.look(bad.now).exit_code for _ in range(3)] == [7, 7, 7]
    assert len(list((post.state / "evidence").iterdir())) == 1
    assert "ALARM, still" in said(watch.look(bad.now), capsys, brief=True)
    assert "Why it matters" in said(watch.look(bad.now), capsys)
    post.serve(good)
    assert post.look(good.now).exit_code == 0
    post.serve(forked(good))
    assert post.look(bad.now).alarms[0].new
    assert len(list((post.state / "evidence").iterdir())) == 2


def test_two_alarms_of_one_kind_at_one_time_have_two_folders(post: Post) -> None:
    """No folder is written over another."""
    good = post.serve(grown())
    post.look(good.now)
    post.serve(strange(strange(good.copy())))
    found = post.look(good.now)
    assert kinds(found) == ["unknown-entry", "unknown-entry"]
    assert len({each.folder for each in found.alarms}) == 2


def test_what_was_exchanged_only_for_a_moment_is_no_alarm(post: Post) -> None:
    """A head that is half written at the first try and whole at the second."""
    good = post.serve(grown())
    watch = post.watch()

    class Once:
        """A place that gives rubbish for the first file."""

        def __init__(self) -> None:
            self.left = 1

        def read(self, path: str) -> bytes:
            self.left -= 1
            return b"half" if self.left == 0 else good.read(path)

        def close(self) -> None:
            """Nothing is open."""

    watch.place = Once()
    assert watch.look(good.now).exit_code == 0


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


def test_every_alarm_has_its_words() -> None:
    """Each kind that the code can raise is explained, and an unknown one does not crash."""
    raised = {kind for _, kind in ALARMS} | {
        "missed-cadence",
        "bad-report",
        "other-report",
        "report-withheld",
    }
    assert raised <= set(MEANINGS)
    for meaning in (*MEANINGS.values(), meaning_of("something new")):
        assert all((meaning.title, meaning.matters, meaning.innocent))
        assert "merkle" not in f"{meaning}".casefold()


# ------------------------------------------------------------------ the command


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The folder `log` of the test over a real web server on this machine."""
    kind = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps quiet about it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
        """Nothing on the terminal of a test run."""


def test_the_command_watches_over_http_and_ends_with_the_right_code(post: Post, served: str) -> None:
    """Good ends with 0, a fork with 7, a log that is gone with 6; and --json is one value a look."""
    now = dt.datetime.now(dt.UTC)
    log = post.serve(live(now))
    register, report = REGISTER.encoded, REPORT.encoded
    log.report(PERIOD, register, report)
    post.serve(log.publish(at=now))
    post.pages(register, report)
    (post.root / "policy.txt").write_bytes(POLICY_TEXT)
    words = (
        "monitor",
        f"{served}/log",
        "--policy",
        post.root / "policy.txt",
        "--state",
        post.state,
        "--once",
    )
    first = run(*words, "--site", f"{served}/site", "--json")
    assert first.returncode == 0, first
    value = json.loads(first.stdout)
    assert (value["first"], value["size"], value["alarms"]) == (True, 8, 0)
    assert "report-recounted" in [each["kind"] for each in value["findings"]]
    other = live(now, epochs=9)
    for path in (post.root / "log").rglob("*"):
        if path.is_file():
            path.unlink()
    post.serve(other)
    second = run(*words)
    assert second.returncode == 7, second
    assert second.stdout.startswith("ALARM: two different histories were signed")
    (post.root / "log" / "checkpoint").unlink()
    third = run(*words)
    assert third.returncode == 6, third
    assert "could not be reached since" in third.stdout


def test_the_command_refuses_what_cannot_work(post: Post) -> None:
    """No folder, no policy, an address that anybody could answer, no time between looks."""
    post.serve(grown())
    (post.root / "policy.txt").write_bytes(POLICY_TEXT)
    (post.root / "not.txt").write_bytes(b"hello\n")
    keys, state = ("--policy", post.root / "policy.txt"), ("--state", post.state)
    assert run("monitor", post.root / "nothing", *keys, *state, "--once").returncode == 6
    assert run("monitor", "http://chat.example/log", *keys, *state, "--once").returncode == 3
    assert (
        run("monitor", post.root / "log", "--policy", post.root / "not.txt", *state, "--once").returncode == 4
    )
    assert run("monitor", post.root / "log", *keys, *state, "--every", "0").returncode == 3
    assert run("monitor", post.root / "log").returncode == 2


def test_the_command_keeps_running_through_an_alarm(post: Post) -> None:
    """Without --once it looks again and again, and stops when it is told to."""
    from dueprocess.cli.monitor import monitor_command

    post.serve(grown())
    (post.root / "policy.txt").write_bytes(POLICY_TEXT)
    rounds = 0

    def stop(seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("time.sleep", stop)
        with pytest.raises(KeyboardInterrupt):
            monitor_command(
                str(post.root / "log"), policy=post.root / "policy.txt", state=post.state, every=1, json=True
            )
    assert rounds == 3
    assert read_memory(post.state).standing.keys() >= {"missed-cadence"}
    with pytest.raises(RefusedError):
        monitor_command("x", policy=post.root / "policy.txt", state=post.state, every=0)


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
