"""Who may act: staff and authorities, their keys, and the chain of enrolments that gives them power."""

from dueprocess.roster.roster import (
    COOLING_OFF,
    STAFF_ROLES,
    Chain,
    Entry,
    Roster,
    RosterName,
    entry_document,
    founding_digest,
)
from dueprocess.roster.signing import Signature, Verdict, check, fingerprint, message

__all__ = [
    "COOLING_OFF",
    "STAFF_ROLES",
    "Chain",
    "Entry",
    "Roster",
    "RosterName",
    "Signature",
    "Verdict",
    "check",
    "entry_document",
    "fingerprint",
    "founding_digest",
    "message",
]
