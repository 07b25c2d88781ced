"""Verb 9 around its steps: the gate again, then the hand-over, then its record."""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.case import Case
from dueprocess.cases.decide import BY_HAND
from dueprocess.cases.deliver import check_call_back, spoken_fields
from dueprocess.cases.events import Event
from dueprocess.delivery.handover import check_parcel, hand_over, room_for
from dueprocess.delivery.opening import open_into, spoken_rows
from dueprocess.delivery.recipients import kind_of
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.desk import Desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.desk.receipts import parcel_receipt_path, receipt
from dueprocess.desk.releasing import withdraw
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.publication.durable import write_durable
from dueprocess.steps import deliver as steps
from dueprocess.wire import sha256_hex


@dataclass(frozen=True, slots=True)
class Begun:
    """A hand-over that is about to begin: its parcel on disk, and the key text that two people signed."""

    desk: Desk
    case: Case
    ref: str
    parcel: Path
    sha256: str
    key: str

    def start(self, channel: str, *, actor: str, now: dt.datetime, again: str | None) -> list[str]:
        """Passes the gate and records the beginning, in one. Returns what the gate proved."""
        case_id = self.case.case_id
        proof = prove(self.desk, case_id)
        return steps.start_delivery(
            case_id,
            self.desk.hand(actor, now, case_id),
            self.ref,
            look=last_look(self.desk, self.ref, "deliver", proof, now),
            how=steps.HandOver(channel, sha256_hex(self.key.encode()), proof.log.witnessed),
            again=again,
        )

    def finish(self, channel: str, *, actor: str, now: dt.datetime) -> None:
        """Records that it is done."""
        case_id = self.case.case_id
        steps.finish_delivery(case_id, self.desk.hand(actor, now, case_id), self.ref, channel=channel)


def begun(desk: Desk, case_id: str, ref: str) -> Begun:
    """What a hand-over begins with. Refuses a parcel that is not there or not the one that history names."""
    case = load_case(case_id)
    state = case.target(ref)
    if state.produced is None:
        raise RefusedError("not-produced", f"There is no parcel for {ref} yet.", do="Run dueprocess produce.")
    if state.purged:
        raise RefusedError(
            "purged", "The parcel was deleted: its time is over.", do="A new paper begins a new case."
        )
    digest = state.produced.text("parcel_sha256")
    path = check_parcel(desk.installation.parcels, state.produced.text("parcel_id"), digest)
    return Begun(desk, case, ref, path, digest, open_decision(desk, case, ref)["recipient"]["key"])


def deliver(
    desk: Desk,
    case_id: str,
    ref: str,
    to: Path,
    *,
    actor: str,
    now: dt.datetime,
    again: str | None = None,
) -> list[str]:
    """Hands one parcel over as a file, with the requester's receipt beside it. Returns what the gate proved first."""
    hand = begun(desk, case_id, ref)
    if kind_of(hand.key) == "handover":
        raise RefusedError(
            "no-recipient-key",
            "This authority has no key, so nobody there could open the file.",
            do=f"Hand it over as its entry says: --recorded {hand.key.partition(':')[2]}, or --spoken.",
        )
    with room_for(hand.parcel, to) as fresh:
        proved = hand.start("file", actor=actor, now=now, again=again)
        hand_over(hand.parcel, hand.sha256, fresh, to)
    hand.finish("file", actor=actor, now=now)
    with suppress(UnavailableError):  # delivered is delivered; dueprocess receipt writes it again
        write_durable(parcel_receipt_path(to), receipt(desk, load_case(case_id), ref, "requester"))
    return proved


def record(
    desk: Desk, case_id: str, ref: str, to: Path, *, channel: str, actor: str, now: dt.datetime
) -> list[str]:
    """Opens a parcel for the person who hands it over in this recorded way. Returns what the gate proved first.

    Refuses an authority that has a key, or another way of hand-over in its entry.
    """
    hand = begun(desk, case_id, ref)
    if hand.key != f"{BY_HAND}{channel}":
        raise RefusedError(
            "other-hand-over",
            f"This authority is not enrolled for a hand-over by {channel!r}.",
            why="An opened answer leaves only in the way that two people enrolled and two people signed for.",
            do="Use --to or --download where the authority has a key, else the way in which it was enrolled.",
            source="formats.md, Parcel",
        )
    with room_for(hand.parcel, to) as fresh:
        proved = hand.start(channel, actor=actor, now=now, again=None)
        open_into(hand.parcel, _identity(desk, case_id), fresh, to)
    hand.finish(channel, actor=actor, now=now)
    return proved


def speak(
    desk: Desk, case_id: str, ref: str, show: Callable[[list[str]], None], *, actor: str, now: dt.datetime
) -> list[str]:
    """Shows a handful of subscriber fields, once, to the person on the called-back line. Returns what was proved.

    Refuses an authority with a key, one that nobody called back, more than a handful, and every other category.
    """
    hand = begun(desk, case_id, ref)
    check_call_back(hand.case)
    spoken_fields(hand.case.target(ref))
    if kind_of(hand.key) != "handover":
        raise RefusedError(
            "other-hand-over",
            "This authority has a key: its answer is encrypted, and nobody here can read it out.",
            do="Use --to or --download.",
        )
    proved = hand.start("spoken", actor=actor, now=now, again=None)
    rows = spoken_rows(hand.parcel, _identity(desk, case_id))
    show([f"{table}  {name}: {_plain(value)}" for table, row in rows for name, value in row.items()])
    hand.finish("spoken", actor=actor, now=now)
    return proved


def _plain(value: object) -> str:
    """A value as one line that cannot steer a terminal."""
    return "".join(each if each.isprintable() else "�" for each in str(value))


def _identity(desk: Desk, case_id: str) -> str:
    return desk.keys.keys(case_id).identity


def confirm(
    desk: Desk, case_id: str, ref: str, *, actor: str, now: dt.datetime, arrived: bool = True
) -> Event:
    """A person has found out whether a hand-over that was begun did arrive. Refuses where none is half done.

    A release that is lost is taken back: nothing more is fetched, and what was fetched stands in history first.
    """
    state = load_case(case_id).target(ref)
    if state.stage != "delivering" or state.begun is None:
        raise RefusedError(
            "nothing-begun",
            f"No hand-over of the parcel for {ref} is half done.",
            do="Look at the case: dueprocess show.",
        )
    if state.released is not None and not arrived:
        return withdraw(desk, case_id, ref, actor=actor, now=now)
    hand = desk.hand(actor, now, case_id)
    if not arrived:
        return steps.fail_delivery(case_id, hand, ref)
    return steps.finish_delivery(case_id, hand, ref, channel=state.begun.text("channel"))
