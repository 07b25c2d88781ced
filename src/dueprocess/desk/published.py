"""What was published about a half-year, held against itself, the ledger and the log.

Source: security.md 3.1, I10.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dueprocess.cases.case import Case
from dueprocess.desk.desk import Desk
from dueprocess.errors import DueprocessError
from dueprocess.history import ledger
from dueprocess.history.fault import Fault
from dueprocess.report import Register, parse_register, parse_report, recount
from dueprocess.tlog.leaf import RegisterLeaf, ReportLeaf, parse_leaf
from dueprocess.wire import sha256_hex


def report_faults(desk: Desk, cases: Iterable[Case]) -> Iterator[Fault]:
    """Each published half-year: recounted, its rows against the ledger's registrations, its files against the log."""
    registered: dict[str, set[str]] = {}
    for case in cases:
        if case.registered is not None:
            period, row = case.registered.text("period"), case.registered.text("row_sha256")
            registered.setdefault(period, set()).add(row)
    named = _named()
    for folder in sorted((desk.installation.public / "reports").glob("*")):
        try:
            found = list(_half_year(folder, registered.get(folder.name, set()), named))
        except (DueprocessError, OSError) as error:
            found = [getattr(error, "what", str(error))]
        yield from (Fault("report", folder.name, each, "I10") for each in found)


def _named() -> frozenset[str]:
    """Digests that register and report leaves name."""
    head = ledger.head()
    entries = ledger.entries(0, head.size if head else 0)
    leaves = [parse_leaf(each.encode()) for each in entries if '"t":"epoch"' not in each]
    return frozenset(each.sha256 for each in leaves if isinstance(each, RegisterLeaf | ReportLeaf))


def _half_year(folder: Path, registered: set[str], named: frozenset[str]) -> Iterator[str]:
    files = {name: (folder / name).read_bytes() for name in ("register.json", "report.json")}
    register = parse_register(files["register.json"])
    yield from recount(register, parse_report(files["report.json"]))
    for name, data in files.items():
        if sha256_hex(data) not in named:
            yield f"the log names no such {name}"
    yield from _rows(register, registered)


def _rows(register: Register, registered: set[str]) -> Iterator[str]:
    """Rows that are left out on purpose (national security, fewer than k) are not faults; invented ones are."""
    shown = [row.commitment for row in register.rows]
    if len(set(shown)) != len(shown):
        yield "the register holds a row twice"
    invented = len(set(shown) - registered)
    if invented:
        yield f"the register holds {invented} rows that no case in the ledger registered"
