"""`dueprocess verify FILE`: check whatever somebody was given, offline: receipt, report, log, answer package, evidence.

Needs the base install only: no server, no database, no network.
"""

import datetime as dt
import json as json_format
import sys
import tarfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.verify_evidence import answer_evidence, is_evidence
from dueprocess.cli.verify_files import Answer, need_policy, read
from dueprocess.cli.verify_intake import Beside, answer_intake
from dueprocess.cli.verify_log import answer_checkpoint, answer_log, answer_proof, is_log
from dueprocess.cli.verify_parcel import answer_encrypted, answer_folder, answer_tar, is_encrypted
from dueprocess.cli.verify_receipt import answer_receipt, check_receipt, open_receipt
from dueprocess.cli.verify_report import answer_register, answer_report
from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog import HEADER, Policy, ReceiptFindings
from dueprocess.wire import parse_json

__all__ = ["check_receipt", "verify_command"]

_KNOWN = (
    "a receipt, an intake receipt, a report or register, an answer package (encrypted, as tar or unpacked), a copy of a"
    " log, the head of one (checkpoint), a .tlog-proof, or a monitor's evidence folder"
)


def verify_command(
    file: Path,
    *,
    policy: Annotated[
        Path | None,
        Parameter(help="the operator's policy.txt: keys of the log and its independent timekeepers"),
    ] = None,
    log: Annotated[
        Path | None, Parameter(help="a copy of the public log, to see that it still stands by it")
    ] = None,
    receipt: Annotated[
        Path | None, Parameter(help="the receipt to compare an answer package or an intake receipt with")
    ] = None,
    intake_key: Annotated[
        Path | None, Parameter(help="intake.vkey, for an intake receipt; the log names it too")
    ] = None,
    paper: Annotated[Path | None, Parameter(help="the paper, for an intake receipt")] = None,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value.")] = False,
) -> None:
    """Check a file or folder that you were given: what it proves, and what it does not.

    It finds out by itself what FILE is: a receipt, an intake receipt, a report.json (with its register.json beside
    it), an answer package, a copy of a log or its checkpoint, a .tlog-proof, or a monitor's evidence folder.
    """
    beside = Beside(policy, log, receipt, intake_key, paper)
    answer = _folder(file, beside) if file.is_dir() else _file(file, beside)
    text = (
        json_format.dumps(answer.found, ensure_ascii=False, indent=2) if json else "\n".join(answer.lines())
    )
    sys.stdout.write(text + "\n")


def _folder(folder: Path, beside: Beside) -> Answer:
    if is_evidence(folder):
        return answer_evidence(folder, need_policy(beside.policy, "Evidence"))
    if is_log(folder):
        return answer_log(folder, need_policy(beside.policy, "A log"), now=dt.datetime.now(dt.UTC))
    if (folder / "bagit.txt").exists():
        return answer_folder(folder, _findings(beside))
    raise UnavailableError(
        "unknown-folder",
        f"There is nothing in {folder} that this program can check.",
        why="A log has a file checkpoint, an unpacked answer package has bagit.txt, evidence has alarm.json.",
        do="Name the file itself, or the folder that holds one of these.",
    )


def _file(file: Path, beside: Beside) -> Answer:
    start = _start(file)
    if is_encrypted(file, start):
        return answer_encrypted(file, _findings(beside))
    if start.startswith(HEADER.encode()):
        return answer_proof(file, read(file), need_policy(beside.policy, "A log proof"))
    if start.lstrip()[:1] in (b"{", b"["):
        return _json(file, beside)
    if b"\n\n\xe2\x80\x94 " in start:
        return answer_checkpoint(read(file), need_policy(beside.policy, "The head of a log"))
    if len(start) == _START and tarfile.is_tarfile(file):
        return answer_tar(file, _findings(beside))
    raise MalformedError(
        "unknown-file",
        f"{file} is nothing that this program can check.",
        why=f"It can check {_KNOWN}.",
        do="Check that it is the right file, and that it arrived whole.",
    )


_START = 512
"""Bytes of the beginning of a file that tell what it is: as many as the first block of a tar."""


def _start(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(_START)
    except OSError as error:
        raise UnavailableError(
            "no-file", f"{file} cannot be read.", why=error.strerror or "", do="Check the name."
        ) from error


def _json(file: Path, beside: Beside) -> Answer:
    data = read(file)
    value = parse_json(data, "receipt or report")
    names = value.keys() if isinstance(value, dict) else frozenset[str]()
    if "cells" in names:
        register = read(file.with_name("register.json"))
        return answer_report(data, register, policy=_policy(beside), log=beside.log)
    if "rows" in names:
        return answer_register(data, policy=_policy(beside), log=beside.log)
    if "sealed_by_epoch" in names:
        return answer_intake(data, beside)
    return answer_receipt(data, need_policy(beside.policy, "A receipt").policy, beside.log)


def _policy(beside: Beside) -> Policy | None:
    return None if beside.policy is None else need_policy(beside.policy, "A report").policy


def _findings(beside: Beside) -> ReceiptFindings | None:
    """The receipt that was named beside the file, checked."""
    if beside.receipt is None:
        return None
    policy = need_policy(beside.policy, "A receipt").policy
    return open_receipt(read(beside.receipt), policy)
