"""Hostile names are names and hostile values are values, on every engine."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dueprocess.errors import DueprocessError, UnavailableError
from dueprocess.plan import TargetQuery, TargetRoute
from production.conftest import EVA
from production.stores.asking import HOSTILE, HOSTILE_VALUES, LONG, place, read, rows_of


@pytest.mark.parametrize("engine", ["sqlite", "duckdb", "postgresql"])
def test_hostile_names_of_tables_and_columns_are_names(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each is read as the name that it is; nothing beside it comes out and nothing is run."""
    dsn = request.getfixturevalue("postgres_dsn") if engine == "postgresql" else ""
    names = HOSTILE if engine == "postgresql" else [*HOSTILE, LONG]
    with closing(place(engine, tmp_path, dsn, names)) as store:
        for name in names:
            query = rows_of(name, name, at=None, subject=name)
            assert read(store, query) == [{name: EVA}]
            assert read(store, query, "x' OR '1'='1") == []
            route = TargetRoute("account", "main", name, name, name)
            assert store.resolve(TargetQuery(route, EVA)) == EVA


@pytest.mark.parametrize("name", ["nobody", LONG, 'rooms"; --', "\ud800", "a\0b", ""])
def test_a_name_that_is_not_there_is_told_plainly(host: Any, name: str) -> None:
    """A table or column that the live schema lacks is drift, or the store cannot even be asked; never another one."""
    store = host.stores().databases["main"]
    for query in (rows_of(name, "x", at=None), rows_of("rooms", name, at=None, subject="room")):
        with pytest.raises(DueprocessError) as caught:
            read(store, query)
        assert isinstance(caught.value, UnavailableError)
        assert len(str(caught.value)) < 2000


def test_a_name_too_long_is_not_cut_to_another_tables(postgres_dsn: str, tmp_path: Path) -> None:
    """PostgreSQL cuts a name to 63 bytes: a table of that name is another one."""
    with closing(place("postgresql", tmp_path, postgres_dsn, [LONG[:63]])) as store:
        assert store.columns(LONG[:63])
        assert not store.columns(LONG)
        with pytest.raises(UnavailableError) as caught:
            read(store, rows_of(LONG, LONG, at=None, subject=LONG))
        assert caught.value.code == "map-drift"


def test_hostile_values_are_values(host: Any) -> None:
    """As target, as subject and as fixed value: found nowhere, run nowhere."""
    store = host.stores().databases["main"]
    route = host.plan("traffic").target.route
    for value in HOSTILE_VALUES:
        try:
            assert store.resolve(TargetQuery(route, value)) is None
            assert read(store, rows_of("sessions", "ip"), value) == []
            assert read(store, rows_of("sessions", "ip", equals=(("agent", value),))) == []
        except UnavailableError:
            assert set(value) & {"\0", "\ud800"}, "only what no database can hold may fail, and plainly"
    assert store.fetch("SELECT count(*) FROM rooms", []) == [(1,)]
