"""Verb 9, deliver: what may be recorded about a hand-over, and when a parcel is purged.

A hand-over is begun once. It ends as delivered or as failed; a failed one may be begun again. What was delivered is
handed over once more only if a person reopens it and says why.

Source: architecture.md section 2, deliver; formats.md, Parcel.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.parcel.eu_reply import (
    LONGEST,
    MOST_IN_THE_SYSTEM_BYTES,
    SHORTEST,
    Cause,
    OrderMark,
    fits_the_system,
)
from dueprocess.wire import Json, instant, parse_instant

PURGE_DAYS = 30
"""A parcel is deleted this many days after it was handed over or refused."""
RELEASE_DAYS = 14
"""How long a released parcel can be fetched unless a person says otherwise."""
MOST_RELEASE_DAYS = 90
MOST_SPOKEN = 5
"""A handful: the most records that may be read out on the telephone."""

AGAIN: Mapping[str, str] = {
    "lost": "the file was lost at the requester's before it was opened",
    "unreadable": "what arrived cannot be read",
    "never-arrived": "the requester says that it never arrived, though all of it was sent",
}
"""Why a hand-over may be reopened: a code for history, its meaning for people."""

_EUROPEAN: Mapping[str, Literal["EPOC", "EPOC-PR"]] = {"epoc": "EPOC", "epoc_pr": "EPOC-PR"}
"""The instruments of Regulation (EU) 2023/1543, whose answers go through the decentralised IT system."""
_REGIMES = ("eu", "eu.evidence")
_ACCESSIBLE = "Implementing Regulation (EU) 2025/1550, Annex, point 3.3.3(b)"


@dataclass(frozen=True, slots=True)
class HandOver:
    """A hand-over that is about to begin: its channel, the key it is for, and whether the head was witnessed."""

    channel: str
    recipient_key_sha256: str
    witnessed: bool
    release: str | None = None
    """The id of the release, where the requester fetches the parcel; with it ``expires_at``."""
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """What one token fetched of a release: how many requests, how many different bytes, and whether that was all."""

    id: str
    requests: int
    size_bytes: int
    complete: bool


def begin(state: TargetState, how: HandOver) -> list[Draft]:
    """The events with which a hand-over begins, once the gate has opened."""
    named = _named(state)
    drafts = [
        Draft(
            "DeliveryStarted",
            {
                **named,
                "channel": how.channel,
                "recipient_key_sha256": how.recipient_key_sha256,
                "witnessed": how.witnessed,
            },
        )
    ]
    if how.release is not None and how.expires_at is not None:
        until = instant(how.expires_at)
        drafts.append(Draft("ParcelReleased", {**named, "release": how.release, "expires_at": until}))
    return drafts


def reopen(state: TargetState, reason: str) -> list[Draft]:
    """Lets a delivered parcel be handed over once more. Refuses what was never delivered, or is purged."""
    if reason not in AGAIN:
        raise RefusedError(
            "unknown-reason",
            f"There is no reason {reason[:40]!r} to hand a parcel over again.",
            do=f"Choose one of {', '.join(AGAIN)}.",
        )
    if state.purged:
        raise RefusedError(
            "purged",
            "The parcel was deleted: its time is over.",
            why=f"A parcel is kept for {PURGE_DAYS} days after its hand-over.",
            do="Nothing brings it back; a new paper begins a new case.",
        )
    if state.stage != "delivered":
        raise RefusedError(
            "not-delivered",
            "Only a parcel that was handed over can be handed over again.",
            do="Leave --again out.",
        )
    return [Draft("DeliveryReopened", {**_named(state), "reason": reason})]


def finish(state: TargetState, channel: str) -> list[Draft]:
    """The events with which a hand-over ends well. What was spoken is named by its categories."""
    produced = _produced(state)
    drafts: list[Draft] = []
    if channel == "spoken":
        categories, records = spoken_fields(state)
        drafts.append(
            Draft(
                "FieldsSpoken",
                {**_named(state), "categories": list[Json](categories), "records": records},
            )
        )
    body = {**_named(state), "parcel_sha256": produced.text("parcel_sha256"), "channel": channel}
    return [*drafts, Draft("ParcelDelivered", body)]


def fail(state: TargetState) -> list[Draft]:
    """The hand-over came to nothing. Where an earlier one did arrive, that one stands."""
    return [Draft("DeliveryFailed" if state.delivered is None else "ReopeningLapsed", _named(state))]


def fetched(state: TargetState, release: str, downloads: Sequence[Download], *, whole: bool) -> list[Draft]:
    """One event for each download of this release that is not on record yet.

    ``whole``: every byte went out, so that the hand-over is done. Nothing where the release is not the newest one.
    """
    if state.released is None or state.released.body["release"] != release:
        return []
    named = {**_named(state), "release": release}
    drafts = [
        Draft(
            "ParcelFetched",
            {
                **named,
                "download": each.id,
                "requests": each.requests,
                "bytes": each.size_bytes,
                "complete": each.complete,
            },
        )
        for each in downloads
        if each.id not in state.downloads
    ]
    return drafts + (finish(state, "download") if whole and is_open(state, release) else [])


def is_open(state: TargetState, release: str) -> bool:
    """Whether the hand-over that is going on is this release."""
    return (
        state.stage == "delivering"
        and state.released is not None
        and state.released.body["release"] == release
    )


def european_order(case: Case, reference: str) -> OrderMark | None:
    """The order that this answers, by its kind and the authority's file number; None under every other law."""
    if case.read is None or case.read.body["regime"] not in _REGIMES:
        return None
    kind = _EUROPEAN.get(case.read.text("instrument"))
    return OrderMark(kind, reference) if kind is not None else None


def cause_beside(size_bytes: int, cause: Cause | None) -> Cause | None:
    """Why an answer of this size goes beside the decentralised IT system; None where it goes through.

    Refuses the size as a cause where the answer fits.
    """
    if not fits_the_system(size_bytes):
        return cause or "size"
    if cause == "size":
        raise RefusedError(
            "fits-the-system",
            f"The answer has {size_bytes} bytes, and the decentralised IT system takes {MOST_IN_THE_SYSTEM_BYTES}.",
            do="Send it through the system. If the system cannot be used, say --cause disruption or "
            "legal_or_forensic.",
            source="Implementing Regulation (EU) 2025/1550, Annex, point 3.2; "
            "Regulation (EU) 2023/1543 Article 19(5)",
        )
    return cause


def check_accessible(days: int, *, extended: bool) -> None:
    """Refuses a time for which a European authority cannot fetch evidence: 10 to 45 days, longer if it asked for it."""
    kept = dt.timedelta(days=days)
    if kept < SHORTEST or (kept > LONGEST and not extended):
        raise RefusedError(
            "not-so-long" if kept > LONGEST else "too-short",
            f"Evidence stays accessible for {SHORTEST.days} to {LONGEST.days} calendar days; this is {days}.",
            do="Choose --days within these"
            + ("; where the authority asked for more time, add --extended." if kept > LONGEST else "."),
            source=_ACCESSIBLE,
        )


def manifest(state: TargetState, manifest_sha256: str, cause: Cause) -> list[Draft]:
    """Records the manifest of the hand-over that is going on or done; the same one once."""
    newest = state.manifest
    if newest is not None and (newest.body["manifest_sha256"], newest.body["cause"]) == (
        manifest_sha256,
        cause,
    ):
        return []
    return [Draft("ManifestMade", {**_named(state), "manifest_sha256": manifest_sha256, "cause": cause})]


def purge(state: TargetState) -> list[Draft]:
    """Records that a parcel was deleted, once."""
    return [] if state.purged or state.produced is None else [Draft("ParcelPurged", _named(state))]


def purge_due(case: Case, state: TargetState) -> dt.datetime | None:
    """From when on the parcel is to be deleted; None while it is still needed, or was never made.

    Counted from the last hand-over, refusal or closing, so that a reopened hand-over begins the time anew.
    """
    if state.produced is None or state.purged or state.stage not in ("delivered", "refused"):
        return None
    kinds = ("ParcelDelivered", "ReopeningLapsed", "DecisionRejected", "DecisionWithdrawn", "ChallengeClosed")
    ends = [
        event.recorded_at
        for event in case.events
        if event.kind in kinds and event.body.get("target") == state.ref
    ]
    return parse_instant(ends[-1]) + dt.timedelta(days=PURGE_DAYS) if ends else None


def spoken_fields(state: TargetState) -> tuple[list[str], int]:
    """The categories and the number of records that would be read out. Refuses more than a handful, and all else.

    Source: formats.md, Parcel: a handful of subscriber fields spoken on the called-back line.
    """
    tables = _produced(state).body["tables"]
    assert isinstance(tables, list)
    categories: set[str] = set()
    records = 0
    for table in tables:
        assert isinstance(table, dict)
        rows, listed = table["rows"], table.get("categories", ["unknown"])
        assert isinstance(listed, list)
        records += int(str(rows or 0))
        categories |= set(map(str, listed))
    beyond = sorted(each for each in categories if each.split(".")[0] != "subscriber")
    if beyond or records > MOST_SPOKEN or not records:
        found = ", ".join(beyond) if beyond else f"{records} records"
        raise RefusedError(
            "not-speakable",
            "This answer cannot be read out on the telephone.",
            why=f"Only subscriber fields of one to {MOST_SPOKEN} records are spoken; this answer has {found}.",
            do="Hand it over as a file: --recorded official_system or --recorded sealed_medium.",
            source="formats.md, Parcel",
        )
    return sorted(categories), records


def check_call_back(case: Case) -> None:
    """Refuses to speak unless a person called the authority back on a number found independently."""
    if case.verified is None or not case.verified.body["call_back"]:
        raise RefusedError(
            "no-call-back",
            "Nobody has called this authority back, so nothing is read out to it.",
            why="Who rings up is not known; who was called on a number found independently is.",
            do="Call back, then run dueprocess authenticate with the finding called_back.",
            source="formats.md, Parcel",
        )


def _named(state: TargetState) -> dict[str, Json]:
    return {"target": state.ref, "parcel_id": _produced(state).text("parcel_id")}


def _produced(state: TargetState) -> Event:
    if state.produced is None:
        raise RefusedError("not-produced", "There is no parcel to hand over.", do="Run dueprocess produce.")
    return state.produced
