"""`dueprocess packs`: the law that is applied here, the packs that this program brings, and one's own."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from dueprocess.cli.pack_names import diff_lines, find_pack, installed, review_words
from dueprocess.cli.printing import say
from dueprocess.law import Pack, explain_instrument, pack_warnings
from dueprocess.law.comparing.diff import diff_packs, touches
from dueprocess.library.packs import check_pack, shipped_packs

app = App(name="packs", help="Rule packs: law as data, cited and dated.", help_format="plaintext")
_ACTIVATE = "Put a pack in force, signed by two. First it says what changes against the one that it replaces."
_RETIRE = "Take a pack out of force, signed by two. Its papers then go to counsel; what was approved stays approved."
app.command("dueprocess.cli.packs_decide:activate_command", name="activate", help=_ACTIVATE)
app.command("dueprocess.cli.packs_decide:retire_command", name="retire", help=_RETIRE)

JsonFlag = Annotated[bool, Parameter(negative="", help="Print one JSON value.")]
Install = Annotated[Path | None, Parameter(help="The installation; default DUEPROCESS_INSTALL, else here.")]


@app.command(name="list")
def list_command(*, install: Install = None, json: JsonFlag = False) -> None:
    """List the packs in force here and the shipped ones, with versions, reviews and instruments."""
    active, warned = _in_force(install)
    shipped, today = shipped_packs(), dt.datetime.now(dt.UTC).date()
    lines = [*warned, *([""] if warned else [])]
    if active is not None:
        lines += ["In force here", *(_active_line(each) for each in active), ""]
        lines += ["  none: every assessment goes to counsel", ""] if not active else []
    lines.append("Shipped with this program")
    for pack in shipped.values():
        lines += [f"{pack.id} {pack.version}  {pack.title} ({review_words(pack)})", f"  sha256 {pack.sha256}"]
        lines += [f"  OLD: {each.text} {each.do}".rstrip() for each in pack_warnings(pack, today)]
        lines += [f"  {instrument.code:<22}{instrument.name}" for instrument in pack.instruments]
    found = {"active": active, "shipped": [_described(each) for each in shipped.values()], "warnings": warned}
    say(lines, found, as_json=json)


def _in_force(install: Path | None) -> tuple[list[dict[str, Any]] | None, list[str]]:
    """The packs in force with what is to be said about them; None where there is no installation."""
    desk = installed(install)
    if desk is None:
        return None, []
    from dueprocess.desk import packs  # noqa: PLC0415  brings the database, which packs do not need
    from dueprocess.worker.clock import read_clock  # noqa: PLC0415

    since = {each.sha256: each for each in desk.pack_rules().active}
    found = [
        {**_described(file.pack), "since": since[file.pack.sha256].since.isoformat()}
        for file in packs.active_files(desk)
    ]
    return found, packs.warnings(desk, read_clock(desk.installation).date())


def _described(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "kind": pack.kind,
        "title": pack.title,
        "jurisdiction": pack.jurisdiction,
        "review": review_words(pack),
        "sha256": pack.sha256,
        "instruments": [each.code for each in pack.instruments],
    }


def _active_line(found: dict[str, Any]) -> str:
    overlay = ", makes another pack stricter" if found["kind"] == "overlay" else ""
    return f"  {found['id']} {found['version']}  since {found['since'][:10]}, {found['review']}{overlay}"


@app.command(name="explain")
def explain_command(pack: str, instrument: str, *, install: Install = None, json: JsonFlag = False) -> None:
    """Print one instrument as a page: what it reaches, what it never reaches, what it needs, with sources."""
    desk = installed(install)
    found = find_pack(pack, desk).pack
    if desk is not None and found.sha256 in {each.sha256 for each in desk.packs.values()}:
        found = desk.packs[found.id]  # as it applies here: with its overlays
    text = explain_instrument(found, instrument)
    say(text, {"pack": found.id, "instrument": instrument, "text": text}, as_json=json)


@app.command(name="check")
def check_command(file: Path, *, json: JsonFlag = False) -> int:
    """Load a pack strictly and run the worked cases beside it."""
    report = check_pack(file)
    failures = {name: list(found) for name, found in report.failures}
    lines = [f"{report.pack.id}: {len(report.cases)} worked cases, {len(failures)} disagree"]
    lines += [f"  {name}: {each}" for name, found in failures.items() for each in found]
    say(lines, {"cases": len(report.cases), "failures": failures}, as_json=json)
    return 0 if report.agrees else 4


@app.command(name="diff")
def diff_command(old: str, new: str, *, install: Install = None, json: JsonFlag = False) -> None:
    """Say in words what changes from one pack to another, from when, and which open cases it touches.

    Each is an id or a file. An id means the pack in force here, else the shipped one; active:ID and shipped:ID say it.
    """
    desk = installed(install)
    one, other = find_pack(old, desk).pack, find_pack(new, desk).pack
    cases = None
    if desk is not None:
        from dueprocess.desk.packs import open_cases  # noqa: PLC0415  brings the database, which packs do not need

        cases = open_cases()
    changes = diff_packs(one, other)
    found = {
        "from": _described(one),
        "to": _described(other),
        "changes": [each.as_json() for each in changes],
        "cases": [case.case_id for case, _ in touches(changes, cases or [])],
    }
    say(diff_lines(one, other, cases), found, as_json=json)
