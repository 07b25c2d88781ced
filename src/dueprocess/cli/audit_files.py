"""A bundle and a copy of the log on an auditor's disk, opened and checked before anything is counted."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dueprocess.audit.bundle import (
    HEADER,
    MOST_LINE_BYTES,
    OUTSIDE,
    RECORDS,
    SEEDS,
    WITHHELD,
    Header,
    parse_header,
)
from dueprocess.audit.result import Bundle, PublicLog
from dueprocess.cli.monitor_fetch import place_of
from dueprocess.cli.verify_files import read
from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import OpenedCheckpoint
from dueprocess.tlog.follow import Trust, open_head
from dueprocess.tlog.leafrules import Finding
from dueprocess.tlog.tilereader import TileReader


def open_bundle(folder: Path) -> Bundle:
    """The bundle in a folder. Refuses one of which a file differs from the digest that bundle.json has of it."""
    header = parse_header(read(folder / HEADER))
    for name, digest in header.files.items():
        if _digest(folder / name) != digest:
            raise MalformedError(
                "bundle-changed",
                f"{name} is not the file that {HEADER} names.",
                why="It was changed, or damaged on the way, after the bundle was made.",
                do="Get the bundle again, and compare the digest of bundle.json with the one you were given.",
            )
    return Bundle(
        header,
        seeds=lines(folder / SEEDS),
        records=lines(folder / RECORDS),
        outside=lines(folder / OUTSIDE),
        withheld=lines(folder / WITHHELD),
        registers=_published(folder, header, "register.json"),
        reports=_published(folder, header, "report.json"),
    )


def _published(folder: Path, header: Header, name: str) -> dict[str, bytes]:
    return {each.split("/")[1]: read(folder / each) for each in header.files if each.endswith(f"/{name}")}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnavailableError(
            "no-file", f"{path} cannot be read.", why=error.strerror or "", do="Check the folder."
        ) from error


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends, one at a time. Refuses one that is longer than any can be."""
    with path.open("rb") as file:
        for line in iter(partial(file.readline, MOST_LINE_BYTES), b""):
            if len(line) >= MOST_LINE_BYTES:
                raise MalformedError("too-long", f"{path.name} holds a line that is longer than any can be.")
            yield line.removesuffix(b"\n")


@dataclass(frozen=True, slots=True)
class Head:
    """The log's signed head under the auditor's policy; ``weak`` says what is to be said about its witnesses."""

    opened: OpenedCheckpoint
    weak: list[Finding]
    checkpoint: bytes


def open_log(address: str, trust: Trust) -> tuple[PublicLog, Head]:
    """A log in a folder or under an address: its entries are checked against the signed head as they are read."""
    place = place_of(address)
    checkpoint = place.read("checkpoint")
    opened, weak = open_head(checkpoint, trust)
    reader = TileReader(place.read, opened.checkpoint)
    reader.check_root()
    origin = opened.checkpoint.origin
    log = PublicLog(origin, reader.size, reader.entries(0, reader.size), trust.log_vkeys(origin))
    return log, Head(opened, weak, checkpoint)
