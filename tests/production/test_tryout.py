"""The dry run for one proven account: exact counts on both engines, refusals, and failures that stay apart."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.library.datamaps import shipped_maps
from dueprocess.production.tryout import Held, Holdings, Proven, count_own, value_bytes, whole_window

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
EVA, DANA = Proven("@eva:host.example", "PHONE"), Proven("@dana:host.example", "TABLET")
MAP = shipped_maps()["synapse"]
type Counting = Callable[[str], dict[str, str]]


def ms(year: int, month: int, day: int = 1) -> int:
    return int(dt.datetime(year, month, day, tzinfo=dt.UTC).timestamp() * 1000)


TABLES = """
CREATE TABLE users (name TEXT UNIQUE, password_hash TEXT, creation_ts BIGINT, admin SMALLINT DEFAULT 0 NOT NULL,
    is_guest SMALLINT DEFAULT 0 NOT NULL, appservice_id TEXT, user_type TEXT, deactivated SMALLINT DEFAULT 0 NOT NULL);
CREATE TABLE user_threepids (user_id TEXT, medium TEXT, address TEXT, validated_at BIGINT, added_at BIGINT);
CREATE TABLE user_external_ids (user_id TEXT, auth_provider TEXT, external_id TEXT);
CREATE TABLE profiles (full_user_id TEXT, displayname TEXT, avatar_url TEXT);
CREATE TABLE user_ips (user_id TEXT, access_token TEXT, last_seen BIGINT, ip TEXT, user_agent TEXT, device_id TEXT);
CREATE TABLE devices (user_id TEXT, device_id TEXT, last_seen BIGINT, display_name TEXT, ip TEXT, user_agent TEXT);
CREATE TABLE user_daily_visits (user_id TEXT, timestamp BIGINT, device_id TEXT, user_agent TEXT);
CREATE TABLE events (event_id TEXT UNIQUE, sender TEXT, origin_server_ts BIGINT);
CREATE TABLE event_json (event_id TEXT UNIQUE, room_id TEXT, json TEXT);
CREATE TABLE local_media_repository (user_id TEXT, media_id TEXT, created_ts BIGINT, media_type TEXT,
    media_length BIGINT, upload_name TEXT, url_cache TEXT);
"""
PEOPLE = f"""
INSERT INTO users (name, password_hash, creation_ts) VALUES
  ('{EVA.user_id}', 'CANARY', 1700000000), ('{DANA.user_id}', 'CANARY', 1700000000);
INSERT INTO user_threepids VALUES
  ('{EVA.user_id}', 'email', 'VALUE@mail.example', NULL, NULL), ('{DANA.user_id}', 'email', 'CANARY', 1, 1);
INSERT INTO profiles VALUES ('{EVA.user_id}', NULL, NULL), ('{DANA.user_id}', 'CANARY', NULL);
INSERT INTO user_ips VALUES
  ('{EVA.user_id}', 'CANARY', {ms(2026, 9)}, '192.0.2.1', 'Väster', 'PHONE'),
  ('{EVA.user_id}', 'CANARY', {ms(2026, 11)}, '192.0.2.22', '', NULL),
  ('{DANA.user_id}', 'CANARY', {ms(2020, 1)}, 'CANARY', 'CANARY', 'TABLET');
INSERT INTO devices VALUES
  ('{EVA.user_id}', 'PHONE', {ms(2026, 11, 20)}, 'VALUE', '192.0.2.1', 'x'),
  ('{EVA.user_id}', 'NEVER SEEN', NULL, 'VALUE', NULL, NULL),
  ('{DANA.user_id}', 'TABLET', {ms(2019, 1)}, 'CANARY', 'CANARY', 'CANARY');
INSERT INTO events VALUES
  ('$1', '{EVA.user_id}', {ms(2024, 2)}), ('$2', '{EVA.user_id}', {ms(2026, 11, 21)}),
  ('$3', '{EVA.user_id}', {ms(2030, 1)}), ('$4', '{DANA.user_id}', {ms(2018, 1)});
INSERT INTO event_json SELECT event_id, 'CANARY', '{{"content":{{"body":"CANARY"}}}}' FROM events;
INSERT INTO local_media_repository VALUES
  ('{EVA.user_id}', 'abcdefgh', {ms(2025, 3)}, 'image/png', 5, 'VALUE', NULL),
  ('{EVA.user_id}', 'abcdMISSING', {ms(2025, 4)}, 'image/png', 5, 'VALUE', NULL),
  ('{EVA.user_id}', 'abcdPREVIEW', {ms(2025, 5)}, 'image/png', 5, 'VALUE', 'https://news.example'),
  ('{DANA.user_id}', 'abcdDANA', {ms(2017, 3)}, 'image/png', 5, 'CANARY', NULL);
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Counting:
    """Makes the stores of a small Synapse with one more statement, and gives the connections of the map."""

    def made(change: str) -> dict[str, str]:
        folder = tmp_path / "media" / "local_content" / "ab" / "cd"
        folder.mkdir(parents=True)
        (folder / "efgh").write_bytes(b"12345678901")
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path}/homeserver.db"
            with closing(sqlite3.connect(tmp_path / "homeserver.db")) as link:
                link.executescript(TABLES + PEOPLE + change)
        else:
            address = request.getfixturevalue("postgres_dsn")
            with psycopg.connect(address) as connection:
                connection.execute((TABLES + PEOPLE + change).encode())
        return {"SYNAPSE_DSN": address, "SYNAPSE_MEDIA": f"file:///{tmp_path}/media"}

    return made


def entries(holdings: Holdings) -> dict[str, Held]:
    return {("files" if each.files else each.label): each for each in holdings.entries}


def test_counts_sizes_and_months_are_exact(stores: Counting) -> None:
    """By table and by category; NULL is nothing held, and a record without a time is in no window."""
    holdings = count_own(MAP, stores(""), EVA, whole_window(NOW, None))
    found = entries(holdings)
    figures = {
        (name, str(part.category)): (part.records, part.size)
        for name, each in found.items()
        for part in each.parts
        if part.records
    }
    # Three whole numbers: SQLite has one width, PostgreSQL two.
    assert figures.pop(("users", "subscriber.service")) in {(1, 24), (1, 12)}
    event = len('{"content":{"body":"CANARY"}}') + len("CANARY") + 2
    assert figures == {
        ("users", "subscriber.identity"): (1, len(EVA.user_id)),
        ("user_threepids", "subscriber.identity"): (1, len("emailVALUE@mail.example")),
        ("user_ips", "session.times"): (2, 16),
        ("user_ips", "traffic"): (
            2,
            len("192.0.2.1") + len("Väster".encode()) + len("PHONE") + len("192.0.2.22"),
        ),
        ("devices", "session.times"): (1, 8),
        ("devices", "traffic"): (1, len("PHONE") + len("VALUE") + len("192.0.2.1") + 1),
        ("event_json", "content.messages"): (2, 2 * event),
        ("local_media_repository", "content.files"): (2, 2 * (8 + 9 + 8 + 5) + 8 + 11),
        ("files", "content.files"): (1, 11),
    }
    assert {name: each.records for name, each in found.items() if each.records} == {
        "users": 1,
        "user_threepids": 1,
        "profiles": 1,
        "user_ips": 2,
        "devices": 1,
        "event_json": 2,
        "local_media_repository": 2,
        "files": 1,
    }
    assert {name: each.months for name, each in found.items() if each.months} == {
        "user_ips": ("2026-09", "2026-11"),
        "devices": ("2026-11", "2026-11"),
        "event_json": ("2024-02", "2026-11"),
        "local_media_repository": ("2025-03", "2025-04"),
        "files": ("2025-03", "2025-04"),
    }
    assert (found["files"].missing, found["files"].status) == (1, "found")
    assert found["user_external_ids"].status == found["user_daily_visits"].status == "nothing_held"
    assert holdings.left_out["users"] == ("password_hash", "admin", "appservice_id")
    assert holdings.left_out["user_ips"] == ("access_token",)


def test_what_was_counted_holds_no_value(stores: Counting) -> None:
    """Nothing that comes back repeats a value of a record, or says whose records they were."""
    said = repr(count_own(MAP, stores(""), EVA, whole_window(NOW, None)))
    for value in ("CANARY", "VALUE", "@eva", "@dana", "192.0.2", "Väster", "PHONE", "abcd", "1700000000"):
        assert value not in said


def test_only_the_last_days_are_counted_if_so_asked(stores: Counting) -> None:
    """A window cuts what has times, and nothing else."""
    found = entries(count_own(MAP, stores(""), EVA, whole_window(NOW, 30)))
    assert {name: found[name].records for name in ("users", "user_ips", "event_json", "files")} == {
        "users": 1,
        "user_ips": 1,
        "event_json": 1,
        "files": 0,
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE users SET name = '@other:host.example' WHERE name LIKE '@eva%';", "other-server"),
        ("UPDATE users SET admin = 1;", "administrator"),
        ("UPDATE users SET is_guest = 1;", "guest"),
        ("UPDATE users SET appservice_id = 'bridge';", "appservice"),
        ("UPDATE users SET deactivated = 1;", "deactivated"),
        ("DELETE FROM devices WHERE device_id = 'PHONE';", "no-session"),
        ("UPDATE devices SET user_id = 'x' WHERE device_id = 'PHONE';", "no-session"),
    ],
)
def test_an_account_that_is_not_an_ordinary_one_is_refused(stores: Counting, change: str, code: str) -> None:
    """The store's own word about the account and the session, on both engines."""
    with pytest.raises(RefusedError) as caught:
        count_own(MAP, stores(change), EVA, whole_window(NOW, None))
    assert caught.value.code == code


def test_the_session_of_somebody_else_is_no_session(stores: Counting) -> None:
    """A session counts only for the account that it belongs to."""
    with pytest.raises(RefusedError, match="session"):
        count_own(MAP, stores(""), replace(EVA, device_id="TABLET"), whole_window(NOW, None))


def test_a_store_that_cannot_say_what_the_account_is_stops_everything(stores: Counting) -> None:
    """A missing column is no permission."""
    with pytest.raises(UnavailableError):
        count_own(MAP, stores("ALTER TABLE users DROP COLUMN appservice_id;"), EVA, whole_window(NOW, None))


def test_one_missing_table_does_not_stop_the_others(stores: Counting) -> None:
    """It is told as failed, with its reason, and never as nothing held."""
    found = entries(count_own(MAP, stores("DROP TABLE user_ips;"), EVA, whole_window(NOW, None)))
    assert found["user_ips"].status == "failed"
    assert "user_ips" in found["user_ips"].why
    assert found["event_json"].records == 2


def test_more_records_than_the_cap_are_a_failure(stores: Counting) -> None:
    """Never a silent cut."""
    small = replace(
        MAP, stores=tuple(replace(each, max_rows=1) if each.max_rows else each for each in MAP.stores)
    )
    found = entries(count_own(small, stores(""), EVA, whole_window(NOW, None)))
    assert found["event_json"].status == found["files"].status == "failed"
    assert found["users"].status == "found"


def test_files_are_not_asked_for_without_a_folder(stores: Counting) -> None:
    """No folder named is another thing than one that is not there."""
    connections = stores("")
    without = {name: value for name, value in connections.items() if name != "SYNAPSE_MEDIA"}
    assert entries(count_own(MAP, without, EVA, whole_window(NOW, None)))["files"].status == "not_asked"
    wrong = {**connections, "SYNAPSE_MEDIA": "file:////nowhere/at/all"}
    assert entries(count_own(MAP, wrong, EVA, whole_window(NOW, None)))["files"].status == "failed"


def test_files_are_never_opened(stores: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only their sizes are asked for."""
    connections = stores("")
    monkeypatch.setattr(
        "dueprocess.production.stores.folder._open", lambda _: pytest.fail("a file was opened")
    )
    assert entries(count_own(MAP, connections, EVA, whole_window(NOW, None)))["files"].size == 11


def test_a_map_that_finds_accounts_otherwise_is_refused() -> None:
    """The confirmed identifier stands for one account of Synapse, and a map cannot make another one of it."""
    other = replace(MAP, targets=(replace(MAP.route("account"), column="friend"), *MAP.targets[1:]))
    with pytest.raises(RefusedError) as caught:
        count_own(other, {}, EVA, whole_window(NOW, None))
    assert caught.value.code == "other-accounts"


def test_days_are_between_one_and_a_hundred_years() -> None:
    """The window always has both ends and never begins before 1970."""
    for days in (0, -1, 36_501):
        with pytest.raises(MalformedError):
            whole_window(NOW, days)
    assert whole_window(NOW, 36_500).since == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert whole_window(NOW, 1).since == NOW - dt.timedelta(days=1)


@given(st.lists(st.none() | st.text(max_size=20), max_size=30))
def test_the_size_of_texts_is_that_of_their_bytes(texts: list[str | None]) -> None:
    """In UTF-8; NULL has none."""
    wanted = sum(len(each.encode()) for each in texts if each is not None)
    assert value_bytes(pa.array(texts, pa.string())) == wanted
    assert value_bytes(pa.array(texts, pa.large_string())) == wanted


@given(st.lists(st.none() | st.integers(-(2**31), 2**31), max_size=30))
def test_the_size_of_numbers_is_their_width(numbers: list[int | None]) -> None:
    """Eight bytes for a whole number of 64 bits, one for a truth value, nothing for NULL."""
    held = sum(each is not None for each in numbers)
    assert value_bytes(pa.array(numbers, pa.int64())) == 8 * held
    assert value_bytes(pa.array([None if each is None else each > 0 for each in numbers], pa.bool_())) == held
    assert value_bytes(pa.nulls(len(numbers))) == 0
