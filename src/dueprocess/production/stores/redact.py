"""Other people, taken out of values by the rules of the map, and counted.

A rule ``redact:a.b`` parses a JSON text and writes it again, so that nothing hides behind a doubled key. Numbers
come out as they were written.
"""

import base64
import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.errors import MalformedError
from dueprocess.production.stores.arrow import as_json, is_json, json_field
from dueprocess.production.stores.facts import Redacted

MASK = "[withheld: other people]"


def masked(
    array: pa.Array, field: pa.Field, rules: Sequence[str]
) -> tuple[pa.Array, pa.Field, list[Redacted]]:
    """The column without the places that name other people, and each place that was taken out.

    NULL stays NULL. A column that ``mask`` withholds whole gives no entries: its rows need no telling apart.
    Refuses a text that is not JSON: what cannot be read cannot be cleaned.
    """
    if not rules:
        return array, field, []
    if "mask" in rules:
        withheld = pc.if_else(pc.is_valid(array), pa.scalar(MASK), pa.scalar(None, pa.string()))
        return withheld, pa.field(field.name, pa.string()), []
    if pa.types.is_null(array.type):
        return array, field, []
    return _redacted(array, field, rules)


def _redacted(
    array: pa.Array, field: pa.Field, rules: Sequence[str]
) -> tuple[pa.Array, pa.Field, list[Redacted]]:
    """Texts stay texts; documents of an engine that has such a type become JSON texts."""
    paths = [(rule, rule.removeprefix("redact:").split(".")) for rule in rules]
    mixed, texts = is_json(field), _is_text(array.type)
    values = list[str | None]()
    found = list[Redacted]()
    for row, value in enumerate(array.to_pylist()):
        cleaned, places = _value(
            json.loads(value) if mixed and value is not None else value, paths, mixed=mixed
        )
        found += [Redacted(row, field.name, rule, count) for rule, count in places.items() if count]
        values.append(cleaned if texts and not mixed and isinstance(cleaned, str) else as_json(cleaned))
    new = pa.field(field.name, pa.string()) if texts and not mixed else json_field(field.name)
    return pa.array(values, pa.string()), new, found


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return any(
        test(kind)
        for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def _value(
    value: object, paths: Sequence[tuple[str, Sequence[str]]], *, mixed: bool
) -> tuple[object, Mapping[str, int]]:
    """A value cleaned, with the number of places per rule."""
    if mixed and isinstance(value, dict) and list(value) == ["base64"]:
        value = base64.b64decode(str(value["base64"]))
    if not isinstance(value, str | bytes):
        return _cleaned(value, paths)
    return text_cleaned(value, paths)


def text_cleaned(
    text: str | bytes, paths: Sequence[tuple[str, Sequence[str]]]
) -> tuple[str, Mapping[str, int]]:
    """A JSON text cleaned and written again; each number as it was. Refuses what is not JSON."""
    reading = _Reading()
    try:
        document = json.loads(
            text, parse_float=reading.fraction, parse_int=reading.whole, parse_constant=_no_number
        )
        cleaned, places = _cleaned(document, paths)
        written = _written(cleaned) if reading.exact else _quick(cleaned)
        return written.encode("utf-8", "replace").decode(), places
    except (ValueError, RecursionError) as error:
        raise MalformedError(
            "not-json", "A column with third-party rules holds a text that is not JSON.", why=str(error)[:80]
        ) from error


class _Exact(str):
    """A number as it was written."""

    __slots__ = ()


class _Reading:
    """Numbers of one document. ``exact``: one of them would be written otherwise than it came."""

    def __init__(self) -> None:
        self.exact = False

    def fraction(self, text: str) -> float | _Exact:
        number = float(text)
        return number if repr(number) == text else self._kept(text)

    def whole(self, text: str) -> int | _Exact:
        return int(text) if len(text) < 19 and text != "-0" else self._kept(text)

    def _kept(self, text: str) -> _Exact:
        self.exact = True
        return _Exact(text)


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _quick(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _written(value: object) -> str:
    """As ``_quick``, but numbers that were kept as text stand there as they came."""
    if isinstance(value, _Exact):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quick(key)}:{_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return _quick(value)


def _cleaned(document: object, paths: Sequence[tuple[str, Sequence[str]]]) -> tuple[object, dict[str, int]]:
    places = dict[str, int]()
    for rule, path in paths:
        document, count = _without(document, path)
        places[rule] = places.get(rule, 0) + count
    return document, places


def _without(value: object, path: Sequence[str]) -> tuple[object, int]:
    """The value with the places behind ``path`` masked, through lists, and through keys that hold dots."""
    if not path:
        return MASK, 1
    if isinstance(value, list):
        each = [_without(item, path) for item in value]
        return [item for item, _ in each], sum(count for _, count in each)
    if not isinstance(value, dict):
        return value, 0
    found, places = dict(value), 0
    for length in range(1, len(path) + 1):
        key = ".".join(path[:length])
        if key in found:
            found[key], count = _without(found[key], path[length:])
            places += count
    return found, places
