"""Which rule packs two people put in force: the law that this installation applies, and since when.

A decision names a pack by id, version and the digest of its content, so that the text cannot be exchanged under it.
The decisions stand in the installation's own stream of events, each signed by two different people of the roster,
back to the pinned founders. Pure; a row that anybody adds, or a file that anybody puts in its place, gives no power.

Source: formats.md, "Rosters".
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dueprocess.cases.events import Event
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.roster import Verdict
from dueprocess.wire import Json, is_version, parse_instant

BASELINE = "baseline"
"""Id of the pack that is used with every other one. It goes first, can be replaced, and stays."""

PACK_VERDICTS: dict[str, Verdict] = {"PackActivated": "activate", "PackRetired": "retire"}
"""The verdict that two people must have signed for each decision about packs."""

_SOURCE = "formats.md, Rosters"
_KEYS = {
    "PackActivated": {"v", "origin", "number", "pack", "version", "sha256", "nonce"},
    "PackRetired": {"v", "origin", "number", "pack", "sha256", "nonce"},
}
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,39}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ActivePack:
    """One pack that is or was in force, from ``since`` to ``until`` (None: it still is).

    ``sha256`` is the digest of its content; ``event`` the number of the roster event that activated it.
    """

    id: str
    version: str
    sha256: str
    since: dt.datetime
    event: int
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class PackRules:
    """Every pack that two people ever put in force, oldest first, and how many decisions there were."""

    history: tuple[ActivePack, ...] = ()
    decisions: int = 0

    @property
    def active(self) -> tuple[ActivePack, ...]:
        """The packs in force, by id."""
        return tuple(sorted((each for each in self.history if each.until is None), key=lambda each: each.id))

    @property
    def next_number(self) -> int:
        """The number that the next decision carries; none can be played again."""
        return self.decisions + 1

    def of(self, pack_id: str) -> ActivePack | None:
        """The pack in force under this id."""
        return next((each for each in self.active if each.id == pack_id), None)

    def began(self, at: dt.datetime) -> bool:
        """Whether any pack had been put in force by then; the first release applied what it brought, without a word."""
        return any(each.since <= at for each in self.history)

    def was_active(self, sha256: str, at: dt.datetime) -> bool:
        """Whether this very content was in force at that instant. Events are dated in whole seconds."""
        return any(
            each.sha256 == sha256 and each.since <= at and (each.until is None or at <= each.until)
            for each in self.history
        )


def activation_document(
    pack_id: str, version: str, sha256: str, *, origin: str, number: int, nonce: str
) -> dict[str, Json]:
    """What two people sign to put a pack in force; ``number`` counts decisions about packs from 1."""
    return {
        "v": 1, "origin": origin, "number": number, "pack": pack_id, "version": version, "sha256": sha256,
        "nonce": nonce,
    }  # fmt: skip


def retirement_document(
    pack_id: str, sha256: str, *, origin: str, number: int, nonce: str
) -> dict[str, Json]:
    """What two people sign to take a pack out of force."""
    return {"v": 1, "origin": origin, "number": number, "pack": pack_id, "sha256": sha256, "nonce": nonce}


def with_pack_event(rules: PackRules, event: Event, *, origin: str) -> PackRules:
    """The rules after one more decision about packs, whose signatures were checked.

    Refuses a document of another installation, number or shape, a first pack that is not the baseline, the same
    content twice, the end of the baseline, and the end of what is not in force. Source: formats.md, Rosters.
    """
    document = _document(event, origin)
    _check_number(rules, document["number"])
    at, current = parse_instant(event.recorded_at), rules.of(document["pack"])
    if event.kind == "PackActivated":
        _check_activation(rules, document, current)
        new = ActivePack(document["pack"], document["version"], document["sha256"], at, event.case_seq)
        return PackRules((*_ended(rules, current, at), new), rules.next_number)
    _check_retirement(document, current)
    return PackRules(_ended(rules, current, at), rules.next_number)


def _ended(rules: PackRules, current: ActivePack | None, at: dt.datetime) -> tuple[ActivePack, ...]:
    return tuple(replace(each, until=at) if each == current else each for each in rules.history)


def _document(event: Event, origin: str) -> Mapping[str, Any]:
    document: Any = event.body["document"]
    if set(document) != _KEYS[event.kind] or not is_version(document["v"]):
        raise MalformedError(
            "bad-pack-decision", f"A {event.kind} has exactly the keys {sorted(_KEYS[event.kind])}."
        )
    if document["origin"] != origin:
        raise RefusedError(
            "other-installation", "Two people signed this for another installation.", source=_SOURCE
        )
    _check_text(document["pack"], _ID, "id of a pack")
    _check_text(document["sha256"], _SHA256, "SHA-256 in lower-case hex")
    if event.kind == "PackActivated":
        _check_text(document["version"], _VERSION, "version of a pack")
    found: Mapping[str, Any] = document
    return found


def _check_text(value: object, pattern: re.Pattern[str], what: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise MalformedError("bad-pack-decision", f"{str(value)[:80]!r} is no {what}.")


def _check_number(rules: PackRules, number: object) -> None:
    if isinstance(number, bool) or number != rules.next_number:
        raise RefusedError(
            "wrong-number",
            f"The next decision about packs has the number {rules.next_number}, not {str(number)[:20]}.",
            why="A pack that was once replaced cannot be put back in force by an old decision.",
            do="Draw it up afresh: dueprocess packs activate.",
            source=_SOURCE,
        )


def _check_activation(rules: PackRules, document: Mapping[str, Any], current: ActivePack | None) -> None:
    if document["pack"] != BASELINE and rules.of(BASELINE) is None:
        raise RefusedError(
            "baseline-first",
            "No pack is in force before the baseline is.",
            why="The baseline is the floor that goes with every pack.",
            do="Activate it first: dueprocess packs activate baseline.",
            source=_SOURCE,
        )
    if current is not None and current.sha256 == document["sha256"]:
        raise RefusedError(
            "pack-active",
            f"{current.id} {current.version} is in force since {current.since:%Y-%m-%d %H:%M} UTC.",
            why="Its content is the same, to the letter.",
            do="There is nothing to do; see dueprocess packs list.",
            source=_SOURCE,
        )


def _check_retirement(document: Mapping[str, Any], current: ActivePack | None) -> None:
    if document["pack"] == BASELINE:
        raise RefusedError(
            "baseline-stays",
            "The baseline can be replaced, never retired.",
            why="It is the floor under every pack: without it nothing would ask for press, privilege and immunity.",
            do="Activate another version of it: dueprocess packs activate FILE.",
            source=_SOURCE,
        )
    if current is None or current.sha256 != document["sha256"]:
        raise RefusedError(
            "pack-not-active",
            f"There is no such content of {document['pack']} in force.",
            do="See what is: dueprocess packs list.",
            source=_SOURCE,
        )
