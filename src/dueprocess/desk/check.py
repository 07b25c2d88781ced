"""Everything that `fsck` looks at: tables, public log, and each file that history names by digest."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.events import Event
from dueprocess.cases.receive import order_reference
from dueprocess.delivery.handover import manifest_paths, parcel_path, purged_path
from dueprocess.desk.collectedparts import collected_faults
from dueprocess.desk.desk import Desk
from dueprocess.desk.heldparts import hold_faults
from dueprocess.desk.packs import pack_faults
from dueprocess.desk.promises import intake_vkey_path, promise_of, promise_path
from dueprocess.desk.published import report_faults
from dueprocess.errors import DueprocessError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.history.fsck import Fault, FsckKeys, fsck
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.report import RegisterRow, row_commitment
from dueprocess.roster import Roster, Signature, check
from dueprocess.tlog.note import parse_vkey
from dueprocess.tlog.policy import parse_policy
from dueprocess.tlog.promise import verify_promise
from dueprocess.wire import Json, digest_of, parse_instant, parse_json, sha256_hex, unb64


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
    "HoldStarted": Named("decision_sha256", "decision:{}"),
    "AccountsFound": Named("found_sha256", "found:{}"),
    "CollectedByHand": Named("manifest_sha256", "collected:{}"),
    "SilenceChanged": Named("paper_sha256", "order:{}"),
    "LetterSent": Named("letter_sha256", "letter:{}"),
    "NoticeStarted": Named("letter_sha256", "letter:{}"),
    "CaseRegistered": Named("row_sha256", "register-row", _row_digest),
}
"""Kind of event → the vault object whose digest it carries."""


def check_everything(desk: Desk) -> list[Fault]:
    """Every fault, in tables, tiles, vault, parcels and reports. Empty means that everything fits."""

    def case_key(case_id: str) -> bytes | None:
        return desk.keys.keys(case_id).record_key if desk.keys.has(case_id) else None

    faults: list[Fault] = []
    try:
        policies, roster = desk.policies, desk.roster()
    except DueprocessError as error:
        policies, roster = (parse_policy(desk.pins.policy),), Roster()
        faults.append(Fault("event", "rosters", f"{error.what} {error.why}".strip(), "I2"))
    faults += fsck(FsckKeys(case_key, desk.master, policies))
    faults += [
        Fault("log", path, what, "I6") for path, what in tile_faults(desk.installation.log, policies[-1])
    ]
    cases = []
    for line in docket():
        try:
            case = load_case(line.case_id)
        except DueprocessError:
            continue  # the tables' own faults say so already
        cases.append(case)
        faults += list(_signatures(desk, case, roster))
        faults += list(_erasure(desk, case) if case.erased is not None else _held(desk, case))
    return [*faults, *_packs(desk, cases), *report_faults(desk, cases)]


def _packs(desk: Desk, cases: Sequence[Case]) -> list[Fault]:
    try:
        return list(pack_faults(desk, cases))
    except DueprocessError as error:
        return [Fault("event", "packs", f"{error.what} {error.why}".strip(), "I2")]


def _held(desk: Desk, case: Case) -> Iterator[Fault]:
    """What a case that is not erased must still hold."""
    if desk.keys.has(case.case_id):
        yield from _vault(desk, case)
        yield from _promise(desk, case)
    yield from _parcels(desk.installation.parcels, case)
    for ref, what, invariant in (*hold_faults(desk, case), *collected_faults(desk, case)):
        yield Fault("vault", f"{case.case_id[:8]}/{ref}", what, invariant)


def _erasure(desk: Desk, case: Case) -> Iterator[Fault]:
    """What an erased case must not hold any more: a crash may have left it, the worker's next turn removes it."""
    left = ["its key"] if desk.keys.has(case.case_id) else []
    parcels = [event.text("parcel_id") for event in case.events if event.kind == "DataProduced"]
    left += [f"parcel {each}" for each in parcels if parcel_path(desk.installation.parcels, each).exists()]
    if left:
        what = f"the case is erased, but {' and '.join(left)} is still there: run dueprocess erase again"
        yield Fault("vault", case.case_id[:8], what, "I9")


SIGNED = ("DecisionProposed", "DecisionApproved", "DecisionRejected", "HoldStarted", "HoldConfirmed")


def _signatures(desk: Desk, case: Case, roster: Roster) -> Iterator[Fault]:
    """Each signature in a case against the rosters: invented people give themselves away here."""
    for event in case.events:
        try:
            for document, given in _signed(desk, case, event):
                signature = Signature.from_json(given)
                entry = roster.staff(signature.credential, parse_instant(event.recorded_at))
                check(signature, desk.pins.origin, document, entry.public_key)
        except DueprocessError as error:
            yield Fault("event", f"{case.case_id[:8]}/{event.case_seq}", error.what, "I2")


def _signed(desk: Desk, case: Case, event: Event) -> Iterator[tuple[dict[str, Json], Json]]:
    """(document, signature) of each signature in an event; a decision's document lies in the vault."""
    document, several = event.body.get("document"), event.body.get("signatures")
    if isinstance(document, dict) and isinstance(several, list):
        yield from ((document, each) for each in several)
    if event.kind in SIGNED and desk.keys.has(case.case_id):
        decision = _decision(desk, case, event.text("decision_sha256"))
        if decision is not None:
            yield decision, event.body["signature"]


def _decision(desk: Desk, case: Case, digest: str) -> dict[str, Json] | None:
    """A decision's document; None where it is gone or another one, which the vault's own faults say."""
    try:
        found = desk.vault.get_json(case.case_id, f"decision:{digest}")
    except DueprocessError:
        return None
    return found if isinstance(found, dict) and digest_of(found) == digest else None


def _promise(desk: Desk, case: Case) -> Iterator[Fault]:
    """The intake receipt in the outbox, where it still lies, against the ledger: what was promised was recorded."""
    path = promise_path(desk, case.case_id)
    if not path.exists():
        return
    try:
        vkey = parse_vkey(intake_vkey_path(desk).read_text().strip())
        fits = verify_promise(path.read_bytes(), vkey) == promise_of(desk, case.case_id)
        what = "" if fits else "the intake receipt in the outbox promises another record"
    except (DueprocessError, OSError, UnicodeDecodeError) as error:
        what = f"the intake receipt in the outbox cannot be checked: {getattr(error, 'what', error)}"
    if what:
        yield Fault("promise", case.case_id[:8], what, "I4")


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
            yield Fault("vault", row, error.what, "I4")
            continue
        if found != digest:
            yield Fault("vault", row, f"{named.field} names other bytes", "I7")


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
            if not purged_path(folder, state.produced.text("parcel_id")).exists():
                yield Fault("parcel", row, "the parcel is gone", "I1")
            continue
        if state.manifest is not None and _other_manifest(folder, state.manifest):
            yield Fault("parcel", row, "the manifest is gone, or differs from what history names", "I1")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != state.produced.text("parcel_sha256"):
                yield Fault("parcel", row, "the parcel differs from what history names", "I1")


def _other_manifest(folder: Path, event: Event) -> bool:
    path, _ = manifest_paths(folder, event.text("parcel_id"))
    return not path.exists() or sha256_hex(path.read_bytes()) != event.body["manifest_sha256"]
