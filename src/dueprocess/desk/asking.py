"""A decision to resolve, carried out inside the production worker's own process: prove, ask, keep, record.

The only caller is the production worker, which alone holds the stores' credentials.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from dueprocess.audit.reconcile import application_name
from dueprocess.cases.resolve import Found
from dueprocess.desk.admission import admitted, stores_of
from dueprocess.desk.desk import Desk
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.leases import Clock, leased
from dueprocess.production.resolving import meant_by
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

    An answer of more than the target may mean ends the target, without a count.

    Refuses, with a `ConflictError` that names who, while another program works on this target or asks its stores.
    """
    begun = admitted(desk, case_id, ref, "resolve", now)
    plan = begun.plan
    if plan.tables or plan.files:  # The gate has compared the plan; a question never brings records along.
        raise RefusedError("not-resolving", "This plan reads records.", source="formats.md, Scope")
    stores = stores_of(plan) | {desk.datamap.route("account").store}
    with leased(begun.leases(stores), clock or (lambda: now)) as leases:
        hand = desk.hand("production", now, case_id)
        proved = begun.start(hand)
        reader = application_name(str(begun.case.target(ref).decision_sha256))
        accounts = meant_by(plan, desk.datamap, environment, reader)
        found = Found(secrets.token_bytes(32), accounts or ())
        desk.vault.put_json(case_id, f"found:{found.sha256}", found.as_json())
        leases.check()
        several = plan.target.route.owners is not None
        steps.resolve(case_id, hand, ref, found, several=several, ambiguous=accounts is None)
    return Resolution(proved, load_case(case_id).target(ref).children)
