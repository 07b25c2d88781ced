"""The daily sweep: what killed programs left goes without anybody's command. Recorded nowhere; its line tells it."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from dueprocess.desk.desk import Desk
from dueprocess.desk.sweeping import sweep
from dueprocess.errors import BrokenError, DueprocessError

DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class Tidying:
    """When this worker last swept. It sweeps when it begins, and then a day after each time."""

    last: dt.datetime | None = None

    def turn(self, desk: Desk, now: dt.datetime, *, real: dt.datetime) -> list[str]:
        """Sweeps where a day is over by ``now``, the worker's clock. Returns what to tell: nothing where nothing lay.

        ``real`` is the machine's time, by which it is seen how long a file lies there. What cannot be swept is told,
        and tried again a day later; ``BrokenError`` goes on to the worker.
        """
        if self.last is not None and now - self.last < DAY:
            return []
        self.last = now
        try:
            found = sweep(desk, real)
        except BrokenError:
            raise
        except DueprocessError as error:
            return [f"sweep: {error.what}"]
        counts = sorted(Counter(each.kind for each in found.swept).items())
        told = ", ".join(f"{number} {kind}" for kind, number in counts)
        return [
            *([f"sweep: took away what killed programs left: {told}"] if told else []),
            *(f"sweep: left alone: {each}" for each in found.left),
        ]
