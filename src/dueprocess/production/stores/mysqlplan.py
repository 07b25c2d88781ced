"""What MariaDB's planner says that a query would read, compared with what the plan calls for."""

import re
from collections.abc import Iterator, Mapping, Sequence

from dueprocess.production.stores.examine import Column, Said, Shape, Value, differs
from dueprocess.production.stores.wording import quoted

_NAME = r'"((?:[^"]|"")*)"'
_QUOTED = re.compile(r""""(?:[^"]|"")*"|'(?:[^'\\]|''|\\.)*'""", re.DOTALL)
_RELATION = re.compile(rf"{_NAME}\.{_NAME} {_NAME}")
_COLUMN = re.compile(rf"{_NAME}\.{_NAME}\.{_NAME}")
_KNOWN_BEFORE = frozenset({"const", "system"})


def refuse_plan(reads: Sequence[tuple[object, object]], rewritten: str, shape: Shape, database: str) -> None:
    """Refuses a plan that reads another table or column than the shape names, or not by its subject.

    ``reads`` is (alias, way of access) for each table; ``rewritten`` the query as the planner wrote it anew.
    """
    inner = _inner(shape)
    tables = dict([*shape.tables, *(table for each in inner for table in each.tables)])
    columns = {found for each in (shape, *inner) for found in _named(each)}
    text = _QUOTED.sub(lambda found: found[0] if found[0][0] == '"' else "''", rewritten)
    for found in _RELATION.findall(text):
        schema, name, alias = map(_bare, found)
        if schema != database or tables.get(alias) != name:
            raise differs(f"MariaDB would read {name}"[:200])
    for found in _COLUMN.findall(text):
        schema, alias, name = map(_bare, found)
        if schema != database or (alias, name) not in columns:
            raise differs(f"MariaDB would read the column {name}"[:200])
    aliases = {str(alias) for alias, _ in reads if alias is not None}
    odd = aliases - set(tables)
    if odd and not (inner and all(re.fullmatch(r"<subquery\d+>", each) for each in odd)):
        raise differs(f"MariaDB would read {', '.join(sorted(odd))}"[:200])
    if aliases:
        _refuse_without_subject(dict(reads), text, shape)


def _refuse_without_subject(reads: Mapping[object, object], text: str, shape: Shape) -> None:
    """Refuses a plan that reads tables and neither compares the subject nor has looked it up already."""
    alias, name = _subject(shape)
    column = f"{quoted(alias)}.{quoted(name)}"
    compared = any(f"{column}{word}" in text for word in (" = ", " collate ", "<cache>"))
    if reads.get(alias) not in _KNOWN_BEFORE and not compared:
        raise differs("MariaDB would not look for the subject")


def _subject(shape: Shape) -> Column:
    """The column that the first value is compared with."""
    for each in (shape, *_inner(shape)):
        for term in each.where:
            if isinstance(term, Said) and term.parts[1:] in {(Value(1),), (Said("lower", (Value(1),)),)}:
                column = term.parts[0].parts[0] if isinstance(term.parts[0], Said) else term.parts[0]
                if term.word == "=" and isinstance(column, Column):
                    return column
    raise differs("it has no subject")


def _inner(shape: Shape) -> tuple[Shape, ...]:
    """The shapes of the queries inside it."""
    parts = [part for term in shape.where if isinstance(term, Said) for part in term.parts]
    return tuple(part for part in parts if isinstance(part, Shape))


def _named(shape: Shape) -> Iterator[tuple[str, str]]:
    """Every column of a shape by its alias, without those of the shapes inside."""
    left = [*shape.select, *shape.where, *shape.joins, *shape.order, *shape.group]
    while left:
        term = left.pop()
        if isinstance(term, Column):
            yield term.table, term.name
        elif isinstance(term, Said):
            left += term.parts


def _bare(name: str) -> str:
    return name.replace('""', '"')
