"""Following a log entry by entry: each one that breaks a rule is an alarm, and the others are told."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.tlog import (
    EPOCH_LEAF_BYTES,
    EpochLeaf,
    IncidentLeaf,
    RegisterLeaf,
    ReportLeaf,
    encode_leaf,
    format_policy,
)
from dueprocess.tlog.follow import MOST_OF_A_KIND
from dueprocess.tlog.leafrules import LeafRules
from madelog import (
    FIRST_EPOCH,
    LOGS,
    MadeLog,
    attest_leaf,
    end_of,
    grown,
    key_leaf,
    log_vkey,
    policy_leaf,
    trust,
    witness,
)
from tlog.following import look, only, seen, shown, skip, spoilt


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
