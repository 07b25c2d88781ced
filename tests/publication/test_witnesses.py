"""Witnesses over real HTTP: what is published when, and what a log that was set back is told."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import sabotage
from dueprocess.errors import BrokenError, UnavailableError
from dueprocess.history import ledger
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.leaf import RegisterLeaf
from publication.bench import HOUR, START, Bench
from sabotage import rows

REGISTER = RegisterLeaf("2026H2", "a" * 64)


def hours(bench: Bench, number: int) -> dt.datetime:
    """Moves everybody's clock to so many hours after the start."""
    bench.now = START + number * HOUR
    return bench.now


def test_a_head_is_published_with_the_signatures_of_its_witnesses(bench: Bench) -> None:
    """Three of three sign, with their times; the same note is kept as evidence before it is published."""
    bench.befriend(3, need=2)
    log = bench.log()
    for hour in range(3):
        log.close_due(hours(bench, hour))
        found = log.published
        assert found is not None
        assert (found.size, found.head_size, found.witnessed, found.missing) == (hour + 1, hour + 1, True, ())
    opened = open_checkpoint((bench.folder / "log" / "checkpoint").read_bytes(), bench.policy)
    at = int(bench.now.timestamp())
    assert opened.witnesses == tuple((f"w{number}.example/witness", at) for number in (1, 2, 3))
    assert opened.witnessed_at == bench.now
    assert [size for size, _ in ledger.cosigned()] == [1, 2, 3]
    assert next(ledger.cosigned(2))[1].encode() == (bench.folder / "log" / "checkpoint").read_bytes()
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []


@pytest.mark.parametrize("key", [0, 1], ids=["ed25519", "ml-dsa-44"])
def test_one_of_one_is_enough_for_a_hobby_host(bench: Bench, key: int) -> None:
    """One witness, known by its key of either kind."""
    (friend,) = bench.befriend(1, need=1)
    assert friend.running is not None
    bench.set_policy(replace(friend.line(), vkey=friend.running.vkeys[key]), need=1)
    log = bench.log()
    log.close_due(START)
    log.close_due(hours(bench, 1))
    assert log.published is not None
    assert log.published.witnessed
    assert len(bench.published().witnesses) == 1


def test_a_log_without_witnesses_is_published_and_unwitnessed(bench: Bench) -> None:
    """Quorum none: at once, and nothing is kept as witnessed; a listed witness is asked all the same."""
    bench.befriend(1, need=0)
    log = bench.log()
    log.close_due(START)
    assert log.published is not None
    assert (log.published.size, log.published.witnessed) == (1, False)
    assert len(bench.published().witnesses) == 1
    assert list(ledger.cosigned()) == []


def test_two_of_three_are_enough_and_the_third_is_named(bench: Bench) -> None:
    """Since when it has been silent stays the same while it is; when it is back it signs the newest head at once."""
    friends = bench.befriend(3, need=2)
    log = bench.log()
    log.close_due(START)
    friends[2].stop()
    for hour in (1, 2):
        log.close_due(hours(bench, hour))
        assert log.published is not None
        assert (log.published.size, log.published.witnessed) == (hour + 1, True)
        assert log.published.missing == ("w3",)
        assert log.published.silent[0].since == START + HOUR
        assert "refused" in log.published.silent[0].fault
    friends[2].start()
    log.close_due(hours(bench, 3))
    assert log.published is not None
    assert log.published.missing == ()
    assert len(bench.published().witnesses) == 3


def test_without_a_quorum_the_old_checkpoint_stays_and_epochs_go_on(bench: Bench) -> None:
    """Two of three are silent: heads are signed, tiles written, nothing published; when they are back all of it is."""
    friends = bench.befriend(3, need=2)
    log = bench.log()
    log.close_due(START)
    before = (bench.folder / "log" / "checkpoint").read_bytes()
    for each in friends[1:]:
        each.stop()
    for hour in range(1, 4):
        assert log.close_due(hours(bench, hour)) == 1
    assert log.published is not None
    assert (log.published.size, log.published.head_size, log.published.missing) == (1, 4, ("w2", "w3"))
    assert log.published.witnessed, "what is published is still witnessed"
    assert (bench.folder / "log" / "checkpoint").read_bytes() == before
    assert [size for size, _ in ledger.cosigned()] == [1]
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []
    friends[1].start()
    found = log.publish(bench.now)
    assert (found.size, found.witnessed, found.missing) == (4, True, ("w3",))
    assert [size for size, _ in ledger.cosigned()] == [1, 4]
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []


def test_cosignatures_of_different_turns_add_up(bench: Bench) -> None:
    """One witness signs now and goes, another comes later: the head has both."""
    friends = bench.befriend(2, need=2)
    log = bench.log()
    friends[1].stop()
    log.close_due(START)
    assert log.published is not None
    assert (log.published.size, log.published.head_size) == (0, 1)
    friends[0].stop()
    friends[1].start()
    bench.now = START + HOUR / 4
    found = log.publish(bench.now)
    assert (found.size, found.witnessed) == (1, True)
    assert found.missing == (), "who has signed this head is not asked again"
    assert {at for _, at in bench.published().witnesses} == {
        int(START.timestamp()),
        int((START + HOUR / 4).timestamp()),
    }


def test_two_people_can_let_work_go_on_without_witnesses(bench: Bench) -> None:
    """While it is waived the log is published as it is, unwitnessed; when a witness is back, the same head gains it."""
    friends = bench.befriend(2, need=2)
    friends[1].stop()
    until = START + 3 * HOUR
    log = bench.log(waived=lambda now: START + HOUR <= now < until)
    log.close_due(START)
    assert log.published is not None
    assert log.published.size == 0
    log.close_due(hours(bench, 1))
    assert (log.published.size, log.published.witnessed, log.published.missing) == (2, False, ("w2",))
    assert len(bench.published().witnesses) == 1, "whatever there is stays on it"
    assert list(ledger.cosigned()) == []
    friends[1].start()
    found = log.publish(bench.now)
    assert (found.size, found.witnessed) == (2, True)
    assert [size for size, _ in ledger.cosigned()] == [2]
    friends[1].stop()
    log.close_due(hours(bench, 4))
    assert (log.published.size, log.published.head_size) == (2, 4), "the waiver is over"


def test_a_new_program_keeps_the_cosignatures_that_are_published(bench: Bench) -> None:
    """Published unwitnessed with one of two; that one goes, the other comes, and another program adds it."""
    friends = bench.befriend(2, need=2)
    friends[1].stop()
    bench.log(waived=lambda _: True).close_due(START)
    friends[0].stop()
    friends[1].start()
    found = bench.log().publish(START)
    assert (found.size, found.witnessed, found.missing) == (1, True, ())
    assert len(bench.published().witnesses) == 2


def test_a_new_program_tells_each_witness_from_where_it_must_go_on(bench: Bench) -> None:
    """It remembers nothing: a witness that is ahead of nothing answers 409 with its size, and gets its proof."""
    (friend,) = bench.befriend(1, need=1)
    bench.log().close_due(START)
    bench.log().close_due(hours(bench, 1))
    friend.stop()
    bench.log().close_due(hours(bench, 2))
    friend.start()
    found = bench.log().publish(bench.now)  # publishing alone asks nobody beforehand
    assert (found.size, found.witnessed) == (3, True)


def test_what_was_cosigned_before_a_crash_is_published_without_asking(bench: Bench) -> None:
    """The program dies between keeping the cosigned head and publishing it; all witnesses are away afterwards."""
    (friend,) = bench.befriend(1, need=1)
    log = bench.log()
    log.close_due(START)
    checkpoint = bench.folder / "log" / "checkpoint"
    before = checkpoint.read_bytes()
    log.close_due(hours(bench, 1))
    after = checkpoint.read_bytes()
    checkpoint.write_bytes(before)
    friend.stop()
    found = bench.log().publish(hours(bench, 2))
    assert (found.size, found.witnessed) == (2, True)
    assert checkpoint.read_bytes() == after


def set_back(bench: Bench, folder: Path, by: int) -> None:
    """Database and folder as they were ``by`` epochs ago: an old backup put back."""
    with sabotage.unguarded():
        for _ in range(by):
            for table in ("leaf", "head", "epoch"):
                sabotage.delete(table, rows(table)[-1])
        for row in rows("cosigned")[-by:]:
            sabotage.delete("cosigned", row)
    shutil.rmtree(bench.folder / "log")
    shutil.copytree(folder, bench.folder / "log")


def test_an_old_backup_is_not_signed_on(bench: Bench) -> None:
    """Database and public files are set back together; only a witness knows, and one is enough to stop everything."""
    friends = bench.befriend(3, need=2)
    bench.log().close_due(START)
    old = Path(shutil.copytree(bench.folder / "log", bench.folder / "old"))
    bench.log().close_due(hours(bench, 1))
    bench.log().close_due(hours(bench, 2))
    set_back(bench, old, by=2)
    for each in friends[:2]:
        each.stop()
    for act in (bench.log().close_due, lambda now: bench.log().add(REGISTER, now)):
        with pytest.raises(BrokenError) as caught:
            act(hours(bench, 3))
        assert caught.value.code == "behind-witness"
        assert "w3 has seen 3 leaves of this log, the database has only 1" in caught.value.what
        assert "worker/evidence" in caught.value.why
    assert len(rows("head")) == 1, "nothing was signed"
    kept = bench.evidence()
    assert sorted(kept) == [
        "20260901T110000Z-behind-witness-w3.ours",
        "20260901T110000Z-behind-witness-w3.received",
    ]
    proof = open_checkpoint(kept["20260901T110000Z-behind-witness-w3.received"], bench.policy.unwitnessed)
    assert proof.checkpoint.size == 3, "anyone can check the evidence with the policy"


def test_another_past_is_seen_by_the_first_witness_asked(bench: Bench) -> None:
    """After the set-back somebody went on with all witnesses away: the same length, another root."""
    (friend,) = bench.befriend(1, need=1)
    bench.log().close_due(START)
    old = Path(shutil.copytree(bench.folder / "log", bench.folder / "old"))
    bench.log().close_due(hours(bench, 1))
    set_back(bench, old, by=1)
    friend.stop()
    bench.log().add(REGISTER, hours(bench, 2))
    friend.start()
    with pytest.raises(BrokenError) as caught:
        bench.log().close_due(hours(bench, 3))
    assert caught.value.code == "log-forked"
    assert "two histories" in caught.value.why
    assert len(rows("head")) == 2
    (received,) = (data for name, data in bench.evidence().items() if name.endswith(".received"))
    assert open_checkpoint(received, bench.policy.unwitnessed).checkpoint.size == 2


@pytest.mark.parametrize(("by", "code"), [(1, "log-forked"), (2, "behind-witness")])
def test_a_running_program_is_told_by_the_answer(bench: Bench, by: int, code: str) -> None:
    """The database is set back under a program that has asked already: 422 or 409 stops it, with the proof kept."""
    bench.befriend(1, need=1)
    log = bench.log()
    log.close_due(START)
    old = {1: Path(shutil.copytree(bench.folder / "log", bench.folder / "old-1"))}
    log.close_due(hours(bench, 1))
    old[2] = Path(shutil.copytree(bench.folder / "log", bench.folder / "old-2"))
    log.close_due(hours(bench, 2))
    set_back(bench, old[3 - by], by=by)
    with pytest.raises(BrokenError) as caught:
        log.add(REGISTER, hours(bench, 3))
    assert caught.value.code == code
    assert "signed with this log's key" in caught.value.why
    (received,) = (data for name, data in bench.evidence().items() if name.endswith(".received"))
    assert open_checkpoint(received, bench.policy.unwitnessed).checkpoint.size == 3
    assert bench.published().checkpoint.size == 3 - by, "what was there is not replaced"


def test_a_clock_that_a_quorum_contradicts_publishes_nothing(bench: Bench) -> None:
    """Three witnesses agree with each other: this machine is wrong, says the error; and no further head is signed."""
    bench.befriend(3, need=2)
    log = bench.log(outside=bench.outside(system_clock=True))
    log.close_due(START)
    for each in bench.friends:
        each.clock = lambda: bench.now + dt.timedelta(minutes=20)
    for hour, heads in ((1, 2), (2, 2)):
        with pytest.raises(UnavailableError) as caught:
            log.close_due(hours(bench, hour))
        assert caught.value.code == "clock-differs"
        assert "w1 by 1200 s ahead" in caught.value.why
        assert "probably the clock of this machine" in caught.value.why
        assert len(rows("head")) == heads, "one head was signed before anybody could tell, none after"
        assert bench.published().checkpoint.size == 1
    for each in bench.friends:
        each.clock = lambda: bench.now
    assert log.close_due(hours(bench, 3)) == 1
    assert bench.published().checkpoint.size == 4
    assert [size for size, _ in ledger.cosigned()] == [1, 2, 4]


def test_a_program_that_starts_with_a_slow_clock_signs_nothing(bench: Bench) -> None:
    """What a quorum signed an hour ago lies in its future: it is told before its first signature."""
    bench.befriend(2, need=2)
    for each in bench.friends:
        each.clock = lambda: bench.now + 6 * HOUR
    bench.log().close_due(START)
    for each in bench.friends:
        each.clock = lambda: bench.now
    log = bench.log(outside=bench.outside(system_clock=True))
    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            log.close_due(hours(bench, 1))
        assert caught.value.code == "clock-differs"
    assert len(rows("head")) == 1
    assert log.close_due(hours(bench, 6)) == 1


def test_one_witness_with_a_wrong_clock_does_not_stop_two_others(bench: Bench) -> None:
    """Two near clocks meet the quorum without the third."""
    bench.befriend(3, need=2)
    bench.friends[0].clock = lambda: bench.now - HOUR
    log = bench.log(outside=bench.outside(system_clock=True))
    log.close_due(START)
    assert log.published is not None
    assert log.published.witnessed


@pytest.mark.parametrize(
    ("shifts", "words"),
    [
        ([1200], "there is no third one to tell"),
        ([1200, -1200], "cannot be said whose clock is wrong"),
        ([-1200, -1100], "probably the clock of this machine"),
    ],
)
def test_it_is_said_whose_clock_is_probably_wrong(bench: Bench, shifts: list[int], words: str) -> None:
    """One far witness, two that differ, two that agree."""
    bench.befriend(len(shifts), need=len(shifts))
    for friend, shift in zip(bench.friends, shifts, strict=True):
        friend.clock = lambda shift=shift: bench.now + dt.timedelta(seconds=shift)  # type: ignore[misc]
    with pytest.raises(UnavailableError) as caught:
        bench.log(outside=bench.outside(system_clock=True)).close_due(START)
    assert words in caught.value.why
    assert not (bench.folder / "log" / "checkpoint").exists()


def test_a_simulated_clock_is_compared_with_nobodys(bench: Bench) -> None:
    """It is declared in the log, and its witnesses may live in another year."""
    bench.befriend(1, need=1)
    bench.friends[0].clock = lambda: bench.now + 9000 * HOUR
    log = bench.log()
    log.close_due(START)
    assert log.published is not None
    assert log.published.witnessed
