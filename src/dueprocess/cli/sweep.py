"""`dueprocess sweep`: take away what killed programs left behind, and nothing that history knows."""

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.printing import working
from dueprocess.desk.sweeping import sweep

_WORDS = {
    "receipt": "a paper that was never recorded, and its key",
    "read": "what an interrupted production had read, and its key",
    "objects": "bytes in the vault that no key opens",
    "half-written": "a half-written file",
    "parcel": "a half-made parcel",
}


def sweep_command(
    *,
    dry_run: Annotated[bool, Parameter(negative="", help="only say what would be taken away")] = False,
    place: Place | None = None,
) -> None:
    """Take away what killed programs left more than a day ago: never anything of a case that has events."""
    at = place or Place()
    desk, _ = at.open()
    with working("Sweeping"):
        found = sweep(
            desk, dt.datetime.now(dt.UTC), dry_run=dry_run
        )  # how long a file lies is no simulated time
    verb = "would take away" if dry_run else "took away"
    at.say(
        [
            *(f"{verb} {_WORDS[each.kind]}: {each.name} ({each.why})" for each in found.swept),
            *(f"left alone: {each}" for each in found.left),
            *([] if found.swept or found.left else ["Nothing was left behind."]),
        ],
        {"dry_run": dry_run, "swept": [asdict(each) for each in found.swept], "left": list(found.left)},
    )
