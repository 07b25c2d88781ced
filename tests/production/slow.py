"""Real stores that say of themselves that they are slow, and a real vault's shelf for what is read from them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dueprocess.production.stores import _OPEN as OPEN
from dueprocess.production.stores.duckdb import DuckdbStore
from dueprocess.production.stores.facts import Store
from dueprocess.production.stores.sqlite import SqliteStore
from dueprocess.vault import KeyStore, Vault

SHELF = "5" * 32


class SlowSqlite(SqliteStore):
    slow = True


class SlowDuckdb(DuckdbStore):
    slow = True


def _sqlite(name: str, where: str, _reader: str) -> Store:
    return SlowSqlite(name, Path(where.removeprefix("sqlite:///")))


def _duckdb(name: str, where: str, _reader: str) -> Store:
    return SlowDuckdb(name, Path(where.removeprefix("duckdb:///")))


_SLOW: dict[str, Callable[[str, str, str], Store]] = {"sqlite": _sqlite, "duckdb": _duckdb}


@contextmanager
def slow_stores() -> Iterator[None]:
    """While this lasts, SQLite and DuckDB are opened as stores of which a table takes hours."""
    before = {name: OPEN[name] for name in _SLOW}
    OPEN.update(_SLOW)
    try:
        yield
    finally:
        OPEN.update(before)


@dataclass
class OwnShelf:
    """A shelf in a vault under a key of its own; it remembers what it was asked for."""

    folder: Path
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vault = Vault(self.folder / "vault", KeyStore.create(self.folder / "keys"))
        self.vault.keys.make(SHELF)

    def put(self, name: str, data: bytes) -> None:
        self.asked.append(f"put {name}")
        self.vault.put(SHELF, name, data)

    def get(self, name: str) -> bytes:
        self.asked.append(f"get {name}")
        return self.vault.get(SHELF, name)

    def drop(self, name: str) -> None:
        self.vault.drop(SHELF, name)

    def files(self) -> list[Path]:
        """The encrypted objects."""
        return sorted(each for each in (self.folder / "vault").rglob("*") if each.is_file())
