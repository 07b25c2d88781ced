"""The map of a mail host on a running Dovecot, beside lines that a real Postfix wrote."""

import datetime as dt
import gzip
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from datamaps.headers import text_of
from datamaps.mailserver import MailHost, mail_host, refused, session
from datamaps.reading import errors, opened, plan_for, produced, resolved
from datamaps.talk import PHASES, whole_second
from dueprocess.demand import Period
from dueprocess.errors import UnavailableError
from dueprocess.library.datamaps import shipped_maps
from dueprocess.plan import DataMap, Plan, parse_map
from dueprocess.production.collect import Collection
from dueprocess.production.stores import FoundFile, Stores

DATA = Path(__file__).parent / "data"
EVA = "eva@mail.example"
LABELS = {"accounts", "logins", "logouts", "queued", "deliveries", "redirected", "received"}
OLD_STAMP = r"(?P<time>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8})"


def mail_map() -> DataMap:
    return shipped_maps()["mail-host"]


@dataclass(frozen=True)
class Used:
    """The host after three phases of use, of which the middle one is the window."""

    host: MailHost
    window: Period


@pytest.fixture(scope="module")
def used() -> Iterator[Used]:
    """Eva, Dana and Eva's namesake on the other domain sign in and keep messages in each phase."""
    with mail_host() as host:
        ends = []
        for phase in PHASES:
            if phase != PHASES[0]:
                ends.append(whole_second())
            texts = (
                ("INBOX", f"{phase}|eva in"),
                ("Sent", f"{phase}|eva out"),
                ("Work.2026", f"{phase}|eva work"),
            )
            session(host.port, EVA, "CANARY-pw-eva", *texts)
            session(host.port, "dana@mail.example", "CANARY-pw-dana", ("INBOX", f"CANARY|{phase}|dana"))
            session(
                host.port, "eva@other.example", "CANARY-pw-namesake", ("INBOX", f"CANARY|{phase}|namesake")
            )
        refused(host.port, EVA)
        window = Period(*ends)
        _postfix(host, window)
        yield Used(host, window)


def _postfix(host: MailHost, window: Period) -> None:
    """What Postfix wrote, three times: before, inside and after the window, with identifiers of their own."""
    assert window.since is not None
    assert window.until is not None
    for number, at in enumerate((window.since - dt.timedelta(seconds=1), window.since, window.until)):
        text = (DATA / "postfix-mail.log").read_text()
        text = re.sub(r"^Nov 22 [\d:]+ ", f"{at.isoformat()} ", text, flags=re.MULTILINE)
        text = text.replace(" 4jXY", f" 4jX{number}")
        text = text if number == 1 else text.replace("boris@", "CANARY-boris@").replace("friends@", "CANARY@")
        (host.logs / f"mail.log.{number + 1}.gz").write_bytes(gzip.compress(text.encode()))


def test_check_finds_no_error(used: Used) -> None:
    """Every pattern has lines of its form, and no identifier of a message stands twice."""
    assert errors(mail_map(), used.host.environment) == []


def test_everything_of_eva_in_the_window_and_nothing_else(used: Used) -> None:
    """All categories: exactly hers, from files plain and packed."""
    with opened(mail_map(), used.host.environment) as stores:
        plan = plan_for(mail_map(), "Eva@Mail.example", used.window)
        found = produced(plan, stores)
        assert resolved(plan_for(mail_map(), EVA, used.window, kind="email"), stores) == EVA
        assert resolved(plan_for(mail_map(), "eva", used.window), stores) is None
    assert set(found) == LABELS
    assert found["accounts"] == [{"user": EVA, "real_name": "Eva Example"}]
    (login,), (logout,) = found["logins"], found["logouts"]
    assert {**login, "time": "", "session": ""} == {
        "time": "", "address": "127.0.0.1", "protocol": "imap", "session": "",
    }  # fmt: skip
    assert logout["session"] == login["session"]
    assert str(logout["received"]).isdigit()
    (queued,) = found["queued"]
    assert (queued["queue_id"], queued["address"]) == ("4jX17M1cm0zRVyD", "127.0.0.1")
    assert [row["recipient"] for row in found["deliveries"]] == ["boris@else.example"]
    assert [row["recipient"] for row in found["redirected"]] == ["friends@mail.example"] * 2
    assert sorted(str(row["queue_id"]) for row in found["received"]) == ["4jX17M1ndfzRVyF", "4jX17M2KWSzRVyD"]
    said = repr(found)
    assert "CANARY" not in said
    assert "dana" not in said
    assert "chi@" not in said


def test_a_forged_sender_is_not_the_account(used: Used) -> None:
    """Somebody wrote to Dana under Eva's name: that message has no login and is nobody's of this host."""
    assert "4jXY7M2MZQzRVyD: from=<eva@mail.example>" in (DATA / "postfix-mail.log").read_text()
    with opened(mail_map(), used.host.environment) as stores:
        found = produced(plan_for(mail_map(), EVA, used.window), stores)
    assert "4jX17M2MZQzRVyD" not in repr(found)


def messages(plan: Plan, stores: Stores) -> list[str]:
    """The messages of the plan as they lie there."""
    subject = resolved(plan, stores)
    assert subject is not None
    (query,) = plan.files
    folder = stores.folders[query.store]
    rows = [
        row
        for batch in stores.databases["users"].batches(query.rows, subject)
        for row in batch.rows.to_pylist()
    ]
    found = [each for row in rows for each in folder.files(query, row)]
    assert all(isinstance(each, FoundFile) for each in found)
    return [b"".join(folder.chunks(each)).decode() for each in found if isinstance(each, FoundFile)]


def test_messages_of_every_folder_as_they_lie_there(used: Used) -> None:
    """Original bytes of the middle phase, of the inbox and of folders that the user made."""
    with opened(mail_map(), used.host.environment) as stores:
        found = messages(plan_for(mail_map(), EVA, used.window, "content.messages"), stores)
    assert sorted(text.splitlines()[-1] for text in found) == [
        "inside|eva in",
        "inside|eva out",
        "inside|eva work",
    ]
    assert "CANARY" not in repr(found)


def test_a_parcel_says_folder_and_time_and_no_path(used: Used) -> None:
    """The whole way to members of a parcel; each entry ends as found, and no canary is in it."""
    with opened(mail_map(), used.host.environment) as stores:
        plan = plan_for(mail_map(), EVA, used.window)
        collection = Collection(plan, stores, "ABCD")
        members = {each.path: b"".join(each.chunks) for each in collection.members()}
    assert {(each.table, each.status) for each in collection.results} == {
        (label, "found") for label in LABELS
    }
    files = sorted(name for name in members if "/files/" in name)
    names = [re.sub(r"ABCD-\d+", "N", name) for name in files]
    assert all(
        re.fullmatch(r"data/mail/files/.*(INBOX|Sent|Work\.2026)_\d{8}T\d{6}Z\.eml", name) for name in names
    )
    assert len(files) == 3
    assert not any(b"CANARY" in data or b"dana@" in data for data in members.values())


def test_a_category_more_or_less(used: Used) -> None:
    """Who is asked for sessions gives no recipients and no messages."""
    with opened(mail_map(), used.host.environment) as stores:
        plan = plan_for(mail_map(), EVA, used.window, "session.times")
        found = produced(plan, stores)
    assert set(found) == {"logins", "logouts"}
    assert all(set(row) == {"time"} for rows in found.values() for row in rows)
    assert plan.files == ()


def test_an_identifier_of_two_messages_is_not_answered_from(tmp_path: Path) -> None:
    """Short identifiers of Postfix come back: a line of last spring takes this one out of the answer."""
    short = (DATA / "postfix-short-ids.log").read_text()
    late = re.sub(r"^Nov 22 ([\d:]+) ", r"2026-09-22T\1Z ", short, flags=re.MULTILINE)
    early = re.sub(r"^Nov 22 ([\d:]+) ", r"2026-04-22T\1Z ", short, flags=re.MULTILINE)
    (tmp_path / "mail.log").write_text(late)
    environment = {
        "MAIL_USERS": f"lines:///{tmp_path}",
        "MAIL_LOGS": f"lines:///{tmp_path}",
        "MAIL_DIRS": "file:////tmp",
    }
    (tmp_path / "users").write_text("eva@mail.example:x\n")
    window = Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    plan = plan_for(mail_map(), EVA, window, "traffic")
    (query,) = [each for each in plan.tables if each.label == "deliveries"]
    with opened(mail_map(), environment) as stores:
        assert sum(each.rows.num_rows for each in stores.databases["logs"].batches(query, EVA)) == 1
        assert "fan-out" not in {each.code for each in errors(mail_map(), environment)}
        (tmp_path / "mail.log.7").write_text(
            early.replace(", sasl_method=PLAIN, sasl_username=eva@mail.example", "")
        )
        with pytest.raises(UnavailableError) as caught:
            list(stores.databases["logs"].batches(query, EVA))
    assert "1 lines carry a key" in str(caught.value.why)
    assert "fan-out" in {each.code for each in errors(mail_map(), environment)}


def test_the_older_stamps_as_the_page_says(tmp_path: Path) -> None:
    """Lines as Postfix wrote them, without a year: the page's pattern for the time, with stamp and zone."""
    page = (Path(__file__).parents[2] / "docs" / "mail-and-vpn.md").read_text("utf-8")
    assert OLD_STAMP in page
    text = text_of("mail-host").replace(r"(?P<time>\S+)", OLD_STAMP)
    text = text.replace('stamp = "rfc3339"', 'stamp = "syslog"\nzone = "Europe/Berlin"')
    log = tmp_path / "mail.log"
    log.write_text((DATA / "postfix-mail.log").read_text())
    written = dt.datetime(2026, 11, 22, 14, 36, tzinfo=dt.UTC).timestamp()
    os.utime(log, (written, written))
    (tmp_path / "users").write_text("eva@mail.example:x\n")
    environment = {
        "MAIL_USERS": f"lines:///{tmp_path}",
        "MAIL_LOGS": f"lines:///{tmp_path}",
        "MAIL_DIRS": "file:////tmp",
    }
    hour = dt.datetime(2026, 11, 22, 14, tzinfo=dt.UTC)
    datamap = parse_map(text, "mail-host")
    plan = plan_for(datamap, EVA, Period(hour, hour + dt.timedelta(hours=1)), "traffic")
    (query,) = [each for each in plan.tables if each.label == "deliveries"]
    with opened(datamap, environment) as stores:
        found = [
            row for each in stores.databases["logs"].batches(query, EVA) for row in each.rows.to_pylist()
        ]
    assert [(row["time"], row["recipient"]) for row in found] == [
        (hour + dt.timedelta(minutes=35, seconds=43), "boris@else.example")
    ]


def test_users_in_a_database_as_the_page_says(used: Used, tmp_path: Path) -> None:
    """The page's view over a table of mailboxes instead of the passwd-file: the same account, logs and messages."""
    page = (Path(__file__).parents[2] / "docs" / "mail-and-vpn.md").read_text("utf-8")
    (view,) = re.findall(r"`(CREATE VIEW accounts [^`]+)`", page)
    with closing(sqlite3.connect(tmp_path / "users.db")) as link:
        link.execute("CREATE TABLE mailbox(login TEXT, domain TEXT, real_name TEXT, password TEXT)")
        row = "INSERT INTO mailbox VALUES (?, 'mail.example', ?, 'CANARY')"
        link.executemany(row, [("eva", "Eva Example"), ("dana", "CANARY Dana")])
        link.execute(view)
        link.commit()
    text = re.sub(r"\[\[lines\]\]\nstore = \"users\"\n.*?\n\n", "", text_of("mail-host"), flags=re.DOTALL)
    datamap = parse_map(text, "mail-host")
    environment = {**used.host.environment, "MAIL_USERS": f"sqlite:///{tmp_path}/users.db"}
    assert errors(datamap, environment) == []
    with opened(datamap, environment) as stores:
        plan = plan_for(datamap, EVA, used.window)
        found = produced(plan, stores)
        texts = messages(plan, stores)
    assert found["accounts"] == [{"user": EVA, "real_name": "Eva Example"}]
    assert len(found["logins"]) == len(found["queued"]) == 1
    assert len(texts) == 3
    assert "CANARY" not in repr((found, texts))


def test_a_host_that_writes_other_lines_is_no_empty_host(tmp_path: Path) -> None:
    """The shipped patterns over logs with the older stamps: an error, and never nothing held."""
    (tmp_path / "mail.log").write_text((DATA / "postfix-mail.log").read_text())
    (tmp_path / "users").write_text("eva@mail.example:x\n")
    environment = {
        "MAIL_USERS": f"lines:///{tmp_path}",
        "MAIL_LOGS": f"lines:///{tmp_path}",
        "MAIL_DIRS": "file:////tmp",
    }
    assert {each.table for each in errors(mail_map(), environment)} == LABELS - {"accounts"}
    plan = plan_for(
        mail_map(),
        EVA,
        Period(dt.datetime(2026, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC)),
    )
    with opened(mail_map(), environment) as stores:
        collection = Collection(plan, stores, "ABCD")
        list(collection.members())
    ends = {each.table: each.status for each in collection.results if each.table != "accounts"}
    assert set(ends.values()) == {"failed"}
