"""Spark Connect, spoken directly: the protocol's own messages over gRPC, and nothing of the client library above them.

The library holds a whole result in memory or turns each record into objects of Python in the zone of the machine.
The protocol gives Arrow, batch after batch, and takes values apart from the text.

Source: https://spark.apache.org/docs/latest/spark-connect-overview.html,
https://spark.apache.org/docs/latest/spark-connect-overview.html; the connection string is that of its client.
"""

import datetime as dt
import io
import os
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa

from dueprocess.errors import MalformedError, UnavailableError

_HOME = "SPARK_HOME"
_had_home = _HOME in os.environ
# While it is loaded the client looks for a whole Spark, and ends the program where it finds none.
os.environ.setdefault(_HOME, os.sep)
try:
    with warnings.catch_warnings():  # It warns of a newer pandas, which is not used here.
        warnings.simplefilter("ignore")
        import grpc
        from pyspark.sql.connect.proto import base_pb2 as base
        from pyspark.sql.connect.proto import base_pb2_grpc, catalog_pb2, expressions_pb2, relations_pb2
except (ImportError, SystemExit) as error:
    raise UnavailableError(
        "no-driver", "Spark's client is not installed here.", do="Install the package with its extra `spark`."
    ) from error
finally:
    if not _had_home:
        del os.environ[_HOME]

PORT = 15002
SMALL_SECONDS = 300.0
"""How long a question about settings, names or a plan may take."""
_MOST_MESSAGE = 128 * 1024 * 1024
"""Bytes of one message: a batch has about 4 MB, a single record may be bigger."""
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # what local times are counted from
_MICRO = dt.timedelta(microseconds=1)
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Spark Connect server is, and which database of which catalog is read."""

    host: str
    port: int
    catalog: str
    database: str
    token: str | None = None
    authority: Path | None = None
    tls: bool = True


def address(name: str, where: str) -> Address:
    """``spark://host:port/catalog.database?token=…&ca=/path&tls=off``, Spark's ``sc://`` with the database as path.

    TLS is used but for this machine; a token never goes without it. Refuses what is no such string.
    """
    try:
        parts = urlsplit(where)
        port, more = parts.port or PORT, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _malformed(name) from error
    catalog, dot, database = unquote(parts.path.removeprefix("/")).partition(".")
    if (
        not (catalog and parts.hostname)
        or bool(dot) is not bool(database)
        or set(more) - {"token", "ca", "tls"}
    ):
        raise _malformed(name)
    tls = more.get("tls") != "off" and (parts.hostname not in _HERE or "ca" in more)
    if "token" in more and not tls:
        raise _malformed(name)
    return Address(
        parts.hostname,
        port,
        catalog if dot else "spark_catalog",
        database if dot else catalog,
        more.get("token"),
        Path(more["ca"]) if "ca" in more else None,
        tls,
    )


class Link:
    """One session on a Spark Connect server. Whatever fails raises ``UnavailableError``."""

    def __init__(self, name: str, where: Address, reader: str, seconds: float) -> None:
        self._name, self._seconds = name, seconds
        self._session, self.server_session = str(uuid.uuid4()), ""
        self._user = base.UserContext(user_id=reader)
        self._metadata = [("authorization", f"Bearer {where.token}")] if where.token else []
        try:
            self._channel = _channel(where)
        except (OSError, ValueError) as error:
            raise self.failure(error) from error
        self._stub: Any = base_pb2_grpc.SparkConnectServiceStub(self._channel)  # type: ignore[no-untyped-call]  # made by gRPC

    def _who(self) -> dict[str, Any]:
        """Whose request it is. A server that started anew has lost the session's settings, and says so."""
        seen = {"client_observed_server_side_session_id": self.server_session} if self.server_session else {}
        return {"session_id": self._session, "user_context": self._user, "client_type": "dueprocess", **seen}

    def _ask(self, method: str, request: Any) -> Any:
        try:
            answer = getattr(self._stub, method)(request, timeout=SMALL_SECONDS, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self.failure(error) from error
        self._same(answer)
        return answer

    def _same(self, answer: Any) -> None:
        if answer.session_id != self._session or (
            self.server_session and answer.server_side_session_id != self.server_session
        ):
            raise self.failure(ValueError("it answers for another session"))
        self.server_session = answer.server_side_session_id

    # -- settings and names ------------------------------------------------------------------------

    def set(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Sets, and gives what the server then says that it has."""
        pairs = [base.KeyValue(key=key, value=value) for key, value in settings.items()]
        operation = base.ConfigRequest.Operation
        done = operation(set=base.ConfigRequest.Set(pairs=pairs))
        self._ask("Config", base.ConfigRequest(operation=done, **self._who()))
        wanted = operation(get_option=base.ConfigRequest.GetOption(keys=list(settings)))
        found = self._ask("Config", base.ConfigRequest(operation=wanted, **self._who()))
        return {str(pair.key): str(pair.value) for pair in found.pairs}

    def use(self, catalog: str, database: str) -> tuple[str, str]:
        """Makes a database the current one, and gives the one that then is."""
        for each in (
            {"set_current_catalog": catalog_pb2.SetCurrentCatalog(catalog_name=catalog)},
            {"set_current_database": catalog_pb2.SetCurrentDatabase(db_name=database)},
        ):
            self._listed(**each)
        ((found_catalog, found_database),) = self.rows("SELECT current_catalog(), current_database()", [])
        return str(found_catalog), str(found_database)

    def described(self, database: str, table: str, quoted: str) -> tuple[bool, list[tuple[str, str]]] | None:
        """Whether a table is a view, and (name, type) of its columns; None where there is none of this name.

        A name is looked for among all first: Spark's own question for one table folds case in some catalogs.
        """
        plain = {"pattern": table} if table.isascii() and table.isidentifier() else {}
        names = self._listed(list_tables=catalog_pb2.ListTables(db_name=database, **plain))
        found = [each for each in names if each["name"] == table and not each["isTemporary"]]
        if not found:
            return None
        columns = self._listed(list_columns=catalog_pb2.ListColumns(table_name=quoted))
        return found[0]["tableType"] == "VIEW", [
            (str(each["name"]), str(each["dataType"])) for each in columns
        ]

    def _listed(self, **what: Any) -> list[dict[str, Any]]:
        """An answer of the catalog."""
        relation = relations_pb2.Relation(catalog=catalog_pb2.Catalog(**what))
        return [row for batch in self._tables(relation, SMALL_SECONDS) for row in batch.to_pylist()]

    # -- questions ---------------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[object]) -> list[tuple[object, ...]]:
        """All rows of a small question."""
        found = list[tuple[object, ...]]()
        for batch in self.batches(sql, values):
            found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        return found

    def batches(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        """The rows as the server gives them, in order and whole: one batch is in memory at a time."""
        yield from self._tables(self._relation(sql, values), self._seconds)

    def explained(self, sql: str, values: Sequence[object]) -> str:
        """What the server makes of a text: parsed, analysed, optimised, physical."""
        explain = base.AnalyzePlanRequest.Explain
        plan = base.Plan(root=self._relation(sql, values))
        wanted = explain(plan=plan, explain_mode=explain.ExplainMode.EXPLAIN_MODE_EXTENDED)
        return str(
            self._ask(
                "AnalyzePlan", base.AnalyzePlanRequest(explain=wanted, **self._who())
            ).explain.explain_string
        )

    def _relation(self, sql: str, values: Sequence[object]) -> Any:
        try:
            told = [expressions_pb2.Expression(literal=_literal(value)) for value in values]
            return relations_pb2.Relation(sql=relations_pb2.SQL(query=sql, pos_arguments=told))
        except (ValueError, UnicodeError) as error:
            raise self.failure(error) from error

    def _tables(self, relation: Any, seconds: float) -> Iterator[pa.RecordBatch]:
        """Runs; ends what runs on the cluster if nobody wants the rest, or it takes too long."""
        tag, count, ended = f"dueprocess-{uuid.uuid4()}", 0, False
        request = base.ExecutePlanRequest(plan=base.Plan(root=relation), tags=[tag], **self._who())
        try:
            for answer in self._stub.ExecutePlan(request, timeout=seconds, metadata=self._metadata):
                self._same(answer)
                if answer.HasField("arrow_batch"):
                    part = answer.arrow_batch
                    if part.HasField("start_offset") and part.start_offset != count:
                        raise self.failure(ValueError("a batch is missing"))
                    for batch in _opened(part.data):
                        count += batch.num_rows
                        if batch.num_rows:
                            yield batch
            ended = True
        except (grpc.RpcError, pa.ArrowException, OSError) as error:
            raise self.failure(error) from error
        finally:
            if not ended:
                self._interrupt(tag)

    def _interrupt(self, tag: str) -> None:
        kind = base.InterruptRequest.InterruptType.INTERRUPT_TYPE_TAG
        request = base.InterruptRequest(interrupt_type=kind, operation_tag=tag, **self._who())
        with suppress(grpc.RpcError):
            self._stub.Interrupt(request, timeout=10.0, metadata=self._metadata)

    def close(self) -> None:
        """Ends the session on the server too."""
        request = base.ReleaseSessionRequest(session_id=self._session, user_context=self._user)
        with suppress(grpc.RpcError):
            self._stub.ReleaseSession(request, timeout=10.0, metadata=self._metadata)
        self._channel.close()

    def failure(self, error: Exception) -> UnavailableError:
        """An error of the protocol in our words; the server's own may quote values and stay out."""
        code = error.code() if isinstance(error, grpc.Call) else None
        first = (
            (str(error.details() or "").splitlines() or [""])[0]
            if isinstance(error, grpc.Call)
            else str(error)
        )
        kind = first[: first.find("]") + 1] if first.startswith("[") else ""
        return UnavailableError(
            "store-unavailable",
            f"The Spark store {self._name!r} does not answer.",
            why=" ".join(
                filter(None, (type(error).__name__ if code is None else str(code.name), kind[:120]))
            ),
            do="Check the address, the token and the rights to read.",
        )


def _opened(data: bytes) -> Iterator[pa.RecordBatch]:
    with pa.ipc.open_stream(io.BytesIO(data)) as stream:
        yield from stream


def _channel(where: Address) -> Any:
    options = [("grpc.max_receive_message_length", _MOST_MESSAGE)]
    host = f"[{where.host}]" if ":" in where.host else where.host
    if not where.tls:
        return grpc.insecure_channel(f"{host}:{where.port}", options=options)
    roots = where.authority.read_bytes() if where.authority else None
    return grpc.secure_channel(f"{host}:{where.port}", grpc.ssl_channel_credentials(roots), options=options)


def _literal(value: object) -> Any:
    """A value as the protocol carries it, of its own type."""
    literal = expressions_pb2.Expression.Literal
    if isinstance(value, bool):
        return literal(boolean=value)
    if isinstance(value, int):
        return literal(long=value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return literal(timestamp_ntz=(value - _EPOCH) // _MICRO)
        return literal(timestamp=(value - _EPOCH.replace(tzinfo=dt.UTC)) // _MICRO)
    if isinstance(value, dt.date):
        return literal(date=(value - _EPOCH.date()).days)
    return literal(string=str(value))


def _malformed(name: str) -> MalformedError:
    return MalformedError(
        "bad-connect",
        f"The store {name!r} needs a connection string such as spark://host:15002/catalog.database?token=…",
        why="A token never goes without TLS.",
    )
