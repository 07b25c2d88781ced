"""A made-up half-year to be recounted."""

import pytest

from audit.synthetic import World
from dueprocess.audit.bundle import Withheld


@pytest.fixture
def world() -> World:
    """A half-year with twelve refused demands in a register, one production, one open demand under an order."""
    made = World()
    made.add("roster", "Founded")
    made.quiet()
    made.demand("p", day=3)
    made.produced("p", day=4)
    made.add("p", "UserNotified", day=5)
    made.add("p", "ChallengeOpened", day=5)
    read = made.demand("o", day=6)
    made.withheld = [Withheld(read, "open", None, None), Withheld(50, "open", None, None)]
    made.withheld[1] = Withheld(
        next(r.seq for r in made.made if made.owner[r.seq] == "p") + 1, "open", None, None
    )
    return made
