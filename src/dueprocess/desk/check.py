"""Everything that `fsck` looks at: tables, public log, and each file that history names by digest."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.events import Event
from dueprocess.cases.receive import order_reference
from dueprocess.delivery.handover import parcel_path
from dueprocess.desk.desk import Desk
from dueprocess.errors import DueprocessError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.history.fsck import Fault, FsckKeys, fsck
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.report import RegisterRow, row_commitment
from dueprocess.wire import Json, digest_of, parse_json, sha256_hex, unb64


@dataclass(frozen=True, slots=True)
class Named:
    """Which vault object an event names: the event's field, the object's name, and how its digest is taken."""

    field: str
    name: str
    digest: Callable[[bytes], str] = sha256_hex


def _scope_digest(data: bytes) -> str:
    return digest_of(parse_json(data)["scope"])


def _row_digest(data: bytes) -> str:
    stored = parse_json(data)
    return row_commitment(RegisterRow.from_json(stored["row"]), unb64(stored["salt"], length=32))


NAMED: dict[str, Named] = {
    "DemandReceived": Named("paper_sha256", "paper"),
    "DemandRead": Named("reading_sha256", "reading:{}"),
    "DemandAssessed": Named("assessment_sha256", "assessment:{}"),
    "ScopeNarrowed": Named("scope_sha256", "scope:{}", _scope_digest),
    "DecisionProposed": Named("decision_sha256", "decision:{}"),
    "SilenceChanged": Named("paper_sha256", "order:{}"),
    "NoticeStarted": Named("letter_sha256", "letter:{}"),
    "CaseRegistered": Named("row_sha256", "register-row", _row_digest),
}
"""Kind of event → the vault object whose digest it carries."""


def check_everything(desk: Desk) -> list[Fault]:
    """Every fault, in tables, tiles, vault and parcels. Empty means that everything fits."""

    def case_key(case_id: str) -> bytes | None:
        return desk.keys.keys(case_id).record_key if desk.keys.has(case_id) else None

    faults = fsck(FsckKeys(case_key, desk.master, desk.policy))
    faults += [Fault("log", path, what) for path, what in tile_faults(desk.installation.log)]
    for line in docket():
        try:
            case = load_case(line.case_id)
        except DueprocessError:
            continue  # the tables' own faults say so already
        if desk.keys.has(line.case_id):
            faults += list(_vault(desk, case))
        faults += list(_parcels(desk.installation.parcels, case))
    return faults


def _vault(desk: Desk, case: Case) -> Iterator[Fault]:
    yield from _reference(desk, case)
    for event in case.events:
        named = NAMED.get(event.kind)
        if named is None:
            continue
        body: Any = {**event.body, **_document(event)}
        digest, row = str(body[named.field]), f"{case.case_id[:8]}/{event.case_seq}"
        try:
            found = named.digest(desk.vault.get(case.case_id, named.name.format(digest)))
        except DueprocessError as error:
            yield Fault("vault", row, error.what)
            continue
        if found != digest:
            yield Fault("vault", row, f"{named.field} names other bytes")


def _document(event: Event) -> Mapping[str, Json]:
    """The signed document inside an event, where it has one."""
    found = event.body.get("document")
    return found if isinstance(found, Mapping) else {}


def _reference(desk: Desk, case: Case) -> Iterator[Fault]:
    """The nonce beside the paper must give the reference that history and ledger carry."""
    assert case.received is not None
    try:
        meta = desk.vault.get_json(case.case_id, "paper-meta")
        found = order_reference(unb64(meta["nonce"], length=32), case.received.text("paper_sha256"))
    except DueprocessError as error:
        yield Fault("vault", f"{case.case_id[:8]}/1", error.what)
        return
    if found != case.received.body["order_ref"]:
        yield Fault(
            "vault", f"{case.case_id[:8]}/1", "order_ref does not follow from the paper and its nonce"
        )


def _parcels(folder: Path, case: Case) -> Iterator[Fault]:
    for ref, state in case.targets.items():
        if state.produced is None or state.purged:
            continue
        path = parcel_path(folder, state.produced.text("parcel_id"))
        row = f"{case.case_id[:8]}/{ref}"
        if not path.exists():
            yield Fault("parcel", row, "the parcel is gone")
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != state.produced.text("parcel_sha256"):
                yield Fault("parcel", row, "the parcel differs from what history names")
