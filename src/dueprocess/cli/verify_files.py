"""What every check of `dueprocess verify` needs: files from disk, the policy, and the form of an answer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.tlog import parse_policy
from dueprocess.tlog.follow import Trust
from dueprocess.wire import sha256_hex

MOST_FILE_BYTES = 256 * 1024 * 1024
"""The most that a receipt, report or head may hold. Parcels and tiles are read in pieces."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found, in the order in which a worried person reads: conclusion, meaning, limits, details."""

    conclusion: str
    means: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    found: dict[str, Any] = field(default_factory=dict)
    """The same for programs."""

    def lines(self) -> list[str]:
        return [
            self.conclusion,
            *_part("What it means", self.means),
            *_part("What it does not prove", self.limits),
            *_part("Details", self.details),
        ]


def _part(title: str, lines: Iterable[str]) -> list[str]:
    told = [f"  {line}".rstrip() for line in lines]
    return ["", title, *told] if told else []


def read(path: Path) -> bytes:
    """A file's bytes; a missing one, a folder and one that is far too large say which."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "no-file", f"{path} cannot be read.", why=error.strerror or "", do="Check the name."
        ) from error
    if len(data) > MOST_FILE_BYTES:
        raise MalformedError(
            "too-large", f"{path} is larger than such a file can be.", do="Check that it is the right file."
        )
    return data


def read_policy(path: Path) -> tuple[bytes, Trust]:
    """The text of a policy file, and what is trusted by it."""
    data = read(path)
    try:
        return data, Trust(parse_policy(data), sha256_hex(data))
    except MalformedError as error:
        raise in_words(error, f"{path} is not a policy file that can be used.") from error


def need_policy(path: Path | None, what: str) -> Trust:
    """The policy; without one, nothing signed can be believed."""
    if path is None:
        raise RefusedError(
            "no-policy",
            f"{what} is checked against the log's policy.",
            why="The policy holds the keys. A file that brought its own keys would prove nothing.",
            do="Get policy.txt from the operator's site, or the letter, and name it with --policy.",
            source="C2SP tlog-policy",
        )
    return read_policy(path)[1]


def in_words[E: DueprocessError](error: E, conclusion: str) -> E:
    """The same error with the conclusion in front: a reader learns first what it means for the file in hand."""
    return type(error)(
        error.code, f"{conclusion} {error.what}", why=error.why, do=error.do, source=error.source
    )
