"""Fetches: tokens that the portal gave out, and what was sent under each. All that the portal ever writes.

    fetched/<release>/<download>.token  digest of the token, since when and until when it opens the release
    fetched/<release>/<download>.sent   one line of fixed length for each request: first byte, bytes that the other
                                        end acknowledged, bytes that may have gone out

A download is one token: it may take many requests, so that it can be resumed. A request holds a shared lock on its
token's file while it sends; what is not locked has ended, whether its program was stopped or killed. The worker reads
here and makes one event of each download. Lines are written before the first byte goes out and corrected on the way,
so a killed portal loses nothing: where a client goes on within what may have gone out before, it has what lies before.
"""

import fcntl
import hmac
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dueprocess.errors import DueprocessError, RefusedError, UnavailableError
from dueprocess.vault.privatefiles import make_folder, sync_folder, write_private
from dueprocess.wire import Json, canonical, instant, parse_instant, parse_json, sha256_hex

TOKEN_BYTES = 32
TOKEN_LIFE = timedelta(hours=1)
CHALLENGES_PER_MINUTE = 6
"""Tokens given out for one release in any minute. Who asks is not looked at."""
MOST_REQUESTS = 10_000
"""Requests under one token."""

_ID = re.compile(r"[0-9a-f]{16}")
_SLOT = re.compile(r"([0-9]{20}) ([0-9]{20}) ([0-9]{20})\n")
_SLOT_BYTES = 63

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was given out, by its digest; ``id`` names the download in history."""

    id: str
    sha256: str
    issued_at: datetime
    lapses_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was sent under one token: requests, the spans of bytes, and whether something is being sent now."""

    token: Token
    requests: int
    spans: Spans
    running: bool

    @property
    def size_bytes(self) -> int:
        return sum(until - since for since, until in self.spans)


def fetched_folder(root: Path) -> Path:
    """Where the portal of the installation in ``root`` writes."""
    return root / "fetched"


def releases_noted(folder: Path) -> list[str]:
    """Every release that the portal wrote something about."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return [each.name for each in folder.iterdir()]
    return []


def issue(folder: Path, release: str, now: datetime) -> str:
    """A fresh token for a release; only its digest stays. Refuses more than `CHALLENGES_PER_MINUTE` in a minute."""
    at = folder / release
    try:
        make_folder(at)
        with _alone(at):
            recent = [each for each in tokens(folder, release) if now - each.issued_at < timedelta(minutes=1)]
            if len(recent) >= CHALLENGES_PER_MINUTE:
                raise RefusedError(
                    "too-many",
                    "Too many keys to this download were asked for in this minute.",
                    do="Wait a minute, then ask again.",
                )
            token = secrets.token_urlsafe(TOKEN_BYTES)
            known: dict[str, Json] = {
                "v": 1,
                "token_sha256": sha256_hex(token.encode()),
                "issued_at": instant(now),
                "lapses_at": instant(now + TOKEN_LIFE),
            }
            write_private(at / f"{secrets.token_hex(8)}.token", canonical(known))
    except OSError as error:
        raise _stuck(error) from error
    return token


def find(folder: Path, release: str, token: str, now: datetime) -> Token | None:
    """The token of this release that was given out with these bytes and still opens it; all are compared."""
    digest = sha256_hex(token.encode("utf-8", "replace"))
    found = None
    for each in tokens(folder, release):
        if hmac.compare_digest(each.sha256, digest) and each.issued_at <= now < each.lapses_at:
            found = each
    return found


def tokens(folder: Path, release: str) -> list[Token]:
    """Every token of a release, oldest first. A file that is none is passed over."""
    found = []
    for path in (folder / release).glob("*.token"):
        if _ID.fullmatch(path.stem):
            with suppress(DueprocessError, KeyError, TypeError, OSError):
                known: Any = parse_json(path.read_bytes(), "token")
                found.append(
                    Token(
                        path.stem,
                        str(known["token_sha256"]),
                        parse_instant(known["issued_at"]),
                        parse_instant(known["lapses_at"]),
                    )
                )
    return sorted(found, key=lambda each: (each.issued_at, each.id))


@dataclass(frozen=True, slots=True)
class Sending:
    """One request's line in its download's journal."""

    handle: int
    place: int
    first: int

    def sent(self, acknowledged: int, handed: int) -> None:
        """So many bytes of this request have arrived, and so many are about to go out; survives this program's end."""
        os.pwrite(self.handle, _line(self.first, acknowledged, handed), self.place)


def _line(first: int, acknowledged: int, handed: int) -> bytes:
    return b"%020d %020d %020d\n" % (first, acknowledged, handed)


Live = set[tuple[str, int]]
"""Requests that are being sent now: the download, and the place of its line."""


@contextmanager
def sending(folder: Path, release: str, token: Token, first: int, live: Live) -> Iterator[Sending]:
    """A line in the journal and a lock that says that something is being sent, until the end of the request.

    Refuses one request too many. What is checked before may have changed: check it again inside.
    """
    at = folder / release
    try:
        lock = os.open(at / f"{token.id}.token", os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            journal = at / f"{token.id}.sent"
            _believe(at, first, live)
            place = _new_line(journal, first)
            handle = os.open(journal, os.O_WRONLY)
            live.add((token.id, place))
            try:
                yield Sending(handle, place, first)
            finally:
                os.fsync(handle)
                os.close(handle)
                live.discard((token.id, place))
        finally:
            os.close(lock)
    except FileNotFoundError as error:
        raise RefusedError("ended", "This download has ended.") from error


def _believe(at: Path, first: int, live: Live) -> None:
    """A client that goes on at ``first`` has what went out before it under a request that was cut off.

    The last acknowledgements of a connection that breaks never arrive, and nobody counts them in a killed portal.
    """
    for journal in at.glob("*.sent"):
        for place, slot in _slots(journal):
            since, acknowledged, handed = slot
            if since + acknowledged < first <= since + handed and (journal.stem, place) not in live:
                handle = os.open(journal, os.O_WRONLY)
                try:
                    os.pwrite(handle, _line(since, first - since, handed), place)
                finally:
                    os.close(handle)


def _slots(journal: Path) -> list[tuple[int, tuple[int, int, int]]]:
    """(place, (first, acknowledged, handed)) of each line. One that cannot be read counts as nothing sent."""
    try:
        with journal.open("rb") as file:
            text = file.read(MOST_REQUESTS * _SLOT_BYTES).decode("ascii", "replace")
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(text.splitlines(keepends=True)):
        slot = _SLOT.fullmatch(line)
        numbers = (int(slot[1]), int(slot[2]), int(slot[3])) if slot else (0, 0, 0)
        found.append((number * _SLOT_BYTES, numbers))
    return found


def _new_line(journal: Path, first: int) -> int:
    handle = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(handle).st_size >= MOST_REQUESTS * _SLOT_BYTES:
            raise RefusedError(
                "too-many", "This download took too many requests.", do="Ask for a new key to the download."
            )
        os.write(handle, _line(first, 0, 0))
        place = os.lseek(handle, 0, os.SEEK_CUR) - _SLOT_BYTES
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(journal.parent)
    return place


def look(folder: Path, release: str) -> list[Fetched]:
    """What was sent under each token of a release, oldest token first."""
    return [_fetched(folder / release, each) for each in tokens(folder, release)]


def _fetched(at: Path, token: Token) -> Fetched:
    # The lock is looked at first: what ends in between is read whole, what begins in between says so next time.
    running = _is_locked(at / f"{token.id}.token")
    slots = [slot for _, slot in _slots(at / f"{token.id}.sent")]
    spans = merged((first, first + acknowledged) for first, acknowledged, _ in slots)
    return Fetched(token, len(slots), spans, running)


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """The same bytes as spans that neither overlap nor touch, in order."""
    found: Spans = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        elif until > since:
            found.append((since, until))
    return found


def is_whole(fetched: Iterable[Fetched], size_bytes: int) -> bool:
    """Whether every byte of the parcel went out, under whichever tokens: all of them need the requester's key."""
    return merged(span for each in fetched for span in each.spans) == [(0, size_bytes)]


def remove(folder: Path, release: str) -> None:
    """Takes away what the portal wrote about a release that is over and on record."""
    try:
        shutil.rmtree(folder / release)
        sync_folder(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _stuck(error) from error


@contextmanager
def _alone(at: Path) -> Iterator[None]:
    handle = os.open(at, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _stuck(error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-note",
        "What is fetched cannot be written down, so nothing is sent.",
        why=str(error),
        do="Check the disk and the permissions of fetched/.",
    )
