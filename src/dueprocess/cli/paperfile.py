"""A paper that is no case, as a file: what `read`, `assess --facts` and `letter --facts` share."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.demand import Demand, ReverseDemand
from dueprocess.demand.facts import parse_paper
from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.law import Pack
from dueprocess.library.packs import own_packs, shipped_packs
from dueprocess.wire import parse_instant

_MOST_BYTES = 2**20

ReceivedAt = Annotated[
    str | None,
    Parameter(
        help="with --facts: when the paper arrived, such as 2026-11-20T17:02:00Z; default: as that day begins in UTC"
    ),
]
OwnPacks = Annotated[
    list[Path] | None,
    Parameter(
        help="with --facts: your own packs instead of the shipped ones", consume_multiple=True, negative=""
    ),
]


def packs_of(own: Sequence[Path] | None) -> tuple[Pack, ...]:
    """The packs in these files, or the shipped ones."""
    return own_packs(own) if own else tuple(shipped_packs().values())


def day_of(on: str | None) -> dt.date:
    """The day that was named. Refuses none, and what is no day."""
    if on is None:
        raise RefusedError("no-day", "Law has dates.", do="Say on which day: --on 2026-11-22.")
    try:
        return dt.date.fromisoformat(on)
    except ValueError as error:
        raise MalformedError(
            "bad-day", f"{on[:40]!r} is not a day.", why=str(error), do="Write it as 2026-11-22."
        ) from error


def paper_of(facts: Path, day: dt.date, received: str | None) -> Demand | ReverseDemand:
    """What a facts file says, of a paper that arrived then, or as the day began."""
    arrived = parse_instant(received) if received is not None else dt.datetime.combine(day, dt.time(), dt.UTC)
    return parse_paper(facts_text(facts), received_at=arrived, nonce=bytes(32))[0]


def facts_text(path: Path) -> str:
    """The text of a facts file. Refuses what cannot be read, is larger than any transcription, or is no text."""
    return small_text(path, do="Check the name; `dueprocess read CASE --suggest > FILE` makes a first one.")


def small_text(path: Path, *, do: str) -> str:
    """A text that a person wrote. Refuses what cannot be read, is too large for that, or is no text."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "no-text-file", f"The file {path} cannot be read.", why=error.strerror or str(error), do=do
        ) from error
    try:
        if len(content) > _MOST_BYTES:
            raise MalformedError("bad-text-file", f"{path} is larger than what people write by hand.", do=do)
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(
            "bad-text-file", f"{path} is not a text in UTF-8.", why=str(error), do=do
        ) from error
