"""Following a log: what grows well is quiet, and each broken promise is an alarm that its own files show again."""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog import (
    EMPTY_ROOT,
    EPOCH_LEAF_BYTES,
    Checkpoint,
    EpochLeaf,
    GapLeaf,
    IncidentLeaf,
    RegisterLeaf,
    ReportLeaf,
    encode_leaf,
    format_policy,
    parse_leaf,
    sign_checkpoint,
)
from dueprocess.tlog.evidence import recheck
from dueprocess.tlog.follow import MOST_OF_A_KIND, Followed, Trust, Watched, follow, watched_from_json
from dueprocess.tlog.leafrules import Finding, LeafRules, rules_from_json
from dueprocess.wire import Json, b64, canonical, parse_json
from madelog import (
    ALONE_TEXT,
    FIRST_EPOCH,
    LOGS,
    ORIGIN,
    POLICY_TEXT,
    MadeLog,
    attest_leaf,
    end_of,
    grown,
    key,
    key_leaf,
    log_vkey,
    policy_leaf,
    trust,
    witness,
)

TRUST = trust()


def look(
    log: MadeLog, before: Watched | None = None, *, now: dt.datetime | None = None, by: Trust = TRUST
) -> Followed:
    return follow(before, log.checkpoint, log.read, by, now=log.now if now is None else now)


def seen(log: MadeLog) -> Watched:
    """What somebody remembers who looked at this log and found it good."""
    found = look(log)
    assert not found.alarms
    assert found.watched is not None
    return found.watched


def kinds(found: Followed) -> list[str]:
    return [each.kind for each in found.alarms]


def only(found: Followed) -> Finding:
    """The one alarm, checked again from its own files as somebody else would."""
    assert len(found.alarms) == 1, [each.told for each in found.alarms]
    return found.alarms[0]


def shown(alarm: Finding, *, now: dt.datetime, by: Trust = TRUST) -> bool:
    return recheck(alarm.kind, alarm.evidence, by, seen_at=now).shown


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


# ------------------------------------------------------------------ time


def spoilt(change: Callable[[MadeLog], object]) -> tuple[MadeLog, Finding]:
    """A good log in which one thing goes wrong after the first look, and the one alarm about it."""
    log = grown()
    known = seen(log)
    change(log)
    log.publish()
    alarm = only(look(log, known))
    assert shown(alarm, now=log.now), alarm.kind
    at_once = look(log)
    assert [each.kind for each in at_once.alarms] == [alarm.kind]
    return log, alarm


def skip(log: MadeLog) -> None:
    log.epoch(FIRST_EPOCH + 8)


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


# ------------------------------------------------------------------ entries


@given(data=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_as_an_entry_are_an_alarm_and_never_a_crash(data: bytes) -> None:
    """What cannot be understood is told; nothing is raised."""
    found = list(LeafRules().read(0, data))
    assert [each.kind for each in found] == ["unknown-entry"]


def test_an_entry_of_an_unknown_kind_is_an_alarm() -> None:
    """A kind that this program does not know, or another spelling of one that it knows."""
    _, alarm = spoilt(lambda log: log.add(b'{"t":"remark","v":1}'))
    assert alarm.kind == "unknown-entry"
    log = grown()
    entry = log.reader().entry(5)
    assert len(entry) == EPOCH_LEAF_BYTES
    assert [each.kind for each in LeafRules().read(5, entry.replace(b":", b": ", 1))] == ["unknown-entry"]


@given(number=st.integers(0, 9_999_999_999), late=st.integers(0, 299))
@settings(max_examples=40, deadline=None)
def test_every_epoch_entry_that_is_understood_has_115_bytes(number: int, late: int) -> None:
    """Nothing in an epoch entry changes its length, so no check of the length is left out."""
    at = end_of(min(number, 10**7)) + dt.timedelta(seconds=late)
    assert len(encode_leaf(EpochLeaf(number, b"r" * 32, at))) == EPOCH_LEAF_BYTES


def test_a_log_without_rules_is_an_alarm() -> None:
    """Nobody can say when an entry is due."""
    log = MadeLog(IncidentLeaf("software-fault", 1, 1))  # type: ignore[arg-type]
    log.epochs(2).publish()
    alarm = only(look(log))
    assert alarm.kind == "no-rules"
    assert shown(alarm, now=log.now)


def test_changed_rules_are_told_in_words() -> None:
    """A later policy entry says what changed, before and after."""
    log = grown()
    known = seen(log)
    log.add(policy_leaf(2, delay_days=120, quorum_modes=("solo_cosigner", "two"), software_sha256="11" * 32))
    found = look(log.publish(), known)
    assert [each.kind for each in found.findings] == ["rules-changed"]
    assert "90 before, 120 now" in found.findings[0].told
    assert "solo_cosigner two now" in found.findings[0].told


def test_rules_that_skip_or_repeat_a_number_are_an_alarm() -> None:
    """Numbers rise by one: 3 after 1, and 1 after 1."""
    for number in (1, 3):
        leaf = policy_leaf(number)
        _, alarm = spoilt(lambda log, leaf=leaf: log.add(leaf))  # type: ignore[misc]
        assert alarm.kind == "rules-out-of-order"


def test_rules_for_the_past_are_an_alarm() -> None:
    """A rule that claims to be in force since before it was recorded."""
    _, alarm = spoilt(lambda log: log.add(policy_leaf(2, in_force_on=dt.date(2026, 1, 1))))
    assert alarm.kind == "rules-backdated"


@pytest.mark.parametrize("change", [{"epoch_seconds": 600}, {"depth": 17}])
def test_other_time_slots_are_an_alarm(change: dict[str, int]) -> None:
    """With another length of slots, missing ones could hide."""
    log = grown()
    known = seen(log)
    log.add(policy_leaf(2, **change))
    alarms = look(log.publish(), known).alarms
    assert alarms[0].kind == "slots-changed"
    assert shown(alarms[0], now=log.now)


def test_a_policy_file_that_the_log_does_not_name_is_an_alarm() -> None:
    """The operator dropped a timekeeper: the log names another file than the watcher holds."""
    swapped = format_policy(LOGS, [witness("north")], need=1)
    _, alarm = spoilt(lambda log: log.add(policy_leaf(2, witness_policy_sha256=trust(swapped).sha256)))
    assert alarm.kind == "other-policy"


def test_a_key_that_an_old_one_vouches_for_is_a_notice() -> None:
    """Added by the log's key; the new one may then retire the old."""
    log = grown()
    known = seen(log)
    log.add(key_leaf("add", log_vkey("log-2")))
    log.add(key_leaf("retire", log_vkey("log"), by="log-2"))
    found = look(log.publish(), known)
    assert [each.kind for each in found.findings] == ["key-changed", "key-changed"]


def test_a_key_that_nobody_vouches_for_is_an_alarm() -> None:
    """Signed by a stranger, or by a key that was retired."""
    _, alarm = spoilt(lambda log: log.add(key_leaf("add", log_vkey("thief"), by="thief")))
    assert alarm.kind == "key-not-vouched"

    def retired(log: MadeLog) -> None:
        log.add(key_leaf("add", log_vkey("log-2")))
        log.add(key_leaf("retire", log_vkey("log")))
        log.add(key_leaf("add", log_vkey("log-3")))

    _, alarm = spoilt(retired)
    assert alarm.kind == "key-not-vouched"


def test_an_auditors_statement_is_told_and_a_forged_one_is_an_alarm() -> None:
    """Its signature is checked under the key that it names."""
    log = grown()
    known = seen(log)
    log.add(attest_leaf("2026H1"))
    assert [each.kind for each in look(log.publish(), known).findings] == ["attested"]
    _, alarm = spoilt(lambda log: log.add(attest_leaf("2026H1", by="thief")))
    assert alarm.kind == "attest-false"


def test_register_and_report_are_told() -> None:
    """One of each, the report naming the register."""
    log = grown()
    known = seen(log)
    log.report("2026H1", b"register", b"report")
    found = look(log.publish(), known)
    assert [each.kind for each in found.findings] == ["register-published", "report-published"]


def test_a_second_register_that_corrects_nothing_is_an_alarm() -> None:
    """Two registers of one half-year could be subtracted."""

    def change(log: MadeLog) -> None:
        log.add(RegisterLeaf("2026H1", "aa" * 32))
        log.add(RegisterLeaf("2026H1", "bb" * 32))

    _, alarm = spoilt(change)
    assert alarm.kind == "published-twice"


def test_a_correction_names_the_newest_one() -> None:
    """A named correction is a notice; one that names a stranger is an alarm."""
    log = grown()
    known = seen(log)
    log.add(RegisterLeaf("2026H1", "aa" * 32))
    log.add(RegisterLeaf("2026H1", "bb" * 32, replaces="aa" * 32))
    found = look(log.publish(), known)
    assert [each.kind for each in found.findings] == ["register-published", "register-corrected"]
    _, alarm = spoilt(lambda log: log.add(RegisterLeaf("2026H1", "bb" * 32, replaces="cc" * 32)))
    assert alarm.kind == "published-twice"
    assert "never named" in alarm.told


@pytest.mark.parametrize("register", [2, 6, 99])
def test_a_report_without_its_register_is_an_alarm(register: int) -> None:
    """It names an epoch entry, the register of another half-year, or one that is not there."""

    def change(log: MadeLog) -> None:
        log.add(RegisterLeaf("2025H2", "aa" * 32))
        log.add(ReportLeaf("2026H1", "bb" * 32, register, "cc" * 32))

    _, alarm = spoilt(change)
    assert alarm.kind == "report-without-register"


def test_incidents_are_told_in_words() -> None:
    """A backup is a notice; an exposed key is an alarm, because signatures prove less from then on."""
    log = grown()
    known = seen(log)
    log.add(IncidentLeaf("store-restored", FIRST_EPOCH, FIRST_EPOCH))
    found = look(log.publish(), known)
    assert [each.kind for each in found.findings] == ["incident"]
    assert "backup copy" in found.findings[0].told
    _, alarm = spoilt(lambda log: log.add(IncidentLeaf("log-key-exposed", FIRST_EPOCH, FIRST_EPOCH)))
    assert alarm.kind == "incident"


def test_many_findings_of_a_kind_are_counted_not_listed() -> None:
    """A spoilt log cannot fill a disk with evidence."""
    log = grown()
    known = seen(log)
    for number in range(30):
        log.add(b"rubbish %d" % number)
    found = look(log.publish(), known)
    assert len(found.alarms) == MOST_OF_A_KIND + 1
    assert "20 more of the same" in found.alarms[-1].told


def test_a_long_span_or_entries_in_between_do_not_hide_a_missing_slot() -> None:
    """Rare entries between two epochs change nothing."""

    def change(log: MadeLog) -> None:
        log.add(IncidentLeaf("epochs-late", 1, 2))
        log.add(IncidentLeaf("clock-moved", 1, 2))
        skip(log)

    _, alarm = spoilt(change)
    assert alarm.kind == "epochs-missing"
    assert len(alarm.leaves) == 4


# ------------------------------------------------------------------ evidence


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
