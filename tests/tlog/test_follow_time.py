"""Following a log through time: missing slots, gaps, times outside of their slot, and clocks."""

import dataclasses
import datetime as dt

import pytest

from dueprocess.tlog import (
    EpochLeaf,
    GapLeaf,
    parse_leaf,
)
from dueprocess.tlog.follow import Followed, Watched, watched_from_json
from dueprocess.wire import canonical, parse_json
from madelog import (
    FIRST_EPOCH,
    MadeLog,
    end_of,
    grown,
    policy_leaf,
)
from tlog.following import kinds, look, only, seen, shown, skip, spoilt


def test_a_missing_epoch_without_a_gap_entry_is_an_alarm() -> None:
    """Slots 5 to 7 are not there and nobody says why."""
    _, alarm = spoilt(skip)
    assert alarm.kind == "epochs-missing"
    assert str(FIRST_EPOCH + 5) in alarm.told
    assert str(FIRST_EPOCH + 7) in alarm.told


def test_one_missing_epoch_is_told_in_the_singular() -> None:
    """Time slot … is missing."""
    _, alarm = spoilt(lambda log: log.epoch(FIRST_EPOCH + 6))
    assert alarm.told.startswith(f"Time slot {FIRST_EPOCH + 5} is missing")


@pytest.mark.parametrize("last", [5, 7])
def test_a_gap_entry_that_names_exactly_the_missing_ones_is_a_notice(last: int) -> None:
    """The log said itself what it missed."""
    log = grown()
    known = seen(log)
    log.add(GapLeaf(FIRST_EPOCH + 5, FIRST_EPOCH + last))
    log.epoch(FIRST_EPOCH + last + 1)
    found = look(log.publish(), known)
    assert [each.kind for each in found.findings] == ["gap"]


@pytest.mark.parametrize(("first", "last"), [(6, 7), (4, 7)])
def test_a_gap_entry_that_names_others_is_an_alarm(first: int, last: int) -> None:
    """Too few or too many: either hides something."""

    def change(log: MadeLog) -> None:
        log.add(GapLeaf(FIRST_EPOCH + first, FIRST_EPOCH + last))
        log.epoch(FIRST_EPOCH + last + 1)

    _, alarm = spoilt(change)
    assert alarm.kind == "wrong-gap"


def test_a_gap_entry_that_ends_too_early_leaves_the_rest_missing() -> None:
    """What the gap does not name is missing."""

    def change(log: MadeLog) -> None:
        log.add(GapLeaf(FIRST_EPOCH + 5, FIRST_EPOCH + 6))
        log.epoch(FIRST_EPOCH + 8)

    _, alarm = spoilt(change)
    assert alarm.kind == "epochs-missing"


def test_a_log_may_begin_with_a_gap() -> None:
    """Before the first epoch there is nothing to compare with."""
    log = MadeLog()
    log.add(GapLeaf(FIRST_EPOCH, FIRST_EPOCH + 1))
    log.epoch(FIRST_EPOCH + 2)
    assert kinds(look(log.publish())) == []


def test_an_epoch_that_comes_twice_is_an_alarm() -> None:
    """The second entry for one slot."""

    def change(log: MadeLog) -> None:
        log.add(log.reader().entry(5))

    _, alarm = spoilt(change)
    assert alarm.kind == "epoch-repeated"


@pytest.mark.parametrize(
    ("late", "words"),
    [(300, "5 minutes late"), (-1, "1 second before it was over"), (90_000, "25 hours late")],
)
def test_a_time_outside_its_slot_is_an_alarm(late: int, words: str) -> None:
    """Recorded within one slot after its end, by the log's own rule; not a second earlier, not one later."""

    def change(log: MadeLog) -> None:
        log.epoch(late=late)
        if late > 300:
            log.next_epoch += 300

    log = grown()
    known = seen(log)
    change(log)
    found = look(log.publish(), known, now=log.now)
    wrong = next(each for each in found.alarms if each.kind == "wrong-time")
    assert words in wrong.told
    assert shown(wrong, now=log.now)


@pytest.mark.parametrize("late", [0, 299])
def test_the_first_and_the_last_allowed_second_are_good(late: int) -> None:
    """The window is [end, end + slot)."""
    log = grown()
    log.epoch(late=late)
    assert kinds(look(log.publish())) == []


def test_time_that_runs_back_is_an_alarm() -> None:
    """A slot that is recorded before the one before it."""
    log = grown()
    log.epoch(late=10_000)
    log.epoch(late=5)
    found = look(log.publish())
    back = next(each for each in found.alarms if each.kind == "time-ran-back")
    assert shown(back, now=log.now)


def test_a_slot_after_the_year_9999_is_an_alarm_and_not_a_crash() -> None:
    """The largest epoch number has no instant."""
    log = grown()
    log.add(dataclasses.replace(_epoch_leaf(log, 5), epoch=9_999_999_999))
    found = look(log.publish())
    assert kinds(found) == ["epochs-missing", "wrong-time", "from-the-future"]
    assert (
        watched_from_json(parse_json(canonical(_state(found).as_json()))).rules.next_epoch == 10_000_000_000
    )


def _state(found: Followed) -> Watched:
    assert found.watched is not None
    return found.watched


def _epoch_leaf(log: MadeLog, index: int) -> EpochLeaf:
    leaf = parse_leaf(log.reader().entry(index))
    assert isinstance(leaf, EpochLeaf)
    return leaf


def test_a_log_that_stands_still_missed_its_cadence() -> None:
    """Two slots old is good, a second more is an alarm, and the head shows itself again."""
    log = grown()
    limit = end_of(log.next_epoch - 1) + dt.timedelta(seconds=600)
    assert kinds(look(log, now=limit)) == []
    late = limit + dt.timedelta(seconds=1)
    alarm = only(look(log, now=late))
    assert alarm.kind == "missed-cadence"
    assert shown(alarm, now=late)
    assert not shown(alarm, now=limit)


def test_witnesses_who_looked_too_long_ago_are_an_alarm() -> None:
    """The entries are new, the timekeepers' times are old: somebody reuses old confirmations."""
    log = grown().epochs(1)
    log.publish(at=log.now - dt.timedelta(hours=1))
    alarm = only(look(log))
    assert alarm.kind == "stale-witnesses"
    assert shown(alarm, now=log.now)


def test_a_slot_in_the_future_is_an_alarm() -> None:
    """A slot that has not ended by the watcher's clock cannot have been recorded."""
    log = grown()
    early = log.now - dt.timedelta(minutes=10)
    alarm = only(look(log, now=early))
    assert alarm.kind == "from-the-future"
    assert shown(alarm, now=early)


def test_a_demonstration_is_never_late() -> None:
    """A simulated clock is named, and its lateness means nothing."""
    log = MadeLog(policy_leaf(clock="simulated")).epochs(2).publish()
    found = look(log, now=log.now + dt.timedelta(days=400))
    assert kinds(found) == []
    assert "simulated" in [each.kind for each in found.findings]
