"""Spark, through Spark Connect: a lake's tables, read with values bound apart and rows that come as Arrow.

Only SELECT is ever sent. Spark's own analysed plan is compared with the plan before a query runs (``sparkplan``).
There is no snapshot over several questions: a table that is written while it is read may be seen in two states, as
far as its format allows that.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa

from dueprocess.errors import UnavailableError
from dueprocess.plan import TableQuery, TimeUnit
from dueprocess.production.columnkinds import can_serve, family
from dueprocess.production.stores.arrow import Raw
from dueprocess.production.stores.examine import Shape
from dueprocess.production.stores.facts import ColumnFacts, Subject
from dueprocess.production.stores.sparkplan import Place, refuse_plan
from dueprocess.production.stores.sparkwire import Link, address
from dueprocess.production.stores.sql import SqlStore
from dueprocess.production.stores.wording import quoted

TIMEOUT = 1800.0
"""Seconds that a question may take until its last record has come."""

SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.parquet.respectSummaryFiles": "false",
    "spark.sql.variable.substitute": "false",
    "spark.sql.readSideCharPadding": "false",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.debug.maxToStringFields": "1000000",
    "spark.sql.maxPlanStringLength": "100000000",
    "spark.sql.execution.arrow.compression.codec": "none",
}
"""Pinned and read back. Two of them would let missing or broken files pass for records that are not there."""

_NAME = re.compile(r"(`(?:[^`]|``)*`)")
_AS_TEXT = ("interval", "variant", "geometry", "geography")


class SparkStore(SqlStore):
    """One session on a Spark Connect server: ``spark://host:port/catalog.database?token=…`` (``sparkwire.address``)."""

    slow = True

    def __init__(
        self, name: str, where: str, reader: str = "dueprocess", *, timeout: float = TIMEOUT
    ) -> None:
        """``reader`` is the user's name on the server where no token says who it is."""
        super().__init__(name)
        place = address(name, where)
        self.place = Place(place.catalog, place.database, self.columns, _as_text)
        self.link = Link(name, place, reader, timeout)
        try:
            self._pin()
        except BaseException:
            self.link.close()
            raise

    def _pin(self) -> None:
        found = self.link.set(SETTINGS)
        for setting, value in SETTINGS.items():
            if found.get(setting) != value:
                raise UnavailableError(
                    "store-setting", f"The store {self.name!r} does not keep {setting} at {value!r}."
                )
        wanted = (self.place.catalog, self.place.database)
        if self.link.use(*wanted) != wanted:
            raise UnavailableError("store-setting", f"The store {self.name!r} does not go to its database.")

    # -- the text of a query -----------------------------------------------------------------------

    def named(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def numbered(self, sql: str) -> str:
        """The text as the parser reads it: Spark quotes names in another way."""
        pieces = _NAME.split(sql)
        pieces[1::2] = [quoted(piece[1:-1].replace("``", "`")) for piece in pieces[1::2]]
        return super().numbered("".join(pieces))

    def reading(self, expression: str, facts: ColumnFacts, /) -> str:
        """Types that Arrow has not are read as the text that Spark writes for them."""
        return f"CAST({expression} AS STRING)" if _as_text(facts) else expression

    def values(self, query: TableQuery, subject: Subject) -> Sequence[object]:
        """Refuses a key or an end of the window of another kind than its column: Spark would convert every row."""
        kind = family(self._facts(query.path.subject_table, query.path.subject).kind)
        if kind not in ({"text"} if isinstance(subject, str) else {"whole", "number"}):
            raise UnavailableError(
                "bad-subject", "The key of the account and the column it is looked for in differ in kind."
            )
        return super().values(query, subject)

    def bound(self, value: object, unit: TimeUnit, facts: ColumnFacts, /) -> object:
        if not can_serve(facts.kind, unit):
            raise UnavailableError(
                "bad-time",
                f"A column of the type {facts.kind[:80]} holds no times of the unit {unit!r}.",
                do="Correct `unit` in the data map, and run `dueprocess datamap check`.",
            )
        if not isinstance(value, dt.datetime):
            return super().bound(value, unit, facts)
        if facts.kind == "timestamp" and value.tzinfo is None:
            raise UnavailableError(
                "bad-time",
                "A column that holds its zone has another one in the data map.",
                do="Take `zone` out of the data map.",
            )
        if facts.kind != "timestamp" and value.tzinfo is not None:
            return value.astimezone(dt.UTC).replace(tzinfo=None)
        return value

    # -- asking ------------------------------------------------------------------------------------

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        return self.link.rows(sql, values)

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        for batch in self.link.batches(sql, values):
            fields = [field.with_name(str(number)) for number, field in enumerate(batch.schema)]
            yield pa.record_batch(batch.columns, schema=pa.schema(fields))

    @contextmanager
    def watch(self, sql: str, values: Sequence[object], shape: Shape, /) -> Iterator[None]:
        """Asks Spark what the text means."""
        refuse_plan(self.link.explained(sql, values), shape, values, self.place)
        yield

    # -- the live schema ---------------------------------------------------------------------------

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        found = self.link.described(self.place.database, table, self.named(table))
        view, columns = found or (False, [])
        return {name: ColumnFacts(kind, None, None, view) for name, kind in columns}

    def close(self) -> None:
        self.link.close()


def _as_text(facts: ColumnFacts) -> bool:
    return any(word in facts.kind for word in _AS_TEXT)
