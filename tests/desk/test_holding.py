"""Holds in a whole office: the vault alone gets the data, and it ends when it should, whatever is killed or lost."""

import datetime as dt
import tempfile
from pathlib import Path

import pytest

from desk.holds import (
    begin,
    confirm,
    disclosure,
    files_with,
    held,
    hold_of,
    keep,
    letter,
    platform,
    read,
    sources,
)
from dueprocess.cases.invariants import broken_promises
from dueprocess.desk import closing, holding, keeping
from dueprocess.desk.assessments import reading
from dueprocess.desk.check import check_everything
from dueprocess.desk.closing import registered
from dueprocess.desk.desk import open_desk
from dueprocess.desk.sweeping import sweep
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.steps import hold as steps
from office import EVA, START, Office

pytestmark = pytest.mark.stage("brisk")
CANARIES = (b"canary words", b"192.0.2.", b"1700000000")


def test_a_hold_goes_into_the_vault_and_counts_alone_into_history(office: Office) -> None:
    """Begun by one person; the worker takes what the scope reaches; the event has a number for each table."""
    case_id = letter(office)
    begin(office, case_id)
    (line,) = keep(office)
    assert "held in the vault, unread" in line
    taken = hold_of(case_id).taken
    assert taken is not None
    tables = taken.body["tables"]
    assert isinstance(tables, list)
    assert [(each["table"], each["status"], each["rows"]) for each in tables if isinstance(each, dict)] == [
        ("users", "found", 1), ("sessions", "found", 3), ("messages", "found", 1),
    ]  # fmt: skip
    assert keep(office) == []
    assert check_everything(office.desk) == []


def test_nothing_of_the_data_is_anywhere_in_the_clear(
    office: Office, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not in the database, its log, a temporary file, on the screen, nor in the vault's files or names."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    case_id = held(office)
    office.wait(hours=12)
    office.seen += keep(office)
    for words in (*CANARIES, EVA.encode()):
        assert list(files_with(office.root, words)) == []
        assert list(files_with(tmp_path, words)) == []
    said = "".join(capfd.readouterr()) + "".join(office.seen)
    told = repr([event.as_json() for event in load_case(case_id).events])
    for words in (*CANARIES, EVA.encode()):
        assert words.decode() not in said
        assert words.decode() not in told


def test_a_platform_that_forgets_does_not_take_what_is_held(office: Office) -> None:
    """The account is deleted after the letter came; a later order is answered from what was kept."""
    held(office)
    with platform(office) as store:
        store.executescript("DELETE FROM users; DELETE FROM sessions; DELETE FROM messages;")
    office.wait(hours=12)
    found = read(office, disclosure(office), None)
    (users, sessions) = found
    assert found[users] == [{"name": EVA, "created": 1_700_000_000}]
    assert [row["ip"] for row in found[sessions]] == ["192.0.2.80", "192.0.2.90", "192.0.2.99"]


def test_renewing_adds_no_data_although_the_platform_changed(office: Office) -> None:
    """A hold is one snapshot: what the platform learns later is not in it, renewed or not."""
    case_id = held(office)
    before = hold_of(case_id)
    with platform(office) as store:
        at = int((START - dt.timedelta(days=3)).timestamp())
        store.execute("INSERT INTO sessions VALUES (?, ?, ?)", (EVA, at, "198.51.100.7"))
    again = letter(office, answers={"renewals": "once"})
    signers = [office.people["boris"], office.people["chi"]]
    holding.renew(office.desk, case_id, "t1", (again, "t1"), signers, now=office.now)
    assert keep(office) == []
    after = hold_of(case_id)
    assert after.until == received_at(office, case_id) + dt.timedelta(days=180)
    assert (before.taken, before.hold_id) == (after.taken, after.hold_id)
    office.wait(hours=12)
    found = read(office, disclosure(office))
    assert not any("198.51.100.7" in str(rows) for rows in found.values())
    office.close(again)
    assert load_case(again).outcome == "complied"
    assert check_everything(office.desk) == []


def received_at(office: Office, case_id: str) -> dt.datetime:
    return reading(office.desk, load_case(case_id)).received_at


def test_a_renewal_that_was_interrupted_is_finished_by_running_it_again(office: Office) -> None:
    """The hold is prolonged in its own case; the paper's case learns of it even if a kill came between."""
    case_id, again = held(office), letter(office, answers={"renewals": "once"})
    signers = [office.people["boris"], office.people["chi"]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "served", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            holding.renew(office.desk, case_id, "t1", (again, "t1"), signers, now=office.now)
    assert load_case(again).target("t1").stage == "narrowed"
    holding.renew(office.desk, case_id, "t1", (again, "t1"), signers, now=office.now)
    assert load_case(again).target("t1").stage == "ended"
    kinds = [event.kind for event in load_case(case_id).events]
    assert kinds.count("HoldRenewed") == 1


def test_a_second_renewal_and_a_foreign_paper_prolong_nothing(office: Office) -> None:
    """One additional period; for the same account and the same authority only."""
    case_id = held(office)
    signers = [office.people["boris"], office.people["chi"]]

    def renew(paper: str) -> str:
        with pytest.raises((RefusedError, ConflictError)) as caught:
            holding.renew(office.desk, case_id, "t1", (paper, "t1"), signers, now=office.now)
        return caught.value.code

    assert renew(case_id) == "not-holdable"
    assert renew(letter(office, account="@finn:chat.example")) == "other-target"
    assert renew(letter(office, verified=False)) == "requester-doubted"
    good, more = (letter(office, answers={"renewals": each}) for each in ("once", "more_than_once"))
    holding.renew(office.desk, case_id, "t1", (good, "t1"), signers, now=office.now)
    assert renew(more) == "renewed"


def test_a_hold_that_nobody_confirms_is_destroyed_after_72_hours(office: Office) -> None:
    """Key, objects and the way to them are gone, history says why, and the case is closed and counted."""
    case_id = letter(office, verified=False)
    begin(office, case_id)
    keep(office)
    hold_id = hold_of(case_id).hold_id
    vault = office.desk.installation.vault
    kept = set(vault.rglob("*"))
    office.wait(hours=71)
    assert keep(office) == []
    assert office.desk.keys.has(hold_id)
    office.wait(hours=1)
    (line,) = keep(office)
    assert "no second person confirmed" in line
    assert not office.desk.keys.has(hold_id)
    gone = {each for each in kept - set(vault.rglob("*")) if each.suffix == ""}
    assert len(gone) >= 4
    state = load_case(case_id).target("t1")
    assert (state.stage, hold_of(case_id).ended is not None) == ("ended", True)
    office.wait(hours=1)
    office.close(case_id)
    row, _ = registered(office.desk, case_id)
    assert (row.demand_kind, row.outcome, row.categories) == ("preservation", "rejected", ())
    assert check_everything(office.desk) == []


def test_a_confirmed_hold_ends_by_the_clock_of_the_pack(office: Office) -> None:
    """Ninety days from the receipt under 18 USC 2703(f); not before, and by nobody's hand."""
    case_id = held(office)
    until = hold_of(case_id).until
    assert until == received_at(office, case_id) + dt.timedelta(days=90)
    office.now = until - dt.timedelta(seconds=1)
    assert keep(office) == []
    office.now = until
    (line,) = keep(office)
    assert "the time for which the law wants the data kept is over" in line
    assert not office.desk.keys.has(hold_of(case_id).hold_id)
    office.close(case_id)
    assert load_case(case_id).outcome == "complied"


def test_two_people_release_a_hold_and_one_does_not(office: Office) -> None:
    """Releasing destroys evidence; whoever begins it alone is refused and nothing is destroyed."""
    case_id = held(office)
    boris, chi = office.people["boris"], office.people["chi"]
    for alone in ([boris], [boris, boris]):
        with pytest.raises(RefusedError) as caught:
            holding.release(office.desk, case_id, "t1", "withdrawn", alone, now=office.now)
        assert caught.value.code == "two-people"
    keep(office)
    assert office.desk.keys.has(hold_of(case_id).hold_id)
    holding.release(office.desk, case_id, "t1", "withdrawn", [boris, chi], now=office.now)
    assert "destroyed" in keep(office)[0]
    assert not office.desk.keys.has(hold_of(case_id).hold_id)
    assert keep(office) == []
    assert check_everything(office.desk) == []


def test_the_same_person_does_not_confirm(office: Office) -> None:
    """Nor does the second signature count for anything when it is lost: the hold lapses."""
    case_id = letter(office)
    begin(office, case_id)
    with pytest.raises(RefusedError) as caught:
        confirm(office, case_id, "boris")
    assert caught.value.code == "self-approval"
    office.wait(hours=73)
    with pytest.raises(RefusedError) as caught:
        confirm(office, case_id, "chi")
    assert caught.value.code == "hold-lapsed"


def test_a_store_that_does_not_answer_makes_the_hold_wait(office: Office) -> None:
    """Nothing could be read, so nothing counts as taken; the next turn takes it."""
    case_id = letter(office)
    begin(office, case_id)
    answers = office.environment
    office.environment = {"PLATFORM_DSN": "sqlite:////nowhere/platform.db"}
    (line,) = keep(office)
    assert "the hold waits" in line
    assert hold_of(case_id).taken is None
    office.environment = answers
    assert "held in the vault" in keep(office)[0]
    assert hold_of(case_id).taken is not None


def test_one_dropped_column_fails_its_table_and_no_other(office: Office) -> None:
    """The rest is kept, and a later disclosure is told that this part failed, never that nothing was held."""
    case_id = letter(office)
    with platform(office) as store:
        store.execute("ALTER TABLE sessions DROP COLUMN ip")
    begin(office, case_id)
    keep(office)
    taken = hold_of(case_id).taken
    assert taken is not None
    tables = taken.body["tables"]
    assert isinstance(tables, list)
    assert [each["status"] for each in tables if isinstance(each, dict)] == ["found", "failed", "found"]
    confirm(office, case_id)
    office.wait(hours=12)
    made = disclosure(office)
    failing = [each for each in sources(office, made) if each.failure is not None]
    assert [each.query.label for each in failing] == ["sessions"]
    with pytest.raises(Exception, match="Not all of this could be read"):
        list(failing[0].batches(EVA))


def test_a_second_worker_takes_nothing_twice(office: Office) -> None:
    """Whoever comes second finds it taken under the lock."""
    case_id = letter(office)
    begin(office, case_id)
    keeping.take(office.desk, case_id, "t1", office.environment, lambda: office.now)
    with pytest.raises(ConflictError) as caught:
        keeping.take(open_desk(office.root), case_id, "t1", office.environment, lambda: office.now)
    assert caught.value.code == "taken"
    assert not list(broken_promises(load_case(case_id).events))


def test_holds_are_shown_to_those_who_decide(office: Office) -> None:
    """Ana takes papers in, and a name that the roster does not know sees nothing either."""
    case_id = held(office)
    seen = holding.visible_holds(office.desk, "boris", office.now)
    assert [(case.case_id, ref) for case, ref, _ in seen] == [(case_id, "t1")]
    for person in ("ana", "root", ""):
        with pytest.raises(RefusedError) as caught:
            holding.visible_holds(office.desk, person, office.now)
        assert caught.value.code == "not-for-you"


def test_fsck_finds_a_key_that_outlived_its_hold_and_a_snapshot_that_is_gone(office: Office) -> None:
    """Both are said in words, with the promise that is broken."""
    case_id = held(office)
    hold_id = hold_of(case_id).hold_id
    office.desk.vault.remove(hold_id)
    assert [fault.invariant for fault in check_everything(office.desk)] == ["I4"]
    boris, chi = office.people["boris"], office.people["chi"]
    holding.release(office.desk, case_id, "t1", "mistaken", [boris, chi], now=office.now)
    keep(office)
    assert check_everything(office.desk) == []
    office.desk.keys.make(hold_id)
    assert [fault.invariant for fault in check_everything(office.desk)] == ["I9"]


def test_a_case_with_a_hold_is_not_closed_before_its_key_is_gone(office: Office) -> None:
    """So an erased case can have no hold left, and no hold outlives the case."""
    case_id = held(office)
    with pytest.raises(RefusedError) as caught:
        closing.close(office.desk, case_id, actor="boris", now=office.now)
    assert caught.value.code == "still-going"


def test_a_sweep_leaves_what_a_hold_keeps_alone(office: Office) -> None:
    """Its key belongs to no case of its own, but history says its name; once it ended nothing is left to sweep."""
    case_id = held(office)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    assert sweep(office.desk, later).swept == ()
    assert check_everything(office.desk) == []
    boris, chi = office.people["boris"], office.people["chi"]
    holding.release(office.desk, case_id, "t1", "withdrawn", [boris, chi], now=office.now)
    keep(office)
    assert sweep(office.desk, later).swept == ()
