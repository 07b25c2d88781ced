"""PostgreSQL's log as CSV: logins and reads found, each statement once, no literal ever shown."""

import csv
import datetime as dt
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.audit.csvlog import StoreLog, Wanted, read_log
from dueprocess.audit.sqltext import SHOWN, may_read, names_one, one_line, without_values
from dueprocess.errors import MalformedError

WANTED = Wanted(frozenset({"users", "sessions"}))
AT = "2026-11-22 08:33:57.041 UTC"


def row(
    message: str,
    *,
    session: str = "s1",
    role: str = "ana",
    at: str = AT,
    detail: str = "",
    name: str = "psql",
) -> list[str]:
    """A row of 26 columns, as PostgreSQL 15 writes it."""
    cells = [""] * 26
    cells[0], cells[1], cells[4], cells[5], cells[11] = at, role, "192.0.2.7:50090", session, "LOG"
    cells[13], cells[14], cells[22] = message, detail, name
    return cells


def text(rows: Sequence[Sequence[str]]) -> io.StringIO:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return io.StringIO(out.getvalue(), newline="")


def found(*rows: list[str], wanted: Wanted = WANTED) -> StoreLog:
    return read_log(text(rows), wanted)


def audit(
    sql: str, *, number: int = 1, of_class: str = "READ", name: str = "", session: str = "s1"
) -> list[str]:
    """A line of pgaudit."""
    cells = io.StringIO()
    csv.writer(cells, lineterminator="").writerow(
        ["SESSION", number, 1, of_class, "SELECT", "TABLE" if name else "", name, sql, "<none>"]
    )
    return row(f"AUDIT: {cells.getvalue()}", session=session)


# ------------------------------------------------------------------ statements and logins


def test_a_read_is_found_with_who_and_from_where() -> None:
    """By pgaudit or as a plain statement, over several lines too."""
    sql = "select *\n  from users\n where name = '@eva:chat.example'"
    for each in (audit(sql), row(f"statement: {sql}"), row(f"execute <unnamed>: {sql}")):
        log = found(each)
        (statement,) = log.statements
        assert (statement.role, statement.client, statement.application) == ("ana", "192.0.2.7:50090", "psql")
        assert statement.text == "select * from users where name = '@eva:chat.example'"
        assert statement.at == dt.datetime(2026, 11, 22, 8, 33, 57, 41000, tzinfo=dt.UTC)


def test_a_statement_that_two_lines_tell_counts_once() -> None:
    """Pgaudit and log_statement both on: once in all; sent twice: twice."""
    both = [row("statement: table users"), audit("table users")]
    assert len(found(*both).statements) == 1
    assert len(found(*both, row("statement: table users"), audit("table users", number=2)).statements) == 2
    assert len(found(audit("table users"), audit("table users", session="s2")).statements) == 2


def test_an_audited_statement_counts_once_however_many_lines_it_has() -> None:
    """A cursor has two lines, a join one for each relation."""
    assert len(found(audit("table users"), audit("table users")).statements) == 1
    joined = [audit("select 1 from v", name=f"public.{each}") for each in ("v", "users", "sessions")]
    assert len(found(*joined).statements) == 1


def test_a_view_and_a_function_are_seen_where_pgaudit_names_the_relation() -> None:
    """The statement's own words do not name the table."""
    assert len(found(audit("select * from seen", name="public.users")).statements) == 1
    assert found(audit("select * from seen", name="public.seen")).statements == []
    assert found(audit("select * from seen")).statements == []
    inner = [audit("select f()"), audit("select count(*) from sessions")]
    assert [each.text for each in found(*inner).statements] == ["select count(*) from sessions"]


def test_a_text_that_is_not_logged_counts_as_reading() -> None:
    """Unless an earlier line of the statement had it."""
    assert len(found(audit("<not logged>")).statements) == 1
    again = [audit("table other"), audit("<previously logged>")]
    assert found(*again).statements == []
    assert len(found(row('AUDIT: SESSION,1,1,"')).statements) == 1
    assert len(found(row("AUDIT: ")).statements) == 1


def test_many_sessions_do_not_fill_the_memory() -> None:
    """Only newest texts are remembered for lines that refer to them."""
    rows = [audit("table other", session=f"s{each}") for each in range(1100)]
    assert found(*rows, audit("<previously logged>", session="s1099")).statements == []


def test_what_is_prepared_is_read_when_it_is_executed() -> None:
    """The line of EXECUTE has the text beside it."""
    each = row(
        "statement: execute x('@eva:chat.example')", detail="prepare: prepare x as select * from users"
    )
    assert [one.text for one in found(each).statements] == ["prepare x as select * from users"]


def test_what_writes_or_rules_is_no_read() -> None:
    """The platform writes all day; pgaudit says the class, a plain line shows its first word."""
    for of_class in ("DDL", "ROLE", "MISC", "MISC_SET"):
        assert found(audit("create table users (x int)", of_class=of_class)).statements == []
    for sql in ("insert into users values (1)", "update users set x = 1", "copy users from stdin", ""):
        assert found(row(f"statement: {sql}"), audit(sql, of_class="WRITE")).statements == []
    for sql in (
        "insert into x select * from users",
        "delete from users returning name",
        "copy users to stdout",
    ):
        assert len(found(row(f"statement: {sql}")).statements) == 1
    assert found(row("duration: 3.1 ms"), row("checkpoint complete: users")).statements == []


def test_logins_are_counted_for_each_role() -> None:
    """The tool's own apart."""
    log = found(
        row("connection authorized: user=ana database=x application_name=psql"),
        row(
            "connection authorized: user=dp database=x application_name=dueprocess 0123456789abcdef",
            role="dp",
        ),
    )
    assert dict(log.logins) == {"ana": 1, "dp": 1}
    assert (log.tool_logins["ana"], log.tool_logins["dp"]) == (0, 1)


def test_the_platforms_own_roles_are_counted_not_listed() -> None:
    """Named by the operator."""
    log = found(
        row("statement: table users", role="synapse"), wanted=Wanted(WANTED.tables, frozenset({"synapse"}))
    )
    assert (log.statements, dict(log.skipped)) == ([], {"synapse": 1})


def test_a_time_can_be_cut_out() -> None:
    """From an instant up to another, itself left out. What was read is told."""
    ats = ["2026-11-22 08:00:00 UTC", "2026-11-22 09:00:00.5 GMT", "2026-11-22 10:00:00 +00"]
    rows = [row("statement: table users", at=each) for each in ats]
    nine, ten = (dt.datetime(2026, 11, 22, hour, tzinfo=dt.UTC) for hour in (9, 10))
    log = found(*rows, wanted=Wanted(WANTED.tables, frozenset(), nine, ten))
    assert [each.at.hour for each in log.statements] == [9]
    log = found(*rows)
    assert (log.first_at, log.last_at, log.rows) == (nine - dt.timedelta(hours=1), ten, 3)


def test_a_second_file_goes_on_with_the_first() -> None:
    """Logs are rotated."""
    log = found(row("statement: table users"))
    assert read_log(text([row("statement: table users")]), WANTED, into=log).rows == 2


# ------------------------------------------------------------------ what is no such log


@pytest.mark.parametrize(
    "content",
    [
        "2026-11-22 08:33:57 UTC LOG: statement: table users\n",
        ",".join(row("x", at="2026-11-22 09:33:57 CET")) + "\n",
        ",".join(row("x", at="2026-13-22 09:33:57 UTC")) + "\n",
        '"' + ",".join(row("x")) + "\n",
    ],
    ids=["plain", "other zone", "no month", "open quote"],
)
def test_another_kind_of_file_is_malformed(content: str) -> None:
    """The row is named."""
    with pytest.raises(MalformedError, match="Row 1"):
        read_log(io.StringIO(content, newline=""), WANTED)


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_foreign_text_is_malformed_and_nothing_else(content: str) -> None:
    """An empty file holds nothing."""
    try:
        log = read_log(io.StringIO(content, newline=""), WANTED)
    except MalformedError:
        return
    assert log.statements == []


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_message_is_taken_or_left(message: str) -> None:
    """An audit line may be anything that a person typed."""
    for each in (
        message,
        f"AUDIT: {message}",
        f"statement: {message}",
        f"AUDIT: SESSION,1,1,READ,SELECT,,,{message}",
    ):
        assert found(row(each.replace("\0", ""))).rows == 1


# ------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("select * from users where name = '@eva:chat.example'", "select * from users where name = ?"),
        ("select 'it''s her' , E'a\\'b', U&'x', b'01', x'ff'", "select ? , ?, ?, ?, ?"),
        ("select $$Eva$$, $q$Eva's$q$ from t", "select ?, ? from t"),
        ("select 12.5, .5, 1e9, 0xff, $1 from t2", "select ?, ?, ?, ?, $1 from t2"),
        ("select 1 -- about Eva\nfrom users /* Eva */ u", "select ? from users u"),
        ("select 'never ended", "select ?"),
        ("select $$never ended", "select ?"),
        ("select /* never ended Eva", "select"),
        ('select "Name" from "users" where "never ended', 'select "Name" from "users" where "never ended'),
        ("select\t1\x07", "select ??"),
    ],
)
def test_literals_numbers_and_comments_are_not_shown(sql: str, shown: str) -> None:
    """They may be personal data; names and places stay."""
    assert without_values(sql) == shown


def test_a_long_statement_is_cut() -> None:
    """200 characters are enough to recognise it."""
    shown = without_values("select " + "name, " * 100)
    assert len(shown) == SHOWN
    assert shown.endswith("…")


SECRET = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=6, max_size=20).map(
    lambda each: f"Eva{each}"
)


@given(SECRET)
@settings(max_examples=150, deadline=None)
def test_no_literal_leaks(secret: str) -> None:
    """Whatever stands between quotes, in each way of quoting."""
    quoted = secret.replace("'", "''")
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    for sql in (
        f"select '{quoted}'",
        f"select E'{escaped}'",
        f"select $x1${secret}$x1$",
        f"select 1 /*{secret}",
    ):
        if "*/" not in secret:
            assert secret not in without_values(sql)


def test_tables_are_found_by_name_however_they_are_written() -> None:
    """Quoted, in another case, with a schema, inside of a text that is run; not as a part of a word."""
    for sql in (
        'table "users"',
        "TABLE Users",
        "select 1 from public.users",
        "do $$ perform * from users $$",
    ):
        assert names_one(sql, {"users"})
    assert not names_one("select * from users_old", {"users"})
    assert names_one('table "we""ird"', {'we"ird'})


def test_one_spelling_for_the_same_query() -> None:
    """Line ends do not matter."""
    assert one_line("a\n  b\tc ") == "a b c"


def test_what_cannot_be_told_counts_as_reading() -> None:
    """Only what plainly writes does not."""
    assert may_read("call everything()")
    assert may_read("/* insert */ select 1")
    assert not may_read("-- select\ninsert into x values (1)")
    assert not may_read("   ")
