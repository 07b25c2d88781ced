"""Checking a report: every number counted again from the register, and both compared with the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cli.printing import working
from dueprocess.cli.verify_files import Answer, in_words, read
from dueprocess.errors import BrokenError, MalformedError
from dueprocess.report import faults, parse_register, parse_report, recount
from dueprocess.tlog import Policy, RegisterLeaf, ReportLeaf, TileReader, open_checkpoint, parse_leaf
from dueprocess.tlog.leafrules import Finding
from dueprocess.wire import sha256_hex

_LIMITS = (
    "A number is a lower bound: demands that say `other` may belong to any line.",
    "It counts what was registered. It cannot show a demand that the operator never recorded.",
)


@dataclass(frozen=True, slots=True)
class Named:
    """What the log names for one half-year: the newest register and report, with the index of each entry."""

    period: str
    register: tuple[int, RegisterLeaf] | None
    report: tuple[int, ReportLeaf] | None

    @property
    def leaves(self) -> tuple[int, ...]:
        return tuple(sorted(each[0] for each in (self.register, self.report) if each is not None))

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and digest of each file."""
        if self.register is not None:
            yield "register.json", self.register[1].sha256
        if self.report is not None:
            yield "report.json", self.report[1].sha256


def judge(named: Named, files: dict[str, bytes]) -> Finding | None:
    """What is wrong with these files of a half-year, or None."""
    for name, digest in named.files():
        if sha256_hex(files[name]) != digest:
            told = f"{name} of {named.period} on the site is not the file that the log names."
            return Finding("other-report", "alarm", told, named.leaves, files)
    if named.register is None or named.report is None:
        return None  # The log itself breaks a rule, which is told where entries are read.
    try:
        wrong = recount(parse_register(files["register.json"]), parse_report(files["report.json"]))
    except MalformedError as error:
        wrong = [error.what]
    if not wrong:
        return None
    more = f" And {len(wrong) - 3} more." if len(wrong) > 3 else ""
    told = f"The report of {named.period} is not what its register gives. {' '.join(wrong[:3])}{more}"
    return Finding("bad-report", "alarm", told, named.leaves, files)


def answer_report(report: bytes, register: bytes, *, policy: Policy | None, log: Path | None) -> Answer:
    """The report recounted; with a policy and a log, that the log names exactly these files."""
    try:
        known, made = parse_register(register), parse_report(report)
    except MalformedError as error:
        raise in_words(error, "This report cannot be counted again.") from error
    wrong = recount(known, made)
    if wrong:
        raise BrokenError(
            "report-differs",
            "The report is not what its register gives.",
            why="; ".join(wrong[:5]),
            do="Keep both files: together they are the evidence.",
        )
    details = [
        f"sha256 of register.json: {sha256_hex(register)}",
        f"sha256 of report.json: {sha256_hex(report)}",
    ]
    means = ["Every number in it follows from the register beside it. Nobody changed a number by hand."]
    if policy is not None and log is not None:
        means.append(_named_in_log({"register.json": register, "report.json": report}, policy, log))
    else:
        details.append(
            "Not looked at: the log (name --policy and --log to see that these are the published files)."
        )
    found = {"period": known.period, "cells": len(made.cells), "register_sha256": sha256_hex(register)}
    conclusion = (
        f"The report of {known.period} is what its register gives: {len(made.cells)} cells recounted."
    )
    return Answer(conclusion, (f"The register holds {known.statement}.", *means), _LIMITS, (*details,), found)


def answer_register(register: bytes, *, policy: Policy | None, log: Path | None) -> Answer:
    """A register alone: that it keeps the rule of ten, and that the log names it."""
    try:
        known = parse_register(register)
    except MalformedError as error:
        raise in_words(error, "This register cannot be read.") from error
    wrong = faults(known)
    if wrong:
        raise BrokenError("register-faulty", "The register breaks its own rule.", why="; ".join(wrong[:5]))
    means = [f"It holds {known.statement}, and no combination that fewer than {known.k} share."]
    if policy is not None and log is not None:
        means.append(_named_in_log({"register.json": register}, policy, log))
    return Answer(
        f"The register of {known.period} keeps its rules.",
        (*means,),
        _LIMITS[1:],
        (f"sha256: {sha256_hex(register)}",),
        {"period": known.period, "rows": len(known.rows), "register_sha256": sha256_hex(register)},
    )


def _named_in_log(files: dict[str, bytes], policy: Policy, log: Path) -> str:
    """That the log names exactly these files. Raises where it names others or none."""

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
    digests = {name: sha256_hex(data) for name, data in files.items()}
    missing = [name for name, digest in digests.items() if digest not in named]
    if missing:
        raise BrokenError(
            "report-not-in-log",
            f"The log names no such {' and no such '.join(missing)}.",
            why="Its register and report leaves carry other digests: these files are not what was published.",
            do="Keep the files and this log: together they are the evidence.",
        )
    leaves = " and ".join(str(named[digest]) for digest in digests.values())
    both = "both files, in leaves" if len(files) > 1 else "it, in leaf"
    return f"The log in {log} names {both} {leaves}."
