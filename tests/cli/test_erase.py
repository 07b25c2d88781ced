"""The commands around erasure and receipts, as they are typed: what they print and write."""

import json
from pathlib import Path
from typing import Any

import pytest

from dueprocess.cli.cases import cases_command
from dueprocess.cli.erase import erase_command
from dueprocess.cli.fsck import fsck_command
from dueprocess.cli.place import Place
from dueprocess.cli.receipt import receipt_command
from dueprocess.cli.receive import receive_command
from dueprocess.cli.show import show_command
from dueprocess.errors import EXIT_CODES, BrokenError
from dueprocess.history.docket import docket
from dueprocess.tlog.note import parse_vkey
from dueprocess.tlog.promise import parse_promise, verify_promise
from dueprocess.tlog.receipt import verify_receipt
from office import Office

pytestmark = pytest.mark.stage("brisk")


def keys(office: Office) -> list[Path]:
    return [office.root.parent / "people" / f"{name}.json" for name in ("boris", "chi")]


def test_an_erasure_as_it_is_typed(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """The certificate's day is on the screen; lists, the case and fsck show the erasure afterwards."""
    at = Place(install=office.root)
    case_id = office.receive("an advertisement")
    office.close(case_id)
    office.wait(hours=6)
    erase_command(case_id[:8], ground="received-in-error", signer=keys(office), place=at)
    said = capsys.readouterr().out
    assert f"Case {case_id[:8]} is erased: the paper was never meant for this service." in said
    assert "the last copy of the key goes on 2026-10-" in said
    cases_command(place=at)
    assert "its contents are destroyed" in capsys.readouterr().out
    show_command(case_id[:8], place=at)
    assert "Erased" in capsys.readouterr().out
    assert fsck_command(place=at) == 0
    assert "1 case (1 erased)" in capsys.readouterr().out
    erase_command(
        case_id[:8],
        ground="received-in-error",
        signer=keys(office),
        place=Place(install=office.root, json=True),
    )
    found: Any = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["case"], found["records_kept"]) == ("erasure", case_id, 3)


def test_fsck_lists_what_it_protects_and_what_it_cannot_see(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every column with its check, without opening anything; and beside a clean result what was not checked."""
    assert fsck_command(protected=True, place=Place(json=True)) == 0
    listed = json.loads(capsys.readouterr().out)["protected"]
    assert {"table": "counter", "column": "value"}.items() <= next(
        each for each in listed if (each["table"], each["column"]) == ("counter", "value")
    ).items()
    assert len(listed) > 30
    assert fsck_command(place=Place(install=office.root, json=True)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["broken"] == []
    assert "I9" in found["not_checked"]


def test_fsck_names_the_promise_that_is_broken(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """A lost key is said with its promise, in the text and by its number in the JSON."""
    case_id = office.receive("a paper")
    office.desk.keys.destroy(case_id)
    assert fsck_command(place=Place(install=office.root, json=True)) == EXIT_CODES[BrokenError]
    assert json.loads(capsys.readouterr().out)["broken"] == ["I7"]
    assert fsck_command(place=Place(install=office.root)) == EXIT_CODES[BrokenError]
    assert "(I7: every state is what its events say)" in capsys.readouterr().out


def test_receipts_as_they_are_typed(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Received with a receipt, asked for it again, then the requester's own: three files that verify."""
    at, paper, first = Place(install=office.root), tmp_path / "paper.txt", tmp_path / "first.json"
    paper.write_text("a paper")
    receive_command(paper, receipt=first, place=at)
    assert f"Intake receipt, to hand to whoever sent it: {first}" in capsys.readouterr().out
    case_id = docket()[0].case_id
    assert parse_promise(first.read_bytes()).case == case_id
    receipt_command(case_id[:8], whom="intake", out=tmp_path / "second.json", place=at)
    assert (tmp_path / "second.json").read_bytes() == first.read_bytes()
    vkey = parse_vkey((office.root / "public" / "intake.vkey").read_text().strip())
    assert verify_promise(first.read_bytes(), vkey).case == case_id
    office.wait(hours=6)
    receipt_command(case_id[:8], whom="requester", out=tmp_path / "third.json", place=at)
    assert verify_receipt((tmp_path / "third.json").read_bytes(), office.desk.policy).audience == "requester"
    receive_command(paper, place=at)
    assert "outbox/intake-" in capsys.readouterr().out
