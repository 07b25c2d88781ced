"""Who collects receipts learns nothing about how many other demands there were: not from one, not from a hundred.

An office receives a hundred papers in one epoch, beside one, ten or a thousand other records. All receipts of the
hundred are collected, and everything in them is compared between the three.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from abuse.unseen import Store, auc
from dueprocess.desk.promises import promise_path
from dueprocess.desk.receipts import receipt
from dueprocess.history import connection, ledger
from dueprocess.history.append import load_case
from dueprocess.tlog.epoch import EpochTree
from dueprocess.tlog.record import AUDIENCES
from dueprocess.wire import unb64

if TYPE_CHECKING:
    from conftest import Templates

OWN = 100
OTHERS = (1, 10, 1000)


type Collect = Callable[..., list[Seen]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one receipt and its intake receipt show: their shape, which must be one, and numbers, which may vary."""

    shape: str
    numbers: dict[str, float]


def shape(value: Any) -> Any:
    """The names, kinds and lengths in JSON, without its values; whole numbers are kept where they are no place."""
    if isinstance(value, dict):
        return {name: "a place" if name == "place" else shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return f"text of {len(value)}" if isinstance(value, str) else value


def look(receipt_json: bytes, promise_json: bytes) -> Seen:
    """All that an outsider can take from the two files."""
    found, promised = json.loads(receipt_json), json.loads(promise_json)
    record = found["records"][0]
    path = [unb64(each) for each in record["path"]]
    # Higher up, the receipts of one epoch share their hashes.
    low = path[:8]
    numbers = {
        "place": float(record["place"]),
        "case": float(int(found["case"], 16)),
        "commitment": float(int(promised["commitment"], 16)),
        "size": float(len(receipt_json) - len(str(record["place"]))),
        "size of the promise": float(len(promise_json)),
        "different hashes": float(len(set(path))),
    }
    numbers |= {
        f"bits of hash {at}": float(int.from_bytes(each, "big").bit_count()) for at, each in enumerate(low)
    }
    numbers |= {f"first of hash {at}": float(each[0]) for at, each in enumerate(low)}
    return Seen(json.dumps([shape(found), shape(promised)], sort_keys=True), numbers)


@pytest.fixture
def collect(templates: "Templates", tmp_path: Path) -> Iterator[Collect]:
    """Collects the receipts of an office with so many other records in the same epoch."""

    def collected(others: int, own: int = OWN) -> list[Seen]:
        office, _ = templates.copy("sqlite", "brisk", tmp_path / f"office-{others}")
        cases = [office.receive(f"paper {number:03d}") for number in range(own)]
        store = Store(Random(others), records=ledger.records_from(1)[-1].ledger_seq)
        store.fill(others)
        office.wait(hours=6)
        assert max(each.records for each in ledger.epochs_from(0)) >= own + others
        return [
            look(
                receipt(office.desk, load_case(each), None, "requester"),
                promise_path(office.desk, each).read_bytes(),
            )
            for each in cases
        ]

    yield collected
    connection.use("sqlite::memory:")


def told(few: list[Seen], many: list[Seen]) -> set[str]:
    """The measures by which receipts from a busy epoch differ from those of a quiet one."""
    allowed = 4.9 * math.sqrt((len(few) + len(many) + 1) / (12 * len(few) * len(many)))
    busy = [False] * len(few) + [True] * len(many)
    found = {
        name
        for name in few[0].numbers
        if abs(auc([each.numbers[name] for each in few + many], busy) - 0.5) > allowed
    }
    return found | ({"shape"} if {each.shape for each in few} != {each.shape for each in many} else set())


@pytest.mark.slow
def test_receipts_do_not_tell_how_many_others_there_are(collect: Collect) -> None:
    """With 1, 10 and 1,000 other records: one shape, one size, places and hashes of one distribution."""
    one, ten, thousand = (collect(others) for others in OTHERS)
    assert len({each.shape for each in one + ten + thousand}) == 1
    assert len({each.numbers["size"] for each in one + ten + thousand}) == 1
    assert told(one, ten) == set()
    assert told(one, thousand) == set()
    assert told(ten, thousand) == set()
    assert '"ledger_seq"' not in one[0].shape


def _as_few_places_as_needed(count: int) -> list[int]:
    return Random(count).sample(range(count), count)


def _as_short_as_possible(tree: EpochTree, place: int) -> tuple[bytes, ...]:
    levels = len(tree._levels[0]).bit_length()  # noqa: SLF001  the planted leak knows what it hides
    return tuple(tree._sibling(16 - up, place >> up ^ 1) for up in range(levels))  # noqa: SLF001


LEAKS = {
    "place": ("dueprocess.publication.log._free_places", _as_few_places_as_needed),
    "shape": ("dueprocess.tlog.epoch.EpochTree.path", _as_short_as_possible),
}


@pytest.mark.slow
@pytest.mark.parametrize("leak", LEAKS)
def test_each_planted_leak_of_volume_is_found_out(
    collect: Collect, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    """Places no wider than needed; paths no longer than needed."""
    monkeypatch.setattr(*LEAKS[leak])
    assert leak in told(collect(1, 60), collect(1000, 60))


def test_a_number_in_the_ledger_that_is_opened_is_found_out(
    collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the number in the ledger opened to a requester, the shape of the receipt would say so."""
    assert "ledger_seq" not in AUDIENCES["requester"]
    assert "ledger_seq" not in collect(1, 2)[0].shape
    wider = {**AUDIENCES, "requester": (*AUDIENCES["requester"], "ledger_seq")}
    monkeypatch.setattr("dueprocess.publication.receipts.AUDIENCES", wider)
    assert "ledger_seq" in collect(2, 2)[0].shape
