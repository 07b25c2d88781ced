"""The rosters of an installation, folded from their stream of events through the chain of signatures."""

from collections.abc import Iterable
from typing import Any

from dueprocess.cases.events import Event, check_links
from dueprocess.errors import BrokenError, MalformedError
from dueprocess.roster import Chain, Roster, Signature
from dueprocess.wire import parse_instant, sha256_hex

ENDINGS = {"Revoked": "revoke", "Suspended": "suspend"}
"""The verdict that two people must have signed for each kind of ending."""


def roster_stream(origin: str) -> str:
    """The case id under which an installation's rosters are one stream of events."""
    return sha256_hex(b"dueprocess/roster-stream/v1\n" + origin.encode())[:32]


def fold_rosters(events: Iterable[Event], *, origin: str, root: str) -> Roster:
    """The rosters that these events tell, every signature checked back to the pinned ``root``."""
    rows = list(events)
    try:
        check_links(rows)
    except MalformedError as error:
        raise BrokenError(error.code, error.what, why=error.why, do=error.do) from error
    chain = Chain(origin, root)
    for event in rows:
        at = parse_instant(event.recorded_at)
        match event.kind:
            case "Founded":
                documents: Any = event.body["documents"]
                given: Any = event.body["signatures"]
                chain.founded(documents, [[Signature.from_json(s) for s in each] for each in given], at)
            case "Enrolled":
                chain.enrolled(*_signed(event), at)
            case "Revoked" | "Suspended":
                document, signed = _signed(event)
                if document.get("verdict") != ENDINGS[event.kind]:
                    raise BrokenError("wrong-stream", f"A {event.kind} carries another verdict.")
                chain.ended(document, signed, at)
            case _:
                raise BrokenError("wrong-stream", f"{event.kind} does not belong into a roster.")
    return chain.roster


def _signed(event: Event) -> tuple[Any, list[Signature]]:
    signatures: Any = event.body["signatures"]
    return event.body["document"], [Signature.from_json(each) for each in signatures]
