"""`dueprocess collect` as people type it: the tasks in words, an answer, and what to do with the file afterwards."""

import json
from pathlib import Path

import pytest

from desk.collected import CONTRACTS, INSIDE, TICKETS, ready, ticket, written
from dueprocess.cli.collect import DELETE, collect_command
from dueprocess.cli.datamap import check_command
from dueprocess.cli.datamap_plan import page
from dueprocess.cli.next import by_hand, next_command
from dueprocess.cli.place import Place
from dueprocess.desk.demands import authorised
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.worker import production
from dueprocess.worker.clock import set_clock
from office import EVA, Office

pytestmark = pytest.mark.stage("brisk")
Out = pytest.CaptureFixture[str]


@pytest.fixture
def place(office: Office, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("DUEPROCESS_PERSON", "ana")
    monkeypatch.setenv("PLATFORM_DSN", office.environment["PLATFORM_DSN"])
    monkeypatch.chdir(office.root)
    return Place(install=office.root)


def said(capsys: Out) -> str:
    return capsys.readouterr().out


def test_the_way_of_a_task_in_commands(office: Office, place: Place, capsys: Out) -> None:
    """It is on the list of what needs a person; the page says what to write; the worker waits without a word."""
    case_id = ready(office)
    set_clock(office.desk.installation, office.now)
    short = case_id[:8]
    assert "how      a person collects it by hand" in "\n".join(
        page(authorised(office.desk, load_case(case_id), "t1")[1], dated=True)
    )
    assert production.turn(office.desk, office.now) == []
    next_command(place=place)
    assert f"by hand, once it is sealed: dueprocess collect {short} t1  (paper.tickets, paper.contracts)" in (
        said(capsys)
    )
    collect_command(short, "t1", place=place)
    told = said(capsys)
    for words in (
        f"account   {EVA}",
        "window    from 2026-08-12T07:00:00Z until before 2026-09-03T08:00:00Z, by opened; nothing else",
        "window    none: as it is now",
        "when it was, such as 2026-09-01T10:00:00Z; times and lengths of sessions (session.times)",
        "the account, exactly as above",
        "(traffic), without other people: they are taken out by the map's rules",
        "nobody has answered yet",
        f"dueprocess collect {short} t1 {TICKETS} --file FILE",
    ):
        assert words in told, words
    (line,) = [each for each in told.splitlines() if "example" in each and "opened" in each]
    shown = json.loads(line.partition("example")[2])
    assert shown == {
        "account": EVA, "opened": "2026-08-12T07:00:00Z", "address": "…", "seen_with": "…",
    }  # fmt: skip


def test_an_answer_in_commands(office: Office, place: Place, capsys: Out) -> None:
    """What was taken is told by number and digest; the last answer counts; then the worker makes the package."""
    case_id = ready(office)
    set_clock(office.desk.installation, office.now)
    short, path = case_id[:8], written(office, ticket())
    collect_command(short, "t1", TICKETS, file=[path], place=place)
    told = said(capsys)
    assert "1 record of paper.tickets checked and put into the vault." in told
    assert DELETE in told
    assert INSIDE not in told
    assert by_hand(office.desk, load_case(case_id)) == [
        f"{short}  by hand, once it is sealed: dueprocess collect {short} t1  (paper.contracts)"
    ]
    collect_command(short, "t1", CONTRACTS, failed="nobody has the key", place=place)
    assert "It is told as failed, never as nothing held." in said(capsys)
    collect_command(short, "t1", CONTRACTS, nothing_held=True, place=place)
    told = said(capsys)
    assert "Recorded: nothing is held in paper.contracts." in told
    assert DELETE not in told
    collect_command(short, "t1", place=Place(install=office.root, json=True))
    tickets, contracts = json.loads(said(capsys))
    assert (tickets["answer"]["actor"], contracts["answer"]["body"]["outcome"]) == ("ana", "nothing_held")
    assert by_hand(office.desk, load_case(case_id)) == []
    (line,) = production.turn(office.desk, office.now)
    assert "produced p-" in line
    with pytest.raises(RefusedError) as caught:
        collect_command(short, "t1", place=place)
    assert caught.value.code == "produced"


def test_an_answer_names_its_table(office: Office, place: Place) -> None:
    """A file without a table is nobody's answer."""
    case_id = ready(office)
    for given in ({"nothing_held": True}, {"failed": "x"}, {"file": [Path("x.csv")]}):
        with pytest.raises(RefusedError) as caught:
            collect_command(case_id, "t1", place=place, **given)
        assert caught.value.code == "which-table"


def test_a_map_with_paper_fits_the_live_stores(office: Office, place: Place, capsys: Out) -> None:
    """`datamap check` says in words that nothing can be compared there, and does not fail."""
    ready(office)
    (office.root / "worker" / "stores.env").write_text(f"PLATFORM_DSN={office.environment['PLATFORM_DSN']}\n")
    assert check_command(place=place) == 0
    told = said(capsys)
    assert "note: paper.tickets: A person collects this table by hand" in told
    assert "error" not in told
