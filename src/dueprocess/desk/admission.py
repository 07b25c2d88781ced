"""How the production worker begins with a target that people decided: the gate lets it through, nobody else is at it.

Whatever reads a store because two people signed begins here, so that nothing begins with less.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dueprocess.cases.case import Case
from dueprocess.cases.gate import Phase
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.history.append import Hand, load_case
from dueprocess.plan import Plan
from dueprocess.steps import produce as steps


@dataclass(frozen=True, slots=True)
class Admitted:
    """A target that the gate let through, and the plan that was compiled for it now."""

    case: Case
    ref: str
    plan: Plan
    head: steps.Head
    look: Callable[[Case], list[str]]
    """The whole gate again, for under the append lock."""

    def leases(self, stores: Iterable[str]) -> list[str]:
        """What nobody else may work on meanwhile: the target, and these stores."""
        return [f"target {self.case.case_id}:{self.ref}"[:80], *store_leases(stores)]

    def start(self, hand: Hand) -> list[str]:
        """Records that it begins, if the gate still opens. Returns what the gate proved, one sentence each."""
        sha256 = self.plan.plan_sha256
        return steps.start_production(
            self.case.case_id, hand, self.ref, look=self.look, plan_sha256=sha256, head=self.head
        )


def admitted(desk: Desk, case_id: str, ref: str, phase: Phase, now: dt.datetime) -> Admitted:
    """Proves from the log that this step may begin, and compiles the plan again. Refuses through the gate."""
    proof = prove(desk, case_id)
    case = load_case(case_id)
    look = last_look(desk, ref, phase, proof, now)
    look(case)
    _, plan = authorised(desk, case, ref)
    return Admitted(case, ref, plan, steps.Head(proof.log.head_size, proof.log.witnessed), look)


def stores_of(plan: Plan) -> set[str]:
    """Every store that a plan reads: where it looks the target up, where its records lie, and where its files do."""
    queries = (*plan.tables, *(each.rows for each in plan.files))
    return {
        plan.target.route.store,
        *(query.store for query in queries),
        *(each.store for each in plan.files),
    }


def store_leases(stores: Iterable[str]) -> list[str]:
    """The names of the leases on these stores."""
    return [f"store {name}"[:80] for name in sorted(stores)]
