"""`dueprocess init DIR`: a new installation with its two founders."""

import datetime as dt
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.desk import setup
from dueprocess.desk.filekeys import make_key
from dueprocess.errors import RefusedError
from dueprocess.library.datamaps import datamaps_folder, load_map


def init_command(  # noqa: PLR0913  the options of a command are its interface
    folder: Path,
    *,
    origin: Annotated[str, Parameter(help="the name of your public log, such as chat.example/dueprocess/1")],
    regime: Annotated[str, Parameter(help="whose rule packs apply, such as us; there is no default law")],
    operator: Annotated[str, Parameter(help="the name of your service")],
    contact: Annotated[str, Parameter(help="where users and authorities write to")],
    country: Annotated[str, Parameter(help="two letters")],
    founder: Annotated[list[str], Parameter(help="opaque ids of the two founders, once for each")],
    datamap: Annotated[str, Parameter(help="a shipped map's name, or a file")] = "synapse",
    database: str = "sqlite:history.db",
    epoch_seconds: int = 300,
    window_days: int = 7,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Set up an installation: founders, keys, event store, log, pins. Founders' keys land in DIR/keys/people."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    if len(set(founder)) < 2:
        raise RefusedError(
            "two-founders",
            "An installation is founded by two different people.",
            do="Name both: --founder one --founder two. A one-person service names a co-signer it trusts.",
            source="formats.md, Rosters",
        )
    chosen = _copy_map(datamap, folder)
    people = folder / "keys" / "people"
    keys = [make_key(each, people / f"{each}{spare}.json") for each in founder for spare in ("", "-spare")]
    new = setup.NewInstallation(
        origin=origin, regime=regime, operator=operator, contact=contact, country=country,
        datamap=chosen, database=database, epoch_seconds=epoch_seconds, window_days=window_days,
    )  # fmt: skip
    desk = setup.create(folder, new, keys, now)
    lines = [
        f"Set up in {folder}.",
        f"  Founders: {', '.join(founder)}. Move each key file from {folder}/keys/people to its owner,",
        "  and keep each -spare.json elsewhere: with it, a lost key can be revoked and replaced.",
        f"  Keep a copy of {folder}/worker/pins.json somewhere else: it is what the production worker trusts.",
        f"  Write the stores' addresses into {folder}/worker/stores.env (see {chosen}).",
        "Next: dueprocess enrol authority, then dueprocess serve.",
    ]
    Place(json=json).say(lines, {"origin": origin, "founding_sha256": desk.pins.founding_sha256})


def _copy_map(name: str, folder: Path) -> str:
    source = Path(name)
    if not source.exists():
        shipped = datamaps_folder() / f"{name}.toml"
        if not shipped.is_file():
            raise RefusedError(
                "no-such-map", f"There is no data map {name!r}.", do="See dueprocess datamap list."
            )
        text = shipped.read_text(encoding="utf-8")
    else:
        text = source.read_text(encoding="utf-8")
    target = folder / "datamaps" / f"{source.stem}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.write_text(text, encoding="utf-8")
    load_map(target)
    return f"datamaps/{source.stem}.toml"
