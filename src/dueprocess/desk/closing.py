"""Verb 12 around its steps: close, register, report."""

import datetime as dt
import secrets
from pathlib import Path
from typing import Any

from dueprocess.desk.desk import Desk
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.publication.durable import write_durable
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
from dueprocess.report.case_row import register_row
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


def report(desk: Desk, period: str, folder: Path, *, now: dt.datetime) -> tuple[Register, Report]:
    """Builds the register and the report of a half-year, puts their digests into the log, writes the files.

    A published report is never replaced: a second run for the same period is refused.
    """
    if (folder / "report.json").exists():
        raise RefusedError(
            "already-published",
            f"A report of {period} was published already.",
            why="A published number never changes; a correction is a new version that names the old one.",
            do="Corrections are not built in this version.",
            source="formats.md, Report",
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
    leaf = log.add(RegisterLeaf(period, sha256_hex(files["register.json"])), now)
    code = sha256_hex(f"dueprocess.report {__version__}".encode())
    log.add(ReportLeaf(period, sha256_hex(files["report.json"]), leaf, code), now)
    for name in sorted(files, key=lambda each: each == "report.json"):
        write_durable(folder / name, files[name])
    return register, made
