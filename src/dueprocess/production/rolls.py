"""What a collection gives beside files: records as pairs of members, and the list of what was taken out of them."""

import zlib
from collections.abc import Iterable, Iterator, Sequence

from dueprocess.errors import UnavailableError
from dueprocess.parcel import CONTROL_NUMBER, RedactionCount, control_number, csv_line, json_line
from dueprocess.plan import TableQuery
from dueprocess.production.formatting import Formatted
from dueprocess.production.packing import Member
from dueprocess.production.stores.facts import Redacted

REDACTIONS = "data/redactions.jsonl"
_PIECE = 1024 * 1024


class Rolls:
    """Records of one table as members of JSON lines and of CSV, cut between two records before either is too big."""

    def __init__(self, path: str, columns: Sequence[str], most: int) -> None:
        self._path = path
        self._most = most
        self._head = csv_line([CONTROL_NUMBER, *columns])
        self._part = 0
        self.rows = 0
        self._open()

    def _open(self) -> None:
        self._lines: list[bytes | memoryview] = []
        self._cells: list[bytes | memoryview] = [self._head]
        self._sizes = (0, len(self._head))

    def add(self, records: Formatted, count: int) -> Iterator[Member]:
        """Takes records; yields the members that had to be closed for them.

        Refuses a record that is bigger than a member; those before it are kept.
        """
        start = 0
        while start < count:
            lines, cells = self._sizes
            fitting = records.json.fitting(start, self._most - lines)
            end = min(fitting, records.csv.fitting(start, self._most - cells))
            if end > start:
                self._take(records, start, end)
                start = end
            elif self._lines:
                yield from self.close()
            else:
                raise UnavailableError("row-too-big", f"A record is bigger than {self._most} bytes.")

    def _take(self, records: Formatted, start: int, end: int) -> None:
        self._lines.append(records.json.piece(start, end))
        self._cells.append(records.csv.piece(start, end))
        lines, cells = self._sizes
        self._sizes = (lines + len(self._lines[-1]), cells + len(self._cells[-1]))
        self.rows += end - start

    def close(self) -> Iterator[Member]:
        """The two members of the open part, if it holds anything; then a new part begins."""
        if not self._lines:
            return
        self._part += 1
        name = f"{self._path}.{self._part:04d}"
        lines, cells, sizes = self._lines, self._cells, self._sizes
        self._open()
        yield Member(f"{name}.jsonl", sizes[0], _drained(lines))
        yield Member(f"{name}.csv", sizes[1], _drained(cells))


def _drained(pieces: list[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Each piece once; none is kept."""
    pieces.reverse()
    while pieces:
        yield pieces.pop()


class Redactions:
    """A line for each value out of which a rule took something, and for each column that a rule masked whole.

    The lines wait compressed: there may be one for every record.
    """

    def __init__(self) -> None:
        self._packer = zlib.compressobj(1)
        self._packed: list[bytes] = []
        self._size = 0
        self._counts: dict[tuple[str, str, str, str], tuple[int, int]] = {}

    def add(self, where: tuple[str, str], numbered: Iterable[tuple[str, Redacted]]) -> None:
        """Values of a store's table, each with its record's control number."""
        store, table = where
        for number, each in numbered:
            line = {"control_number": number, "store": store, "table": table, "column": each.column}
            self._write({**line, "rule": each.rule, "places": each.places})
            self._count((store, table, each.column, each.rule), 1, each.places)

    def mask(self, where: tuple[str, str], query: TableQuery, records: int) -> None:
        """The columns of a table that are masked whole, once for all of its records."""
        store, table = where
        for column in query.columns:
            if "mask" in column.third_party and records:
                line = {"store": store, "table": table, "column": column.name}
                self._write({**line, "rule": "mask", "records": records})
                self._count((store, table, column.name, "mask"), records, records)

    def _count(self, key: tuple[str, str, str, str], records: int, places: int) -> None:
        before = self._counts.get(key, (0, 0))
        self._counts[key] = (before[0] + records, before[1] + places)

    def _write(self, line: dict[str, object]) -> None:
        content = json_line(line)
        self._size += len(content)
        if packed := self._packer.compress(content):
            self._packed.append(packed)

    def counts(self) -> tuple[RedactionCount, ...]:
        """How often each rule took something out, in the order in which it first did."""
        return tuple(RedactionCount(*key, *count) for key, count in self._counts.items())

    def members(self) -> Iterator[Member]:
        """The list as a member, if anything was taken out. May be asked for once, at the end."""
        if self._size:
            self._packed.append(self._packer.flush())
            yield Member(REDACTIONS, self._size, self._unpacked())

    def _unpacked(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj()
        for packed in self._packed:
            yield unpacker.decompress(packed, _PIECE)
            while unpacker.unconsumed_tail:
                yield unpacker.decompress(unpacker.unconsumed_tail, _PIECE)
        yield unpacker.flush()


def numbered(prefix: str, first: int, redacted: Iterable[Redacted]) -> Iterator[tuple[str, Redacted]]:
    """Each redaction with the control number of its record, the batch's first being ``first``."""
    return ((control_number(prefix, first + each.row), each) for each in redacted)
