"""Shared by all tests: the event store on both databases, and a real PostgreSQL server on loopback."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from office import Office

settings.register_profile("dueprocess", deadline=None)  # timing belongs to bench/, not to tests
settings.load_profile("dueprocess")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dueprocess.conf.settings")


def pytest_configure(config: pytest.Config) -> None:
    """Names the marks of this folder's fixtures, which a strict run insists on."""
    config.addinivalue_line("markers", "stage(name): how far on the office is that the test begins with")


def _program(name: str) -> str:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        pytest.fail(f"{name} is missing: install PostgreSQL (Debian: apt-get install postgresql)")
    return program


def _as_postgres() -> list[str]:
    """Initdb refuses to run as root; Debian's package brings the user postgres."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address (without database name) of a real PostgreSQL server that lives as long as the test run."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dp-pg-"))
    as_user = _as_postgres()
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    port = _free_port()
    cluster = folder / "cluster"
    subprocess.run(
        [*as_user, _program("initdb"), "-D", str(cluster), "-U", "postgres", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
    )
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    pg_ctl = [*as_user, _program("pg_ctl"), "-D", str(cluster), "-w"]
    log = str(folder / "server.log")
    subprocess.run([*pg_ctl, "-o", settings, "-l", log, "start"], check=True, capture_output=True)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run([*pg_ctl, "-m", "immediate", "stop"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_dsn(postgres_server: str) -> Iterator[str]:
    """A fresh, empty database on the real server."""
    address = _new_database(postgres_server)
    yield address
    _drop_database(address)


@pytest.fixture(scope="session")
def template_folder() -> Iterator[pathlib.Path]:
    """Where templates of stores and offices lie: in memory where the system has such a place, for its speed."""
    memory = pathlib.Path("/dev/shm")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dp-tests-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def quick_folder(template_folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder for one test, beside the templates."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="test-", dir=template_folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _leave() -> None:
    """Closes every connection of this thread, so that files and databases can be copied and dropped."""
    from django.db import connections

    connections.close_all()


def _new_database(server: str, template: str | None = None) -> str:
    """A fresh PostgreSQL database, a copy of ``template`` if one is given. Returns its address."""
    import psycopg
    from psycopg import sql

    name = f"test_{uuid.uuid4().hex}"
    how = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        how += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template.rsplit("/", 1)[1]))
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(how)
    return f"{server}/{name}"


def _drop_database(address: str) -> None:
    import psycopg
    from psycopg import sql

    server, name = address.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


class Templates:
    """Stores and offices made once in a test run, to be copied: append-only tables cannot be flushed.

    An office is named by how far it is: ``office`` (founded and staffed, hourly epochs, a week to object),
    ``brisk`` (epochs of six hours, a day to object), ``ready`` (brisk, with an approved case of which
    production is due) and ``produced`` (ready, with the parcel made and sealed).
    """

    def __init__(self, folder: pathlib.Path, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._request = request
        self._stores: dict[str, str] = {}
        self._offices: dict[tuple[str, str], tuple[Office, str]] = {}

    def server(self) -> str:
        """The PostgreSQL server, started when the first test needs it."""
        address: str = self._request.getfixturevalue("postgres_server")
        return address

    def database(self, vendor: str, template: str | None = None, folder: pathlib.Path | None = None) -> str:
        """The address of a new database of this vendor, a copy of ``template`` if one is given."""
        if vendor == "postgresql":
            return _new_database(self.server(), template)
        path = (folder or self._folder) / f"{uuid.uuid4().hex}.db"
        if template is not None:
            shutil.copyfile(template.removeprefix("sqlite:"), path)
        return f"sqlite:{path}"

    def store(self, vendor: str) -> str:
        """The address of an empty event store with its tables and triggers. Do not write into it."""
        from dueprocess.history import connection

        if vendor not in self._stores:
            address = self.database(vendor)
            connection.use(address)
            connection.create_tables()
            _leave()
            self._stores[vendor] = address
        return self._stores[vendor]

    def office(self, vendor: str, stage: str) -> "tuple[Office, str]":
        """The template office of this vendor and stage, and the address of its store. Do not write into it."""
        if (vendor, stage) not in self._offices:
            self._offices[vendor, stage] = self._made(vendor, stage)
            _leave()
        return self._offices[vendor, stage]

    def _made(self, vendor: str, stage: str) -> "tuple[Office, str]":
        from office import open_office

        folder = self._folder / f"{vendor}-{stage}"
        if stage in ("office", "brisk"):
            folder.mkdir()
            address = "sqlite:history.db" if vendor == "sqlite" else self.database(vendor, self.store(vendor))
            pace = {"epoch_seconds": 6 * 3600, "window_days": 1} if stage == "brisk" else {}
            return open_office(folder, address, **pace), address
        office, address = self.copy(vendor, "brisk" if stage == "ready" else "ready", folder)
        if stage == "ready":
            office.cases = [office.approved_case()]
            office.wait(hours=30)
        else:
            office.produce(office.cases[0])
            office.wait(hours=6)
        return office, address

    def copy(self, vendor: str, stage: str, folder: pathlib.Path) -> "tuple[Office, str]":
        """An office of its own for a test: in this folder, and in a database that is a copy of the template's."""
        from office import copy_office

        template, address = self.office(vendor, stage)
        if vendor == "postgresql":
            address = self.database(vendor, address)
        return copy_office(template, folder, address), address


@pytest.fixture(scope="session")
def templates(template_folder: pathlib.Path, request: pytest.FixtureRequest) -> Templates:
    """Stores and offices to copy."""
    return Templates(template_folder, request)


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    """Each of the two databases in turn."""
    name: str = request.param
    return name


@pytest.fixture
def store(vendor: str, templates: Templates, quick_folder: pathlib.Path) -> Iterator[str]:
    """The address of a fresh event store, in use, on each of the two databases in turn."""
    from dueprocess.history import connection

    address = templates.database(vendor, templates.store(vendor), quick_folder)
    connection.use(address)
    yield address
    _forget(address)


def _forget(address: str) -> None:
    from dueprocess.history import connection

    connection.use("sqlite::memory:")
    if address.startswith("postgresql"):
        _drop_database(address)


def _stage_of(request: pytest.FixtureRequest) -> str:
    """Which template a test asks for: ``@pytest.mark.stage("ready")``; without the mark, ``office``."""
    mark = request.node.get_closest_marker("stage")
    return str(mark.args[0]) if mark else "office"


@pytest.fixture
def office(
    templates: Templates, quick_folder: pathlib.Path, request: pytest.FixtureRequest
) -> "Iterator[Office]":
    """A whole office on SQLite, as far on as the test's mark ``stage`` says."""
    found, address = templates.copy("sqlite", _stage_of(request), quick_folder / "office")
    yield found
    _forget(address)


@pytest.fixture
def office_on(
    vendor: str, templates: Templates, quick_folder: pathlib.Path, request: pytest.FixtureRequest
) -> "Iterator[Office]":
    """A whole office on each of the two databases in turn, as far on as the test's mark ``stage`` says."""
    found, address = templates.copy(vendor, _stage_of(request), quick_folder / "office")
    yield found
    _forget(address)
