"""A real PostgreSQL with pgaudit: the tool's own reads reconcile with its log, everybody else's are shown.

Debian: postgresql-15-pgaudit.
"""

import datetime as dt
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from cyclopts import App

from conftest import Templates, _as_postgres, _free_port, _program
from dueprocess.audit.csvlog import Wanted
from dueprocess.audit.reconcile import application_name
from dueprocess.desk.demands import authorised
from dueprocess.desk.storeaudit import Exported, export
from dueprocess.history import connection
from dueprocess.history.append import load_case
from dueprocess.plan import parse_map
from dueprocess.production.mapcheck import check_map
from dueprocess.production.statements import statements
from dueprocess.production.stores import open_stores
from office import EVA, FINN, MAP, START, Office

pytestmark = [pytest.mark.conformance, pytest.mark.slow]

SETTINGS = {
    "pgaudit": "-c shared_preload_libraries=pgaudit -c pgaudit.log=read -c pgaudit.log_relation=on",
    "every statement": "-c log_statement=all",
    "both": "-c shared_preload_libraries=pgaudit -c pgaudit.log=all -c pgaudit.log_parameter=on -c log_statement=all",
}
TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, created BIGINT);
CREATE TABLE sessions ("user" TEXT, at BIGINT, ip TEXT);
CREATE INDEX by_user ON sessions ("user");
CREATE TABLE messages (sender TEXT, at BIGINT, body TEXT);
CREATE INDEX by_sender ON messages (sender);
CREATE TABLE unlisted (x BIGINT);
CREATE VIEW seen AS SELECT * FROM sessions;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql AS
  $$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM messages; RETURN n; END $$;
CREATE ROLE dba LOGIN SUPERUSER;
CREATE ROLE chatserver LOGIN SUPERUSER;
"""


class Server:
    """A PostgreSQL server of its own that logs as CSV; the log is whole once it is stopped."""

    def __init__(self, settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dp-audit-"))
        if _as_postgres():
            shutil.chown(self.folder, "postgres", "postgres")
        self._port = _free_port()
        cluster = str(self.folder / "cluster")
        self._run(_program("initdb"), "-D", cluster, "-U", "postgres", "-A", "trust", "--no-sync")
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
            f" -c logging_collector=on -c log_destination=csvlog -c log_directory={self.folder}/log"
            f" -c log_filename=audit.log -c log_connections=on -c log_timezone=UTC {settings}"
        )
        self._ctl = (_program("pg_ctl"), "-D", cluster, "-w")
        self._run(*self._ctl, "-o", options, "-l", str(self.folder / "server.log"), "start")

    def _run(self, *words: str) -> None:
        subprocess.run([*_as_postgres(), *words], check=True, capture_output=True)

    def dsn(self, role: str = "postgres") -> str:
        return f"postgresql://{role}@127.0.0.1:{self._port}/postgres"

    @property
    def log(self) -> Path:
        return self.folder / "log" / "audit.csv"

    def stop(self) -> None:
        self._run(*self._ctl, "-m", "fast", "stop")


def fill(dsn: str) -> None:
    """The platform of the office's tests, on PostgreSQL."""
    with psycopg.connect(dsn) as link:
        link.execute(TABLES)
        for name in (EVA, FINN):
            link.execute("INSERT INTO users VALUES (%s, 1700000000)", (name,))
            for number in range(-200, 0):
                at = int(START.timestamp()) + number * 3600
                link.execute("INSERT INTO sessions VALUES (%s, %s, %s)", (name, at, "192.0.2.1"))


@dataclass(frozen=True)
class Watched:
    """An office whose production ran while the server logged, and what others read meanwhile."""

    office: Office
    log: Path
    decision: str
    how: str


@pytest.fixture(scope="module", params=list(SETTINGS))
def watched(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """One production through the tool, and reads beside it: by a person, by a copied name, by the platform."""
    server = Server(SETTINGS[request.param])
    try:
        fill(server.dsn())
        office, _ = templates.copy("sqlite", "ready", tmp_path_factory.mktemp("watched") / "office")
        office.environment = {"PLATFORM_DSN": server.dsn()}
        office.produce(office.cases[0])
        decision = str(load_case(office.cases[0]).target("t1").decision_sha256)
        stores = open_stores(office.desk.datamap, office.environment)
        check_map(office.desk.datamap, stores)
        stores.close()
        beside(server, office, decision)
        server.stop()
        yield Watched(office, server.log, decision, request.param)
    finally:
        connection.use("sqlite::memory:")
        shutil.rmtree(server.folder, ignore_errors=True)


def beside(server: Server, office: Office, decision: str) -> None:
    """What nobody should be able to do unseen."""
    psql = shutil.which("psql")
    assert psql, "psql is missing (Debian: postgresql-client)"
    for sql in (
        f"select ip from sessions where \"user\" = '{EVA}' limit 1",
        "copy users to stdout",
        "select * from unlisted",
    ):
        subprocess.run([psql, "-X", "-q", server.dsn("dba"), "-c", sql], check=True, capture_output=True)
    with psycopg.connect(server.dsn("dba"), autocommit=True) as link:
        link.execute("select count(*) from seen")
        link.execute("select counted()")
        link.execute("prepare x as select * from messages where sender = $1")
        link.execute(f"execute x('{FINN}')".encode())
        link.execute("do $$ begin perform * from users; end $$")
    # The same name as the production's, a query of its own, and one of the production's once more.
    asked = statements(authorised(office.desk, load_case(office.cases[0]), "t1")[1])
    with psycopg.connect(server.dsn("dba"), application_name=application_name(decision)) as link:
        link.execute("table users")
        link.execute(asked.resolving.replace("$1", "%s").encode(), (FINN,))
    with psycopg.connect(server.dsn("chatserver"), autocommit=True) as link:
        link.execute("select * from users")
        link.execute("insert into users values ('@new:chat.example', 1)")


def exported(watched: Watched, **wanted: object) -> Exported:
    connection.use(watched.office.desk.installation.database)
    chosen = replace(Wanted(frozenset(), frozenset({"chatserver"})), **wanted)  # type: ignore[arg-type]  # a test's own
    return export(watched.office.desk, [watched.log], chosen)


def test_the_productions_own_reads_reconcile(watched: Watched) -> None:
    """The target once, and each table of the plan once: text and number as the plan says."""
    found = exported(watched).found
    _, plan = authorised(watched.office.desk, load_case(watched.office.cases[0]), "t1")
    assert len(plan.tables) >= 2
    assert found.own[watched.decision] >= 1 + len(plan.tables)
    assert (found.untraced, found.incomplete) == ([], {})
    assert found.map_checks > 0


def test_every_read_beside_the_tool_is_listed(watched: Watched) -> None:
    """A person's, in each way of reading; not what the data map does not name."""
    found = exported(watched)
    by_psql = [each for each in found.found.beside if each.statement.application == "psql"]
    assert [each.statement.role for each in by_psql] == ["dba", "dba"]
    texts = [each.statement.text for each in found.found.beside]
    assert any("copy users to stdout" in each for each in texts)
    assert any("from messages where sender" in each for each in texts)
    assert any(
        ("users" in each and "perform" in each.lower()) or each == "SELECT * from users" for each in texts
    )
    if watched.how != "every statement":
        assert any("count(*) INTO n FROM messages" in each or "count(*)" in each for each in texts)
    if watched.how == "pgaudit":
        assert any("from seen" in each for each in texts), "a view is seen where pgaudit names relations"
    assert "select * from unlisted" not in texts


def test_a_copied_name_is_seen(watched: Watched) -> None:
    """Another query under the name, and the production's own query once more."""
    found = exported(watched).found
    own = [each for each in found.beside if each.statement.application == application_name(watched.decision)]
    assert sorted(each.statement.text.split()[0].lower() for each in own) == ["select", "table"]
    assert any("not one of its queries" in each.why for each in own)
    assert any("more often" in each.why or "more connections" in each.why for each in own)


def test_the_platforms_own_reads_and_all_logins_are_counted(watched: Watched) -> None:
    """Nobody logs in uncounted."""
    found = exported(watched)
    assert found.log.skipped["chatserver"] == 1
    assert found.log.logins["dba"] >= 5
    assert found.log.tool_logins["postgres"] >= 2
    assert bool(found.log.audited) == (watched.how != "every statement")


def test_no_value_is_printed(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of users stand in the log, not in what comes out of it; limits are said."""
    connection.use(watched.office.desk.installation.database)
    program = App(name="dueprocess", result_action="return_value")
    program.command("dueprocess.cli.audit:app", name="audit")
    words = ["audit", "export", str(watched.log), "--install", str(watched.office.root)]
    for more in ([], ["--json"]):
        program([*words, *more], exit_on_error=False, print_error=False)
        text = capsys.readouterr().out
        assert EVA not in text
        assert FINN not in text
        assert "dba" in text
        assert "copy users to stdout" in text
    program(words, exit_on_error=False, print_error=False)
    text = capsys.readouterr().out
    assert text.startswith("Read beside the tool:")
    assert "SQLite, DuckDB and files keep no log" in text
    assert "simulated clock" in text


def shifted(watched: Watched, folder: Path, by: dt.timedelta) -> Path:
    """The log as if it had been written at the office's time."""
    lines = []
    for line in watched.log.read_text().splitlines(keepends=True):
        head, rest = line[:23], line[23:]
        try:
            at = dt.datetime.fromisoformat(head) + by
        except ValueError:
            lines.append(line)
            continue
        lines.append(f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}{rest}")
    path = folder / "shifted.csv"
    path.write_text("".join(lines))
    return path


def test_times_are_compared_on_a_real_clock(watched: Watched, tmp_path: Path) -> None:
    """With the log's times moved to the office's, all fits; an hour and more away, nothing does."""
    office = watched.office
    connection.use(office.desk.installation.database)
    case = load_case(office.cases[0])
    made = next(event for event in case.events if event.kind == "ProductionStarted")
    wrote = dt.datetime.fromisoformat(watched.log.read_text()[:23]).replace(tzinfo=dt.UTC)
    started = dt.datetime.fromisoformat(made.recorded_at)
    desk = replace(office.desk, installation=replace(office.desk.installation, clock_mode="system"))
    wanted = Wanted(frozenset(), frozenset({"chatserver"}))
    near = export(desk, [shifted(watched, tmp_path, started - wrote)], wanted)
    assert near.times_compared
    assert near.found.own[watched.decision] >= 2
    far = export(desk, [shifted(watched, tmp_path, started - wrote + dt.timedelta(hours=2))], wanted)
    assert far.found.own[watched.decision] == 0
    assert far.found.untraced == [watched.decision]
    assert any("did not run" in each.why for each in far.found.beside)
    later = replace(wanted, since=started + dt.timedelta(days=9))
    assert export(desk, [watched.log], later).runs == ()
    earlier = replace(wanted, until=started - dt.timedelta(days=9))
    assert export(desk, [watched.log], earlier).runs == ()


def test_a_log_without_the_production_says_so(watched: Watched, tmp_path: Path) -> None:
    """It was not audited, or somebody cut the log."""
    path = tmp_path / "cut.csv"
    path.write_text("")
    connection.use(watched.office.desk.installation.database)
    found = export(watched.office.desk, [path], Wanted(frozenset()))
    assert found.found.untraced == [watched.decision]
    assert found.log.rows == 0


def test_stores_that_keep_no_log_are_named(watched: Watched) -> None:
    """SQLite, DuckDB and files: nothing could show a read beside the tool."""
    desk = replace(
        watched.office.desk, datamap=parse_map(MAP.replace("${PLATFORM_DSN}", "sqlite:///x.db"), "x")
    )
    connection.use(desk.installation.database)
    found = export(desk, [watched.log], Wanted(frozenset()))
    assert found.silent_stores == ("main",)
    assert found.unsure_stores == ()
    assert found.log.statements == []
