"""BagIt 1.0: the texts that make a folder of files a bag which anyone can check.

One manifest algorithm, SHA-256, for the payload and for the tag files.

Source: RFC 8493 sections 2.1 to 2.2.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dueprocess.errors import MalformedError

BAGIT_TXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
"""Source: RFC 8493 section 2.1.1."""

_PATH = re.compile(r"[A-Za-z0-9._/=+@-]+")
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished file of a bag: its path in the bag, size in bytes and hex SHA-256."""

    path: str
    size: int
    sha256: str


def check_path(path: str) -> str:
    """The same path, if it is relative, plain and without ``..``.

    Only plain characters are let in, so that no manifest needs the percent-encoding of RFC 8493 section 2.1.3
    and no file system folds two paths of a bag into one.
    """
    steps = path.split("/")
    if not _PATH.fullmatch(path) or any(step in {"", ".", ".."} for step in steps):
        raise MalformedError("bad-path", f"{path[:80]!r} is not a path of a bag.")
    return path


def manifest(entries: Iterable[Entry]) -> bytes:
    """A manifest: one line a file, sorted by path. Refuses two files of one path, case folded."""
    lines = sorted((check_path(entry.path), entry.sha256) for entry in entries)
    folded = {path.casefold() for path, _ in lines}
    if len(folded) != len(lines):
        raise MalformedError("path-twice", "Two files of this bag have the same path.")
    return "".join(f"{digest}  {path}\n" for path, digest in lines).encode()


def bag_label(payload: Iterable[Entry], *, on: dt.date, fields: Mapping[str, str]) -> bytes:
    """``bag-info.txt`` with date, octet count and the given fields, one line each.

    Refuses a label or a value that could begin another line. Source: RFC 8493 section 2.2.2.
    """
    files = list(payload)
    lines = {
        "Bagging-Date": on.isoformat(),
        "Payload-Oxum": f"{sum(entry.size for entry in files)}.{len(files)}",
    }
    for label, value in fields.items():
        if not _LABEL.fullmatch(label) or label in lines or not value.isprintable() or not value:
            raise MalformedError("bad-bag-label", f"{label[:40]!r} is not a field of bag-info.txt.")
    return "".join(f"{label}: {value}\n" for label, value in {**lines, **fields}.items()).encode()
