"""Verb 2, authenticate: evidence about the requester, never a boolean that software sets.

A mail proves no authority, a mail domain neither: only a person who called back on a number found
independently, or an enrolled key, lets a case go on.
"""

from collections.abc import Sequence

from dueprocess.cases.events import Draft
from dueprocess.errors import RefusedError
from dueprocess.roster import Entry
from dueprocess.wire import Json

FINDING_CODES: dict[str, str] = {
    "called_back": "a person called the authority back on a number found independently of the message",
    "document_signature": "the document's signature was checked against a trusted certificate",
    "official_channel": "the demand came through a channel that only the authority can use",
    "mail_only": "only the mail speaks for the requester; that proves no authority",
    "domain_differs": "the reply address differs from the sender's",
    "number_from_message": "the only number known came from the message itself",
}
PROOF = frozenset({"called_back", "document_signature", "official_channel"})


def authenticate(*, authority: Entry | None, findings: Sequence[str]) -> list[Draft]:
    """Records the evidence. Without proof or without an enrolled authority the requester stays doubted."""
    unknown = [code for code in findings if code not in FINDING_CODES]
    if unknown or not findings:
        raise RefusedError(
            "unknown-finding",
            f"These findings are not known: {unknown or 'none was given'}.",
            do="Use: " + ", ".join(FINDING_CODES),
        )
    if "called_back" in findings and "number_from_message" in findings:
        raise RefusedError(
            "findings-contradict",
            "The only number known came from the message itself, so a call to it proves nothing.",
            why="Whoever forges a letter answers the telephone number that it names.",
            do="Find a number independently, call it, and leave out number_from_message.",
        )
    listed: list[Json] = list(findings)
    if authority is None or not PROOF & set(findings):
        return [Draft("RequesterDoubted", {"findings": listed})]
    return [
        Draft(
            "RequesterVerified",
            {
                "authority": authority.id,
                "authority_class": authority.about.get("class", "other"),
                "findings": listed,
                "call_back": "called_back" in findings,
            },
        )
    ]
