"""`dueprocess verify FILE`: check a receipt against the log's policy, or recount a report, offline.

Needs the base install only: no server, no database, no network.
"""

import json as json_format
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cli.printing import working
from dueprocess.errors import BrokenError, RefusedError, UnavailableError
from dueprocess.report import parse_register, parse_report, recount
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.leaf import RegisterLeaf, ReportLeaf, parse_leaf
from dueprocess.tlog.policy import Policy, parse_policy
from dueprocess.tlog.receipt import ReceiptFindings, check_against_log, verify_receipt
from dueprocess.tlog.tiles import TileReader
from dueprocess.wire import instant, parse_json, sha256_hex


def verify_command(
    file: Path,
    *,
    policy: Annotated[
        Path | None, Parameter(help="the operator's policy.txt: keys of the log and its witnesses")
    ] = None,
    log: Annotated[
        Path | None, Parameter(help="a copy of the public log, to see that it still stands by it")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value.")] = False,
) -> None:
    """Check a receipt (with --policy) or recount a report.json (with its register.json beside it).

    With --policy and --log both are compared with the log.
    """
    data = read(file)
    value = parse_json(data, "receipt or report")
    if isinstance(value, dict) and "cells" in value:
        lines, found = verify_report(data, read(file.with_name("register.json")))
        if policy is not None and log is not None:
            lines.append(
                _report_in_log(data, read(file.with_name("register.json")), parse_policy(read(policy)), log)
            )
    else:
        if policy is None:
            raise RefusedError(
                "no-policy",
                "A receipt is checked against the log's policy.",
                why="The policy holds the keys; a receipt that brought its own keys would prove nothing.",
                do="Get policy.txt from the operator's site, or the letter, and name it with --policy.",
                source="C2SP tlog-policy",
            )
        lines, found = check_receipt(data, parse_policy(read(policy)), log)
    text = json_format.dumps(found, ensure_ascii=False, indent=2) if json else "\n".join(lines)
    sys.stdout.write(text + "\n")


def read(path: Path) -> bytes:
    """A file's bytes; a missing one says which."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            "no-file", f"{path} cannot be read.", why=error.strerror or "", do="Check the name."
        ) from error


def check_receipt(data: bytes, policy: Policy, log: Path | None) -> tuple[list[str], dict[str, Any]]:
    """What a receipt proves, in words and as a value. Raises where it proves the contrary."""
    findings = verify_receipt(data, policy)
    lines = _told(findings)
    found: dict[str, Any] = {
        "origin": findings.origin,
        "audience": findings.audience,
        "unwitnessed": findings.unwitnessed,
        "records": [
            {
                "epoch": r.epoch,
                "closed_at": instant(r.closed_at),
                "leaf": r.leaf_index,
                "values": dict(r.values),
            }
            for r in findings.records
        ],
    }
    if log is not None:
        size = _against_log(findings, policy, log)
        lines.append(
            f"The log in {log} has {size} leaves, contains every one of these records, and only grew."
        )
        found["log_size"] = size
    else:
        lines.append("Not looked at: the log of today (name a copy with --log).")
    return lines, found


def _against_log(findings: ReceiptFindings, policy: Policy, log: Path) -> int:
    def tile(path: str) -> bytes:
        return read(log / path)

    result = check_against_log(findings, tile, tile("checkpoint"), policy)
    reader = TileReader(tile, result.opened.checkpoint)
    with working("Reading the log"):
        for _ in reader.audit():
            pass
    return reader.size


_FACTS = {
    "instrument": "kind of paper",
    "basis": "law",
    "country": "country of the authority",
    "authority_class": "kind of authority",
    "categories": "data it was reduced to",
    "nondisclosure_until": "not to be told before",
    "outcome": "outcome",
}


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).replace("_", " ")


EVENT_WORDS: dict[str, str] = {
    "DemandReceived": "the authority's request arrived",
    "RequesterVerified": "the authority was called back or otherwise checked",
    "RequesterDoubted": "the sender could not be checked yet",
    "DemandRead": "a person transcribed the paper",
    "DemandAssessed": "it was checked against the law",
    "ScopeNarrowed": "it was reduced to what the law allows",
    "DeficiencyNoticeSent": "the authority was told what is missing",
    "DecisionProposed": "one person signed the decision",
    "DecisionApproved": "a second person signed it",
    "DecisionRejected": "it was refused",
    "DecisionWithdrawn": "the decision was withdrawn",
    "NoticeDelayed": "an order forbade to tell the user",
    "SilenceChanged": "the order not to tell was changed",
    "NoticeStarted": "a letter to the user was begun",
    "UserNotified": "the user was told",
    "ChallengeOpened": "somebody objected",
    "ChallengeClosed": "the objection was decided",
    "ProductionStarted": "collecting began",
    "TargetResolved": "the account was looked up",
    "DataProduced": "the answer package was sealed",
    "DeliveryStarted": "handing over began",
    "DeliveryFailed": "the hand-over did not arrive",
    "ParcelDelivered": "the answer package was handed over",
    "ParcelPurged": "the answer package was deleted",
    "CaseClosed": "the case was closed",
    "CaseRegistered": "it was counted for the report",
}
"""Events in words for the reader of a letter."""


def _told(findings: ReceiptFindings) -> list[str]:
    lines = [f"This receipt holds. Log: {findings.origin}", ""]
    accounts = sorted({r.account for r in findings.records if r.account})
    if accounts:
        lines.append(f"It is about the account {', '.join(accounts)}.")
    lines.append("It proves that these were recorded in the log, in this order:")
    for record in findings.records:
        kind = str(record.values.get("kind", ""))
        words = EVENT_WORDS.get(kind, kind or "a record that is not shown to you")
        lines.append(f"  before {record.closed_at:%Y-%m-%d %H:%M} UTC  {words}")
    known = {
        name: record.values[name] for record in findings.records for name in _FACTS if record.values.get(name)
    }
    lines += ["", "What the records say about it:"] if known else []
    lines += [f"  {_FACTS[name]}: {_plain(known[name])}" for name in _FACTS if name in known]
    lines.append("")
    if findings.unwitnessed:
        lines.append("Unwitnessed: nobody but the operator has confirmed when this was recorded.")
    if not findings.starts_the_case:
        lines.append("It does not begin with the arrival of the request: earlier records are not shown.")
    if findings.audience == "user" and not findings.unbroken:
        lines.append("Records that concern only other people in the same case are left out.")
    lines.append(
        "It does not prove that the paper was genuine or lawful, or that nothing happened outside the log."
    )
    return lines


def verify_report(report: bytes, register: bytes) -> tuple[list[str], dict[str, Any]]:
    """Recounts every number of a report from its register. Raises where one differs."""
    known, made = parse_register(register), parse_report(report)
    wrong = recount(known, made)
    if wrong:
        raise BrokenError(
            "report-differs",
            "The report is not what its register gives.",
            why="; ".join(wrong[:5]),
            do="Keep both files: together they are the evidence.",
        )
    lines = [
        f"The report of {known.period} is what its register gives: {len(made.cells)} cells recounted.",
        known.statement,
        f"sha256 of register.json: {sha256_hex(register)}",
    ]
    return lines, {"period": known.period, "cells": len(made.cells), "register_sha256": sha256_hex(register)}


def _report_in_log(report: bytes, register: bytes, policy: Policy, log: Path) -> str:
    """That the log names exactly these two files. Raises where it names others or none."""

    def tile(path: str) -> bytes:
        return read(log / path)

    opened = open_checkpoint(tile("checkpoint"), policy)
    reader = TileReader(tile, opened.checkpoint)
    named: dict[str, int] = {}
    with working("Reading the log"):
        for index, entry in enumerate(reader.entries(0, reader.size)):
            leaf = parse_leaf(entry)
            if isinstance(leaf, RegisterLeaf | ReportLeaf):
                named[leaf.sha256] = index
    files = {"register.json": sha256_hex(register), "report.json": sha256_hex(report)}
    missing = [name for name, digest in files.items() if digest not in named]
    if missing:
        raise BrokenError(
            "report-not-in-log",
            f"The log names no such {' and no such '.join(missing)}.",
            why="Its register and report leaves carry other digests: these files are not what was published.",
            do="Keep the files and this log: together they are the evidence.",
        )
    leaves = " and ".join(str(named[digest]) for digest in files.values())
    return f"The log in {log} names both files, in leaves {leaves}."
