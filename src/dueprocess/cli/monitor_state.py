"""What a monitor keeps on disk: one state file that is replaced as a whole, and a folder for each alarm."""

import datetime as dt
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap

from dueprocess.cli.monitor_words import HEAD, WHOM, meaning_of
from dueprocess.errors import ConflictError, MalformedError, UnavailableError
from dueprocess.publication.durable import sync_folder, write_durable
from dueprocess.tlog import shape
from dueprocess.tlog.follow import Watched, watched_from_json
from dueprocess.tlog.leafrules import Finding
from dueprocess.wire import Json, canonical, instant, parse_instant, parse_json, sha256_hex

STATE_FILE = "state.json"
_NAMES = (
    "v", "origin", "policy_sha256", "first_seen_at", "seen_at", "unreachable_since", "watched", "entries",
    "standing", "reports", "alarms",
)  # fmt: skip


@dataclass(slots=True)
class Memory:
    """Everything that a monitor remembers of one log."""

    watched: Watched | None = None
    policy_sha256: str = ""
    first_seen_at: dt.datetime | None = None
    seen_at: dt.datetime | None = None
    unreachable_since: dt.datetime | None = None
    entries: dict[str, bytes] = field(default_factory=dict)
    """The entries with the rules and the newest epoch, with their proofs: to show lateness when nothing answers."""
    standing: dict[str, str] = field(default_factory=dict)
    """Kinds of alarms that the last look found and that stay until mended, with their evidence folders."""
    reports: dict[str, str] = field(default_factory=dict)
    """What was last seen of each half-year's report: ``<digests> <instant>`` or ``missing <instant>``."""
    alarms: int = 0

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "origin": None if self.watched is None else self.watched.head.origin,
            "policy_sha256": self.policy_sha256,
            "first_seen_at": _text(self.first_seen_at),
            "seen_at": _text(self.seen_at),
            "unreachable_since": _text(self.unreachable_since),
            "watched": None if self.watched is None else self.watched.as_json(),
            "entries": {name: data.decode() for name, data in self.entries.items()},
            "standing": dict[str, Json](self.standing),
            "reports": dict[str, Json](self.reports),
            "alarms": self.alarms,
        }


def read_memory(folder: Path) -> Memory:
    """What was remembered in this folder; nothing where nobody looked yet. A spoilt file is refused, never skipped."""
    path = folder / STATE_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Memory()
    except OSError as error:
        raise UnavailableError(
            "no-state", f"{path} cannot be read.", why=error.strerror or "", do="Check its permissions."
        ) from error
    try:
        return _memory(parse_json(data, "monitor's memory"))
    except MalformedError as error:
        raise MalformedError(
            "bad-state",
            f"{path} is damaged, so this monitor no longer knows what it saw.",
            why=error.what,
            do="Restore it from a copy. If there is none, move the folder away and begin again: what was seen before is"
            " then forgotten.",
        ) from error


def _memory(value: Json) -> Memory:
    found = shape.members(value, _NAMES, "the monitor's memory")
    shape.version(found["v"], "monitor's memory")
    entries = {name: text.encode() for name, text in _texts(found["entries"]).items()}
    return Memory(
        watched=None if found["watched"] is None else watched_from_json(found["watched"]),
        policy_sha256=shape.text(found["policy_sha256"], "the policy's digest"),
        first_seen_at=_instant(found["first_seen_at"]),
        seen_at=_instant(found["seen_at"]),
        unreachable_since=_instant(found["unreachable_since"]),
        entries=entries,
        standing=_texts(found["standing"]),
        reports=_texts(found["reports"]),
        alarms=shape.number(found["alarms"], "the number of alarms", most=10**9),
    )


def _texts(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        raise MalformedError("not-an-object", "Expected an object of texts.")
    return {name: shape.text(each, name[:40]) for name, each in value.items()}


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else instant(moment)


def _instant(value: Json) -> dt.datetime | None:
    return None if value is None else parse_instant(shape.text(value, "a time"))


def write_memory(folder: Path, memory: Memory) -> None:
    """Replaces the state file as a whole."""
    write_durable(folder / STATE_FILE, canonical(memory.as_json()))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Refuses a second monitor in the same folder. The kernel gives the lock back after a crash."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UnavailableError(
            "no-state",
            f"{folder} cannot be used.",
            why=error.strerror or "",
            do="Name a folder that you may write to.",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConflictError(
            "watched-already",
            f"Another monitor works in {folder}.",
            why="Two that write one memory would forget what the other saw.",
            do="Stop it first, or name another folder with --state.",
        ) from error
    finally:
        os.close(handle)


def write_evidence(folder: Path, finding: Finding, *, log: str, policy: bytes, at: dt.datetime) -> Path:
    """A new folder with everything that shows this alarm and a letter that explains it. There whole, or not at all."""
    above = folder / "evidence"
    above.mkdir(parents=True, exist_ok=True)
    files = {**finding.evidence, "policy.txt": policy}
    about: dict[str, Json] = {
        "v": 1,
        "kind": finding.kind,
        "told": finding.told,
        "log": log,
        "seen_at": instant(at),
        "files": {name: sha256_hex(data) for name, data in files.items()},
    }
    name = f"{at:%Y-%m-%dT%H%M%SZ}-{finding.kind}"
    with tempfile.TemporaryDirectory(dir=above, prefix=".new-") as fresh:
        whole = Path(fresh) / "whole"
        for path, data in {
            **files,
            "alarm.json": canonical(about),
            "README.txt": letter(finding, log, at),
        }.items():
            write_durable(whole / path, data)
        return _settle(whole, above / name)


def _settle(whole: Path, wanted: Path) -> Path:
    number, place = 1, wanted
    while place.exists():
        number += 1
        place = wanted.with_name(f"{wanted.name}-{number}")
    whole.rename(place)
    sync_folder(place.parent)
    return place


def letter(finding: Finding, log: str, at: dt.datetime) -> bytes:
    """README.txt: what happened, why it matters, what it could be, whom to tell, how to check it."""
    meaning = meaning_of(finding.kind)
    parts = [
        f"ALARM: {meaning.title.upper()}",
        "",
        f"Seen on {at:%Y-%m-%d} at {at:%H:%M:%S} UTC in the log at {log}",
        "",
        *_told(
            "Nothing is wrong with your computer, and nothing is lost: this folder holds the proof.",
            indent="",
        ),
        "",
        "What happened",
        *_told(finding.told),
        "",
        "Why it matters",
        *_told(meaning.matters),
        "",
        "Could it be innocent?",
        *_told(meaning.innocent),
        "",
        "What to do",
        *(f"  {line}" for line in WHOM),
        "",
        "How anybody can check this folder again",
        *_told(
            "Nobody needs to believe you. It takes dueprocess (pip install dueprocess) and a policy file that the"
            " reader got from the operator or from a timekeeper, not from you:"
        ),
        "",
        "      dueprocess verify THIS-FOLDER --policy policy.txt",
        "",
        *_told("It needs no network. It says what the log itself signed, and what rests on your word alone."),
        "",
        "A word",
        *_told(HEAD),
        "",
        "What is in here",
        *(f"  {name:<32}{what}" for name, what in _listed(finding)),
        "",
    ]
    return "\n".join(parts).encode()


def _told(text: str, *, indent: str = "  ") -> list[str]:
    return wrap(
        text,
        96,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _listed(finding: Finding) -> Iterator[tuple[str, str]]:
    yield "alarm.json", "the same in a form for programs, with a digest of each file"
    for name in sorted(finding.evidence):
        yield name, next((what for start, what in _WHAT if name.startswith(start)), "")
    yield "policy.txt", "the keys that this monitor went by; use your own copy if you can"


_WHAT = (
    ("checkpoint.before", "the last good head, signed by the log"),
    ("checkpoint", "the head that was shown, as it came"),
    ("consistency", "the hashes that show that one head does not grow out of the other"),
    ("entry-", "an entry of the log, or the proof that it is in it"),
    ("log/", "a file of the log, as it came"),
    ("report", "a file of the report, as it came"),
    ("register", "a file of the report, as it came"),
)
