"""`dueprocess packs activate` and `retire`: two people put a pack in force, or end it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.pack_names import diff_lines, find_pack
from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import packs
from dueprocess.wire import instant

Signers = Annotated[list[Path], Parameter(help="the key files of two people who sign, once for each")]


def activate_command(
    pack: Annotated[str, Parameter(help="the id of a shipped pack, or a file")],
    *,
    signer: Signers,
    place: Place | None = None,
) -> None:
    """Put a pack in force, signed by two. First it says what changes against the one that it replaces."""
    at = place or Place()
    desk, now = at.open()
    file = find_pack(pack if ":" in pack or _is_file(pack) else f"shipped:{pack}", desk)
    current = desk.pack_rules().of(file.pack.id)
    old = packs.kept(desk, current).pack if current is not None else None
    lines = diff_lines(old, file.pack, packs.open_cases())
    keys = [signing_key(each) for each in signer]
    active = packs.activate(desk, file, keys, now)
    people = " and ".join(each.person for each in keys)
    at.say(
        [
            *lines,
            "",
            f"{active.id} {active.version} is in force since {instant(active.since)}: {people} signed.",
        ],
        {"id": active.id, "version": active.version, "sha256": active.sha256, "event": active.event},
    )


def retire_command(pack: str, *, signer: Signers, place: Place | None = None) -> None:
    """Take a pack out of force, signed by two. Its papers then go to counsel; what was approved stays approved."""
    at = place or Place()
    desk, now = at.open()
    ended = packs.retire(desk, pack, [signing_key(each) for each in signer], now)
    touched = [each for each in packs.open_cases() if f"{pack}.".startswith(f"{each.regime}.")]
    lines = [f"{ended.id} {ended.version} is no longer in force. There is no default law."]
    lines += [f"  {each.case_id[:8]}  {each.instrument}: look at it again" for each in touched]
    at.say(lines, {"id": ended.id, "version": ended.version, "sha256": ended.sha256})


def _is_file(pack: str) -> bool:
    return pack.endswith(".toml") or "/" in pack or Path(pack).is_file()
