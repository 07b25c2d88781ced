"""How the values of one Arrow column are written, in JSON and in a cell of CSV: what `parcel.rows` means by them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.parcel import cell, plain
from dueprocess.production.stores.facts import JSON_TEXT
from dueprocess.production.timetexts import days, instants, times
from dueprocess.wire import b64

TEXT = pa.string()
_NULL = pa.scalar(None, TEXT)

type Part = str | pa.Array
"""Of a line: a text that is the same in each, or one text for each, none of them NULL."""

type Marks = tuple[str, str]
COMPACT: Marks = (",", ":")
SPACED: Marks = (", ", ": ")
"""JSON in a cell is for reading."""


def joined(parts: Sequence[Part], rows: int) -> pa.Array:
    """One text for each row, behind each other and beginning where their buffer begins."""
    merged: list[Part] = [""]
    for part in parts:
        if isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    if len(merged) == 1:
        return pa.repeat(pa.scalar(merged[0], TEXT), rows)
    return pc.binary_join_element_wise(
        *(pa.scalar(each, TEXT) if isinstance(each, str) else each for each in merged), ""
    )


def values_of(array: pa.Array, field: pa.Field) -> "Values":
    """How this column is written, by its type. What has no form of its own is written value by value."""
    kind = array.type
    if field.metadata and all(field.metadata.get(key) == value for key, value in JSON_TEXT.items()):
        return _spliced(_checked(pc.cast(array, TEXT)))
    if pa.types.is_dictionary(kind):
        return values_of(array.dictionary_decode(), field.with_type(kind.value_type))
    for fits, how in _HOW:
        if fits(kind):
            return how(array)
    return _Found([plain(value) for value in array.to_pylist()])


@dataclass(frozen=True, slots=True)
class Values:
    """Texts of one column, NULL where the value is. As they are: numbers and truth values."""

    texts: pa.Array

    def json(self, _marks: Marks) -> list[Part]:
        """Parts that make each value's JSON."""
        return [pc.fill_null(self.texts, "null")]

    def cells(self) -> pa.Array:
        """What stands between the quotation marks of each value's cell, formula-safe. NULL is empty."""
        return pc.fill_null(self.texts, "")


class _Moments(Values):
    """Texts of digits and marks that no spreadsheet runs. In JSON they stand in quotation marks."""

    __slots__ = ()

    def json(self, _marks: Marks) -> list[Part]:
        escaped = self._escaped()
        if not escaped.null_count:
            return ['"', escaped, '"']
        return [pc.fill_null(pc.binary_join_element_wise('"', escaped, '"', ""), "null")]

    def _escaped(self) -> pa.Array:
        return self.texts


class _Decimals(_Moments):
    """The same of exact numbers: as a text, a negative one could be a formula."""

    __slots__ = ()

    def cells(self) -> pa.Array:
        return safe_texts(pc.fill_null(self.texts, ""))


class _Texts(_Moments):
    """Texts of any characters."""

    __slots__ = ()

    def cells(self) -> pa.Array:
        return _doubled(safe_texts(pc.fill_null(self.texts, "")))

    def _escaped(self) -> pa.Array:
        texts = self.texts
        for letter in sorted(_letters(texts) & _ESCAPES.keys(), key=lambda each: each != _BACKSLASH):
            texts = pc.replace_substring(texts, chr(letter), _ESCAPES[letter])
        return texts


@dataclass(frozen=True, slots=True)
class _Floats(Values):
    """Numbers, of which those that JSON does not know are words."""

    finite: pa.Array

    def json(self, _marks: Marks) -> list[Part]:
        words = pc.binary_join_element_wise('"', self.texts, '"', "")
        return [pc.fill_null(pc.if_else(self.finite, self.texts, words), "null")]

    def cells(self) -> pa.Array:
        return pc.fill_null(pc.if_else(self.finite, self.texts, safe_texts(self.texts)), "")


@dataclass(frozen=True, slots=True)
class _Made(Values):
    """JSON that was joined from parts, which no spreadsheet runs: ``texts`` is compact, ``spaced`` for reading."""

    spaced: pa.Array

    def json(self, marks: Marks) -> list[Part]:
        return [pc.fill_null(self.texts if marks == COMPACT else self.spaced, "null")]

    def cells(self) -> pa.Array:
        return _doubled(pc.fill_null(self.spaced, ""))


@dataclass(frozen=True, slots=True)
class _Found(Values):
    """Plain values, written one by one. ``texts`` is given where they are JSON texts already, on one line each."""

    texts: pa.Array | None = None
    values: Sequence[object] = ()

    def __init__(self, values: Sequence[object], texts: pa.Array | None = None) -> None:
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "texts", texts)

    def json(self, marks: Marks) -> list[Part]:
        if self.texts is not None and marks == COMPACT:
            return [pc.fill_null(self.texts, "null")]
        return [pa.array([_dumped(each, marks) for each in self.values], TEXT)]

    def cells(self) -> pa.Array:
        return _doubled(pa.array([cell(each) for each in self.values], TEXT))


# -- by type -----------------------------------------------------------------------------------------


def _bare(array: pa.Array) -> Values:
    return Values(pc.cast(array, TEXT))


def _text(array: pa.Array) -> Values:
    return _Texts(_checked(pc.cast(array, TEXT)))


def _checked(texts: pa.Array) -> pa.Array:
    """The same texts. Refuses, with ``ArrowInvalid``, what is not UTF-8: Arrow does not look by itself."""
    texts.validate(full=True)
    return texts


def _float(array: pa.Array) -> Values:
    array = pc.cast(array, pa.float64())
    texts = pc.cast(array, TEXT)
    whole = pc.match_substring_regex(texts, "^-?[0-9]+$")
    if pc.any(whole).as_py():
        texts = pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    finite = pc.is_finite(array)
    return Values(texts) if pc.all(finite).as_py() is not False else _Floats(texts, finite)


def _decimal(array: pa.Array) -> Values:
    texts = pc.cast(array, TEXT)
    if pc.any(pc.match_substring(texts, "E")).as_py():  # Arrow writes small ones as 1E-7.
        texts = pa.array([None if each is None else format(each, "f") for each in array.to_pylist()], TEXT)
    return _Decimals(texts)


def _binary(array: pa.Array) -> Values:
    coded = pa.array([None if each is None else b64(each) for each in array.to_pylist()], TEXT)
    compact, spaced = (
        pc.binary_join_element_wise(f'{{"base64"{colon}"', coded, '"}', "") for _, colon in (COMPACT, SPACED)
    )
    return _Made(compact, spaced)


def _struct(array: pa.Array) -> Values:
    fields = list(array.type)
    inside = [values_of(each, field) for each, field in zip(array.flatten(), fields, strict=True)]

    def written(marks: Marks) -> pa.Array:
        parts: list[Part] = []
        for values, field in zip(inside, fields, strict=True):
            comma = marks[0] if parts else ""
            parts += [f"{comma}{dumped_key(field.name)}{marks[1]}", *values.json(marks)]
        return _where(array, joined(["{", *parts, "}"], len(array)))

    return _Made(written(COMPACT), written(SPACED))


def _list(array: pa.Array) -> Values:
    array = pc.cast(array, pa.list_(array.type.value_field))
    inside = values_of(array.values, array.type.value_field)
    return _bracketed(array, lambda marks: joined(inside.json(marks), len(array.values)), "[]")


def _map(array: pa.Array) -> Values:
    """An object. Its keys are texts or whole numbers; a map with others is written value by value."""
    kind = array.type
    if not pa.types.is_string(kind.key_type) and not pa.types.is_integer(kind.key_type):
        return _Found([plain(value) for value in array.to_pylist(maps_as_pydicts="strict")])
    keys, values = _text(array.keys), values_of(array.items, kind.item_field)

    def pairs(marks: Marks) -> pa.Array:
        return joined([*keys.json(marks), marks[1], *values.json(marks)], len(array.keys))

    return _bracketed(array, pairs, "{}")


def _bracketed(array: pa.Array, entries: Callable[[Marks], pa.Array], brackets: str) -> Values:
    def written(marks: Marks) -> pa.Array:
        together = pc.binary_join(pa.ListArray.from_arrays(array.offsets, entries(marks)), marks[0])
        return _where(array, joined([brackets[0], together, brackets[1]], len(array)))

    return _Made(written(COMPACT), written(SPACED))


def _where(array: pa.Array, texts: pa.Array) -> pa.Array:
    return pc.if_else(array.is_valid(), texts, _NULL) if array.null_count else texts


_SIMPLE = r'^"[^"\\\x00-\x1f]*"$'


def _spliced(texts: pa.Array) -> Values:
    """JSON as it is. Refuses, with ``ValueError``, what is none, so that no value can end its line."""
    if pc.all(pc.match_substring_regex(texts, _SIMPLE)).as_py():
        return _Texts(pc.replace_substring(texts, '"', ""))
    found = [
        None if each is None else json.loads(each, parse_constant=_refused) for each in texts.to_pylist()
    ]
    return _Found(found, None if _letters(texts) & set(b"\r\n") else texts)


def _refused(literal: str) -> object:
    raise ValueError(literal)


def _dumped(value: object, marks: Marks) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=marks)


def dumped_key(name: str) -> str:
    """A name as JSON."""
    return json.dumps(name, ensure_ascii=False)


def _any_of(*tests: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda kind: any(test(kind) for test in tests)


_T = pa.types
_HOW: Sequence[tuple[Callable[[Any], bool], Callable[[pa.Array], Values]]] = (
    (_any_of(_T.is_integer, _T.is_boolean, _T.is_null), _bare),
    (_any_of(_T.is_string, _T.is_large_string, _T.is_string_view), _text),
    (_T.is_timestamp, lambda array: _Moments(instants(array))),
    (_T.is_floating, _float),
    (_T.is_decimal, _decimal),
    (_any_of(_T.is_date32, _T.is_date64), lambda array: _Moments(days(array))),
    (_T.is_time, lambda array: _Moments(times(array))),
    (_any_of(_T.is_binary, _T.is_large_binary, _T.is_fixed_size_binary, _T.is_binary_view), _binary),
    (_T.is_struct, _struct),
    (
        _any_of(_T.is_list, _T.is_large_list, _T.is_fixed_size_list, _T.is_list_view, _T.is_large_list_view),
        _list,
    ),
    (_T.is_map, _map),
)


# -- characters --------------------------------------------------------------------------------------

_QUOTE, _BACKSLASH, _FIRST_PRINTED = ord('"'), ord("\\"), ord(" ")
_ESCAPES = {code: json.dumps(chr(code))[1:-1] for code in (*range(_FIRST_PRINTED), _QUOTE, _BACKSLASH)}
_HARMLESS = bytes(set(range(256)) - _ESCAPES.keys())
_BLANKS = r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_FORMULA = rf"^[{_BLANKS}]*[=+\-@\t\r\x00＝＋－＠]"
"""What `parcel.safe` looks for. Arrow's expressions know no Unicode blanks, so they are listed."""


def _letters(texts: pa.Array) -> set[int]:
    """Which of the characters that JSON escapes occur in a column at all."""
    raw = _raw(texts)
    if not raw:
        return set()
    least = pc.min_max(pa.UInt8Array.from_buffers(pa.uint8(), len(raw), [None, pa.py_buffer(raw)]))[
        "min"
    ].as_py()
    if least >= _FIRST_PRINTED:
        return {code for code in (_QUOTE, _BACKSLASH) if code in raw}
    return set(raw.translate(None, _HARMLESS))


def _raw(texts: pa.Array) -> bytes:
    """The bytes of all texts of a column behind each other."""
    _, ends, held = texts.buffers()
    if held is None or not len(texts):
        return b""
    places = memoryview(ends).cast("i")
    return bytes(memoryview(held)[places[texts.offset] : places[texts.offset + len(texts)]])


def safe_texts(texts: pa.Array) -> pa.Array:
    """The texts with an apostrophe in front of each that a spreadsheet could take for a formula."""
    risky = pc.match_substring_regex(texts, _FORMULA)
    return (
        pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)
        if pc.any(risky).as_py()
        else texts
    )


def _doubled(texts: pa.Array) -> pa.Array:
    """The texts with each quotation mark twice, as a quoted cell has them. Source: RFC 4180 section 2."""
    return pc.replace_substring(texts, '"', '""') if _QUOTE in _raw(texts) else texts
