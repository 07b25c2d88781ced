"""`dueprocess deliver CASE TARGET`: hand the answer package over, once, in one of four ways."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.deliver import RELEASE_DAYS
from dueprocess.cli.place import Place, person
from dueprocess.cli.printing import working
from dueprocess.desk import handover, releasing
from dueprocess.desk.receipts import parcel_receipt_path
from dueprocess.errors import RefusedError

Flag = Parameter(negative="")


@dataclass(frozen=True, slots=True)
class Way:
    """How the answer package leaves."""

    to: Annotated[
        Path | None, Parameter(help="the file to write the ciphertext to; with --recorded the opened answer")
    ] = None
    download: Annotated[
        bool, Parameter(negative="", help="release it: the authority fetches it from the portal")
    ] = False
    days: Annotated[int, Parameter(help="how long it can be fetched")] = RELEASE_DAYS
    recorded: Annotated[
        str | None,
        Parameter(help="an authority without a key: `official_system` or `sealed_medium`, with --to"),
    ] = None
    spoken: Annotated[
        bool, Parameter(negative="", help="read a handful of subscriber fields out on the called-back line")
    ] = False
    again: Annotated[
        str | None, Parameter(help="hand over once more, and why: `lost`, `unreadable` or `never-arrived`")
    ] = None


def deliver_command(
    case: str,
    target: str,
    *,
    way: Annotated[Way | None, Parameter(name="*")] = None,
    confirm: Annotated[
        str | None,
        Parameter(help="a hand-over found half done, or a release to take back: `arrived` or `lost`"),
    ] = None,
    place: Place | None = None,
) -> None:
    """Prove again that it may be done, hand the answer over, record it. It is never repeated by itself."""
    at, chosen = place or Place(), way or Way()
    case_id = _opened(at, case)
    if confirm is not None:
        _confirm(at, case_id, target, confirm)
        return
    ways = [chosen.download, chosen.spoken, chosen.to is not None]
    if sum(ways) != 1 or (chosen.recorded is not None and chosen.to is None):
        raise RefusedError(
            "no-file",
            "In which one way should it go?",
            do="Choose --to FILE, --download, --to FILE --recorded official_system or sealed_medium, or --spoken.",
        )
    if chosen.again is not None and (chosen.spoken or chosen.recorded is not None):
        raise RefusedError(
            "not-again", "An opened answer is handed over once.", do="Look at the case: dueprocess show."
        )
    if chosen.download:
        _release(at, case_id, target, chosen)
    elif chosen.spoken:
        _speak(at, case_id, target)
    elif chosen.to is not None and chosen.recorded is not None:
        _record(at, case_id, target, chosen.to, chosen.recorded)
    elif chosen.to is not None:
        _write(at, case_id, target, chosen.to, chosen.again)


def _opened(at: Place, case: str) -> str:
    at.open()
    return at.case(case)


def _confirm(at: Place, case_id: str, target: str, word: str) -> None:
    desk, now = at.open()
    if word not in ("arrived", "lost"):
        raise RefusedError("unknown-word", f"{word!r} is neither `arrived` nor `lost`.", do="Find out which.")
    handover.confirm(desk, case_id, target, actor=person(), now=now, arrived=word == "arrived")
    again = "" if word == "arrived" else " It can be handed over again: dueprocess deliver."
    at.say(f"Recorded: the parcel for {target}: {word}.{again}", {"case": case_id, "confirmed": word})


def _write(at: Place, case_id: str, target: str, to: Path, again: str | None) -> None:
    desk, now = at.open()
    with working("Proving and handing over"):
        proved = handover.deliver(desk, case_id, target, to, actor=person(), now=now, again=again)
    enclosed = parcel_receipt_path(to)
    missing = (
        f"could not be written; again: dueprocess receipt {case_id[:8]} {target} --for requester --out FILE"
    )
    lines = [
        *_proved(proved),
        f"Handed over: {to}",
        f"The requester's receipt: {enclosed if enclosed.exists() else missing}",
    ]
    at.say(lines, {"case": case_id, "target": target, "file": str(to), "proved": proved})


def _release(at: Place, case_id: str, target: str, way: Way) -> None:
    desk, now = at.open()
    with working("Proving and releasing"):
        made = releasing.release(
            desk, case_id, target, actor=person(), now=now, days=way.days, again=way.again
        )
    found = made.release
    lines = [
        *_proved(made.proved),
        f"Released: it can be fetched once, until {found.expires_at:%Y-%m-%d %H:%M} UTC.",
        f"Tell the authority this address below your portal's: /parcels/{found.parcel_id}",
        "What is fetched is recorded by the worker: dueprocess show.",
        "To take it back before it was fetched: dueprocess deliver with --confirm lost.",
    ]
    value = {
        "case": case_id,
        "target": target,
        "path": f"/parcels/{found.parcel_id}",
        "expires_at": found.expires_at.isoformat(),
        "proved": made.proved,
    }
    at.say(lines, value)


def _record(at: Place, case_id: str, target: str, to: Path, channel: str) -> None:
    desk, now = at.open()
    with working("Proving and opening"):
        proved = handover.record(desk, case_id, target, to, channel=channel, actor=person(), now=now)
    warning = [
        "",
        "WARNING: this file is NOT encrypted. It holds a person's data in the clear.",
        "  - Put it on an encrypted medium or into the authority's own system, nowhere else.",
        "  - Never send it by mail. Then delete it here: shred -u " + str(to),
    ]
    print("\n".join(warning), file=sys.stderr)
    lines = [*_proved(proved), f"Opened for hand-over ({channel}), and recorded: {to}"]
    at.say(lines, {"case": case_id, "target": target, "file": str(to), "channel": channel, "proved": proved})


def _speak(at: Place, case_id: str, target: str) -> None:
    if at.json or not sys.stdout.isatty():
        raise RefusedError(
            "no-terminal",
            "What is read out is shown once, on a terminal, and never written into a file.",
            do="Run the command in a terminal, without --json and without a pipe.",
        )
    desk, now = at.open()

    def show(lines: list[str]) -> None:
        told = ["Read this out now, to the person you called back. It is shown once.", "", *lines, ""]
        print("\n".join(told), flush=True)

    handover.speak(desk, case_id, target, show, actor=person(), now=now)
    at.say("Recorded: handed over by telephone. Clear this screen.", {})


def _proved(proved: list[str]) -> list[str]:
    return ["The gate opened again:", *(f"  {each}" for each in proved)]
