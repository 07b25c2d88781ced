"""`dueprocess audit pack` and `audit open`: what an operator hands to an auditor, under confidentiality."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, working
from dueprocess.desk.auditing import open_drawn, pack
from dueprocess.errors import RefusedError
from dueprocess.vault.privatefiles import replace_private


def pack_command(
    *,
    out: Annotated[Path, Parameter(help="the folder to write; a second run writes it anew")],
    period: Annotated[str | None, Parameter(help="a half-year such as 2026H2")] = None,
    from_on: Annotated[
        dt.date | None, Parameter(name="--from", help="instead: the first day, 2026-07-01")
    ] = None,
    until_on: Annotated[
        dt.date | None, Parameter(name="--until", help="and the first day that is left out, 2027-01-01")
    ] = None,
    place: Place | None = None,
) -> None:
    """Write the bundle of a period: seeds, records without names, registers, and what is withheld. Confidential."""
    at = place or Place()
    since, until = _span(period, from_on, until_on)
    desk, now = at.open()
    with working("Opening the records of the period"):
        made = pack(desk, out, since, until, now=now)
    records = 0 if made.first_seq is None or made.last_seq is None else made.last_seq - made.first_seq + 1
    lines = [
        f"Bundle of {since} to {until - dt.timedelta(days=1)}: {out}",
        f"{counted(made.last_epoch - made.first_epoch + 1, 'time slot')}, {counted(records, 'record')}.",
        f"SHA-256 of bundle.json: {made.sha256}",
        "It is confidential: it shows when demands came in and what kind they were, and no account or name.",
        "Give it to the auditor with this digest. The public log and policy.txt he takes himself.",
    ]
    at.say(lines, {"folder": str(out), "sha256": made.sha256, "records": records, "bundle": made.as_json()})


def _span(period: str | None, from_on: dt.date | None, until_on: dt.date | None) -> tuple[dt.date, dt.date]:
    if period is None and from_on is not None and until_on is not None:
        return from_on, until_on
    if period is not None and from_on is None and until_on is None and re.fullmatch(r"20\d\dH[12]", period):
        year = int(period[:4])
        first, second = dt.date(year, 1, 1), dt.date(year, 7, 1)
        return (first, second) if period.endswith("1") else (second, dt.date(year + 1, 1, 1))
    raise RefusedError(
        "which-period",
        "Name the period once.",
        do="Either --period 2026H2, or --from 2026-07-01 with --until 2027-01-01.",
    )


def open_command(
    seq: Annotated[int, Parameter(help="the ledger number that the auditor's draw names")],
    *,
    out: Annotated[
        Path, Parameter(help="the file to write; audit check --sample wants it named NUMBER.json")
    ],
    place: Place | None = None,
) -> None:
    """Write the court's receipt of a demand that an auditor drew. It shows the whole case, and other cases not."""
    at = place or Place()
    desk, _ = at.open()
    case_id, made = open_drawn(desk, seq)
    replace_private(out, made)
    at.say(
        [
            f"Record {seq} belongs to case {case_id[:8]}. Receipt of the whole case: {out} ({len(made)} bytes).",
            "Show the auditor the paper beside it: its SHA-256 stands in the receipt.",
        ],
        {"seq": seq, "case": case_id, "bytes": len(made), "file": str(out)},
    )
