"""Erasure around its step: first history says it, then the contents go, the key last.

Interrupted at any point, it goes on from history: an erased case whose key is still there is not finished.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.erase import GROUNDS, erasure_document, refuse_early
from dueprocess.delivery.handover import manifest_paths, parcel_path
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.restored import refuse_restored
from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket, erased
from dueprocess.publication.durable import sync_folder, write_durable
from dueprocess.steps import erase as steps
from dueprocess.tlog.leaf import ReportLeaf, parse_leaf
from dueprocess.vault.keystore import KEY_BACKUP_DAYS
from dueprocess.wire import Json, b64, canonical, parse_json, sha256_hex

CERTIFICATE_NOTE = (
    "What this case held was destroyed: the paper, what was read in it, letters, decisions, parcels, and the key"
    " without which nothing that was stored under it can be read. What stays is what was public of it, and that"
    " something was erased and when. What was handed over before is not with us and is not undone. Copies of the"
    " key in backups of the key store are gone on the day named here. A disk may keep old blocks for some time; they"
    " are encrypted."
)


def erase(
    desk: Desk, case_id: str, ground: str, signers: Sequence[FileKey], *, now: dt.datetime
) -> dict[str, Json]:
    """Erases a finished case as two people signed, and returns the certificate. Can be run again after a crash."""
    case = load_case(case_id)
    if case.erased is None:
        refuse_restored(desk.installation)
        reported = case.registered is None or published(desk, case.registered.text("period"))
        sealed = all(row.epoch is not None for row in ledger.records_of(case_id).values())
        refuse_early(case, sealed=sealed, reported=reported)
        origin = desk.pins.origin
        nonce = b64(secrets.token_bytes(32))
        document = erasure_document(case, ground, origin=origin, nonce=nonce)
        given = [each.sign(origin, document, role="reviewer", verdict="erase") for each in signers]
        hand = desk.hand(signers[0].person, now, case_id)
        signed = steps.Signed(document, given)
        steps.erase(case_id, hand, signed, origin=origin, roster=desk.roster(), reported=reported)
        case = load_case(case_id)
    return finish(desk, case, now)


def published(desk: Desk, period: str) -> bool:
    """Whether the report of a half-year is out: named by the log, and its files written as the log names them."""
    head = ledger.head()
    leaves = (parse_leaf(each.encode()) for each in ledger.entries(0, head.size if head else 0))
    named = [leaf.sha256 for leaf in leaves if isinstance(leaf, ReportLeaf) and leaf.period == period]
    path = desk.installation.public / "reports" / period / "report.json"
    return bool(named) and path.is_file() and sha256_hex(path.read_bytes()) == named[-1]


def finish_erasures(desk: Desk, now: dt.datetime) -> list[str]:
    """Completes every erasure that history tells and a crash left undone. Returns a line for each."""
    done = []
    for line in erased():
        if desk.keys.has(line.case_id):
            finish(desk, load_case(line.case_id), now)
            done.append(f"{line.case_id[:8]}: erasure completed")
    return done


def finish(desk: Desk, case: Case, now: dt.datetime) -> dict[str, Json]:
    """Destroys what an erased case still holds: contents first, the key last, then writes the certificate."""
    assert case.erased is not None
    if desk.keys.has(case.case_id):
        parcels = desk.installation.parcels
        _remove(
            path
            for each in _parcels(case)
            for path in (parcel_path(parcels, each), *manifest_paths(parcels, each))
        )
        for folder in _letters(desk, case.case_id):
            _remove(_with_contents(folder))
        desk.vault.remove(case.case_id)
        desk.keys.destroy(case.case_id)
    return _certificate(desk, case, now)


def _parcels(case: Case) -> list[str]:
    return [event.text("parcel_id") for event in case.events if event.kind == "DataProduced"]


def _letters(desk: Desk, case_id: str) -> list[Path]:
    """What the outbox holds of this case. Names there are short: those that two cases share are left alone."""
    short = case_id[:8]
    if sum(line.case_id.startswith(short) for line in docket()) > 1:
        return []
    outbox = desk.installation.outbox
    return [*sorted(outbox.glob(f"{short}-*")), *sorted(outbox.glob(f"intake-{short}.json"))]


def _with_contents(path: Path) -> Iterator[Path]:
    """A file, or the files of a folder and then the folder itself."""
    if path.is_dir():
        yield from sorted(path.iterdir())
    yield path


def _remove(paths: Iterable[Path]) -> None:
    """Removes files and emptied folders and syncs the folders above, whether they are there or not."""
    try:
        for path in paths:
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            "cannot-destroy",
            "Something of the case could not be removed.",
            why=str(error),
            do="Make the installation's folders writable and run the same command again.",
        ) from error


def _certificate(desk: Desk, case: Case, now: dt.datetime) -> dict[str, Json]:
    """The certificate as it was first written: the day on which the last copy of the key goes never moves."""
    path = desk.installation.outbox / f"erased-{case.case_id[:16]}.json"
    if path.exists():
        return _read(path)
    assert case.erased is not None
    document: Any = case.erased.body["document"]
    signatures: Any = case.erased.body["signatures"]
    found: dict[str, Json] = {
        "v": 1,
        "kind": "erasure",
        "origin": desk.pins.origin,
        "case": case.case_id,
        "ground": document["ground"],
        "meaning": GROUNDS[document["ground"]],
        "erased_at": case.erased.recorded_at,
        "signed_by": list[Json](sorted({str(each["person"]) for each in signatures})),
        "event_sha256": case.erased.sha256,
        "records_kept": document["records"],
        "last_key_backup_gone_on": (now + dt.timedelta(days=KEY_BACKUP_DAYS)).date().isoformat(),
        "note": CERTIFICATE_NOTE,
    }
    write_durable(path, canonical(found))
    return found


def _read(path: Path) -> dict[str, Json]:
    found: Any = parse_json(path.read_bytes(), "certificate")
    if not isinstance(found, dict):
        raise MalformedError(
            "bad-certificate", f"{path.name} is not an erasure certificate.", do="Remove it."
        )
    return found
