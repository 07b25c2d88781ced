"""Step 9: hand-over. It cannot be repeated, so its start is recorded first, in the gate's own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from dueprocess.cases import deliver
from dueprocess.cases.case import Case
from dueprocess.cases.deliver import Download, HandOver
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.history.append import Hand, load, write
from dueprocess.history.connection import append_lock
from dueprocess.parcel.eu_reply import Cause
from dueprocess.steps.produce import LastLook
from dueprocess.steps.take import known, take


@dataclass(frozen=True, slots=True)
class Downloads:
    """What is known of a release: the downloads that are over, and how it stands."""

    new: Sequence[Download]
    whole: bool
    """Every byte went out."""
    ended: bool
    """Nothing can be fetched any more."""


def start_delivery(
    case_id: str, hand: Hand, ref: str, *, look: LastLook, how: HandOver, again: str | None = None
) -> list[str]:
    """Records that hand-over starts, if the gate opens. A hand-over found half done asks a person.

    ``again`` is the reason why a parcel that was delivered is handed over once more.
    """
    with append_lock():
        loaded = load(case_id)
        state = known(loaded).target(ref)
        if state.stage == "delivering":
            raise _half_done(released=state.released is not None)
        if again is not None:
            write(loaded, deliver.reopen(state, again), hand)
        case = known(loaded)
        proved = look(case)
        write(loaded, deliver.begin(case.target(ref), how), hand)
        return proved


def _half_done(*, released: bool) -> RefusedError:
    if released:
        return RefusedError(
            "released",
            "The parcel is released: the requester can fetch it.",
            why="A parcel is handed over once.",
            do="Wait until it was fetched or its time is over; or take it back: dueprocess deliver --confirm lost.",
            source="architecture.md section 2, deliver",
        )
    return RefusedError(
        "half-delivered",
        "A hand-over of this parcel was begun and not finished.",
        why="It may have reached the requester; it is never repeated by itself.",
        do="Find out whether it arrived, then run dueprocess deliver with --confirm arrived or --confirm lost.",
        source="architecture.md section 4",
    )


def finish_delivery(case_id: str, hand: Hand, ref: str, *, channel: str) -> Event:
    """Records that the parcel was handed over."""
    return take(case_id, lambda case: deliver.finish(case.target(ref), channel), hand)[-1]


def fail_delivery(case_id: str, hand: Hand, ref: str) -> Event:
    """Records that a hand-over which was begun did not arrive: the same parcel may be handed over again."""
    return take(case_id, lambda case: deliver.fail(case.target(ref)), hand)[-1]


def record_downloads(case_id: str, hand: Hand, ref: str, release: str, made: Downloads) -> list[Event]:
    """Records each download of a release once; with the last byte the hand-over is done, at its end it has failed."""

    def move(case: Case) -> list[Draft]:
        state = case.target(ref)
        drafts = deliver.fetched(state, release, made.new, whole=made.whole)
        if made.ended and not made.whole and deliver.is_open(state, release):
            drafts += deliver.fail(state)
        return drafts

    return take(case_id, move, hand)


def record_manifest(case_id: str, hand: Hand, ref: str, *, manifest_sha256: str, cause: Cause) -> list[Event]:
    """Records the digest of the manifest that goes with a hand-over, once."""
    return take(case_id, lambda case: deliver.manifest(case.target(ref), manifest_sha256, cause), hand)


def record_purge(case_id: str, hand: Hand, ref: str) -> list[Event]:
    """Records that the parcel was deleted, once."""
    return take(case_id, lambda case: deliver.purge(case.target(ref)), hand)


__all__ = [
    "Download",
    "Downloads",
    "HandOver",
    "fail_delivery",
    "finish_delivery",
    "record_downloads",
    "record_manifest",
    "record_purge",
    "start_delivery",
]
