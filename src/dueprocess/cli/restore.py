"""`dueprocess restore FILE DIR --keys FILE --kek FILE`: a backup into an empty folder, all of it checked first."""

import datetime as dt
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, working
from dueprocess.desk import restoring
from dueprocess.errors import EXIT_CODES, BrokenError, UnavailableError
from dueprocess.vault import passphrase_from


def restore_command(
    file: Annotated[Path, Parameter(help="the backup of the installation")],
    folder: Annotated[Path, Parameter(help="an empty folder, or one that does not exist")],
    *,
    keys: Annotated[Path, Parameter(help="the backup of the keys, at most 30 days old")],
    kek: Annotated[
        Path | None,
        Parameter(help="a file with the key-encryption key; not needed where it is under a passphrase"),
    ] = None,
    identity: Annotated[
        Path | None, Parameter(help="the age identity, where the backups were made with --to")
    ] = None,
    database: Annotated[
        str | None, Parameter(help="an empty PostgreSQL database for a store that was in one: postgresql://…")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value instead of text.")] = False,
) -> int:
    """Restore a backup. What comes out neither signs nor produces until two people ran dueprocess recover-log.

    It can be run again after an interruption. docs/backup.md is the runbook.
    """
    unlocking = passphrase_from(os.environ)
    backup = restoring.Backup(file, keys, kek, _identity(identity), database, unlocking)
    with working("Restoring"):
        found = restoring.restore(backup, folder, dt.datetime.now(dt.UTC))
    Place(json=json).say(
        _lines(found, folder),
        {
            "folder": str(folder),
            "made_at": found.made_at,
            "head_size": found.head_size,
            "faults": [str(each) for each in found.faults],
            "erased_again": found.erased_again,
            "without_key": found.without_key,
            "without_case": found.without_case,
        },
    )
    if found.faults:
        print(f"Broken: {counted(len(found.faults), 'thing does', 'things do')} not fit.", file=sys.stderr)
        return EXIT_CODES[BrokenError]
    return 0


def _identity(path: Path | None) -> str | None:
    """The secret line of an identity file; its other lines are comments."""
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(
            "no-identity", f"The age identity {path} cannot be read.", why=str(error), do="Check the name."
        ) from error
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")


def _lines(found: restoring.RestoredInstallation, folder: Path) -> list[str]:
    lines = [
        f"Restored into {folder}: the state of {found.made_at}.",
        f"The log has {counted(found.head_size, 'leaf', 'leaves')} there.",
        *found.erased_again,
        *(f"FAULT {each}" for each in found.faults),
    ]
    if not found.faults:
        lines.append("fsck: everything fits.")
    if found.without_key:
        lines.append(
            f"Nobody can open {counted(len(found.without_key), 'case')}: {_short(found.without_key)}. They were erased "
            "after this backup, or the backup of the keys is older than they are. Look at the erasure certificates."
        )
    if found.without_case:
        lines.append(
            f"{counted(len(found.without_case), 'paper')} came in after this backup and must be received again: "
            f"{_short(found.without_case)}."
        )
    return [
        *lines,
        "Write worker/stores.env again: the stores' credentials are in no backup.",
        "Nothing is signed, published or produced yet. Next, two people:",
        "dueprocess recover-log --from LOG --signer KEY --signer KEY",
    ]


def _short(cases: list[str]) -> str:
    return ", ".join(each[:8] for each in cases)
