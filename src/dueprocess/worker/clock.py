"""The clock of an installation: the system's, or a simulated one that the installation declares in its log."""

import datetime as dt
import os
from pathlib import Path

from dueprocess.errors import MalformedError
from dueprocess.library.installation import Installation
from dueprocess.wire import instant, parse_instant


def read_clock(place: Installation) -> dt.datetime:
    """The time, in UTC and whole seconds. A simulated clock stands in the file ``clock`` and only there."""
    if place.clock_mode == "simulated":
        text = place.clock_file.read_text().strip()
        if not text:
            raise MalformedError(
                "no-clock", "The simulated clock was never set.", do="Set it, or use `system`."
            )
        return parse_instant(text)
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def set_clock(place: Installation, now: dt.datetime) -> None:
    """Moves a simulated clock forward; never back, and never the system's."""
    if place.clock_mode != "simulated":
        raise MalformedError(
            "real-clock", "This installation runs on the system's clock, which is not set here."
        )
    text = place.clock_file.read_text().strip() if place.clock_file.exists() else ""
    if text and parse_instant(text) > now:
        raise MalformedError("clock-ran-back", "A simulated clock moves forward only.")
    fresh = Path(f"{place.clock_file}.new")
    fresh.write_text(instant(now))
    os.replace(fresh, place.clock_file)  # noqa: PTH105  atomic on every system
