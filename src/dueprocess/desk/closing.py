"""Verb 12 around its steps: close, register, report."""

import datetime as dt
import secrets
from pathlib import Path
from typing import Any

from dueprocess.desk.desk import Desk
from dueprocess.desk.resuming import clear_reads
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.publication.durable import exclusively, write_durable
from dueprocess.publication.log import Log
from dueprocess.report import (
    Register,
    RegisterRow,
    Report,
    build_register,
    build_report,
    register_csv,
    report_csv,
    row_commitment,
)
from dueprocess.report.case_row import REPORT_DELAY_DAYS, register_row, report_opens
from dueprocess.steps import close as steps
from dueprocess.tlog.leaf import RegisterLeaf, ReportLeaf
from dueprocess.ui.rendering import stylesheet
from dueprocess.ui.report_page import render_report
from dueprocess.wire import b64, canonical, sha256_hex, unb64

from dueprocess import __version__  # isort: skip


def close(desk: Desk, case_id: str, *, actor: str, now: dt.datetime) -> RegisterRow | None:
    """Closes a case and commits its coarse row to the ledger. Can be run again after an interruption.

    None for a paper that nobody read as a demand: it is counted nowhere.
    """
    if load_case(case_id).closed is None:
        steps.close(case_id, desk.hand(actor, now, case_id))
    case = load_case(case_id)
    clear_reads(desk, case, now, now)
    if case.read is None:
        return None
    row = register_row(case)
    if case.registered is None:
        if not desk.vault.has(case_id, "register-row"):
            salt = b64(secrets.token_bytes(32))
            desk.vault.put_json(case_id, "register-row", {"row": row.as_json(), "salt": salt})
        commitment = registered(desk, case_id)[1]
        steps.register(case_id, desk.hand(actor, now, case_id), period=row.period, row_sha256=commitment)
    return row


def registered(desk: Desk, case_id: str) -> tuple[RegisterRow, str]:
    """A case's register row and its commitment, from the vault."""
    stored: Any = desk.vault.get_json(case_id, "register-row")
    row = RegisterRow.from_json(stored["row"])
    return row, row_commitment(row, unb64(stored["salt"], length=32))


def known_period(period: str) -> str:
    """The same period, if it is a half-year such as 2026H2; else an error that says how to write one."""
    report_opens(period)
    return period


def report(desk: Desk, period: str, folder: Path, *, now: dt.datetime) -> tuple[Register, Report]:
    """Builds the register and the report of a half-year, puts their digests into the log, writes the files.

    Refuses a half-year that is not long enough over, and a second report of one: a published number never
    changes. Interrupted, it can be run again and gives the same files.
    """
    opens = report_opens(period)
    if now < opens:
        raise RefusedError(
            "too-early",
            f"The report of {period} can be published from {opens:%Y-%m-%d} on.",
            why=f"{REPORT_DELAY_DAYS} days after its end, as the log's policy leaf says: a number that is published "
            "while demands are still going on tells about them.",
            do="Wait.",
            source="security.md 5.4",
        )
    entries = []
    for line in docket(stage="closed"):
        case = load_case(line.case_id)
        if case.registered is not None and case.registered.text("period") == period:
            entries.append(registered(desk, line.case_id))
    register = build_register(entries, period=period)
    made = build_report(register)
    files = {
        "register.json": canonical(register.as_json()),
        "report.json": canonical(made.as_json()),
        "register.csv": register_csv(register),
        "report.csv": report_csv(made),
        "index.html": render_report(made, register, operator=desk.installation.operator).encode(),
        "style.css": stylesheet(),
    }
    log = desk.log()
    code = sha256_hex(f"dueprocess.report {__version__}".encode())
    with exclusively(desk.installation.root):  # two at once would put the register into the log twice
        index = _once(log, RegisterLeaf(period, sha256_hex(files["register.json"])), now)
        _once(log, ReportLeaf(period, sha256_hex(files["report.json"]), index, code), now)
    for name in sorted(files, key=lambda each: each == "report.json"):
        write_durable(folder / name, files[name])
    return register, made


def _once(log: Log, leaf: RegisterLeaf | ReportLeaf, now: dt.datetime) -> int:
    """The index of this leaf: where it stands already, or where it is added. Refuses another one of the half-year."""
    known = log.find(type(leaf), leaf.period)
    if known is None:
        return log.add(leaf, now)
    index, found = known
    if found != leaf:
        raise RefusedError(
            "already-published",
            f"The log names other figures of {leaf.period} already.",
            why="A published number never changes: two registers of one half-year could be subtracted.",
            do="Corrections are not built in this version.",
            source="formats.md, Report",
        )
    return index
