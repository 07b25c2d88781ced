"""Every row that comes back is checked again: whose it is, when it was, and whom else it names.

A database compares by its own rules (case-insensitive columns, collations, views). What leaves is decided
here, byte for byte.
"""

import json
from collections.abc import Sequence

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import TableQuery, inside
from dueprocess.production.stores.facts import Row, Subject

MASK = "[withheld: other people]"


def checked_row(query: TableQuery, subject: Subject, raw: Sequence[object]) -> Row | None:
    """The listed columns of a raw row, third parties masked; None outside the window's fraction of a second.

    ``raw`` holds subject, time (where the path has one), the columns that must be absent, then the listed
    columns. Refuses a row of another subject, or one that the store should not have returned.
    """
    if type(raw[0]) is not type(subject) or raw[0] != subject:
        raise _wrong(query, "a record of another account")
    at = 1
    if query.path.time is not None and query.window is not None:
        if not inside(query.window, raw[at], query.path.time.unit):
            if query.path.time.unit == "iso":
                return None  # Text is asked for by whole seconds; the rest of the second is cut here.
            raise _wrong(query, "a record outside the window")
        at += 1
    controls = raw[at : at + len(query.path.absent)]
    if any(value is not None for value in controls):
        raise _wrong(query, "a record that the map leaves out")
    values = raw[at + len(controls) :]
    return {
        column.name: masked(value, column.third_party)
        for column, value in zip(query.columns, values, strict=True)
    }


def _wrong(query: TableQuery, what: str) -> RefusedError:
    return RefusedError(
        "wrong-row",
        f"The store {query.store!r} returned {what} for {query.table!r}.",
        why="It compares otherwise than exactly, for instance without regard to case.",
        do="Make the column compare exactly, or point the data map at one that does.",
        source="formats.md, Data map",
    )


def masked(value: object, rules: Sequence[str]) -> object:
    """The value without the places that name other people. NULL stays NULL.

    A rule ``redact:a.b`` parses a JSON text and writes it again, so that nothing hides behind a doubled key.
    Refuses a text that is not JSON: what cannot be read cannot be cleaned.
    """
    if value is None or not rules:
        return value
    if "mask" in rules:
        return MASK
    paths = [rule.removeprefix("redact:").split(".") for rule in rules]
    if not isinstance(value, str | bytes):
        return _cleaned(value, paths)
    try:
        document = _cleaned(json.loads(value), paths)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise MalformedError(
            "not-json", "A column with third-party rules holds a text that is not JSON.", why=str(error)[:80]
        ) from error


def _cleaned(document: object, paths: Sequence[Sequence[str]]) -> object:
    for path in paths:
        document = _redacted(document, path)
    return document


def _redacted(value: object, path: Sequence[str]) -> object:
    """The value with the place behind ``path`` masked, through lists, and through keys that hold dots."""
    if not path:
        return MASK
    if isinstance(value, list):
        return [_redacted(each, path) for each in value]
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for length in range(1, len(path) + 1):
        key = ".".join(path[:length])
        if key in found:
            found[key] = _redacted(found[key], path[length:])
    return found
