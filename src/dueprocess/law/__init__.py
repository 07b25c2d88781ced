"""Law as data: packs of cited, dated rules, and what they say about a demand.

`parse_pack` reads a pack strictly, `parse_packs` a set of them that it proves against each other, `effective` lays
overlays over the packs that they make stricter. `assess` applies packs to a `Demand`, `explain_assessment` says the
result in sentences. A pack never grants: it refuses, narrows and asks. Where it is silent, counsel decides.

Source: law.md sections 1 and 2; architecture.md section 2, verb `assess`.
"""

from dueprocess.law.assess import assess, assess_reverse
from dueprocess.law.assessment import (
    Assessment,
    CalendarRef,
    ClockState,
    Finding,
    MayKnowState,
    Notice,
    Outcome,
    PackRef,
    SoloRule,
)
from dueprocess.law.calendar import Calendar, parse_calendar
from dueprocess.law.cases import Case, parse_cases, run_case
from dueprocess.law.clocks import MovedDueDate, changed_due_dates, needed_calendars
from dueprocess.law.comparing.changes import Change, OpenCase, touches
from dueprocess.law.comparing.diff import diff_packs
from dueprocess.law.explain import explain_assessment
from dueprocess.law.instrument_page import explain_instrument
from dueprocess.law.pack import (
    BUILT_IN,
    Citation,
    Clock,
    Condition,
    Element,
    Flag,
    Floor,
    Instrument,
    LetterCode,
    MayKnow,
    Never,
    NondisclosureBasis,
    NoticeRule,
    Objection,
    Pack,
    PackKind,
    Question,
    Reach,
    Reason,
    Rule,
    Source,
    Tightening,
    regime_packs,
)
from dueprocess.law.parsing.packset import effective, parse_packs
from dueprocess.law.parsing.parse import parse_pack
from dueprocess.law.questions import open_questions, question_text
from dueprocess.law.staleness import pack_warnings

__all__ = [
    "BUILT_IN",
    "Assessment",
    "Calendar",
    "CalendarRef",
    "Case",
    "Change",
    "Citation",
    "Clock",
    "ClockState",
    "Condition",
    "Element",
    "Finding",
    "Flag",
    "Floor",
    "Instrument",
    "LetterCode",
    "MayKnow",
    "MayKnowState",
    "MovedDueDate",
    "Never",
    "NondisclosureBasis",
    "Notice",
    "NoticeRule",
    "Objection",
    "OpenCase",
    "Outcome",
    "Pack",
    "PackKind",
    "PackRef",
    "Question",
    "Reach",
    "Reason",
    "Rule",
    "SoloRule",
    "Source",
    "Tightening",
    "assess",
    "assess_reverse",
    "changed_due_dates",
    "diff_packs",
    "effective",
    "explain_assessment",
    "explain_instrument",
    "needed_calendars",
    "open_questions",
    "pack_warnings",
    "parse_calendar",
    "parse_cases",
    "parse_pack",
    "parse_packs",
    "question_text",
    "regime_packs",
    "run_case",
    "touches",
]
