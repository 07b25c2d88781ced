"""An erased record cannot be passed off as one that was never there: the public log holds its place for ever."""

from functools import partial

import pytest

import sabotage
from desk.test_erasing import erase, unread
from dueprocess.desk.check import check_everything
from dueprocess.desk.receipts import receipt
from dueprocess.errors import BrokenError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.epoch import epoch_seed, rebuilt_roots
from dueprocess.tlog.leaf import EpochLeaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.receipt import verify_receipt
from dueprocess.tlog.tilereader import TileReader
from dueprocess.wire import b64
from office import Office

pytestmark = pytest.mark.stage("brisk")


@pytest.fixture
def erased(office: Office) -> tuple[Office, str, bytes, dict[str, object]]:
    """An office with a case that is closed, sealed, erased and sealed again; its receipt and its certificate."""
    other = office.receive("another paper")
    case_id = unread(office)
    given = receipt(office.desk, load_case(case_id), None, "requester")
    certificate = erase(office, case_id, "received-in-error")
    office.wait(hours=6)
    assert check_everything(office.desk) == []
    assert load_case(other).events
    return office, case_id, given, certificate


def roots(office: Office) -> dict[int, bytes]:
    """Epoch → root, as the world reads them from the published files."""
    place = office.desk.installation
    data = (place.log / "checkpoint").read_bytes()
    reader = TileReader(office.desk.read_log, open_checkpoint(data, office.desk.policy).checkpoint)
    leaves = (parse_leaf(reader.entry(index)) for index in range(reader.size))
    return {leaf.epoch: leaf.root for leaf in leaves if isinstance(leaf, EpochLeaf)}


def rebuilt(office: Office) -> dict[int, bytes]:
    """Epoch → root, as an auditor rebuilds them from the seeds and the commitments that the operator shows."""
    seed_of = partial(epoch_seed, office.desk.master)
    placed = (
        (
            row.epoch,
            {each.place: each.sealed for each in ledger.placed_in(row.epoch) if each.place is not None},
        )
        for row in ledger.epochs_from(0)
    )
    return dict(rebuilt_roots(seed_of, placed))


def never_there(office: Office, case_id: str, tables: tuple[str, ...]) -> set[int]:
    """Takes every trace of a case out of these tables, and makes the epochs' rows fit. Returns those epochs."""
    numbers = {row["ledger_seq"] for row in sabotage.rows("record") if row["case_id"] == case_id}
    epochs = {row["epoch"] for row in sabotage.rows("placement") if row["ledger_seq"] in numbers}
    with sabotage.unguarded():
        for table in tables:
            for row in sabotage.rows(table):
                if row.get("case_id") == case_id or row.get("ledger_seq") in numbers:
                    sabotage.delete(table, row)
        honest = rebuilt(office)
        for row in sabotage.rows("epoch"):
            count = len(ledger.placed_in(row["epoch"]))
            sabotage.edit("epoch", row, root=honest[row["epoch"]].hex(), records=count)
    return epochs


TRACES = ("event", "record", "placement", "erased", "docket")


def test_an_erased_case_is_seen_in_the_ledger(erased: tuple[Office, str, bytes, dict[str, object]]) -> None:
    """Every record keeps its place and its opening; the erasure is a record itself, and the certificate names it."""
    office, case_id, _, certificate = erased
    records = ledger.records_of(case_id)
    last = load_case(case_id).events[-1]
    assert last.kind == "Erased"
    assert certificate["event_sha256"] == last.sha256 == records[last.case_seq].event_sha256
    assert {row["ledger_seq"] for row in sabotage.rows("erased")} == {
        each.ledger_seq for each in records.values()
    }
    assert all(each.epoch is not None for each in records.values())
    assert rebuilt(office) == {each: root for each, root in roots(office).items() if each in rebuilt(office)}


def test_a_receipt_from_before_still_verifies(erased: tuple[Office, str, bytes, dict[str, object]]) -> None:
    """Who was told that a case was recorded can prove it when the operator no longer can."""
    office, case_id, given, _ = erased
    assert not office.desk.keys.has(case_id)
    assert verify_receipt(given, office.desk.policy).case == case_id
    never_there(office, case_id, TRACES)
    assert verify_receipt(given, office.desk.policy).case == case_id


def test_every_trace_deleted_is_found(erased: tuple[Office, str, bytes, dict[str, object]]) -> None:
    """Events, records, places and openings gone, epochs' rows made to fit: fsck and an auditor's rebuild see it."""
    office, case_id, _, _ = erased
    epochs = never_there(office, case_id, TRACES)
    assert len(epochs) == 2
    assert not [row for row in sabotage.rows("record") if row["case_id"] == case_id]
    public, shown = roots(office), rebuilt(office)
    assert {each for each, root in shown.items() if public[each] != root} == epochs
    said = "\n".join(f"{each.table} {each.row} {each.what}" for each in check_everything(office.desk))
    assert "epoch" in said
    assert all(str(each) in said for each in epochs)


@pytest.mark.parametrize("spared", TRACES)
def test_one_trace_left_is_found_as_well(
    erased: tuple[Office, str, bytes, dict[str, object]], spared: str
) -> None:
    """Whichever table the liar forgets, or leaves on purpose."""
    office, case_id, _, _ = erased
    never_there(office, case_id, tuple(each for each in TRACES if each != spared))
    assert check_everything(office.desk) != []


def test_the_only_other_way_is_a_second_log(erased: tuple[Office, str, bytes, dict[str, object]]) -> None:
    """With leaves and heads changed too, and signed anew, the published log no longer fits: signing stops."""
    office, case_id, given, _ = erased
    epochs = never_there(office, case_id, TRACES)
    shown = rebuilt(office)
    with sabotage.unguarded():
        for row in sabotage.rows("leaf"):
            leaf = parse_leaf(row["entry"].encode())
            if isinstance(leaf, EpochLeaf) and leaf.epoch in epochs:
                entry = row["entry"].replace(b64(leaf.root), b64(shown[leaf.epoch]))
                sabotage.edit("leaf", row, entry=entry)
        for row in sabotage.rows("head"):
            sabotage.edit("head", row, root=_root(row["size"]).hex())
    with pytest.raises(BrokenError) as caught:
        office.wait(hours=6)
    assert caught.value.code == "log-forked"
    assert verify_receipt(given, office.desk.policy).case == case_id
    assert check_everything(office.desk) != []


def _root(size: int) -> bytes:
    """The root of the first so many leaves, as they now stand in the database."""
    return Frontier().extend(leaf_hash(each.encode()) for each in ledger.entries(0, size)).root
