"""A portal with one released parcel."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.waiting import Waiting, waiting


@pytest.fixture
def portal(quick_folder: Path) -> Iterator[Waiting]:
    """A parcel that is not released yet; a server starts with the first request."""
    found = waiting(quick_folder)
    yield found
    for server in found.servers:
        server.stop()
