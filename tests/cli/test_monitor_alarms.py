"""Each alarm of the monitor: told in plain words, and kept in a folder that a stranger can check again."""

import datetime as dt
import json
from collections.abc import Callable

import pytest

from cli.watching import Post, kinds, said
from dueprocess.cli.monitor_words import MEANINGS, meaning_of
from dueprocess.cli.verify_evidence import answer_evidence
from dueprocess.errors import MalformedError
from dueprocess.tlog import IncidentLeaf, format_policy
from dueprocess.wire import canonical, parse_json
from madelog import (
    FIRST_EPOCH,
    LOGS,
    MadeLog,
    end_of,
    grown,
    key_leaf,
    log_vkey,
    policy_leaf,
    trust,
    witness,
)


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
