"""Verb 9 around its steps: the gate again, then the hand-over, then its record."""

import datetime as dt
from contextlib import suppress
from pathlib import Path

from dueprocess.cases.events import Event
from dueprocess.delivery.handover import check_parcel, hand_over, room_for
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.desk import Desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.desk.receipts import parcel_receipt_path, receipt
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.publication.durable import write_durable
from dueprocess.steps import deliver as steps
from dueprocess.wire import sha256_hex


def deliver(desk: Desk, case_id: str, ref: str, to: Path, *, actor: str, now: dt.datetime) -> list[str]:
    """Hands one parcel over as a file, with the requester's receipt beside it. Returns what the gate proved first."""
    case = load_case(case_id)
    state = case.target(ref)
    if state.produced is None:
        raise RefusedError("not-produced", f"There is no parcel for {ref} yet.", do="Run dueprocess produce.")
    produced = state.produced
    digest = produced.text("parcel_sha256")
    path = check_parcel(desk.installation.parcels, produced.text("parcel_id"), digest)
    with room_for(path, to) as fresh:
        proof = prove(desk, case_id)
        hand = desk.hand(actor, now, case_id)
        key = open_decision(desk, case, ref)["recipient"]["key"]
        proved = steps.start_delivery(
            case_id,
            hand,
            ref,
            look=last_look(desk, ref, "deliver", proof, now),
            how=steps.HandOver("file", sha256_hex(key.encode()), proof.log.witnessed),
        )
        hand_over(path, digest, fresh, to)
    steps.finish_delivery(case_id, hand, ref, channel="file")
    with suppress(UnavailableError):  # delivered is delivered; dueprocess receipt writes it again
        write_durable(parcel_receipt_path(to), receipt(desk, load_case(case_id), ref, "requester"))
    return proved


def confirm(
    desk: Desk, case_id: str, ref: str, *, actor: str, now: dt.datetime, arrived: bool = True
) -> Event:
    """A person has found out whether a hand-over that was begun did arrive. Refuses where none is half done."""
    case = load_case(case_id)
    if case.target(ref).stage != "delivering":
        raise RefusedError(
            "nothing-begun",
            f"No hand-over of the parcel for {ref} is half done.",
            do="Look at the case: dueprocess show.",
        )
    begun = [e for e in case.events if e.kind == "DeliveryStarted" and e.body["target"] == ref]
    hand = desk.hand(actor, now, case_id)
    if not arrived:
        return steps.fail_delivery(case_id, hand, ref)
    return steps.finish_delivery(case_id, hand, ref, channel=begun[-1].text("channel"))
