"""Verb 3, read: a person transcribes the paper. Identifiers stay in the vault; events hold references."""

from dueprocess.cases.events import Draft
from dueprocess.demand import Demand, ordered
from dueprocess.wire import Json, digest_of, instant


def target_refs(demand: Demand) -> tuple[str, ...]:
    """References t1, t2 … in the order of the paper: the only names that targets have in events."""
    return tuple(f"t{number}" for number in range(1, len(demand.scope.items) + 1))


def read(demand: Demand, *, country: str, subjects_root: str) -> list[Draft]:
    """Records that a person read the paper as ``demand``. Reading again voids assessment and decisions."""
    asked: dict[str, Json] = {
        ref: list[Json](ordered(item.categories))
        for ref, item in zip(target_refs(demand), demand.scope.items, strict=True)
    }
    order = demand.nondisclosure
    told: Json = None
    if order is not None:
        told = {"basis": order.basis, "until": instant(order.until) if order.until else None}
    return [
        Draft(
            "DemandRead",
            {
                "reading_sha256": digest_of(demand.as_json()),
                "scope_sha256": demand.scope.sha256,
                "demand_kind": demand.kind,
                "regime": demand.regime,
                "instrument": demand.instrument,
                "issuer_kind": demand.issuer_kind,
                "country": country,
                "authority": demand.authority_id,
                "legal_bases": list(demand.legal_bases),
                "targets": asked,
                "emergency": demand.emergency,
                "nondisclosure": told,
                "unreadable": len(demand.unreadable),
                "subjects_root": subjects_root,
            },
        )
    ]
