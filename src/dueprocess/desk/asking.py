"""A decision to resolve, carried out inside the production worker's own process: prove, ask, keep, record.

The only caller is the production worker, which alone holds the stores' credentials.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from dueprocess.audit.reconcile import application_name
from dueprocess.cases.resolve import Found
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.leases import Clock, leased
from dueprocess.plan import Plan
from dueprocess.production.resolving import find_accounts
from dueprocess.steps import produce as production_steps
from dueprocess.steps import resolve as steps


@dataclass(frozen=True, slots=True)
class Resolution:
    """What came of it: what the gate proved, and the targets that were added. Never an account."""

    proved: list[str]
    targets: tuple[str, ...]


def resolve(
    desk: Desk,
    case_id: str,
    ref: str,
    environment: Mapping[str, str],
    *,
    now: dt.datetime,
    clock: Clock | None = None,
) -> Resolution:
    """Asks the one question that two people approved. Refuses through the gate; a failed run can be run again.

    Refuses, with a `ConflictError` that names who, while another program works on this target or asks its stores.
    """
    proof = prove(desk, case_id)
    case = load_case(case_id)
    look = last_look(desk, ref, "resolve", proof, now)
    look(case)
    _, plan = authorised(desk, case, ref)
    if plan.tables or plan.files:  # The gate has compared the plan; a question never brings records along.
        raise RefusedError("not-resolving", "This plan reads records.", source="formats.md, Scope")
    with leased(_leases(case_id, ref, desk, plan), clock or (lambda: now)) as leases:
        hand = desk.hand("production", now, case_id)
        head = production_steps.Head(proof.log.head_size, proof.log.witnessed)
        proved = production_steps.start_production(
            case_id, hand, ref, look=look, plan_sha256=plan.plan_sha256, head=head
        )
        reader = application_name(str(case.target(ref).decision_sha256))
        found = Found(secrets.token_bytes(32), find_accounts(plan, desk.datamap, environment, reader))
        desk.vault.put_json(case_id, f"found:{found.sha256}", found.as_json())
        leases.check()
        steps.resolve(case_id, hand, ref, found, several=plan.target.route.owners is not None)
    return Resolution(proved, load_case(case_id).target(ref).children)


def _leases(case_id: str, ref: str, desk: Desk, plan: Plan) -> list[str]:
    stores = {plan.target.route.store, desk.datamap.route("account").store}
    return [f"target {case_id}:{ref}"[:80], *(f"store {name}"[:80] for name in sorted(stores))]
