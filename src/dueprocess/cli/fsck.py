"""`dueprocess fsck`: read everything again and say what does not fit."""

from dueprocess.cli.place import Place
from dueprocess.cli.printing import working
from dueprocess.desk.check import check_everything
from dueprocess.errors import BrokenError
from dueprocess.history.fsck import counts


def fsck_command(*, place: Place | None = None) -> None:
    """Check every column of every protected row, every tile, every parcel and every file of a case."""
    at = place or Place()
    desk, _ = at.open()
    with working("Reading everything again"):
        faults = check_everything(desk)
    found = counts()
    if faults:
        at.say(
            [f"FAULT {fault}" for fault in faults],
            {"faults": [str(fault) for fault in faults], "counts": found},
        )
        raise BrokenError(
            "fsck",
            f"{len(faults)} thing{'s do' if len(faults) > 1 else ' does'} not fit.",
            do="Stop producing. Find out who changed what; restore from a copy that agrees with the public log.",
        )
    words = ", ".join(f"{number} {name}" for name, number in found.items())
    at.say(f"Everything fits: {words}.", {"faults": [], "counts": found})
