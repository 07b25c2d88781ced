"""Messages of one Maildir inside a window, the oldest first. A message's time stands at the beginning of its name.

Read are ``cur`` and ``new`` of the Maildir and of its subfolders whose names begin with a dot (Maildir++). ``tmp``
holds half messages and is never read; nor is any link, nor what a mail server keeps beside the messages.

Source: https://cr.yp.to/proto/maildir.html; https://doc.dovecot.org, "Maildir Mailbox Format".
"""

import datetime as dt
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dueprocess.demand import Period
from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.plan.window import micros
from dueprocess.production.stores.found import FoundFile, missing

_NAME = re.compile(r"([0-9]{1,11})\.[^/]*", re.ASCII)
_PARTS = ("cur", "new")
_OWN = frozenset({*_PARTS, "tmp"})


@dataclass(frozen=True, slots=True, order=True)
class _Message:
    """A message by its name alone: nothing is asked of the disk before its turn."""

    at: int
    name: str
    box: str
    place: str
    """Where it lay when the folder was listed: ``cur`` or ``.Sent/new``."""


def messages(base: Path, window: Period) -> Iterator[FoundFile | UnavailableError]:
    """Each message whose time lies in the window, or why it cannot be read; in the order of time, then of name.

    A name without a time is an error in its place: whether the message belongs into the window is not known.
    Refuses a folder that is no Maildir.
    """
    if window.since is None or window.until is None:
        raise MalformedError("open-window", "A Maildir is read for a window with both ends.")
    since, until = micros(window.since), micros(window.until)
    found, odd = list[_Message](), list[UnavailableError]()
    for box, place in _places(base, odd):
        for name in _names(base / place, f"{box}/{place.rpartition('/')[2]}", odd):
            match = _NAME.fullmatch(name)
            if match is None:
                odd.append(missing(f"a message in {box} has no time in its name: {name[:80]}"))
            elif since <= int(match[1]) * 1_000_000 < until:
                found.append(_Message(int(match[1]), name, box, place))
    found.sort()
    yield from odd
    for message in found:
        yield _found(base, message)


def _places(base: Path, odd: list[UnavailableError]) -> Iterator[tuple[str, str]]:
    """(mailbox, folder of messages) of a Maildir. Whatever else could hold messages becomes an error."""
    if not _is_maildir(base):
        raise missing("it is no Maildir")
    for box, below in [("INBOX", ""), *_boxes(base, odd)]:
        for part in _PARTS:
            place = f"{below}{part}"
            if (base / place).is_symlink():
                odd.append(missing(f"{box}/{part} is a link, and links are not followed"))
            elif (base / place).is_dir():
                yield box, place


def _boxes(base: Path, odd: list[UnavailableError]) -> Iterator[tuple[str, str]]:
    for entry in _listed(base):
        name = entry.name[:80]
        if entry.name in _OWN:
            continue
        if entry.is_symlink():
            odd.append(missing(f"{name} is a link, and links are not followed"))
        elif entry.is_dir(follow_symlinks=False) and _is_maildir(base / entry.name):
            if entry.name.startswith("."):
                yield entry.name[1:], f"{entry.name}/"
            else:
                odd.append(missing(f"the folder {name} is not named as Maildir++ names folders"))


def _is_maildir(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in _OWN)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise missing(f"its folder cannot be listed ({type(error).__name__})") from error


def _names(folder: Path, where: str, odd: list[UnavailableError]) -> Iterator[str]:
    """Names of messages in one folder, without a look at any of them. Names with a dot in front are no messages."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        odd.append(missing(f"{where} cannot be listed ({type(error).__name__})"))
        return
    yield from names


def _found(base: Path, message: _Message) -> FoundFile | UnavailableError:
    """The message where it is now: reading mail moves it from new to cur and changes the flags in its name."""
    at = dt.datetime.fromtimestamp(message.at, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    told = f"{message.box}_{at}"
    for path in _ways(base, message):
        try:
            facts = path.lstat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return missing(f"{told}: {type(error).__name__}")
        if not stat.S_ISREG(facts.st_mode):
            return missing(f"{told}: it is a link, or no file")
        return FoundFile(f"{told}.eml", path, facts.st_size, message.at)
    return missing(f"{told}: it has been moved or deleted since the folder was listed")


def _ways(base: Path, message: _Message) -> Iterator[Path]:
    yield base / message.place / message.name
    unique = message.name.partition(":")[0]
    folder = base / message.place
    for part in ("cur", "new"):
        place = folder.parent / part
        if place.is_dir():
            yield from (place / name for name in os.listdir(place) if name.partition(":")[0] == unique)  # noqa: PTH208  # names alone are wanted
