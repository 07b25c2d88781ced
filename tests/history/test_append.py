"""How history grows: one event after another, whoever else writes at the same moment, on both databases."""

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

import sabotage
from dueprocess.cases.events import FIRST, Draft
from dueprocess.errors import (
    BrokenError,
    ConflictError,
    DueprocessError,
    MalformedError,
    RefusedError,
    UnavailableError,
)
from dueprocess.history import connection, ledger
from dueprocess.history.append import Hand, append, load_case, load_events
from dueprocess.history.connection import append_lock
from dueprocess.history.docket import docket, full_id
from dueprocess.history.fsck import FsckKeys, fsck
from dueprocess.steps.receive import receive
from dueprocess.steps.take import take
from dueprocess.tlog.policy import Policy
from sabotage import rows

KEY = b"k" * 32
NOW = dt.datetime(2026, 9, 1, 8, 0, tzinfo=dt.UTC)
HAND = Hand("ana", NOW, KEY)
DOUBT = Draft("RequesterDoubted", {"findings": ["mail_only"]})


def arrived(case_id: str) -> str:
    """A case that has its first event."""
    receive(case_id, HAND, paper_sha256="0" * 64, nonce=b"n" * 32, channel="mail", media="pdf", size_bytes=9)
    return case_id


def fits() -> bool:
    """Whether fsck finds nothing; there is no log here, so its key does not matter."""
    return fsck(FsckKeys(lambda _: KEY, b"m" * 32, (Policy((), (), (), "none"),))) == []


def at_once(*acts: Callable[[], object]) -> list[BaseException | None]:
    """Runs each in a thread of its own, started together; gives what each raised."""
    barrier = threading.Barrier(len(acts))
    raised: list[BaseException | None] = [None] * len(acts)

    def run(place: int) -> None:
        try:
            barrier.wait()
            acts[place]()
        except DueprocessError as error:
            raised[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def in_order(numbers: list[int]) -> bool:
    return numbers == list(range(1, len(numbers) + 1))


def ledger_is_whole() -> bool:
    """No gap, and no event that two records name."""
    records = rows("record")
    named = {(row["case_id"], row["case_seq"]) for row in records}
    return in_order([row["ledger_seq"] for row in records]) and len(named) == len(records) == len(
        rows("event")
    )


@pytest.mark.slow
def test_of_two_who_saw_the_same_case_one_wins(store: str) -> None:
    """100 rounds: two append at once to the case that both saw; one is told to look again, nothing is lost."""
    for number in range(100):
        case_id = arrived(f"{number // 10:032x}") if number % 10 == 0 else f"{number // 10:032x}"
        seen = load_case(case_id).last_seq
        raised = at_once(*[lambda: take(case_id, lambda _: [DOUBT], HAND, expected=seen)] * 2)  # noqa: B023
        lost = [error for error in raised if error is not None]
        assert [type(error) for error in lost] == [ConflictError]
        assert load_case(case_id).last_seq == seen + 1
    assert ledger_is_whole()
    assert fits()


@pytest.mark.slow
def test_of_two_who_saw_nothing_both_are_kept_in_order(store: str) -> None:
    """100 rounds: without a number to compare both appends are taken, one after the other, with no number twice."""
    for number in range(100):
        case_id = f"{number // 10:032x}"
        if number % 10 == 0:
            arrived(case_id)
        raised = at_once(*[lambda: take(case_id, lambda _: [DOUBT], HAND)] * 2)  # noqa: B023
        assert raised == [None, None]
    assert [len(load_events(f"{number:032x}")) for number in range(10)] == [21] * 10
    assert ledger_is_whole()
    assert fits()


DRIVER = """
import sys, datetime as dt
from dueprocess.history import connection, ready
connection.use(sys.argv[1])
from dueprocess.cases.events import Draft
from dueprocess.history.append import Hand
from dueprocess.steps.take import take
hand = Hand(sys.argv[2], dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC), b"k" * 32)
for each in range(30):
    take("c" * 32, lambda _: [Draft("RequesterDoubted", {"findings": ["mail_only"]})], hand)
"""


@pytest.mark.slow
def test_processes_share_one_order(store: str) -> None:
    """Three programs append to one case at once: ninety events in one chain, and a ledger without a gap."""
    arrived("c" * 32)
    programs = [
        subprocess.Popen([sys.executable, "-c", DRIVER, store, who]) for who in ("ana", "boris", "chi")
    ]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    events = load_events("c" * 32)
    assert in_order([event.case_seq for event in events])
    assert [event.actor for event in events].count("chi") == 30
    assert len(events) == 91
    assert ledger_is_whole()
    assert fits()


def test_two_cases_never_share_a_ledger_number(store: str) -> None:
    """Appends to different cases at once go through the same lock, so the ledger counts on without a gap."""
    ids = [f"{number:032x}" for number in range(6)]
    assert at_once(*[lambda each=each: arrived(each) for each in ids]) == [None] * 6
    assert ledger_is_whole()


def test_what_is_rolled_back_leaves_no_gap(store: str) -> None:
    """A step that fails after its append leaves neither event nor record nor docket row, and no number unused."""
    case_id = arrived("a" * 32)
    before = sabotage.snapshot()

    def fails(failure: type[BaseException]) -> None:
        with append_lock():
            append(case_id, [DOUBT, DOUBT], HAND)
            raise failure

    for failure in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(failure):
            fails(failure)
        assert sabotage.snapshot() == before
    take(case_id, lambda _: [DOUBT], HAND)
    assert ledger_is_whole()
    assert fits()


def test_a_refused_move_writes_nothing(store: str) -> None:
    """An event that the table of stages does not allow here is refused whole, the drafts before it too."""
    case_id = arrived("a" * 32)
    before = sabotage.snapshot()
    with pytest.raises(RefusedError) as caught:
        take(
            case_id,
            lambda _: [DOUBT, Draft("CaseRegistered", {"period": "2026H2", "row_sha256": "0" * 64})],
            HAND,
        )
    assert caught.value.code == "wrong-stage"
    assert sabotage.snapshot() == before


def test_each_event_names_the_one_before_it(store: str) -> None:
    """The first links to zeros, each later one to the digest over every column of its predecessor."""
    case_id = arrived("a" * 32)
    take(case_id, lambda _: [DOUBT, DOUBT], HAND)
    events = load_events(case_id)
    assert [event.prev_sha256 for event in events] == [FIRST, events[0].sha256, events[1].sha256]


def test_a_stage_follows_from_the_events(store: str) -> None:
    """Nobody assigns a stage: the case and its docket line have what folding the events gives."""
    case_id = arrived("a" * 32)
    assert load_case(case_id).stage == "received"
    take(
        case_id, lambda _: [Draft("CaseClosed", {"outcomes": {}})], Hand("boris", NOW + dt.timedelta(1), KEY)
    )
    assert load_case(case_id).stage == "closed"
    line = docket(stage="closed")[0]
    assert (line.case_id, line.events) == (case_id, 2)
    assert (line.received_at, line.updated_at) == ("2026-09-01T08:00:00Z", "2026-09-02T08:00:00Z")
    assert docket(stage="received") == []


def test_a_case_is_found_by_the_beginning_of_its_id(store: str) -> None:
    """Four characters or more that fit one case; fewer, none or several are refused."""
    for case_id in ("abcd" + "0" * 28, "abce" + "0" * 28):
        arrived(case_id)
    assert full_id("ABCD") == "abcd" + "0" * 28
    for wrong in ("abc", "ffff", "abc%", ""):
        with pytest.raises(RefusedError) as caught:
            full_id(wrong)
        assert caught.value.code == "no-such-case"


def test_a_stale_view_of_a_case_is_a_conflict(store: str) -> None:
    """Whoever decided on what they saw is told that the case moved."""
    case_id = arrived("a" * 32)
    take(case_id, lambda _: [DOUBT], HAND, expected=1)
    with pytest.raises(ConflictError) as caught:
        take(case_id, lambda _: [DOUBT], HAND, expected=1)
    assert caught.value.code == "case-moved"


def test_an_append_outside_the_lock_is_refused(store: str) -> None:
    """No caller can forget the lock."""
    with pytest.raises(BrokenError) as caught:
        append("a" * 32, [DOUBT], HAND)
    assert caught.value.code == "no-lock"


def test_a_step_inside_another_transaction_is_refused(store: str) -> None:
    """The append lock is the outermost transaction, or its commit would promise nothing."""
    with append_lock(), pytest.raises(RuntimeError, match="durable"), append_lock():
        pass  # pragma: no cover


def test_a_clock_that_ran_back_is_refused(store: str) -> None:
    """History is never dated back; the same second is fine."""
    case_id = arrived("a" * 32)
    take(case_id, lambda _: [DOUBT], HAND)
    with pytest.raises(BrokenError) as caught:
        take(case_id, lambda _: [DOUBT], Hand("ana", NOW - dt.timedelta(seconds=1), KEY))
    assert caught.value.code == "clock-ran-back"


def test_times_are_kept_in_whole_seconds(store: str) -> None:
    """A clock that counts finer cannot make an event that seems older than the one before it."""
    case_id = arrived("a" * 32)
    for micros in (0, 500_000, 0, 999_999):
        take(case_id, lambda _: [DOUBT], Hand("ana", NOW + dt.timedelta(microseconds=micros), KEY))
    assert {event.recorded_at for event in load_events(case_id)} == {"2026-09-01T08:00:00Z"}


def test_receiving_twice_is_receiving_once(store: str) -> None:
    """The same case id again, after a crash say, gives the event that is there."""
    arrived("a" * 32)
    arrived("a" * 32)
    assert len(load_events("a" * 32)) == 1


def test_a_row_in_the_way_is_a_conflict(store: str) -> None:
    """A number that somebody wrote past the lock is met with a conflict, never overwritten."""
    case_id = arrived("a" * 32)
    record = rows("record")[0]
    sabotage.insert("record", {**record, "ledger_seq": 77, "case_seq": 2})
    with pytest.raises(ConflictError) as caught:
        take(case_id, lambda _: [DOUBT], HAND)
    assert caught.value.code == "case-moved"
    assert len(load_events(case_id)) == 1


BAD_BODIES = [
    "",
    "[]",
    "{",
    '{"findings": []}',
    '{"findings":[],"findings":[]}',
    '{"findings":1}',
    '{"x":[]}',
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_nobody_wrote_is_never_read(store: str, body: str) -> None:
    """Bytes that are not the canonical body of their kind stop whoever reads the case."""
    case_id = arrived("a" * 32)
    take(case_id, lambda _: [DOUBT], HAND)
    with sabotage.unguarded():
        sabotage.edit("event", rows("event")[-1], body=body)
    with pytest.raises(BrokenError) as caught:
        load_events(case_id)
    assert caught.value.code == "bad-row"


def test_a_record_without_its_event_stops_the_epoch(store: str) -> None:
    """The log's worker does not seal what it cannot date."""
    arrived("a" * 32)
    with sabotage.unguarded():
        sabotage.delete("event", rows("event")[0])
    with pytest.raises(BrokenError) as caught:
        ledger.waiting()
    assert caught.value.code == "event-missing"


def test_a_store_that_is_not_there_is_said(store: str, tmp_path: Path) -> None:
    """A missing file, a dead server and an address of neither kind, each with what to do."""
    with pytest.raises(UnavailableError) as missing:
        connection.reachable(f"sqlite:{tmp_path / 'none.db'}")
    assert missing.value.code == "no-store"
    dead = "postgresql://postgres@127.0.0.1:1/none"
    connection.use(dead)
    with pytest.raises(UnavailableError) as caught:
        connection.reachable(dead)
    assert caught.value.code == "store-unavailable"
    with pytest.raises(UnavailableError) as caught, append_lock():
        pass  # pragma: no cover
    assert caught.value.code == "store-unavailable"
    with pytest.raises(MalformedError):
        connection.use("mysql://root@127.0.0.1/dueprocess")
    connection.use(store)


def test_creating_tables_again_changes_nothing(store: str) -> None:
    """An upgrade that has nothing to do leaves tables, guards and rows as they are."""
    arrived("a" * 32)
    before = sabotage.snapshot()
    connection.create_tables()
    assert sabotage.snapshot() == before
    assert fits()
