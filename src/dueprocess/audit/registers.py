"""Ledger, registers and the list of what is withheld, against each other: each demand that was read stands in one.

A register row carries the commitment that the demand's own record carries, so that rows and records pair off one
to one. Of an erased demand the record does not show which row is its own; such rows can only be counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dueprocess.audit.bundle import WHY, Seen, Withheld
from dueprocess.audit.chains import Chain, Fault
from dueprocess.errors import MalformedError
from dueprocess.report import (
    NATIONAL_SECURITY,
    OTHER,
    CoarseRow,
    Register,
    Report,
    accounts_band,
    half_year,
    parse_register,
    parse_report,
    recount,
)
from dueprocess.tlog.leaf import RegisterLeaf, ReportLeaf
from dueprocess.wire import Json, sha256_hex


@dataclass(frozen=True, slots=True)
class Books:
    """The registers and reports of a bundle, by half-year, as bytes; and what the log names."""

    registers: Mapping[str, bytes]
    reports: Mapping[str, bytes]
    named: Mapping[str, RegisterLeaf]
    """The newest register leaf of each half-year in the log."""
    reported: Mapping[str, ReportLeaf]


@dataclass(slots=True)
class Registers:
    """What came of comparing."""

    faults: list[Fault] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    held: dict[str, Register] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    rows: dict[str, tuple[str, CoarseRow]] = field(default_factory=dict)
    """Commitment → half-year and row."""
    paired: set[str] = field(default_factory=set)
    """Commitments of rows that were found in a record."""

    def fault(self, code: str, told: str) -> None:
        self.faults.append(Fault(code, told))


def compare(
    books: Books,
    chains: Sequence[Chain],
    outside: Sequence[Seen],
    withheld: Iterable[Withheld],
    *,
    covered: frozenset[str],
    first_seq: int,
) -> Registers:
    """Pairs rows with records, and every demand that was read with a row or a line of the list.

    ``covered`` are the half-years that the period touches: of these every row must have its record. ``outside``
    are records beyond the period. ``first_seq`` is the bundle's first ledger number.
    """
    found = Registers()
    _read(found, books)
    cases = [each for each in chains if each.registered is not None and not each.roster]
    in_chains = {each.registered.seq for each in cases if each.registered is not None}
    loose = [each for each in outside if each.kind == "CaseRegistered" and each.seq not in in_chains]
    listed = _listed(found, chains, withheld, first_seq)
    counted = Counter(_half(each) for each in cases if _counts(each))
    for each in cases:
        _pair(found, each, books, listed, counted)
    for record in loose:
        _row_of(found, record)
    _rows_without(found, cases, loose, covered)
    _unlisted(found, chains, listed)
    return found


# ------------------------------------------------------------------ the files


def _read(found: Registers, books: Books) -> None:
    for period, data in sorted(books.registers.items()):
        leaf = books.named.get(period)
        if leaf is None or leaf.sha256 != sha256_hex(data):
            found.fault(
                "register-not-in-log", f"The log names another register of {period} than this one, or none."
            )
        try:
            found.held[period] = parse_register(data)
        except MalformedError as error:
            found.fault("bad-register", f"The register of {period} cannot be read: {error.what}")
            continue
        if found.held[period].period != period:
            found.fault(
                "bad-register", f"The register of {period} says that it is of {found.held[period].period}."
            )
    for period, data in sorted(books.reports.items()):
        _read_report(found, period, data, books.reported.get(period))
    for period in sorted(found.held.keys() - books.reports.keys()):
        found.unseen.append(f"The report of {period} is not in the bundle, so it was not recounted.")
    _read_rows(found)


def _read_rows(found: Registers) -> None:
    for period, register in sorted(found.held.items()):
        for row in register.rows:
            if row.commitment in found.rows:
                told = f"The registers hold the row {row.commitment[:16]}… twice: one demand counts as two."
                found.fault("row-twice", told)
            found.rows[row.commitment] = (period, row)


def _read_report(found: Registers, period: str, data: bytes, leaf: ReportLeaf | None) -> None:
    if leaf is None or leaf.sha256 != sha256_hex(data):
        found.fault("report-not-in-log", f"The log names another report of {period} than this one, or none.")
    register = found.held.get(period)
    try:
        report = found.reports[period] = parse_report(data)
    except MalformedError as error:
        found.fault("bad-report", f"The report of {period} cannot be read: {error.what}")
        return
    if register is None:
        return
    wrong = recount(register, report)
    for each in wrong[:5]:
        found.fault("report-differs", f"The report of {period} is not what its register gives. {each}")
    if not wrong:
        told = f"all {len(report.cells)} numbers of the report counted again."
        found.shown.append(f"{period}: {register.statement} registered; {told}")


# ------------------------------------------------------------------ withheld


def _listed(
    found: Registers, chains: Sequence[Chain], withheld: Iterable[Withheld], first_seq: int
) -> dict[int, Withheld]:
    """The list by ledger number; what it says is held against the chain it names."""
    read = {each.read_seq: each for each in chains if each.read_seq is not None and not each.roster}
    listed: dict[int, Withheld] = {}
    for each in withheld:
        if each.seq in listed:
            found.fault("withheld-twice", f"The list of what is withheld names record {each.seq} twice.")
        listed[each.seq] = each
        chain = read.get(each.seq)
        if chain is not None:
            _check_reason(found, each, chain)
        elif each.seq >= first_seq:
            found.fault(
                "withheld-unknown", f"The list names record {each.seq}, which is no reading of a demand."
            )
    _tell_listed(found, listed, sum(each < first_seq and each not in read for each in listed))
    return listed


def _tell_listed(found: Registers, listed: Mapping[int, Withheld], before: int) -> None:
    reasons = Counter(WHY[each.why] for each in listed.values())
    found.shown += [f"Withheld: {count}, {reason}." for reason, count in sorted(reasons.items())]
    for each in listed.values():
        if each.why == "nondisclosure":
            found.shown.append(
                f"  record {each.seq}: an order not to tell, until {each.until or 'further notice'}."
            )
    if before:
        found.unseen.append(
            f"{before} of the withheld demands were read before the period: compare them with the list of the"
            " audit before."
        )


def _check_reason(found: Registers, line: Withheld, chain: Chain) -> None:
    closed, registered = chain.closed_month is not None, chain.registered is not None
    fits = {
        "open": not closed,
        "nondisclosure": not closed and (chain.nondisclosure or not chain.whole),
        "unregistered": closed and not registered,
        "too-early": registered,
    }[line.why]
    if not fits:
        told = f"The list withholds the demand of record {line.seq} as {WHY[line.why]}; the ledger says otherwise."
        found.fault("withheld-wrongly", told)


def _unlisted(found: Registers, chains: Sequence[Chain], listed: Mapping[int, Withheld]) -> None:
    for each in chains:
        if each.read_seq is None or each.registered is not None or each.read_seq in listed:
            continue
        found.fault(
            "demand-nowhere",
            f"The demand that was read in record {each.read_seq} stands neither in a register nor in the list of"
            " what is withheld.",
        )


# ------------------------------------------------------------------ rows and records


def _half(chain: Chain) -> str:
    month = chain.half_year_month
    return half_year(int(month[:4]), int(month[5:7]))


def _counts(chain: Chain) -> bool:
    """Whether a registered case is one that registers count and show."""
    record = chain.registered
    return record is not None and not record.kept and record.values.get("instrument") not in NATIONAL_SECURITY


def _pair(
    found: Registers, chain: Chain, books: Books, listed: Mapping[int, Withheld], counted: Mapping[str, int]
) -> None:
    """Finds the row of a registered case, or the reason why it has none."""
    assert chain.registered is not None
    period, named = _half(chain), f"The demand that was registered in record {chain.registered.seq}"
    if chain.registered.kept or _row_of(found, chain.registered):
        return
    register = found.held.get(period)
    if register is None:
        if period in books.named:
            found.fault(
                "register-missing", f"The log names a register of {period}, the bundle does not hold it."
            )
        elif chain.read_seq is not None and chain.read_seq not in listed:
            found.fault(
                "demand-nowhere", f"{named} awaits the register of {period}, and the list does not say so."
            )
    elif chain.registered.values.get("instrument") in NATIONAL_SECURITY:
        if _NATIONAL not in found.shown:
            found.shown.append(_NATIONAL)
    elif register.rows or counted[period] >= register.k:
        found.fault("record-without-row", f"{named} has no row in the register of {period}.")


_NATIONAL = "Demands under national security process stand in no row; their number is not told here."


def _row_of(found: Registers, record: Seen) -> bool:
    """Whether the record's row stands in a register; notes where it says something else than the record."""
    commitment = record.text("register_row") or ""
    if commitment not in found.rows:
        return False
    period, row = found.rows[commitment]
    found.paired.add(commitment)
    odd = _odd_values(row, record)
    if odd:
        told = f"The register of {period} says about record {record.seq} what the record does not: {odd}."
        found.fault("row-differs", told)
    return True


def _odd_values(row: CoarseRow, record: Seen) -> str:
    shown, values = row.named(), record.values
    basis, accounts = values["basis"], values["accounts"]
    true: dict[str, Json] = {
        name: values[name] for name in ("country", "instrument", "demand_kind", "outcome")
    }
    true["authority_class"] = values["authority_class"] or "unknown"
    true["basis"] = basis[0] if isinstance(basis, list) and basis else "none"
    true["emergency"] = "yes" if values["emergency"] else "no"
    if isinstance(accounts, int) and accounts > 0:
        true["accounts_band"] = accounts_band(accounts)
    odd = [name for name, value in true.items() if shown[name] not in (OTHER, value)]
    return "; ".join(f"{name} {shown[name]!r}, not {true[name]!r}" for name in odd)


def _rows_without(
    found: Registers, cases: Sequence[Chain], loose: Sequence[Seen], covered: frozenset[str]
) -> None:
    """Rows to which no record belongs. Erased records may account for some; for more they cannot."""
    erased = Counter(_half(each) for each in cases if each.registered is not None and each.registered.kept)
    erased.update(half_year(int(each.month[:4]), int(each.month[5:7])) for each in loose if each.kept)
    for period, register in sorted(found.held.items()):
        rest = [row for row in register.rows if row.commitment not in found.paired]
        if period not in covered or not rest:
            continue
        if len(rest) > erased[period]:
            told = f"The register of {period} holds {len(rest) - erased[period]} rows without a record in the ledger."
            found.fault("row-without-record", told)
        else:
            found.unseen.append(
                f"{len(rest)} rows of {period} belong to erased demands; which is whose cannot be seen any more."
            )
