"""Verb 5, narrow: demanded ∩ permitted = authorised, per target, with the reason for each thing cut."""

from collections.abc import Sequence
from dataclasses import dataclass

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft
from dueprocess.cases.resolve import Found, account_of, in_place_of
from dueprocess.demand import Scope, ScopeItem, check_authorisable, diff, ordered
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.law import Finding
from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One target's three scopes. ``authorised`` is what two people will be asked to sign."""

    ref: str
    demanded: Scope
    permitted: ScopeItem | None
    authorised: Scope
    findings: Sequence[Finding]
    plan_sha256: str
    map_sha256: str
    found: Found | None = None
    """For a target that was found behind another one: what was found there."""


def narrow(case: Case, narrowing: Narrowing) -> list[Draft]:
    """Records the authorised scope of one target. Refuses anything that the law does not permit."""
    if case.assessed is None:
        raise RefusedError("not-assessed", "This demand was not assessed yet.", do="Run dueprocess assess.")
    if not resolvable(case):
        raise not_producible(case)
    item = _within_law(case, narrowing)
    check_authorisable(item)
    return [
        Draft(
            "ScopeNarrowed",
            {
                "target": narrowing.ref,
                "scope_sha256": narrowing.authorised.sha256,
                "categories": list[Json](ordered(item.categories)),
                "cuts": _cuts(narrowing, _demanded(case, narrowing)),
                "plan_sha256": narrowing.plan_sha256,
                "map_sha256": narrowing.map_sha256,
                **item.period.as_json(),
            },
        )
    ]


def holdable(case: Case) -> bool:
    """Whether a hold may rest on what was read and assessed: a demand to preserve, of which the law permits something.

    It grants nothing, and nothing that is held leaves on such a demand.
    """
    if case.read is None or case.assessed is None or case.read.body["demand_kind"] != "preservation":
        return False
    permitted = case.assessed.body["permitted"]
    some = isinstance(permitted, dict) and any(each is not None for each in permitted.values())
    return some and case.assessed.body["outcome"] in ("permit_subset", "permit_all")


def producible(case: Case) -> bool:
    """Whether the law permits some disclosure, so that one can be decided."""
    return case.assessed is not None and bool(case.assessed.body["producible"])


def resolvable(case: Case) -> bool:
    """Whether two people may let it be found out which account a target means: so that a disclosure or a hold of that
    account can be decided, and for no other demand.
    """
    return holdable(case) or producible(case)


def not_producible(case: Case) -> RefusedError:
    """The refusal for a demand that cannot lead to a production, emergencies named as such."""
    outcome = case.assessed.text("outcome") if case.assessed else "unknown"
    if case.read is not None and case.read.body["emergency"]:
        return RefusedError(
            "emergency-not-producible",
            "Emergencies are assessed, but this version cannot produce for them.",
            why="18 USC 2702(b)(8) and (c)(4) say that a provider may disclose, never that it must; forged emergency "
            "requests have fooled the largest services, and the checks that an emergency needs are not built yet.",
            do="Call the authority back on a number that you find yourself, keep the data from deletion, call counsel.",
            source="18 USC 2702(b)(8), (c)(4)",
        )
    return RefusedError(
        "not-producible",
        f"The assessment of this demand is {outcome.replace('_', ' ')}: nothing can be produced on it.",
        why="Only people grant, and only what an assessed rule permits.",
        do="Read the findings (dueprocess show), send the deficiency notice or ask counsel.",
        source="law.md 1.2, outcome lattice",
    )


def _within_law(case: Case, narrowing: Narrowing) -> ScopeItem:
    items = narrowing.authorised.items
    if case.read is None or narrowing.demanded.sha256 != case.read.body["scope_sha256"]:
        raise RefusedError(
            "other-reading",
            "What is called demanded here is not what was read from the paper.",
            do="Read the paper again, or narrow what was read.",
            source="formats.md, Scope: three stored scopes per case",
        )
    if len(items) != 1:
        raise RefusedError(
            "one-target", "One decision concerns one target.", source="formats.md, Decision document"
        )
    item = items[0]
    demanded = _demanded(case, narrowing)
    permitted = narrowing.permitted
    if permitted is None or not (item.within(permitted) and item.within(demanded)):
        raise RefusedError(
            "wider-than-permitted",
            "The authorised scope is wider than what the law permits here.",
            why="authorised ⊆ permitted ⊆ demanded; a scope may only shrink.",
            do="Choose fewer categories or a shorter window.",
            source="formats.md, Scope",
        )
    return item


def _demanded(case: Case, narrowing: Narrowing) -> ScopeItem:
    """What the paper asks about this target, or about the one that it was found behind."""
    item = narrowing.demanded.items[case.place(narrowing.ref)]
    if case.target(narrowing.ref).parent is None:
        return item
    if narrowing.found is None:
        raise BrokenError("found-missing", "An account that was found was narrowed without what was found.")
    return in_place_of(item, account_of(case, narrowing.ref, narrowing.found))


def _cuts(narrowing: Narrowing, demanded: ScopeItem) -> list[Json]:
    cuts: list[Json] = []
    for cut in diff(Scope(narrowing.demanded.nonce, (demanded,)), narrowing.authorised):
        cuts += [
            {"category": category, "finding": _reason(narrowing, category)}
            for category in ordered(cut.categories)
        ]
        if cut.period is not None:
            cuts.append({"category": None, "finding": "window-narrowed"})
    return cuts


def _reason(narrowing: Narrowing, category: str) -> str:
    for finding in narrowing.findings:
        if finding.kind == "cut" and category in finding.categories:
            return finding.code
    return "narrowed-by-staff"
