"""The head of the public log as the worker accepts it: signed, witnessed, and a continuation of the last one it saw.

Source: formats.md, "Gate".
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.logrules import LogPolicy, LogRules
from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint
from dueprocess.tlog.merkle import verify_consistency
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.tilereader import TileReader
from dueprocess.vault.privatefiles import make_folder, sync_folder

DO = "Stop. Do not produce. Run dueprocess fsck and compare the log with the copies that others keep."
SOURCE = "formats.md, Gate"


@dataclass(frozen=True, slots=True)
class AcceptedHead:
    """A published head under the policy in force, with the tiles below it. ``data`` is the note itself."""

    data: bytes
    opened: OpenedCheckpoint
    reader: TileReader

    @property
    def checkpoint(self) -> Checkpoint:
        return self.opened.checkpoint


def accepted_head(read: Callable[[str], bytes], rules: LogRules, origin: str, seen: Path) -> AcceptedHead:
    """The published head. Refuses another log's, an unwitnessed one, one set back and one with another past.

    Where two people let work go on without witnesses an unwitnessed head is taken; whether they still do is for
    the gate to ask.
    """
    data = read("checkpoint")
    opened = _opened(data, rules)
    if opened.checkpoint.origin != origin:
        raise BrokenError("other-log", "The published checkpoint is of another log.", do=DO, source=SOURCE)
    reader = TileReader(read, opened.checkpoint)
    reader.check_root()
    if seen.exists():
        _refuse_rollback(_remembered(seen.read_bytes(), rules), opened.checkpoint, reader)
    return AcceptedHead(data, opened, reader)


def remember(seen: Path, data: bytes) -> None:
    """Keeps the head, so that an older one is refused from now on."""
    name = ""
    try:
        make_folder(seen.parent)
        # A name of its own: two programs that prove at the same time would write into one file.
        handle, name = tempfile.mkstemp(dir=seen.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(seen)
        sync_folder(seen.parent)
    except OSError as error:
        raise UnavailableError(
            "cannot-remember",
            "The worker cannot keep the head that it has seen.",
            why=str(error),
            do="Make room on the worker's disk; nothing was produced.",
        ) from error
    finally:
        # A half-written copy means nothing: where it cannot be removed, it is left.
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink(missing_ok=True)


def _opened(data: bytes, rules: LogRules) -> OpenedCheckpoint:
    try:
        return open_checkpoint(data, rules.policy)
    except MalformedError as error:
        if error.code != "quorum-not-met":
            raise
        if rules.waiver is None:
            raise UnavailableError(
                "not-witnessed",
                "Too few witnesses have seen the newest head of the log.",
                why=error.why,
                do="Let the log's worker run until they answer. After 24 hours two people may let work go on "
                "without them: dueprocess unwitnessed.",
                source=SOURCE,
            ) from error
    return open_checkpoint(data, rules.policy.unwitnessed)


def _remembered(data: bytes, rules: LogRules) -> Checkpoint:
    """The head that this worker saw last. Refuses one that its policies cannot have let it see."""
    try:
        opened = open_checkpoint(data, rules.policies[0].policy.unwitnessed)
    except MalformedError as error:
        raise BrokenError(
            "seen-altered",
            "The head that this worker remembers is not signed by the log that it was set up for.",
            why=error.what,
            do="Stop. Find out who changed worker/seen-checkpoint or worker/pins.json.",
            source=SOURCE,
        ) from error
    known = {key for each in rules.policies for key in _keys(each)}
    strange = [each.name for each in parse_note(data).signatures if (each.name, each.key_id) not in known]
    if strange:
        raise BrokenError(
            "witnesses-gone",
            f"The last head that this worker saw was cosigned by {strange[0][:80]!r}, which no policy names now.",
            why="Witnesses are given up by two people's decision only, and the older policy stays known.",
            do=DO,
            source=SOURCE,
        )
    return opened.checkpoint


def _keys(policy: LogPolicy) -> set[tuple[str, bytes]]:
    vkeys = [each.vkey for each in policy.policy.logs] + [each.vkey for each in policy.policy.witnesses]
    return {(each.name, each.key_id) for each in vkeys}


def opened_by(data: bytes, policy: LogPolicy) -> OpenedCheckpoint | None:
    """The checkpoint, if this policy accepts it."""
    try:
        return open_checkpoint(data, policy.policy)
    except MalformedError:
        return None


def _refuse_rollback(old: Checkpoint, new: Checkpoint, reader: TileReader) -> None:
    if new.size < old.size:
        raise BrokenError(
            "log-rolled-back",
            f"The log has {new.size} leaves; this worker has already seen {old.size}.",
            why="A log only grows. This one was set back, and whatever came after is being hidden.",
            do=DO,
            source=SOURCE,
        )
    try:
        verify_consistency(old.size, new.size, old.root, new.root, reader.consistency_proof(old.size))
    except MalformedError as error:
        raise BrokenError(
            "log-rewritten",
            "The log is not a continuation of the one that this worker has seen.",
            why=f"No consistency proof leads from {old.size} to {new.size} leaves: the past was rewritten.",
            do=DO,
            source="RFC 9162 section 2.1.4.2; formats.md, Gate",
        ) from error
