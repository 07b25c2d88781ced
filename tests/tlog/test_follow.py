"""Following a log: what grows well is quiet, and a false past, head, file or memory is not believed."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    RegisterLeaf,
    format_policy,
    sign_checkpoint,
)
from dueprocess.tlog.follow import Watched, follow, watched_from_json
from dueprocess.tlog.leafrules import LeafRules, rules_from_json
from dueprocess.wire import canonical, parse_json
from madelog import (
    ALONE_TEXT,
    FIRST_EPOCH,
    LOGS,
    ORIGIN,
    POLICY_TEXT,
    MadeLog,
    end_of,
    grown,
    key,
    key_leaf,
    log_vkey,
    policy_leaf,
    trust,
)
from tlog.following import TRUST, kinds, look, only, seen, shown

# ------------------------------------------------------------------ a good log


def test_a_good_log_is_quiet_from_the_first_look_on() -> None:
    """No alarm at the first look, none after growth; the rules are told once."""
    log = grown()
    first = look(log)
    assert kinds(first) == []
    assert [each.kind for each in first.findings] == ["rules"]
    second = look(log.epochs(300).publish(), first.watched)
    assert second.findings == ()
    assert second.watched is not None
    assert second.watched.head.size == 306


def test_looking_twice_at_the_same_head_says_nothing() -> None:
    """The same head again is no finding."""
    log = grown()
    assert look(log, seen(log)).findings == ()


def test_following_step_by_step_and_at_once_remember_the_same() -> None:
    """What is remembered does not depend on how often somebody looked."""
    log, before = grown(1), None
    for _ in range(4):
        log.epochs(3).publish()
        before = look(log, before).watched
    assert before is not None
    assert before.as_json() == seen(log).as_json()


def test_what_is_remembered_survives_as_json() -> None:
    """State written and read again gives the same findings."""
    log = grown()
    log.report("2026H1", b"register", b"report")
    log.add(key_leaf("add", log_vkey("log-2")))
    before = seen(log.epochs(1).publish())
    again = watched_from_json(parse_json(canonical(before.as_json())))
    assert again.as_json() == before.as_json()
    log.add(RegisterLeaf("2026H1", "aa" * 32))
    log.publish()
    assert look(log, again).findings == look(log, before).findings


def test_a_log_without_an_epoch_yet_is_quiet_on_its_first_day() -> None:
    """Between the rules and the first epoch nothing is late."""
    log = MadeLog().publish()
    assert kinds(look(log, now=end_of(FIRST_EPOCH))) == []
    late = end_of(FIRST_EPOCH) + dt.timedelta(days=2)
    assert kinds(look(log, now=late)) == ["missed-cadence"]


def test_an_empty_log_has_no_rules() -> None:
    """A head of nothing is followed, and said to have no rules."""
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    note = sign_checkpoint(empty, [(LOGS[0], key("log").sign)], timestamp=1)
    found = follow(None, note, dict[str, bytes]().__getitem__, trust(ALONE_TEXT), now=end_of(FIRST_EPOCH))
    assert kinds(found) == ["no-rules"]


# ------------------------------------------------------------------ growth


def test_two_heads_of_one_size_are_a_fork() -> None:
    """The same number of entries under another root: two signed histories."""
    log = grown()
    other = MadeLog().epochs(5, root=b"another").publish()
    found = look(other, seen(log))
    alarm = only(found)
    assert alarm.kind == "fork"
    assert found.watched == seen(log) or found.watched is not None
    assert shown(alarm, now=log.now)


def test_a_longer_head_with_another_past_is_a_fork() -> None:
    """Growth over a changed past: the proof from the log's own files shows it."""
    log = grown()
    other = MadeLog().epochs(9, root=b"another").publish()
    alarm = only(look(other, seen(log)))
    assert alarm.kind == "fork"
    assert "consistency.json" in alarm.evidence
    assert shown(alarm, now=other.now)


def test_a_shorter_head_is_a_rollback() -> None:
    """Entries that were there are gone."""
    short = grown(3)
    long = short.copy().epochs(3).publish()
    alarm = only(look(short, seen(long)))
    assert alarm.kind == "rollback"
    assert shown(alarm, now=long.now)


def test_a_shorter_head_with_another_past_is_a_fork() -> None:
    """The files of the longer log, where they are still served, show more than a rollback."""
    long = grown(6)
    short = MadeLog().epochs(3, root=b"another").publish()
    both = {**long.files, **short.files}
    alarm = only(follow(seen(long), short.checkpoint, both.__getitem__, TRUST, now=long.now))
    assert alarm.kind == "fork"
    assert shown(alarm, now=long.now)


def test_another_log_is_not_followed() -> None:
    """A head of another origin that the policy also knows is not this log's."""
    log = grown()
    both = format_policy((*LOGS, log_vkey("other", "other.example/1")))
    other = MadeLog(origin="other.example/1").epochs(2).publish(keys="other", signers=["ed25519"], by=())
    known = Watched(log.checkpoint, seen(log).head, LeafRules())
    alarm = only(follow(known, other.checkpoint, other.read, trust(both), now=log.now))
    assert alarm.kind == "other-log"
    assert shown(alarm, now=log.now, by=trust(both))


def test_an_alarm_about_growth_is_not_remembered_as_good() -> None:
    """After a fork the last good head stays: the next look finds the fork again."""
    log = grown()
    other = MadeLog().epochs(9, root=b"another").publish()
    known = seen(log)
    found = look(other, known)
    assert found.watched is known
    assert kinds(look(other, found.watched)) == ["fork"]


# ------------------------------------------------------------------ the head and the files


def test_a_head_that_the_log_did_not_sign_is_false() -> None:
    """A changed byte, another key, no note at all: none is believed, and nothing is remembered."""
    log = grown()
    for data in (log.checkpoint.replace(b"6\n", b"7\n", 1), b"", log.copy().publish(keys="thief").checkpoint):
        found = follow(None, data, log.read, TRUST, now=log.now)
        assert kinds(found) == ["false-head"]
        assert found.watched is None
        assert shown(found.alarms[0], now=log.now)


@pytest.mark.parametrize("by", [(), ("north",)])
def test_too_few_witnesses_are_an_alarm_and_the_log_is_still_followed(by: tuple[str, ...]) -> None:
    """Below the quorum the log's own signature still binds it."""
    log = grown()
    known = seen(log)
    found = look(log.epochs(1).publish(by=by), known)
    alarm = only(found)
    assert alarm.kind == "too-few-witnesses"
    assert found.watched is not None
    assert found.watched.head.size == 7
    assert shown(alarm, now=log.now)


def test_one_silent_witness_of_three_is_a_notice() -> None:
    """The quorum is met, and the silent one is named."""
    found = look(grown().publish(by=("north", "west")))
    assert kinds(found) == []
    assert any(each.kind == "witness-missing" and "south" in each.told for each in found.findings)


def test_one_missing_signature_of_the_log_is_a_notice() -> None:
    """One of the two listed keys is enough, and the missing type is named."""
    found = look(grown().publish(signers=["ed25519"]))
    assert kinds(found) == []
    assert any(each.kind == "signature-missing" and "0x06" in each.told for each in found.findings)


def test_a_log_without_witnesses_says_so() -> None:
    """With a policy that asks for none, the reader is told what that means."""
    log = MadeLog(policy_leaf(witness_policy_sha256=trust(ALONE_TEXT).sha256)).epochs(2).publish(by=())
    found = look(log, by=trust(ALONE_TEXT))
    assert kinds(found) == []
    assert "unwitnessed" in [each.kind for each in found.findings]


@pytest.mark.parametrize("path", ["tile/0/000.p/6", "tile/entries/000.p/6"])
def test_files_that_are_not_what_the_head_says_are_an_alarm(path: str) -> None:
    """One flipped bit in a tile or in a bundle, and the file is shown."""
    log = grown()
    log.files[path] = bytes([log.files[path][0] ^ 1]) + log.files[path][1:]
    found = look(log)
    alarm = only(found)
    assert alarm.kind == "wrong-files"
    assert found.watched is None
    assert shown(alarm, now=log.now)


def test_a_spoilt_file_inside_a_large_log_is_shown_with_little() -> None:
    """The evidence of a log of 1,000 entries holds the few files that lead to the spoilt one."""
    log = grown(1000)
    bundle = log.files["tile/entries/002"]
    log.files["tile/entries/002"] = bundle[:-1] + b"!"
    known = seen(grown(600))
    alarm = only(look(log, known))
    assert alarm.kind == "wrong-files"
    assert len(alarm.evidence) < 10
    assert shown(alarm, now=log.now)


def test_a_file_that_came_damaged_once_is_no_alarm() -> None:
    """Whole at the second try: the transfer was bad, not the log."""
    log = grown()
    first = {"tile/0/000.p/6", "tile/entries/000.p/6"}
    for bad in first:
        left = {bad}

        def read(path: str, left: set[str] = left) -> bytes:
            if path in left:
                left.discard(path)
                return log.read(path)[:-1] + b"!"
            return log.read(path)

        with pytest.raises(UnavailableError, match="came damaged"):
            follow(None, log.checkpoint, read, TRUST, now=log.now)
    known, left = seen(log), {"tile/0/000.p/6"}

    def again(path: str) -> bytes:
        if path in left:
            left.discard(path)
            return b"short"
        return log.read(path)

    with pytest.raises(UnavailableError):
        follow(known, log.checkpoint, again, TRUST, now=log.now)


def test_a_missing_file_is_unavailable_not_an_alarm() -> None:
    """What cannot be fetched is nobody's guilt yet."""
    log = grown()
    del log.files["tile/0/000.p/6"]
    with pytest.raises(UnavailableError):
        look(log)


# ------------------------------------------------------------------ memory


@pytest.mark.parametrize(
    "value", [None, {}, {"checkpoint": 1, "rules": {}}, {"checkpoint": "x", "rules": None}]
)
def test_a_spoilt_memory_is_malformed(value: object) -> None:
    """State that somebody edited is refused, not believed."""
    with pytest.raises(MalformedError):
        watched_from_json(value)  # type: ignore[arg-type]


@given(
    st.dictionaries(
        st.sampled_from(["leaves", "next_epoch", "newest", "keys", "rare"]),
        st.none() | st.integers() | st.lists(st.lists(st.text() | st.integers())) | st.text(),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_memory_of_entries_is_read_or_malformed(value: dict[str, object]) -> None:
    """Only MalformedError comes out."""
    with contextlib.suppress(MalformedError):
        rules_from_json(value)  # type: ignore[arg-type]


def test_the_policy_text_is_the_one_of_the_rules() -> None:
    """The made log names the policy file that the tests use, or nothing above would be quiet."""
    assert policy_leaf().witness_policy_sha256 == trust(POLICY_TEXT).sha256
