"""The evidence of an alarm: checked again by somebody else, and what shows nothing is refused."""

import datetime as dt

import pytest

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    GapLeaf,
    format_policy,
)
from dueprocess.tlog.evidence import recheck
from dueprocess.wire import Json, b64, canonical, parse_json
from madelog import (
    FIRST_EPOCH,
    MadeLog,
    end_of,
    grown,
    log_vkey,
    trust,
)
from tlog.following import TRUST, look, only, seen, skip, spoilt


def test_evidence_is_checked_under_the_readers_own_policy() -> None:
    """Under another policy the same files show nothing."""
    _, alarm = spoilt(skip)
    stranger = trust(format_policy([log_vkey("stranger")]))
    with pytest.raises(MalformedError):
        recheck(alarm.kind, alarm.evidence, stranger, seen_at=end_of(FIRST_EPOCH))


def test_evidence_with_a_missing_or_a_foreign_file_is_refused() -> None:
    """A head that is gone, an entry without its proof, a proof of another entry."""
    log, alarm = spoilt(skip)
    for name in ("checkpoint", "entry-0000000006.tlog-proof"):
        less = {each: data for each, data in alarm.evidence.items() if each != name}
        with pytest.raises(MalformedError):
            recheck(alarm.kind, less, TRUST, seen_at=log.now)
    with pytest.raises(MalformedError, match="missing from this evidence"):
        recheck("false-head", {}, TRUST, seen_at=log.now)
    files = dict(alarm.evidence)
    files["entry-0000000009.json"] = files.pop("entry-0000000006.json")
    files["entry-0000000009.tlog-proof"] = files.pop("entry-0000000006.tlog-proof")
    with pytest.raises(MalformedError, match="is about entry 6"):
        recheck(alarm.kind, files, TRUST, seen_at=log.now)


def test_an_entry_that_is_not_in_the_log_is_refused() -> None:
    """A made-up entry beside a true proof shows nothing."""
    log, alarm = spoilt(skip)
    made_up = log.reader().entry(6).replace(b"8", b"9", 1)
    with pytest.raises(MalformedError):
        recheck(alarm.kind, {**alarm.evidence, "entry-0000000006.json": made_up}, TRUST, seen_at=log.now)


def test_a_made_up_alarm_is_not_shown() -> None:
    """Files of a good log show none of the alarms, whatever the folder says."""
    good = grown().epochs(1).publish()
    entries = {}
    for index in (0, 5, 6):
        entries[f"entry-{index:010d}.json"] = good.reader().entry(index)
        entries[f"entry-{index:010d}.tlog-proof"] = good.proof(index)
    heads = {"checkpoint": good.checkpoint, "checkpoint.before": grown().checkpoint}
    tiles = {f"log/{path}": data for path, data in good.files.items() if path.startswith("tile/")}
    del tiles["log/tile/0/000.p/7"]  # without the right edge nothing can be compared
    for kind in (
        "epochs-missing",
        "fork",
        "rollback",
        "other-log",
        "false-head",
        "too-few-witnesses",
        "wrong-files",
    ):
        assert not recheck(kind, {**entries, **heads, **tiles}, TRUST, seen_at=good.now).shown, kind
    same = {"checkpoint": good.checkpoint, "checkpoint.before": good.checkpoint}
    assert not recheck("fork", same, TRUST, seen_at=good.now).shown


def test_entries_left_out_between_two_show_no_missing_slot() -> None:
    """A watcher who leaves out the gap entry cannot make an alarm of it."""
    log = grown()
    log.add(GapLeaf(FIRST_EPOCH + 5, FIRST_EPOCH + 6))
    log.epoch(FIRST_EPOCH + 7)
    log.publish()
    files = {"checkpoint": log.checkpoint}
    for index in (5, 7):
        files[f"entry-{index:010d}.json"] = log.reader().entry(index)
        files[f"entry-{index:010d}.tlog-proof"] = log.proof(index)
    assert not recheck("epochs-missing", files, TRUST, seen_at=log.now).shown


def test_a_consistency_proof_that_does_not_fit_is_refused() -> None:
    """Of other sizes, or not leading to the signed root; and one that shows growth shows no fork."""
    log = grown()
    other = MadeLog().epochs(9, root=b"another").publish()
    alarm = only(look(other, seen(log)))
    proof = parse_json(alarm.evidence["consistency.json"])
    for change in ({"small_size": 5}, {"small_root": proof["hashes"][0]}, {"v": 2}):
        files = {**alarm.evidence, "consistency.json": canonical({**proof, **change})}
        with pytest.raises(MalformedError):
            recheck("fork", files, TRUST, seen_at=log.now)
    longer = log.copy().epochs(3).publish()
    honest: dict[str, Json] = {
        "v": 1,
        "small_size": 6,
        "small_root": b64(log.frontier.root),
        "large_size": 9,
        "hashes": [b64(each) for each in longer.reader().consistency_proof(6)],
    }
    files = {
        "checkpoint": longer.checkpoint,
        "checkpoint.before": log.checkpoint,
        "consistency.json": canonical(honest),
    }
    assert not recheck("fork", files, TRUST, seen_at=log.now).shown


def test_witness_times_can_show_a_rollback_by_themselves() -> None:
    """Where timekeepers confirmed the shorter head later, no watcher's word is needed."""
    short = grown(3)
    long = short.copy().epochs(3).publish()
    known = seen(long)
    late = look(short.publish(at=long.now + dt.timedelta(minutes=5)), known)
    told = recheck("rollback", only(late).evidence, TRUST, seen_at=long.now).told
    assert any("later than the longer" in each for each in told)
    early = look(short.publish(at=short.now), known)
    told = recheck("rollback", only(early).evidence, TRUST, seen_at=long.now).told
    assert any("word of whoever watched" in each for each in told)
