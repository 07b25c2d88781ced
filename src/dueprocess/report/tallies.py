"""The report: one number per cell, each a plain count over the register, so that anyone can recount it.

Disclosure control happens once, in the register (see its rule). The report reads nothing but the register,
so it cannot tell more: a count is 0 or at least k, and a count of 0 is published as "fewer than k", never
as zero, because rows that say ``other`` may belong to it. A reader who subtracts cells from totals gets
counts over the same rows, again 0 or at least k, with the same ``other`` rows in doubt.
"""

from dataclasses import dataclass
from typing import Any

from dueprocess.errors import MalformedError
from dueprocess.report.register import Register, expect_counts, expect_digest, faults, options
from dueprocess.report.rows import DIMENSIONS, OTHER, check_period, expect_keys
from dueprocess.wire import Json, canonical, parse_json, sha256_hex

MEANINGS: dict[str, str] = {
    "country": "country of the authority (ISO 3166-1 alpha-2)",
    "regime": "whose law the paper invokes",
    "instrument": "kind of legal paper",
    "basis": "statute that the paper rests on",
    "authority_class": "kind of authority, never its name",
    "demand_kind": "what was asked: to hand over data, to keep it, or to remove content",
    "emergency": "whether the authority called it an emergency",
    "categories": "kinds of data asked for, top level only; joined by +",
    "accounts_band": "how many accounts one demand named: 1, 2-10, 11-100, >100",
    "outcome": "how it ended",
    "narrowed": "whether we reduced the demand to what the law allows",
    "notice": "whether and when the affected person was told",
    "challenged": "whether somebody objected",
}
"""The data dictionary: what each field of a row means."""

OUTCOMES: dict[str, str] = {
    "complied": "answered as asked",
    "complied_in_part": "answered in part",
    "no_records": "we held nothing that was asked",
    "rejected": "refused",
    "withdrawn": "taken back by the authority",
    "redirected": "sent to whoever is competent",
    "objected": "objected to",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number. ``number`` None is "fewer than k", zero included. ``rows``: rows of the register read for it."""

    id: str
    rule: str
    number: int | None
    rows: int

    def shown(self, k: int) -> str:
        return f"fewer than {k}" if self.number is None else str(self.number)

    def as_json(self) -> dict[str, Json]:
        return {"id": self.id, "rule": self.rule, "number": self.number, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class Report:
    """All cells of one half-year, and the digest of the register that they count."""

    period: str
    k: int
    register_sha256: str
    cells: tuple[Cell, ...]

    def cell(self, cell_id: str) -> Cell | None:
        return next((cell for cell in self.cells if cell.id == cell_id), None)

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "period": self.period,
            "k": self.k,
            "register_sha256": self.register_sha256,
            "cells": [cell.as_json() for cell in self.cells],
        }

    @property
    def encoded(self) -> bytes:
        """``report.json``: canonical bytes."""
        return canonical(self.as_json())

    @property
    def sha256(self) -> str:
        """Hex digest of ``report.json``, as the log's report leaf names it."""
        return sha256_hex(self.encoded)


def build_report(register: Register) -> Report:
    """A total and, per dimension, a count for each value: 0 becomes "fewer than k", never zero.

    A number is a lower bound: rows that say ``other`` may belong to any value of the dimension.
    """
    cells = [_cell(register, "total", "All demands of the period that may be counted.", len(register.rows))]
    for name in DIMENSIONS:
        cells += [_count(register, name, value) for value in (*options(name, register), OTHER)]
    return Report(register.period, register.k, register.sha256, tuple(cells))


def _count(register: Register, name: str, value: str) -> Cell:
    shown = [row.named()[name] for row in register.rows]
    matching = sum(value in text.split("+") for text in shown)
    word = "name" if name == "categories" else "read"
    rule = f"Rows of the register whose `{name}` {word}s {value}."
    return _cell(register, f"{name}:{value}", rule, matching)


def _cell(register: Register, cell_id: str, rule: str, matching: int) -> Cell:
    return Cell(cell_id, rule, matching if matching >= register.k else None, len(register.rows))


def recount(register: Register, report: Report) -> list[str]:
    """Every way in which the report differs from a fresh count, in words; an empty list is agreement."""
    found = faults(register)
    fresh = build_report(register)
    if report.register_sha256 != fresh.register_sha256:
        found.append("The report names another register than this one.")
    if (report.period, report.k) != (fresh.period, fresh.k):
        found.append("The period or the k of the report is not that of the register.")
    names = [cell.id for cell in report.cells]
    if len(set(names)) != len(names):
        found.append("The report holds a cell twice.")
    for cell_id in sorted({*names, *(cell.id for cell in fresh.cells)}):
        found += _compare(cell_id, report.cell(cell_id), fresh.cell(cell_id), register.k)
    return found


def _compare(cell_id: str, published: Cell | None, counted: Cell | None, k: int) -> list[str]:
    if published == counted:
        return []
    if published is None:
        return [f"{cell_id}: missing in the report."]
    if counted is None:
        return [f"{cell_id}: the register has no such cell."]
    if published.number != counted.number:
        return [f"{cell_id}: the report says {published.shown(k)}, the register gives {counted.shown(k)}."]
    return [f"{cell_id}: the rule or the number of rows differs."]


def parse_report(text: bytes | str) -> Report:
    """A report from its JSON, strictly. Raises ``MalformedError`` and nothing else; ``recount`` judges it."""
    value = parse_json(text, "report")
    expect_keys(value, {"v", "period", "k", "register_sha256", "cells"}, "report")
    check_period(value["period"])
    expect_counts(value, "report")
    if value["register_sha256"] is None or not isinstance(value["cells"], list):
        raise MalformedError("bad-report", "A report names its register and holds a list of cells.")
    expect_digest(value["register_sha256"])
    cells = tuple(_parse_cell(each) for each in value["cells"])
    return Report(value["period"], value["k"], value["register_sha256"], cells)


def _parse_cell(value: Any) -> Cell:
    expect_keys(value, {"id", "rule", "number", "rows"}, "cell of a report")
    texts, numbers = (value["id"], value["rule"]), (value["number"], value["rows"])
    if not all(isinstance(each, str) for each in texts) or value["rows"] is None:
        raise MalformedError("bad-report", "A cell has an id and a rule in words, and a number of rows.")
    if any(each is not None and (isinstance(each, bool) or not isinstance(each, int)) for each in numbers):
        raise MalformedError("bad-report", "The numbers of a cell are whole, or null for `fewer than k`.")
    return Cell(value["id"], value["rule"], value["number"], value["rows"])
