"""What the public learns: coarse rows of a half-year, and a report that anyone can recount from them.

Start with `register`: its docstring is the whole rule of what is published and what never is.
"""

from dueprocess.report.register import (
    LEVELS,
    CoarseRow,
    K,
    Register,
    band_of,
    build_register,
    covers_row,
    faults,
    holds_row,
    parse_register,
)
from dueprocess.report.rows import (
    CLOSED,
    DIMENSIONS,
    NATIONAL_SECURITY,
    OTHER,
    AccountsBand,
    NoticeGiven,
    Outcome,
    RegisterRow,
    accounts_band,
    half_year,
    row_commitment,
)
from dueprocess.report.tables import register_csv, report_csv
from dueprocess.report.tallies import (
    MEANINGS,
    OUTCOMES,
    Cell,
    Report,
    build_report,
    parse_report,
    recount,
)

__all__ = [
    "CLOSED",
    "DIMENSIONS",
    "LEVELS",
    "MEANINGS",
    "NATIONAL_SECURITY",
    "OTHER",
    "OUTCOMES",
    "AccountsBand",
    "Cell",
    "CoarseRow",
    "K",
    "NoticeGiven",
    "Outcome",
    "Register",
    "RegisterRow",
    "Report",
    "accounts_band",
    "band_of",
    "build_register",
    "build_report",
    "covers_row",
    "faults",
    "half_year",
    "holds_row",
    "parse_register",
    "parse_report",
    "recount",
    "register_csv",
    "report_csv",
    "row_commitment",
]
