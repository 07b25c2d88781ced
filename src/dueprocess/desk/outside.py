"""What the world has seen of this log: published copies, witnesses, the worker's memory, the database itself.

Every head that the log ever signed binds it. They must all lie in one tree; the longest of them is where an
installation that was set back must go on.

Source: C2SP tlog-witness, tlog-checkpoint; security.md 5.3.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from dueprocess.desk.desk import Desk
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.publication.asking import TIMEOUT_SECONDS
from dueprocess.publication.standing import Evidence
from dueprocess.publication.witnesses import Shown, show_all
from dueprocess.tlog.checkpoint import Checkpoint, open_checkpoint
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import CHECKPOINT_PATH

type Read = Callable[[str], bytes]

_SOURCE = "security.md 2.6, row 20; C2SP tlog-witness"


@dataclass(frozen=True, slots=True)
class SeenHead:
    """One head with this log's signature, and who has it."""

    where: str
    note: bytes
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class World:
    """All heads that could be found, the longest of them, the tree under it, and who did not answer."""

    heads: tuple[SeenHead, ...]
    newest: SeenHead
    reader: TileReader
    silent: tuple[Shown, ...] = ()

    @property
    def size(self) -> int:
        return self.newest.checkpoint.size


def look_around(desk: Desk, copy: Read | None, *, despite_silence: bool = False) -> World:
    """Finds every head that the world may hold. ``copy`` reads a copy of the public log, the newest there is.

    Refuses while so many witnesses are silent that they alone could have seen a longer log.
    """
    shown = _witnesses(desk)
    silent = tuple(each for each in shown if each.fault)
    if not despite_silence:
        _refuse_silence(desk, silent)
    heads = (*_signed(desk, _notes(desk, copy)), *_shown(shown))
    if not heads:
        raise RefusedError("empty-log", "The log has no leaf yet.", do="Let the worker run.")
    # Of heads of one size the copy's comes first, because its tiles are there to be read.
    newest = max(heads, key=lambda each: each.checkpoint.size)
    reader = TileReader(_reading(desk, copy), newest.checkpoint)
    return World(heads, newest, reader, silent)


def _witnesses(desk: Desk) -> list[Shown]:
    policy = desk.policy
    return show_all(policy.witnesses, desk.pins.origin, policy, seconds=TIMEOUT_SECONDS)


def _refuse_silence(desk: Desk, silent: Sequence[Shown]) -> None:
    policy = desk.policy
    names = {each.name for each in silent}
    keys = [each.vkey for each in policy.witnesses if each.name in names]
    if not keys or not policy.satisfied(keys):
        return
    raise UnavailableError(
        "witnesses-silent",
        f"Too many witnesses do not answer: {', '.join(sorted(names))}.",
        why="They alone could have seen a longer log than any that was found, and signing on without it would fork "
        "the log for ever. " + "; ".join(f"{each.name}: {each.fault}" for each in silent),
        do="Wait until they answer, and run the same command again. If they are gone for good and you are sure that "
        "your copy is the newest, add --despite-silence.",
        source=_SOURCE,
    )


def _notes(desk: Desk, copy: Read | None) -> Iterator[tuple[str, bytes]]:
    """(where, note) of each head that lies in a file or in the database."""
    if copy is not None:
        yield "the copy of the public log", copy(CHECKPOINT_PATH)
    place = desk.installation
    for where, path in (
        ("the log folder", place.log / CHECKPOINT_PATH),
        ("the production worker's memory", place.worker / "seen-checkpoint"),
    ):
        if path.is_file():
            yield where, path.read_bytes()
    head = ledger.newest_head()
    if head is not None:
        yield "the database", head.checkpoint.encode()


def _signed(desk: Desk, notes: Iterator[tuple[str, bytes]]) -> Iterator[SeenHead]:
    """Those that this log signed; refuses one that it did not."""
    trusted = replace(desk.policy.unwitnessed, witnesses=())
    for where, note in notes:
        try:
            opened = open_checkpoint(note, trusted)
        except MalformedError as error:
            raise MalformedError(
                "other-log", f"The head in {where} is not of this log.", why=f"{error.what} {error.why}".strip(),
                do="Name the newest copy of this installation's own public log.", source=_SOURCE,
            ) from error  # fmt: skip
        if opened.checkpoint.origin != desk.pins.origin:
            raise MalformedError("other-log", f"The head in {where} is of another log.")
        yield SeenHead(where, note, opened.checkpoint)


def _shown(shown: Sequence[Shown]) -> Iterator[SeenHead]:
    for each in shown:
        if each.checkpoint is not None:
            yield SeenHead(f"the witness {each.name}", each.sent, each.checkpoint)


def _reading(desk: Desk, copy: Read | None) -> Read:
    """The copy's files, and where it has none, the log folder's. Nothing is believed that the root does not hold."""

    def read(path: str) -> bytes:
        if copy is not None:
            with suppress(UnavailableError):
                return copy(path)
        return desk.read_log(path)

    return read


def refuse_fork(desk: Desk, world: World, now: dt.datetime) -> None:
    """Raises ``BrokenError`` unless all heads, the database's own included, lie in the tree under the newest.

    What contradicts is kept as evidence.
    """
    for each in world.heads:
        ours = ledger.head_at(each.checkpoint.size)
        root = bytes.fromhex(ours.root) if ours is not None else _root_at(world, each)
        if root != each.checkpoint.root:
            raise _fork(desk, each, now)
    head = ledger.newest_head()
    if (
        head is not None
        and head.size < world.size
        and _root_at(world, world.newest, head.size).hex() != head.root
    ):
        raise _fork(desk, world.newest, now)


def _root_at(world: World, needed: SeenHead, size: int | None = None) -> bytes:
    """The root of the first leaves of the longest tree, whose tiles are checked on the way."""
    try:
        return world.reader.root_at(needed.checkpoint.size if size is None else size)
    except UnavailableError as error:
        raise UnavailableError(
            "copy-too-old",
            f"The longest head has {world.size} leaves ({world.newest.where}), and no copy here holds them all.",
            why=error.what,
            do="Name a newer copy of the public log with --from: the operator's web site, a mirror, a monitor's copy.",
            source=_SOURCE,
        ) from error
    except MalformedError as error:
        raise MalformedError(
            "copy-damaged",
            "The copy of the public log does not belong to the head that was signed.",
            why=f"{error.what} {error.why}".strip(),
            do="Name another copy with --from.",
            source=_SOURCE,
        ) from error


def _fork(desk: Desk, seen: SeenHead, now: dt.datetime) -> BrokenError:
    kept = Evidence(desk.installation.worker / "evidence").keep("log-forked", seen.where, seen.note, now)
    return BrokenError(
        "log-forked",
        f"{seen.where[0].upper()}{seen.where[1:]} holds another past of this log than the others.",
        why="Two histories were signed under one name: another copy of this installation ran, or somebody has its "
        f"keys.{kept}",
        do="Stop. This cannot be recovered: keep everything, tell your users and witnesses, and begin a new log.",
        source=_SOURCE,
    )
