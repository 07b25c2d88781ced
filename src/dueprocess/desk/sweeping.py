"""What killed programs left behind: keys and papers of receipts that were never recorded, half-written files.

What an interrupted production had read goes as soon as nobody may use it any more. Nothing else of a case that has
events is ever touched, and nothing that an event names. What goes is older than a day, and goes only while nobody
takes a paper in: a paper's key lies there before history names it. ``now`` is real time, because how long a file lies
somewhere is no simulated time.

Source: formats.md, "Vault".
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.events import Event
from dueprocess.desk.desk import Desk
from dueprocess.desk.parcels import clear_unfinished
from dueprocess.desk.resuming import kept_reads, throw_away, why_over
from dueprocess.errors import UnavailableError
from dueprocess.history.append import load_case, load_events
from dueprocess.history.docket import docket
from dueprocess.vault.privatefiles import sync_folder
from dueprocess.vault.vault import folder_name

REST = dt.timedelta(days=1)
"""So long whatever may be an orphan is left alone."""
_HALF = ".new-*"
_PLACES = ("keys", "vault", "outbox", "log", "public", "packs", "worker")


@dataclass(frozen=True, slots=True)
class Swept:
    """One thing that was, or would be, taken away."""

    kind: str
    """``receipt`` or ``read`` (a key with its objects), ``objects`` (bytes that no key opens), ``half-written`` or
    ``parcel``."""
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep took away, and why it left something alone that may be an orphan."""

    swept: tuple[Swept, ...]
    left: tuple[str, ...]


def sweep(desk: Desk, now: dt.datetime, *, dry_run: bool = False) -> Sweep:
    """Takes away what killed programs left more than a day ago, or only says what it would be. Can be run again."""
    before = now - REST
    swept, reads = _reads(desk, now, dry_run=dry_run)
    left: list[str] = []
    with desk.keys.sweeping() as alone:
        if alone:
            swept += _receipts(desk, before, reads, dry_run=dry_run)
            unknown, why = _unknown_folders(desk, before)
            left += [why] if why else []
            swept += [_removed(desk, each, dry_run=dry_run) for each in unknown]
        else:
            left.append(
                "a paper is being received: its key and its bytes were not looked at; sweep again later"
            )
    swept += _parcels(desk.installation.parcels, dry_run=dry_run)
    swept += _half_written(desk, before, dry_run=dry_run)
    return Sweep(tuple(swept), tuple(left))


# ---------------------------------------------------------------------------------------------- keys and objects


def _reads(desk: Desk, now: dt.datetime, *, dry_run: bool) -> tuple[list[Swept], set[str]]:
    """What productions kept and nobody may use any more; and the keys of all that was kept, whose events name none.

    The end of a decision is by the installation's clock, and the worker looks at it.
    """
    swept, known = [], set()
    for line in docket():
        case = load_case(line.case_id)
        for run in kept_reads(desk, case):
            known.add(run.shelf_id)
            if why := why_over(desk, case, run, None, now):
                swept.append(Swept("read", run.shelf_id, why))
                if not dry_run:
                    throw_away(desk, run)
    return swept, known


def _receipts(desk: Desk, before: dt.datetime, known: set[str], *, dry_run: bool) -> list[Swept]:
    """Keys without history, and what lies under them: first the bytes, then the key by which they are found."""
    beside = known | {desk.stream}
    old = [each for each in desk.keys.files() if each.made_at < before and each.case_id not in beside]
    lonely = {each.case_id for each in old if not load_events(each.case_id)}
    for event in _every_event(desk) if lonely else ():
        said = str(event.body)  # a hold has a key of its own, and stands in the events of its case
        lonely -= {each for each in lonely if each in said}
    return [_without_history(desk, each, dry_run=dry_run) for each in sorted(lonely)]


def _every_event(desk: Desk) -> Iterator[Event]:
    for stream in (desk.stream, *(line.case_id for line in docket())):
        yield from load_events(stream)


def _without_history(desk: Desk, case_id: str, *, dry_run: bool) -> Swept:
    if not dry_run:
        desk.vault.remove(case_id)
        desk.keys.destroy(case_id)
    return Swept("receipt", case_id, "no event names it")


def _unknown_folders(desk: Desk, before: dt.datetime) -> tuple[list[str], str]:
    """Folders of the vault that no key gives: their key is destroyed, and nobody can open them. And why not, if not.

    Where the key of a case is missing that is not erased, its folder could be among them, so all of them stay.
    """
    newest: dict[str, dt.datetime] = {}
    for each in desk.vault.objects.listed():
        folder = each.name.rpartition("/")[0]
        newest[folder] = max(newest.get(folder, each.changed_at), each.changed_at)
    known = {folder_name(each.case_id, desk.keys.keys(each.case_id)) for each in desk.keys.files()}
    unknown = sorted(folder for folder, at in newest.items() if folder not in known and at < before)
    missing = _without_key(desk) if unknown else []
    if unknown and missing:
        why = f"{len(unknown)} folders of the vault have no key here; the key of {missing[0]} is missing, so "
        return [], why + "one may be its own, and they stay until the keys are restored or the case is erased"
    return unknown, ""


def _without_key(desk: Desk) -> list[str]:
    """Cases and snapshots of holds that history has and nobody erased or destroyed, and whose key is not here."""
    found = []
    for line in docket():
        if line.stage == "erased":
            continue
        events = load_events(line.case_id)
        ended = {event.body["hold_id"] for event in events if event.kind in ("HoldDestroyed", "HoldEnded")}
        taken = {str(event.body["hold_id"]) for event in events if event.kind == "HoldTaken"} - ended
        found += [f"case {line.case_id[:8]}"] if not desk.keys.has(line.case_id) else []
        found += [f"hold {each[:8]}" for each in sorted(taken) if not desk.keys.has(each)]
    return found


def _removed(desk: Desk, folder: str, *, dry_run: bool) -> Swept:
    if not dry_run:
        try:
            desk.vault.objects.remove(folder)
        except OSError as error:
            raise _stuck(error) from error
    return Swept("objects", folder, "its key is destroyed")


# ---------------------------------------------------------------------------------------------- files


def _parcels(folder: Path, *, dry_run: bool) -> Iterator[Swept]:
    """Parcels of a production that died. Whoever is at one holds its lock, and it stays."""
    before = {each.name for each in folder.glob("*.new")} if folder.is_dir() else set()
    if before and not dry_run:
        clear_unfinished(folder)
        before -= {each.name for each in folder.glob("*.new")}
    return (Swept("parcel", each, "its production died") for each in sorted(before))


def _half_written(desk: Desk, before: dt.datetime, *, dry_run: bool) -> list[Swept]:
    root = desk.installation.root
    swept = []
    for folder in _PLACES:
        for path in sorted((root / folder).rglob(_HALF)):
            if _is_old(path, before):
                swept.append(Swept("half-written", path.relative_to(root).as_posix(), "its program died"))
                _take_away(path, dry_run=dry_run)
    return swept


def _is_old(path: Path, before: dt.datetime) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:
        return False


def _take_away(path: Path, *, dry_run: bool) -> None:
    if dry_run:
        return
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _stuck(error) from error


def _stuck(error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-sweep", "Something that was left behind could not be removed.", why=str(error),
        do="Make the installation's folders writable and run the same command again.",
    )  # fmt: skip
