"""The recount: every epoch of a period rebuilt from seeds and records, and compared with the public log.

A place of an epoch without a record holds noise from the epoch's seed, so an epoch that is rebuilt exactly holds no
record that the auditor has not seen. Lines come one after the other; memory does not grow with the period's length.

Source: specs/audit/README.md; security.md 5.5.
"""

import datetime as dt
from collections.abc import Sequence

from dueprocess.audit.bundle import Header, Seen, parse_withheld
from dueprocess.audit.chains import Chains, erasure_faults
from dueprocess.audit.registers import Books, compare
from dueprocess.audit.result import Bundle, PublicLog, Recount
from dueprocess.audit.walk import Walk, outside_records
from dueprocess.errors import MalformedError
from dueprocess.report import half_year
from dueprocess.tlog.leafrules import LeafRules


def recount(bundle: Bundle, log: PublicLog, *, drawn: frozenset[int] = frozenset()) -> Recount:
    """Counts a period again. ``drawn`` are demands of a sample: of their cases every record is remembered.

    Raises ``MalformedError`` where a line cannot be read at all; what can be read and does not fit is a fault.
    """
    found = Recount(bundle.header)
    found.chains = Chains(bundle.header.from_the_start, drawn)
    if log.origin != bundle.header.origin:
        told = f"The bundle is about the log {bundle.header.origin[:80]!r}, this is {log.origin[:80]!r}."
        raise MalformedError("other-log", told, do="Take the log that the bundle names.")
    if log.size < bundle.header.log_size:
        told = (
            f"This copy of the log has {log.size} entries, at {bundle.header.log_size} the bundle was made."
        )
        raise MalformedError("log-behind", told, do="Take a newer copy of the log.")
    outside = outside_records(found, bundle.outside)
    walk = Walk(found, bundle, outside)
    rules = LeafRules(log.keys)
    for index, entry in enumerate(log.entries):
        walk.read(index, entry, rules)
    walk.end()
    later = [each.seen for each in outside]
    _judge_chains(found, later)
    books = Books(bundle.registers, bundle.reports, walk.registers, walk.reports)
    found.registers = compare(
        books, found.chains.all, later, [parse_withheld(line) for line in bundle.withheld],
        covered=covered_halves(bundle.header), first_seq=bundle.header.first_seq or 1,
    )  # fmt: skip
    for each in found.registers.faults:
        found.fault(each)
    return found


def _judge_chains(found: Recount, later: Sequence[Seen]) -> None:
    """What can be said of the cases once all their records are there, those after the period too."""
    for seen in later:
        for each in found.chains.take_later(seen):
            found.fault(each)
    for chain in found.chains.all:
        for each in erasure_faults(chain):
            found.fault(each)


def covered_halves(header: Header) -> frozenset[str]:
    """The half-years that the bundle's days touch."""
    last_on = header.until_on - dt.timedelta(days=1)
    first, last = (each.year * 12 + each.month - 1 for each in (header.from_on, last_on))
    return frozenset(half_year(each // 12, each % 12 + 1) for each in range(first, last + 1))
