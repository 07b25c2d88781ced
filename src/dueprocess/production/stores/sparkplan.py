"""What Spark says that a query means, compared with what the plan calls for: its analysed plan, whole.

The expected text is made from the shape alone. Nothing may stand in Spark's plan beside it: no table, no column, no
condition, no conversion of a type.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from dueprocess.production.columnkinds import family
from dueprocess.production.stores.examine import Column, Said, Shape, Term, Value, differs
from dueprocess.production.stores.facts import ColumnFacts

_HEAD, _TAIL = "\n== Analyzed Logical Plan ==\n", "\n\n== Optimized Logical Plan ==\n"
_WIDER = r"(?:bigint|int|decimal\(\d+,\d+\))"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tables of a store are, and what is known of them."""

    catalog: str
    database: str
    columns: Callable[[str], Mapping[str, ColumnFacts]]
    as_text: Callable[[ColumnFacts], bool]
    """Whether a column is read as text."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A line of a plan, the plans inside its expression, and the plans below."""

    label: Callable[[], str]
    below: tuple["_Node", ...] = ()
    inside: tuple["_Node", ...] = ()


def refuse_plan(explained: str, shape: Shape, values: Sequence[object], place: Place) -> None:
    """Refuses an explained query whose analysed plan is anything but the shape's."""
    if explained.count(_HEAD) != 1 or explained.count(_TAIL) != 1:
        raise differs("Spark does not say what it means")
    found = explained.partition(_HEAD)[2].partition(_TAIL)[0]
    terms = _ordered(shape)
    absent = [term for term in terms if isinstance(term, Said) and term.word == "null"]
    for nulls in permutations(absent):
        given = iter(nulls)
        where = [next(given) if term in absent else term for term in terms]
        if re.fullmatch(_Expected(place, shape, values, _Numbers()).text(where), found, re.DOTALL):
            return
    raise differs("Spark understands it otherwise")


def _ordered(shape: Shape) -> list[Term]:
    """The conditions: the subject, the window, what must be absent, what must hold a value."""

    def rank(term: Term) -> tuple[int, int]:
        if not isinstance(term, Said):
            return 9, 0
        number = max((part.number for part in term.parts if isinstance(part, Value)), default=1)
        return (
            (1, 0) if term.word == "null" else (0, number) if number < 2 or term.word != "=" else (2, number)
        )

    return sorted(shape.where, key=rank)


class _Numbers:
    """The numbers that Spark gives to columns: open where a column is first named, the same ever after."""

    def __init__(self) -> None:
        self._groups: dict[object, str] = {}

    def of(self, key: object) -> str:
        if key in self._groups:
            return f"(?P={self._groups[key]})L?"
        self._groups[key] = f"n{len(self._groups)}"
        return f"(?P<{self._groups[key]}>\\d+)L?"


class _Expected:
    """The text that is expected of one shape, as a pattern. An inner query has columns of its own."""

    def __init__(self, place: Place, shape: Shape, values: Sequence[object], numbers: _Numbers) -> None:
        self._place, self._shape, self._values, self._numbers = place, shape, values, numbers
        self._tables = dict(shape.tables)

    def text(self, where: Sequence[Term]) -> str:
        names = [_title(term) for term in self._shape.select]
        head = ", ".join(f"{re.escape(name)}: [^\n]*?" for name in names)
        return f"{head}\n" + "".join(_lines(self._whole(where), "", ""))

    # -- the nodes ---------------------------------------------------------------------------------

    def _whole(self, where: Sequence[Term]) -> _Node:
        shape, rows = self._shape, self._filtered(where)
        if shape.group:
            return self._limited(self._doubled(rows))
        if shape.select == (Said("count"),):
            return _Node(lambda: r"Aggregate \[count\(1\) AS count\(1\)#\d+L\]", (rows,))
        select = list(shape.select)
        if not shape.order:
            return self._limited(_Node(lambda: self._project(select), (rows,)))
        missing = [term for term in dict.fromkeys(shape.order) if term not in select]
        read = _Node(lambda: self._project([*select, *missing]), (rows,))
        order = _Node(self._sort, (read,))
        return _Node(lambda: self._project(select, given=True), (order,)) if missing else order

    def rows_of(self, where: Sequence[Term]) -> _Node:
        """The plan of an inner query."""
        return _Node(lambda: self._project(self._shape.select), (self._filtered(where),))

    def _limited(self, node: _Node) -> _Node:
        most = self._shape.limit
        if most is None:
            return node
        return _Node(lambda: f"GlobalLimit {most}", (_Node(lambda: f"LocalLimit {most}", (node,)),))

    def _doubled(self, rows: _Node) -> _Node:
        """``SELECT 1 … GROUP BY key HAVING count(*) > 1``."""
        keys, of = self._shape.group, self._numbers.of
        found = r"1 AS 1#%s, count\(1\) AS count\(1\)#%s"
        group = _Node(
            lambda: rf"Aggregate \[{self._listing(keys)}\], \[{found % (of('one'), of('count'))}\]", (rows,)
        )
        more = _Node(
            lambda: rf"Filter \(count\(1\)#{of('count')} > cast\(1#{of('one')} as bigint\)\)", (group,)
        )
        return _Node(lambda: rf"Project \[1#{of('one')}\]", (more,))

    def _filtered(self, where: Sequence[Term]) -> _Node:
        """The rows of the tables that meet the conditions."""
        source, *others = (self._table(alias, name) for alias, name in self._shape.tables)
        for condition, right in zip(self._shape.joins, others, strict=True):
            source = self._joined(condition, source, right)
        parts = [
            part for term in where if isinstance(term, Said) for part in term.parts if isinstance(part, Shape)
        ]
        inside = [
            _Expected(self._place, part, self._values, self._numbers).rows_of(_ordered(part))
            for part in parts
        ]
        return _Node(lambda: f"Filter {self._all([*map(self._condition, where)])}", (source,), tuple(inside))

    def _joined(self, condition: Term, left: _Node, right: _Node) -> _Node:
        return _Node(lambda: f"Join Inner, {self._condition(condition)}", (left, right))

    def _table(self, alias: str, name: str) -> _Node:
        facts = self._place.columns(name)
        full = r"\.".join(map(_part, (self._place.catalog, self._place.database, name)))
        view = any(each.view for each in facts.values())

        def leaf() -> str:
            columns = r",\s?".join(self._column(Column(alias, each)) for each in facts)
            if view:  # What stands behind it is the operator's own.
                return rf"View \({full}, \[{columns}\]\)(?:\n[ :]*\+?-? *[A-Z][^\n]*)*"
            return rf"(?:Relation {full}|RelationV2)\[{columns}\] [^\n]*"

        named = _Node(lambda: f"SubqueryAlias {full}", (_Node(leaf),))
        return _Node(lambda: f"SubqueryAlias {re.escape(alias)}", (named,))

    # -- their words -------------------------------------------------------------------------------

    def _project(self, terms: Sequence[Term], *, given: bool = False) -> str:
        return rf"Project \[{', '.join(self._listed(term, given=given) for term in terms)}\]"

    def _listed(self, term: Term, *, given: bool) -> str:
        """A column, or a column read as text; where it was ``given`` from below, only its name."""
        if not isinstance(term, Column) or not self._place.as_text(self._facts(term)):
            return self._operand(term, "")
        out = f"{re.escape(term.name)}#\\d+"
        return out if given else rf"cast\({self._column(term)} as string\) AS {out}"

    def _listing(self, terms: Sequence[Term]) -> str:
        return ", ".join(self._operand(term, "") for term in terms)

    def _sort(self) -> str:
        order = ", ".join(f"{self._operand(term, '')} ASC NULLS FIRST" for term in self._shape.order)
        return rf"Sort \[{order}\], true"

    def _all(self, terms: Sequence[str]) -> str:
        """Conditions as Spark's parser joins them: halves of halves."""
        if len(terms) == 1:
            return terms[0]
        middle = (len(terms) - 1) // 2 + 1
        return rf"\({self._all(terms[:middle])} AND {self._all(terms[middle:])}\)"

    def _condition(self, term: Term) -> str:
        if not isinstance(term, Said):
            raise differs("a condition is none")
        if term.word == "null":
            return rf"isnull\({self._operand(term.parts[0], '')}\)"
        if term.word == "in":
            return rf"{self._operand(term.parts[0], '')} IN \(list#\d+ \[\]\)"
        left, right = (self._operand(part, _WIDER) for part in term.parts)
        return rf"\({left} {re.escape(term.word)} {right}\)"

    def _operand(self, term: Term, wider: str) -> str:
        """A column or a value; where two of them are compared, whole numbers may be made ``wider``."""
        if isinstance(term, Said) and term.word == "lower":
            return rf"lower\({self._operand(term.parts[0], '')}\)"
        if isinstance(term, Value):
            text = re.escape(_told(self._values[term.number - 1]))
        elif isinstance(term, Column):
            text = self._column(term)
        else:
            raise differs("a part is missing")
        return rf"(?:cast\()?{text}(?: as {wider}\))?" if wider and self._is_whole(term) else text

    def _is_whole(self, term: Term) -> bool:
        if isinstance(term, Column):
            return family(self._facts(term).kind) in {"whole", "number"}
        return isinstance(term, Value) and isinstance(self._values[term.number - 1], int)

    def _column(self, column: Column) -> str:
        return f"{re.escape(column.name)}#{self._numbers.of((id(self), column))}"

    def _facts(self, column: Column) -> ColumnFacts:
        return self._place.columns(self._tables[column.table])[column.name]


def _lines(node: _Node, first: str, rest: str) -> Iterator[str]:
    """A node and what is below it, in the order in which Spark writes them."""
    yield ("\n" if first else "") + re.escape(first) + node.label()
    side = rest + (":  " if node.below else "   ")
    for each in node.inside:
        yield from _lines(each, f"{side}+- ", f"{side}   ")
    for each in node.below:
        last = each is node.below[-1]
        yield from _lines(each, rest + ("+- " if last else ":- "), rest + ("   " if last else ":  "))


def _title(term: Term) -> str:
    """What a column of the result is called."""
    return term.name if isinstance(term, Column) else "count(1)" if term == Said("count") else str(term)


def _part(name: str) -> str:
    """A part of a table's name, which Spark quotes where it has to."""
    return f"(?:{re.escape(name)}|{re.escape('`' + name.replace('`', '``') + '`')})"


def _told(value: object) -> str:
    """A value as Spark writes it in a plan."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        plain = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        text = plain.isoformat(" ")
        return text.rstrip("0") if plain.microsecond else text
    return value.isoformat() if isinstance(value, dt.date) else str(value)
