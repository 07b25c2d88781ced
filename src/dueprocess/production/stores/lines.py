"""Text files as a store: a record is a line that the map's pattern matches whole, its named groups are the columns.

There is no engine between the map and the bytes, so there is no query text that another reader could examine first.
What stands in for that: records are chosen here by plain equality, line by line; then `check.checked`, which knows
nothing of lines, patterns or hops, looks at the subject, the window and the fixed columns of each record again, as
the line itself has them, and drops every column that the plan does not name.

Every question reads the files from the beginning, in bounded memory. A pattern that takes more than proportional time
is the operator's own: lines beyond `Limits.line_bytes` are not matched, and count as unread.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.plan import Equalities, Hop, LinesTable, TableQuery, TargetQuery
from dueprocess.production.stores.check import checked
from dueprocess.production.stores.facts import Checked, ColumnFacts, Subject
from dueprocess.production.stores.linefiles import Limits, LogFile, Trouble, lines_of, opened_files
from dueprocess.production.stores.linerecords import (
    OVERHEAD,
    TIME,
    Owner,
    Record,
    Row,
    Value,
    in_window,
    may_be_inside,
    order_of,
    parts_of,
    raw_of,
    row_of,
)
from dueprocess.production.stores.linetimes import Clock, clock_for
from dueprocess.production.stores.refusals import ambiguous, too_many

type Wanted = Callable[[re.Match[str]], bool]


@dataclass(slots=True)
class _Keys:
    """The keys of one hop that lead to the subject, and those that may lead to somebody else as well."""

    mine: dict[str, Owner]
    doubtful: set[str]


class LinesStore:
    """A folder of text files, opened for reading. Each question opens them anew and sees one moment of them."""

    slow = False

    def __init__(
        self, name: str, root: Path, lines: Sequence[LinesTable], limits: Limits | None = None
    ) -> None:
        self.name = name
        self._root = root.resolve()
        self._tables = {table.name: table for table in lines}
        self._patterns = {table.name: re.compile(table.pattern) for table in lines}
        self._limits = limits or Limits()
        if not self._root.is_dir():
            raise UnavailableError(
                "store-unavailable",
                f"The folder of the store {name!r} is not there.",
                do="Check the path, and that this user may read it.",
            )

    # -- the protocol ------------------------------------------------------------------------------

    def resolve(self, query: TargetQuery) -> Subject | None:
        """The one subject, or None. Refuses two, and an answer from files that could not be read whole.

        Text files hold no intervals of addresses and no owners of things: such routes are refused.
        """
        route = query.route
        if route.interval is not None or route.owners is not None:
            raise UnavailableError(
                "no-such-route",
                f"Text files cannot answer a target of the kind {route.kind!r}.",
                do="Load them into a database, and point the route there.",
            )
        needles = _texts(self.name, route.equals)
        needles += [query.value.encode()] if route.compare == "exact" else []
        trouble, found = Trouble(), list[Record]()
        for record in self._records(route.table, needles, _naming(query), trouble):
            found.append(record)
            if len(found) > 1:
                raise ambiguous()
        _raise(trouble)
        if not found:
            self._refuse_strange(route.table)
        return _subject(found[0].value(route.subject)) if found else None

    def batches(self, query: TableQuery, subject: Subject) -> Iterator[Checked]:
        """The subject's records in order; then what could not be read, as an error: it never looks like nothing."""
        if not isinstance(subject, str):
            raise UnavailableError(
                "bad-subject",
                f"The store {self.name!r} holds text, and the account's key is a number.",
                do="Let the account's route end at the name that the lines carry.",
            )
        trouble = Trouble()
        rows = self._rows(query, subject, trouble)
        if not rows:
            for table in (query.table, *(hop.table for hop in query.path.hops)):
                self._refuse_strange(table)
        rows.sort(key=lambda row: order_of(query, row))
        for part in parts_of(rows):
            yield checked(query, subject, raw_of(query, part))
        _raise(trouble)

    def columns(self, table: str) -> Mapping[str, ColumnFacts]:
        """The groups of the table's pattern; empty where no file has such a name, or no line such a form."""
        if table not in self._tables:
            return {}
        try:
            self._refuse_strange(table)
        except UnavailableError as error:
            if error.code not in ("no-files", "no-lines"):
                raise
            return {}
        kinds = {TIME: "timestamp with time zone"}
        groups = self._patterns[table].groupindex
        return {name: ColumnFacts(kinds.get(name, "text"), None, None) for name in groups}

    def has_twice(self, table: str, column: str) -> bool:
        """Whether two lines share a value, told by 64 bits of it."""
        seen = self._hashes(table, column)
        return int(pc.count_distinct(seen).as_py()) < len(seen)

    def meets(self, table: str, column: str, other: str, key: str) -> bool:
        values = self._hashes(table, column)
        return not len(values) or bool(pc.any(pc.is_in(values, value_set=self._hashes(other, key))).as_py())

    def text(self, query: TableQuery) -> str:
        """What is read, in a sentence. There is no query that is sent."""
        path = query.path
        said = [f"{hop.table}.{hop.foreign} is the line's {hop.on}" for hop in path.hops[:1]]
        said += [f"{two.table}.{two.foreign} is {one.table}.{two.on}" for one, two in pairwise(path.hops)]
        said += [f"{path.subject_table}.{path.subject} is the account"]
        said += [f"{path.time.table}.{path.time.column} lies in the window"] if path.time else []
        said += [f"{name} is not there" for name in path.absent]
        said += [f"{name} is {value!r}" for name, value in path.equals]
        names = ", ".join(column.name for column in query.columns)
        files = self._table(query.table).files
        return f"-- lines of {files} are read, no query is sent: {names} of each {query.table} where {', '.join(said)}"

    def close(self) -> None:
        """Nothing stays open between questions."""

    # -- lines -------------------------------------------------------------------------------------

    def _table(self, name: str) -> LinesTable:
        if name not in self._tables:
            raise UnavailableError(
                "map-drift",
                f"The data map says of no lines that they are {name[:80]!r}.",
                do="Run `dueprocess datamap check`.",
            )
        return self._tables[name]

    def _records(
        self, name: str, needles: Sequence[bytes], wanted: Wanted, trouble: Trouble
    ) -> Iterator[Record]:
        """The wanted records of every file, the oldest file first. ``needles`` are bytes that each of them holds."""
        table = self._table(name)
        with opened_files(self._root, table.files, self._limits, trouble) as files:
            for file in files:
                clock, held, weight = clock_for(table, file.written), list[tuple[re.Match[str], int]](), 0
                for match in self._matches(table, file, clock, needles, trouble):
                    if wanted(match):
                        held.append((match, clock.taken(match[TIME] or "") if table.stamp else 0))
                        weight = self._weighed(weight + len(match.string) + OVERHEAD)
                if held and clock.lost:
                    trouble.file(file.name, "names no year, and its own date is not that of its last line")
                for match, taken in held:
                    stamp = match[TIME] if table.stamp else None
                    yield Record(match, clock.meanings(stamp, taken) if stamp is not None else None)

    def _matches(
        self, table: LinesTable, file: LogFile, clock: Clock, needles: Sequence[bytes], trouble: Trouble
    ) -> Iterator[re.Match[str]]:
        """Each line of one file that the pattern matches whole and that holds every needle."""
        match_whole, needle = self._patterns[table.name].fullmatch, max(needles, key=len, default=b"")
        for line in lines_of(file, self._limits, needle, trouble, every=clock.sees_every_line):
            clock.see(line)
            if all(each in line for each in needles):
                match = match_whole(line.decode("utf-8", "surrogateescape"))
                if match is not None:
                    yield match

    def _refuse_strange(self, name: str) -> None:
        """Refuses files of which no line has the form that the pattern wants: that is no proof that nothing is held."""
        table = self._table(name)
        with opened_files(self._root, table.files, self._limits, Trouble()) as files:
            for file in reversed(files):
                clock = clock_for(table, file.written)
                if any(True for _ in self._matches(table, file, clock, [], Trouble())):
                    return
        raise UnavailableError(
            "no-lines",
            f"No line of the files {table.files!r} has the form of {name!r}.",
            why="Nothing would ever be found, whoever is asked about.",
            do="Compare `pattern` with the lines that your version writes.",
        )

    def _weighed(self, weight: int) -> int:
        """The same weight. Refuses more than may wait in memory."""
        if weight > self._limits.held_bytes:
            raise UnavailableError(
                "too-big-to-sort",
                "The records of this account do not fit into the memory that sorting may take.",
                do="Narrow the window, or keep fewer files in the folder.",
            )
        return weight

    def _rows(self, query: TableQuery, subject: str, trouble: Trouble) -> list[Row]:
        """Every record of the subject inside the window. Refuses more than the cap."""
        rows, weight = list[Row](), 0
        for record, owner in self._owned(query, subject, trouble):
            row = row_of(query, record, owner)
            try:
                if row is None or not in_window(query, row):
                    trouble.lines += row is None
                    continue
            except MalformedError:
                trouble.lines += 1
                continue
            rows.append(row)
            weight = self._weighed(weight + row.weight)
            if len(rows) > query.cap:
                raise too_many(query)
        return rows

    def _owned(self, query: TableQuery, subject: str, trouble: Trouble) -> Iterator[tuple[Record, Owner]]:
        """Each line that leads to the subject and that the map lets count."""
        path, fixed = query.path, _fixed(query)
        needles = _texts(self.name, path.equals)
        if not path.hops:
            own = _both(fixed, lambda match: match[path.subject] == subject)
            for record in self._records(path.table, [*needles, subject.encode()], own, trouble):
                yield record, Owner(record.value(path.subject), {path.table: record})
            return
        keys, on = self._keys(query, subject, trouble), path.hops[0].on
        known = keys.mine.keys() | keys.doubtful
        wanted = _both(fixed, lambda match: match[on] in known)
        for record in self._records(path.table, needles, wanted, trouble):
            key = str(record.text(on))
            if key not in keys.doubtful:
                yield record, keys.mine[key].behind(path.table, record)
            elif may_be_inside(query, record):
                trouble.doubtful += 1

    # -- hops --------------------------------------------------------------------------------------

    def _keys(self, query: TableQuery, subject: str, trouble: Trouble) -> _Keys:
        """The keys by which the first table's lines lead to the subject, found from the subject backwards.

        Logs use their keys again after a while. One that any other line has too, of another account or of none, is
        doubtful: its lines are left out and counted, because nothing says whose they are.
        """
        keys = self._first_keys(query, subject, trouble)
        for number in range(len(query.path.hops) - 1, 0, -1):
            keys = self._next_keys(query, number, keys, trouble)
        return keys

    def _first_keys(self, query: TableQuery, subject: str, trouble: Trouble) -> _Keys:
        """Keys of the subject's own lines, without those that other lines have too."""
        column, hop = query.path.subject, query.path.hops[-1]
        keys, timed = _Keys({}, set()), _gives_time(query, hop)
        own = self._records(hop.table, [subject.encode()], lambda match: match[column] == subject, trouble)
        for record in own:
            owner = Owner(record.value(column), {hop.table: record})
            self._claim(keys, record.text(hop.foreign), owner, timed=timed)
        self._doubt(keys, hop, lambda match: match[column] != subject, trouble)
        return keys

    def _next_keys(self, query: TableQuery, number: int, before: _Keys, trouble: Trouble) -> _Keys:
        """Keys of hop ``number`` (from 1) whose lines lead to the keys ``before``, without those that others have."""
        hop, on = query.path.hops[number - 1], query.path.hops[number].on
        keys, timed = _Keys({}, set()), _gives_time(query, hop)
        known = before.mine.keys() | before.doubtful
        for record in self._records(hop.table, [], lambda match: match[on] in known, trouble):
            key, found = record.text(hop.foreign), str(record.text(on))
            if found not in before.doubtful:
                self._claim(keys, key, before.mine[found].behind(hop.table, record), timed=timed)
            elif key is not None:
                keys.doubtful.add(key)
        self._doubt(keys, hop, lambda match: match[on] not in known, trouble)
        return keys

    def _doubt(self, keys: _Keys, hop: Hop, others: Wanted, trouble: Trouble) -> None:
        """Marks each key that a line of somebody else has too, or a line of nobody."""
        if not keys.mine:
            return
        again = Trouble()
        wanted = _both(others, lambda match: match[hop.foreign] in keys.mine)
        keys.doubtful |= {str(each.text(hop.foreign)) for each in self._records(hop.table, [], wanted, again)}
        trouble.add(again)

    def _claim(self, keys: _Keys, key: str | None, owner: Owner, *, timed: bool) -> None:
        """Notes a key of the subject's. One that stands twice is in doubt where its line gives the time."""
        if key is None:
            return
        if timed and key in keys.mine:
            keys.doubtful.add(key)
        keys.mine[key] = owner
        if len(keys.mine) > self._limits.keys:
            raise UnavailableError(
                "too-many-keys", f"More than {self._limits.keys} keys lead to this account's lines."
            )

    # -- questions about a whole column --------------------------------------------------------------

    def _hashes(self, table: str, column: str) -> pa.Array:
        """64 bits of each value of a column, in memory at eight bytes each."""
        if column not in self._patterns[self._table(table).name].groupindex:
            raise UnavailableError(
                "map-drift", f"No group of the pattern of {table!r} is called {column[:80]!r}."
            )
        trouble, found = Trouble(), array("q")

        def noted(match: re.Match[str]) -> bool:
            if match[column] is not None:
                found.append(hash(match[column]))
            if len(found) > self._limits.values:
                raise UnavailableError("too-big-to-check", f"{table!r} has too many lines for this question.")
            return False

        for _ in self._records(table, [], noted, trouble):
            """No record is kept."""
        _raise(trouble)
        return pa.Array.from_buffers(pa.int64(), len(found), [None, pa.py_buffer(found.tobytes())])


# ------------------------------------------------------------------------------------------- conditions


def _fixed(query: TableQuery) -> Wanted:
    """Whether a line is one that the map lets count."""
    absent, equals = query.path.absent, query.path.equals
    return lambda match: (
        all(match[name] is None for name in absent) and all(match[name] == value for name, value in equals)
    )


def _both(one: Wanted, two: Wanted) -> Wanted:
    return lambda match: two(match) and one(match)


def _naming(query: TargetQuery) -> Wanted:
    """Whether a line names the target and counts, told apart as the platform does."""
    route, name = query.route, query.value
    folded = name.lower()

    def names(match: re.Match[str]) -> bool:
        text: str | None = match[route.column]
        if text is None or any(match[each] is not None for each in route.absent):
            return False
        if any(match[each] != value for each, value in route.equals):
            return False
        return text == name if route.compare == "exact" else text.lower() == folded

    return names


def _texts(store: str, equals: Equalities) -> list[bytes]:
    """The fixed values as bytes. Refuses what no text is: nothing would ever equal it, as if nothing were held."""
    for name, value in equals:
        if not isinstance(value, str):
            raise UnavailableError(
                "bad-constant",
                f"The store {store!r} holds text, and the data map compares {name!r} with {value!r}.",
                do="Write the value in quotes.",
            )
    return [str(value).encode() for _, value in equals]


def _gives_time(query: TableQuery, hop: Hop) -> bool:
    return query.path.time is not None and query.path.time.table == hop.table


def _subject(value: Value) -> str:
    if isinstance(value, str) and value:
        return value
    raise UnavailableError("bad-subject", "The subject of this line is not there, or is no text.")


def _raise(trouble: Trouble) -> None:
    if (error := trouble.error()) is not None:
        raise error
