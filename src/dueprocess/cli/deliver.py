"""`dueprocess deliver CASE TARGET`: hand the answer package over, once, in one of four ways."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.deliver import RELEASE_DAYS
from dueprocess.cli.place import Place, person
from dueprocess.cli.printing import working
from dueprocess.desk import handover, manifests, releasing
from dueprocess.desk.receipts import parcel_receipt_path
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.parcel.eu_reply import Cause

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


@dataclass(frozen=True, slots=True)
class European:
    """What the manifest says of an answer to a European Production Order that goes beside its IT system."""

    reference: Annotated[
        str, Parameter(help="European order over 25 MB: the authority's file number, for the manifest")
    ] = ""
    means: Annotated[str, Parameter(help="European order over 25 MB: how the file travels")] = ""
    cause: Annotated[
        Cause | None, Parameter(help="why the answer does not go through the decentralised IT system")
    ] = None
    extended: Annotated[
        bool, Parameter(negative="", help="the European authority asked for more than 45 days")
    ] = False
    manifest: Annotated[
        bool, Parameter(negative="", help="write the manifest of a hand-over that was begun, again")
    ] = False

    @property
    def said(self) -> manifests.Beside:
        return manifests.Beside(self.reference, self.means, self.cause, self.extended)


def deliver_command(
    case: str,
    target: str,
    *,
    way: Annotated[Way | None, Parameter(name="*")] = None,
    european: Annotated[European | None, Parameter(name="*")] = None,
    confirm: Annotated[
        str | None,
        Parameter(help="a hand-over found half done, or a release to take back: `arrived` or `lost`"),
    ] = None,
    place: Place | None = None,
) -> None:
    """Prove again that it may be done, hand the answer over, record it. It is never repeated by itself."""
    at, chosen, said = place or Place(), way or Way(), european or European()
    case_id = _opened(at, case)
    if confirm is not None:
        _confirm(at, case_id, target, confirm)
        return
    if said.manifest:
        made = _manifest(at, case_id, target, said, chosen.to)
        at.say(
            made.lines or ["This answer owes no manifest."], {"case": case_id, "target": target, **made.value}
        )
        return
    _check_one_way(chosen)
    if chosen.download:
        _release(at, case_id, target, chosen, said)
    elif chosen.spoken:
        _speak(at, case_id, target)
    elif chosen.to is not None and chosen.recorded is not None:
        _record(at, case_id, target, chosen, said)
    elif chosen.to is not None:
        _write(at, case_id, target, chosen, said)


def _check_one_way(chosen: Way) -> None:
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


def _opened(at: Place, case: str) -> str:
    at.open()
    return at.case(case)


def _confirm(at: Place, case_id: str, target: str, word: str) -> None:
    desk, now = at.open()
    if word not in ("arrived", "lost"):
        raise RefusedError("unknown-word", f"{word!r} is neither `arrived` nor `lost`.", do="Find out which.")
    handover.confirm(desk, case_id, target, actor=person(), now=now, arrived=word == "arrived")
    again = "" if word == "arrived" else " It can be handed over again: dueprocess deliver."
    case = load_case(case_id)
    owed = word == "arrived" and manifests.is_european(case) and case.target(target).manifest is None
    if owed:
        again = " If it went beside the decentralised IT system, write its manifest: dueprocess deliver --manifest."
    at.say(f"Recorded: the parcel for {target}: {word}.{again}", {"case": case_id, "confirmed": word})


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a European reply, to people and to programs; nothing about any other."""

    lines: list[str]
    value: dict[str, str]


def _manifest(at: Place, case_id: str, target: str, said: European, to: Path | None = None) -> _Told:
    """Makes the manifest that a hand-over owes, or says that the answer can go through the system."""
    desk, now = at.open()
    made = manifests.make(desk, case_id, target, said.said, actor=person(), now=now, to=to)
    if made is not None:
        lines = [f"Manifest for programs: {made.json}", f"Manifest for people: {made.text}", manifests.SEND]
        return _Told(lines, {"manifest": str(made.json), "manifest_sha256": made.sha256})
    return _Told([manifests.FITS] if manifests.is_european(load_case(case_id)) else [], {})


def _write(at: Place, case_id: str, target: str, way: Way, said: European) -> None:
    desk, now = at.open()
    to = way.to
    assert to is not None
    manifests.cause_of(load_case(case_id), target, "file", said.said)
    with working("Proving and handing over"):
        proved = handover.deliver(desk, case_id, target, to, actor=person(), now=now, again=way.again)
    european = _manifest(at, case_id, target, said, to)
    enclosed = parcel_receipt_path(to)
    missing = (
        f"could not be written; again: dueprocess receipt {case_id[:8]} {target} --for requester --out FILE"
    )
    lines = [
        *_proved(proved),
        f"Handed over: {to}",
        f"The requester's receipt: {enclosed if enclosed.exists() else missing}",
        *european.lines,
    ]
    value = {"case": case_id, "target": target, "file": str(to), "proved": proved, **european.value}
    at.say(lines, value)


def _release(at: Place, case_id: str, target: str, way: Way, said: European) -> None:
    desk, now = at.open()
    manifests.check_release(load_case(case_id), target, way.days, said.said)
    with working("Proving and releasing"):
        made = releasing.release(
            desk, case_id, target, actor=person(), now=now, days=way.days, again=way.again
        )
    european = _manifest(at, case_id, target, said)
    found = made.release
    lines = [
        *_proved(made.proved),
        f"Released: it can be fetched once, until {found.expires_at:%Y-%m-%d %H:%M} UTC.",
        f"Tell the authority this address below your portal's: /parcels/{found.parcel_id}",
        "What is fetched is recorded by the worker: dueprocess show.",
        "To take it back before it was fetched: dueprocess deliver with --confirm lost.",
        *european.lines,
    ]
    value = {
        "case": case_id,
        "target": target,
        "path": f"/parcels/{found.parcel_id}",
        "expires_at": found.expires_at.isoformat(),
        "proved": made.proved,
        **european.value,
    }
    at.say(lines, value)


def _record(at: Place, case_id: str, target: str, way: Way, said: European) -> None:
    desk, now = at.open()
    to, channel = way.to, way.recorded
    assert to is not None
    assert channel is not None
    manifests.cause_of(load_case(case_id), target, channel, said.said)
    with working("Proving and opening"):
        proved = handover.record(desk, case_id, target, to, channel=channel, actor=person(), now=now)
    european = _manifest(at, case_id, target, said, to)
    warning = [
        "",
        "WARNING: this file is NOT encrypted. It holds a person's data in the clear.",
        "  - Put it on an encrypted medium or into the authority's own system, nowhere else.",
        "  - Never send it by mail. Then delete it here: shred -u " + str(to),
    ]
    print("\n".join(warning), file=sys.stderr)
    lines = [*_proved(proved), f"Opened for hand-over ({channel}), and recorded: {to}", *european.lines]
    value = {"case": case_id, "target": target, "file": str(to), "channel": channel, "proved": proved}
    at.say(lines, {**value, **european.value})


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
