"""What a test of collecting by hand does in an office: a map with a paper archive, files, answers, the open parcel."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyrage

from dueprocess.cases.events import Event
from dueprocess.delivery.handover import parcel_path
from dueprocess.desk import collecting
from dueprocess.desk.collecting import Of, Said
from dueprocess.desk.desk import open_desk
from dueprocess.history.append import load_case
from office import EVA, Office

PAPER = """
[store.paper]
connect = "manual:"
max_rows = 200

[[table]]
store = "paper"
name = "tickets"
subject = "account"
time = { column = "opened", unit = "iso" }
[table.columns]
opened = { category = "session.times" }
address = { category = "traffic" }
seen_with = { category = "traffic", third_party = ["mask"] }

[[table]]
store = "paper"
name = "contracts"
subject = "account"
[table.columns]
signed_as = { category = "subscriber.identity" }
"""
TICKETS, CONTRACTS = "paper.tickets", "paper.contracts"
INSIDE = "2026-08-20T10:00:00Z"


def with_paper(office: Office, text: str = PAPER) -> Office:
    """The same office, which also keeps an archive that no program reads."""
    path = office.root / "datamaps" / "platform.toml"
    path.write_text(path.read_text() + text)
    office.desk = open_desk(office.root)
    return office


def ready(office: Office) -> str:
    """An approved disclosure about Eva, sealed, with the user's time to object over."""
    with_paper(office)
    case_id = office.approved_case()
    office.wait(hours=30)
    return case_id


def ticket(**changes: Any) -> dict[str, Any]:
    row = {"account": EVA, "opened": INSIDE, "address": "198.51.100.7", "seen_with": "Finn"}
    return {**row, **changes}


def written(office: Office, *rows: dict[str, Any], name: str = "tickets.jsonl") -> Path:
    """A person's file of JSON lines."""
    path = office.root.parent / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def answer(office: Office, case_id: str, table: str, said: Said, actor: str = "ana") -> Event:
    return collecting.collect(
        office.desk, Of(case_id, "t1", table), said, actor=actor, now=lambda: office.now
    )


def answered(office: Office, case_id: str, *rows: dict[str, Any]) -> None:
    """Both tables: tickets from a file, no contracts."""
    answer(office, case_id, TICKETS, Said(files=[written(office, *(rows or [ticket()]))]))
    answer(office, case_id, CONTRACTS, Said(nothing_held=True))


def opened(office: Office, case_id: str) -> dict[str, bytes]:
    """Every file of the answer package, as the court reads it."""
    produced = load_case(case_id).target("t1").produced
    assert produced is not None
    sealed = parcel_path(office.desk.installation.parcels, produced.text("parcel_id")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(sealed, [office.officer]))) as bag:
        found = ((each.name.split("/", 1)[1], bag.extractfile(each)) for each in bag if each.isfile())
        return {name: file.read() for name, file in found if file is not None}


def statement(package: dict[str, bytes]) -> Any:
    return json.loads(package["data/statement.json"])
