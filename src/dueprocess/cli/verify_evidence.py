"""Checking an evidence folder that a monitor wrote: with nothing but a policy, and without believing the monitor."""

import datetime as dt
from pathlib import Path
from typing import Any

from dueprocess.cli.monitor_words import WHOM, meaning_of
from dueprocess.cli.verify_files import Answer, in_words, read
from dueprocess.cli.verify_report import Named, judge
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.tlog import RegisterLeaf, ReportLeaf, parse_leaf, shape
from dueprocess.tlog.evidence import Verdict, proven_entries, recheck
from dueprocess.tlog.follow import Trust
from dueprocess.wire import instant, parse_instant, sha256_hex

ALARM = "alarm.json"
_REPORTS = frozenset({"bad-report", "other-report", "report-withheld"})


def is_evidence(folder: Path) -> bool:
    """Whether this folder looks like a monitor's evidence."""
    return (folder / ALARM).is_file()


def answer_evidence(folder: Path, trust: Trust) -> Answer:
    """Whether the files show what the alarm says. Raises ``RefusedError`` where they do not."""
    about = _about(folder)
    kind, seen_at = about["kind"], about["seen_at"]
    files = _files(folder, about["files"])
    try:
        verdict = (
            _reports(kind, files, trust) if kind in _REPORTS else recheck(kind, files, trust, seen_at=seen_at)
        )
    except MalformedError as error:
        raise in_words(error, "These files show nothing under your policy.") from error
    if not verdict.shown:
        raise RefusedError(
            "not-shown",
            f"These files do not show the alarm: {meaning_of(kind).title}.",
            why=" ".join(verdict.told),
            do="It may be true all the same. Ask whoever watched for the whole folder, or watch the log yourself.",
        )
    meaning = meaning_of(kind)
    return Answer(
        f"These files show it: {meaning.title}.",
        (*verdict.told, "", meaning.matters),
        ("Why it happened, and that anybody meant harm.", f"Could it be innocent? {meaning.innocent}"),
        (f"The monitor says that it saw this on {seen_at:%Y-%m-%d at %H:%M:%S} UTC: {about['told']}", *WHOM),
        {"kind": kind, "seen_at": instant(seen_at), "shown": True, "told": list(verdict.told)},
    )


def _about(folder: Path) -> dict[str, Any]:
    names = ("v", "kind", "told", "log", "seen_at", "files")
    found = shape.members(shape.parse_canonical(read(folder / ALARM), ALARM), names, ALARM)
    shape.version(found["v"], ALARM)
    if not isinstance(found["files"], dict):
        raise MalformedError("not-an-object", "Expected an object of digests as the files of an alarm.")
    texts = {name: shape.text(found[name], name) for name in ("kind", "told", "log", "seen_at")}
    seen_at: dt.datetime = parse_instant(texts["seen_at"])
    files = {name: shape.sha256_text(each, "a digest") for name, each in found["files"].items()}
    return {**texts, "seen_at": seen_at, "files": files}


def _files(folder: Path, listed: dict[str, str]) -> dict[str, bytes]:
    """The listed files. A name cannot lead out of the folder; a changed file is named."""
    files: dict[str, bytes] = {}
    for name, digest in listed.items():
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or "\x00" in name:
            raise MalformedError("bad-path", f"{name[:80]!r} is not a file of an evidence folder.")
        data = read(folder / name)
        if sha256_hex(data) != digest:
            raise MalformedError(
                "damaged",
                f"The file {name} of this evidence was damaged or changed after the monitor wrote it.",
                do="Get the whole folder again from whoever watched.",
            )
        files[name] = data
    files.pop("policy.txt", None)  # The reader's own policy counts.
    return files


def _reports(kind: str, files: dict[str, bytes], trust: Trust) -> Verdict:
    """Which register and report the log names, and whether the files are those and right."""
    register: tuple[int, RegisterLeaf] | None = None
    report: tuple[int, ReportLeaf] | None = None
    told: list[str] = []
    for index, entry in proven_entries(files, trust):
        leaf = parse_leaf(entry)
        if isinstance(leaf, RegisterLeaf):
            register = (index, leaf)
        elif isinstance(leaf, ReportLeaf):
            report = (index, leaf)
        told.append(f"Entry {index} is in the log.")
    period = report[1].period if report else register[1].period if register else ""
    if not period or (register and report and register[1].period != report[1].period):
        raise MalformedError("wrong-evidence", "These entries do not name the report of one half-year.")
    return _judged(kind, Named(period, register, report), files, told)


def _judged(kind: str, named: Named, files: dict[str, bytes], told: list[str]) -> Verdict:
    if kind == "report-withheld":
        absent = f"The log names a report of {named.period}. That nobody could get it is the watcher's word."
        return Verdict(True, (*told, absent))
    if any(name not in files for name, _ in named.files()):
        raise MalformedError("evidence-incomplete", "A file of the report is missing from this evidence.")
    bad = judge(named, files)
    if bad is None:
        return Verdict(False, (*told, "The report is the one that the log names, and its numbers are right."))
    served = "That the operator's site handed these files out is the word of whoever watched."
    return Verdict(bad.kind == kind, (*told, bad.told, *((served,) if kind == "other-report" else ())))
