"""`dueprocess init DIR`: a new installation with its two founders."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, known_key
from dueprocess.desk import setup
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.errors import ConflictError, MalformedError, RefusedError
from dueprocess.library.datamaps import load_map, map_source, named_map
from dueprocess.library.installation import SETTINGS_FILE, check_origin
from dueprocess.publication.asking import check_address
from dueprocess.tlog.note import ED25519, parse_vkey
from dueprocess.tlog.policy import Witness

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def init_command(  # noqa: PLR0913  the options of a command are its interface
    folder: Path,
    *,
    origin: Annotated[str, Parameter(help="the name of your public log, such as chat.example/dueprocess/1")],
    regime: Annotated[
        list[str],
        Parameter(help="whose shipped rule packs apply, such as us; once for each. There is no default law"),
    ],
    operator: Annotated[str, Parameter(help="the name of your service")],
    contact: Annotated[str, Parameter(help="where users and authorities write to")],
    country: Annotated[str, Parameter(help="two letters")],
    founder: Annotated[list[str], Parameter(help="opaque ids of the two founders, once for each")],
    datamap: Annotated[str, Parameter(help="a shipped map's name, or a file")] = "synapse",
    witness: Annotated[
        list[str] | None,
        Parameter(
            help="an independent timekeeper as NAME=KEY=ADDRESS, once for each; three of different people are "
            "the rule. NAME is your name for it; its operator gives you KEY and ADDRESS.",
            negative="",
        ),
    ] = None,
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
    _free(folder)
    check_origin(origin)
    setup.founding_packs(regime)  # an unknown regime is refused before a key is made
    witnesses = tuple(read_witness(each) for each in witness or ())
    chosen = _copy_map(datamap, folder)
    people = folder / "keys" / "people"
    keys = [_founder_key(each, people, spare) for each in founder for spare in ("", "-spare")]
    new = setup.NewInstallation(
        origin=origin, regimes=tuple(regime), operator=operator, contact=contact, country=country,
        datamap=chosen, database=database, epoch_seconds=epoch_seconds, window_days=window_days,
        witnesses=witnesses,
    )  # fmt: skip
    desk = setup.create(folder, new, keys, now)
    lines = [
        f"Set up in {folder}.",
        f"  In force by the founders' word: {', '.join(desk.packs)}. See dueprocess packs list.",
        f"  Founders: {', '.join(founder)}. Move each key file from {folder}/keys/people to its owner,",
        "  and keep each -spare.json elsewhere: with it, a lost key can be revoked and replaced.",
        f"  Keep a copy of {folder}/worker/pins.json somewhere else: it is what the production worker trusts.",
        f"  Write the stores' addresses into {folder}/worker/stores.env (see {chosen}).",
        *_about_witnesses(witnesses, folder),
        "Next: dueprocess enrol authority, then dueprocess serve.",
    ]
    packs = {each.id: each.sha256 for each in desk.pack_rules().active}
    found = {"origin": origin, "founding_sha256": desk.pins.founding_sha256, "packs": packs}
    Place(json=json).say(lines, found)


def read_witness(text: str) -> Witness:
    """A witness from ``NAME=KEY=ADDRESS``. Refuses a key that is none of a witness, and an address that is not safe."""
    name, _, rest = text.partition("=")
    key, found, address = rest.partition("=http")
    if not (name and key and found):
        raise MalformedError(
            "bad-witness",
            f"{text[:120]!r} does not name a witness.",
            do="Write NAME=KEY=ADDRESS, such as friend=w.example/w1+1a2b3c4d+BASE64=https://w.example/log, in quotes.",
        )
    vkey = parse_vkey(key)
    if vkey.algorithm == ED25519:
        raise MalformedError(
            "bad-witness",
            f"The key of {name} is a log's key, not a witness's.",
            do="Ask its operator for the key that `dueprocess witness init` printed.",
            source="C2SP tlog-cosignature",
        )
    check_address(f"http{address}", f"the witness {name}")
    return Witness(name, vkey, f"http{address}")


def _about_witnesses(witnesses: tuple[Witness, ...], folder: Path) -> list[str]:
    """What the chosen witnesses prove, and what is still to do, in plain words."""
    names, need = ", ".join(each.name for each in witnesses), setup.majority(len(witnesses))
    ask = f"Send {folder}/public/policy.txt to each. Until {need} of them sign, nothing is published or handed over."
    if not witnesses:
        return [
            "  Witnesses: none. This log is UNWITNESSED: only you vouch for its times and that there is one log,",
            "  and every receipt will say so. Friends can run one: dueprocess witness init.",
        ]
    if len(witnesses) == 1:
        return [
            f"  Witnesses: {names}, 1 of 1. This is for hobby hosts and receipts show it: whoever holds that one",
            f"  witness and this log can show two people two different logs. {ask}",
        ]
    return [f"  Witnesses: {names}; {need} of {len(witnesses)} must sign each head.", f"  {ask}"]


def _free(folder: Path) -> None:
    """Refuses a folder that holds a finished installation, before anything is written."""
    if (folder / SETTINGS_FILE).exists() and not (folder / setup.UNFINISHED).exists():
        raise ConflictError(
            "exists",
            f"There is an installation in {folder} already; nothing was changed.",
            do="Choose another folder.",
        )


def _founder_key(person: str, folder: Path, spare: str) -> FileKey:
    """A founder's key: the one that an interrupted run left, else a fresh one."""
    if not _ID.fullmatch(person):
        raise MalformedError(
            "bad-person",
            f"{person[:64]!r} cannot be the id of a person.",
            why="An id has letters, digits, dots, hyphens and underscores, and stands in the history for good.",
            do="Choose a short opaque id such as p1; never a name.",
        )
    path = folder / f"{person}{spare}.json"
    key = known_key(path) if path.exists() else make_key(person, path)
    if key.person != person:
        raise ConflictError(
            "other-key", f"{path} is the key of {key.person}.", do="Move it away and run init again."
        )
    return key


def _copy_map(name: str, folder: Path) -> str:
    source = map_source(Path(name))
    named_map(Path(name))  # a map that cannot be used is not copied
    text = source.read_text(encoding="utf-8")
    stem = source.name.removesuffix(".toml")
    target = folder / "datamaps" / f"{stem}.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.write_text(text, encoding="utf-8")
    load_map(target)
    return f"datamaps/{stem}.toml"
