"""Law as data: packs of cited, dated rules, and what they say about a demand.

`parse_pack` reads a pack strictly, `assess` applies packs to a `Demand`, `explain_assessment` says the result
in sentences. A pack never grants: it refuses, narrows and asks. Where it is silent, counsel decides.

Source: law.md sections 1 and 2; architecture.md section 2, verb `assess`.
"""

from dueprocess.law.assess import assess
from dueprocess.law.assessment import Assessment, ClockState, Finding, Notice, Outcome, PackRef
from dueprocess.law.cases import Case, parse_cases, run_case
from dueprocess.law.explain import explain_assessment, explain_instrument
from dueprocess.law.pack import (
    Citation,
    Clock,
    Element,
    Instrument,
    Never,
    NondisclosureBasis,
    NoticeRule,
    Objection,
    Pack,
    Reach,
    Rule,
    Source,
    regime_packs,
)
from dueprocess.law.parse import parse_pack

__all__ = [
    "Assessment",
    "Case",
    "Citation",
    "Clock",
    "ClockState",
    "Element",
    "Finding",
    "Instrument",
    "Never",
    "NondisclosureBasis",
    "Notice",
    "NoticeRule",
    "Objection",
    "Outcome",
    "Pack",
    "PackRef",
    "Reach",
    "Rule",
    "Source",
    "assess",
    "explain_assessment",
    "explain_instrument",
    "parse_cases",
    "parse_pack",
    "regime_packs",
    "run_case",
]
