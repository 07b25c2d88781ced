"""A witness's folder: ``witness.toml``, ``logs/*.txt``, ``keys/``, ``state.db``, ``evidence/``."""

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dueprocess.errors import ConflictError, MalformedError, RefusedError, UnavailableError
from dueprocess.tlog.note import ED25519, ML_DSA_44, Vkey, check_key_name, parse_vkey
from dueprocess.tlog.policy import parse_policy
from dueprocess.wire import sha256_hex
from dueprocess.witness.files import write_new, write_over
from dueprocess.witness.signer import WitnessSigner
from dueprocess.witness.store import Store

HOST = "127.0.0.1"
PORT = 8099

type Logs = dict[str, tuple[Vkey, ...]]
"""The trusted keys of each watched log, by its origin."""

_POLICY_WORDS = ("log", "witness", "group", "quorum")
_ODD = re.compile(r"[^a-z0-9.]+")


@dataclass(frozen=True, slots=True)
class WitnessPlace:
    """The folder and what its ``witness.toml`` says."""

    folder: Path
    name: str
    host: str
    port: int

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def state(self) -> Path:
        return self.folder / "state.db"

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def read_logs(self) -> Logs:
        """The logs to watch, from every file in ``logs/``."""
        found: list[Vkey] = []
        try:
            for path in sorted(self.logs.glob("*.txt")):
                found += _named(path.name, path.read_bytes())
        except OSError as error:
            raise _unreadable("logs", error) from error
        return by_origin(found)

    def add_logs(self, vkeys: Iterable[Vkey]) -> Logs:
        """Watches these keys too, and gives all keys of their logs. Takes effect when the server starts."""
        before = self.read_logs()
        changed: Logs = {}
        for origin, new in by_origin(vkeys).items():
            path = self.logs / f"{_ODD.sub('-', origin.lower())[:60]}-{sha256_hex(origin.encode())[:8]}.txt"
            changed[origin] = tuple(dict.fromkeys((*before.get(origin, ()), *new)))
            lines = ["# Keys of one log, one on each line.", *(each.text for each in changed[origin])]
            write_over(path, "".join(f"{each}\n" for each in lines).encode())
        return changed


def create_place(folder: Path, name: str, *, host: str = HOST, port: int = PORT) -> WitnessPlace:
    """A new witness with fresh keys. Refuses a folder that is one already; can be run again after a crash."""
    check_name(name)
    if (folder / "witness.toml").exists():
        raise ConflictError(
            "exists", "There is a witness in this folder already.", do="Choose a new folder, and a new name."
        )
    place = WitnessPlace(folder, name, host, port)
    try:
        for each in (folder, place.keys, place.logs, place.evidence):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unreadable(folder.name, error) from error
    WitnessSigner.create(name, place.keys)
    Store.create(place.state).close()
    lines = (f"name = {json.dumps(name, ensure_ascii=False)}", f'host = "{host}"', f"port = {port}")
    # Written last: a folder without it is not a witness yet, and init can be run again.
    write_new(folder / "witness.toml", "".join(f"{each}\n" for each in lines).encode())
    return open_place(folder)


def open_place(folder: Path) -> WitnessPlace:
    """The witness in a folder. Refuses unknown settings and settings of a wrong type."""
    try:
        data = (folder / "witness.toml").read_bytes().decode()
        found = tomllib.loads(data)
    except OSError as error:
        raise UnavailableError(
            "no-witness",
            f"There is no witness in {folder}.",
            why=str(error),
            do="Make one: dueprocess witness init DIR --name witness.example/w1",
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MalformedError("bad-settings", "witness.toml cannot be read.", why=str(error)) from error
    name, host, port = found.pop("name", None), found.pop("host", HOST), found.pop("port", PORT)
    fits = isinstance(name, str) and isinstance(host, str) and type(port) is int and 0 <= port <= 65_535
    if found or not fits:
        raise MalformedError("bad-settings", "witness.toml has a name, a host and a port, and nothing else.")
    check_name(name)
    return WitnessPlace(folder, name, host, port)


def check_name(name: str) -> None:
    """Refuses names that a signature line cannot carry, and web addresses.

    Source: tlog-cosignature, "Format": a schema-less URL; at most 255 bytes in an ML-DSA-44 message.
    """
    check_key_name(name)
    if "://" in name or not name.isprintable() or len(name.encode()) > 255:
        raise MalformedError(
            "bad-witness-name",
            "A witness has a short name like a web address without https://, such as witness.example/w1.",
            source="C2SP tlog-cosignature, Format",
        )


def parse_log_keys(data: bytes) -> tuple[Vkey, ...]:
    """The log keys in a policy file, or in a file with one key on each line. Raises ``MalformedError`` only."""
    try:
        lines = [line.strip() for line in data.decode().splitlines()]
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", "This list of keys is not UTF-8.", why=str(error)) from error
    lines = [line for line in lines if line and not line.startswith("#")]
    if any(line.split()[0] in _POLICY_WORDS for line in lines):
        vkeys = tuple(each.vkey for each in parse_policy(data).logs)
    else:
        vkeys = tuple(parse_vkey(line) for line in lines)
    if not vkeys:
        raise MalformedError("no-keys", "There is no log's key in it.")
    for each in vkeys:
        _check_log_key(each)
    return vkeys


def read_log_keys(text: str) -> tuple[Vkey, ...]:
    """The keys behind what somebody names on the command line: a file, or a verifier key itself."""
    path = Path(text)
    try:
        return _named(path.name, path.read_bytes()) if path.is_file() else parse_log_keys(text.encode())
    except OSError as error:
        raise _unreadable(path.name, error) from error


def by_origin(vkeys: Iterable[Vkey]) -> Logs:
    """Keys sorted by the log they speak for, each once."""
    logs: Logs = {}
    for each in dict.fromkeys(vkeys):
        logs[each.name] = (*logs.get(each.name, ()), each)
    return logs


def _check_log_key(vkey: Vkey) -> None:
    if vkey.algorithm not in (ED25519, ML_DSA_44):
        raise RefusedError(
            "not-a-log-key",
            f"The key {vkey.name[:80]!r} is a witness's, not a log's.",
            do="Ask the log's operator for policy.txt: its `log` lines hold the keys.",
            source="C2SP tlog-checkpoint, Signatures",
        )


def _named(file: str, data: bytes) -> tuple[Vkey, ...]:
    try:
        return parse_log_keys(data)
    except MalformedError as error:
        raise MalformedError(error.code, f"{file}: {error.what}", why=error.why, do=error.do) from error


def _unreadable(name: str, error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-read",
        f"{name} cannot be read or made.",
        why=str(error),
        do="Look at the path and its permissions.",
    )
