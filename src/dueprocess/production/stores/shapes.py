"""The shapes that a plan calls for: what each query must be, said without writing it.

The generator of the texts (``wording``) and this module share nothing but the plan.
"""

from collections.abc import Sequence

from dueprocess.plan import Bound, TableQuery, TargetQuery, TargetRoute, bounds
from dueprocess.production.stores.examine import Column, Said, Shape, Term, Value
from dueprocess.production.stores.facts import Subject


def rows_shape(query: TableQuery) -> Shape:
    """Controls and planned columns of one subject's rows, in the plan's order, and nothing else."""
    path = query.path
    select = [Column(_alias(query, path.subject_table), path.subject)]
    select += [_time(query)] if path.time is not None else []
    select += [Column("t0", name) for name in (*path.absent, *(name for name, _ in path.equals))]
    select += [Column("t0", column.name) for column in query.columns]
    order = tuple(
        _time(query) if path.time is not None and name == path.time.column else Column("t0", name)
        for name in query.order
    )
    return Shape(_tables(query), tuple(select), frozenset(_conditions(query)), _joins(query), order)


def count_shape(query: TableQuery) -> Shape:
    """How many rows that is."""
    return Shape(_tables(query), (Said("count"),), frozenset(_conditions(query)), _joins(query))


def fan_out_shape(query: TableQuery, number: int) -> Shape:
    """Whether a key that this subject's rows use stands twice in the table of hop ``number`` (from 1)."""
    hop = query.path.hops[number - 1]
    subject = Said("=", (Column(_alias(query, query.path.subject_table), query.path.subject), Value(1)))
    keys = Shape(_tables(query), (Column(f"t{number}", hop.foreign),), frozenset({subject}), _joins(query))
    key = Column("k", hop.foreign)
    return Shape(
        (("k", hop.table),),
        (1,),
        frozenset({Said("in", (key, keys))}),
        group=(key,),
        having=Said(">", (Said("count"), 1)),
        limit=1,
    )


def target_shape(route: TargetRoute) -> Shape:
    """The rows, at most two, that a target names."""
    column, fixed = Column("t0", route.column), [name for name, _ in route.equals]
    select = [column, Column("t0", route.subject), *(Column("t0", name) for name in (*route.absent, *fixed))]
    named = Said("=", (column, Value(1)))
    if route.compare == "ignore_case":
        named = Said("=", (Said("lower", (column,)), Said("lower", (Value(1),))))
    where: list[Term] = [named, *(Said("null", (Column("t0", name),)) for name in route.absent)]
    where += [Said("=", (Column("t0", name), Value(number))) for number, name in enumerate(fixed, start=2)]
    return Shape((("t0", route.table),), tuple(select), frozenset(where), limit=2)


def rows_values(query: TableQuery, subject: Subject) -> Sequence[object]:
    """What the places of ``rows_shape`` and ``count_shape`` are given."""
    return [subject, *window_bounds(query), *(value for _, value in query.path.equals)]


def window_bounds(query: TableQuery) -> tuple[Bound, ...]:
    """First value inside and first beyond; none where the rows carry no times."""
    time = query.path.time
    return () if time is None or query.window is None else bounds(query.window, time.unit, time.zone)


def target_values(query: TargetQuery) -> Sequence[object]:
    """What the places of ``target_shape`` are given."""
    return [query.value, *(value for _, value in query.route.equals)]


def _conditions(query: TableQuery) -> list[Term]:
    path = query.path
    found: list[Term] = [Said("=", (Column(_alias(query, path.subject_table), path.subject), Value(1)))]
    if path.time is not None:
        found += [Said(">=", (_time(query), Value(2))), Said("<", (_time(query), Value(3)))]
    found += [Said("null", (Column("t0", name),)) for name in path.absent]
    first = 2 if path.time is None else 4
    fixed = enumerate((name for name, _ in path.equals), start=first)
    return [*found, *(Said("=", (Column("t0", name), Value(number))) for number, name in fixed)]


def _time(query: TableQuery) -> Column:
    assert query.path.time is not None
    return Column(_alias(query, query.path.time.table), query.path.time.column)


def _tables(query: TableQuery) -> tuple[tuple[str, str], ...]:
    names = [query.path.table, *(hop.table for hop in query.path.hops)]
    return tuple((f"t{number}", name) for number, name in enumerate(names))


def _joins(query: TableQuery) -> tuple[Term, ...]:
    return tuple(
        Said("=", (Column(f"t{number}", hop.on), Column(f"t{number + 1}", hop.foreign)))
        for number, hop in enumerate(query.path.hops)
    )


def _alias(query: TableQuery, table: str) -> str:
    """The alias of a table on the path. A table stands on a path once."""
    return next(alias for alias, name in _tables(query) if name == table)
