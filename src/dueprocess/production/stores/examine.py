"""What an engine is about to run, read by another program than the one that wrote it, and compared with the plan.

DuckDB's own parser reads the text of the query, whatever the engine. What it found is written down as a `Shape`:
tables, select list, conditions, order, and nothing else has a place there. The shape that the plan calls for is
made from the plan, without looking at the text. If the two differ, nothing is read.

Source: https://duckdb.org/docs/stable/data/json/sql_to_and_from_json.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import NamedTuple, cast

import duckdb

from dueprocess.errors import BrokenError

type Node = Mapping[str, object]


class Column(NamedTuple):
    """A column of a table on the path, by the table's alias."""

    table: str
    name: str


class Value(NamedTuple):
    """A place for a value that the driver binds, counted from 1."""

    number: int


class Said(NamedTuple):
    """A condition or function: its word and its parts."""

    word: str
    parts: tuple["Term", ...] = ()


type Term = Column | Value | Said | int | Shape


@dataclass(frozen=True, slots=True)
class Shape:
    """One SELECT, whole. Conditions are joined by AND; their order means nothing."""

    tables: tuple[tuple[str, str], ...]
    """(alias, name)"""
    select: tuple[Term, ...]
    where: frozenset[Term]
    joins: tuple[Term, ...] = ()
    order: tuple[Term, ...] = ()
    group: tuple[Term, ...] = ()
    having: Term | None = None
    limit: int | None = None

    def reads(self) -> frozenset[tuple[str, str]]:
        """Every (table, column) that this names, wherever it stands."""
        names = dict(self.tables)
        found = set[tuple[str, str]]()
        having = [] if self.having is None else [self.having]
        terms = [*self.select, *self.where, *self.joins, *self.order, *self.group, *having]
        for term in terms:
            for each in _leaves(term):
                found |= {(names[each.table], each.name)} if isinstance(each, Column) else each.reads()
        return frozenset(found)


def _leaves(term: Term) -> Iterator["Column | Shape"]:
    if isinstance(term, Column | Shape):
        yield term
    elif isinstance(term, Said):
        for part in term.parts:
            yield from _leaves(part)


def differs(what: str) -> BrokenError:
    """The query is not the plan's: a fault of this program, or of whoever changed it."""
    return BrokenError(
        "query-differs",
        f"A query is not what the plan says: {what}.",
        why="It was read by something other than its generator before it was sent, and nothing was read.",
        do="Do not go on. Report this with the version of the software.",
        source="ARCHITECTURE.md section 1; formats.md, Plan",
    )


def examine(sql: str, wanted: Shape, readings: frozenset[str] = frozenset()) -> None:
    """Refuses a text that is anything but the wanted shape. Places for values are written ``$1``, ``$2`` …

    ``readings`` are functions of one column that the engine may use in the select list to read it.
    """
    found = parsed(sql, readings)
    for part in ("tables", "joins", "where", "select", "order", "group", "having", "limit"):
        if getattr(found, part) != getattr(wanted, part):
            raise differs(f"its {part} differ")


def examine_values(values: Sequence[object], wanted: Sequence[object]) -> None:
    """Refuses values that do not mean what the plan binds, one for one: a wider window hides in no text."""
    if [*map(_meaning, values)] != [*map(_meaning, wanted)]:
        raise differs("its values differ")


def _meaning(value: object) -> object:
    """A value as what it means: engines take times with or without a zone, and 0 and 1 for truth."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, dt.date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


# -- reading ---------------------------------------------------------------------------------------

_NAME = re.compile(r'"(?:[^"\0]|"")*"')
_WORDS = re.compile(r"[A-Za-z0-9_$.,()=<>*' ]*")
_MOST_TEXT = 1_000_000
_COLLATIONS = frozenset({"C", "BINARY", "UTF8_BINARY"}) | {
    f"{characters}_nopad_bin" for characters in ("utf8mb4", "utf8mb3", "latin1", "ascii")
}
"""Compare by bytes, and so let nothing in that the check of each record would not."""
_COMPARISONS = {"COMPARE_EQUAL": "=", "COMPARE_GREATERTHANOREQUALTO": ">=", "COMPARE_LESSTHAN": "<"} | {
    "COMPARE_GREATERTHAN": ">"
}
_TEXTS = frozenset({"VARCHAR", "TEXT", "STRING", "CHAR"})
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "memory_limit": "64MB",
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "lock_configuration": "true",
}
_lock = Lock()
_opened: list[duckdb.DuckDBPyConnection] = []


def _tree(sql: str) -> str:
    """What the parser makes of a text. It runs nothing: it is an empty database of its own, shut off."""
    with _lock:
        if not _opened:
            _opened.append(duckdb.connect(":memory:", config=_SETTINGS))
        row = _opened[0].execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    return str(row[0]) if row else "{}"


@lru_cache(maxsize=512)
def parsed(sql: str, readings: frozenset[str] = frozenset()) -> Shape:
    """The shape of a text. Refuses what has no place in one: OR, UNION, a star, a comment, a second statement."""
    _refuse_odd_text(sql)
    try:
        tree = json.loads(_tree(sql))
    except (duckdb.Error, ValueError, RecursionError) as error:
        raise differs("no parser reads it") from error
    statements = tree.get("statements", [])
    if tree.get("error") or len(statements) != 1:
        raise differs("no parser reads it as one statement")
    return _Reader(readings).select(statements[0]["node"])


def _refuse_odd_text(sql: str) -> None:
    """Outside quoted names, only signs that every engine reads alike: no comment, no second statement, no escape."""
    bare = _NAME.sub("", sql)
    if len(sql) > _MOST_TEXT or not _WORDS.fullmatch(bare):
        raise differs("it holds signs that no query of ours has")


_MUTE = frozenset({"class", "type", "query_location", "query_location_length", "qualified_name"})
_EMPTY: tuple[object, ...] = (None, "", [], False, {"map": []}, "STANDARD_HANDLING")


def _only(node: Node, *known: str) -> None:
    """Refuses a node that says anything beside what is known: an alias, a sample, a second schema."""
    for key, value in node.items():
        if key not in known and key not in _MUTE and value not in _EMPTY:
            raise differs(f"a {key} stands in it")


class _Reader:
    """From the parser's tree to a shape."""

    def __init__(self, readings: frozenset[str]) -> None:
        self._readings = readings
        self._terms: Mapping[str, Callable[[Node], Term]] = {
            "COLUMN_REF": self._reference,
            "PARAMETER": self._parameter,
            "COMPARISON": self._compared,
            "COLLATE": self._collated,
            "OPERATOR": self._null,
            "FUNCTION": self._function,
            "CONSTANT": self._constant,
            "SUBQUERY": self._within,
        }

    def select(self, node: Node) -> Shape:
        if node["type"] != "SELECT_NODE":
            raise differs("it is no plain SELECT")
        known = ("modifiers", "select_list", "from_table", "where_clause", "group_expressions", "group_sets")
        _only(node, *known, "having")
        tables, joins = self._from(_node(node["from_table"]))
        order, limit = self._modifiers(_nodes(node["modifiers"]))
        return Shape(
            tables,
            tuple(self._listed(each) for each in _nodes(node["select_list"])),
            self._where(node["where_clause"]),
            joins,
            order,
            tuple(self.term(each) for each in _nodes(node["group_expressions"])),
            None if node["having"] is None else self.term(_node(node["having"])),
            limit,
        )

    def _from(self, node: Node) -> tuple[tuple[tuple[str, str], ...], tuple[Term, ...]]:
        if node["type"] == "BASE_TABLE":
            _only(node, "alias", "table_name")
            if _node(node["qualified_name"])["path"] != [node["table_name"]]:
                raise differs("a table is named with its schema")
            return ((str(node["alias"]), str(node["table_name"])),), ()
        if node["type"] != "JOIN" or (node["join_type"], node["ref_type"]) != ("INNER", "REGULAR"):
            raise differs("it reads from something else than tables")
        _only(
            node, "left", "right", "condition", "join_type", "ref_type", "nearest_count", "nearest_order_type"
        )
        left, joins = self._from(_node(node["left"]))
        right, more = self._from(_node(node["right"]))
        return (*left, *right), (*joins, *more, self.term(_node(node["condition"])))

    def _where(self, node: object) -> frozenset[Term]:
        if node is None:
            return frozenset()
        top = _node(node)
        if top["type"] != "CONJUNCTION_AND":
            return frozenset({self.term(top)})
        _only(top, "children")
        terms = [(self.term(each), _by_bytes(each)) for each in _nodes(top["children"])]
        if len(set(terms)) != len(terms):
            raise differs("a condition stands in it twice")
        return frozenset(
            term for term, _ in terms
        )  # MariaDB says an equality twice: for the index, and by bytes.

    def _modifiers(self, nodes: Sequence[Node]) -> tuple[tuple[Term, ...], int | None]:
        order, limit = tuple[Term, ...](), None
        for node in nodes:
            if node["type"] == "ORDER_MODIFIER":
                order = tuple(self._ordered(each) for each in _nodes(node["orders"]))
            elif node["type"] == "LIMIT_MODIFIER" and node["limit_type"] == "ROW_COUNT":
                _only(node, "limit", "limit_type")
                limit = self._constant(_node(node["limit"]))
            else:
                raise differs("it is cut or made distinct")
        return order, limit

    def _ordered(self, node: Node) -> Term:
        if (node["type"], node["null_order"]) != ("ORDER_DEFAULT", "ORDER_DEFAULT"):
            raise differs("its order is turned round")
        return self.term(_node(node["expression"]))

    def _listed(self, node: Node) -> Term:
        """A column, read as text or by a function where its engine needs that."""
        if node["class"] == "CAST":
            _only(node, "child", "type_expr")
            kind = _node(node["type_expr"])
            _only(kind, "type_name")
            if str(kind["type_name"]).upper() not in _TEXTS:
                raise differs("it reads a column as another type")
            return self._column(_node(node["child"]))
        if node["class"] == "FUNCTION" and node["function_name"] in self._readings:
            (inner,) = self._arguments(node)
            return self._column(inner)
        return self.term(node)

    def _column(self, node: Node) -> Term:
        term = self.term(node)
        if not isinstance(term, Column):
            raise differs("it reads something else than a column")
        return term

    def term(self, node: Node) -> Term:
        read = self._terms.get(str(node["class"]))
        if read is None:
            raise differs(f"a {node['class']} stands in it")
        return read(node)

    def _reference(self, node: Node) -> Term:
        _only(node, "column_names")
        names = node["column_names"]
        if not isinstance(names, list) or len(names) != 2:
            raise differs("a column stands in it without its table")
        return Column(str(names[0]), str(names[1]))

    def _parameter(self, node: Node) -> Term:
        _only(node, "identifier")
        return Value(int(str(node["identifier"])))

    def _compared(self, node: Node) -> Term:
        """An equality, an end of a window, or the ``count(*) > 1`` of a check for doubled keys."""
        _only(node, "left", "right")
        word = _COMPARISONS.get(str(node["type"]))
        if word is None:
            raise differs(f"it compares by {node['type']}")
        return Said(word, (self.term(_node(node["left"])), self.term(_node(node["right"]))))

    def _collated(self, node: Node) -> Term:
        _only(node, "child", "collation")
        if node["collation"] not in _COLLATIONS:
            raise differs("it compares by a collation")
        return self._column(_node(node["child"]))

    def _null(self, node: Node) -> Term:
        _only(node, "children")
        if node["type"] != "OPERATOR_IS_NULL":
            raise differs(f"an {node['type']} stands in it")
        return Said("null", tuple(self.term(each) for each in _nodes(node["children"])))

    def _function(self, node: Node) -> Term:
        name = str(node["function_name"])
        if name == "count_star":
            _only(node, "function_name", "order_bys")
            return Said("count")
        if name != "lower":
            raise differs(f"it calls {name}")
        return Said("lower", tuple(self.term(each) for each in self._arguments(node)))

    def _arguments(self, node: Node) -> list[Node]:
        _only(node, "function_name", "arguments", "order_bys")
        if _node(node["order_bys"])["orders"] != []:
            raise differs("a function in it has an order")
        return [_node(each["expression"]) for each in _nodes(node["arguments"])]

    def _constant(self, node: Node) -> int:
        _only(node, "literal")
        literal = _node(node["literal"])
        if literal["kind"] != "INTEGER":
            raise differs("a value stands in it instead of a place for one")
        return int(str(literal["text"]))

    def _within(self, node: Node) -> Term:
        _only(node, "subquery_type", "subquery", "child", "comparison_type")
        if (node["subquery_type"], node["comparison_type"]) != ("ANY", "COMPARE_EQUAL"):
            raise differs("a query stands in it")
        inner = self.select(_node(_node(node["subquery"])["node"]))
        return Said("in", (self.term(_node(node["child"])), inner))


def _by_bytes(condition: Node) -> bool:
    """Whether the left side of a comparison is a column under a collation."""
    left = condition.get("left")
    return isinstance(left, dict) and left.get("class") == "COLLATE"


def _node(value: object) -> Node:
    if not isinstance(value, dict):
        raise differs("a part is missing")
    return cast("Node", value)


def _nodes(value: object) -> list[Node]:
    if not isinstance(value, list):
        raise differs("a part is missing")
    return [_node(each) for each in value]
