"""`dueprocess hold` and `release` as people type them: one begins, another confirms, two prolong or end."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.holds import held, keep, letter
from dueprocess.cli.hold import hold_command
from dueprocess.cli.next import owed
from dueprocess.cli.place import Place
from dueprocess.cli.release import release_command
from dueprocess.cli.show import show_command
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.worker.clock import set_clock
from office import EVA, Office

pytestmark = pytest.mark.stage("brisk")
Out = pytest.CaptureFixture[str]


@pytest.fixture
def place(office: Office, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("DUEPROCESS_PERSON", "boris")
    monkeypatch.chdir(office.root)
    return Place(install=office.root)


def key(office: Office, who: str) -> Path:
    return office.root.parent / "people" / f"{who}.json"


def test_the_way_of_a_hold_in_commands(office: Office, place: Place, capsys: Out) -> None:
    """What each person has to do next is named, with the hour by which it must be done."""
    case_id = letter(office)
    assert owed(load_case(case_id)) == [f"{case_id[:8]}  dueprocess hold {case_id[:8]} t1"]
    hold_command(case_id, "t1", key=key(office, "boris"), place=place)
    said = capsys.readouterr().out
    assert EVA in said
    assert "72 hours" in said
    (line,) = owed(load_case(case_id))
    assert "a second person before 2026-09-06" in line
    assert "--confirm" in line
    keep(office)
    hold_command(place=place)
    listed = capsys.readouterr().out
    assert "begun by boris" in listed
    assert "main.sessions: found, 3" in listed
    assert EVA not in listed
    hold_command(case_id, "t1", show=True, place=place)
    assert "Nothing was signed" in capsys.readouterr().out
    hold_command(case_id, "t1", confirm=True, key=key(office, "chi"), place=place)
    assert "Confirmed by two" in capsys.readouterr().out
    assert owed(load_case(case_id)) == []


def test_two_people_prolong_and_end_it_in_commands(office: Office, place: Place, capsys: Out) -> None:
    """What is listed says how it ended; once its key is gone nothing is listed, and the case can be closed."""
    case_id = held(office)
    again = letter(office, answers={"renewals": "once"})
    both = [key(office, "boris"), key(office, "chi")]
    hold_command(case_id, "t1", renew=again, signer=both, place=place)
    assert "Nothing was added" in capsys.readouterr().out
    release_command(case_id, "t1", ground="served", signer=both, place=place)
    capsys.readouterr()
    hold_command(place=Place(install=office.root, json=True))
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["ended"], found["confirmed"]) == ("released", True)
    keep(office)
    assert owed(load_case(case_id)) == [f"{case_id[:8]}  dueprocess close {case_id[:8]}"]
    hold_command(place=place)
    assert "There is no hold" in capsys.readouterr().out


def test_a_hold_is_shown_to_nobody_else(
    office: Office, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither listed nor shown to whoever holds no deciding role."""
    case_id = letter(office)
    hold_command(case_id, "t1", in_place=True, key=key(office, "boris"), place=place)
    monkeypatch.setenv("DUEPROCESS_PERSON", "ana")
    looks: list[Callable[[], None]] = [
        lambda: hold_command(place=place),
        lambda: hold_command(case_id, "t1", show=True, place=place),
        lambda: show_command(case_id, place=place),
    ]
    for look in looks:
        with pytest.raises(RefusedError) as caught:
            look()
        assert caught.value.code == "not-for-you"


def test_one_key_neither_prolongs_nor_ends(office: Office, place: Place) -> None:
    """And two things at once, or none, are no command."""
    case_id = letter(office)
    hold_command(case_id, "t1", key=key(office, "boris"), place=place)
    alone = [key(office, "boris")]
    acts: list[tuple[Callable[[], None], str]] = [
        (lambda: hold_command(case_id, "t1", renew=case_id, signer=alone, place=place), "two-people"),
        (lambda: release_command(case_id, "t1", ground="served", signer=alone, place=place), "two-people"),
        (lambda: hold_command(case_id, "t1", confirm=True, show=True, place=place), "one-thing"),
        (lambda: hold_command(case_id, place=place), "one-thing"),
    ]
    for act, code in acts:
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.code == code


def test_next_tells_what_a_letter_needs_before_its_hold(office: Office) -> None:
    """Narrowing first; an open objection before everything; after the deadline it is the worker's."""
    case_id = letter(office)
    set_clock(office.desk.installation, office.now)
    hold_command(case_id, "t1", key=key(office, "boris"), place=Place(install=office.root))
    office.wait(hours=73)
    keep(office)
    assert owed(load_case(case_id)) == [f"{case_id[:8]}  dueprocess close {case_id[:8]}"]
