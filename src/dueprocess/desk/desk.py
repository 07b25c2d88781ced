"""An opened installation: settings, keys, vault, the rule packs in force, data map, pinned roots."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dueprocess.cases.logrules import LogRules
from dueprocess.cases.packrules import PackRules
from dueprocess.cases.rosters import fold_log_rules, fold_packs, fold_rosters, roster_stream
from dueprocess.desk.restored import refuse_restored
from dueprocess.desk.unlocking import open_keys, open_vault
from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.history import connection
from dueprocess.history.append import Hand, load_events
from dueprocess.law import Pack
from dueprocess.library.datamaps import load_map
from dueprocess.library.installation import Installation, open_installation
from dueprocess.library.packs import kept_packs
from dueprocess.plan import DataMap
from dueprocess.publication.collecting import Outside
from dueprocess.publication.log import Log, read_log_file
from dueprocess.publication.signer import LogSigner
from dueprocess.roster import Roster
from dueprocess.tlog.policy import Policy
from dueprocess.vault import KeyStore, Vault
from dueprocess.vault.passphrase import Passphrase
from dueprocess.wire import digest_of, parse_json

SUBJECTS_LABEL = b"dueprocess/subjects/v1\n"


@dataclass(frozen=True, slots=True)
class Pins:
    """What the production worker trusts without the database: founders' digest and log policy."""

    origin: str
    founding_sha256: str
    policy: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that acting on cases needs, opened once."""

    installation: Installation
    keys: KeyStore
    vault: Vault
    datamap: DataMap
    pins: Pins

    @property
    def stream(self) -> str:
        return roster_stream(self.pins.origin)

    def log_rules(self) -> LogRules:
        """What two people decided about the log, from the pinned founding policy on: policies, waivers, recoveries."""
        return fold_log_rules(
            load_events(self.stream),
            origin=self.pins.origin,
            root=self.pins.founding_sha256,
            policy=self.pins.policy,
        )

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.log_rules().policy

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy that is or was in force, the founding one first."""
        return tuple(each.policy for each in self.log_rules().policies)

    @property
    def policy_text(self) -> bytes:
        """The policy in force as its file: what goes into ``policy.txt`` for others."""
        return self.log_rules().newest.text

    def pack_rules(self) -> PackRules:
        """Which rule packs two people put in force, from the pinned founders on."""
        return fold_packs(load_events(self.stream), origin=self.pins.origin, root=self.pins.founding_sha256)

    @property
    def packs(self) -> Mapping[str, Pack]:
        """The packs in force by id, overlays applied: the law here. Never the shipped ones; none before an activation.

        Refuses a text in ``packs/`` that is missing or not the one that two people put in force.
        """
        return {each.id: each for each in self.packs_of(each.sha256 for each in self.pack_rules().active)}

    def packs_of(self, digests: Iterable[str]) -> tuple[Pack, ...]:
        """The packs of these digests as the installation keeps them, overlays applied, in force or not any more."""
        return kept_packs(self.installation.packs, tuple(sorted(set(digests))))

    def waived(self, now: datetime) -> bool:
        """Whether two people let work go on at that instant although the witnesses' quorum is not met."""
        return self.log_rules().waived(now)

    @property
    def master(self) -> bytes:
        """The secret from which every epoch's seed derives."""
        return self.keys.secret("epoch-master")

    def hand(self, actor: str, now: datetime, case_id: str) -> Hand:
        """Who writes, when, under this case's record key."""
        return Hand(actor, now, self.keys.keys(case_id).record_key)

    def roster(self) -> Roster:
        """The rosters as the signed chain gives them."""
        return fold_rosters(load_events(self.stream), origin=self.pins.origin, root=self.pins.founding_sha256)

    def roster_sha256(self) -> str:
        """Digest of the newest roster event: which rosters a decision was made under."""
        return load_events(self.stream)[-1].sha256

    def log(self, *, recovering: bool = False) -> Log:
        """The log with its signing keys: for the log's signer only. Made for the policy that is in force now.

        Refuses in a restored installation, unless it is being recovered at this moment.
        """
        place = self.installation
        if not recovering:
            refuse_restored(place)
        return Log(
            place.log,
            LogSigner.open(place.origin, place.keys),
            self.master,
            epoch_seconds=place.epoch_seconds,
            policy=self.policy,
            waived=self.waived,
            outside=Outside(place.worker / "evidence", system_clock=place.clock_mode == "system"),
        )

    def read_log(self, path: str) -> bytes:
        return read_log_file(self.installation.log, path)

    def subjects_secret(self, case_id: str) -> bytes:
        """The secret under which a case's list of subjects is committed, 32 bytes."""
        return hmac.new(self.keys.keys(case_id).record_key, SUBJECTS_LABEL, hashlib.sha256).digest()


def open_desk(root: Path, passphrase: Passphrase | None = None) -> Desk:
    """Opens an installation: settings, store, keys, packs, map, pins. Refuses a folder that is none.

    A passphrase of the keys comes from what is given here, else from where the settings and the environment say.
    """
    place = open_installation(root)
    connection.use(place.database)
    connection.reachable(place.database)
    keys = open_keys(place, passphrase)
    return Desk(
        installation=place,
        keys=keys,
        vault=open_vault(place, keys),
        datamap=load_map(place.datamap),
        pins=read_pins(place.worker / "pins.json"),
    )


def read_pins(path: Path) -> Pins:
    """The pinned roots. Refuses a file with other keys."""
    try:
        found: Any = parse_json(path.read_bytes(), "pins")
    except OSError as error:
        raise UnavailableError(
            "no-pins",
            "The pinned founders cannot be read.",
            why=str(error),
            do="Restore worker/pins.json from its copy.",
        ) from error
    if not isinstance(found, dict) or set(found) != {"v", "origin", "founding_sha256", "policy"}:
        raise MalformedError("bad-pins", "pins.json has other keys than it should.")
    return Pins(str(found["origin"]), str(found["founding_sha256"]), str(found["policy"]).encode())


def named(desk: Desk, case_id: str, name: str, digest: str) -> Any:
    """The vault's object ``name:digest`` as JSON, if it has the digest that history names; else it was changed."""
    found = desk.vault.get_json(case_id, f"{name}:{digest}")
    if digest_of(found) != digest:
        raise BrokenError(
            f"{name}-altered",
            f"The {name} in the vault is not the one that history names.",
            why="Its digest differs from the one that was sealed.",
            do="Stop. Find out who changed the vault; restore it from a backup and run dueprocess fsck.",
            source="formats.md, Gate",
        )
    return found
