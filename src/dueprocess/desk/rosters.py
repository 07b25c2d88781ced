"""Enrolment around its step: a document that two existing people sign."""

import datetime as dt
import secrets
from collections.abc import Sequence

from dueprocess.cases.events import Draft, Event
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.errors import MalformedError
from dueprocess.roster import Verdict, entry_document
from dueprocess.steps import enrol as steps
from dueprocess.wire import Json, b64, sha256_hex

KINDS: dict[str, str] = {"enrol": "Enrolled", "revoke": "Revoked", "suspend": "Suspended"}


def authority_document(
    who: str, *, name: str, country: str, authority_class: str, age: str
) -> dict[str, Json]:
    """The roster entry of an authority with the age recipient that its parcels are encrypted to."""
    if not age.startswith("age1"):
        raise MalformedError(
            "bad-recipient",
            "An authority's key is an age recipient; it begins with age1.",
            do="Ask for age-keygen -y.",
        )
    about = {"name": name, "country": country, "class": authority_class, "age": age}
    return entry_document(
        "authorities",
        who,
        public_key="",
        credential=sha256_hex(age.encode())[:32],
        roles=(),
        about=about,
        nonce=b64(secrets.token_bytes(32)),
    )


def ending_document(verdict: Verdict, credential: str) -> dict[str, Json]:
    """What two people sign to revoke or suspend an entry."""
    return {"v": 1, "verdict": verdict, "credential": credential, "nonce": b64(secrets.token_bytes(32))}


def enrol(
    desk: Desk,
    document: dict[str, Json],
    signers: Sequence[FileKey],
    now: dt.datetime,
    *,
    verdict: Verdict = "enrol",
) -> Event:
    """Lets the signers sign the document and records it; the whole chain is checked with it."""
    given = [s.sign(desk.pins.origin, document, role="reviewer", verdict=verdict).as_json() for s in signers]
    draft = Draft(KINDS[verdict], {"document": document, "signatures": list[Json](given)})
    hand = desk.hand(signers[0].person, now, desk.stream)
    return steps.enrol(desk.stream, hand, draft, origin=desk.pins.origin, root=desk.pins.founding_sha256)
