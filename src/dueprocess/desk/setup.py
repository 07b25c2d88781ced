"""`init`: a new installation with its founders, keys, store, log and pins. Can be run again after an interruption."""

import datetime as dt
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.cases.events import Draft
from dueprocess.cases.packrules import BASELINE
from dueprocess.cases.rosters import fold_rosters, roster_stream
from dueprocess.desk import packs as pack_decisions
from dueprocess.desk.desk import Desk, open_desk, read_pins
from dueprocess.desk.filekeys import FileKey
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.history import connection, ledger
from dueprocess.history.append import Hand, load_events
from dueprocess.law import regime_packs
from dueprocess.library.installation import (
    SETTINGS_FILE,
    TEMPLATE,
    Installation,
    check_origin,
    open_installation,
)
from dueprocess.library.packs import shipped_as_written, shipped_file
from dueprocess.publication.durable import exclusively, remove_durable, write_durable
from dueprocess.publication.intake import IntakeSigner
from dueprocess.publication.signer import ML_DSA_44_FILE, LogSigner
from dueprocess.publication.witnesses import check_addresses
from dueprocess.report.case_row import REPORT_DELAY_DAYS
from dueprocess.roster import STAFF_ROLES, entry_document, founding_digest
from dueprocess.steps import enrol as steps
from dueprocess.tlog.epoch import DEPTH
from dueprocess.tlog.leaf import PolicyLeaf
from dueprocess.tlog.note import Vkey
from dueprocess.tlog.policy import Witness, format_policy, parse_policy
from dueprocess.vault import KeyStore
from dueprocess.wire import Json, b64, canonical, sha256_hex

from dueprocess import __version__  # isort: skip

UNFINISHED = ".unfinished"
"""Stands in the folder while `init` runs; where it is found, `init` goes on from where it was."""


@dataclass(frozen=True, slots=True)
class NewInstallation:
    """What `init` asks for. There is no default law: ``regimes`` say whose shipped packs the founders put in force."""

    origin: str
    regimes: tuple[str, ...]
    operator: str
    contact: str
    country: str
    datamap: str
    database: str = "sqlite:history.db"
    clock: str = "system"
    epoch_seconds: int = 300
    window_days: int = 7
    witnesses: tuple[Witness, ...] = ()
    """Independent timekeepers. None is allowed, and said; more than half of them must sign each head."""


def create(root: Path, new: NewInstallation, founders: Sequence[FileKey], now: dt.datetime) -> Desk:
    """Makes the installation and signs its founders in. Refuses a folder that holds one, and a single founder.

    A founder may bring several keys: a spare one keeps an installation of two from being locked by one loss.
    """
    check_origin(new.origin)
    if len({founder.person for founder in founders}) < 2:
        raise RefusedError(
            "two-founders",
            "An installation is founded by two different people.",
            why="From the first day on nobody can grant a disclosure alone.",
            do="Name a second person; a one-person service names a co-signer it trusts.",
            source="formats.md, Rosters",
        )
    founding_packs(new.regimes)  # an unknown regime is refused before anything is written
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusively(root):  # two at once would pin one founding and record the other
        return _create(root, new, founders, now)


def _create(root: Path, new: NewInstallation, founders: Sequence[FileKey], now: dt.datetime) -> Desk:
    if (root / SETTINGS_FILE).exists() and not (root / UNFINISHED).exists():
        raise ConflictError(
            "exists", f"There is an installation in {root} already.", do="Choose another folder."
        )
    write_durable(root / UNFINISHED, b"")
    keys, signer, intake = _keys(root, new.origin)
    policy = _policy(root, new, signer)
    write_durable(root / "public" / "policy.txt", policy)
    _write_settings(root, new)
    place = open_installation(root)
    connection.use(place.database)
    connection.create_tables()
    _found(place, keys, founders, policy, now)
    desk = open_desk(root)
    _activate(desk, new.regimes, founders, now)
    if new.clock == "simulated" and not place.clock_file.exists():
        write_durable(place.clock_file, b"")
    log = desk.log()
    if ledger.head() is None:
        log.add(_policy_leaf(new, policy, intake, now), now)
    log.publish(now)
    remove_durable(root / UNFINISHED)
    return desk


def _keys(root: Path, origin: str) -> tuple[KeyStore, LogSigner, Vkey]:
    """The key store, the log's two keys and the intake key: those that an interrupted run left, or fresh ones."""
    folder = root / "keys"
    keys = KeyStore.open(folder) if (folder / "kek").exists() else KeyStore.create(folder)
    begun = (folder / ML_DSA_44_FILE).exists()
    signer = LogSigner.open(origin, folder) if begun else LogSigner.create(origin, folder)
    return keys, signer, IntakeSigner.open(origin, folder).vkey


def majority(witnesses: int) -> int:
    """How many of so many witnesses must sign: 1 of 1, 2 of 2, 2 of 3, and more than half of any number."""
    return witnesses // 2 + 1 if witnesses else 0


def _policy(root: Path, new: NewInstallation, signer: LogSigner) -> bytes:
    """The founding policy: the one that an interrupted run pinned, or a fresh one. Refuses other witnesses than it."""
    policy = format_policy(signer.vkeys, new.witnesses, need=majority(len(new.witnesses)))
    check_addresses(parse_policy(policy))
    pinned = root / "worker" / "pins.json"
    if pinned.exists() and read_pins(pinned).policy != policy:
        raise ConflictError(
            "founded", "This installation was begun with other witnesses.",
            do="Run init with the witnesses of the first try; two people can change them afterwards.",
        )  # fmt: skip
    return policy


def _founding(origin: str, founders: Sequence[FileKey]) -> Draft:
    documents = [staff_document(f.person, f.public, f.credential, STAFF_ROLES) for f in founders]
    first = list({founder.person: founder for founder in reversed(founders)}.values())
    signatures: list[Json] = [
        [f.sign(origin, document, role="founder", verdict="enrol").as_json() for f in first]
        for document in documents
    ]
    return Draft("Founded", {"documents": list[Json](documents), "signatures": signatures})


def staff_document(person: str, public: bytes, credential: str, roles: Sequence[str]) -> dict[str, Json]:
    """The roster entry of one person with one key, ready to be signed by two."""
    return entry_document(
        "staff",
        person,
        public_key=b64(public),
        credential=credential,
        roles=roles,
        about={},
        nonce=b64(secrets.token_bytes(32)),
    )


def _found(
    place: Installation, keys: KeyStore, founders: Sequence[FileKey], policy: bytes, now: dt.datetime
) -> None:
    """Pins the founders and writes them into history, once. Refuses to go on for others than began."""
    stream = roster_stream(place.origin)
    pinned = place.worker / "pins.json"
    begun = load_events(stream)
    if begun:
        pins = read_pins(pinned)
        roster = fold_rosters(begun, origin=place.origin, root=pins.founding_sha256)
        if not {founder.credential for founder in founders} <= set(roster.entries):
            raise ConflictError(
                "founded", "This installation has other founders.", do="Run init with those who began it."
            )
        return
    draft = _founding(place.origin, founders)
    documents: Any = draft.body["documents"]
    root = founding_digest(documents)
    found: dict[str, Json] = {
        "v": 1, "origin": place.origin, "founding_sha256": root, "policy": policy.decode(),
    }  # fmt: skip
    write_durable(pinned, canonical(found))
    record_key = (keys.keys(stream) if keys.has(stream) else keys.make(stream)).record_key
    steps.found(stream, Hand("init", now, record_key), draft, origin=place.origin, root=root)


def founding_packs(regimes: Sequence[str]) -> list[str]:
    """Ids of the shipped packs that the founders put in force: the baseline first, then those of each regime.

    Refuses a regime for which no pack is shipped.
    """
    packs = [pack for pack in shipped_as_written().values() if pack.kind == "regime"]
    found = [BASELINE]
    for regime in regimes:
        theirs = [pack.id for pack in regime_packs(packs, regime)]
        if not theirs:
            known = ", ".join(sorted({pack.id.split(".")[0] for pack in packs}))
            raise RefusedError(
                "no-such-regime",
                f"This program brings no packs for {regime[:40]!r}.",
                why="There is no default law: a paper is assessed by the packs of the law that it invokes.",
                do=f"Choose from: {known}. A pack of your own comes in force afterwards: dueprocess packs activate.",
            )
        found += theirs
    return list(dict.fromkeys(found))


def _activate(desk: Desk, regimes: Sequence[str], founders: Sequence[FileKey], now: dt.datetime) -> None:
    """Lets two founders put the packs in force that are not yet: what an interrupted run left is gone on with."""
    signers = list({founder.person: founder for founder in reversed(founders)}.values())[:2]
    there = {each.id for each in desk.pack_rules().active}
    for pack_id in founding_packs(regimes):
        if pack_id not in there:
            pack_decisions.activate(desk, shipped_file(pack_id), signers, now)


def _write_settings(root: Path, new: NewInstallation) -> None:
    texts = {name: json.dumps(getattr(new, name))[1:-1] for name in ("origin", "contact", "country")}
    write_durable(
        root / SETTINGS_FILE,
        TEMPLATE.format(
            **texts,
            name=json.dumps(new.operator, ensure_ascii=False)[1:-1],
            database=new.database,
            clock=new.clock,
            epoch_seconds=new.epoch_seconds,
            window_days=new.window_days,
            datamap=new.datamap,
        ).encode(),
    )


def _policy_leaf(new: NewInstallation, policy: bytes, intake: Vkey, now: dt.datetime) -> PolicyLeaf:
    return PolicyLeaf(
        number=1,
        epoch_seconds=new.epoch_seconds,
        depth=DEPTH,
        k=10,
        delay_days=REPORT_DELAY_DAYS,
        bands=(0, 250, 500, 1000),
        quorum_modes=("two",),
        clock="simulated" if new.clock == "simulated" else "system",
        witness_policy_sha256=sha256_hex(policy),
        software_sha256=sha256_hex(f"dueprocess {__version__}".encode()),
        in_force_on=now.date(),
        intake_vkey=intake.text,
    )
