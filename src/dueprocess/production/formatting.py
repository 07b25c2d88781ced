"""Records as JSON lines and as CSV, a whole Arrow batch at a time: the meaning of `parcel.rows` at an engine's speed.

Each column becomes the texts of its values, and one join makes the lines. The tests compare both ways for every type.
"""

from bisect import bisect_right
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.errors import MalformedError
from dueprocess.parcel import CONTROL_NUMBER, control_number
from dueprocess.production.valuetexts import COMPACT, TEXT, Part, dumped_key, joined, values_of


class Lines:
    """One line for each record, behind each other in memory. No byte of it is copied when it is cut."""

    __slots__ = ("_bytes", "_ends", "_rows")

    def __init__(self, texts: pa.Array) -> None:
        _, ends, held = texts.buffers()
        self._rows = len(texts)
        self._ends = memoryview(ends).cast("i")[texts.offset :]
        self._bytes = memoryview(held) if held is not None else memoryview(b"")

    def size(self, start: int, end: int) -> int:
        """Bytes of the rows from ``start`` up to ``end``."""
        return self._ends[end] - self._ends[start]

    def fitting(self, start: int, room: int) -> int:
        """The end of the rows from ``start`` on that fit into ``room`` bytes; ``start`` itself if none does."""
        return (
            bisect_right(self._ends, self._ends[start] + room, start, self._rows + 1) - 1
            if room >= 0
            else start
        )

    def piece(self, start: int, end: int) -> memoryview:
        """The bytes of the rows from ``start`` up to ``end``."""
        return self._bytes[self._ends[start] : self._ends[end]]


@dataclass(frozen=True, slots=True)
class Formatted:
    """The same records twice."""

    json: Lines
    csv: Lines


def formatted(batch: pa.RecordBatch, prefix: str, first: int) -> Formatted:
    """The records of a batch under the control numbers from ``first`` on, in the order of its columns.

    Refuses, with ``MalformedError``, what cannot be written: text that is not UTF-8 or not the JSON it should be,
    a time outside the years 1 to 9999, a column that has the name of our own.
    """
    if CONTROL_NUMBER in batch.schema.names:
        raise MalformedError("bad-column", f"A column has the name {CONTROL_NUMBER!r}, which is ours.")
    try:
        return _formatted(batch, _numbers(prefix, first, batch.num_rows))
    except (pa.ArrowException, ValueError, OverflowError, RecursionError) as error:
        raise MalformedError(
            "unwritable-record",
            "A store holds a value that cannot be written into a parcel.",
            why=type(error).__name__,
            do="Look at the columns of this table; leave a damaged one out of the data map.",
        ) from error


def _numbers(prefix: str, first: int, count: int) -> pa.Array:
    start = control_number(prefix, first).partition("-")[0]
    return joined([f"{start}-", pc.utf8_lpad(pc.cast(pa.arange(first, first + count), TEXT), 6, "0")], count)


def _formatted(batch: pa.RecordBatch, numbers: pa.Array) -> Formatted:
    line: list[Part] = [f'{{"{CONTROL_NUMBER}":"', numbers, '"']
    cells: list[Part] = ['"', numbers]
    for field, array in zip(batch.schema, batch.columns, strict=True):
        values = values_of(array, field)
        line += [f",{dumped_key(field.name)}:", *values.json(COMPACT)]
        cells += ['","', values.cells()]
    rows = batch.num_rows
    return Formatted(Lines(joined([*line, "}\n"], rows)), Lines(joined([*cells, '"\r\n'], rows)))
