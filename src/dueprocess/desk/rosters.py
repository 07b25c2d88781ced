"""Enrolment around its step: a document that two existing people sign."""

import datetime as dt
import secrets
from collections.abc import Sequence

from dueprocess.cases.events import Draft, Event
from dueprocess.delivery.recipients import checked_recipient
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.roster import Verdict, entry_document
from dueprocess.steps import enrol as steps
from dueprocess.wire import Json, b64, sha256_hex

KEY_KINDS = ("age", "openpgp", "cms", "handover")
KINDS: dict[str, str] = {"enrol": "Enrolled", "revoke": "Revoked", "suspend": "Suspended"}


def authority_document(
    who: str, *, name: str, country: str, authority_class: str, **recipient: str
) -> dict[str, Json]:
    """The roster entry of an authority with exactly one way in which its answers leave, as ``recipient``.

    ``age``, ``openpgp`` or ``cms``: the key's text. ``handover``: a recorded act of a person instead of a key. Whether
    a key can be encrypted to is checked by `checked_key`.
    """
    if len(recipient) != 1 or not set(recipient) <= set(KEY_KINDS):
        raise RefusedError(
            "one-recipient",
            "An authority has exactly one way in which its answers leave.",
            do="Give one of --age, --openpgp, --cms or --handover.",
            source="formats.md, Parcel",
        )
    ((kind, text),) = recipient.items()
    if kind == "age" and not text.startswith("age1"):
        raise MalformedError(
            "bad-recipient",
            "An authority's key is an age recipient; it begins with age1.",
            do="Ask for age-keygen -y.",
        )
    nonce = b64(secrets.token_bytes(32))
    # Two authorities may both have no key; their entries must still be told apart.
    fingerprinted = text if kind != "handover" else f"{who}\n{text}\n{nonce}"
    return entry_document(
        "authorities",
        who,
        public_key="",
        credential=sha256_hex(fingerprinted.encode())[:32],
        roles=(),
        about={"name": name, "country": country, "class": authority_class, kind: text},
        nonce=nonce,
    )


def checked_key(kind: str, text: str, now: dt.datetime) -> tuple[str, str]:
    """(the key as it is enrolled, whose it says it is). Refuses one that nothing can be encrypted to today."""
    return checked_recipient(kind, text, now)


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
