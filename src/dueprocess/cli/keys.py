"""`dueprocess keys`: what protects the keys of all cases; a new key-encryption key; a passphrase over it."""

import datetime as dt
import getpass
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, working
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.vault import passphrase_from
from dueprocess.vault.keystore import KEY_BACKUP_DAYS
from dueprocess.vault.rotation import Rotated, Status, change_passphrase, rotate, status
from dueprocess.wire import parse_instant

app = App(
    name="keys",
    help="What protects the keys of all cases: show it, change the key-encryption key, or its passphrase.",
    help_format="plaintext",
)

_KINDS = {
    "file": "a file, keys/kek, without a passphrase: who reads that folder reads every case",
    "passphrase": "a file, keys/kek, under a passphrase (scrypt)",
    "command": "your key service, asked by keys.command in dueprocess.toml",
}


@app.command(name="show")
def show_command(*, place: Place | None = None) -> None:
    """Show what protects the keys, since when, how many there are, and where the vault lies."""
    at = place or Place()
    desk, _ = at.open()
    found = status(desk.keys)
    where = desk.vault.objects.about()
    at.say(
        [*_about(found), f"The vault: {where}."],
        {
            "protection": found.kind,
            "kek_id": found.kek_id,
            "rotated_at": found.in_use.finished_at if found.in_use else None,
            "rotation_unfinished": bool(found.in_use and found.in_use.unfinished),
            "case_keys": found.case_keys,
            "secrets": found.secrets,
            "behind": found.behind,
            "vault": where,
        },
    )


def _about(found: Status) -> list[str]:
    in_use = found.in_use
    lines = [
        f"The key-encryption key {found.kek_id} lies in {_KINDS[found.kind]}.",
        f"It protects {counted(found.case_keys, 'case key')} and {counted(found.secrets, 'secret')}.",
    ]
    if in_use and in_use.unfinished:
        return [
            *lines,
            f"A rotation was begun at {in_use.begun_at} and not finished: run dueprocess keys rotate.",
        ]
    if found.behind:
        lines.append(
            f"{counted(found.behind, 'file lies', 'files lie')} as the first release wrote them; the next rotation "
            "wraps them anew."
        )
    if in_use is None or in_use.finished_at is None:
        return [*lines, "It was never rotated."]
    return [*lines, f"It was rotated at {in_use.finished_at}.", _older(in_use.finished_at)]


def _older(finished_at: str) -> str:
    until = (parse_instant(finished_at) + dt.timedelta(days=KEY_BACKUP_DAYS)).date()
    return (
        f"Backups from before open only with the key-encryption key of before: destroy those of the keys by {until}, "
        "and keep its copy as long as you keep an older backup of the rest."
    )


@app.command(name="rotate")
def rotate_command(*, place: Place | None = None) -> None:
    """Make a new key-encryption key and wrap every key under it anew. Interrupted, it is run again."""
    at = place or Place()
    desk, _ = at.open()
    with working("Wrapping every key anew"):
        found = rotate(desk.keys, dt.datetime.now(dt.UTC))  # backups count real days
    at.say(
        _rotated(found, desk.keys.source.kind),
        {
            "kek_id": found.kek_id,
            "wrapped": found.wrapped,
            "files": found.files,
            "resumed": found.resumed,
        },
    )


def _rotated(found: Rotated, kind: str) -> list[str]:
    begun = " It went on from an interrupted one." if found.resumed else ""
    copy = {
        "file": "Write the new keys/kek on paper; mark the old paper with today's date and keep it apart.",
        "passphrase": "The passphrase is the same.",
        "command": "Take keys.former_command out of dueprocess.toml and restart what runs.",
    }[kind]
    done = f"{counted(found.files, 'key file')} now under the key-encryption key {found.kek_id}.{begun}"
    return [
        done,
        copy,
        "Now make both backups anew: dueprocess backup, and dueprocess backup --keys.",
        "Backups from before open only with the key-encryption key of before.",
    ]


@app.command(name="passphrase")
def passphrase_command(
    *,
    file: Annotated[
        Path | None, Parameter(help="a file whose first line is the new passphrase; else it is typed, twice")
    ] = None,
    remove: Annotated[bool, Parameter(negative="", help="take the passphrase away")] = False,
    place: Place | None = None,
) -> None:
    """Set, change or remove the passphrase over the key-encryption key. It is never given on the command line."""
    at = place or Place()
    if remove and file is not None:
        raise RefusedError(
            "odd-options", "Either a new passphrase or none.", do="Leave out --remove or --file."
        )
    desk, _ = at.open()
    change_passphrase(desk.keys, None if remove else _new(file))
    at.say(_BARE if remove else _SEALED, {"protection": desk.keys.source.kind})


_AFTERWARDS = "Restart what runs, and make both backups anew."
_BARE = ["The key-encryption key lies in keys/kek without a passphrase.", _AFTERWARDS]
_FROM = (
    "From now on every start needs the passphrase: from DUEPROCESS_PASSPHRASE, DUEPROCESS_PASSPHRASE_FILE, "
    "keys.passphrase_file in dueprocess.toml, or a person at a terminal."
)
_SEALED = [
    _FROM,
    "The bare key may still lie in old blocks of the disk and in copies: run dueprocess keys rotate.",
    _AFTERWARDS,
]


def _new(file: Path | None) -> str:
    if file is not None:
        return passphrase_from({}, file)()
    if not sys.stdin.isatty():
        raise UnavailableError(
            "no-terminal", "There is no terminal to type the new passphrase at.",
            do="Run it at a terminal, or name a file with --file.",
        )  # fmt: skip
    first = getpass.getpass("New passphrase of the keys: ")
    if getpass.getpass("The same again: ") != first:
        raise RefusedError(
            "not-the-same", "The two were not the same; nothing was changed.", do="Type it again."
        )
    return first
