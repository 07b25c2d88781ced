"""Which pack a name on the command line means: one in force, a shipped one, or a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dueprocess.errors import RefusedError
from dueprocess.law.comparing.diff import Change, OpenCase, diff_packs, touches
from dueprocess.law.pack import Pack
from dueprocess.library.installation import SETTINGS_FILE
from dueprocess.library.packs import PackFile, load_file, shipped_as_written, shipped_file

if TYPE_CHECKING:
    from dueprocess.desk.desk import Desk


def installed(install: Path | None) -> "Desk | None":
    """The installation that a command stands in, if there is one: looking at packs needs none."""
    folder = install or Path(os.environ.get("DUEPROCESS_INSTALL", "."))
    if install is None and not (folder / SETTINGS_FILE).exists():
        return None
    from dueprocess.desk.desk import open_desk  # noqa: PLC0415  brings the database, which packs do not need

    return open_desk(folder)


def find_pack(name: str, desk: "Desk | None") -> PackFile:
    """``active:ID``, ``shipped:ID``, a file, or a bare id: what is in force under it, else what is shipped."""
    where, _, rest = name.partition(":")
    if where == "shipped" and rest:
        return shipped_file(rest)
    if where == "active" and rest:
        return _active(rest, desk)
    path = Path(name)
    if name.endswith(".toml") or os.sep in name or path.is_file():
        return load_file(path)
    if desk is not None and desk.pack_rules().of(name) is not None:
        return _active(name, desk)
    if name in shipped_as_written():
        return shipped_file(name)
    raise RefusedError(
        "no-such-pack",
        f"There is no pack {name[:80]!r}.",
        do=f"Choose from: {', '.join(shipped_as_written())}. Or name a file.",
    )


def _active(pack_id: str, desk: "Desk | None") -> PackFile:
    if desk is None:
        raise RefusedError(
            "no-installation", f"Whether {pack_id[:80]} is in force depends on an installation.",
            do="Name it with --install DIR.",
        )  # fmt: skip
    from dueprocess.desk.packs import in_force, kept  # noqa: PLC0415  brings the database, which packs do not need

    return kept(desk, in_force(desk, pack_id))


def review_words(pack: Pack) -> str:
    """Who reviewed a pack, as every page says it."""
    return (
        f"reviewed by {pack.reviewed_by} on {pack.reviewed_on}"
        if pack.reviewed_by
        else "not reviewed by counsel"
    )


def diff_lines(old: Pack | None, new: Pack, cases: list[OpenCase] | None) -> list[str]:
    """What changes from one pack to another, what widens first, and the open cases that it touches."""
    if old is None:
        names = ", ".join(each.code for each in new.instruments)
        return [f"{new.id} {new.version} is new here ({review_words(new)}). It knows: {names or 'no paper'}."]
    changes = diff_packs(old, new)
    lines = [f"{old.id} {old.version} → {new.id} {new.version} ({review_words(new)})"]
    if not changes:
        return [*lines, "They say the same."]
    wider = [each for each in changes if each.widens]
    other = [each for each in changes if not each.widens]
    lines += _listed(
        "WIDER: look at these first. Reach may grow, a requirement fall away, or time get longer.", wider
    )
    lines += _listed("Other changes", other)
    return [*lines, *touched_lines(changes, cases)]


def _listed(head: str, changes: list[Change]) -> list[str]:
    return ["", head, *(f"  - {each.sentence}{_since(each)}" for each in changes)] if changes else []


def _since(change: Change) -> str:
    return f" (from {change.since.isoformat()})" if change.since is not None else ""


def touched_lines(changes: tuple[Change, ...], cases: list[OpenCase] | None) -> list[str]:
    """The open cases that changes concern; nothing where there is no installation to look into."""
    if cases is None:
        return []
    found = touches(changes, cases)
    if not found:
        return ["", "No open case is touched."]
    lines = [
        f"  {case.case_id[:8]}  {case.instrument}: {len(these)} of these changes; dueprocess assess {case.case_id[:8]}"
        for case, these in found
    ]
    return ["", "Open cases that this touches", *lines]
