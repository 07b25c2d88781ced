"""What an auditor gets under confidentiality: the bundle of a period, and the whole case of a drawn demand.

The bundle holds the seeds of the period's epochs (never the master), every record with the fields that an auditor may
see, the registers, and what no register holds yet. No account, no case id, no digest of a paper.
"""

import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from dueprocess.audit.bundle import (
    HEADER,
    OUTSIDE,
    RECORDS,
    SEEDS,
    WITHHELD,
    BundleRecord,
    Header,
    Why,
    Withheld,
    epochs_of,
    open_record,
    seed_line,
)
from dueprocess.audit.recount import covered_halves
from dueprocess.cases.case import Case, fold
from dueprocess.cases.events import Event
from dueprocess.cases.sealing import record_secret
from dueprocess.desk.desk import Desk
from dueprocess.desk.receipts import receipt
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import ledger, recommit, sealed
from dueprocess.history.append import load_case, load_events
from dueprocess.history.docket import docket
from dueprocess.history.ledger import LedgerRecord
from dueprocess.report.case_row import period_of
from dueprocess.tlog.checkpoint import parse_checkpoint
from dueprocess.tlog.epoch import EpochTree, epoch_seed
from dueprocess.tlog.leaf import RegisterLeaf, parse_leaf
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.record import AUDIENCES, Opening, Record, open_fields, parse_opening
from dueprocess.vault.privatefiles import make_folder, sync_folder


def pack(desk: Desk, folder: Path, from_on: dt.date, until_on: dt.date, *, now: dt.datetime) -> Header:
    """Writes the bundle of a period (``until_on`` is the first day left out). Can be run again.

    Only what is published goes in, because an auditor compares it with the public log. Refuses a period of
    which nothing is published yet. Readable by nobody else on this machine: the bundle is confidential.
    """
    packing = _begin(desk, from_on, until_on, now)
    try:
        make_folder(folder)
        (folder / HEADER).unlink(missing_ok=True)  # An older bundle.json would not fit the new files.
        written = dict(_files(packing, folder))
        header = replace(packing.header, files=written)
        _write(folder / HEADER, [header.encoded])
    except OSError as error:
        raise UnavailableError(
            "cannot-pack", "The bundle could not be written.", why=str(error),
            do="Make room, look at the folder's permissions, and run the same command again.",
        ) from error  # fmt: skip
    return header


@dataclass(frozen=True, slots=True)
class _Packing:
    """One bundle in the making."""

    desk: Desk
    header: Header
    records: Sequence[LedgerRecord]
    """Those of the period."""
    placed: Mapping[int, LedgerRecord]
    """Every published record of the ledger by number."""
    named: frozenset[str]
    """Half-years whose register the published log names."""
    cases: Mapping[str, Case]
    """Every case as far as it is published, erased ones too."""


def _begin(desk: Desk, from_on: dt.date, until_on: dt.date, now: dt.datetime) -> _Packing:
    place = desk.installation
    if until_on <= from_on:
        raise RefusedError(
            "bad-period", "The period ends before it begins.", do="--until names the first day left out."
        )
    size = parse_checkpoint(parse_note(desk.read_log("checkpoint")).text).size
    newest = ledger.last_epoch(below=size)
    first, last = epochs_of(from_on, until_on, place.epoch_seconds)
    last = min(last, newest.epoch) if newest is not None else -1
    if last < first:
        raise RefusedError(
            "nothing-published",
            f"Nothing of the time from {from_on} on is published yet.",
            do="Wait for the epoch to close, or name an earlier period.",
        )
    placed = {
        each.ledger_seq: each
        for each in sealed.every_record()
        if each.epoch is not None and newest is not None and each.epoch <= newest.epoch
    }
    records = [each for each in placed.values() if each.epoch is not None and first <= each.epoch <= last]
    header = Header(
        origin=place.origin,
        from_on=from_on,
        until_on=until_on,
        epoch_seconds=place.epoch_seconds,
        first_epoch=first,
        last_epoch=last,
        first_seq=records[0].ledger_seq if records else None,
        last_seq=records[-1].ledger_seq if records else None,
        log_size=size,
        packed_at=now.replace(microsecond=0),
        files={},
    )
    leaves = (each for each in ledger.stream_entries(0, size) if '"t":"register"' in each)
    parsed = (parse_leaf(each.encode()) for each in leaves)
    named = frozenset(leaf.period for leaf in parsed if isinstance(leaf, RegisterLeaf))
    return _Packing(desk, header, records, placed, named, dict(_cases(placed)))


def _cases(placed: Mapping[int, LedgerRecord]) -> Iterator[tuple[str, Case]]:
    """Every case as far as it is published. Refuses an erasure that is not: its contents would just be missing."""
    for line in docket():
        events, rows = load_events(line.case_id), ledger.records_of(line.case_id)
        shown = [event for event in events if rows[event.case_seq].ledger_seq in placed]
        if events[-1].kind == "Erased" and len(shown) < len(events):
            raise RefusedError(
                "erasure-not-published",
                "An erasure is not in the published log yet.",
                why="Its case can no longer be opened, and nothing in the bundle would say why.",
                do="Wait for the epoch to close and be published, then run the same command again.",
            )
        if shown:
            yield line.case_id, fold(shown)


def _files(packing: _Packing, folder: Path) -> Iterator[tuple[str, str]]:
    """Writes each file and gives its name and digest."""
    header, master = packing.header, packing.desk.master
    epochs = range(header.first_epoch, header.last_epoch + 1)
    seeds = (seed_line(epoch, epoch_seed(master, epoch)) + b"\n" for epoch in epochs)
    yield SEEDS, _write(folder / SEEDS, seeds)
    yield RECORDS, _write(folder / RECORDS, _record_lines(packing, folder))
    yield OUTSIDE, _write(folder / OUTSIDE, _outside_lines(packing))
    yield WITHHELD, _write(folder / WITHHELD, (each.line + b"\n" for each in _withheld(packing)))
    for period in sorted(_registers(packing)):
        source = packing.desk.installation.public / "reports" / period
        for name in ("register.json", "report.json"):
            if name == "register.json" or (source / name).exists():
                target = f"registers/{period}/{name}"
                yield target, _write(folder / target, [_published(source / name)])


def _published(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            "register-gone",
            f"The log names a register that is not in {path.parent}.",
            why=str(error),
            do="Put the published register.json back, or run dueprocess report for that half-year again.",
        ) from error


# ------------------------------------------------------------------ records


def _record_lines(packing: _Packing, folder: Path) -> Iterator[bytes]:
    """The period's records in the order of the ledger. Opened case by case, so they wait in a file of no name."""
    wanted = {each.ledger_seq for each in packing.records}
    places: dict[int, tuple[int, int]] = {}
    with tempfile.TemporaryFile(dir=folder) as waiting:
        for case_id in dict.fromkeys(each.case_id for each in packing.records):
            for each in _opened(packing.desk, case_id):
                if each.seq in wanted:
                    line = each.line + b"\n"
                    places[each.seq] = (waiting.tell(), len(line))
                    waiting.write(line)
        if places.keys() != wanted:
            raise _differs(min(wanted - places.keys()))
        for seq in sorted(places):
            yield _piece(waiting, *places[seq])


def _piece(file: IO[bytes], start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _opened(desk: Desk, case_id: str) -> Iterator[BundleRecord]:
    """Each sealed record of a case (or of the rosters) as an auditor may see it."""
    events = load_events(case_id)
    erased = bool(events) and events[-1].kind == "Erased"
    kept = recommit.kept_openings(case_id) if erased else {}
    for event, record, row in recommit.recorded(events):
        if row is None or row.epoch is None or row.place is None:
            continue
        opening = _kept(kept, row) if erased else _shown(desk, case_id, event, record)
        found = BundleRecord(row.ledger_seq, row.epoch, row.place, row.sealed, opening)
        try:
            open_record(found)
        except MalformedError as error:
            raise _differs(row.ledger_seq) from error
        yield found


def _kept(kept: Mapping[int, str], row: LedgerRecord) -> Opening:
    if row.ledger_seq not in kept:
        raise _differs(row.ledger_seq)
    return parse_opening(kept[row.ledger_seq].encode())


def _shown(desk: Desk, case_id: str, event: Event, record: Record) -> Opening:
    secret = record_secret(desk.keys.keys(case_id).record_key, event.sha256)
    return open_fields(record, secret, AUDIENCES["auditor"])


def _differs(seq: int) -> BrokenError:
    return BrokenError(
        "record-differs",
        f"Ledger record {seq} does not follow from its event, or cannot be opened.",
        do="Stop. Run dueprocess fsck; an auditor would find the same.",
        source="formats.md, Ledger and public log",
    )


def _outside_lines(packing: _Packing) -> Iterator[bytes]:
    """Records beyond the period that the period's cases and registers lead to, each with its path.

    The rest of each case, so that how it ended can be seen, and the registration behind each row of a register
    that the period touches.
    """
    inside = {each.ledger_seq for each in packing.records}
    wanted: dict[int, str] = {}
    for case_id in dict.fromkeys(each.case_id for each in packing.records):
        if case_id not in packing.cases:
            continue
        rows = ledger.records_of(case_id).values()
        last = max(each.ledger_seq for each in rows if each.ledger_seq in inside)
        wanted |= {each.ledger_seq: case_id for each in rows if each.ledger_seq > last}
    for case in packing.cases.values():
        if case.registered is not None and case.registered.text("period") in covered_halves(packing.header):
            row = ledger.records_of(case.case_id)[case.registered.case_seq]
            wanted[row.ledger_seq] = case.case_id
    found = {seq: case_id for seq, case_id in wanted.items() if seq not in inside and seq in packing.placed}
    for seq in sorted(found):
        record = next(each for each in _opened(packing.desk, found[seq]) if each.seq == seq)
        tree = EpochTree(
            epoch_seed(packing.desk.master, record.epoch), record.epoch, _placed_in(record.epoch)
        )
        yield replace(record, path=tree.path(record.place)).line + b"\n"


def _placed_in(epoch: int) -> dict[int, bytes]:
    return {each.place: each.sealed for each in ledger.placed_in(epoch) if each.place is not None}


# ------------------------------------------------------------------ registers and what they do not hold


def _registers(packing: _Packing) -> set[str]:
    """Half-years whose published register goes in: those of the period, and of every demand that it registers."""
    wanted = set(covered_halves(packing.header))
    for case_id in {each.case_id for each in packing.records}:
        case = packing.cases.get(case_id)
        if case is not None and case.registered is not None:
            wanted.add(case.registered.text("period"))
    return wanted & packing.named


def _withheld(packing: _Packing) -> Iterator[Withheld]:
    """Every demand that was read before the period's end and that no published register holds."""
    for case in packing.cases.values():
        seq = _read_seq(packing, case)
        if seq is None:
            continue
        if case.registered is not None and case.registered.text("period") in packing.named:
            continue
        why, until = _reason(case)
        yield Withheld(
            seq, why, until, period_of(case.closed.recorded_at) if case.closed is not None else None
        )


def _read_seq(packing: _Packing, case: Case) -> int | None:
    """The ledger number of the first reading in the period, or else of the first before it; None where later."""
    last = packing.header.last_seq or 0
    numbers = ledger.records_of(case.case_id)
    read = [numbers[event.case_seq].ledger_seq for event in case.events if event.kind == "DemandRead"]
    inside = [seq for seq in read if (packing.header.first_seq or 1) <= seq <= last]
    before = [seq for seq in read if seq <= last or packing.header.last_seq is None]
    return min(inside, default=min(before, default=None))


def _reason(case: Case) -> tuple[Why, str | None]:
    """Why no register holds a case yet, and the end of an order not to tell."""
    if case.registered is not None:
        return "too-early", None
    if case.closed is not None:
        return "unregistered", None
    order: Any = case.read.body["nondisclosure"] if case.read is not None else None
    orders = [order] if order is not None else []
    orders += [state.silence.body["document"] for state in case.targets.values() if state.silence is not None]
    if not orders:
        return "open", None
    until = orders[-1].get("until")
    return "nondisclosure", None if until is None else str(until)


# ------------------------------------------------------------------ a drawn demand


def open_drawn(desk: Desk, seq: int) -> tuple[str, bytes]:
    """The case that a ledger number belongs to, and its receipt for a court: what an auditor of a sample may see.

    Refuses a number of the rosters, one that is not there, and an erased case, of which nothing can be shown.
    """
    rows = ledger.records_from(seq)[:1]
    if not rows or rows[0].ledger_seq != seq:
        raise RefusedError(
            "no-such-record", f"The ledger has no record {seq}.", do="Look at the auditor's draw again."
        )
    if rows[0].case_id == desk.stream:
        raise RefusedError(
            "not-a-demand", f"Record {seq} is about people and rules of this service, not a demand."
        )
    case = load_case(rows[0].case_id)
    if case.erased is not None:
        raise RefusedError(
            "erased",
            f"The case of record {seq} is erased: nothing of it can be shown.",
            do="Tell the auditor; the bundle shows the erasure and when it was.",
        )
    return case.case_id, receipt(desk, case, None, "court")


# ------------------------------------------------------------------ files


def _write(path: Path, pieces: Iterable[bytes]) -> str:
    """Writes a file for its owner alone: whole and safe, or not at all. Returns its SHA-256 in hex."""
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(path.parent)
    return digest.hexdigest()
