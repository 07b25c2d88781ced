"""Recovering the log of an office that was set back: refusals before, what two people decide, what is public after."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk.drills import Elsewhere, Friends, code, recover, save
from dueprocess.cli.monitor_fetch import place_of
from dueprocess.cli.monitor_watch import Watch
from dueprocess.cli.next import owed
from dueprocess.desk import notices
from dueprocess.desk.check import check_everything
from dueprocess.desk.filekeys import make_key
from dueprocess.desk.outside import look_around
from dueprocess.desk.recovery import void_targets
from dueprocess.desk.restored import read_mark, restored_path
from dueprocess.history import connection, ledger
from dueprocess.history.append import load_case, load_events
from dueprocess.publication.signer import LogSigner
from dueprocess.steps import challenge as challenge_steps
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.follow import Trust
from dueprocess.tlog.leaf import EpochLeaf, GapLeaf, IncidentLeaf, Leaf, parse_leaf
from dueprocess.tlog.policy import format_policy
from dueprocess.wire import sha256_hex
from dueprocess.worker import loop
from dueprocess.worker.clock import set_clock
from office import Office

if TYPE_CHECKING:
    from conftest import Templates

pytestmark = pytest.mark.stage("ready")


@pytest.fixture
def away(templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere("sqlite", templates, quick_folder)


@pytest.fixture
def away_on(vendor: str, templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere(vendor, templates, quick_folder)


def leaves(start: int = 0) -> list[Leaf]:
    head = ledger.newest_head()
    assert head is not None
    return [parse_leaf(each.encode()) for each in ledger.stream_entries(start, head.size)]


def size() -> int:
    head = ledger.newest_head()
    return head.size if head is not None else 0


def turn(office: Office) -> None:
    loop.turn(office.desk, office.desk.log(), office.now)


def kinds(office: Office) -> list[str]:
    return [event.kind for event in load_events(office.desk.stream)]


def outsider(office: Office, folder: Path) -> Callable[[Office], list[str]]:
    """Somebody outside who looks at a public log again and again and remembers; gives the alarms of each look."""
    policy = office.desk.policy_text
    trust = Trust(office.desk.policy, sha256_hex(policy))

    def look(seen: Office) -> list[str]:
        log = str(seen.root / "log")
        found = Watch(log, place_of(log), None, trust, policy, folder).look(seen.now)
        return [each.finding.kind for each in found.alarms]

    return look


def decide_again(office: Office) -> None:
    """Narrowed, proposed and approved afresh."""
    office.decide(office.cases[0])


# ---------------------------------------------------------------------------------------- an older backup


@dataclass
class Loss:
    """A week was lost: the office as it was restored, what the world holds, and somebody outside who looks on."""

    office: Office
    public: Path
    kept: int
    reached: int
    look: Callable[[Office], list[str]]

    @property
    def case_id(self) -> str:
        return self.office.cases[0]


@pytest.fixture
def loss(office_on: Office, away_on: Elsewhere) -> Iterator[Loss]:
    """Three witnesses saw everything; within the lost week the user objected."""
    with Friends(office_on, count=3, need=2) as friends:
        office_on.wait(hours=30)
        look = outsider(office_on, office_on.root.parent / "outsider")
        assert look(office_on) == []
        saved, kept = save(office_on), size()
        hand = office_on.desk.hand("ana", office_on.now, office_on.cases[0])
        challenge_steps.open_challenge(office_on.cases[0], hand, "t1", by="user", ground="not-me")
        office_on.wait(days=7)
        assert look(office_on) == []
        reached = size()
        restored, _ = away_on.restored(office_on, saved)
        friends.office = restored  # whose clock theirs agree with
        yield Loss(restored, office_on.root / "log", kept, reached, look)


def test_a_week_old_backup_does_nothing(loss: Loss) -> None:
    """It forgot an objection; so nothing is signed, produced or told before two people have looked."""
    office, case_id = loss.office, loss.case_id
    assert size() == loss.kept < loss.reached
    assert not load_case(case_id).target("t1").challenged, "the objection is lost"
    assert code(office.desk.log) == "restored"
    assert code(lambda: office.produce(case_id)) == "restored"
    assert code(lambda: notices.notify(office.desk, case_id, "t1", actor="w", now=office.now)) == "restored"


def test_a_week_old_backup_goes_on_in_public_view(loss: Loss) -> None:
    """The log is the one that the world knows, says what was lost, and decisions from before are void."""
    office, case_id = loss.office, loss.case_id
    found = recover(office, copy=loss.public)
    epochs = [leaf.epoch for leaf in leaves(loss.kept) if isinstance(leaf, EpochLeaf)]
    assert found.recovery.lost == (epochs[0], epochs[-1])
    assert (found.recovery.database_size, found.recovery.log_size) == (loss.kept, loss.reached)
    assert (found.witnessed, found.silent, found.again) == (True, (), ((case_id, "t1"),))
    assert leaves(loss.reached) == [IncidentLeaf("store-restored", epochs[0], epochs[-1])]
    assert read_mark(office.desk.installation) is None
    opened = open_checkpoint(office.desk.read_log("checkpoint"), office.desk.policy)
    assert (opened.checkpoint.size, opened.witnessed) == (loss.reached + 1, True)
    assert check_everything(office.desk) == []
    assert loss.look(office) == []
    office.wait(hours=6)
    assert code(lambda: office.produce(case_id)) == "before-recovery"


def test_after_the_recovery_a_new_decision_is_carried_out(loss: Loss) -> None:
    """Two people look again and sign again; the answer goes out, and nobody outside sees a fork."""
    office, case_id = loss.office, loss.case_id
    recover(office, copy=loss.public)
    decide_again(office)
    assert void_targets(office.desk)(load_case(case_id)) == frozenset()
    office.wait(hours=48)
    office.produce(case_id)
    office.wait(hours=6)
    office.deliver(case_id, office.root.parent / "answer.age")
    assert check_everything(office.desk) == []
    assert loss.look(office) == []


def test_a_backup_of_the_newest_state_loses_nothing(office_on: Office, away_on: Elsewhere) -> None:
    """No incident in the log; the two people stand in the rosters all the same, and decisions are made again."""
    case_id = office_on.cases[0]
    saved = save(office_on)
    kept = size()
    restored, found = away_on.restored(office_on, saved)
    assert found.faults == []
    told = recover(restored)
    assert told.recovery.lost is None
    assert (size(), kinds(restored).count("LogRecovered")) == (kept, 1)
    assert check_everything(restored.desk) == []
    restored.wait(hours=6)
    assert not [leaf for leaf in leaves(kept) if not isinstance(leaf, EpochLeaf)]
    assert code(lambda: restored.produce(case_id)) == "before-recovery"
    assert owed(load_case(case_id), void_targets(restored.desk)(load_case(case_id))) == [
        f"{case_id[:8]}  void since the log was recovered, decide again: dueprocess narrow {case_id[:8]} t1"
    ]
    decide_again(restored)
    restored.wait(hours=48)
    restored.produce(case_id)
    restored.wait(hours=6)
    restored.deliver(case_id, restored.root.parent / "answer.age")


@pytest.mark.parametrize("hours", [0, 6, 13])
def test_epochs_go_on_where_the_log_stands_and_not_where_the_database_stood(
    office: Office, away: Elsewhere, hours: int
) -> None:
    """Recovered in the very epoch that was closed last, none is closed twice; later, a gap names just the missed."""
    look = outsider(office, office.root.parent / "outsider")
    saved = save(office)
    office.wait(hours=18)
    assert look(office) == []
    copy, newest = office.root / "log", ledger.newest_epoch()
    assert newest is not None
    office.now += dt.timedelta(hours=hours)
    restored, _ = away.restored(office, saved)
    recover(restored, copy=copy)
    turn(restored)
    turn(restored)
    restored.wait(hours=6)
    numbers = [leaf.epoch for leaf in leaves() if isinstance(leaf, EpochLeaf)]
    gaps = [(leaf.first_epoch, leaf.last_epoch) for leaf in leaves() if isinstance(leaf, GapLeaf)]
    missed = hours // 6 - 1
    assert len(set(numbers)) == len(numbers)
    assert gaps[-1:] == ([(newest + 1, newest + missed)] if missed > 0 else [])
    assert numbers[-1] == newest + hours // 6 + 1
    assert check_everything(restored.desk) == []
    assert look(restored) == []


def test_what_lay_in_no_epoch_at_the_backup_lies_in_the_next_one(office: Office, away: Elsewhere) -> None:
    """A paper of the last minutes was sealed in an epoch that is lost; its record is sealed again."""
    case_id = office.receive("a late paper", "late.txt")
    saved = save(office)
    office.wait(hours=12)
    restored, _ = away.restored(office, saved)
    recover(restored, copy=office.root / "log")
    restored.wait(hours=6)
    assert all(row.epoch is not None for row in ledger.records_of(case_id).values())
    assert check_everything(restored.desk) == []


# ---------------------------------------------------------------------------------------- copies by hand


def files_of(office: Office) -> list[Path]:
    return sorted(office.root.glob("history.db*"))


def test_an_old_database_that_was_copied_over_is_refused_and_recovered(office: Office) -> None:
    """`cp` of history.db alone: the folder with the public log is ahead, and it is all that recovery needs."""
    shutil.copy(office.root / "history.db", office.root.parent / "old.db")
    office.wait(hours=18)
    reached = size()
    _put_back(office, lambda: shutil.copy(office.root.parent / "old.db", office.root / "history.db"))
    assert size() < reached
    log = office.desk.log()
    assert code(lambda: log.close_due(office.now)) == "log-ahead"
    assert code(lambda: office.produce(office.cases[0])) in ("epoch-missing", "log-behind", "ledger-gap")
    found = recover(office)
    assert (found.recovery.log_size, size()) == (reached, reached + 1)
    assert check_everything(office.desk) == []
    turn(office)


def _put_back(office: Office, act: Callable[[], object]) -> None:
    connection.close()
    for path in files_of(office):
        path.unlink()
    act()


def test_an_old_folder_that_was_copied_over_is_told_by_its_witness(office: Office) -> None:
    """Database and public log went back together; one witness knows better, and its copy is asked for."""
    with Friends(office):
        office.wait(hours=12)
        shutil.copytree(office.root, office.root.parent / "old")
        office.wait(hours=18)
        shutil.copytree(office.root / "log", office.root.parent / "mirror")
        reached = size()

        def all_of_it() -> None:
            shutil.rmtree(office.root)
            shutil.copytree(office.root.parent / "old", office.root)

        _put_back(office, all_of_it)
        set_clock(office.desk.installation, office.now)
        log = office.desk.log()
        assert code(lambda: log.close_due(office.now)) == "behind-witness"
        assert code(lambda: recover(office)) == "copy-too-old"
        found = recover(office, copy=office.root.parent / "mirror")
        assert ("the witness w1", reached) in found.heads
        assert check_everything(office.desk) == []


# ---------------------------------------------------------------------------------------- what is refused


@pytest.fixture
def behind(office: Office, away: Elsewhere) -> tuple[Office, Path]:
    """An office restored from a backup of three epochs ago, and the newest copy of its public log."""
    saved = save(office)
    office.wait(hours=18)
    return away.restored(office, saved)[0], office.root / "log"


@pytest.mark.parametrize("who", ["one person", "one person twice", "one person and a stranger"])
def test_one_person_alone_cannot_recover(behind: tuple[Office, Path], who: str) -> None:
    """Nothing is changed by the attempt: no leaf, no decision, and the mark stands."""
    office, copy = behind
    boris = office.people["boris"]
    mallory = make_key("mallory", office.root.parent / "mallory.json")
    signers = {
        "one person": [boris],
        "one person twice": [boris, boris],
        "one person and a stranger": [boris, mallory],
    }[who]
    before = (size(), kinds(office), read_mark(office.desk.installation))
    wanted = "unknown-signer" if "stranger" in who else "two-people"
    assert code(lambda: recover(office, copy=copy, signers=signers)) == wanted
    assert (size(), kinds(office), read_mark(office.desk.installation)) == before


def test_somebody_in_intake_cannot_recover(behind: tuple[Office, Path]) -> None:
    """Ana is enrolled, but decides nothing."""
    office, copy = behind
    signers = [office.people["boris"], office.people["ana"]]
    assert code(lambda: recover(office, copy=copy, signers=signers)) == "wrong-role"


def test_a_log_that_is_not_behind_needs_no_recovery(office: Office) -> None:
    """Voiding every decision on a whim is refused."""
    assert code(lambda: recover(office)) == "nothing-to-recover"
    assert restored_path(office.desk.installation).exists() is False


def test_another_logs_copy_is_refused(behind: tuple[Office, Path], tmp_path: Path) -> None:
    """A checkpoint that another key signed, though of the same name."""
    office, copy = behind
    shutil.copytree(copy, tmp_path / "other")
    opened = open_checkpoint((copy / "checkpoint").read_bytes(), office.desk.policy)
    stranger = LogSigner.create(office.desk.pins.origin, tmp_path / "keys")
    (tmp_path / "other" / "checkpoint").write_text(stranger.sign(opened.checkpoint, office.now))
    assert code(lambda: recover(office, copy=tmp_path / "other")) == "other-log"


def test_a_copy_with_an_exchanged_entry_is_refused(behind: tuple[Office, Path], tmp_path: Path) -> None:
    """No byte of a copy is believed that the signed root does not hold."""
    office, copy = behind
    shutil.copytree(copy, tmp_path / "other")
    for path in (tmp_path / "other" / "tile" / "entries").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b'"t":"epoch"', b'"t":"epoxy"'))
    before = size()
    assert code(lambda: recover(office, copy=tmp_path / "other")) == "tile-differs"
    assert size() == before


def test_a_restored_copy_that_was_signed_on_is_a_fork_and_stays_one(
    office: Office, away: Elsewhere, tmp_path: Path
) -> None:
    """Somebody took the mark away by hand and let it sign: two histories exist, and both are kept as evidence."""
    saved = save(office)
    office.wait(hours=18)
    restored, _ = away.restored(office, saved)
    restored_path(restored.desk.installation).unlink()
    restored.now += dt.timedelta(hours=6)
    turn(restored)
    assert code(lambda: recover(restored, copy=office.root / "log")) == "log-forked"
    evidence = list((restored.root / "worker" / "evidence").iterdir())
    assert {each.suffix for each in evidence} == {".received", ".ours"}


def test_two_heads_outside_that_contradict_each_other_are_a_fork(office: Office, away: Elsewhere) -> None:
    """This database is a prefix of both; but one copy was signed on elsewhere, and the worker had seen that one."""
    saved = save(office)
    office.wait(hours=18)
    other, _ = away.restored(office, saved, "other")
    restored_path(other.desk.installation).unlink()
    turn(replace(other, now=other.now + dt.timedelta(hours=6)))
    restored, _ = away.restored(office, saved)
    shutil.copy(other.root / "log" / "checkpoint", restored.root / "worker" / "seen-checkpoint")
    assert code(lambda: recover(restored, copy=office.root / "log")) == "log-forked"


def test_silent_witnesses_may_know_more_so_nothing_is_done(office: Office, away: Elsewhere) -> None:
    """Two of three are needed: with one silent it goes on, with two it waits, unless people are sure."""
    with Friends(office, count=3, need=2) as friends:
        office.wait(hours=12)
        saved = save(office)
        office.wait(hours=12)
        copy = office.root / "log"
        restored, _ = away.restored(office, saved)
        friends.all[0].stop()
        world = look_around(restored.desk, lambda path: (copy / path).read_bytes())
        assert [each.name for each in world.silent] == ["w1"]
        friends.all[1].stop()
        assert code(lambda: recover(restored, copy=copy)) == "witnesses-silent"
        found = recover(restored, copy=copy, despite_silence=True)
        assert found.silent == ("w1", "w2")
        assert check_everything(restored.desk) == []


def test_a_clock_that_went_back_with_the_backup_is_refused(behind: tuple[Office, Path]) -> None:
    """The leaves that come back are later than it."""
    office, copy = behind
    early = replace(office, now=office.now - dt.timedelta(hours=18))
    assert code(lambda: recover(early, copy=copy)) == "clock-ran-back"
    assert recover(office, copy=copy).recovery.lost


# ---------------------------------------------------------------------------------------- what people must do


def test_a_lost_change_of_policy_is_named(office: Office, away: Elsewhere) -> None:
    """The public log tells a policy that history has forgotten: two people decide it again."""
    saved = save(office)
    place = office.desk.installation
    with Friends(office):
        office.wait(hours=12)
    restored, _ = away.restored(office, saved)
    found = recover(restored, copy=office.root / "log")
    assert found.policies == (2,)
    assert format_policy(LogSigner.open(place.origin, place.keys).vkeys) == restored.desk.policy_text
    restored.wait(hours=6)
    assert check_everything(restored.desk) == []


@pytest.mark.stage("produced")
def test_a_parcel_from_before_is_never_handed_over(office: Office, away: Elsewhere) -> None:
    """Its decision is void; the way on is an objection of the operator's own and the paper once more."""
    case_id = office.cases[0]
    restored, _ = away.restored(office, save(office))
    recover(restored)
    restored.wait(hours=6)
    out = restored.root.parent / "answer.age"
    assert code(lambda: restored.deliver(case_id, out)) == "before-recovery"
    assert not out.exists()
    case = load_case(case_id)
    (line,) = owed(case, void_targets(restored.desk)(case))
    assert "collected already: dueprocess challenge open" in line
    hand = restored.desk.hand("boris", restored.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="operator", ground="restored")
    challenge_steps.close_challenge(case_id, hand, "t1", upheld=True)
    restored.close(case_id)
    assert load_case(case_id).stage == "closed"


@pytest.mark.stage("produced")
def test_letters_that_hang_on_a_lost_order_are_named(office: Office, away: Elsewhere) -> None:
    """The user of a delivered answer is owed a letter; whether an order came since the backup, only people know."""
    case_id = office.cases[0]
    office.deliver(case_id, office.root.parent / "answer.age")
    saved = save(office)
    office.now += dt.timedelta(hours=6)
    restored, _ = away.restored(office, saved)
    assert recover(restored).letters == ((case_id, "t1", "the letter 'after' is due now"),)


@pytest.mark.stage("produced")
def test_such_a_letter_waits_for_a_person(office: Office, away: Elsewhere) -> None:
    """An order not to tell may be lost with the rest: the worker sends nothing by itself, a person may."""
    case_id = office.cases[0]
    office.deliver(case_id, office.root.parent / "answer.age")
    saved = save(office)
    office.now += dt.timedelta(hours=6)
    restored, _ = away.restored(office, saved)
    recover(restored)
    restored.wait(hours=6)
    told = [event.kind for event in load_case(case_id).events].count("UserNotified")
    assert any("the letter to the user waits for a person" in line for line in restored.seen)
    assert restored.notify(case_id) == "after"
    assert [event.kind for event in load_case(case_id).events].count("UserNotified") == told + 1


def test_work_of_everybody_else_goes_on_before_the_recovery(behind: tuple[Office, Path]) -> None:
    """Papers can be received at night; their decisions count, because they are made after it."""
    office, copy = behind
    case_id = office.receive("a new paper", "new.txt")
    recover(office, copy=copy)
    office.wait(hours=6)
    assert all(row.epoch is not None for row in ledger.records_of(case_id).values())
    assert check_everything(office.desk) == []
