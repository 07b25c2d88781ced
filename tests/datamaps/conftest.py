"""One database for each test file: these tests only read what they made."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[str]:
    """The address of a fresh database on the real PostgreSQL of the test run, in UTC."""
    name = f"maps_{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}".encode())
        link.execute(f"ALTER DATABASE {name} SET timezone = 'UTC'".encode())
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as link:
        link.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
