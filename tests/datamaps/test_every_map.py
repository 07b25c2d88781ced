"""What holds for each shipped map, whatever the platform: strict, closed, honest about what it leaves out."""

import re
from pathlib import Path

import pytest

from datamaps.headers import header_of, rights, text_of
from dueprocess.library.datamaps import shipped_maps
from dueprocess.plan import DataMap, ListedFile, ListedTable, RowPath

ROOT = Path(__file__).resolve().parents[2]
WITH_RIGHTS = ("mastodon", "discourse", "ejabberd", "ejabberd-multihost", "prosody", "warehouse")
OURS = ("synapse", "mail-host", "wireguard", *WITH_RIGHTS)


def read_by(datamap: DataMap) -> set[tuple[str, str]]:
    """Every (table, column) that the map makes production read."""
    found: set[tuple[str, str]] = set()
    for route in datamap.targets:
        names = [route.column, route.subject, *route.absent, *(name for name, _ in route.equals)]
        found |= {(route.table, name) for name in names}
        if owners := route.owners:
            names = [owners.resource, owners.subject, *(name for name, _ in owners.equals)]
            found |= {(owners.table, name) for name in names}
            found |= {(owners.accounts, owners.key), (owners.accounts, owners.name)}
    entries: list[ListedTable | ListedFile] = [*datamap.tables, *datamap.files]
    for entry in entries:
        found |= _of_path(entry.path) | {(entry.path.table, name) for name in _listed(entry)}
    return found


def _listed(entry: ListedTable | ListedFile) -> set[str]:
    if isinstance(entry, ListedFile):
        return set(entry.path_columns)
    own_time = entry.path.time is not None and entry.path.time.table == entry.path.table
    order = set(entry.order) - (set() if own_time or entry.path.time is None else {entry.path.time.column})
    return {column.name for column in entry.columns} | order


def _of_path(path: RowPath) -> set[tuple[str, str]]:
    found = {(path.table, name) for name in (*path.absent, *(name for name, _ in path.equals))}
    here = path.table
    for hop in path.hops:
        found |= {(here, hop.on), (hop.table, hop.foreign)}
        here = hop.table
    found.add((here, path.subject))
    return found | ({(path.time.table, path.time.column)} if path.time else set())


@pytest.mark.parametrize("name", OURS)
def test_each_map_is_shipped_under_its_own_name(name: str) -> None:
    """The file's name is the map's id, and its header says what it covers and what it does not."""
    datamap = shipped_maps()[name]
    assert datamap.id == name
    for words in (f"{datamap.platform.split()[0]}".lower(), "not listed"):
        assert words in header_of(name).lower()
    assert "2026-11-22" in header_of(name) or name == "synapse"


@pytest.mark.parametrize("name", WITH_RIGHTS)
def test_the_rights_in_a_header_are_those_that_the_map_needs_and_no_others(name: str) -> None:
    """A role with more rights than the map could read what nobody approved."""
    granted = rights(name)
    whole = {table for table, column in granted if column is None}
    needed = {(table, column) for table, column in read_by(shipped_maps()[name]) if table not in whole}
    assert {each for each in granted if each[1] is not None} == needed
    assert whole <= {table for table, _ in read_by(shipped_maps()[name])}


@pytest.mark.parametrize("name", OURS)
def test_every_table_about_one_account_is_listed_or_named_as_left_out(name: str) -> None:
    """The list beside this test holds the tables of the published schema that concern an account."""
    base = name.removesuffix("-multihost")
    known = (Path(__file__).parent / "data" / f"{base}-tables.txt").read_text("utf-8").split()
    assert len(known) > 5
    text = text_of(name)
    missing = [
        each for each in known if not re.search(rf"(?<![a-z0-9_.]){re.escape(each)}(?![a-z0-9_])", text)
    ]
    assert missing == []


@pytest.mark.parametrize("name", OURS)
def test_no_map_reads_a_password_a_key_or_a_token(name: str) -> None:
    """By the names of its columns, controls and hops among them."""
    odd = re.compile(
        r"password|passwd|salt|secret|token|totp|otp_|private_key|p256dh|stored_key|server_?key|recovery|macaroon"
    )
    assert [column for _, column in read_by(shipped_maps()[name]) if odd.search(column)] == []


def test_the_page_of_maps_knows_every_map() -> None:
    """docs/datamaps.md has a row for each shipped file."""
    page = (ROOT / "docs" / "datamaps.md").read_text("utf-8")
    assert [name for name in shipped_maps() if f"`{name}`" not in page and name in OURS] == []
