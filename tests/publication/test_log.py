"""The log's pace and its head: every epoch looks alike, and no two heads have one size, whoever signs."""

import datetime as dt
from pathlib import Path

import pytest

import sabotage
from dueprocess.errors import BrokenError, ConflictError, MalformedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.connection import append_lock
from dueprocess.publication.durable import exclusively, write_durable
from dueprocess.publication.signer import LogSigner
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.tlog.checkpoint import Checkpoint, open_checkpoint
from dueprocess.tlog.epoch import PLACES
from dueprocess.tlog.leaf import EPOCH_LEAF_BYTES, EpochLeaf, GapLeaf, RegisterLeaf, parse_leaf
from dueprocess.tlog.note import parse_note, verify_note
from dueprocess.tlog.policy import Policy, format_policy, parse_policy
from publication.bench import HOUR, ORIGIN, START, Bench
from sabotage import rows

REGISTER = RegisterLeaf("2026H2", "a" * 64)


def test_a_busy_epoch_looks_like_an_empty_one(bench: Bench) -> None:
    """Zero, one, seven and no demands again: leaves of one length, one an epoch, numbered without a gap."""
    log = bench.log()
    log.close_due(START)
    for hour, demands in enumerate((0, 1, 7, 0), start=1):
        for _ in range(demands):
            bench.arrive(START + hour * HOUR - HOUR / 2)
        assert log.close_due(START + hour * HOUR) == 1
    leaves = [row["entry"].encode() for row in rows("leaf")]
    assert {len(leaf) for leaf in leaves} == {EPOCH_LEAF_BYTES}
    epochs = [leaf.epoch for leaf in map(parse_leaf, leaves) if isinstance(leaf, EpochLeaf)]
    assert epochs == list(range(epochs[0], epochs[0] + 5))
    assert [row["records"] for row in rows("epoch")] == [0, 0, 1, 7, 0]
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []


def test_missed_epochs_get_one_gap_leaf(bench: Bench) -> None:
    """After two days without the worker: one leaf that names what was missed, one for the epoch that has just ended."""
    log = bench.log()
    log.close_due(START)
    bench.arrive(START + 3 * HOUR + HOUR / 2)
    assert log.close_due(START + 48 * HOUR) == 1
    assert log.close_due(START + 48 * HOUR) == 0
    first, gap, last = (parse_leaf(row["entry"].encode()) for row in rows("leaf"))
    assert isinstance(first, EpochLeaf)
    assert isinstance(last, EpochLeaf)
    assert gap == GapLeaf(first.epoch + 1, last.epoch - 1)
    assert last.epoch == first.epoch + 48
    assert [row["size"] for row in rows("head")] == [1, 2, 3]
    assert [row["records"] for row in rows("epoch")] == [0, 1]
    assert [row["leaf_index"] for row in rows("epoch")] == [0, 2]
    assert bench.published().checkpoint.size == 3
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []


def test_one_missed_epoch_is_a_gap_of_one(bench: Bench) -> None:
    """From and to are the same epoch; none missed leaves no gap."""
    log = bench.log()
    log.close_due(START)
    log.close_due(START + HOUR)
    log.close_due(START + 3 * HOUR)
    leaves = [parse_leaf(row["entry"].encode()) for row in rows("leaf")]
    gaps = [each for each in leaves if isinstance(each, GapLeaf)]
    missed = ledger.epochs_from(0)[1].epoch + 1
    assert gaps == [GapLeaf(missed, missed)]


def test_a_record_dated_ahead_does_not_hold_up_the_others(bench: Bench) -> None:
    """Everything that waits goes into the epoch that is closed, whatever time its writer's clock showed."""
    log = bench.log()
    log.close_due(START)
    bench.arrive(START + 100 * HOUR)
    bench.arrive(START)
    log.close_due(START + HOUR)
    assert [row["records"] for row in rows("epoch")] == [0, 2]
    assert ledger.waiting() == []


def test_places_say_nothing_about_order(bench: Bench) -> None:
    """Records lie at different random places of their epoch, not in the order in which they came."""
    log = bench.log()
    log.close_due(START)
    for _ in range(40):
        bench.arrive(START + HOUR / 2)
    log.close_due(START + HOUR)
    places = [row["place"] for row in rows("placement")]
    assert len(set(places)) == 40
    assert places != sorted(places)
    assert max(places) > 1000


def test_what_does_not_fit_waits_for_the_next_epoch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for eight, ten records fill one epoch with the first eight; two go into the next, none is lost."""
    assert PLACES == 65_536
    log = bench.log()
    log.close_due(START)
    for _ in range(10):
        bench.arrive()
    monkeypatch.setattr("dueprocess.publication.log.PLACES", 8)
    log.close_due(START + HOUR)
    assert [row.ledger_seq for row in ledger.waiting()] == [9, 10]
    log.close_due(START + 2 * HOUR)
    epochs = [row.epoch for row in ledger.epochs_from(0)]
    placed = [[row.ledger_seq for row in ledger.placed_in(each)] for each in epochs]
    assert placed == [[], [1, 2, 3, 4, 5, 6, 7, 8], [9, 10]]


def test_a_record_whose_event_is_gone_is_not_sealed(bench: Bench) -> None:
    """One query finds it among others; nothing is signed, and the epoch stays open."""
    log = bench.log()
    log.close_due(START)
    for _ in range(3):
        bench.arrive()
    with sabotage.unguarded():
        sabotage.delete("event", rows("event")[1])
    with pytest.raises(BrokenError) as caught:
        log.close_due(START + HOUR)
    assert caught.value.code == "event-missing"
    assert len(rows("head")) == len(rows("epoch")) == 1


def test_waiting_records_are_read_with_two_queries(bench: Bench) -> None:
    """However many wait: the last placement, then records with their events."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for _ in range(5):
        bench.arrive()
    with CaptureQueriesContext(connection) as asked:
        assert len(ledger.waiting()) == 5
        assert [row.ledger_seq for row in ledger.waiting(2)] == [1, 2]
    assert len(asked) == 4


def test_each_head_carries_both_signatures_and_its_time(bench: Bench) -> None:
    """Ed25519 and ML-DSA-44, the second with the signer's own time; either alone is enough for a policy."""
    log = bench.log()
    log.close_due(START)
    log.add(REGISTER, START + HOUR / 4)
    notes = [parse_note(row["checkpoint"].encode()) for row in rows("head")]
    signed = [verify_note(note, bench.signer.vkeys) for note in notes]
    assert [[each.vkey.algorithm for each in both] for both in signed] == [[1, 6], [1, 6]]
    times = [int(START.timestamp()), int((START + HOUR / 4).timestamp())]
    assert [both[1].timestamp for both in signed] == times
    assert bench.published().log_vkeys == bench.signer.vkeys


def test_a_published_file_tells_no_working_time(bench: Bench) -> None:
    """Its time of change is the time of the turn, in whole seconds, however long the work before it took."""
    for _ in range(3):
        bench.arrive()
    bench.log().close_due(START)
    files = [each for each in (bench.folder / "log").rglob("*") if each.is_file()]
    assert len(files) == 3
    assert {each.stat().st_mtime for each in files} == {START.timestamp()}


def test_a_second_head_of_one_size_cannot_be_stored(bench: Bench) -> None:
    """Compare-and-swap in the database: a signer that read an older head is told so."""
    bench.log().close_due(START)
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


def test_a_head_knows_when_its_newest_epoch_was_closed(bench: Bench) -> None:
    """A rare leaf has no time of its own, so neither has its head."""
    log = bench.log()
    log.add(REGISTER, START)
    first = ledger.head()
    assert first is not None
    assert first.signed_at == ""
    log.close_due(START)
    log.add(RegisterLeaf("2026H2", "b" * 64), START)
    newest = ledger.head()
    assert newest is not None
    assert newest.signed_at == "2026-09-01T08:00:00Z"
    assert [head.size for head in ledger.heads()] == [1, 2, 3]
    assert ledger.head_at(2) is not None
    assert ledger.head_at(4) is None


def test_a_register_is_found_by_its_half_year(bench: Bench) -> None:
    """With its index, the first of its kind."""
    log = bench.log()
    log.close_due(START)
    assert log.find(RegisterLeaf, "2026H2") is None
    assert log.add(REGISTER, START) == 1
    assert log.find(RegisterLeaf, "2026H2") == (1, REGISTER)
    assert log.find(RegisterLeaf, "2027H1") is None


def test_a_clock_that_was_set_back_signs_nothing(bench: Bench) -> None:
    """An hour back refuses in words, also while nothing is due; a minute's difference of two programs does not."""
    log = bench.log()
    log.close_due(START)
    log.add(REGISTER, START + HOUR / 2)
    for back in (START - HOUR, START + HOUR / 4):
        for act in (log.close_due, lambda now: log.add(REGISTER, now)):
            with pytest.raises(UnavailableError) as caught:
                act(back)
            assert caught.value.code == "clock-ran-back"
            assert "2026-09-01T08:30:00Z" in caught.value.what
    assert len(rows("head")) == 2
    log.add(REGISTER, START + HOUR / 2 - dt.timedelta(seconds=30))
    times = [
        verify_note(parse_note(row["checkpoint"].encode()), bench.signer.vkeys)[1] for row in rows("head")
    ]
    assert times[1].timestamp == times[2].timestamp, "the log is never dated back"


def test_a_new_program_knows_when_the_log_was_last_signed(bench: Bench) -> None:
    """The clock is compared with what is stored, not with this program's memory."""
    bench.log().close_due(START)
    with pytest.raises(UnavailableError) as caught:
        bench.log().close_due(START - 2 * HOUR)
    assert caught.value.code == "clock-ran-back"
    assert len(rows("epoch")) == 1


def test_altered_leaves_are_not_signed_over(bench: Bench) -> None:
    """A signer that starts afresh compares the leaves with the head that was signed, before it signs another."""
    bench.log().close_due(START)
    with sabotage.unguarded():
        sabotage.edit("leaf", rows("leaf")[0], entry=rows("leaf")[0]["entry"].replace("t", "T", 1))
    with pytest.raises(BrokenError) as caught:
        bench.log().close_due(START + HOUR)
    assert caught.value.code == "log-altered"


def test_a_head_that_others_signed_is_not_built_on(bench: Bench) -> None:
    """A stored head with a bad or foreign signature stops the signer."""
    bench.log().close_due(START)
    head = rows("head")[0]
    other = LogSigner.create(ORIGIN, bench.folder / "other")
    foreign = other.sign(Checkpoint(ORIGIN, 1, bytes.fromhex(head["root"])), START)
    with sabotage.unguarded():
        sabotage.edit("head", head, checkpoint=foreign)
    with pytest.raises(BrokenError) as caught:
        bench.log().close_due(START + HOUR)
    assert caught.value.code == "head-altered"
    assert len(rows("head")) == 1


def cut(tables: tuple[str, ...] = ("leaf", "head", "epoch")) -> None:
    """Sets the database back by one epoch, without a trace in it."""
    with sabotage.unguarded():
        for table in tables:
            sabotage.delete(table, rows(table)[-1])


def test_a_database_that_was_set_back_signs_nothing(bench: Bench) -> None:
    """The public log cannot be taken back: a shorter database stops the signer before it signs."""
    log = bench.log()
    log.close_due(START)
    log.close_due(START + HOUR)
    cut()
    for act in (bench.log().publish, bench.log().close_due, lambda now: bench.log().add(REGISTER, now)):
        with pytest.raises(BrokenError) as caught:
            act(START + 2 * HOUR)
        assert caught.value.code == "log-ahead"
    assert len(rows("head")) == 1


def test_a_log_of_another_key_is_not_grown(bench: Bench) -> None:
    """What lies in the folder must be signed by this log."""
    bench.log().close_due(START)
    bench.signer = LogSigner.create(ORIGIN, bench.folder / "other")
    bench.set_policy()
    with pytest.raises(MalformedError):
        bench.log().publish(START)
    with pytest.raises(MalformedError):
        bench.log().close_due(START + HOUR)


def test_a_forked_folder_is_not_grown(bench: Bench) -> None:
    """Files signed by the same key about another past are not continued, and nothing is signed."""
    bench.log().close_due(START)
    path = bench.folder / "log" / "checkpoint"
    path.write_text(bench.signer.sign(Checkpoint(ORIGIN, 1, b"\1" * 32), START))
    with pytest.raises(BrokenError) as caught:
        bench.log().close_due(START + HOUR)
    assert caught.value.code == "log-forked"
    assert len(rows("head")) == 1


def test_an_empty_log_publishes_nothing(bench: Bench) -> None:
    """Before the first leaf there is no head and no file."""
    log = bench.log()
    found = log.publish(START)
    assert (found.size, found.head_size, found.witnessed, found.missing) == (0, 0, False, ())
    assert list((bench.folder / "log").iterdir()) == []
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []
    with pytest.raises(UnavailableError) as caught:
        log.read("checkpoint")
    assert caught.value.code == "tile-missing"


def test_a_rolled_back_epoch_leaves_the_signer_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails after the gap leaf was written: the same program goes on afterwards without a false alarm."""
    log = bench.log()
    log.close_due(START)
    with monkeypatch.context() as broken:
        broken.setattr(ledger, "close_epoch", _full)
        with pytest.raises(UnavailableError):
            log.close_due(START + 5 * HOUR)
    assert len(rows("leaf")) == 1
    log.add(REGISTER, START + 5 * HOUR)
    log.close_due(START + 5 * HOUR)
    assert [row["size"] for row in rows("head")] == [1, 2, 3, 4]
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []


def _full(*_: object) -> None:
    raise UnavailableError("store-unavailable", "The disk is full.")


def test_a_crash_at_any_step_of_publishing_is_repaired_by_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each file that is written the program dies once; the next one makes log and folder whole."""
    from dueprocess.publication import log as module

    bench.log().close_due(START)
    for hour in range(1, 4):
        for survived in range(4):
            written: list[Path] = []

            def dying(
                path: Path, data: bytes, *, at: dt.datetime, left: int = survived, done: list[Path] = written
            ) -> None:
                if len(done) == left:
                    raise KeyboardInterrupt
                done.append(path)
                write_durable(path, data, at=at)

            with monkeypatch.context() as broken:
                broken.setattr(module, "write_durable", dying)
                try:
                    bench.log().close_due(START + hour * HOUR)
                except KeyboardInterrupt:
                    assert len(written) == survived
        bench.log().publish(START + hour * HOUR)
        assert bench.published().checkpoint.size == hour + 1
        assert list(tile_faults(bench.folder / "log", bench.policy)) == []


def test_what_a_killed_publisher_left_is_cleared_away(bench: Bench) -> None:
    """Half-written files are no part of the log; the next program takes them away before it writes."""
    log = bench.log()
    log.close_due(START)
    halves = [bench.folder / "log" / ".new-abc", bench.folder / "log" / "tile" / "0" / ".new-def"]
    for each in halves:
        each.write_text("half")
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []
    bench.log().close_due(START + HOUR)
    assert not any(each.exists() for each in halves)


def test_a_checkpoint_that_is_no_head_of_this_log_is_named(bench: Bench) -> None:
    """Missing, changed, of another head, or without one of the log's signatures: each is a fault of the file."""
    log = bench.log()
    log.close_due(START)
    folder, path = bench.folder / "log", bench.folder / "log" / "checkpoint"
    good = path.read_bytes()
    ed25519_only = b"".join(good.splitlines(keepends=True)[:-1])
    other = bench.signer.sign(Checkpoint(ORIGIN, 1, b"\1" * 32), START).encode()
    for bad in (b"", good.replace(b"\n1\n", b"\n2\n"), ed25519_only, other, b"garbage"):
        path.write_bytes(bad)
        assert [name for name, _ in tile_faults(folder, bench.policy)] == ["checkpoint"], bad
    path.write_bytes(good)
    assert list(tile_faults(folder, bench.policy)) == []


def test_a_head_with_one_signature_is_named_though_the_database_agrees(bench: Bench) -> None:
    """Whoever changed table and file alike cannot make the second signature go unmissed."""
    bench.log().close_due(START)
    path = bench.folder / "log" / "checkpoint"
    one = b"".join(path.read_bytes().splitlines(keepends=True)[:-1])
    path.write_bytes(one)
    with sabotage.unguarded():
        sabotage.edit("head", rows("head")[0], checkpoint=one.decode())
    ((name, what),) = tile_faults(bench.folder / "log", bench.policy)
    assert name == "checkpoint"
    assert "lacks the log's signature" in what


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


def test_signing_keys_are_opened_or_said_to_be_wrong(tmp_path: Path) -> None:
    """Missing, garbled, and of another kind, by the file's name; keys that exist are never replaced."""
    from dueprocess.publication.signer import ED25519_FILE, ML_DSA_44_FILE

    signer = LogSigner.create(ORIGIN, tmp_path)
    assert LogSigner.open(ORIGIN, tmp_path).vkeys == signer.vkeys
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in (ED25519_FILE, ML_DSA_44_FILE)} == {0o600}
    with pytest.raises(ConflictError):
        LogSigner.create(ORIGIN, tmp_path)
    for name, other in ((ED25519_FILE, ML_DSA_44_FILE), (ML_DSA_44_FILE, ED25519_FILE)):
        good = (tmp_path / name).read_bytes()
        for bad in (b"no key", (tmp_path / other).read_bytes()):
            (tmp_path / name).write_bytes(bad)
            with pytest.raises(MalformedError) as caught:
                LogSigner.open(ORIGIN, tmp_path)
            assert name in caught.value.what
        (tmp_path / name).unlink()
        with pytest.raises(UnavailableError):
            LogSigner.open(ORIGIN, tmp_path)
        (tmp_path / name).write_bytes(good)
    (tmp_path / ML_DSA_44_FILE).unlink()
    again = LogSigner.create(ORIGIN, tmp_path)
    assert again.vkeys[0] == signer.vkeys[0], "an interrupted run's key is taken"
    open_checkpoint(again.sign(Checkpoint(ORIGIN, 1, bytes(32)), START).encode(), _policy(again))


def _policy(signer: LogSigner) -> Policy:
    return parse_policy(format_policy(signer.vkeys))
