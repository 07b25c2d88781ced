"""Targets that were found behind others: which account each is, and what is asked and permitted about it.

Every place that needs a target's account or its part of the reading asks here, because a target that was found is
not on the paper: it stands for the one that it was found behind.
"""

from collections.abc import Sequence

from dueprocess.cases.case import Case
from dueprocess.cases.resolve import Found, account_of, in_place_of, parse_found
from dueprocess.demand import ScopeItem, Target
from dueprocess.desk.assessments import reading
from dueprocess.desk.desk import Desk, named
from dueprocess.law import Assessment


def found_of(desk: Desk, case: Case, ref: str) -> Found | None:
    """What was found behind the parent of this target, as the vault keeps it; None for a target of the paper.

    Refuses another list than history names.
    """
    parent = case.target(ref).parent
    event = case.target(parent).found if parent is not None else None
    if event is None:
        return None
    return parse_found(named(desk, case.case_id, "found", event.text("found_sha256")))


def account(desk: Desk, case: Case, ref: str) -> Target | None:
    """The account that a target which was found stands for; None for a target of the paper."""
    found = found_of(desk, case, ref)
    return None if found is None else account_of(case, ref, found)


def demanded_item(desk: Desk, case: Case, ref: str) -> ScopeItem:
    """What the paper asks about a target, or about the one that it was found behind."""
    item = reading(desk, case).scope.items[case.place(ref)]
    return in_place_of(item, account(desk, case, ref))


def permitted_item(desk: Desk, case: Case, ref: str, assessment: Assessment) -> ScopeItem | None:
    """What the law permits about a target, or about the one that it was found behind; None for nothing."""
    permitted: Sequence[ScopeItem | None] = assessment.permitted
    item = permitted[case.place(ref)]
    return None if item is None else in_place_of(item, account(desk, case, ref))
