"""Step 9: hand-over. It cannot be repeated, so its start is recorded first, in the gate's own transaction."""

from dataclasses import dataclass

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.history.append import Hand, load, write
from dueprocess.history.connection import append_lock
from dueprocess.steps.produce import LastLook
from dueprocess.steps.take import known, take
from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class HandOver:
    """How a parcel is about to be handed over, and whether the policy's witnesses saw the head relied on."""

    channel: str
    recipient_key_sha256: str
    witnessed: bool


def start_delivery(case_id: str, hand: Hand, ref: str, *, look: LastLook, how: HandOver) -> list[str]:
    """Records that hand-over starts, if the gate opens. A hand-over found half done asks a person."""
    with append_lock():
        loaded = load(case_id)
        case = known(loaded)
        state = case.target(ref)
        if state.stage == "delivering":
            raise RefusedError(
                "half-delivered",
                "A hand-over of this parcel was begun and not finished.",
                why="It may have reached the requester; it is never repeated by itself.",
                do="Find out whether it arrived, then run dueprocess deliver with --confirm arrived or --confirm lost.",
                source="architecture.md section 4",
            )
        proved = look(case)
        assert state.produced is not None
        body: dict[str, Json] = {
            "target": ref,
            "parcel_id": state.produced.text("parcel_id"),
            "channel": how.channel,
            "recipient_key_sha256": how.recipient_key_sha256,
            "witnessed": how.witnessed,
        }
        write(loaded, [Draft("DeliveryStarted", body)], hand)
        return proved


def finish_delivery(case_id: str, hand: Hand, ref: str, *, channel: str) -> Event:
    """Records that the parcel was handed over."""

    def move(case: Case) -> list[Draft]:
        produced = _parcel(case, ref)
        body = {
            "target": ref,
            "parcel_id": produced.text("parcel_id"),
            "parcel_sha256": produced.text("parcel_sha256"),
            "channel": channel,
        }
        return [Draft("ParcelDelivered", {**body})]

    return take(case_id, move, hand)[-1]


def fail_delivery(case_id: str, hand: Hand, ref: str) -> Event:
    """Records that a hand-over which was begun did not arrive: the same parcel may be handed over again."""

    def move(case: Case) -> list[Draft]:
        return [Draft("DeliveryFailed", {"target": ref, "parcel_id": _parcel(case, ref).text("parcel_id")})]

    return take(case_id, move, hand)[-1]


def _parcel(case: Case, ref: str) -> Event:
    produced = case.target(ref).produced
    if produced is None:
        raise RefusedError("not-produced", "There is no parcel to hand over.")
    return produced
