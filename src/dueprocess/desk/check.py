"""Everything that `fsck` looks at: tables, public log, and each file that history names by digest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from dueprocess.cases.case import Case
from dueprocess.cases.receive import order_reference
from dueprocess.delivery.handover import parcel_path
from dueprocess.desk.desk import Desk
from dueprocess.errors import DueprocessError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.history.fsck import Fault, FsckKeys, fsck
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.wire import sha256_hex, unb64

NAMED: dict[str, tuple[str, str]] = {
    "DemandReceived": ("paper_sha256", "paper"),
    "DemandRead": ("reading_sha256", "reading:{}"),
    "DemandAssessed": ("assessment_sha256", "assessment:{}"),
    "DecisionProposed": ("decision_sha256", "decision:{}"),
}
KEPT: dict[str, tuple[str, str]] = {
    "ScopeNarrowed": ("scope_sha256", "scope:{}"),
    "NoticeStarted": ("letter_sha256", "letter:{}"),
    "CaseRegistered": ("row_sha256", "register-row"),
}
"""Objects whose bytes hold more than what the digest covers: they must open, which age's own tag decides."""
"""Kind of event → (field that holds a digest, name of the vault object with that digest)."""


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
        if event.kind not in {**NAMED, **KEPT}:
            continue
        field, name = {**NAMED, **KEPT}[event.kind]
        digest = event.text(field)
        try:
            found = sha256_hex(desk.vault.get(case.case_id, name.format(digest)))
        except DueprocessError as error:
            yield Fault("vault", f"{case.case_id[:8]}/{event.case_seq}", error.what)
            continue
        if event.kind in NAMED and found != digest:
            yield Fault("vault", f"{case.case_id[:8]}/{event.case_seq}", f"{field} names other bytes")


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
