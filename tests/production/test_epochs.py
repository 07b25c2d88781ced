"""Whatever is missing from log or database has a name there: gaps, lost epochs, and nothing else."""

import pytest

from dueprocess.errors import BrokenError
from dueprocess.production.epochs import Walked, check_complete
from dueprocess.tlog.leaf import GapLeaf, IncidentCode, IncidentLeaf

type Span = tuple[int, int]


def walked(
    jumps: list[Span], gaps: list[Span], lost: list[int], incidents: list[tuple[IncidentCode, int, int]]
) -> Walked:
    return Walked(
        newest=100,
        jumps=jumps,
        lost=lost,
        gaps=[GapLeaf(*each) for each in gaps],
        incidents=[IncidentLeaf(*each) for each in incidents],
    )


@pytest.mark.parametrize(
    ("found", "recovered"),
    [
        (walked([], [], [], []), []),
        (walked([(5, 7)], [(5, 7)], [], []), []),
        (walked([(5, 7), (20, 20)], [(20, 20), (5, 7)], [], []), []),
        (walked([(5, 9)], [(5, 6), (7, 7), (8, 9)], [], []), []),
        (walked([(5, 7)], [], [], [("store-restored", 4, 8)]), []),
        (walked([], [], [5, 6], [("store-restored", 5, 6)]), [(5, 6)]),
        (
            walked([], [], [5, 6, 11], [("store-restored", 5, 6), ("store-restored", 10, 12)]),
            [(5, 6), (11, 11)],
        ),
    ],
)
def test_what_the_log_names_itself_is_no_fault(found: Walked, recovered: list[Span]) -> None:
    """A gap leaf for exactly the missing epochs, or a restore that covers them and that two people signed for."""
    check_complete(found, recovered)


@pytest.mark.parametrize(
    ("found", "recovered"),
    [
        (walked([(5, 7)], [], [], []), []),
        (walked([(5, 7)], [(5, 6)], [], []), []),
        (walked([(5, 7)], [(4, 7)], [], []), []),
        (walked([(5, 7)], [(5, 8)], [], []), []),
        (walked([(5, 9)], [(5, 6), (8, 9)], [], []), []),
        (walked([(5, 7)], [], [], [("witness-lost", 4, 8)]), []),
        (walked([(5, 7)], [], [], [("store-restored", 6, 8)]), []),
        (walked([], [], [5], []), [(5, 5)]),
        (walked([], [], [5], [("store-restored", 5, 5)]), []),
        (walked([], [], [5, 6], [("store-restored", 5, 6)]), [(5, 5)]),
        (walked([], [], [5], [("record-lost", 5, 5)]), [(5, 5)]),
        (walked([], [(5, 5)], [5], []), [(5, 5)]),
    ],
)
def test_what_nobody_named_is_missing(found: Walked, recovered: list[Span]) -> None:
    """Not named, named too short or too wide, another incident, an incident or two people alone."""
    with pytest.raises(BrokenError) as caught:
        check_complete(found, recovered)
    assert caught.value.code == "epoch-missing"
