"""The vocabulary of a demand. Start here: everything else imports these words.

A `Demand` is what a paper asks. Its `Scope` lists named `Target`s, each with `Category` leaves, a `Period`
and a purpose. Three scopes live in every case: demanded, permitted (by law), authorised (by two people);
each is a subset of the one before it.
"""

from dueprocess.demand.category import (
    AUTHORISABLE,
    LEAVES,
    MEANING,
    SECRETS,
    WITHOUT_WINDOW,
    Category,
    covers,
    expand,
    ordered,
)
from dueprocess.demand.demand import (
    Answer,
    Demand,
    DemandKind,
    IssuerKind,
    NondisclosureOrder,
    PaperFacts,
    ReverseDemand,
    parse_demand,
)
from dueprocess.demand.period import UNBOUNDED, Period
from dueprocess.demand.scope import (
    MOST_TARGETS,
    NONCE_BYTES,
    USUAL_TARGETS,
    Cut,
    Purpose,
    Scope,
    ScopeItem,
    check_authorisable,
    diff,
    intersect,
    is_subset,
    parse_scope,
)
from dueprocess.demand.target import KINDS, REVERSE_KINDS, Target, TargetKind

__all__ = [
    "AUTHORISABLE",
    "KINDS",
    "LEAVES",
    "MEANING",
    "MOST_TARGETS",
    "NONCE_BYTES",
    "REVERSE_KINDS",
    "SECRETS",
    "UNBOUNDED",
    "USUAL_TARGETS",
    "WITHOUT_WINDOW",
    "Answer",
    "Category",
    "Cut",
    "Demand",
    "DemandKind",
    "IssuerKind",
    "NondisclosureOrder",
    "PaperFacts",
    "Period",
    "Purpose",
    "ReverseDemand",
    "Scope",
    "ScopeItem",
    "Target",
    "TargetKind",
    "check_authorisable",
    "covers",
    "diff",
    "expand",
    "intersect",
    "is_subset",
    "ordered",
    "parse_demand",
    "parse_scope",
]
