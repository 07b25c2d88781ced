"""Which snapshots a disclosure's plan names, and where each lies in the vault.

A hold's parts lie under a key of its own in the key store, so that ending the hold is destroying that key, and a
backup of the vault cannot bring it back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.demand import parse_scope
from dueprocess.desk.desk import Desk
from dueprocess.errors import BrokenError, DueprocessError
from dueprocess.history.append import load_case
from dueprocess.history.docket import going
from dueprocess.plan import HeldPart, Plan
from dueprocess.production.snapshots import MANIFEST
from dueprocess.vault import Vault
from dueprocess.wire import Json, sha256_hex


@dataclass(frozen=True, slots=True)
class VaultShelf:
    """A hold's place in the vault."""

    vault: Vault
    hold_id: str

    def put(self, name: str, data: bytes) -> None:
        self.vault.put(self.hold_id, name, data)

    def get(self, name: str) -> bytes:
        return self.vault.get(self.hold_id, name)


def with_planned(desk: Desk, plan: Plan) -> Plan:
    """The plan with every snapshot that is kept of its one target, in the order of the docket.

    It looks at the holds that there are, for this one target that the paper names; two people sign the result.
    """
    found: list[HeldPart] = []
    for line in going():
        case = load_case(line.case_id)
        for ref, state in case.targets.items():
            hold = state.hold
            if hold is None or not hold.readable or state.scope_sha256 is None:
                continue
            stored: Any = desk.vault.get_json(case.case_id, f"scope:{state.scope_sha256}")
            if parse_scope(stored["scope"]).items[0].target == plan.item.target:
                assert hold.taken is not None
                manifest = hold.taken.text("manifest_sha256")
                found.append(HeldPart(hold.hold_id, case.case_id, ref, manifest))
    return replace(plan, holds=tuple(found))


def keep_planned(desk: Desk, case_id: str, scope_sha256: str, plan: Plan) -> None:
    """Stores beside an authorised scope which snapshots its plan names, if it names any."""
    if plan.holds:
        holds: list[Json] = [each.as_json() for each in plan.holds]
        desk.vault.put_json(case_id, _name(scope_sha256), {"v": 1, "holds": holds})


def as_planned(desk: Desk, case: Case, scope_sha256: str, plan: Plan) -> Plan:
    """The plan with the snapshots that were named when the scope was authorised.

    That they are these is part of the plan's digest, which people signed.
    """
    if not desk.vault.has(case.case_id, _name(scope_sha256)):
        return plan
    stored: Any = desk.vault.get_json(case.case_id, _name(scope_sha256))
    try:
        holds = tuple(
            HeldPart(each["hold"], each["case"], each["target"], each["manifest_sha256"])
            for each in stored["holds"]
        )
    except (KeyError, TypeError) as error:
        raise BrokenError(
            "holds-altered", "The list of snapshots beside this scope is not what was put there."
        ) from error
    return replace(plan, holds=holds)


def hold_faults(desk: Desk, case: Case) -> Iterator[tuple[str, str, str]]:
    """(target, what, invariant) for each hold whose snapshot is not as history names it, or outlived its end."""
    for ref, state in case.targets.items():
        hold = state.hold
        if hold is None:
            continue
        if hold.destroyed is not None and desk.keys.has(hold.hold_id):
            yield ref, "the hold is over, but its key is still there", "I9"
        if hold.taken is not None and hold.ended is None:
            try:
                found = sha256_hex(desk.vault.get(hold.hold_id, MANIFEST))
            except DueprocessError as error:
                yield ref, error.what, "I4"
                continue
            if found != hold.taken.body["manifest_sha256"]:
                yield ref, "the snapshot is not the one that history names", "I7"


def _name(scope_sha256: str) -> str:
    return f"holds:{scope_sha256}"
