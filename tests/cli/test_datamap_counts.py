"""Counts beside a plan: from the record of an approved production, never from a store."""

import json
import tarfile
from io import BytesIO
from typing import Any

import pyrage
import pytest

from dueprocess.cli.datamap_counts import NONE, Counts, counts_of, words
from dueprocess.cli.datamap_plan import plan_command
from dueprocess.cli.place import Place
from dueprocess.delivery.handover import parcel_path
from dueprocess.desk.demands import authorised
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from office import Office

type Out = pytest.CaptureFixture[str]


def shown(office: Office, case_id: str, capsys: Out, *, as_json: bool = False) -> Any:
    capsys.readouterr()
    plan_command(case=case_id[:8], target="t1", place=Place(install=office.root, json=as_json))
    told = capsys.readouterr().out
    return json.loads(told) if as_json else told


def statement(office: Office, case_id: str) -> Any:
    """The statement inside the answer package, as its requester reads it."""
    produced = load_case(case_id).target("t1").produced
    assert produced is not None
    sealed = parcel_path(office.desk.installation.parcels, produced.text("parcel_id")).read_bytes()
    with tarfile.open(fileobj=BytesIO(pyrage.decrypt(sealed, [office.officer]))) as bag:
        [name] = [each for each in bag.getnames() if each.endswith("data/statement.json")]
        file = bag.extractfile(name)
        assert file is not None
        return json.load(file)


@pytest.mark.stage("ready")
def test_nothing_is_counted_before_the_production(office: Office, capsys: Out) -> None:
    """Approved, sealed, the gate open: still no number, no event, and no word of the store's credentials."""
    case_id = office.cases[0]
    before = [(line.case_id, line.updated_at) for line in docket()]
    assert shown(office, case_id, capsys).endswith("No store was opened, and nothing was counted.\n")
    value = shown(office, case_id, capsys, as_json=True)
    assert value["counted"] is False
    assert "counts" not in value
    assert [(line.case_id, line.updated_at) for line in docket()] == before


@pytest.mark.stage("produced")
def test_the_counts_are_those_of_the_answer_package(office: Office, capsys: Out) -> None:
    """Entry by entry what the package's own statement says, and nothing is added to history."""
    case_id = office.cases[0]
    events = len(load_case(case_id).events)
    value = shown(office, case_id, capsys, as_json=True)
    entries = statement(office, case_id)["entries"]
    names = ("store", "table", "status", "rows")
    assert value["counts"] == [{name: each[name] for name in names} for each in entries]
    assert any(each["rows"] for each in value["counts"])
    assert (value["counted"], value["map_changed"]) == (True, False)
    told = shown(office, case_id, capsys)
    for each in entries:
        assert f"  counted  {words(each)}" in told
    assert f"the production of {value['counted_at']}, from the case's history." in " ".join(told.split())
    assert len(load_case(case_id).events) == events


@pytest.mark.stage("produced")
def test_a_map_that_changed_since_is_told(office: Office, capsys: Out) -> None:
    """The plan shown is today's; where it is not the one that was produced, that is said."""
    path = office.root / "datamaps" / "platform.toml"
    path.write_text(path.read_text().replace('version = "1"', 'version = "2"'))
    assert "The data map has changed since" in " ".join(shown(office, office.cases[0], capsys).split())


def test_entries_of_one_name_are_told_in_order() -> None:
    """Two entries with one label, an entry that is not there, a hold's entries: each its own number or none."""
    entry: dict[str, Any] = {"store": "media", "table": "uploads", "status": "found", "rows": 2}
    counts = Counts(
        "2026-09-03T08:00:00Z",
        (
            entry,
            {**entry, "status": "failed", "rows": 1},
            {**entry, "store": "hold-1", "status": "nothing_held"},
        ),
    )
    assert counts.lines("media", "uploads") == ["  counted  found 2"]
    assert counts.lines("media", "uploads") == ["  counted  failed, after 1"]
    assert counts.lines("media", "uploads") == ["  counted  no entry of this name"]
    assert counts.held("hold-1") == ["  counted  uploads: nothing held"]
    assert NONE.lines("media", "uploads") == []
    assert NONE.held("hold-1") == []


@pytest.mark.stage("ready")
def test_a_target_without_a_production_has_none(office: Office) -> None:
    """An approval alone gives no count."""
    case = load_case(office.cases[0])
    _, plan = authorised(office.desk, case, "t1")
    assert counts_of(case.target("t1"), plan) is NONE
