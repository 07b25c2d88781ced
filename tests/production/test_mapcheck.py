"""Before a map is used, it is held against the live stores: drift, doubt and rooms are found."""

import contextlib
import sqlite3
from typing import Any

import pytest

from dueprocess.production.columnkinds import can_serve, family
from dueprocess.production.mapcheck import Finding, check_map

EVA = "@eva:host.example"
DANA = "@dana:host.example"


def found(host: Any) -> set[tuple[str, str, str, str | None]]:
    return {
        (each.severity, each.code, each.table, each.column)
        for each in check_map(host.datamap(), host.stores())
    }


def errors(host: Any) -> set[tuple[str, str, str | None]]:
    return {(code, table, column) for severity, code, table, column in found(host) if severity == "error"}


def test_a_map_that_fits_has_no_errors(host: Any) -> None:
    """Only the columns that are not listed are named, so that somebody can say whether that is meant."""
    assert found(host) == {
        ("warning", "unlisted-column", "accounts", "password_hash"),
        ("warning", "unlisted-column", "sessions", "note"),
    }


def test_missing_tables_and_columns_are_errors(unbuilt: Any) -> None:
    """Drift towards less is found before it fails a production."""
    del unbuilt.tables["bodies"]
    unbuilt.tables["sessions"].columns = {
        {"ip": "address"}.get(name, name): kind for name, kind in unbuilt.tables["sessions"].columns.items()
    }
    unbuilt.build()
    assert errors(unbuilt) == {("missing-table", "bodies", None), ("missing-column", "sessions", "ip")}
    assert ("warning", "unlisted-column", "sessions", "address") in found(unbuilt)


def test_a_target_column_that_is_not_unique_is_an_error(unbuilt: Any) -> None:
    """By constraint where there are constraints, by the data where there are none."""
    unbuilt.tables["accounts"].unique = ()
    unbuilt.tables["accounts"].rows *= 2
    unbuilt.build()
    assert errors(unbuilt) == {("not-unique", "accounts", "name")}


def test_a_path_over_a_column_that_is_not_unique_is_an_error(unbuilt: Any) -> None:
    """`via` is many-to-one only."""
    unbuilt.tables["posts"].unique = ()
    unbuilt.tables["posts"].rows.append(unbuilt.tables["posts"].rows[0])
    unbuilt.build()
    assert errors(unbuilt) == {("fan-out", "posts", "id")}


def test_a_subject_column_that_names_rooms_is_an_error(unbuilt: Any) -> None:
    """Whatever the column is called: if none of its values is an account, it does not name people."""
    sessions = unbuilt.tables["sessions"]
    sessions.rows = [("!room:host.example", *row[1:]) for row in sessions.rows]
    unbuilt.build()
    assert errors(unbuilt) == {("not-a-person", "sessions", "account")}


def test_an_empty_table_says_nothing_about_its_subject(unbuilt: Any) -> None:
    """No rows, no doubt."""
    unbuilt.tables["sessions"].rows = []
    unbuilt.build()
    assert errors(unbuilt) == set()


def test_a_subject_without_an_index_is_a_warning(unbuilt: Any) -> None:
    """Where the engine has indexes, one that begins with the subject is expected."""
    unbuilt.tables["sessions"].indexed = ()
    unbuilt.build()
    has_indexes = unbuilt.engine in {"sqlite", "postgresql"}
    assert (("warning", "no-index", "sessions", "account") in found(unbuilt)) == has_indexes


def test_stores_that_do_not_answer_are_errors(small: Any) -> None:
    """Each missing store is named once, and its tables say why they could not be compared."""
    small.dsn = "sqlite:///nowhere/x.db"
    (small.folder / "media").rename(small.folder / "away")
    codes = {(each.code, each.store, each.table) for each in check_map(small.datamap(), small.stores())}
    assert ("store-unavailable", "media", "") in codes
    assert ("store-unavailable", "main", "sessions") in codes


def test_a_finding_is_json() -> None:
    """Every field, under its name."""
    finding = Finding("error", "not-unique", "main", "accounts", "name", "It is not.")
    assert finding.as_json() == {
        "severity": "error",
        "code": "not-unique",
        "store": "main",
        "table": "accounts",
        "column": "name",
        "what": "It is not.",
    }


EMAIL = """[[target]]
kind = "email"
store = "main"
table = "addresses"
column = "address"
subject = "account"
absent = ["removed"]
equals = { confirmed = 1 }
compare = "ignore_case"
"""
LEASE = """[[target]]
kind = "ip_at_time"
store = "main"
table = "leases"
column = "address"
subject = "account"
interval = { since = "began", until = "ended", unit = "ms" }
"""
PACKAGE = """[[target]]
kind = "resource"
store = "main"
table = "packages"
column = "name"
subject = "id"
owners = { table = "roles", resource = "package", subject = "by", accounts = "accounts", key = "name", name = "name" }
"""


def add_routes(host: Any, text: str = EMAIL + LEASE + PACKAGE) -> None:
    """Tables behind three more routes, filled and unique as they should be."""
    kind = type(host.tables["accounts"])
    host.tables["addresses"] = kind(
        {"address": "TEXT", "account": "TEXT", "removed": "TEXT", "confirmed": "BIGINT"},
        [("eva@mail.example", EVA, None, 1), ("Eva@mail.example", DANA, "x", 1)],
        unique=("address",),
        indexed=("account",),
    )
    host.tables["leases"] = kind(
        {"address": "TEXT", "account": "TEXT", "began": "BIGINT", "ended": "BIGINT"},
        [("192.0.2.1", EVA, 1, 2), ("192.0.2.1", DANA, 2, None)],
        indexed=("address",),
    )
    host.tables["packages"] = kind({"id": "BIGINT", "name": "TEXT"}, [(1, "lamp")], unique=("id", "name"))
    host.tables["roles"] = kind({"package": "BIGINT", "by": "TEXT"}, [(1, EVA)], indexed=("package",))
    host.text = host.text.replace("[[table]]", text + "[[table]]", 1)


def test_every_route_is_checked(unbuilt: Any) -> None:
    """Routes that fit have no error; where only the data could say whether one name is one person, it is said."""
    add_routes(unbuilt)
    unbuilt.build()
    assert errors(unbuilt) == set()
    assert ("warning", "unique-unknown", "addresses", "address") in found(unbuilt)


def test_a_route_without_its_columns_is_an_error(unbuilt: Any) -> None:
    """Columns that must be NULL, constants, intervals and owners must all be there."""
    add_routes(unbuilt)
    for table, column in (
        ("addresses", "removed"),
        ("addresses", "confirmed"),
        ("leases", "ended"),
        ("roles", "by"),
    ):
        kinds = unbuilt.tables[table].columns
        unbuilt.tables[table].columns = {
            "other" + name if name == column else name: kind for name, kind in kinds.items()
        }
    del unbuilt.tables["packages"]
    unbuilt.build()
    assert errors(unbuilt) == {
        ("missing-column", "addresses", "removed"),
        ("missing-column", "addresses", "confirmed"),
        ("missing-column", "leases", "ended"),
        ("missing-column", "roles", "by"),
        ("missing-table", "packages", None),
    }


def test_an_owner_is_one_account(unbuilt: Any) -> None:
    """A key that several accounts share, and owners who are no accounts, are errors."""
    add_routes(unbuilt, PACKAGE.replace('key = "name"', 'key = "joined"'))
    unbuilt.tables["accounts"].rows = [(*row[:2], 1, *row[3:]) for row in unbuilt.tables["accounts"].rows]
    unbuilt.tables["roles"].columns = {"package": "BIGINT", "by": "BIGINT"}
    unbuilt.tables["roles"].rows = [(1, 7)]
    unbuilt.build()
    assert errors(unbuilt) == {("not-unique", "accounts", "joined"), ("not-a-person", "roles", "by")}


def test_a_plain_route_of_another_kind_must_be_unique_and_lead_to_accounts(unbuilt: Any) -> None:
    """Two people behind one address is an error; so is an address that leads to nobody."""
    plain = EMAIL.replace('absent = ["removed"]\nequals = { confirmed = 1 }\ncompare = "ignore_case"\n', "")
    add_routes(unbuilt, plain)
    unbuilt.tables["addresses"].unique = ()
    unbuilt.tables["addresses"].rows = [("a@mail.example", f"!room{each}", None, 1) for each in range(2)]
    unbuilt.build()
    assert errors(unbuilt) == {
        ("not-unique", "addresses", "address"),
        ("not-a-person", "addresses", "account"),
    }


def test_a_column_that_cannot_hold_such_times_is_an_error(unbuilt: Any) -> None:
    """Text with the unit ms, whole numbers with the unit iso, for rows and for intervals."""
    add_routes(unbuilt, LEASE.replace('"ms"', '"iso"'))
    unbuilt.tables["sessions"].columns["seen"] = "TEXT"
    unbuilt.tables["sessions"].rows = [
        (row[0], str(row[1]), *row[2:]) for row in unbuilt.tables["sessions"].rows
    ]
    unbuilt.build()
    assert errors(unbuilt) == {
        ("bad-unit", "sessions", "seen"),
        ("bad-unit", "leases", "began"),
        ("bad-unit", "leases", "ended"),
    }


def test_a_zone_is_not_for_times_that_say_theirs(unbuilt: Any) -> None:
    """A column of instants with `zone` would be moved by it."""
    unbuilt.text = unbuilt.text.replace('unit = "timestamp"', 'unit = "timestamp", zone = "Europe/Berlin"')
    unbuilt.build()
    wrong = {("bad-zone", "posts", "at")} if unbuilt.engine != "sqlite" else set()
    assert errors(unbuilt) == wrong


def test_a_number_has_no_places_to_redact(unbuilt: Any) -> None:
    """A rule for a place in a document, on a column without documents, would never find anything."""
    unbuilt.text = unbuilt.text.replace(
        'joined = { category = "subscriber.service" }',
        'joined = { category = "subscriber.service", third_party = ["redact:a.b"] }',
    )
    unbuilt.build()
    severity = "warning" if unbuilt.engine == "sqlite" else "error"
    assert (severity, "bad-redaction", "accounts", "joined") in found(unbuilt)


def test_constants_of_a_table_must_be_columns(small: Any) -> None:
    """`equals` on a column that is not there is drift; one that is there is not called unlisted."""
    small.text = small.text.replace(
        'time = { column = "seen"', 'equals = { note = "x" }\ntime = { column = "seen"'
    )
    assert ("warning", "unlisted-column", "sessions", "note") not in found(small)
    small.text = small.text.replace("note =", "nota =")
    assert errors(small) == {("missing-column", "sessions", "nota")}


def test_two_entries_of_one_table_share_what_they_list(small: Any) -> None:
    """A column that one of two labels lists is listed; what neither does is named once."""
    more = """[[table]]
store = "main"
name = "sessions"
as = "notes"
subject = "account"
time = { column = "seen", unit = "ms" }
[table.columns]
note = { category = "traffic" }
"""
    small.text = small.text.replace("[[file]]", more + "[[file]]")
    assert found(small) == {("warning", "unlisted-column", "accounts", "password_hash")}


def test_each_step_of_a_path_wants_an_index(unbuilt: Any) -> None:
    """From the subject to the rows each column is looked up; without an index that reads the whole table."""
    unbuilt.tables["bodies"].indexed = ()
    unbuilt.tables["posts"].indexed = ()
    unbuilt.build()
    missing = {(table, column) for _, code, table, column in found(unbuilt) if code == "no-index"}
    has_indexes = unbuilt.engine in {"sqlite", "postgresql"}
    assert missing == ({("bodies", "post"), ("posts", "author")} if has_indexes else set())


def test_a_view_is_told_and_its_data_asked(small: Any) -> None:
    """Nothing stands in a view's schema about what is unique behind it, so the rows are asked."""

    def change(*statements: str) -> None:
        while small.opened:
            small.opened.pop().close()
        with contextlib.closing(sqlite3.connect(small.dsn.removeprefix("sqlite:///"))) as link, link:
            for each in statements:
                link.execute(each)

    change("ALTER TABLE posts RENAME TO kept_posts", "CREATE VIEW posts AS SELECT * FROM kept_posts")
    assert errors(small) == set()
    assert ("warning", "view", "posts", None) in found(small)
    assert ("warning", "no-index", "posts", "author") not in found(small)
    change("DROP INDEX posts_id_key", "INSERT INTO kept_posts SELECT * FROM kept_posts")
    assert errors(small) == {("fan-out", "posts", "id")}


def test_a_map_without_accounts_is_checked_all_the_same(small: Any) -> None:
    """A host that knows people by something else has no account to compare with."""
    small.text = small.text.replace('kind = "account"', 'kind = "device"')
    assert errors(small) == set()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bigint(20) unsigned", "whole"),
        ("INTEGER", "whole"),
        ("int8", "whole"),
        ("UBIGINT", "whole"),
        ("smallserial", "whole"),
        ("interval", "other"),
        ("point", "other"),
        ("character varying(255)", "text"),
        ("VARCHAR", "text"),
        ("string", "text"),
        ("citext", "text"),
        ("jsonb", "json"),
        ("timestamp(3) without time zone", "time"),
        ("timestamp with time zone", "instant"),
        ("TIMESTAMP WITH TIME ZONE", "instant"),
        ("datetime(6)", "time"),
        ("timestamp_ntz", "time"),
        ("date", "day"),
        ("numeric(20,0)", "number"),
        ("boolean", "truth"),
        ("bytea", "bytes"),
        ("STRUCT(a INTEGER)", "other"),
        ("", "other"),
    ],
)
def test_types_are_known_by_the_names_that_engines_give_them(kind: str, expected: str) -> None:
    """Lengths, signs and capitals do not count; a doubt is `other`, which serves for anything."""
    assert family(kind) == expected
    assert all(can_serve(kind, unit) for unit in ("ms", "iso")) == (expected == "other")
