"""`dueprocess fsck`: read everything again and say what does not fit."""

import sys
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, working
from dueprocess.desk.check import check_everything
from dueprocess.desk.vaultcheck import unnamed_objects
from dueprocess.errors import EXIT_CODES, BrokenError
from dueprocess.history.docket import docket
from dueprocess.history.fault import NOT_CHECKED
from dueprocess.history.fsck import counts
from dueprocess.history.fsck import protected as covered


def fsck_command(
    *,
    protected: Annotated[
        bool,
        Parameter(help="list every protected table and column with the check that covers it", negative=""),
    ] = False,
    place: Place | None = None,
) -> int:
    """Check every column of every protected row, every tile, every parcel and every file of a case."""
    at = place or Place()
    if protected:
        columns = covered()
        lines = [f"{each['table']}.{each['column']}: {each['check']}" for each in columns]
        at.say(lines, {"protected": columns})
        return 0
    desk, _ = at.open()
    with working("Reading everything again"):
        faults = check_everything(desk)
        notes = [str(each) for each in unnamed_objects(desk)]
    found = counts()
    if faults:
        error = BrokenError(
            "fsck",
            f"{len(faults)} thing{'s do' if len(faults) > 1 else ' does'} not fit.",
            do="Stop producing. Find out who changed what; restore from a copy that agrees with the public log.",
        )
        named = [str(fault) for fault in faults]
        at.say(
            [*(f"FAULT {fault}" for fault in named), *(f"NOTE {each}" for each in notes)],
            {
                "faults": named,
                "broken": sorted({fault.invariant for fault in faults if fault.invariant}),
                "counts": found,
                "notes": notes,
                "not_checked": dict(NOT_CHECKED),
                "error": error.as_json(),
            },
        )
        print(f"Broken: {error}", file=sys.stderr)
        return EXIT_CODES[BrokenError]
    found["cases"] = len(docket())  # without the rosters, whose history is kept like a case's
    words = ", ".join(
        [
            counted(found["cases"], "case") + (f" ({found['erased']} erased)" if found["erased"] else ""),
            "the rosters",
            counted(found["events"], "event"),
            counted(found["records"], "record"),
            counted(found["epochs"], "epoch"),
            counted(found["leaves"], "leaf", "leaves"),
        ]
    )
    at.say(
        [f"Everything fits: {words}.", *(f"NOTE {each}" for each in notes)],
        {"faults": [], "broken": [], "counts": found, "notes": notes, "not_checked": dict(NOT_CHECKED)},
    )
    return 0
