"""From a target that is no account to the account's own name: texts, and the shapes that examine them.

Three questions beside the one of `wording`: to whom an address belonged at an instant, what an account is called
whose key is known, and who owns a thing. Each begins at one exact value and is cut at a fixed number of rows, so
that nobody learns how many there are.
"""

import ipaddress
from collections.abc import Sequence

from dueprocess.plan import (
    Interval,
    Moment,
    Owners,
    TargetQuery,
    TargetRoute,
    bounds,
    moment_of,
    parse_moment,
)
from dueprocess.plan.window import micros
from dueprocess.production.stores.arrow import Raw
from dueprocess.production.stores.examine import Column, Said, Shape, Term, Value
from dueprocess.production.stores.facts import Subject
from dueprocess.production.stores.wording import Wording

MOST_INTERVALS = 8
"""Rows of an interval table that are looked at; neighbours of the instant may be among them, so more than two."""
MOST_OWNERS = 100
"""Accounts that one thing may be owned by (formats.md, Scope)."""


class Naming(Wording):
    """The texts. Columns of a route are ``t0``'s, those of the accounts that own a thing ``t1``'s."""

    def holding(self, route: TargetRoute, *, lasting: bool) -> str:
        """Rows that may say to whom an address belonged; ``lasting``: those without an end."""
        interval = _interval(route)
        since, until = (self._at_route(route, name) for name in (interval.since, interval.until))
        if interval.unit == "iso":
            since = self.by_bytes(since, self._facts(route.table, interval.since))
            until = self.by_bytes(until, self._facts(route.table, interval.until))
        where = [*self._named(route), f"{since} < {self.mark}"]
        where.append(f"{until} IS NULL" if lasting else f"{until} >= {self.mark}")
        if interval.port_from is not None and interval.port_to is not None:
            where.append(f"{self._at_route(route, interval.port_from)} < {self.mark}")
            where.append(f"{self._at_route(route, interval.port_to)} >= {self.mark}")
        return self._selecting(route, _held_columns(route), where, MOST_INTERVALS)

    def calling(self, route: TargetRoute) -> str:
        """The name, at most two, of an account whose key is known."""
        where = [self.equal(self._at_route(route, route.subject), self._facts(route.table, route.subject))]
        return self._selecting(route, _columns(route), [*where, *self._counting(route)], 2)

    def owning(self, owners: Owners) -> str:
        """The names of the accounts that own a thing, one more than may be at most."""
        fixed = [name for name, _ in owners.equals]
        said = {name: f"t0.{self._column(owners.table, name)}" for name in (owners.resource, *fixed)}
        select = [
            self.reading(said[owners.resource], self._facts(owners.table, owners.resource)),
            self.reading(
                f"t1.{self._column(owners.accounts, owners.name)}", self._facts(owners.accounts, owners.name)
            ),
            *(self.reading(said[name], self._facts(owners.table, name)) for name in fixed),
        ]
        where = [
            self.equal(said[name], self._facts(owners.table, name)) for name in (owners.resource, *fixed)
        ]
        key = f"t0.{self._column(owners.table, owners.subject)} = t1.{self._column(owners.accounts, owners.key)}"
        return (
            f"SELECT {', '.join(select)} FROM {self.named(owners.table)} t0 "  # noqa: S608  # names are from the live schema and quoted, values are bound
            f"JOIN {self.named(owners.accounts)} t1 ON {key} WHERE {' AND '.join(where)} LIMIT {MOST_OWNERS + 1}"
        )

    def holding_values(self, query: TargetQuery, *, lasting: bool) -> Sequence[object]:
        """What the places of ``holding`` are given, as the driver takes it."""
        interval = _interval(query.route)
        columns = [interval.since] if lasting else [interval.since, interval.until]
        given = list(holding_values(query, lasting=lasting))
        first = 1 + len(query.route.equals)
        for place, name in enumerate(columns, start=first):
            given[place] = self.bound(given[place], interval.unit, self._facts(query.route.table, name))
        return given

    def _selecting(self, route: TargetRoute, names: Sequence[str], where: Sequence[str], most: int) -> str:
        select = [self.reading(self._at_route(route, name), self._facts(route.table, name)) for name in names]
        return f"SELECT {', '.join(select)} FROM {self.named(route.table)} t0 WHERE {' AND '.join(where)} LIMIT {most}"  # noqa: S608  # as above

    def _named(self, route: TargetRoute) -> list[str]:
        named = self.equal(self._at_route(route, route.column), self._facts(route.table, route.column))
        return [named, *self._counting(route)]

    def _counting(self, route: TargetRoute) -> list[str]:
        """Which rows count at all."""
        where = [f"{self._at_route(route, name)} IS NULL" for name in route.absent]
        fixed = [name for name, _ in route.equals]
        return where + [
            self.equal(self._at_route(route, name), self._facts(route.table, name)) for name in fixed
        ]

    def _at_route(self, route: TargetRoute, name: str) -> str:
        return f"t0.{self._column(route.table, name)}"


# -- the shapes ------------------------------------------------------------------------------------


def holding_shape(route: TargetRoute, *, lasting: bool) -> Shape:
    """One address, the rows that count, and ends around one instant (and port)."""
    interval, place = _interval(route), 2 + len(route.equals)
    where = [_is(route.column, 1), *_that_count(route), _than("<", interval.since, place)]
    if lasting:
        where.append(Said("null", (Column("t0", interval.until),)))
    else:
        place += 1
        where.append(_than(">=", interval.until, place))
    if interval.port_from is not None and interval.port_to is not None:
        where += [_than("<", interval.port_from, place + 1), _than(">=", interval.port_to, place + 2)]
    return _of(route, _held_columns(route), where, MOST_INTERVALS)


def calling_shape(route: TargetRoute) -> Shape:
    """One key, and the rows that count."""
    return _of(route, _columns(route), [_is(route.subject, 1), *_that_count(route)], 2)


def owning_shape(owners: Owners) -> Shape:
    """One thing, the rows that make an owner, and each one's account by its key."""
    fixed = [name for name, _ in owners.equals]
    where = [_is(owners.resource, 1), *(_is(name, number) for number, name in enumerate(fixed, start=2))]
    select = (
        Column("t0", owners.resource),
        Column("t1", owners.name),
        *(Column("t0", name) for name in fixed),
    )
    joined = Said("=", (Column("t0", owners.subject), Column("t1", owners.key)))
    tables = (("t0", owners.table), ("t1", owners.accounts))
    return Shape(tables, select, frozenset(where), (joined,), limit=MOST_OWNERS + 1)


def holding_values(query: TargetQuery, *, lasting: bool) -> Sequence[object]:
    """What the places of ``holding_shape`` are given: a little more than the instant, the rest is cut by `held`."""
    interval, moment = _interval(query.route), told(query)
    first, beyond = bounds(moment.window, interval.unit)
    ends: list[object] = [beyond] if lasting else [beyond, first]
    ports = [moment.port + 1, moment.port] if moment.port is not None and interval.port_from else []
    return [str(moment.address), *(value for _, value in query.route.equals), *ends, *ports]


def calling_values(route: TargetRoute, subject: Subject) -> Sequence[object]:
    """What the places of ``calling_shape`` are given."""
    return [subject, *(value for _, value in route.equals)]


def owning_values(owners: Owners, subject: Subject) -> Sequence[object]:
    """What the places of ``owning_shape`` are given."""
    return [subject, *(value for _, value in owners.equals)]


# -- what came back --------------------------------------------------------------------------------


def told(query: TargetQuery) -> Moment:
    """Address and instant of the paper. Refuses one without a port where the map says that people share addresses."""
    return parse_moment(query.value, shared=_interval(query.route).port_from is not None)


def held(query: TargetQuery, row: Raw) -> bool:
    """Whether this row gives the address to its account at the instant, by its own values."""
    moment, interval, route = told(query), _interval(query.route), query.route
    at = 2 + len(route.absent) + len(route.equals)
    since, until, *ports = row[at:]
    now = micros(moment.at)
    began = moment_of(since, interval.unit) <= now
    lasts = until is None or until == "infinity" or now < moment_of(until, interval.unit)
    return _is_address(row[0], moment) and began and lasts and _shares(ports, moment.port)


def _shares(ports: Sequence[object], port: int | None) -> bool:
    if not ports or port is None:
        return not ports
    first, last = ports
    return isinstance(first, int) and isinstance(last, int) and first <= port <= last


def _is_address(value: object, moment: Moment) -> bool:
    try:
        return ipaddress.ip_address(str(value)) == moment.address
    except ValueError:
        return False


def _interval(route: TargetRoute) -> Interval:
    assert route.interval is not None  # the parser of maps has looked
    return route.interval


def _columns(route: TargetRoute) -> tuple[str, ...]:
    return (route.column, route.subject, *route.absent, *(name for name, _ in route.equals))


def _held_columns(route: TargetRoute) -> tuple[str, ...]:
    interval = _interval(route)
    ports = [each for each in (interval.port_from, interval.port_to) if each is not None]
    return (*_columns(route), interval.since, interval.until, *ports)


def _that_count(route: TargetRoute) -> list[Term]:
    fixed = [name for name, _ in route.equals]
    absent: list[Term] = [Said("null", (Column("t0", name),)) for name in route.absent]
    return absent + [_is(name, number) for number, name in enumerate(fixed, start=2)]


def _of(route: TargetRoute, names: Sequence[str], where: Sequence[Term], most: int) -> Shape:
    select = tuple(Column("t0", name) for name in names)
    return Shape((("t0", route.table),), select, frozenset(where), limit=most)


def _is(name: str, number: int) -> Term:
    return _than("=", name, number)


def _than(word: str, name: str, number: int) -> Term:
    return Said(word, (Column("t0", name), Value(number)))
