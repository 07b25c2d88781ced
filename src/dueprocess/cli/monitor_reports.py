"""Whether the reports on the operator's site are those that the log names, and whether their numbers are right."""

import datetime as dt
from collections.abc import Iterator

from dueprocess.cli.monitor_fetch import Place
from dueprocess.cli.verify_report import Named, judge
from dueprocess.errors import UnavailableError
from dueprocess.tlog import RegisterLeaf, ReportLeaf
from dueprocess.tlog.leafrules import Finding, LeafRules
from dueprocess.wire import instant, parse_instant

AGAIN_AFTER = dt.timedelta(days=1)
"""A report that was good is fetched again after this long: a published number never changes."""
MISSING_FOR = dt.timedelta(days=1)
"""How long the files of a report may be absent after the log named them."""


def named_reports(rules: LeafRules) -> list[Named]:
    """The newest register and report of each half-year, in order."""
    registers: dict[str, tuple[int, RegisterLeaf]] = {}
    reports: dict[str, tuple[int, ReportLeaf]] = {}
    for index, leaf in rules.rare_leaves():
        if isinstance(leaf, RegisterLeaf):
            registers[leaf.period] = (index, leaf)
        elif isinstance(leaf, ReportLeaf):
            reports[leaf.period] = (index, leaf)
    periods = sorted(registers.keys() | reports.keys())
    return [Named(period, registers.get(period), reports.get(period)) for period in periods]


def check_reports(
    rules: LeafRules, site: Place, seen: dict[str, str], *, now: dt.datetime
) -> Iterator[Finding]:
    """What is wrong with the published reports. ``seen`` remembers what was looked at, and is changed.

    A site that does not answer is a notice; files that are still not there after a day are an alarm.
    """
    for named in named_reports(rules):
        digests = " ".join(digest for _, digest in named.files())
        before, _, since = seen.get(named.period, "").rpartition(" ")
        if before == digests and now - parse_instant(since) < AGAIN_AFTER:
            continue
        try:
            files = {name: site.read(f"reports/{named.period}/{name}") for name, _ in named.files()}
        except UnavailableError as error:
            first = since if before == "missing" else instant(now)
            seen[named.period] = f"missing {first}"
            yield _absent(named, error, now - parse_instant(first))
            continue
        bad = judge(named, files)
        if bad is None:
            seen[named.period] = f"{digests} {instant(now)}"
            told = f"The report of {named.period} was counted again: it is the one that the log names, and right."
            yield Finding("report-recounted", "notice", told)
        else:
            seen.pop(named.period, None)
            yield bad


def _absent(named: Named, error: UnavailableError, gone: dt.timedelta) -> Finding:
    told = (
        f"The log names a report of {named.period}; its files are missing. {error.what} {error.why}".rstrip()
    )
    if gone > MISSING_FOR:
        return Finding("report-withheld", "alarm", f"{told} That is so for more than a day.", named.leaves)
    return Finding("report-missing", "notice", told)
