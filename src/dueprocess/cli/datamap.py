"""`dueprocess datamap`: what this service holds, where, and under which category."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.datamap_plan import plan_command
from dueprocess.cli.place import Place
from dueprocess.library.datamaps import named_map, shipped_maps, write_new
from dueprocess.plan import DataMap

app = App(
    name="datamap", help="The list of what we hold: what is not listed cannot leave.", help_format="plaintext"
)


@app.command(name="list")
def list_command(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List the maps that this program brings."""
    maps = shipped_maps()
    lines = [f"{each.id} {each.version}  {each.platform}" for each in maps.values()]
    Place(json=json).say(lines, {each.id: each.version for each in maps.values()})


@app.command(name="show")
def show_command(file: Path | None = None, *, place: Place | None = None) -> None:
    """Print a map: every table with its columns and categories."""
    at = place or Place()
    found = named_map(file) if file is not None else at.open()[0].datamap
    at.say(page(found), found.as_json())


@app.command(name="check")
def check_command(file: Path | None = None, *, place: Place | None = None) -> int:
    """Compare a map with the live stores: drift both ways, unique targets, indexes, rooms taken for people."""
    from dueprocess.production.livecheck import check_live  # noqa: PLC0415  drivers are loaded only here

    at = place or Place()
    desk = None if file is not None else at.open()[0]
    datamap = named_map(file) if file is not None else desk.datamap if desk is not None else None
    assert datamap is not None
    findings = check_live(datamap, desk.installation.worker / "stores.env" if desk is not None else None)
    fits = all(each.severity == "note" for each in findings)
    lines = [*map(str, findings), *(["The map fits the live stores."] if fits else [])]
    at.say(lines, [str(each) for each in findings])
    return 4 if any(each.severity == "error" for each in findings) else 0


app.command(name="plan")(plan_command)


@app.command(name="import-fides")
def import_command(
    file: Path,
    *,
    out: Annotated[Path | None, Parameter(help="write the draft here; default: print it")] = None,
    accounts: Annotated[str | None, Parameter(help="the collection of accounts, if several could be")] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Draft a map from a Fides dataset: what is certain, and everything else as a question to a person."""
    from dueprocess.library.fidesdraft import import_fides  # noqa: PLC0415  the YAML reader is loaded only here

    draft = import_fides(file, accounts=accounts)
    if out is not None:
        write_new(out, draft.text)
    lines = [f"Wrote {out.name}: {draft.summary}"] if out is not None else [draft.text]
    Place(json=json).say(lines, draft.as_json())


def page(datamap: DataMap) -> list[str]:
    """The map as text."""
    lines = [f"{datamap.id} {datamap.version}: {datamap.platform}", f"sha256 {datamap.sha256}"]
    for table in datamap.tables:
        of = f" of {table.path.table}" if table.label != table.path.table else ""
        lines.append(
            f"{table.path.store}.{table.label}{of}  (by {table.path.subject_table}.{table.path.subject})"
        )
        lines += [f"  {column.name:<24}{column.category}" for column in table.columns]
    return lines
