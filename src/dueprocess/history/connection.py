"""Which database this program talks to, chosen by its entry point; and the lock under which history grows."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction

from dueprocess.errors import UnavailableError
from dueprocess.history.address import database_settings

_APPEND_LOCK = 0x6475_6570  # "duep": one advisory lock for all of history


def use(address: str) -> None:
    """Points history at a database; an open connection is closed. Called by whoever opens an installation."""
    connections.close_all()
    configured = connections.configure_settings({"default": database_settings(address)})
    connections.settings["default"] = configured["default"]
    with suppress(AttributeError):  # nothing to forget before the first connection of this thread
        del connections["default"]


def close() -> None:
    """Closes the open connection; the next use opens it again.

    Before the store's files are copied by this process: closing any other handle of an open SQLite file drops
    the locks that protect it (sqlite.org/howtocorrupt.html section 2.2).
    """
    connections.close_all()


def create_tables() -> None:
    """Brings the tables and their triggers to this program's version. Can be run again."""
    try:
        from django.core.management import call_command  # noqa: PLC0415  # every other command would wait for it

        call_command("migrate", interactive=False, verbosity=0)
    except (DatabaseError, InterfaceError) as error:
        raise _unavailable("The tables of the event store could not be made.", error) from error


@contextmanager
def append_lock() -> Iterator[None]:
    """One durable transaction that no other append overlaps, on either database.

    SQLite begins it IMMEDIATE, so the database itself is the lock; PostgreSQL takes one advisory lock. A full
    disk or a lost server becomes ``UnavailableError``: nothing was written, the command can be run again.
    """
    try:
        with transaction.atomic(durable=True):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_APPEND_LOCK])
            yield
    except (OperationalError, InterfaceError) as error:
        raise _unavailable("The event store did not take this change; nothing was written.", error) from error


def _unavailable(what: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        "store-unavailable",
        what,
        why=str(error).splitlines()[0] if str(error) else type(error).__name__,
        do="Check the disk space and the database server, then run the same command again.",
    )


def reachable(address: str) -> None:
    """Refuses early, with advice, where the store cannot be opened."""
    if address.startswith("sqlite:") and not Path(address.removeprefix("sqlite:")).exists():
        raise UnavailableError(
            "no-store",
            "There is no event store at this installation.",
            do="Set one up: dueprocess init DIR.",
        )
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise UnavailableError(
            "store-unavailable", "The event store cannot be opened.", why=str(error), do="Start its server."
        ) from error
