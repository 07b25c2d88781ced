"""Purging: parcels that nobody needs any more are deleted in time, and history says when.

A parcel gets the name of one that is being deleted, history is told, the file goes. After a crash the next turn goes
on.
"""

import datetime as dt
from collections.abc import Iterator

from dueprocess.cases.deliver import PURGE_DAYS, purge_due
from dueprocess.delivery.handover import manifest_paths, parcel_path, purged_path
from dueprocess.desk import collecting
from dueprocess.desk.desk import Desk
from dueprocess.errors import UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket, going
from dueprocess.publication.durable import write_durable
from dueprocess.steps import deliver as steps
from dueprocess.vault.privatefiles import sync_folder
from dueprocess.wire import instant

_SEEN = ".purged-until"


def purge_parcels(desk: Desk, now: dt.datetime) -> list[str]:
    """Deletes every parcel whose time is over. Returns a line for each.

    A closed case is looked at once, when its last event is `PURGE_DAYS` old, so that old cases cost nothing.
    """
    folder = desk.installation.parcels
    seen, until = folder / _SEEN, instant(now - dt.timedelta(days=PURGE_DAYS))
    after = seen.read_text() if seen.exists() else ""
    closed = [line.case_id for line in docket(stage="closed") if after < line.updated_at <= until]
    done = [told for line in going() for told in _purged(desk, line.case_id, now)]
    done += [told for case_id in closed for told in _purged(desk, case_id, now)]
    try:
        for path in folder.glob("*.purged"):
            path.unlink(missing_ok=True)
            sync_folder(folder)
    except OSError as error:
        raise _stuck(error) from error
    if closed:
        write_durable(seen, until.encode())
    return done


def _purged(desk: Desk, case_id: str, now: dt.datetime) -> Iterator[str]:
    case = load_case(case_id)
    for ref, state in case.targets.items():
        due = purge_due(case, state)
        if due is None or due > now or state.produced is None or not desk.keys.has(case_id):
            continue
        parcel_id, folder = state.produced.text("parcel_id"), desk.installation.parcels
        path = parcel_path(folder, parcel_id)
        try:
            if path.exists():
                path.replace(purged_path(folder, parcel_id))
                sync_folder(folder)
            for each in manifest_paths(folder, parcel_id):
                if each.exists():
                    each.unlink()
                    sync_folder(folder)
        except OSError as error:
            raise _stuck(error) from error
        collecting.forget_produced(desk, case, ref)
        if steps.record_purge(case_id, desk.hand("worker", now, case_id), ref):
            yield f"{case_id[:8]} {ref}: the parcel was deleted, {PURGE_DAYS} days after it was last needed"


def _stuck(error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-purge",
        "A parcel whose time is over could not be deleted.",
        why=str(error),
        do="Make parcels/ writable; the worker tries again.",
    )
