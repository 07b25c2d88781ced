"""Releases around their steps: opened through the gate, watched, put on record, ended in time, purged.

The portal serves what lies in ``releases/`` and writes what it sent into ``fetched/``. It has no key and no
database: the worker turns what it wrote into events. Found at any point after a crash, both sides follow from history.
"""

import datetime as dt
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.decide import recipient_key
from dueprocess.cases.deliver import (
    MOST_RELEASE_DAYS,
    RELEASE_DAYS,
    Download,
    HandOver,
    check_accessible,
    european_order,
)
from dueprocess.cases.events import Event
from dueprocess.delivery import fetches, releases
from dueprocess.delivery.fetches import fetched_folder
from dueprocess.delivery.handover import check_parcel
from dueprocess.delivery.recipients import download_name, encrypt_small, kind_of
from dueprocess.delivery.releases import Release, releases_folder
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.desk import Desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.desk.receipts import receipt
from dueprocess.desk.recovery import decided_before
from dueprocess.desk.restored import refuse_restored
from dueprocess.errors import (
    BrokenError,
    ConflictError,
    DueprocessError,
    MalformedError,
    RefusedError,
    UnavailableError,
)
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket, going
from dueprocess.steps import deliver as steps
from dueprocess.wire import parse_instant, sha256_hex

WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Released:
    """A parcel that waits, and what the gate proved before."""

    release: Release
    proved: list[str]


def release(
    desk: Desk,
    case_id: str,
    ref: str,
    *,
    actor: str,
    now: dt.datetime,
    days: int = RELEASE_DAYS,
    again: str | None = None,
) -> Released:
    """Releases a parcel for download, once, for so many days. The gate opens first.

    Refuses an authority without a key. ``again`` is why a parcel that was delivered is handed over once more.
    """
    if not 1 <= days <= MOST_RELEASE_DAYS:
        raise RefusedError(
            "too-long",
            f"A release lasts from 1 to {MOST_RELEASE_DAYS} days.",
            do="Choose --days within these.",
        )
    case = load_case(case_id)
    state = case.target(ref)
    if state.produced is None:
        raise RefusedError("not-produced", f"There is no parcel for {ref} yet.", do="Run dueprocess produce.")
    if european_order(case, "") is not None:
        check_accessible(days, extended=True)  # how long at most depends on the manifest: desk/manifests.py
    key = str(open_decision(desk, case, ref)["recipient"]["key"])
    if kind_of(key) == "handover":
        raise RefusedError(
            "no-recipient-key",
            "This authority has no key, so it cannot prove itself to the portal.",
            do=f"Hand it over as its entry says: --recorded {key.partition(':')[2]}, or --spoken.",
        )
    if not state.purged:
        check_parcel(
            desk.installation.parcels, state.produced.text("parcel_id"), state.produced.text("parcel_sha256")
        )
    proof = prove(desk, case_id)
    how = HandOver(
        "download",
        sha256_hex(key.encode()),
        proof.log.witnessed,
        secrets.token_hex(16),
        now + dt.timedelta(days=days),
    )
    proved = steps.start_delivery(
        case_id,
        desk.hand(actor, now, case_id),
        ref,
        look=last_look(desk, ref, "deliver", proof, now),
        how=how,
        again=again,
    )
    # History says it; should this fail or be killed, the worker's next turn does it.
    return Released(_offer(desk, load_case(case_id), ref), proved)


def _offer(desk: Desk, case: Case, ref: str) -> Release:
    """Puts the release that history tells into the portal's folder, unless it lies there or has ended."""
    state = case.target(ref)
    assert state.produced is not None
    assert state.released is not None
    key = str(open_decision(desk, case, ref)["recipient"]["key"])
    parcel_id, digest = state.produced.text("parcel_id"), state.produced.text("parcel_sha256")
    size = state.produced.body["bytes"]
    assert isinstance(size, int)
    found = Release(
        parcel_id=parcel_id,
        release=state.released.text("release"),
        name=download_name(parcel_id, key),
        sha256=digest,
        size_bytes=size,
        recipient=key,
        expires_at=parse_instant(state.released.text("expires_at")),
        operator=desk.installation.operator,
        contact=desk.installation.contact,
    )
    folder = releases_folder(desk.installation.root)
    there = releases.read_release(folder, parcel_id)
    if there is None or there.release != found.release:
        releases.remove(folder, parcel_id)  # of an earlier release that is over
        path = check_parcel(desk.installation.parcels, parcel_id, digest)
        enclosed: bytes | None = None
        # A receipt that cannot be made now is written later, by dueprocess receipt.
        with suppress(RefusedError, UnavailableError, MalformedError):
            enclosed = encrypt_small(key, receipt(desk, case, ref, "requester"))
        releases.offer(folder, found, path, enclosed)
    return found


def withdraw(desk: Desk, case_id: str, ref: str, *, actor: str, now: dt.datetime) -> Event:
    """Takes a release back, so that the hand-over has failed. Refuses where all of it was fetched meanwhile."""
    case = load_case(case_id)
    state = case.target(ref)
    assert state.released is not None
    releases.end(releases_folder(desk.installation.root), state.released.text("parcel_id"))
    events = _settle(desk, case, state, actor, now, ended=True)
    if events is None:
        raise ConflictError(
            "being-fetched",
            "The release is ended, and a download that was running is just stopping.",
            do="The worker records the end in a moment; look at the case then: dueprocess show.",
        )
    if not events or events[-1].kind == "ParcelDelivered":
        raise ConflictError(
            "arrived",
            "It ended in the meantime; history says how.",
            do="Look at the case: dueprocess show.",
        )
    return events[-1]


def keep_releases(desk: Desk, now: dt.datetime) -> list[str]:
    """One turn: offers what history says is released, records downloads, ends what is over. A line for each thing.

    After a recovery of the log, what was released before it is not offered again by itself: it may have been fetched.
    """
    done: list[str] = []
    folder = releases_folder(desk.installation.root)
    left = set(releases.offered(folder))  # before the cases are read: history is always ahead of this folder
    older = decided_before(desk)
    for line in (*going(), *(docket(stage="closed") if left else ())):
        case = load_case(line.case_id)
        for state in case.targets.values():
            if state.released is not None and (state.stage == "delivering" or _id(state) in left):
                left.discard(_id(state))
                done += _tried(desk, case, state, now, old=state.ref in older(case))
    for parcel_id in left:  # of an erased case, or of none
        releases.remove(folder, parcel_id)
    _sweep(desk)
    return done


def _tried(desk: Desk, case: Case, state: TargetState, now: dt.datetime, *, old: bool) -> list[str]:
    done: list[str] = []
    try:
        done.extend(_turn(desk, case, state, now, old=old))  # what was done before an error is told too
    except BrokenError:
        raise
    except DueprocessError as error:
        done.append(f"{case.case_id[:8]} {state.ref}: {error.what}")
    return done


def _sweep(desk: Desk) -> None:
    """Takes away what the portal wrote about releases that are over: a crash, or a request in that very moment."""
    offers, noted = releases_folder(desk.installation.root), fetched_folder(desk.installation.root)
    written = fetches.releases_noted(noted)
    there = [releases.read_release(offers, each) for each in releases.offered(offers)] if written else []
    for each in set(written) - {found.release for found in there if found is not None}:
        fetches.remove(noted, each)


def _turn(desk: Desk, case: Case, state: TargetState, now: dt.datetime, *, old: bool) -> Iterator[str]:
    name = f"{case.case_id[:8]} {state.ref}"
    if state.stage == "delivering":
        why = _over(desk, case, state, now)
        if why is None and not old:
            refuse_restored(desk.installation)
            _offer(desk, case, state.ref)
        if why is not None:
            releases.end(releases_folder(desk.installation.root), _id(state))
        events = _settle(desk, case, state, WORKER, now, ended=why is not None)
    else:
        why = None
        events = _settle(desk, case, state, WORKER, now, ended=True)
    for event in events or []:
        match event.kind:
            case "ParcelFetched":
                whole = "completely" if event.body["complete"] else f"{event.body['bytes']} bytes of it"
                yield f"{name}: the parcel was fetched, {whole}"
            case "ParcelDelivered":
                yield f"{name}: the parcel was handed over by download"
            case _:
                yield f"{name}: the release ended ({why}): it can be handed over again"


def _id(state: TargetState) -> str:
    assert state.released is not None
    return state.released.text("parcel_id")


def _over(desk: Desk, case: Case, state: TargetState, now: dt.datetime) -> str | None:
    """Why nothing of a release may be fetched any more; None while it may."""
    assert state.released is not None
    if now >= parse_instant(state.released.text("expires_at")):
        return "its time is over"
    if releases.has_ended(releases_folder(desk.installation.root), _id(state)):
        return "it was taken back"
    recipient = open_decision(desk, case, state.ref)["recipient"]
    authority = desk.roster().authority(recipient["authority"])
    if authority is None or not authority.active(now):
        return "the authority is not in good standing any more"
    try:
        same = recipient_key(authority) == recipient["key"]
    except RefusedError:
        same = False
    return None if same else "the authority has another key now"


def _settle(
    desk: Desk, case: Case, state: TargetState, actor: str, now: dt.datetime, *, ended: bool
) -> list[Event] | None:
    """Records the downloads that are over, and the end of the hand-over where it has one. Clears what is over.

    None while something of an ended release is still being sent, which stops within one piece.
    """
    assert state.released is not None
    assert state.produced is not None
    folder, release_id = fetched_folder(desk.installation.root), state.released.text("release")
    found = fetches.look(folder, release_id)
    running = any(each.running for each in found)
    if ended and running:
        return None
    size = state.produced.body["bytes"]
    assert isinstance(size, int)
    whole = fetches.is_whole(found, size)
    new = [
        each
        for each in found
        if each.spans
        and not each.running
        and (ended or whole or each.token.lapses_at <= now)
        and each.token.id not in state.downloads
    ]
    if whole and not new and running:
        return []  # the last byte went out under a request that has not ended yet
    made = steps.Downloads(
        [Download(each.token.id, each.requests, each.size_bytes, whole and each is new[-1]) for each in new],
        whole=whole,
        ended=ended,
    )
    events: list[Event] = []
    if new or ((ended or whole) and state.stage == "delivering"):
        hand = desk.hand(actor, now, case.case_id)
        events = steps.record_downloads(case.case_id, hand, state.ref, release_id, made)
    if (ended or whole) and not running:
        releases.remove(releases_folder(desk.installation.root), _id(state))
        fetches.remove(folder, release_id)
    return events


__all__ = ["Released", "keep_releases", "release", "withdraw"]
