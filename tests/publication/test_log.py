"""The log's pace and its head: every epoch looks alike, and no two heads have one size, whoever signs."""

import datetime as dt
import threading
from pathlib import Path

import pytest
from django.db import connections

import sabotage
from dueprocess.errors import BrokenError, ConflictError, MalformedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.append import Hand
from dueprocess.history.connection import append_lock
from dueprocess.publication.durable import exclusively, write_durable
from dueprocess.publication.log import Log
from dueprocess.publication.signer import LogSigner
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.steps.receive import receive
from dueprocess.tlog.checkpoint import parse_checkpoint
from dueprocess.tlog.leaf import EPOCH_LEAF_BYTES, EpochLeaf, RegisterLeaf, parse_leaf
from dueprocess.tlog.note import parse_note
from sabotage import rows

ORIGIN = "chat.example/dueprocess/1"
START = dt.datetime(2026, 9, 1, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def signer(quick_folder: Path) -> LogSigner:
    return LogSigner.create(ORIGIN, quick_folder / "log.pem")


def a_log(folder: Path, signer: LogSigner) -> Log:
    return Log(folder / "log", signer, b"m" * 32, epoch_seconds=3600)


def arrive(number: int, now: dt.datetime) -> None:
    receive(f"{number:032x}", Hand("ana", now, b"k" * 32), paper_sha256="0" * 64, nonce=b"n" * 32, channel="mail",
            media="pdf", size_bytes=9)  # fmt: skip


def published(folder: Path) -> int:
    return parse_checkpoint(parse_note((folder / "log" / "checkpoint").read_bytes()).text).size


def test_a_busy_epoch_looks_like_an_empty_one(store: str, quick_folder: Path, signer: LogSigner) -> None:
    """Zero, one, seven and no demands again: leaves of one length, one an epoch, numbered without a gap."""
    log = a_log(quick_folder, signer)
    log.close_due(START)
    number = 0
    for hour, demands in enumerate((0, 1, 7, 0), start=1):
        for _ in range(demands):
            arrive(number := number + 1, START + hour * HOUR - HOUR / 2)
        assert log.close_due(START + hour * HOUR) == 1
    leaves = [row["entry"].encode() for row in rows("leaf")]
    assert {len(leaf) for leaf in leaves} == {EPOCH_LEAF_BYTES}
    epochs = [leaf.epoch for leaf in map(parse_leaf, leaves) if isinstance(leaf, EpochLeaf)]
    assert epochs == list(range(epochs[0], epochs[0] + 5))
    assert [row["records"] for row in rows("epoch")] == [0, 0, 1, 7, 0]
    assert list(tile_faults(quick_folder / "log")) == []


def test_what_was_missed_is_closed_epoch_by_epoch(store: str, quick_folder: Path, signer: LogSigner) -> None:
    """After two days without the worker there is a leaf for each hour, and a second run finds nothing to do."""
    log = a_log(quick_folder, signer)
    log.close_due(START)
    arrive(1, START + 3 * HOUR + HOUR / 2)
    assert log.close_due(START + 48 * HOUR) == 48
    assert log.close_due(START + 48 * HOUR) == 0
    assert [row["records"] for row in rows("epoch")].index(1) == 4
    assert published(quick_folder) == 49


def test_places_say_nothing_about_order(store: str, quick_folder: Path, signer: LogSigner) -> None:
    """Records lie at different random places of their epoch, not in the order in which they came."""
    log = a_log(quick_folder, signer)
    log.close_due(START)
    for number in range(40):
        arrive(number, START + HOUR / 2)
    log.close_due(START + HOUR)
    places = [row["place"] for row in rows("placement")]
    assert len(set(places)) == 40
    assert places != sorted(places)
    assert max(places) > 1000


def work(log: Log, digit: str, raised: list[BaseException]) -> None:
    """A hundred turns of one signer: a rare leaf three times of four, else whatever epochs are due."""
    try:
        for turn in range(100):
            if turn % 4:
                log.add(RegisterLeaf("2026H2", digit * 64))
            else:
                log.close_due(START + (turn + 1) * HOUR)
    except BaseException as error:  # noqa: BLE001  told to the test
        raised.append(error)
    finally:
        connections.close_all()


def together(logs: list[Log], folder: Path) -> tuple[list[BaseException], list[int]]:
    """Lets each log work in a thread of its own; gives what they raised, and the sizes that a reader saw."""
    raised: list[BaseException] = []
    sizes: list[int] = []
    workers = [
        threading.Thread(target=work, args=(log, digit, raised))
        for log, digit in zip(logs, "ab", strict=True)
    ]
    for thread in workers:
        thread.start()
    while any(thread.is_alive() for thread in workers):
        sizes.append(published(folder))
    for thread in workers:
        thread.join()
    return raised, sizes


@pytest.mark.slow
def test_two_signers_never_make_two_heads_of_one_size(
    store: str, quick_folder: Path, signer: LogSigner
) -> None:
    """200 rounds: two logs on one database and one folder close, add and publish at once; a reader looks on."""
    logs = [a_log(quick_folder, signer), a_log(quick_folder, signer)]
    logs[0].close_due(START)
    raised, sizes = together(logs, quick_folder)
    assert raised == []
    heads, epochs = rows("head"), [row["epoch"] for row in rows("epoch")]
    assert [row["size"] for row in heads] == list(range(1, len(rows("leaf")) + 1))
    assert len({row["root"] for row in heads}) == len(heads) == 98 + 2 * 75
    assert epochs == list(range(epochs[0], epochs[0] + 98))
    assert sizes == sorted(sizes), "a published checkpoint was replaced by an older one"
    assert list(tile_faults(quick_folder / "log")) == []


def test_a_second_head_of_one_size_cannot_be_stored(
    store: str, quick_folder: Path, signer: LogSigner
) -> None:
    """Compare-and-swap in the database: a signer that read an older head is told so."""
    a_log(quick_folder, signer).close_due(START)
    head = ledger.head()
    assert head is not None
    with pytest.raises(ConflictError) as caught, append_lock():
        ledger.add_leaf(head.size, "other", head)
    assert caught.value.code == "head-moved"
    assert len(rows("leaf")) == 1
    closed = ledger.last_epoch()
    assert closed is not None
    with pytest.raises(ConflictError), append_lock():
        ledger.close_epoch(closed, {}, "other", head)


def test_a_head_knows_when_its_newest_epoch_was_closed(
    store: str, quick_folder: Path, signer: LogSigner
) -> None:
    """A rare leaf has no time of its own, so neither has its head."""
    log = a_log(quick_folder, signer)
    log.add(RegisterLeaf("2026H2", "a" * 64))
    first = ledger.head()
    assert first is not None
    assert first.signed_at == ""
    log.close_due(START)
    log.add(RegisterLeaf("2026H2", "b" * 64))
    newest = ledger.head()
    assert newest is not None
    assert newest.signed_at == "2026-09-01T08:00:00Z"
    assert [head.size for head in ledger.heads()] == [1, 2, 3]


def test_altered_leaves_are_not_signed_over(store: str, quick_folder: Path, signer: LogSigner) -> None:
    """A signer that starts afresh compares the leaves with the head that was signed, before it signs another."""
    a_log(quick_folder, signer).close_due(START)
    with sabotage.unguarded():
        sabotage.edit("leaf", rows("leaf")[0], entry=rows("leaf")[0]["entry"].replace("t", "T", 1))
    with pytest.raises(BrokenError) as caught:
        a_log(quick_folder, signer).close_due(START + HOUR)
    assert caught.value.code == "log-altered"


def test_a_database_that_was_set_back_is_not_published(
    store: str, quick_folder: Path, signer: LogSigner
) -> None:
    """The public log cannot be taken back: a shorter or other database stops the signer."""
    log = a_log(quick_folder, signer)
    log.close_due(START)
    log.close_due(START + HOUR)
    with sabotage.undone():
        with sabotage.unguarded():
            for table in ("leaf", "head", "epoch"):
                sabotage.delete(table, rows(table)[-1])
        with pytest.raises(BrokenError) as caught:
            a_log(quick_folder, signer).publish()
        assert caught.value.code == "log-ahead"
    other = LogSigner.create(ORIGIN, quick_folder / "other.pem")
    with pytest.raises(MalformedError):
        a_log(quick_folder, other).publish()


def test_a_forked_folder_is_not_grown(store: str, quick_folder: Path, signer: LogSigner) -> None:
    """Files signed by the same key about another past are not continued."""
    a_log(quick_folder, signer).close_due(START)
    path = quick_folder / "log" / "checkpoint"
    text = parse_checkpoint(parse_note(path.read_bytes()).text)
    path.write_text(signer.sign(type(text)(text.origin, 1, b"\1" * 32)))
    with pytest.raises(BrokenError) as caught:
        a_log(quick_folder, signer).close_due(START + HOUR)
    assert caught.value.code == "log-forked"


def test_an_empty_log_publishes_nothing(store: str, quick_folder: Path, signer: LogSigner) -> None:
    """Before the first leaf there is no head and no file."""
    log = a_log(quick_folder, signer)
    log.publish()
    assert list((quick_folder / "log").iterdir()) == []
    with pytest.raises(UnavailableError) as caught:
        log.read("checkpoint")
    assert caught.value.code == "tile-missing"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """An unwritable place is said, and what was there stays."""
    write_durable(tmp_path / "a", b"1")
    write_durable(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"2"
    for wrong in (tmp_path / "a" / "b",):
        with pytest.raises(UnavailableError) as caught:
            write_durable(wrong, b"3")
        assert caught.value.code == "cannot-publish"
    with pytest.raises(UnavailableError), exclusively(tmp_path / "a"):
        pass  # pragma: no cover
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_signing_key_is_opened_or_said_to_be_wrong(tmp_path: Path, signer: LogSigner) -> None:
    """Missing, garbled, and of another kind; a key that exists is never replaced."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    with pytest.raises(UnavailableError):
        LogSigner.open(ORIGIN, tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(MalformedError):
        LogSigner.open(ORIGIN, tmp_path / "bad.pem")
    other = generate_private_key(SECP256R1())
    (tmp_path / "ec.pem").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(MalformedError):
        LogSigner.open(ORIGIN, tmp_path / "ec.pem")
    LogSigner.create(ORIGIN, tmp_path / "log.pem")
    with pytest.raises(ConflictError):
        LogSigner.create(ORIGIN, tmp_path / "log.pem")
