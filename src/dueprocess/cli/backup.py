"""`dueprocess backup --out FILE`: everything but the keys, or with --keys the keys alone, while the service runs."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, working
from dueprocess.desk import backups
from dueprocess.desk.desk import Desk


def backup_command(
    *,
    out: Annotated[Path, Parameter(help="the file to write; it must not exist, nor lie in the installation")],
    to: Annotated[
        str | None, Parameter(help="encrypt to this age recipient (age1…), whose secret half is elsewhere")
    ] = None,
    keys: Annotated[
        bool, Parameter(negative="", help="the keys alone; destroy that file after 30 days")
    ] = False,
    place: Place | None = None,
) -> None:
    """Back up the installation while it runs; with --keys its keys, which belong into a file and place of their own.

    Run it without --keys first and with --keys right afterwards. docs/backup.md is the runbook.
    """
    at = place or Place()
    desk, _ = at.open()
    now = dt.datetime.now(dt.UTC)  # how long a file lies somewhere is no simulated time
    with working("Backing up"):
        made = (backups.back_up_keys if keys else backups.back_up)(desk, out, now, to=to)
    if not made.encrypted:
        print(
            f"Warning: {out} is not encrypted: whoever reads it reads what is in it. Name a recipient with --to.",
            file=sys.stderr,
        )
    about = made.manifest.about
    at.say(
        [
            *(_about_keys(desk, made) if keys else _about(desk, made)),
            backups.about_kek(desk),
        ],
        {
            "file": str(out),
            "bytes": made.size,
            "files": len(made.manifest.members),
            "manifest_sha256": made.manifest.sha256,
            "encrypted": made.encrypted,
            "kind": about["kind"],
            "made_at": about["made_at"],
            "head": about.get("head"),
            "destroy_on": about.get("destroy_on"),
        },
    )


def _size(made: backups.Made) -> str:
    return f"{counted(len(made.manifest.members), 'file')}, {made.size:,} bytes"


def _about(desk: Desk, made: backups.Made) -> list[str]:
    head = made.manifest.about["head"]
    lines = [
        f"Backed up into {made.path}: {_size(made)}, the log with {counted(head['size'], 'leaf', 'leaves')}.",
        "It holds no keys: run dueprocess backup --keys now as well, into another place.",
    ]
    place = desk.installation
    if not place.datamap.is_relative_to(place.root):
        lines.append(
            f"Not in it: the data map {place.datamap}, which lies outside the installation. Copy it too."
        )
    return lines


def _about_keys(desk: Desk, made: backups.Made) -> list[str]:
    lines = [
        f"Backed up the keys into {made.path}: {_size(made)}.",
        f"DESTROY IT ON {made.destroy_on}; a restore refuses it afterwards.",
        "Erasure certificates promise that no copy of a key is older than 30 days.",
    ]
    people = desk.installation.keys / "people"
    if people.is_dir() and any(people.iterdir()):
        lines.append(
            f"Not in it: people's own key files in {people}. Each belongs to its owner; move them there, or a lost "
            "disk takes them along, and nobody can recover the log."
        )
    return lines
