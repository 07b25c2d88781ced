"""An answer for an authority without a key, as production leaves it: encrypted to the case's own key."""

import datetime as dt
import hashlib
import io
import json
import tarfile
from typing import Any

import pyrage

from dueprocess.delivery.handover import parcel_path
from dueprocess.desk import demands, rosters
from dueprocess.history.append import load_case
from dueprocess.steps import produce as steps
from office import Office

PARCEL_ID = "p-0123456789abcdef"
ROWS = [{"control_number": "7F3K-000001", "name": "@eva:chat.example", "score": 0.5}]


def enrol_agency(office: Office, handover: str, who: str = "b-agency") -> None:
    """An authority that has no key."""
    document = rosters.authority_document(
        who, name="Agency of Example", country="US", authority_class="agency", handover=handover
    )
    rosters.enrol(office.desk, document, [office.people["boris"], office.people["chi"]], office.now)


def bag(rows: list[dict[str, Any]]) -> bytes:
    """A small opened parcel."""
    out = io.BytesIO()
    files = {
        "data/main/users.0001.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in rows),
        "data/main/users.0001.csv": b"name\r\n",
        "data/redactions.jsonl": b'{"never": "spoken"}\n',
        "data/main/files/notes.jsonl": b'{"never": "spoken"}\n',
    }
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{PARCEL_ID}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def produced_by_hand(
    office: Office,
    handover: str = "sealed_medium",
    *,
    findings: tuple[str, ...] = ("called_back",),
    categories: tuple[str, ...] = ("subscriber.identity",),
    rows: list[dict[str, Any]] | None = None,
) -> str:
    """A case whose parcel waits for a recorded hand-over, sealed in the log. Returns its id."""
    enrol_agency(office, handover)
    case_id = office.receive()
    demands.authenticate(
        office.desk, case_id, authority="b-agency", findings=list(findings), actor="ana", now=office.now
    )
    demands.read(office.desk, case_id, office.demand(), country="US", actor="ana", now=office.now)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    office.decide(case_id)
    office.wait(hours=30)
    desk, given = office.desk, ROWS if rows is None else rows
    key = pyrage.x25519.Identity.from_str(desk.keys.keys(case_id).identity)
    parcel = pyrage.encrypt(bag(given), [key.to_public()])
    path = parcel_path(desk.installation.parcels, PARCEL_ID)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(parcel)
    hand = desk.hand("production", office.now, case_id)
    state = load_case(case_id).target("t1")
    head = steps.Head(1, witnessed=False)
    steps.start_production(
        case_id, hand, "t1", look=lambda _: [], plan_sha256=str(state.plan_sha256), head=head
    )
    made = steps.Produced(
        ref="t1",
        decision_sha256=str(state.decision_sha256),
        subject="one",
        parcel_id=PARCEL_ID,
        parcel_sha256=hashlib.sha256(parcel).hexdigest(),
        size_bytes=len(parcel),
        tables=[
            {
                "store": "main",
                "table": "users",
                "status": "found",
                "rows": len(given),
                "categories": list(categories),
            }
        ],
    )
    steps.finish_production(case_id, hand, made)
    office.wait(hours=6)
    assert office.now.tzinfo == dt.UTC
    return case_id
