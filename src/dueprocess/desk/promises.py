"""The intake receipt: made from the first event of a case and its record, the same bytes whenever it is made."""

from pathlib import Path

from dueprocess.cases.sealing import record_secret
from dueprocess.desk.desk import Desk
from dueprocess.errors import BrokenError
from dueprocess.history.append import load_case
from dueprocess.history.recommit import recorded
from dueprocess.publication.durable import write_durable
from dueprocess.publication.intake import IntakeSigner
from dueprocess.tlog.epoch import epoch_at
from dueprocess.tlog.promise import EPOCHS_TO_SEAL, IntakePromise
from dueprocess.tlog.record import AUDIENCES, open_fields
from dueprocess.wire import parse_instant


def promise_path(desk: Desk, case_id: str) -> Path:
    """Where the intake receipt of a case lies until the operator hands it on."""
    return desk.installation.outbox / f"intake-{case_id[:8]}.json"


def intake_vkey_path(desk: Desk) -> Path:
    """The public file with the verifier key of intake receipts."""
    return desk.installation.public / "intake.vkey"


def intake_receipt(desk: Desk, case_id: str) -> bytes:
    """The signed promise about the paper that opened this case. Needs the case's key: an erased one gives none."""
    signer = IntakeSigner.open(desk.pins.origin, desk.installation.keys)
    published = intake_vkey_path(desk)
    if not published.exists():
        write_durable(published, f"{signer.vkey.text}\n".encode())
    return signer.sign(promise_of(desk, case_id))


def promise_of(desk: Desk, case_id: str) -> IntakePromise:
    """What is promised about the paper that opened this case."""
    case = load_case(case_id)
    event, record, row = next(recorded(case.events))
    if row is None:
        raise BrokenError(
            "record-missing", f"The arrival of case {case_id[:8]} has no ledger record.",
            do="Stop. Run dueprocess fsck; somebody changed the tables.",
        )  # fmt: skip
    received_at = parse_instant(event.recorded_at)
    secret = record_secret(desk.keys.keys(case_id).record_key, event.sha256)
    return IntakePromise(
        origin=desk.pins.origin,
        case=case_id,
        paper_sha256=event.text("paper_sha256"),
        received_at=received_at,
        commitment=row.commitment,
        opening=open_fields(record, secret, AUDIENCES["requester"]),
        sealed_by_epoch=epoch_at(received_at, seconds=desk.installation.epoch_seconds) + EPOCHS_TO_SEAL,
    )
