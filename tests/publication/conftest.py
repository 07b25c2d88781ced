"""A log with its signer and its tables; servers that misbehave."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dueprocess.history import connection
from dueprocess.publication.signer import LogSigner
from publication.bench import ORIGIN, Bench, Misbehaving

if TYPE_CHECKING:
    from conftest import Templates


@pytest.fixture
def bench(store: str, quick_folder: Path) -> Iterator[Bench]:
    """A log on each of the two databases in turn."""
    yield from _made(quick_folder)


@pytest.fixture
def quick_bench(templates: "Templates", quick_folder: Path) -> Iterator[Bench]:
    """A log on SQLite only: for what does not depend on the database."""
    connection.use(templates.database("sqlite", templates.store("sqlite"), quick_folder))
    yield from _made(quick_folder)
    connection.use("sqlite::memory:")


def _made(folder: Path) -> Iterator[Bench]:
    made = Bench(folder, LogSigner.create(ORIGIN, folder / "keys"))
    yield made
    for each in made.friends:
        each.stop()
    assert [line for each in made.friends for line in each.said if "failed" in line] == []


@pytest.fixture
def misbehaving() -> Iterator[Callable[..., Misbehaving]]:
    """Makes servers from functions; all are stopped at the end."""
    made: list[Misbehaving] = []

    def make(answer: Callable[[socket.socket, threading.Event], None]) -> Misbehaving:
        made.append(Misbehaving(answer))
        return made[-1]

    yield make
    for each in made:
        each.stop()
