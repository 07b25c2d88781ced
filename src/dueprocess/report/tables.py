"""CSV of the register and of the report, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from dueprocess.parcel import safe
from dueprocess.report.register import Register
from dueprocess.report.rows import DIMENSIONS
from dueprocess.report.tallies import Report


def register_csv(register: Register) -> bytes:
    """``register.csv``: one line per row, UTF-8, CRLF. No line but the header for "fewer than k"."""
    rows = ([register.period, *row.values, row.commitment] for row in register.rows)
    return _table(["period", *DIMENSIONS, "rc"], rows)


def report_csv(report: Report) -> bytes:
    """``report.csv``: one line per cell, UTF-8, CRLF; "fewer than k" where a number is withheld."""
    rows = (
        [report.period, cell.id, cell.shown(report.k), str(cell.rows), cell.rule] for cell in report.cells
    )
    return _table(["period", "cell", "number", "rows_read", "rule"], rows)


def _table(header: list[str], rows: Iterable[list[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8")
