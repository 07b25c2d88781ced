"""The installation's own stream, folded through the chain of signatures: who may act, the log's rules, the packs."""

from collections.abc import Iterable
from typing import Any

from dueprocess.cases.document import DECIDING_ROLES
from dueprocess.cases.events import Event, check_links
from dueprocess.cases.logrules import VERDICTS, LogRules, founding_rules, with_event
from dueprocess.cases.packrules import PACK_VERDICTS, PackRules, with_pack_event
from dueprocess.errors import BrokenError, MalformedError
from dueprocess.roster import Chain, Roster, Signature
from dueprocess.wire import parse_instant, sha256_hex

ENDINGS = {"Revoked": "revoke", "Suspended": "suspend"}
"""The verdict that two people must have signed for each kind of ending."""


def roster_stream(origin: str) -> str:
    """The case id under which an installation's rosters are one stream of events."""
    return sha256_hex(b"dueprocess/roster-stream/v1\n" + origin.encode())[:32]


def fold_rosters(events: Iterable[Event], *, origin: str, root: str) -> Roster:
    """The rosters that these events tell, every signature checked back to the pinned ``root``.

    The decisions about the log and the packs are checked for their two signatures too; `fold_log_rules` and
    `fold_packs` read what they say.
    """
    chain = Chain(origin, root)
    for event in _linked(events):
        _take(chain, event)
    return chain.roster


def fold_log_rules(events: Iterable[Event], *, origin: str, root: str, policy: bytes) -> LogRules:
    """The rules of the log that these events tell, from the pinned founding ``policy`` on.

    Every signature is checked back to the pinned ``root``, in the order of the events.
    """
    rows = _linked(events)
    rules = founding_rules(policy, parse_instant(rows[0].recorded_at) if rows else None)
    chain = Chain(origin, root)
    for event in rows:
        _take(chain, event)
        if event.kind in VERDICTS:
            rules = with_event(rules, event, origin=origin)
    return rules


def fold_packs(events: Iterable[Event], *, origin: str, root: str) -> PackRules:
    """Which packs two people put in force, every signature checked back to the pinned ``root``, in order."""
    rules, chain = PackRules(), Chain(origin, root)
    for event in _linked(events):
        _take(chain, event)
        if event.kind in PACK_VERDICTS:
            rules = with_pack_event(rules, event, origin=origin)
    return rules


def _linked(events: Iterable[Event]) -> list[Event]:
    rows = list(events)
    try:
        check_links(rows)
    except MalformedError as error:
        raise BrokenError(error.code, error.what, why=error.why, do=error.do) from error
    return rows


def _take(chain: Chain, event: Event) -> None:
    at, number = parse_instant(event.recorded_at), event.case_seq
    match event.kind:
        case "Founded":
            documents: Any = event.body["documents"]
            given: Any = event.body["signatures"]
            signed = [[Signature.from_json(one) for one in each] for each in given]
            chain.founded(documents, signed, at, number=number)
        case "Enrolled":
            chain.enrolled(*_signed(event), at, number=number)
        case "Revoked" | "Suspended":
            document, signatures = _signed(event)
            if document.get("verdict") != ENDINGS[event.kind]:
                raise BrokenError("wrong-stream", f"A {event.kind} carries another verdict.")
            chain.ended(document, signatures, at)
        case "PolicyChanged" | "WitnessesWaived" | "LogRecovered":
            chain.decided(*_signed(event), at, verdict=VERDICTS[event.kind], roles=DECIDING_ROLES)
        case "PackActivated" | "PackRetired":
            chain.decided(*_signed(event), at, verdict=PACK_VERDICTS[event.kind], roles=DECIDING_ROLES)
        case _:
            raise BrokenError("wrong-stream", f"{event.kind} does not belong into a roster.")


def _signed(event: Event) -> tuple[Any, list[Signature]]:
    signatures: Any = event.body["signatures"]
    return event.body["document"], [Signature.from_json(each) for each in signatures]
