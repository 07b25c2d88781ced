"""Files that a person wrote: JSON lines or CSV in UTF-8, read strictly and one record at a time.

Nothing is guessed. A column too many or too few, a doubled key, a stray quote, another encoding or a NUL refuses the
whole file and names the line, never a value. CSV has no types: its cells are texts, and it cannot say NULL.

Source: RFC 8259; RFC 4180; https://jsonlines.org.
"""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.production.stores.facts import Row

RECORD_BYTES = 8 * 1024 * 1024
"""The most bytes of one record, as it stands in the file."""

_BOM = b"\xef\xbb\xbf"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_CELL = r'(?:"(?:[^"]|"")*+"|[^",\r\n]*+)'
_RECORD = re.compile(rf"{_CELL}(?:,{_CELL})*+\r?\n?")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LONG = 400
"""The most digits of a number, and the largest exponent that is written out."""


class HandFile:
    """One file on its way in. ``sha256`` is that of the bytes that were read, once all records were taken.

    ``number`` is the file's place among those that were given, by which errors name it: a file's own name may say
    too much.
    """

    def __init__(self, path: Path, number: int, columns: Sequence[str]) -> None:
        self.is_csv = path.suffix.lower() == ".csv"
        self.size = 0
        self.line = 0
        """The line at which the last record that was given begins."""
        self._path = path
        self.number = number
        self._columns = tuple(columns)
        self._digest = hashlib.sha256()
        self._raw: list[str] = []
        self._held = 0
        self._read = 0
        if not self.is_csv and path.suffix.lower() not in (".jsonl", ".ndjson"):
            raise MalformedError(
                "unknown-file",
                f"File {number} is neither .jsonl nor .csv.",
                do="Write JSON lines (.jsonl) or CSV with a header line (.csv), in UTF-8.",
            )

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def rows(self) -> Iterator[Row]:
        """Each record with exactly the wanted columns, by name. Refuses the file at the first that is not so."""
        try:
            with self._path.open("rb") as file:
                lines = self._lines(lambda: file.readline(RECORD_BYTES + 1))
                yield from self._csv(lines) if self.is_csv else self._json(lines)
        except OSError as error:
            raise UnavailableError(
                "no-file", f"File {self.number} cannot be read.", why=error.strerror or type(error).__name__
            ) from error

    def wrong(self, what: str, *, line: int | None = None, do: str = "") -> MalformedError:
        """The refusal of the whole file, by the line where it went wrong."""
        at = line if line is not None else self.line
        return MalformedError(
            "bad-file",
            f"File {self.number}, line {at}: {what}",
            why="A file is taken whole or not at all; nothing of it was kept.",
            do=do or "Correct the file and run the same command again.",
            source="docs/manual-collection.md",
        )

    # -- lines -----------------------------------------------------------------------------------------

    def _lines(self, read: Callable[[], bytes]) -> Iterator[str]:
        """Lines as text, ends included."""
        while raw := read():
            self._read += 1
            self._digest.update(raw)
            self.size += len(raw)
            if self._read == 1 and raw.startswith(_BOM):
                raw = self._without_mark(raw)
            if len(raw) > RECORD_BYTES:
                raise self.wrong(f"it is longer than {RECORD_BYTES} bytes.", line=self._read)
            if b"\0" in raw:
                raise self.wrong("it holds a NUL, so this is no text in UTF-8.", line=self._read)
            try:
                yield raw.decode()
            except UnicodeDecodeError as error:
                raise self.wrong(
                    "it is not UTF-8.",
                    line=self._read,
                    do="Save the file as UTF-8 and run the command again.",
                ) from error

    def _without_mark(self, raw: bytes) -> bytes:
        """A spreadsheet writes a mark in front of UTF-8; JSON forbids one."""
        if not self.is_csv:
            raise self.wrong("it begins with a byte order mark.", line=1)
        return raw.removeprefix(_BOM)

    # -- JSON lines ------------------------------------------------------------------------------------

    def _json(self, lines: Iterator[str]) -> Iterator[Row]:
        decoder = json.JSONDecoder(
            object_pairs_hook=_once, parse_float=_exact, parse_int=_whole, parse_constant=_no_number
        )
        wanted = set(self._columns)
        for text in lines:
            self.line = self._read
            try:
                row = decoder.decode(text)
                if "\\u" in text:  # which may write what UTF-8 itself cannot
                    json.dumps(row, ensure_ascii=False, default=str).encode()
            except (ValueError, RecursionError) as error:
                raise self.wrong("it is not one strict JSON object.") from error
            if not isinstance(row, dict):
                raise self.wrong("it is not one strict JSON object.")
            if "\\u0000" in text and _NUL.search(text):
                raise self.wrong("it holds a NUL.")
            if row.keys() != wanted:
                self._refuse_columns(tuple(row))
            yield row

    # -- CSV -------------------------------------------------------------------------------------------

    def _csv(self, lines: Iterator[str]) -> Iterator[Row]:
        csv.field_size_limit(RECORD_BYTES)
        reader = csv.reader(self._noted(lines), strict=True)
        header = self._cells(reader)
        if header is None:
            return
        if len(set(header)) != len(header) or set(header) != set(self._columns):
            self._refuse_columns(header)
        while (cells := self._cells(reader)) is not None:
            if len(cells) != len(header):
                raise self.wrong(f"it has {len(cells)} cells, and the header has {len(header)}.")
            yield dict(zip(header, cells, strict=True))

    def _noted(self, lines: Iterator[str]) -> Iterator[str]:
        """The lines, kept until their record is complete."""
        for text in lines:
            self._raw.append(text)
            self._held += len(text)
            if self._held > RECORD_BYTES:
                raise self.wrong(f"this record is longer than {RECORD_BYTES} bytes; is a quote missing?")
            yield text

    def _cells(self, reader: "Iterator[list[str]]") -> tuple[str, ...] | None:
        self._raw.clear()
        self._held = 0
        self.line = self._read + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise self.wrong("it is no CSV as RFC 4180 has it.") from error
        if cells is None:
            return None
        raw = "".join(self._raw)
        if '"' in raw and not _RECORD.fullmatch(raw):
            raise self.wrong("a quote stands inside a cell that is not quoted.")
        return tuple(cells)

    # -- columns ---------------------------------------------------------------------------------------

    def _refuse_columns(self, found: Sequence[str]) -> NoReturn:
        """Names the first column that is missing, too many or there twice; what looks like a value is not repeated."""
        missing = [name for name in self._columns if name not in found]
        extra = [name for name in found if name not in self._columns]
        if missing:
            raise self.wrong(f"the column {missing[0]!r} is missing.", do=_wanted(self._columns))
        if extra:
            told = repr(extra[0]) if _NAME.fullmatch(extra[0]) else "whose name is no name"
            raise self.wrong(f"the column {told} is not wanted.", do=_wanted(self._columns))
        raise self.wrong("a column stands there twice.", do=_wanted(self._columns))


def _wanted(columns: Sequence[str]) -> str:
    return f"Give exactly these columns: {', '.join(columns)}."


def _once(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _exact(text: str) -> float | Decimal:
    """A number that a computer's number says exactly enough to be written back, else the number itself."""
    if len(text) > _LONG:
        raise ValueError("too long a number")
    number, exact = float(text), Decimal(text)
    if abs(exact.adjusted()) > _LONG:
        raise ValueError("too large a number")
    return number if Decimal(repr(number)) == exact else exact


def _whole(text: str) -> int:
    if len(text) > _LONG:
        raise ValueError("too long a number")
    return int(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
