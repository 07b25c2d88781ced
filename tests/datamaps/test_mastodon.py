"""The Mastodon map on tables made after the published schema, in a real PostgreSQL, under the header's own rights."""

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest

from datamaps.headers import statements
from datamaps.reading import differences, errors, opened, plan_for, produced, resolved
from datamaps.world import (
    DANA,
    EVA,
    MOMENTS,
    ONCE,
    PEOPLE,
    SEPTEMBER,
    Person,
    World,
    connected_as,
    make_role,
)
from dueprocess.library.datamaps import shipped_maps

SHOWS = {
    "accounts": ("username", "created_at", "actor_type"),
    "profile": (
        "display_name",
        "note",
        "fields",
        "avatar_file_name",
        "avatar_content_type",
        "avatar_file_size",
        "header_file_name",
        "header_content_type",
        "header_file_size",
        "updated_at",
    ),
    "users": ("email", "unconfirmed_email", "created_at", "confirmed_at"),
    "registration": ("sign_up_ip",),
    "current_sign_in": ("current_sign_in_at",),
    "last_sign_in": ("last_sign_in_at",),
    "identities": ("provider", "uid", "created_at"),
    "login_activities": ("created_at", "success", "authentication_method", "provider", "ip", "user_agent"),
    "session_activations": ("updated_at", "ip", "user_agent"),
    "app_sessions": ("last_used_at", "last_used_ip"),
    "user_invite_requests": ("text", "created_at"),
    "statuses": ("created_at", "id", "uri", "visibility", "language", "spoiler_text", "text", "deleted_at"),
    "status_edits": ("created_at", "status_id", "spoiler_text", "text", "media_descriptions", "poll_options"),
    "polls": ("created_at", "options"),
    "media_attachments": (
        "created_at",
        "id",
        "file_file_name",
        "file_content_type",
        "file_file_size",
        "description",
    ),
}
"""What of which entry may leave, written down once more, so that a new column in the map is a decision here too."""

NAMES = {EVA: "Eva", DANA: "dana"}
ACCOUNT = {EVA: 109_000_000_000_000_001, DANA: 109_000_000_000_000_002}
ELSEWHERE = Person("CANARY-elsewhere", 3)
"""A person of the same name on another server: an account here too, with a domain."""
STATUS = 111_222_333_444_555_000
MEDIA = 111_222_333_444_555_600
_AT = "timestamp(6)"


def server() -> World:
    """Two people here, one of the same name elsewhere, and each kind of record before, in and after September."""
    world = World(SHOWS)
    _tables(world)
    for person in (*PEOPLE, ELSEWHERE):
        _account(world, person)
    for table, time, label in (
        ("login_activities", "created_at", "login_activities"),
        ("session_activations", "updated_at", "session_activations"),
        ("user_invite_requests", "created_at", "user_invite_requests"),
    ):
        world.history(table, time, label, lambda person: {"user_id": person.number})
    world.history(
        "oauth_access_tokens",
        "last_used_at",
        "app_sessions",
        lambda person: {"resource_owner_id": person.number},
    )
    world.history("polls", "created_at", "polls", lambda person: {"account_id": ACCOUNT[person]})
    _posts(world)
    return world


def _tables(world: World) -> None:
    world.table(
        "accounts",
        {
            "id": "bigint PRIMARY KEY",
            "username": "varchar NOT NULL",
            "domain": "varchar",
            "private_key": "text",
            "created_at": _AT,
            "updated_at": _AT,
            "note": "text NOT NULL",
            "display_name": "varchar NOT NULL",
            "uri": "varchar NOT NULL",
            "avatar_file_name": "varchar",
            "avatar_content_type": "varchar",
            "avatar_file_size": "integer",
            "header_file_name": "varchar",
            "header_content_type": "varchar",
            "header_file_size": "integer",
            "fields": "jsonb",
            "actor_type": "varchar",
            "suspended_at": _AT,
        },
    )
    world.table(
        "users",
        {
            "id": "bigint PRIMARY KEY",
            "email": "varchar UNIQUE NOT NULL",
            "created_at": _AT,
            "encrypted_password": "varchar NOT NULL",
            "current_sign_in_at": _AT,
            "last_sign_in_at": _AT,
            "confirmed_at": _AT,
            "confirmation_token": "varchar",
            "unconfirmed_email": "varchar",
            "account_id": "bigint NOT NULL",
            "sign_up_ip": "inet",
            "otp_secret": "varchar",
            "locale": "varchar",
        },
        "account_id",
    )
    world.table(
        "identities",
        {"provider": "varchar", "uid": "varchar", "created_at": _AT, "user_id": "bigint"},
        "user_id",
    )
    world.table(
        "login_activities",
        {
            "id": "bigint PRIMARY KEY",
            "user_id": "bigint NOT NULL",
            "authentication_method": "varchar",
            "provider": "varchar",
            "success": "boolean",
            "failure_reason": "varchar",
            "ip": "inet",
            "user_agent": "varchar",
            "created_at": _AT,
        },
        "user_id",
    )
    world.table(
        "session_activations",
        {
            "id": "bigint PRIMARY KEY",
            "session_id": "varchar NOT NULL",
            "created_at": _AT,
            "updated_at": _AT,
            "user_agent": "varchar NOT NULL",
            "ip": "inet",
            "user_id": "bigint NOT NULL",
        },
        "user_id",
    )
    world.table(
        "oauth_access_tokens",
        {
            "id": "bigint PRIMARY KEY",
            "token": "varchar NOT NULL",
            "refresh_token": "varchar",
            "created_at": _AT,
            "resource_owner_id": "bigint",
            "last_used_at": _AT,
            "last_used_ip": "inet",
        },
        "resource_owner_id",
    )
    world.table(
        "user_invite_requests",
        {"id": "bigint PRIMARY KEY", "user_id": "bigint NOT NULL", "text": "text", "created_at": _AT},
        "user_id",
    )
    world.table(
        "statuses",
        {
            "id": "bigint PRIMARY KEY",
            "uri": "varchar",
            "text": "text NOT NULL",
            "created_at": _AT,
            "reblog_of_id": "bigint",
            "visibility": "integer NOT NULL",
            "spoiler_text": "text NOT NULL",
            "language": "varchar",
            "account_id": "bigint NOT NULL",
            "in_reply_to_account_id": "bigint",
            "deleted_at": _AT,
        },
        "account_id",
    )
    world.table(
        "status_edits",
        {
            "id": "bigint PRIMARY KEY",
            "status_id": "bigint NOT NULL",
            "account_id": "bigint",
            "text": "text NOT NULL",
            "spoiler_text": "text NOT NULL",
            "created_at": _AT,
            "media_descriptions": "text[]",
            "poll_options": "text[]",
        },
        "status_id",
    )
    world.table(
        "polls",
        {"id": "bigint PRIMARY KEY", "account_id": "bigint NOT NULL", "options": "text[]", "created_at": _AT},
        "account_id",
    )
    world.table(
        "media_attachments",
        {
            "id": "bigint PRIMARY KEY",
            "file_file_name": "varchar",
            "file_content_type": "varchar",
            "file_file_size": "integer",
            "created_at": _AT,
            "account_id": "bigint",
            "description": "text",
            "remote_url": "varchar NOT NULL",
        },
        "account_id",
    )


def _account(world: World, person: Person) -> None:
    """An account, and its user unless it lives elsewhere. Each sign-in column has its own moment."""
    here = person in NAMES
    world.add(
        "accounts",
        person,
        ONCE,
        ["accounts", "profile"],
        id=ACCOUNT.get(person, 109_000_000_000_000_003),
        username=NAMES.get(person, "Eva"),
        domain=None if here else "elsewhere.example",
    )
    if here:
        world.add(
            "users",
            person,
            ONCE,
            ["users", "registration", "current_sign_in"],
            id=person.number,
            account_id=ACCOUNT[person],
            email=f"{person.mark}@mail.example",
            last_sign_in_at=MOMENTS[4].at,
        )
        world.add("identities", person, ONCE, ["identities"], user_id=person.number)


def _posts(world: World) -> None:
    """Posts, deleted posts, boosts, edits and media, each at each moment."""
    for person in PEOPLE:
        for number, moment in enumerate(MOMENTS):
            post = STATUS + person.number * 100 + number
            inside = ["statuses"] if moment.inside else []
            own: dict[str, Any] = {"account_id": ACCOUNT[person], "created_at": moment.at}
            world.add("statuses", person, moment, inside, id=post, reblog_of_id=None, deleted_at=None, **own)
            world.add("statuses", person, moment, id=post + 50, reblog_of_id=1, text="CANARY-boost", **own)
            world.add("statuses", person, moment, inside, id=post + 20, reblog_of_id=None, **own)
            world.add(
                "status_edits",
                person,
                moment,
                ["status_edits"] if moment.inside else [],
                id=post,
                status_id=post,
                created_at=moment.at,
            )
            world.add(
                "media_attachments",
                person,
                moment,
                ["media_attachments"] if moment.inside else [],
                id=MEDIA + person.number * 10 + number,
                file_file_name=f"{person.number}{number}.png",
                **own,
            )


def write_media(folder: Path) -> None:
    """Each upload where Mastodon puts it: three digits of its identifier for each step."""
    for person in PEOPLE:
        for number, moment in enumerate(MOMENTS):
            digits = str(MEDIA + person.number * 10 + number)
            steps = [digits[at : at + 3] for at in range(0, 18, 3)]
            place = folder.joinpath("media_attachments", "files", *steps, "original")
            place.mkdir(parents=True)
            (place / f"{person.number}{number}.png").write_text(f"{person.mark}|{moment.name}")


@pytest.fixture(scope="module")
def environment(database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The server's tables, read as the role that the map's header describes."""
    server().build(database, [make_role(database, "dueprocess"), *statements("mastodon")])
    folder = tmp_path_factory.mktemp("media")
    write_media(folder)
    return {
        "MASTODON_DSN": connected_as(database, "dueprocess"),
        "MASTODON_MEDIA": f"file:///{folder}",
    }


def test_the_map_fits_the_tables(environment: dict[str, str]) -> None:
    """`datamap check` stops at nothing, under the header's rights alone."""
    assert errors(shipped_maps()["mastodon"], environment) == []


def test_everything_of_eva_in_the_window_leaves_and_nothing_else(environment: dict[str, str]) -> None:
    """Row for row what plain Python says, and no canary: other people, other times, other columns, boosts."""
    datamap = shipped_maps()["mastodon"]
    with opened(datamap, environment) as stores:
        found = produced(plan_for(datamap, "eva", SEPTEMBER), stores)
    wanted = server().expected()
    assert set(found) == set(wanted)
    assert differences(found, wanted) == {}
    assert all(wanted[label] for label in set(wanted) - {"last_sign_in"})
    assert "CANARY" not in repr(found)
    assert "203.0.113" not in repr(found)


@pytest.mark.parametrize(
    ("category", "labels"),
    [
        ("subscriber.identity", {"accounts", "users", "identities"}),
        ("subscriber.service", {"accounts", "users", "identities"}),
        (
            "session.times",
            {"login_activities", "session_activations", "app_sessions", "current_sign_in", "last_sign_in"},
        ),
        ("traffic", {"registration", "login_activities", "session_activations", "app_sessions"}),
        ("content.profile", {"profile"}),
        ("content.messages", {"statuses", "status_edits", "polls", "user_invite_requests"}),
        ("content.files", {"media_attachments"}),
    ],
)
def test_each_category_reads_its_own_tables_alone(
    environment: dict[str, str], category: str, labels: set[str]
) -> None:
    """A decision about one category makes no other table be asked."""
    datamap = shipped_maps()["mastodon"]
    with opened(datamap, environment) as stores:
        found = produced(plan_for(datamap, "eva", SEPTEMBER, category), stores)
    assert set(found) == labels
    wanted = server().expected()
    for label, rows in found.items():
        shown = [name for name in SHOWS[label] if rows and name in rows[0]]
        due = [{name: row[name] for name in shown} for row in wanted[label]]
        assert differences({label: rows}, {label: due}) == {}


def test_a_name_means_the_account_here_and_a_mail_address_its_owner(environment: dict[str, str]) -> None:
    """Case does not matter, a domain does: the person elsewhere is never found."""
    datamap = shipped_maps()["mastodon"]
    with opened(datamap, environment) as stores:
        for kind, value, account in (
            ("account", "EVA", ACCOUNT[EVA]),
            ("account", "eva", ACCOUNT[EVA]),
            ("email", "Eva@Mail.example", ACCOUNT[EVA]),
            ("account", "eva@elsewhere.example", None),
            ("account", "boris", None),
            ("email", "boris@mail.example", None),
        ):
            plan = plan_for(datamap, value, SEPTEMBER, "subscriber.identity", kind=kind)  # type: ignore[arg-type]  # kinds from the table above
            assert resolved(plan, stores) == account, value


def test_eva_s_uploads_are_found_where_mastodon_puts_them(environment: dict[str, str]) -> None:
    """The three files of the window, with their bytes, and no other."""
    datamap = shipped_maps()["mastodon"]
    plan = plan_for(datamap, "eva", SEPTEMBER, "content.files")
    with opened(datamap, environment) as stores:
        rows = produced(plan, stores)["media_attachments"]
        (files,) = plan.files
        found = [stores.folders["media"].find(files, row) for row in rows]
    assert sorted(each.path.read_text() for each in found) == ["eva|first", "eva|last", "eva|middle"]


def test_the_role_of_the_header_may_not_read_what_is_not_listed(environment: dict[str, str]) -> None:
    """Least rights: the database itself refuses a password hash, a token, and whom somebody follows."""
    with psycopg.connect(environment["MASTODON_DSN"], autocommit=True) as link:
        for column, table in (
            ("encrypted_password", "users"),
            ("token", "oauth_access_tokens"),
            ("private_key", "accounts"),
            ("*", "statuses"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(f"SELECT {column} FROM {table}".encode())


def test_the_edges_of_the_window_are_exact() -> None:
    """The moments of this test stand one microsecond on either side of each end."""
    assert [moment.inside for moment in MOMENTS] == [False, True, True, True, False]
    assert MOMENTS[1].at - MOMENTS[0].at == MOMENTS[4].at - MOMENTS[3].at == dt.timedelta(microseconds=1)
