"""An installation: the folder that `dueprocess init` makes, and the settings in its dueprocess.toml.

dueprocess.toml   settings (no secrets)         history.db    the event store, unless PostgreSQL holds it
keys/             the key store, log signing key, people's file keys of embedded mode
vault/            encrypted bytes of cases      parcels/      ciphertext that waits for hand-over
log/              the public log (tiles)        public/       the public pages
worker/           what only the production worker reads: pins.json, stores.toml, the last seen head
outbox/           letters sent in embedded mode
packs/            the text of every rule pack that two people put in force, by digest
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.errors import MalformedError, UnavailableError

SETTINGS_FILE = "dueprocess.toml"

_SHAPE: dict[str, dict[str, type]] = {
    "installation": {"version": int, "origin": str},
    "operator": {"name": str, "contact": str, "country": str},
    "store": {"database": str},
    "clock": {"mode": str},
    "log": {"epoch_seconds": int},
    "notice": {"window_days": int},
    "production": {"datamap": str},
}
_OPTIONAL: dict[str, dict[str, type]] = {
    "keys": {"command": list, "former_command": list, "passphrase_file": str},
    "vault": {"store": str, "endpoint": str, "region": str, "credentials_file": str},
}
"""Sections that may be missing, and in them each key: an installation from before they existed opens unchanged."""
_FORMER = {"installation": {"regime"}}
"""Settings of the first release that mean nothing any more: the packs in force say whose law applies."""

TEMPLATE = """\
# Settings of this installation. No secrets live here.

[installation]
version = 1
origin = "{origin}"          # the name of the public log; it can never change

[operator]
name = "{name}"
contact = "{contact}"
country = "{country}"

[store]
database = "{database}"      # sqlite:FILE in this folder, or postgresql://user@host/name

[clock]
mode = "{clock}"             # "system"; "simulated" is for demonstrations and is declared in the log

[log]
epoch_seconds = {epoch_seconds}

[notice]
window_days = {window_days}  # how long a user can object before production, where the law lets us tell first

[production]
datamap = "{datamap}"        # what this service holds, where, and under which category

# Two sections may follow, [keys] and [vault]: what protects the keys, and where the vault lies. See docs/vault.md.
"""

_ORIGIN = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*")
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._-]+)*)/?")


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Where the key-encryption key and its passphrase come from. Without any: the file ``keys/kek``."""

    command: tuple[str, ...] = ()
    """A program of the operator's that prints the key-encryption key in base64, with its arguments."""
    former_command: tuple[str, ...] = ()
    """The same for the key-encryption key before, until a rotation is done."""
    passphrase_file: Path | None = None


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """Where the vault's objects lie: in the folder ``vault`` where ``bucket`` is empty, else in S3 storage."""

    bucket: str = ""
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    credentials_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and places of one installation. Paths are absolute."""

    root: Path
    origin: str
    operator: str
    contact: str
    country: str
    database: str
    clock_mode: str
    epoch_seconds: int
    notice_days: int
    datamap: Path
    key_settings: KeySettings = KeySettings()
    vault_settings: VaultSettings = VaultSettings()

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def parcels(self) -> Path:
        return self.root / "parcels"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def packs(self) -> Path:
        return self.root / "packs"

    @property
    def worker(self) -> Path:
        return self.root / "worker"

    @property
    def policy(self) -> Path:
        return self.public / "policy.txt"

    @property
    def clock_file(self) -> Path:
        return self.root / "clock"


def open_installation(root: Path) -> Installation:
    """The installation in this folder. Unknown, missing and mistyped settings are errors that name the key."""
    path = root / SETTINGS_FILE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UnavailableError(
            "no-installation",
            f"There is no installation in {root}.",
            do="Set one up with `dueprocess init DIR`, or name one with --install DIR or DUEPROCESS_INSTALL.",
        ) from error
    except OSError as error:
        raise UnavailableError(
            "cannot-read-settings",
            f"{SETTINGS_FILE} cannot be read.",
            why=str(error),
            do="Check the disk and the permissions, then run the same command again.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MalformedError("bad-settings", f"{SETTINGS_FILE} cannot be read.", why=str(error)) from error
    _check(found)
    database = found["store"]["database"]
    if database.startswith("sqlite:") and not database.startswith("sqlite:/"):
        database = f"sqlite:{(root / database.removeprefix('sqlite:')).resolve()}"
    return Installation(
        root=root.resolve(),
        origin=found["installation"]["origin"],
        operator=found["operator"]["name"],
        contact=found["operator"]["contact"],
        country=found["operator"]["country"],
        database=database,
        clock_mode=found["clock"]["mode"],
        epoch_seconds=found["log"]["epoch_seconds"],
        notice_days=found["notice"]["window_days"],
        datamap=(root / found["production"]["datamap"]).resolve(),
        key_settings=_key_settings(root, found.get("keys", {})),
        vault_settings=_vault_settings(root, found.get("vault", {})),
    )


def _key_settings(root: Path, found: dict[str, Any]) -> KeySettings:
    file = found.get("passphrase_file")
    return KeySettings(
        command=_words(found, "command"),
        former_command=_words(found, "former_command"),
        passphrase_file=None if file is None else root.resolve() / file,
    )


def _words(found: dict[str, Any], name: str) -> tuple[str, ...]:
    words = found.get(name)
    if words is None:
        return ()
    if not words or not all(isinstance(each, str) and each and "\0" not in each for each in words):
        raise MalformedError(
            "bad-settings", f"keys.{name} is not a program and its arguments.",
            do=f'Write it as a list of texts, such as {name} = ["/usr/local/bin/our-key"].',
        )  # fmt: skip
    return tuple(words)


def _vault_settings(root: Path, found: dict[str, Any]) -> VaultSettings:
    store = found.get("store", "file")
    if store == "file":
        return VaultSettings()  # what else is said there waits until the vault lies elsewhere again
    place = _S3.fullmatch(store)
    if place is None:
        raise MalformedError(
            "bad-settings", "vault.store is `file` or s3://BUCKET/PREFIX.",
            do="Name the bucket, and a prefix if others use it too.", source="docs/vault.md",
        )  # fmt: skip
    endpoint = found.get("endpoint")
    if endpoint is not None and not re.fullmatch(r"https?://[^\s/@?#]+/?", endpoint):
        raise MalformedError(
            "bad-settings", "vault.endpoint is https:// and a host, with a port if it needs one, and nothing else.",
            do="Credentials never stand in the settings: docs/vault.md says where they do.",
        )  # fmt: skip
    file = found.get("credentials_file")
    return VaultSettings(
        bucket=place[1],
        prefix=place[2].strip("/"),
        endpoint=endpoint,
        region=found.get("region"),
        credentials_file=None if file is None else root.resolve() / file,
    )


def _check(found: dict[str, Any]) -> None:
    there = set(found) - set(_OPTIONAL)
    if there != set(_SHAPE):
        odd = sorted(there ^ set(_SHAPE))
        raise MalformedError(
            "bad-settings", f"{SETTINGS_FILE} has other sections than it should.", why=f"Check {odd}."
        )
    for section, keys in _SHAPE.items():
        table = _without_former(section, found[section])
        if not isinstance(table, dict) or set(table) != set(keys):
            odd = sorted(set(table) ^ set(keys)) if isinstance(table, dict) else []
            raise MalformedError(
                "bad-settings", f"[{section}] in {SETTINGS_FILE} has other keys.", why=f"Check {odd}."
            )
        for key, kind in keys.items():
            if not isinstance(table[key], kind) or isinstance(table[key], bool):
                raise MalformedError("bad-settings", f"{section}.{key} is not of the right type.")
    _check_optional(found)
    check_origin(found["installation"]["origin"])
    if found["clock"]["mode"] not in ("system", "simulated"):
        raise MalformedError("bad-settings", "clock.mode is `system` or `simulated`.")
    if found["installation"]["version"] != 1 or not 60 <= found["log"]["epoch_seconds"] <= 86_400:
        raise MalformedError("bad-settings", "version is 1 and epoch_seconds between 60 and 86400.")


def _check_optional(found: dict[str, Any]) -> None:
    for section, keys in _OPTIONAL.items():
        table = found.get(section, {})
        odd = sorted(set(table) - set(keys)) if isinstance(table, dict) else [section]
        if odd:
            raise MalformedError(
                "bad-settings", f"[{section}] in {SETTINGS_FILE} has other keys.", why=f"Check {odd}."
            )
        for key, each in table.items():
            if not isinstance(each, keys[key]):
                raise MalformedError("bad-settings", f"{section}.{key} is not of the right type.")


def _without_former(section: str, table: Any) -> Any:
    gone = _FORMER.get(section, set()) if isinstance(table, dict) else set()
    return {key: each for key, each in table.items() if key not in gone} if gone else table


def check_origin(origin: str) -> None:
    """Refuses an origin that cannot be the name of a log (a schema-less URL, lower case)."""
    if not _ORIGIN.fullmatch(origin):
        raise MalformedError(
            "bad-origin",
            f"{origin[:80]!r} cannot be the name of a log.",
            do="Use a host name and a path, such as chat.example/dueprocess/1.",
            source="C2SP tlog-checkpoint: origin is a schema-less URL",
        )
