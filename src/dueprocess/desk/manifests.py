"""Replies to a European Production Order: whether they fit the decentralised IT system, and the manifest beside it.

The manifest lies beside the parcel and goes with it when the parcel is purged. History has its digest. The same facts
give the same bytes, so it can be made again at any time before the purge.

Source: Implementing Regulation (EU) 2025/1550, Annex, points 3.2, 3.3.3, 6.5 and 6.6; Regulation (EU) 2023/1543
Article 19(5) and (6).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.deliver import cause_beside, check_accessible, european_order
from dueprocess.delivery.handover import check_parcel, manifest_paths
from dueprocess.delivery.recipients import Kind, download_name, kind_of
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.desk import Desk
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.parcel.eu_reply import (
    MOST_IN_THE_SYSTEM_BYTES,
    Cause,
    Encryption,
    EuManifest,
    SentFile,
    Transmission,
    manifest_json,
    manifest_text,
    sent_file,
)
from dueprocess.steps import deliver as steps
from dueprocess.vault.privatefiles import replace_private
from dueprocess.wire import instant, parse_instant, sha256_hex

_PIECE = 1024 * 1024
_ENCRYPTION: dict[Kind, tuple[Encryption, str]] = {
    "cms": ("x509", ""),
    "openpgp": ("other", "The authority is enrolled with an OpenPGP key and supplied no certificate."),
    "age": ("other", "The authority is enrolled with an age key and supplied no certificate."),
    "handover": ("none", "The authority is enrolled without a key; a person hands the answer over."),
}
_SOURCE = "Implementing Regulation (EU) 2025/1550, Annex, points 3.2 and 3.3.3; Regulation (EU) 2023/1543 Article 19(5)"
FITS = (
    f"This answers a European Production Order and has at most {MOST_IN_THE_SYSTEM_BYTES:,} bytes: it can go through "
    "the decentralised IT system as it is, as one attachment. Upload it there; what you did here is recorded."
)
SEND = (
    "Send both to the authority with the answer, and record the transmission in the decentralised IT system without "
    "undue delay: when, sender, recipient, file name and size (Regulation (EU) 2023/1543 Article 19(6))."
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a person says of a reply that goes beside the decentralised IT system.

    ``reference`` is the issuing authority's own file number, ``means`` how the reply travels, ``cause`` why, where it
    is not the size alone. ``extended``: the authority asked that it stays accessible for longer than 45 days.
    """

    reference: str = ""
    means: str = ""
    cause: Cause | None = None
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A manifest on disk: for programs, for people, and the digest of the first, which stands in history."""

    json: Path
    text: Path
    sha256: str


NOTHING_SAID = Beside()


def is_european(case: Case) -> bool:
    """Whether the paper is an order whose answer goes through the decentralised IT system."""
    return european_order(case, "") is not None


def cause_of(case: Case, ref: str, channel: str, beside: Beside = NOTHING_SAID) -> Cause | None:
    """Why this hand-over owes a manifest; None where it owes none. The ciphertext's size counts, so never too little.

    Refuses, before anything is begun, what the manifest would lack, and the way of the system itself where the
    answer cannot go through it.
    """
    state = case.target(ref)
    if state.produced is None:
        raise RefusedError("not-produced", f"There is no parcel for {ref} yet.", do="Run dueprocess produce.")
    if not is_european(case):
        if beside != NOTHING_SAID:
            raise RefusedError(
                "no-european-order",
                "This paper is no order under Regulation (EU) 2023/1543, so its answer has no such manifest.",
                do="Leave --reference, --means, --cause and --extended out.",
                source=_SOURCE,
            )
        return None
    cause = cause_beside(_size(state), beside.cause)
    if cause is None or channel == "spoken":
        return None
    if channel == "official_system":
        raise RefusedError(
            "beside-the-system",
            "This answer cannot go through the decentralised IT system.",
            why="It is larger than the 25 MB that the system takes, or you say that the system cannot be used.",
            do="Enrol the authority with its certificate or with sealed_medium, and decide again.",
            source=_SOURCE,
        )
    lacking = ["--reference with the authority's file number"] * (not beside.reference.strip())
    lacking += ["--means with how it travels"] * (not beside.means.strip() and channel != "download")
    if lacking:
        raise RefusedError(
            "manifest-lacks",
            "This answer goes beside the decentralised IT system, and its manifest is not complete.",
            why="The sender records and transmits a manifest with it.",
            do=f"Add {' and '.join(lacking)}.",
            source=_SOURCE,
        )
    return cause


def check_release(case: Case, ref: str, days: int, beside: Beside = NOTHING_SAID) -> Cause | None:
    """`cause_of` for a download, which a European authority can fetch for 10 to 45 days."""
    cause = cause_of(case, ref, "download", beside)
    if is_european(case):
        check_accessible(days, extended=beside.extended or cause is None)
    return cause


def make(
    desk: Desk,
    case_id: str,
    ref: str,
    beside: Beside,
    *,
    actor: str,
    now: dt.datetime,
    to: Path | None = None,
) -> Made | None:
    """Writes the manifest of the hand-over that was begun, and records its digest. None where none is owed.

    Can be run again: the same facts give the same files and no second event. ``to`` is the file that was handed over;
    an opened one is needed here, because nothing else has its bytes.
    """
    case = load_case(case_id)
    state = case.target(ref)
    if state.begun is None or state.stage not in ("delivering", "delivered") or state.produced is None:
        raise RefusedError(
            "nothing-begun",
            f"No hand-over of the parcel for {ref} was begun.",
            do="Hand it over first: dueprocess deliver.",
        )
    if state.purged:
        raise RefusedError(
            "purged", "The parcel was deleted: its time is over.", do="A new paper begins a new case."
        )
    cause = cause_of(case, ref, state.begun.text("channel"), beside)
    order = european_order(case, beside.reference)
    if cause is None or order is None:
        return None
    parcel_id = state.produced.text("parcel_id")
    recipient = open_decision(desk, case, ref)["recipient"]
    authority = desk.roster().authority(recipient["authority"])
    manifest = EuManifest(
        reference=parcel_id,
        sender=desk.installation.operator,
        recipient=authority.about.get("name", authority.id) if authority else str(recipient["authority"]),
        orders=(order,),
        transmission=_transmission(state, kind_of(recipient["key"]), cause, beside),
        files=(_sent(desk, state, str(recipient["key"]), to),),
    )
    found, (programs, people) = manifest_json(manifest), manifest_paths(desk.installation.parcels, parcel_id)
    replace_private(people, manifest_text(manifest))
    replace_private(programs, found)
    digest = sha256_hex(found)
    steps.record_manifest(case_id, desk.hand(actor, now, case_id), ref, manifest_sha256=digest, cause=cause)
    return Made(programs, people, digest)


def _transmission(state: TargetState, kind: Kind, cause: Cause, beside: Beside) -> Transmission:
    """When and how, as history has it: the hand-over's own beginning, and the end of its release."""
    assert state.begun is not None
    assert state.produced is not None
    encryption, why_not = _ENCRYPTION[kind]
    parcel_id, at = state.produced.text("parcel_id"), parse_instant(state.begun.recorded_at)
    released = state.released
    return Transmission(
        means=beside.means.strip() or "download from the sender's portal, with the authority's own key",
        proof=f"/parcels/{parcel_id} of the sender's portal"
        if released is not None
        else f"recorded by the sender as the hand-over of {parcel_id} at {instant(at)}",
        available_at=at,
        until=parse_instant(released.text("expires_at")) if released is not None else None,
        cause=cause,
        encryption=encryption,
        why_not_x509=why_not,
        extended=beside.extended,
    )


def _sent(desk: Desk, state: TargetState, key: str, to: Path | None) -> SentFile:
    """The file as it leaves: the parcel that history names, or the opened answer as it was written."""
    assert state.produced is not None
    assert state.begun is not None
    parcel_id = state.produced.text("parcel_id")
    if state.begun.text("channel") not in ("file", "download"):
        if to is None:
            raise RefusedError(
                "no-file",
                "Which file was handed over?",
                do="Name the opened answer: --to FILE.",
            )
        return sent_file(to.name, _pieces(to))
    path = check_parcel(desk.installation.parcels, parcel_id, state.produced.text("parcel_sha256"))
    return sent_file(to.name if to is not None else download_name(parcel_id, key), _pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise UnavailableError(
            "no-parcel",
            f"{path.name} cannot be read.",
            why=str(error),
            do="Name the file that was handed over.",
        ) from error


def _size(state: TargetState) -> int:
    assert state.produced is not None
    size = state.produced.body["bytes"]
    assert isinstance(size, int)
    return size
