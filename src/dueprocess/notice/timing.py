"""Timing: when a letter that must be repeated is due."""

import datetime as dt
from collections.abc import Sequence

FIRST = dt.timedelta(days=365)
AGAIN = dt.timedelta(days=90)


def end_of_silence_due(start: dt.date, asked: Sequence[dt.date] = ()) -> dt.date:
    """The day from which the end of an undated order not to tell is asked for (again).

    365 days after its start; once asked, 90 days after the last request, and never before those 365 days.

    Source: our own practice, after the policy of the US Department of Justice of 19 October 2017 (orders for one year
    or less, barring exceptional circumstances); no law sets these days.
    """
    first = start + FIRST
    return max(first, max(asked) + AGAIN) if asked else first
