"""Step 9: hand-over. It cannot be repeated, so its start is recorded first, in the gate's own transaction."""

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.history.append import Hand, load, write
from dueprocess.history.connection import append_lock
from dueprocess.steps.produce import LastLook
from dueprocess.steps.take import known, take


def start_delivery(
    case_id: str, hand: Hand, ref: str, *, look: LastLook, channel: str, recipient_key_sha256: str
) -> list[str]:
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
                do="Find out whether it arrived, then run dueprocess deliver with --confirm arrived.",
                source="architecture.md section 4",
            )
        proved = look(case)
        assert state.produced is not None
        body = {
            "target": ref,
            "parcel_id": state.produced.text("parcel_id"),
            "channel": channel,
            "recipient_key_sha256": recipient_key_sha256,
        }
        write(loaded, [Draft("DeliveryStarted", {**body})], hand)
        return proved


def finish_delivery(case_id: str, hand: Hand, ref: str, *, channel: str) -> Event:
    """Records that the parcel was handed over."""

    def move(case: Case) -> list[Draft]:
        state = case.target(ref)
        if state.produced is None:
            raise RefusedError("not-produced", "There is no parcel to hand over.")
        body = {
            "target": ref,
            "parcel_id": state.produced.text("parcel_id"),
            "parcel_sha256": state.produced.text("parcel_sha256"),
            "channel": channel,
        }
        return [Draft("ParcelDelivered", {**body})]

    return take(case_id, move, hand)[-1]
