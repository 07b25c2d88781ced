"""`dueprocess packs`: the rule packs that this program brings, and one's own."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.printing import say
from dueprocess.errors import RefusedError
from dueprocess.law import Pack, explain_instrument
from dueprocess.library.packs import check_pack, shipped_packs

app = App(name="packs", help="Rule packs: law as data, cited and dated.", help_format="plaintext")
JsonFlag = Annotated[bool, Parameter(negative="", help="Print one JSON value.")]


@app.command(name="list")
def list_command(*, json: JsonFlag = False) -> None:
    """List the packs with their versions, reviews and instruments."""
    packs = shipped_packs()
    lines: list[str] = []
    for pack in packs.values():
        review = (
            f"reviewed by {pack.reviewed_by} on {pack.reviewed_on}"
            if pack.reviewed_by
            else "not reviewed by counsel"
        )
        lines += [f"{pack.id} {pack.version}  {pack.title} ({review})", f"  sha256 {pack.sha256}"]
        lines += [f"  {instrument.code:<22}{instrument.name}" for instrument in pack.instruments]
    say(lines, {p.id: {"version": p.version, "sha256": p.sha256} for p in packs.values()}, as_json=json)


@app.command(name="explain")
def explain_command(pack: str, instrument: str, *, json: JsonFlag = False) -> None:
    """Print one instrument as a page: what it reaches, what it never reaches, what it needs, with sources."""
    text = explain_instrument(_pack(pack), instrument)
    say(text, {"pack": pack, "instrument": instrument, "text": text}, as_json=json)


@app.command(name="check")
def check_command(file: Path, *, json: JsonFlag = False) -> int:
    """Load a pack strictly and run the worked cases beside it."""
    report = check_pack(file)
    failures = {name: list(found) for name, found in report.failures}
    lines = [f"{report.pack.id}: {len(report.cases)} worked cases, {len(failures)} disagree"]
    lines += [f"  {name}: {each}" for name, found in failures.items() for each in found]
    say(lines, {"cases": len(report.cases), "failures": failures}, as_json=json)
    return 0 if report.agrees else 4


def _pack(name: str) -> Pack:
    packs = shipped_packs()
    if name not in packs:
        raise RefusedError(
            "no-such-pack", f"There is no pack {name!r}.", do=f"Choose from: {', '.join(packs)}."
        )
    return packs[name]
