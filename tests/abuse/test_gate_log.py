"""Abuse of the gate through rows and the log: what an administrator can delete, edit, add, rewrite or set back.

Each attack begins at a case of which production is due; no parcel may come of it. Sources: security.md 2.4 and
2.6 (abuse 17, 20, 21), formats.md "Gate".
"""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import sabotage
from abuse.attack import flip, parcels, parsed, refusal
from abuse.long_log import run_for
from dueprocess.desk import gatekeeping
from dueprocess.errors import BrokenError, DueprocessError
from dueprocess.history.append import load_case
from dueprocess.publication.signer import LogSigner
from dueprocess.steps import challenge as challenge_steps
from dueprocess.steps import produce as produce_steps
from dueprocess.tlog.checkpoint import Checkpoint, parse_checkpoint
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.note import parse_note
from office import Office
from sabotage import Row, rows

pytestmark = pytest.mark.stage("ready")

DAY = dt.timedelta(days=1)


def test_without_an_attack_it_is_produced(office_on: Office) -> None:
    """The office of these tests is ready: each refusal below comes from its attack."""
    office_on.produce(office_on.cases[0])
    assert len(parcels(office_on)) == 1


# ------------------------------------------------------------------------------- rows taken out, changed, added


def challenged(office: Office) -> None:
    """The user objects, the objection is sealed, and the office goes on with other work."""
    case_id = office.cases[0]
    hand = office.desk.hand("ana", office.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
    office.receive()
    office.wait(hours=6)
    assert refusal(office).code == "challenged"


def count(by: int) -> None:
    """Sets the counter of the ledger."""
    counter = rows("counter")[0]
    sabotage.edit("counter", counter, value=counter["value"] + by)


def objection(table: str) -> Row:
    """The objection's row in a table, found through its ledger record."""
    event = next(row for row in rows("event") if row["kind"] == "ChallengeOpened")
    record = next(
        r for r in rows("record") if (r["case_id"], r["case_seq"]) == (event["case_id"], event["case_seq"])
    )
    placement = next(row for row in rows("placement") if row["ledger_seq"] == record["ledger_seq"])
    return {"event": event, "record": record, "placement": placement}[table]


@pytest.mark.parametrize(
    ("tables", "code"),
    [
        (("event",), "event-missing"),
        (("event", "record"), "ledger-gap"),
        (("event", "record", "placement"), "ledger-gap"),
    ],
)
def test_a_deleted_objection_is_missed(office_on: Office, tables: tuple[str, ...], code: str) -> None:
    """The event alone, with its record, with its record and place: production stays closed."""
    challenged(office_on)
    gone = [(table, objection(table)) for table in tables]
    with sabotage.unguarded():
        for table, row in gone:
            sabotage.delete(table, row)
    assert refusal(office_on).code == code


def test_a_deleted_objection_that_was_not_sealed_yet_is_missed(office_on: Office) -> None:
    """Event and record gone before any epoch closed: the counter of the ledger still knows the number."""
    case_id = office_on.cases[0]
    hand = office_on.desk.hand("ana", office_on.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
    event = next(row for row in rows("event") if row["kind"] == "ChallengeOpened")
    with sabotage.unguarded():
        sabotage.delete("event", event)
        sabotage.delete("record", rows("record")[-1])
    assert refusal(office_on).code == "ledger-gap"


@pytest.mark.parametrize(("counted", "code"), [(0, "ledger-gap"), (-1, "epoch-differs")])
def test_a_deleted_objection_is_missed_when_the_ledger_is_renumbered(
    office_on: Office, counted: int, code: str
) -> None:
    """The counter remembers the number; and with the counter set too, the published epoch has another root."""
    challenged(office_on)
    first = objection("record")["ledger_seq"]
    gone = [(table, objection(table)) for table in ("event", "record", "placement")]
    with sabotage.unguarded():
        for table, row in gone:
            sabotage.delete(table, row)
        for table in ("record", "placement"):
            for row in rows(table):
                if row["ledger_seq"] > first:
                    sabotage.edit(table, row, ledger_seq=row["ledger_seq"] - 1)
        for row in rows("epoch"):
            if row["epoch"] == gone[2][1]["epoch"]:
                sabotage.edit("epoch", row, records=row["records"] - 1)
        count(counted)
    assert refusal(office_on).code == code


@pytest.mark.parametrize(("counted", "code"), [(0, "ledger-gap"), (-1, "history-moved")])
def test_an_objection_hidden_for_a_moment_is_missed(office: Office, counted: int, code: str) -> None:
    """Rows that vanish between the proof and the last look are noticed under the append lock."""
    case_id = office.cases[0]
    hand = office.desk.hand("ana", office.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
    proved = gatekeeping.prove(office.desk, case_id)
    event = next(row for row in rows("event") if row["kind"] == "ChallengeOpened")
    record = rows("record")[-1]
    with sabotage.unguarded():
        sabotage.delete("event", event)
        sabotage.delete("record", record)
        count(counted)
    look = gatekeeping.last_look(office.desk, "t1", "produce", proved, office.now)
    head = produce_steps.Head(proved.log.head_size, proved.log.witnessed)
    with pytest.raises(BrokenError) as caught:
        produce_steps.start_production(case_id, hand, "t1", look=look, plan_sha256="0" * 64, head=head)
    assert caught.value.code == code


@pytest.mark.parametrize("column", ["actor", "recorded_at", "body", "kind", "prev_sha256"])
def test_an_edited_event_is_refused(office_on: Office, column: str) -> None:
    """Any column of the approval, or of an event long before it, with another value of the same shape."""
    values = {
        "actor": "dana",
        "recorded_at": "2026-09-03T08:00:01Z",
        "kind": "DecisionRejected",
        "prev_sha256": "1" * 64,
    }
    for kind, other in (("DecisionApproved", "propose"), ("DemandAssessed", "none")):
        row = next(row for row in rows("event") if row["kind"] == kind)
        changed = values.get(column) or row["body"].replace('"approve"', f'"{other}"').replace(
            "a-court", other
        )
        changed = changed if changed != row[column] else row["body"].replace('":"', '":"x', 1)
        with sabotage.undone():
            with sabotage.unguarded():
                sabotage.edit("event", row, **{column: changed})
            with pytest.raises(BrokenError) as caught:
                gatekeeping.prove(office_on.desk, office_on.cases[0])
            assert caught.value.code in ("record-differs", "bad-row")


def test_an_event_without_a_record_is_refused(office_on: Office) -> None:
    """An objection's end, written into the event table alone, opens nothing."""
    challenged(office_on)
    opened = objection("event")
    closed = {**opened, "case_seq": opened["case_seq"] + 1, "kind": "ChallengeClosed"}
    closed |= {"body": '{"target":"t1","upheld":false}', "prev_sha256": sabotage.sha256_of(parsed(opened))}
    sabotage.insert("event", closed)
    assert refusal(office_on).code == "record-differs"


def test_an_event_with_a_record_of_ones_own_is_refused(office_on: Office) -> None:
    """Without the case's key nobody gives the commitment, however well everything else fits."""
    challenged(office_on)
    opened = objection("event")
    closed = {**opened, "case_seq": opened["case_seq"] + 1, "kind": "ChallengeClosed"}
    closed |= {"body": '{"target":"t1","upheld":false}', "prev_sha256": sabotage.sha256_of(parsed(opened))}
    sabotage.insert("event", closed)
    record = {**rows("record")[-1], "case_id": closed["case_id"], "case_seq": closed["case_seq"]}
    record |= {"ledger_seq": record["ledger_seq"] + 1, "event_sha256": sabotage.sha256_of(parsed(closed))}
    sabotage.insert("record", record)
    assert refusal(office_on).code == "ledger-gap"
    count(+1)
    assert refusal(office_on).code == "record-differs"


@pytest.mark.parametrize(("commitment", "code"), [("f" * 64, "epoch-differs"), ("no digest", "bad-record")])
def test_a_changed_record_of_another_case_is_refused(office_on: Office, commitment: str, code: str) -> None:
    """The worker rebuilds whole epochs, so a record of anybody else's case is as safe as one of this case."""
    office_on.receive()
    office_on.wait(hours=6)
    with sabotage.unguarded():
        sabotage.edit("record", rows("record")[-1], commitment=commitment)
    assert refusal(office_on).code == code


@pytest.mark.parametrize("place", [1, -2, -1])
def test_a_missing_epoch_is_refused(office_on: Office, place: int) -> None:
    """An early, a late and the newest epoch, empty ones too: the published log knows better."""
    office_on.wait(hours=12)
    with sabotage.unguarded():
        sabotage.delete("epoch", rows("epoch")[place])
    assert refusal(office_on).code == "epoch-missing"


# ------------------------------------------------------------------------------------------- the log's files


def newest(office: Office, pattern: str) -> Path:
    """The file of the public log that this size of it rests on."""
    width = len(rows("leaf"))
    found: Path = next(each for each in office.desk.installation.log.glob(pattern) if each.name == str(width))
    return found


@pytest.mark.parametrize("pattern", ["tile/0/**/*", "tile/entries/**/*"])
@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_flipped_bit_in_a_tile_is_refused(office: Office, pattern: str, at: int) -> None:
    """Hashes and entries alike, at the beginning, in the middle and at the end."""
    flip(newest(office, pattern), at)
    assert refusal(office).code in ("tile-differs", "bad-bundle")


def test_one_flipped_bit_in_the_checkpoint_is_refused(office: Office) -> None:
    """Every byte of its text, and bytes all over both signatures."""
    path = office.desk.installation.log / "checkpoint"
    good = path.read_bytes()
    text = good.index(b"\n\n") + 2
    for at in (*range(text), *(each for each in range(text, len(good), 29) if signature_byte(good, each))):
        flip(path, at)
        with pytest.raises(DueprocessError) as caught:
            gatekeeping.prove(office.desk, office.cases[0])
        assert caught.value.code, at
        path.write_bytes(good)
    gatekeeping.prove(office.desk, office.cases[0])


def signature_byte(note: bytes, at: int) -> bool:
    """Whether this byte is of a signature itself. With another name or key id it would be an unknown one, which
    signed-note tells everybody to ignore; the log's other signature then stands alone.
    """
    start = note.rindex(b"\n", 0, at) + 1
    begun = note.index(b" ", start + len("— ".encode())) + 1
    return at >= begun + 8 and note[at] != ord("\n")


def test_a_log_signed_by_another_key_is_refused(office: Office, tmp_path: Path) -> None:
    """The same tree under the same name, signed by a key that the worker has not pinned."""
    path = office.desk.installation.log / "checkpoint"
    other = LogSigner.create(office.desk.pins.origin, tmp_path)
    path.write_text(other.sign(parse_checkpoint(parse_note(path.read_bytes()).text), office.now))
    assert refusal(office).code == "no-known-signature"


def rewritten(office: Office) -> None:
    """The signer itself writes another past: leaf 0 differs, every head after it is signed anew, all files too."""
    place = office.desk.installation
    signer = LogSigner.open(place.origin, place.keys)
    first = rows("leaf")[0]
    frontier = Frontier()
    with sabotage.unguarded():
        sabotage.edit("leaf", first, entry=first["entry"].replace('"k":10', '"k":11'))
        for leaf, head in zip(rows("leaf"), rows("head"), strict=True):
            frontier = frontier.append(leaf_hash(leaf["entry"].encode()))
            signed = signer.sign(Checkpoint(place.origin, frontier.size, frontier.root), office.now)
            sabotage.edit("head", head, root=frontier.root.hex(), checkpoint=signed)
    shutil.rmtree(place.log)
    office.desk.log().publish(office.now)


def test_a_log_that_was_written_anew_is_refused(office_on: Office) -> None:
    """Signed with the right key, whole and consistent in itself: but not a continuation of what the worker saw."""
    gatekeeping.prove(office_on.desk, office_on.cases[0])
    rewritten(office_on)
    assert refusal(office_on).code == "log-rewritten"


def test_a_log_that_was_written_anew_and_grew_is_refused(office: Office) -> None:
    """More leaves than the worker saw do not hide that the old ones are others."""
    gatekeeping.prove(office.desk, office.cases[0])
    rewritten(office)
    office.wait(hours=6)
    assert refusal(office).code == "log-rewritten"


@pytest.mark.parametrize("database_too", [True, False])
def test_a_log_that_was_set_back_is_refused(office: Office, tmp_path: Path, database_too: bool) -> None:  # noqa: FBT001
    """Files of yesterday, with yesterday's database or without: the worker has seen a longer log."""
    log = office.desk.installation.log
    shutil.copytree(log, tmp_path / "log")
    before = sabotage.snapshot()
    challenged(office)
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "log", log)
    if database_too:
        set_back(before)
        assert load_case(office.cases[0]).target("t1").stage == "approved"
    assert refusal(office).code == "log-rolled-back"


def set_back(before: dict[str, list[Row]]) -> None:
    """Gives every table the rows that it had then."""
    with sabotage.unguarded():
        for table, then in before.items():
            for row in rows(table):
                if row not in then:
                    sabotage.delete(table, row)
            for row in then:
                if row not in rows(table):
                    sabotage.insert(table, row)


def test_files_behind_the_database_are_refused(office: Office, tmp_path: Path) -> None:
    """A worker that never looked before still sees that the database goes on where the files end."""
    log = office.desk.installation.log
    shutil.copytree(log, tmp_path / "log")
    office.wait(hours=6)
    (office.desk.installation.worker / "seen-checkpoint").unlink(missing_ok=True)
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "log", log)
    assert refusal(office).code == "log-behind"


def test_a_stale_log_is_refused(office: Office) -> None:
    """A head of the day before yesterday could hide a revocation."""
    office.now += DAY
    assert refusal(office).code == "log-stale"


def test_a_long_log_costs_reading_and_no_more_questions(office: Office) -> None:
    """Ten times as many epochs, up to a page of them, take as many queries; one taken out is still missed."""
    asked = []
    for epochs in (200, 2000):
        run_for(office, epochs)
        with CaptureQueriesContext(connection) as queries:
            gatekeeping.prove(office.desk, office.cases[0])
        asked.append(len(queries))
    assert asked[0] == asked[1]
    with sabotage.unguarded():
        sabotage.delete("epoch", rows("epoch")[1000])
    assert refusal(office).code == "epoch-missing"
