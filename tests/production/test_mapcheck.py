"""Before a map is used, it is held against the live stores: drift, doubt and rooms are found."""

from typing import Any

from dueprocess.production.mapcheck import Finding, check_map


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
