"""Collecting by hand in a whole office: from an archive that no program reads to the package that a court opens."""

import csv
import datetime as dt
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from conftest import Templates
from desk.collected import (
    CONTRACTS,
    INSIDE,
    PAPER,
    TICKETS,
    answer,
    answered,
    opened,
    ready,
    statement,
    ticket,
    with_paper,
    written,
)
from desk.holds import files_with, platform
from dueprocess.cases.invariants import broken_promises
from dueprocess.desk import collecting, decisions, demands, handover
from dueprocess.desk.check import check_everything
from dueprocess.desk.collectedparts import part_names
from dueprocess.desk.collecting import Said
from dueprocess.desk.desk import open_desk
from dueprocess.desk.purging import purge_parcels
from dueprocess.desk.vaultcheck import unnamed_objects
from dueprocess.errors import BrokenError, ConflictError, DueprocessError, RefusedError
from dueprocess.history import connection
from dueprocess.history.append import load_case
from dueprocess.history.leases import leased
from dueprocess.production.livecheck import check_live
from dueprocess.steps import challenge
from dueprocess.vault.vault import object_name
from office import FINN, START, Office, copy_office


@pytest.fixture(scope="module")
def template(templates: Templates, template_folder: Path) -> Office:
    """An office with an archive of paper and an approved disclosure that may be produced. Do not write into it."""
    office, _ = templates.copy("sqlite", "brisk", template_folder / "collecting")
    office.cases = [ready(office)]
    connections.close_all()
    return office


@pytest.fixture
def office(template: Office, quick_folder: Path) -> Iterator[Office]:
    """The same, for one test."""
    yield copy_office(template, quick_folder / "ready")
    connection.use("sqlite::memory:")


@pytest.fixture
def fresh(templates: Templates, quick_folder: Path) -> Iterator[Office]:
    """An office before any case."""
    yield templates.copy("sqlite", "brisk", quick_folder / "fresh")[0]
    connection.use("sqlite::memory:")


def refused(office: Office, case_id: str, *rows: dict[str, Any], table: str = TICKETS) -> DueprocessError:
    with pytest.raises(DueprocessError) as caught:
        answer(office, case_id, table, Said(files=[written(office, *(rows or [ticket()]))]))
    return caught.value


def objects(office: Office) -> set[str]:
    return {each.name for each in office.desk.vault.objects.listed()}


# ---------------------------------------------------------------------------------------------- the journey


def test_a_court_reads_what_a_person_collected_beside_what_programs_did(office: Office) -> None:
    """One live table and two of paper: records, nothing held, who and when and from which file, all in the package."""
    case_id = office.cases[0]
    answered(office, case_id, ticket(), ticket(address="=HYPERLINK(1)", opened="2026-08-21T10:00:00Z"))
    made = office.produce(case_id)
    assert made.tables[-2:] == ["paper.tickets: found 2 records", "paper.contracts: nothing held"]
    package = opened(office, case_id)
    lines = [json.loads(line) for line in package["data/paper/tickets.0001.jsonl"].splitlines()]
    assert [line["address"] for line in lines] == ["198.51.100.7", "=HYPERLINK(1)"]
    assert {line["seen_with"] for line in lines} == {"[withheld: other people]"}
    cells = list(csv.reader(io.StringIO(package["data/paper/tickets.0001.csv"].decode())))
    assert cells[2][2] == "'=HYPERLINK(1)"
    event = load_case(case_id).target("t1").collected[0]
    files: Any = event.body["files"]
    (digest,) = files
    told = statement(package)
    assert told["sources"] == [
        {
            "store": "paper", "kind": "hand", "taken_at": event.recorded_at,
            "table": "tickets", "by": "ana", "files": [digest],
        },
        {
            "store": "paper", "kind": "hand", "taken_at": event.recorded_at,
            "table": "contracts", "by": "ana", "files": [],
        },
    ]  # fmt: skip
    assert [(each["table"], each["status"]) for each in told["entries"]][-2:] == [
        ("tickets", "found"), ("contracts", "nothing_held"),
    ]  # fmt: skip
    page = package["data/index.html"].decode()
    assert f"collected by hand on {event.recorded_at} by ana" in page
    assert f"By hand: paper.tickets: collected by hand on {event.recorded_at}" in (
        package["data/case.jsonld"].decode()
    )
    assert f"-- SHA-256 of the collected file: {digest}" in package["data/queries.sql"].decode()
    assert b"Finn" not in b"".join(package.values())
    assert check_everything(office.desk) == []
    assert list(unnamed_objects(office.desk)) == []
    assert list(broken_promises(list(load_case(case_id).events))) == []


def test_it_is_handed_over_like_any_other_and_gone_with_the_parcel(office: Office, tmp_path: Path) -> None:
    """Thirty days after the hand-over the collected records leave the vault with the parcel; the digests stay."""
    case_id = office.cases[0]
    answered(office, case_id)
    office.produce(case_id)
    office.wait(hours=12)
    handover.deliver(office.desk, case_id, "t1", tmp_path / "p.age", actor="boris", now=office.now)
    (event, _) = load_case(case_id).target("t1").collected
    (name,) = part_names(office.desk, load_case(case_id), event)
    assert office.desk.vault.has(case_id, name)
    office.now += dt.timedelta(days=31)
    assert "the parcel was deleted" in purge_parcels(office.desk, office.now)[0]
    assert not office.desk.vault.has(case_id, name)
    assert check_everything(office.desk) == []


def test_why_it_failed_goes_to_the_authority_and_nowhere_else(office: Office) -> None:
    """In the package in the operator's words; not in an event, not in what the worker prints; never nothing held."""
    case_id = office.cases[0]
    answer(office, case_id, TICKETS, Said(failed="the cellar was under water"))
    answer(office, case_id, CONTRACTS, Said(nothing_held=True))
    made = office.produce(case_id)
    assert made.tables[-2] == "paper.tickets: failed, as the person who was to collect it says in the package"
    (entry,) = [each for each in statement(opened(office, case_id))["entries"] if each["table"] == "tickets"]
    assert (entry["status"], entry["rows"]) == ("failed", 0)
    assert entry["why"].endswith("could not. the cellar was under water")
    assert "cellar" not in repr([event.as_json() for event in load_case(case_id).events])
    for words in ("", "two\nlines", "x" * 501, "a\u202eb"):
        with pytest.raises(DueprocessError) as caught:
            answer(office, case_id, TICKETS, Said(failed=words))
        assert caught.value.code == "bad-reason"


def test_an_account_that_is_gone_from_the_platform_is_still_answered(office: Office) -> None:
    """The archive knows it by the name that the paper has; nobody is told that nothing is held."""
    case_id = office.cases[0]
    answered(office, case_id)
    with platform(office) as store:
        store.executescript("DELETE FROM users; DELETE FROM sessions; DELETE FROM messages;")
    assert office.produce(case_id).tables == [
        "main.users: nothing held", "main.sessions: nothing held", "paper.tickets: found 1 record",
        "paper.contracts: nothing held",
    ]  # fmt: skip


def test_a_map_of_paper_alone_is_answered_by_people_alone(fresh: Office) -> None:
    """Nothing is looked up: the name on the paper is the account, and a person's files decide what is held."""
    path = fresh.root / "datamaps" / "platform.toml"
    head = '[map]\nid = "paper"\nversion = "1"\nplatform = "An archive"\n'
    route = '[[target]]\nkind = "account"\nstore = "paper"\ntable = "tickets"\n'
    route += 'column = "account"\nsubject = "account"\n'
    path.write_text(f"{head}\n{PAPER}\n{route}")
    fresh.desk = open_desk(fresh.root)
    case_id = fresh.approved_case()
    fresh.wait(hours=30)
    answered(fresh, case_id)
    assert fresh.produce(case_id).tables == [
        "paper.tickets: found 1 record",
        "paper.contracts: nothing held",
    ]
    assert "the name that the paper has is the account" in opened(fresh, case_id)["data/queries.sql"].decode()


# ---------------------------------------------------------------------------------------------- not before


def test_nothing_is_made_while_a_table_waits_for_a_person(office: Office) -> None:
    """The refusal names the tables and the command, before production begins; afterwards it goes on."""
    case_id = office.cases[0]
    answer(office, case_id, TICKETS, Said(nothing_held=True))
    with pytest.raises(RefusedError) as caught:
        office.produce(case_id)
    assert caught.value.what == "A person has to collect by hand first: paper.contracts."
    assert f"dueprocess collect {case_id[:8]} t1" in caught.value.do
    assert load_case(case_id).target("t1").stage == "approved"


def test_nobody_collects_or_learns_whose_before_the_gate_opens(fresh: Office) -> None:
    """Not before the approval, not before it is sealed and the user could object, not once it is withdrawn."""
    with_paper(fresh)
    case_id = fresh.assessed_case()
    assert refused(fresh, case_id).code == "not-approved"
    demands.narrow(fresh.desk, case_id, "t1", demands.Choice(), actor="boris", now=fresh.now)
    decisions.propose(fresh.desk, case_id, "t1", fresh.people["boris"], role="reviewer", now=fresh.now)
    assert refused(fresh, case_id).code == "not-approved"
    decisions.approve(fresh.desk, case_id, "t1", fresh.people["chi"], role="reviewer", now=fresh.now)
    before = objects(fresh)
    with pytest.raises(DueprocessError):
        collecting.tasks(fresh.desk, case_id, "t1", now=fresh.now)
    with pytest.raises(DueprocessError):
        answer(fresh, case_id, TICKETS, Said(nothing_held=True))
    fresh.wait(hours=6)
    assert refused(fresh, case_id).code == "notice-window"
    fresh.wait(hours=24)
    decisions.reject(
        fresh.desk,
        case_id,
        "t1",
        fresh.people["boris"],
        role="reviewer",
        reason="wrong-account",
        now=fresh.now,
    )
    assert refused(fresh, case_id).code == "not-approved"
    assert load_case(case_id).target("t1").collected == ()
    assert {
        name for name in objects(fresh) - before if "collected" in office_title(fresh, case_id, name)
    } == set()


def office_title(office: Office, case_id: str, name: str) -> str:
    found = [each for each in office.desk.vault.objects.listed() if each.name == name]
    return office.desk.vault.title(case_id, found[0]) if found else ""


def test_a_decision_that_ran_out_collects_nothing(office: Office) -> None:
    """What two people approved a month ago opens no archive today."""
    case_id = office.cases[0]
    office.now += dt.timedelta(days=40)
    assert refused(office, case_id).code in {"decision-expired", "head-too-old", "stale-head"}


def test_a_map_that_turns_a_live_store_into_paper_opens_nothing(fresh: Office) -> None:
    """Who edits the map after the approval gets no chance to write the answer by hand."""
    case_id = fresh.approved_case()
    fresh.wait(hours=30)
    path = fresh.root / "datamaps" / "platform.toml"
    live = path.read_text()
    paper = live.replace('"${PLATFORM_DSN}"', '"manual:"')
    path.write_text(paper)
    fresh.desk = open_desk(fresh.root)
    with pytest.raises(RefusedError) as caught:
        collecting.tasks(fresh.desk, case_id, "t1", now=fresh.now)
    assert caught.value.code == "plan-differs"
    path.write_text(live + PAPER)
    fresh.desk = open_desk(fresh.root)
    assert refused(fresh, case_id).code == "plan-differs"


def test_an_objection_while_a_person_collects_takes_nothing(office: Office) -> None:
    """The gate is looked at again at the moment of recording; what was put into the vault meanwhile is removed."""
    case_id, before = office.cases[0], objects(office)
    looks: list[dt.datetime] = []

    def clock() -> dt.datetime:
        looks.append(office.now)
        if len(looks) == 2:
            hand = office.desk.hand("boris", office.now, case_id)
            challenge.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
        return office.now

    said, of = Said(files=[written(office, ticket())]), collecting.Of(case_id, "t1", TICKETS)
    with pytest.raises(RefusedError) as caught:
        collecting.collect(office.desk, of, said, actor="ana", now=clock, clock=lambda: office.now)
    assert (len(looks), caught.value.code) == (2, "challenged")
    assert load_case(case_id).target("t1").collected == ()
    assert [each for each in unnamed_objects(office.desk) if "part" in each.title] == []
    assert len(objects(office) - before) <= 1  # the list alone, without any record


def test_nobody_collects_while_the_worker_is_at_this_target(office: Office) -> None:
    """What one program reads the other must not replace."""
    case_id = office.cases[0]
    with leased([f"target {case_id}:t1"[:80]], lambda: office.now):
        error = refused(office, case_id)
    assert (type(error), error.code) == (ConflictError, "leased")


# ---------------------------------------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"account": FINN}, "File 1, line 2: this record is of another account."),
        ({"opened": "2026-07-01T10:00:00Z"}, "File 1, line 2: this record lies outside of the window."),
        ({"body": "x"}, "File 1, line 2: the column 'body' is not wanted."),
        ({"address": ...}, "File 1, line 2: the column 'address' is missing."),
    ],
)
def test_a_file_with_one_wrong_record_leaves_nothing(
    office: Office, change: dict[str, Any], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Refused with its line; nothing in the vault, no event, no value in the refusal or on the screen."""
    case_id = office.cases[0]
    before = objects(office)
    row = {name: value for name, value in ticket(**change).items() if value is not ...}
    error = refused(office, case_id, ticket(), row)
    assert error.what == said
    assert objects(office) == before
    assert load_case(case_id).target("t1").collected == ()
    assert FINN not in f"{error.what}{error.why}{error.do}{''.join(capfd.readouterr())}"


def test_a_table_of_another_kind_and_two_answers_at_once_are_refused(office: Office) -> None:
    """A live table is nobody's to write; an answer is one of three."""
    case_id = office.cases[0]
    assert refused(office, case_id, table="main.sessions").code == "no-such-table"
    for said in (Said(), Said(nothing_held=True, failed="x"), Said(files=[Path("x.csv")] * 101)):
        with pytest.raises(DueprocessError) as caught:
            answer(office, case_id, TICKETS, said)
        assert caught.value.code in {"one-answer", "too-many-files"}


def test_the_last_answer_counts_and_the_first_leaves_the_vault(office: Office) -> None:
    """A correction replaces what was there, also by nothing held; after the package none is taken."""
    case_id = office.cases[0]
    answer(office, case_id, TICKETS, Said(files=[written(office, ticket(address="192.0.2.200"))]))
    (first,) = load_case(case_id).target("t1").collected
    (name,) = part_names(office.desk, load_case(case_id), first)
    answered(office, case_id, ticket(address="192.0.2.201"))
    assert not office.desk.vault.has(case_id, name)
    answer(office, case_id, CONTRACTS, Said(failed="nobody has the key"))
    answer(office, case_id, CONTRACTS, Said(nothing_held=True))
    assert check_everything(office.desk) == []
    assert list(unnamed_objects(office.desk)) == []
    made = office.produce(case_id)
    assert made.tables[-2:] == ["paper.tickets: found 1 record", "paper.contracts: nothing held"]
    told = opened(office, case_id)["data/paper/tickets.0001.jsonl"]
    assert b"192.0.2.201" in told
    assert b"192.0.2.200" not in told
    assert refused(office, case_id).code == "produced"


def test_the_same_file_twice_is_one_answer_that_stands(office: Office) -> None:
    """Collected again without a change, the parts that both name stay."""
    case_id = office.cases[0]
    answered(office, case_id)
    answered(office, case_id)
    assert check_everything(office.desk) == []
    assert office.produce(case_id).tables[-2] == "paper.tickets: found 1 record"


def test_what_changed_in_the_vault_is_never_handed_over(office: Office) -> None:
    """A flipped byte, an object that is gone, a list swapped for another: broken, and `fsck` says so."""
    case_id = office.cases[0]
    answered(office, case_id)
    case = load_case(case_id)
    event = case.target("t1").collected[0]
    (name,) = part_names(office.desk, case, event)
    path = office.desk.installation.vault / object_name(case_id, office.desk.keys.keys(case_id), name)
    whole = path.read_bytes()
    for damage in (bytes([*whole[:-1], whole[-1] ^ 1]), b""):
        path.chmod(0o600)
        path.write_bytes(damage) if damage else path.unlink()
        with pytest.raises(BrokenError):
            office.produce(case_id)
        assert [(fault.table, fault.row) for fault in check_everything(office.desk)] == [
            ("vault", f"{case_id[:8]}/t1")
        ]
    assert load_case(case_id).target("t1").produced is None
    path.write_bytes(whole)
    assert check_everything(office.desk) == []


# ---------------------------------------------------------------------------------------------- nothing in the clear


def test_nothing_of_the_data_is_anywhere_in_the_clear(
    office: Office, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not in the database, its log, a temporary file, on the screen, in an event, nor in the vault's files or names."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    case_id = office.cases[0]
    answered(office, case_id, ticket(address="198.51.100.77", seen_with="Mallory"))
    office.produce(case_id)
    office.wait(hours=12)
    said = "".join(capfd.readouterr()) + "".join(office.seen)
    told = repr([event.as_json() for event in load_case(case_id).events])
    for words in ("198.51.100.77", "Mallory", INSIDE):
        assert list(files_with(office.root, words.encode())) == []
        assert list(files_with(tmp_path, words.encode())) == []
        assert words not in said
        assert words not in told


def test_erasing_the_case_destroys_what_was_collected(office: Office, tmp_path: Path) -> None:
    """With the case's key; nothing is left that could be opened."""
    case_id = office.cases[0]
    answered(office, case_id)
    office.produce(case_id)
    office.wait(hours=12)
    case, before = load_case(case_id), objects(office)
    names = [name for event in case.target("t1").collected for name in part_names(office.desk, case, event)]
    assert all(office.desk.vault.has(case_id, name) for name in names)
    office.desk.vault.remove(case_id)
    office.desk.keys.destroy(case_id)
    assert len(objects(office)) < len(before)


def test_the_map_is_checked_where_there_is_something_to_check(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of paper is a note in words, and no error."""
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    found = check_live(office.desk.datamap, None)
    assert [(each.severity, each.table) for each in found if each.store == "paper"] == [
        ("note", "tickets"), ("note", "contracts"),
    ]  # fmt: skip
    assert "error" not in {each.severity for each in found}


def test_a_hold_keeps_nothing_of_paper_and_says_so(fresh: Office) -> None:
    """The snapshot of a hold has the live tables; a table that a person collects is failed in it, not nothing held."""
    from desk.holds import begin, hold_of, keep, letter

    with_paper(fresh)
    case_id = letter(fresh, until=START)
    begin(fresh, case_id)
    keep(fresh)
    taken = hold_of(case_id).taken
    assert taken is not None
    told: Any = taken.body["tables"]
    assert [(each["table"], each["status"]) for each in told] == [
        ("users", "found"), ("sessions", "found"), ("messages", "found"), ("tickets", "failed"),
        ("contracts", "failed"),
    ]  # fmt: skip
