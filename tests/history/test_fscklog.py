"""The log's half of fsck: missing epochs are explained by the log itself or are faults; every signature counts."""

import base64
import datetime as dt

import pytest

import sabotage
from dueprocess.history import ledger
from dueprocess.history.fsck import Fault, FsckKeys, fsck
from dueprocess.history.fscklog import _first_outside
from dueprocess.tlog.leaf import GapLeaf, IncidentLeaf
from dueprocess.tlog.note import ML_DSA_44, format_note, parse_note
from history.test_fsck import faults, names
from history.whole import OTHER_KEY, WITNESS_KEY, Whole, cosigned
from sabotage import rows

SIX_HOURS = dt.timedelta(hours=6)


def of_table(found: list[Fault], table: str) -> list[str]:
    return [fault.what for fault in found if fault.table == table]


def sleep(whole: Whole, epochs: int) -> None:
    """Nothing runs for some epochs; then the log's worker takes a turn."""
    whole.office.now += epochs * SIX_HOURS
    whole.office.desk.log().close_due(whole.office.now)


def last_epoch() -> int:
    number = ledger.last_epoch()
    assert number is not None
    return number.epoch


def test_epochs_that_a_gap_leaf_names_may_be_missing(whole: Whole) -> None:
    """After two days in which nothing ran the log says so itself, and everything fits."""
    before = last_epoch()
    sleep(whole, 8)
    numbers = [row["epoch"] for row in rows("epoch")]
    assert last_epoch() > before + 1
    assert before + 1 not in numbers
    assert faults(whole) == []


def test_a_missing_epoch_beside_a_gap_is_found(whole: Whole) -> None:
    """An epoch taken away next to a gap that was named is not covered by it."""
    sleep(whole, 8)
    sleep(whole, 1)
    rest = rows("epoch")
    empty = rest[-2]
    assert empty["records"] >= 0
    with sabotage.undone():
        with sabotage.unguarded():
            sabotage.delete("epoch", empty)
        found = of_table(faults(whole), "epoch")
        assert f"epoch {empty['epoch']} is missing, and no leaf says why" in found


def test_a_gap_leaf_about_epochs_that_were_closed_is_found(whole: Whole) -> None:
    """Nobody can call an epoch missing that is there."""
    log, at = whole.office.desk.log(), last_epoch()
    log.add(GapLeaf(at - 1, at), whole.office.now)
    assert [fault.table for fault in faults(whole)] == ["epoch"]
    assert "a gap leaf names" in str(faults(whole)[0])


def test_epochs_that_a_restored_backup_lost_may_be_missing_when_the_log_says_so(whole: Whole) -> None:
    """Leaves without a row are faults until an incident leaf covers them, and then only these."""
    sleep(whole, 1)
    sleep(whole, 1)
    lost = [row for row in rows("epoch") if row["records"] == 0][-1:]
    assert lost
    number = lost[0]["epoch"]
    with sabotage.unguarded():
        sabotage.delete("epoch", lost[0])
    assert names(faults(whole), "leaf")
    whole.office.desk.log().add(IncidentLeaf("witness-lost", number, number), whole.office.now)
    assert names(faults(whole), "leaf")
    whole.office.desk.log().add(IncidentLeaf("store-restored", number, number), whole.office.now)
    assert faults(whole) == []
    other = rows("epoch")[2]
    with sabotage.undone():
        with sabotage.unguarded():
            sabotage.delete("epoch", other)
        assert names(faults(whole), "leaf")


@pytest.mark.parametrize(
    ("first", "last", "spans", "found"),
    [
        (3, 9, [(3, 9)], None),
        (3, 9, [(6, 9), (3, 5)], None),
        (3, 9, [(1, 20)], None),
        (3, 9, [], 3),
        (3, 9, [(4, 9)], 3),
        (3, 9, [(3, 5), (7, 9)], 6),
        (3, 9, [(3, 8)], 9),
        (3, 9, [(3, 8), (1, 2)], 9),
    ],
)
def test_the_first_number_outside_all_spans(
    first: int, last: int, spans: list[tuple[int, int]], found: int | None
) -> None:
    """Spans may touch, overlap and stand in any order; one hole is enough."""
    assert _first_outside(first, last, spans) == found


def without(checkpoint: str, algorithm: int, whole: Whole) -> str:
    """The note without the signature lines of the log's key of this kind."""
    note = parse_note(checkpoint.encode())
    ids = {each.vkey.key_id for each in whole.office.desk.policy.logs if each.vkey.algorithm == algorithm}
    return format_note(note.text, [each for each in note.signatures if each.key_id not in ids]).decode()


@pytest.mark.parametrize("table", ["head", "cosigned"])
def test_every_signature_of_a_head_is_needed(whole: Whole, table: str) -> None:
    """Either signature of the log taken away, every flipped byte of the long one, and a line that nobody knows."""
    old = rows(table)[-1]
    note = parse_note(old["checkpoint"].encode())
    long = max(note.signatures, key=lambda each: len(each.raw))
    tampered = [without(old["checkpoint"], algorithm, whole) for algorithm in (0x01, ML_DSA_44)]
    for at in (0, 7, 8, 500, 2000, len(long.raw) - 1):
        raw = bytearray(long.raw)
        raw[at] ^= 1
        line, other = base64.b64encode(long.key_id + long.raw), base64.b64encode(long.key_id + bytes(raw))
        tampered.append(old["checkpoint"].replace(line.decode(), other.decode()))
    tampered.append(old["checkpoint"] + f"— stranger.example {base64.b64encode(bytes(68)).decode()}\n")
    for checkpoint in tampered:
        assert checkpoint != old["checkpoint"]
        with sabotage.undone():
            with sabotage.unguarded():
                sabotage.edit(table, old, checkpoint=checkpoint)
            assert of_table(faults(whole), table)


def test_a_cosigned_head_keeps_its_witnesses(whole: Whole) -> None:
    """A note without the cosignatures that made it one, of another size, or with a later policy's witness only."""
    small, large = rows("cosigned")
    plain = {row["size"]: row["checkpoint"] for row in rows("head")}
    assert faults(whole) == []
    for checkpoint in (plain[small["size"]], large["checkpoint"]):
        with sabotage.undone():
            with sabotage.unguarded():
                sabotage.edit("cosigned", small, checkpoint=checkpoint)
            assert of_table(faults(whole), "cosigned")
    with sabotage.undone():
        sabotage.insert(
            "cosigned", {"size": 2, "checkpoint": cosigned(plain[2], whole.office.now, OTHER_KEY)}
        )
        assert faults(whole) == []
    with sabotage.undone():
        sabotage.insert(
            "cosigned", {"size": 2, "checkpoint": cosigned(plain[1], whole.office.now, WITNESS_KEY)}
        )
        assert of_table(faults(whole), "cosigned")


def test_without_the_policy_of_its_time_a_cosigned_head_is_a_fault(whole: Whole) -> None:
    """What counts are the policies that were ever in force, and only these."""
    keys, desk = whole.office.desk.keys, whole.office.desk

    def case_key(case_id: str) -> bytes | None:
        return keys.keys(case_id).record_key if keys.has(case_id) else None

    found = fsck(FsckKeys(case_key, desk.master, whole.policies[:1]))
    assert {fault.table for fault in found} == {"cosigned"}
    nothing = fsck(FsckKeys(case_key, desk.master, ()))
    assert {fault.table for fault in nothing} == {"cosigned", "head"}
