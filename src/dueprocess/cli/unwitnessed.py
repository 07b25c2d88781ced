"""`dueprocess unwitnessed`: two people let work go on although the witnesses do not answer."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import logrules
from dueprocess.wire import instant, parse_instant

_MEANS = (
    "This means: nobody outside has seen the newest entries of the log, so during this time you could show different "
    "people different logs. Every answer made now says so for ever. Get the witnesses to answer again."
)


def unwitnessed_command(
    *,
    until: Annotated[
        str, Parameter(help="when it ends, at most 7 days from now, such as 2027-01-31T00:00:00Z")
    ],
    signer: Annotated[list[Path], Parameter(help="the key files of two people who sign, once for each")],
    place: Place | None = None,
) -> None:
    """Let work go on without witnesses, after 24 hours without them. Everything done so is marked for ever."""
    at = place or Place()
    desk, now = at.open()
    waived = logrules.waive_witnesses(desk, parse_instant(until), [signing_key(each) for each in signer], now)
    last = waived.waiver.last_witnessed_at
    at.say(
        [
            f"Until {instant(waived.waiver.until)} answers are produced and handed over without witnesses.",
            f"The witnesses were last seen {instant(last)}." if last else "No witness was ever seen.",
            _MEANS,
            f"The public log says it for everyone: entry {waived.leaf_index}, code witness-lost.",
        ],
        {
            "until": instant(waived.waiver.until),
            "last_witnessed_at": instant(last) if last else None,
            "epochs": list(waived.epochs),
            "leaf": waived.leaf_index,
        },
    )
