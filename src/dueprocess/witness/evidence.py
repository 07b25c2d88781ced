"""What a log signed and should not have signed, kept as files that anyone can check.

A witness that refuses may be the only one who ever sees the second history, so it keeps it. What proves a fault
is never pushed out by what comes later; a proof that merely did not fit makes room for newer ones.
"""

import datetime as dt
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dueprocess.tlog.note import format_note, parse_note
from dueprocess.tlog.witness import AddCheckpoint, Judgement, Misbehaviour
from dueprocess.wire import Json, b64, canonical, instant, sha256_hex
from dueprocess.witness.files import write_new

MOST_FILES = 50
"""Of each kind, per log."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A refused checkpoint that its log had signed, and the head that this witness had cosigned."""

    origin: str
    request: AddCheckpoint
    judgement: Judgement
    cosigned: bytes | None
    """The note of the head cosigned last, or None if there was none."""


class EvidenceFolder:
    """A folder with one folder per log, one file per finding."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def keep(self, finding: Finding, seen_at: dt.datetime) -> Path | None:
        """The new file of a finding; None where it was known already or enough is kept."""
        kind = finding.judgement.misbehaviour
        assert kind is not None
        text = parse_note(finding.request.checkpoint_bytes).text
        path = self._path(finding.origin, kind, text)
        with self._lock:
            if path.exists() or not self._room(path.parent, kind):
                return None
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(path, canonical(_document(finding, kind, text, seen_at)) + b"\n")
        return path

    def clear(self, origin: str, text: str) -> None:
        """Drops the suspicion against a checkpoint that came again with a proof that fits."""
        with self._lock, suppress(OSError):
            self._path(origin, Misbehaviour.BAD_PROOF, text).unlink()

    def _path(self, origin: str, kind: Misbehaviour, text: str) -> Path:
        return (
            self._folder / sha256_hex(origin.encode())[:16] / f"{kind}-{sha256_hex(text.encode())[:16]}.json"
        )

    def _room(self, folder: Path, kind: Misbehaviour) -> bool:
        files = sorted(folder.glob(f"{kind}-*.json"), key=lambda each: each.stat().st_mtime_ns)
        if kind is Misbehaviour.BAD_PROOF:
            for old in files[: len(files) - MOST_FILES + 1]:
                old.unlink()
            return True
        return len(files) < MOST_FILES


def _document(finding: Finding, kind: Misbehaviour, text: str, seen_at: dt.datetime) -> dict[str, Json]:
    return {
        "v": 1,
        "kind": str(kind),
        "origin": finding.origin,
        "seen_at": instant(seen_at),
        "cosigned": finding.cosigned.decode() if finding.cosigned is not None else None,
        "refused": format_note(text, finding.judgement.signed).decode(),
        "old_size": finding.request.old_size,
        "proof": [b64(each) for each in finding.request.proof],
    }
