"""Fixtures of this folder: an office that has everything fsck looks at."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from history.whole import Whole, made_whole

if TYPE_CHECKING:
    from conftest import Templates


@pytest.fixture(scope="session")
def whole_templates(templates: "Templates", template_folder: Path) -> dict[str, tuple[Whole, str]]:
    """Vendor → a whole office made once, with the address of its store; filled when a test needs it."""
    return {}


@pytest.fixture
def whole(
    vendor: str, templates: "Templates", whole_templates: dict[str, tuple[Whole, str]], quick_folder: Path,
    template_folder: Path,
) -> Iterator[Whole]:  # fmt: skip
    """A whole office of its own for a test, on each of the two databases in turn."""
    from django.db import connections

    from dueprocess.history import connection
    from office import copy_office

    if vendor not in whole_templates:
        office, address = templates.copy(vendor, "produced", template_folder / f"{vendor}-whole")
        whole_templates[vendor] = (made_whole(office), address)
        connections.close_all()
    template, address = whole_templates[vendor]
    if vendor == "postgresql":
        address = templates.database(vendor, address)
    office = copy_office(template.office, quick_folder / "office", address)
    found = Whole(office, list(template.erased))
    assert found.policies  # read before a test changes the tables
    yield found
    connection.use("sqlite::memory:")
    if vendor == "postgresql":
        from conftest import _drop_database

        _drop_database(address)
