"""`dueprocess recover-log`: two people let a restored installation go on from what the world has seen of its log."""

import datetime as dt
from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.monitor_fetch import place_of
from dueprocess.cli.place import Place, signing_key
from dueprocess.cli.printing import counted, working
from dueprocess.desk import recovery
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey


def recover_command(
    *,
    signer: Annotated[list[Path], Parameter(help="the key files of two people who sign, once for each")],
    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            help="the newest copy of the public log: an https address or a folder. Leave it out where the newest "
            "one is this installation's own folder log/.",
        ),
    ] = None,
    despite_silence: Annotated[
        bool,
        Parameter(
            negative="",
            help="go on although witnesses that do not answer could have seen a longer log; if they have, the log "
            "is forked for ever",
        ),
    ] = False,
    place: Place | None = None,
) -> None:
    """Recover the log after a restore, with two people. Decisions from before are void and must be made again.

    It can be run again after an interruption. docs/backup.md is the runbook.
    """
    at = place or Place()
    desk, now = at.open()
    people = [signing_key(each) for each in signer]
    with working("Recovering the log"):
        found = _recovered(desk, from_, people, now, despite_silence=despite_silence)
    lost = found.recovery.lost
    at.say(
        _lines(found),
        {
            "database_size": found.recovery.database_size,
            "log_size": found.recovery.log_size,
            "root": found.recovery.root,
            "lost_epochs": list(lost) if lost else None,
            "witnessed": found.witnessed,
            "heads": [list(each) for each in found.heads],
            "silent": list(found.silent),
            "policies": list(found.policies),
            "again": [list(each) for each in found.again],
            "letters": [list(each) for each in found.letters],
        },
    )


def _recovered(
    desk: Desk, from_: str | None, people: list[FileKey], now: dt.datetime, *, despite_silence: bool
) -> recovery.Recovered:
    if from_ is None:
        return recovery.recover(desk, None, people, now, despite_silence=despite_silence)
    with closing(place_of(from_)) as copy:
        return recovery.recover(desk, copy.read, people, now, despite_silence=despite_silence)


def _lines(found: recovery.Recovered) -> list[str]:
    size, back = found.recovery.log_size, found.recovery.log_size - found.recovery.database_size
    lines = [
        f"The log is recovered: {counted(size, 'leaf', 'leaves')}; {back} of them were brought back.",
        *(f"  {where}: {counted(size, 'leaf', 'leaves')}" for where, size in found.heads),
        *(f"  the witness {name} did not answer" for name in found.silent),
        *_lost(found),
    ]
    lines += [
        f"Policy {number} was decided after the backup and is lost: decide it again with dueprocess policy change."
        for number in found.policies
    ]
    lines += [f"{case[:8]} {ref}: the decision is void; see dueprocess next" for case, ref in found.again]
    if found.letters:
        lines.append(
            "BEFORE you start the workers: if an order not to tell came in, or was extended, after the backup, record "
            "it now (dueprocess silence). These letters depend on it:"
        )
        lines += [f"  {case[:8]} {ref}: {what}" for case, ref, what in found.letters]
    return [*lines, "Next: dueprocess fsck, then dueprocess next, then dueprocess serve."]


def _lost(found: recovery.Recovered) -> list[str]:
    lost = found.recovery.lost
    if lost is None:
        return ["No epoch is lost: the backup was the newest state."]
    return [
        f"Lost for good: whatever was recorded in the epochs {lost[0]} to {lost[1]}.",
        f"The public log says so for ever (code {recovery.LOST}).",
        "Receive again every paper that came in since. Enter again who was enrolled, revoked or suspended,",
        "and every order not to tell.",
    ]
