"""What this witness cosigned last, per log: one SQLite file, safe for several threads and processes.

The check against the old head and the keeping of the new one happen inside one ``BEGIN IMMEDIATE``, and the
answer goes out after the commit is on the disk. The write-ahead log makes a commit safe by one fsync of it; with
a rollback journal, FULL alone may lose the last commit in a power cut, so EXTRA is set in case a file system
offers no write-ahead log.

Source: C2SP tlog-witness, add-checkpoint (persist before responding; atomically).
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dueprocess.errors import BrokenError, DueprocessError, UnavailableError
from dueprocess.tlog.checkpoint import Checkpoint, parse_checkpoint
from dueprocess.tlog.note import parse_note
from dueprocess.wire import sha256_hex

BUSY_SECONDS = 5.0

_TABLES = """
CREATE TABLE IF NOT EXISTS cosigned (
    origin_sha256 TEXT PRIMARY KEY,
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note BLOB NOT NULL,
    timestamp INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS cosigned_only_grows BEFORE UPDATE ON cosigned
WHEN NEW.origin_sha256 <> OLD.origin_sha256 OR NEW.origin <> OLD.origin OR NEW.size < OLD.size
    OR (NEW.size = OLD.size AND NEW.root <> OLD.root) OR NEW.timestamp < OLD.timestamp
BEGIN SELECT RAISE(ABORT, 'what was cosigned is never taken back'); END;
CREATE TRIGGER IF NOT EXISTS cosigned_is_kept BEFORE DELETE ON cosigned
BEGIN SELECT RAISE(ABORT, 'what was cosigned is never forgotten'); END;
"""
_COLUMNS = "origin, size, root, note, timestamp"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The newest head that was cosigned of one log, with the time stamp of the cosignatures."""

    origin: str
    size: int
    root: bytes
    note: bytes
    """The head, the log's verified signatures, the witness's own."""
    timestamp: int

    @property
    def checkpoint(self) -> Checkpoint:
        """The head itself. The note must say what the columns say."""
        found = parse_checkpoint(parse_note(self.note).text)
        if (found.origin, found.size, found.root) != (self.origin, self.size, self.root):
            raise BrokenError(
                "state-altered",
                f"The state contradicts itself about {self.origin!r}.",
                do="Stop this witness and start a new one with a new name.",
            )
        return found


class Turn:
    """The state while nobody else can write it. Ends with the block of ``Store.exclusively``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def latest(self, origin: str) -> Cosigned | None:
        return _by_digest(self._connection, sha256_hex(origin.encode()))

    def newest_timestamp(self) -> int:
        """The newest time stamp that this witness ever gave to any log; 0 before the first."""
        (newest,) = self._connection.execute("SELECT coalesce(max(timestamp), 0) FROM cosigned").fetchone()
        return int(newest)

    def keep(self, head: Cosigned) -> None:
        """Puts a head in the place of the older one of its log."""
        self._connection.execute(
            f"INSERT INTO cosigned (origin_sha256, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608  a constant
            " ON CONFLICT (origin_sha256) DO UPDATE SET"
            " size = excluded.size, root = excluded.root, note = excluded.note, timestamp = excluded.timestamp",
            (
                sha256_hex(head.origin.encode()),
                head.origin,
                head.size,
                head.root,
                head.note,
                head.timestamp,
            ),
        )


class Store:
    """One state file. Reading never waits for writing."""

    def __init__(self, path: Path) -> None:
        with _translated(), ExitStack() as opened:
            self._writer = opened.enter_context(closing(_connect(path)))
            self._reader = opened.enter_context(closing(_connect(path)))
            _count(self._reader)
            opened.pop_all()
        self._writing = threading.Lock()
        self._reading = threading.Lock()

    @classmethod
    def create(cls, path: Path) -> "Store":
        """The state of a witness that has cosigned nothing. What is there already stays."""
        with _translated():
            path.touch(mode=0o600)
            with closing(_connect(path)) as connection:
                connection.executescript("PRAGMA journal_mode = WAL;" + _TABLES)
        return cls(path)

    def close(self) -> None:
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()

    def latest(self, origin: str) -> Cosigned | None:
        """The newest head cosigned of this log."""
        return self.by_digest(sha256_hex(origin.encode()))

    def by_digest(self, origin_sha256: str) -> Cosigned | None:
        """The same, by the digest that the monitoring address carries."""
        with self._reading, _translated():
            return _by_digest(self._reader, origin_sha256)

    def everything(self) -> list[Cosigned]:
        """The newest head of each log, by origin."""
        with self._reading, _translated():
            rows = self._reader.execute(f"SELECT {_COLUMNS} FROM cosigned ORDER BY origin")  # noqa: S608  a constant
            return [Cosigned(*row) for row in rows]

    @contextmanager
    def exclusively(self) -> Iterator[Turn]:
        """Nobody else, in this process or another, writes meanwhile. Safe on the disk when the block is left.

        An exception inside leaves the state as it was. Raises ``UnavailableError`` where the turn does not come.
        """
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise UnavailableError("busy", "This witness is busy.", do="Ask again.")
        try:
            with _translated():
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield Turn(self._writer)
                    self._writer.execute("COMMIT")
                finally:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
        finally:
            self._writing.release()


def _connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there: a state that is missing must not become an empty one."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA synchronous = EXTRA")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _count(connection: sqlite3.Connection) -> int:
    """How many logs have a row. Raises where the table is missing."""
    (count,) = connection.execute("SELECT count(*) FROM cosigned").fetchone()
    return int(count)


def _by_digest(connection: sqlite3.Connection, origin_sha256: str) -> Cosigned | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM cosigned WHERE origin_sha256 = ?",  # noqa: S608  a constant
        (origin_sha256,),
    ).fetchone()
    return Cosigned(*row) if row else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DueprocessError:
        raise
    except sqlite3.IntegrityError as error:
        raise BrokenError("taken-back", "What was cosigned is never taken back.", why=str(error)) from error
    except (sqlite3.OperationalError, OSError) as error:
        raise UnavailableError(
            "no-state",
            "The state of this witness cannot be read or written now, so it signs nothing.",
            why=str(error),
            do="Check the disk and the permissions. If state.db is lost, do not make a new one for these keys: "
            "the witness would forget what it cosigned. Start a new witness with a new name.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise BrokenError(
            "state-altered",
            "The state of this witness is damaged.",
            why=str(error),
            do="Stop this witness and start a new one with a new name.",
        ) from error
