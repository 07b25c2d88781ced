"""Rows as Arrow: tuples of a driver become columns without a guess, batches come in one size.

An engine that mixes types in one column (SQLite) or knows kinds that Arrow does not gives JSON texts there, so that
nothing is rounded and no number becomes a text unseen.
"""

import datetime as dt
import decimal
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from dueprocess.parcel import plain
from dueprocess.production.stores.facts import JSON_TEXT

type Raw = tuple[object, ...]
type Fetch = Callable[[int], Sequence[Raw]]

BATCH_BYTES = 4 * 1024 * 1024
BATCH_ROWS = 65_536
FIRST_FETCH = 64
MOST_FETCH = 256
_MICROS = pa.timestamp("us")
_INSTANT = pa.timestamp("us", tz="UTC")
_PLAIN = frozenset({bool, int, float, str, bytes, dt.date, dt.time})


def is_json(field: pa.Field) -> bool:
    """Whether the values of a text column are JSON already."""
    return bool(field.metadata) and all(field.metadata.get(key) == value for key, value in JSON_TEXT.items())


def json_field(name: str) -> pa.Field:
    return pa.field(name, pa.string(), metadata=JSON_TEXT)


def as_json(value: object) -> str | None:
    """One value as JSON text; NULL stays NULL."""
    if value is None:
        return None
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def column(values: Sequence[object], name: str) -> tuple[pa.Array, pa.Field]:
    """One column of a driver's values, exactly: of one type, or each value as JSON text."""
    kinds = set(map(type, values)) - {type(None)}
    kind = kinds.pop() if len(kinds) == 1 else None
    try:
        if kind in _PLAIN or not any(value is not None for value in values):
            array = pa.array(values)
        elif kind is dt.datetime:
            array = _times(values)
        elif kind is decimal.Decimal:
            array = _decimals(values)
        else:
            array = None
    except (pa.ArrowException, ValueError, OverflowError, TypeError):
        array = None
    if array is None:
        return pa.array(map(as_json, values), pa.string(), size=len(values)), json_field(name)
    return array, pa.field(name, array.type)


def _times(values: Sequence[object]) -> pa.Array | None:
    """Times that all have a zone, or all have none."""
    zoned = {value.tzinfo is not None for value in values if isinstance(value, dt.datetime)}
    return pa.array(values, _INSTANT if True in zoned else _MICROS) if len(zoned) == 1 else None


def _decimals(values: Sequence[object]) -> pa.Array:
    """Numbers of one scale; of several scales, as their own text, because 1.1 is not written 1.10."""
    scales = {value.as_tuple().exponent for value in values if isinstance(value, decimal.Decimal)}
    (scale, *others) = scales
    if others or not isinstance(scale, int) or scale > 0:
        return pa.array([None if value is None else str(plain(value)) for value in values], pa.string())
    return pa.array(values)


def record_batch(columns: Sequence[Sequence[object]]) -> pa.RecordBatch:
    """Columns of a driver's values under their positions as names."""
    made = [column(values, str(number)) for number, values in enumerate(columns)]
    return pa.record_batch([array for array, _ in made], schema=pa.schema([field for _, field in made]))


def tuple_batches(fetch: Fetch) -> Iterator[pa.RecordBatch]:
    """Batches of about four megabytes from a fetch function that gives fewer rows than asked for at the end."""
    size, held, weight = FIRST_FETCH, list[list[object]](), 0
    while True:
        rows = fetch(size)
        for number, values in enumerate(zip(*rows, strict=True)):
            if number == len(held):
                held.append([])
            held[number] += values
            weight += _weight(values)
        ended = len(rows) < size
        if held and (ended or weight >= BATCH_BYTES or len(held[0]) > BATCH_ROWS - MOST_FETCH):
            yield record_batch(held)
            held, weight = [], 0
        if ended:
            return
        size = MOST_FETCH


def _weight(values: Sequence[object]) -> int:
    """Bytes of a column, about."""
    if values and type(values[0]) in (str, bytes) and None not in values:
        try:
            return 8 * len(values) + sum(map(len, values))  # type: ignore[arg-type]  # the next line is for others
        except TypeError:
            pass
    elif values and type(values[0]) in (int, float):
        return 8 * len(values)
    return 8 * len(values) + sum(len(value) for value in values if isinstance(value, str | bytes))


def even(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of about four megabytes: small ones together, big ones cut."""
    held, weight, rows = list[pa.RecordBatch](), 0, 0
    for batch in batches:
        for piece in _cut(batch):
            if held and (weight + piece.nbytes > BATCH_BYTES or rows + piece.num_rows > BATCH_ROWS):
                yield pa.concat_batches(held)
                held, weight, rows = [], 0, 0
            held.append(piece)
            weight, rows = weight + piece.nbytes, rows + piece.num_rows
    if held:
        yield pa.concat_batches(held)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if not batch.num_rows:
        return
    step = max(1, min(BATCH_ROWS, batch.num_rows * BATCH_BYTES // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)
