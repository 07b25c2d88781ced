"""`dueprocess resolve` as people type it: what is decided, what comes of it, and what stays inside."""

from pathlib import Path

import pytest

from desk.holds import keep
from desk.resolutions import MAIL, NOBODY, SHARED, approve, asked, narrow, on_the_platform, propose, resolve
from desk.test_preserved import letter
from dueprocess.cli.decide import propose_command
from dueprocess.cli.hold import hold_command
from dueprocess.cli.next import owed
from dueprocess.cli.place import Place
from dueprocess.cli.produce import produce_command
from dueprocess.cli.resolve import resolve_command
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.worker.clock import set_clock
from office import EVA, Office

pytestmark = pytest.mark.stage("brisk")
Out = pytest.CaptureFixture[str]


@pytest.fixture
def place(office: Office, monkeypatch: pytest.MonkeyPatch) -> Place:
    on_the_platform(office)
    monkeypatch.setenv("DUEPROCESS_PERSON", "boris")
    for name, value in office.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(office.root)
    return Place(install=office.root)


def decided(office: Office, place: Place, value: str) -> str:
    case_id = asked(office, "email", value)
    narrow(office, case_id, "t1")
    key = office.root.parent / "people" / "boris.json"
    propose_command(case_id, "t1", key=Path(key), place=place)
    approve(office, case_id)
    return case_id


def test_the_way_of_a_resolution_in_commands(office: Office, place: Place, capsys: Out) -> None:
    """Whoever signs reads one question; the answer is references; each is narrowed next."""
    case_id = decided(office, place, MAIL)
    said = capsys.readouterr().out
    assert f"Find out which account is meant by {MAIL} (email)" in said
    assert "the vault, and nobody" in said
    (line,) = owed(load_case(case_id))
    assert line.endswith(f"dueprocess resolve {case_id[:8]} t1")
    office.wait(hours=12)
    set_clock(office.desk.installation, office.now)
    resolve_command(case_id, "t1", place=place)
    said = capsys.readouterr().out
    assert "Found behind t1: t2." in said
    assert (EVA in said, MAIL in said) == (False, False)
    assert owed(load_case(case_id)) == [f"{case_id[:8]}  dueprocess narrow {case_id[:8]} t2"]
    resolve_command(case_id, "t1", place=place)
    assert f"dueprocess narrow {case_id[:8]} t2" in capsys.readouterr().out
    with pytest.raises(RefusedError) as caught:
        resolve_command(case_id, "t2", place=place)
    assert caught.value.code == "not-resolving"


def test_produce_asks_the_question_too_and_nobody_is_said_once(
    office: Office, place: Place, capsys: Out
) -> None:
    """The production worker does what was decided, whatever the command is called."""
    case_id = decided(office, place, NOBODY)
    office.wait(hours=12)
    set_clock(office.desk.installation, office.now)
    produce_command(case_id, "t1", place=place)
    said = capsys.readouterr().out
    assert "No account was found behind t1" in said
    assert "Collected" not in said
    assert owed(load_case(case_id)) == [f"{case_id[:8]}  dueprocess close {case_id[:8]}"]


def test_an_address_of_two_accounts_is_said_to_be_none_and_is_over(
    office: Office, place: Place, capsys: Out
) -> None:
    """Once and again the same words, without a number; what is left is to close the case."""
    case_id = decided(office, place, SHARED)
    office.wait(hours=12)
    set_clock(office.desk.installation, office.now)
    capsys.readouterr()
    for _ in range(2):
        resolve_command(case_id, "t1", place=place)
        said = capsys.readouterr().out
        assert "t1 does not mean exactly one account" in said
        assert [words for words in (EVA, SHARED, "2 accounts") if words in said] == []
    assert owed(load_case(case_id)) == [f"{case_id[:8]}  dueprocess close {case_id[:8]}"]


def test_a_renewed_letter_to_an_address_is_taken_by_the_account_behind_it(
    office: Office, place: Place, capsys: Out
) -> None:
    """Of the renewed paper the account that was found counts, and the address that stands for it does not."""
    first, again = (decided_letter(office) for _ in range(2))
    office.wait(hours=12)
    for case_id in (first, again):
        resolve(office, case_id)
    narrow(office, first, "t2")
    people = office.root.parent / "people"
    hold_command(first, "t2", key=people / "boris.json", place=place)
    keep(office)
    hold_command(first, "t2", confirm=True, key=people / "chi.json", place=place)
    capsys.readouterr()
    both = [people / "boris.json", people / "chi.json"]
    hold_command(first, "t2", renew=again, signer=both, place=place)
    assert "Nothing was added" in capsys.readouterr().out


def decided_letter(office: Office) -> str:
    """A letter to preserve that names a mail address, of which two people signed that it is resolved."""
    case_id = letter(office)
    propose(office, case_id)
    approve(office, case_id)
    return case_id
