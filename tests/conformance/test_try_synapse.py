"""`dueprocess try` on a real Synapse that runs meanwhile: exact counts for who asks, and nothing for anybody else."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from dueprocess.cli.demo.homeserver import Homeserver, running
from dueprocess.cli.demo.matrix import Caller, LoggedIn, Matrix

pytestmark = [pytest.mark.conformance, pytest.mark.slow]
PASSWORD = "correct horse battery staple"
NAMES = ("eva", "dana", "carol", "boss")
PNG = b"\x89PNG\r\n\x1a\n" + b"0123456789" * 50


@dataclass(frozen=True)
class Live:
    """A running homeserver with people in it, and their tokens."""

    server: Homeserver
    eva: str
    dana: str
    boss: str
    as_eva: str
    """A token with which an administrator speaks as Eva."""
    logged_out: str
    closed: str

    def link(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.server.database}?mode=ro", uri=True)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Eva and Dana write, upload and have devices; Carol's account is closed; Boss is an administrator."""
    with running(tmp_path_factory.mktemp("homeserver"), say=lambda _: None) as server:
        matrix = Matrix(server.port)
        callers = {name: Caller(f"client of {name}", f"192.0.2.{at}") for at, name in enumerate(NAMES, 1)}
        for name, caller in callers.items():
            matrix.register(name, PASSWORD, server.registration_secret, caller, admin=name == "boss")
        people = {
            name: matrix.login(name, PASSWORD, callers[name], device_name=f"phone of {name}")
            for name in NAMES
        }
        eva, dana, boss = people["eva"], people["dana"], people["boss"]
        again = matrix.login("eva", PASSWORD, Caller("old client", "192.0.2.99"), device_name="lost phone")
        _talk(matrix, eva, dana)
        matrix.set_mail(boss.caller, eva.user_id, "eva@mail.example")
        matrix.set_mail(boss.caller, dana.user_id, "CANARY-dana@mail.example")
        matrix.ask("POST", "/_matrix/client/v3/logout", again.caller, {})
        admin = "/_synapse/admin/v1"
        path = f"{admin}/users/{quote(eva.user_id, safe='')}/login"
        puppet = matrix.ask("POST", path, boss.caller, {})["access_token"]
        matrix.ask("POST", f"{admin}/deactivate/{quote(people['carol'].user_id, safe='')}", boss.caller, {})
        yield Live(
            server,
            eva.caller.token,
            dana.caller.token,
            boss.caller.token,
            str(puppet),
            again.caller.token,
            people["carol"].caller.token,
        )


def _talk(matrix: Matrix, eva: LoggedIn, dana: LoggedIn) -> None:
    room = matrix.open_room(eva, "harbour")
    matrix.join(dana, room)
    matrix.set_display_name(eva, "Eva SECRETVALUE")
    matrix.set_display_name(dana, "CANARY Dana")
    for number in range(7):
        said = {
            "msgtype": "m.text",
            "body": f"SECRETVALUE {number}",
            "m.mentions": {"user_ids": [dana.user_id]},
        }
        matrix.send(eva, room, said, number)
        matrix.send(dana, room, {"msgtype": "m.text", "body": "CANARY"}, number)
    matrix.upload(eva, PNG, "SECRETVALUE.png")
    matrix.upload(eva, PNG + b"more", "another.png")
    matrix.upload(dana, PNG, "CANARY.png")


def asked(
    live: Live, token: str, *words: str, database: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The command as the host types it, with the token on standard input."""
    return subprocess.run(
        [*command(live, database), *words],
        input=token,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def command(live: Live, database: Path | None = None) -> list[str]:
    where = ["--synapse", str(database or live.server.database), "--media", str(live.server.media)]
    address = ["--server", f"http://127.0.0.1:{live.server.port}"]
    return [sys.executable, "-m", "dueprocess", "try", *where, *address]


def counted(live: Live, token: str) -> dict[str, object]:
    done = asked(live, token, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


# ------------------------------------------------------------------------------------------------ the oracle

_MESSAGES = "event_json j JOIN events e ON e.event_id = j.event_id WHERE e.sender = :me"
ORACLE: Mapping[tuple[str, str], str] = {
    ("users", "subscriber.identity"): "SELECT count(*) FROM users WHERE name = :me",
    ("users", "subscriber.service"): "SELECT count(*) FROM users WHERE name = :me",
    ("user_threepids", "subscriber.identity"): "SELECT count(*) FROM user_threepids WHERE user_id = :me",
    ("user_threepids", "subscriber.service"): "SELECT count(*) FROM user_threepids WHERE user_id = :me",
    ("profiles", "content.profile"): "SELECT count(*) FROM profiles WHERE full_user_id = :me"
    " AND (displayname IS NOT NULL OR avatar_url IS NOT NULL)",
    ("user_ips", "session.times"): "SELECT count(*) FROM user_ips WHERE user_id = :me",
    ("user_ips", "traffic"): "SELECT count(*) FROM user_ips WHERE user_id = :me",
    (
        "devices",
        "session.times",
    ): "SELECT count(*) FROM devices WHERE user_id = :me AND last_seen IS NOT NULL",
    ("devices", "traffic"): "SELECT count(*) FROM devices WHERE user_id = :me AND last_seen IS NOT NULL",
    ("event_json", "content.messages"): f"SELECT count(*) FROM {_MESSAGES}",
    ("local_media_repository", "content.files"): "SELECT count(*) FROM local_media_repository"
    " WHERE user_id = :me AND url_cache IS NULL",
}
"""Records by table and category, as a host would count them by hand."""

BYTES = """SELECT sum(length(CAST(ip AS BLOB)) + length(CAST(user_agent AS BLOB))
    + coalesce(length(CAST(device_id AS BLOB)), 0)) FROM user_ips WHERE user_id = :me"""
MONTHS = f"""SELECT strftime('%Y-%m', min(e.origin_server_ts) / 1000, 'unixepoch'),
    strftime('%Y-%m', max(e.origin_server_ts) / 1000, 'unixepoch') FROM {_MESSAGES}"""
FILES = "SELECT count(*), sum(media_length) FROM local_media_repository WHERE user_id = :me"


def by_hand(live: Live, me: str) -> dict[str, object]:
    with closing(live.link()) as link:
        rows = {key: link.execute(sql, {"me": me}).fetchone()[0] for key, sql in ORACLE.items()}
        return {
            "rows": {key: count for key, count in rows.items() if count},
            "bytes": link.execute(BYTES, {"me": me}).fetchone()[0],
            "months": link.execute(MONTHS, {"me": me}).fetchone(),
            "files": link.execute(FILES, {"me": me}).fetchone(),
        }


def by_command(found: dict[str, object]) -> dict[str, object]:
    """The same figures from the command's answer."""
    entries: list[dict[str, object]] = found["entries"]  # type: ignore[assignment]  # JSON
    tables = {str(each["name"]): each for each in entries if each["kind"] == "table"}
    (files,) = (each for each in entries if each["kind"] == "files")
    rows = {
        (name, category): part["records"]
        for name, each in tables.items()
        for category, part in each["categories"].items()  # type: ignore[attr-defined]  # JSON
        if part["records"] and name != "user_daily_visits"
    }
    return {
        "rows": rows,
        "bytes": tables["user_ips"]["categories"]["traffic"]["bytes"],  # type: ignore[index]  # JSON
        "months": (tables["event_json"]["oldest"], tables["event_json"]["newest"]),
        "files": (files["records"], files["bytes"]),
    }


def settled(live: Live, me: str, token: str) -> None:
    """Synapse notes this command's own request as a session, some seconds later. Waits until it has."""
    asked(live, token, "--json")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with closing(live.link()) as link:
            seen = "SELECT 1 FROM user_ips WHERE user_id = ? AND user_agent = 'dueprocess-try'"
            if link.execute(seen, [me]).fetchone():
                return
        time.sleep(0.5)
    pytest.fail("Synapse did not note the request")


@pytest.mark.parametrize("name", ["eva", "dana"])
def test_the_counts_are_those_that_a_host_counts_by_hand(live: Live, name: str) -> None:
    """Table by table and category by category, with sizes, months and files; each sees the own account."""
    token, me = getattr(live, name), f"@{name}:chat.example"
    settled(live, me, token)
    for _ in range(5):
        before, found, after = by_hand(live, me), by_command(counted(live, token)), by_hand(live, me)
        if before == after:  # A server that runs may write meanwhile.
            assert found == before
            assert before["files"] == ((2, 2 * len(PNG) + 4) if name == "eva" else (1, len(PNG)))
            return
    pytest.fail("the server never stood still")


def test_no_value_of_anybody_is_said(live: Live, tmp_path: Path) -> None:
    """Not Dana's, not Eva's own: no word, name, address, device, room or file name; in text, page and JSON."""
    page = tmp_path / "page.html"
    told = asked(live, live.eva, "--out", str(page))
    assert told.returncode == 0, told.stderr
    assert page.stat().st_mode & 0o077 == 0
    said = told.stdout + told.stderr + asked(live, live.eva, "--json").stdout + page.read_text("utf-8")
    with closing(live.link()) as link:
        values = {str(each) for (each,) in link.execute("SELECT device_id FROM devices")}
        values |= {str(each) for (each,) in link.execute("SELECT event_id FROM events")}
        values |= {str(each) for (each,) in link.execute("SELECT media_id FROM local_media_repository")}
    assert len(values) > 20
    for value in (*values, "CANARY", "SECRETVALUE", "@eva", "@dana", "192.0.2.", "client of", "mail.example"):
        assert value not in said, value
    for token in (live.eva, live.dana, live.boss):
        assert token not in said


@pytest.mark.parametrize(
    ("whose", "code"),
    [
        ("boss", "administrator"),
        ("as_eva", "no-session"),
        ("logged_out", "token-refused"),
        ("closed", "token-refused"),
    ],
)
def test_other_tokens_are_refused(live: Live, whose: str, code: str) -> None:
    """An administrator's, one of an administrator as Eva, one that was logged out, one of a closed account."""
    token = getattr(live, whose)
    done = asked(live, token, "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == code
    assert token not in done.stdout + done.stderr


def test_a_made_up_token_and_a_password_are_refused(live: Live) -> None:
    """Neither opens anything, and neither is repeated."""
    for token in ("syt_ZXZh_madeUpMadeUpMadeUp_000000", "correct-horse"):
        done = asked(live, token, "--json")
        assert json.loads(done.stdout)["error"]["code"] == "token-refused"
        assert token not in done.stdout + done.stderr
    assert json.loads(asked(live, PASSWORD, "--json").stdout)["error"]["code"] == "bad-token"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE users SET name = replace(name, 'chat.example', 'other.example')", "other-server"),
        ("DELETE FROM devices", "no-session"),
        ("UPDATE users SET admin = 1 WHERE name LIKE '@eva:%'", "administrator"),
        ("UPDATE users SET appservice_id = 'bridge' WHERE name LIKE '@eva:%'", "appservice"),
        ("UPDATE users SET deactivated = 1 WHERE name LIKE '@eva:%'", "deactivated"),
        ("UPDATE users SET is_guest = 1 WHERE name LIKE '@eva:%'", "guest"),
    ],
)
def test_a_database_that_says_otherwise_wins(live: Live, tmp_path: Path, change: str, code: str) -> None:
    """Another server's database, and one in which the account is no ordinary one or has no such session."""
    copy = tmp_path / "copy.db"
    with closing(live.link()) as link, closing(sqlite3.connect(copy)) as other:
        link.backup(other)
        other.execute("PRAGMA journal_mode=DELETE")
        other.executescript(change)
    done = asked(live, live.eva, "--json", database=copy)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == code


def test_the_token_is_in_no_argument_and_no_environment(live: Live) -> None:
    """While the command waits for the end of its input, other users of the machine see nothing of it."""
    with subprocess.Popen(command(live), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        child.stdin.write(live.eva)
        child.stdin.flush()
        time.sleep(1)
        seen = (
            Path(f"/proc/{child.pid}/cmdline").read_bytes() + Path(f"/proc/{child.pid}/environ").read_bytes()
        )
        out, _ = child.communicate(timeout=60)
    assert live.eva.encode() not in seen
    assert "one account" in out


def test_the_token_leaves_by_the_one_connection_and_the_store_is_only_read(
    live: Live, tmp_path: Path
) -> None:
    """By the kernel's own account: no child, no file with the token, no other address, nothing written but the page."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("strace is missing: install it (Debian: apt-get install strace)")
    trace, page = tmp_path / "trace", tmp_path / "page.html"
    kinds = "trace=%file,%desc,%network,execve"
    words = [
        strace,
        "-f",
        "-y",
        "-s",
        "100000",
        "-o",
        str(trace),
        "-e",
        kinds,
        *command(live),
        "--out",
        str(page),
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, input=live.eva, capture_output=True, text=True, check=False, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr
    calls = [line.partition(" ")[2].strip() for line in trace.read_text(errors="replace").splitlines()]
    assert sum(call.startswith("execve(") for call in calls) == 1
    # It is read from standard input, and stands in pages of the database: Synapse keeps tokens in plain text.
    with_token = [call for call in calls if live.eva in call and not re.match(r"p?read", call)]
    assert len(with_token) == 2  # whoami, and the question whether this is an administrator
    assert all(call.startswith("sendto(") and "Authorization: Bearer" in call for call in with_token)
    reached = {call for call in calls if call.startswith("connect(") and "AF_INET" in call}
    assert reached
    assert all(f"htons({live.server.port})" in call and '"127.0.0.1"' in call for call in reached)
    opened = [re.match(r'open(?:at)?\((?:[^,]+, )?"([^"]*)", ([A-Z_|]+)', call) for call in calls]
    written = {each[1] for each in opened if each and not each[2].startswith("O_RDONLY")}
    # SQLite opens its log and the log's shared index so that it could write, also for a reader; it writes no byte.
    logs = {f"{live.server.database}-{end}" for end in ("shm", "wal")}
    assert written - {str(page), "/dev/null", *logs} == set()
    changing = re.compile(r"(p?write\w*|ftruncate|fallocate|unlink\w*|rename\w*|fsync|fdatasync)\(")
    changes = [call for call in calls if changing.match(call) and live.server.database.name in call]
    assert changes == []
    assert any(each and each[1] == str(live.server.database) and "O_RDONLY" in each[2] for each in opened)
