"""The Discourse map on tables made after the published schema, in a real PostgreSQL, under the header's own rights."""

import datetime as dt

import psycopg
import pytest

from datamaps.headers import statements
from datamaps.reading import differences, errors, opened, plan_for, produced, resolved
from datamaps.world import (
    EVA,
    MOMENTS,
    ONCE,
    PEOPLE,
    SEPTEMBER,
    SINCE,
    UNTIL,
    Person,
    World,
    connected_as,
    make_role,
)
from dueprocess.library.datamaps import shipped_maps

SHOWS = {
    "users": ("username", "name", "created_at"),
    "registration": ("registration_ip_address",),
    "last_seen": ("last_seen_at", "ip_address"),
    "profile_head": ("title", "date_of_birth"),
    "user_profiles": ("bio_raw", "location", "website"),
    "user_emails": ("email", "primary", "created_at"),
    "email_change_requests": ("old_email", "new_email", "created_at"),
    "user_associated_accounts": ("provider_name", "provider_uid", "info", "created_at"),
    "associated_sign_ins": ("last_used", "provider_name"),
    "single_sign_on_records": (
        "external_id",
        "external_username",
        "external_email",
        "external_name",
        "created_at",
    ),
    "user_visits": ("visited_at",),
    "sessions": ("rotated_at", "client_ip", "user_agent"),
    "session_log": ("created_at", "action", "client_ip", "user_agent"),
    "user_ip_address_histories": ("updated_at", "ip_address"),
    "topics": ("created_at", "id", "archetype", "title", "deleted_at"),
    "posts": (
        "created_at",
        "id",
        "topic_id",
        "post_number",
        "post_type",
        "wiki",
        "via_email",
        "raw",
        "deleted_at",
    ),
    "chat_messages": ("created_at", "id", "chat_channel_id", "message", "deleted_at"),
    "uploads": ("created_at", "id", "original_filename", "extension", "filesize", "sha1", "url"),
    "user_uploads": ("created_at", "upload_id"),
}
"""What of which entry may leave, written down once more, so that a new column in the map is a decision here too."""

_AT = "timestamp(6)"
_ID = {"id": "integer PRIMARY KEY", "user_id": "integer"}
DATED = {
    "user_associated_accounts": (
        "associated_sign_ins",
        "last_used",
        {
            "provider_name": "varchar",
            "provider_uid": "varchar",
            "last_used": _AT,
            "info": "jsonb",
            "credentials": "jsonb",
            "extra": "jsonb",
            "created_at": _AT,
        },
    ),
    "user_auth_tokens": (
        "sessions",
        "rotated_at",
        {
            "auth_token": "varchar NOT NULL",
            "prev_auth_token": "varchar NOT NULL",
            "user_agent": "varchar",
            "client_ip": "inet",
            "rotated_at": _AT,
            "seen_at": _AT,
        },
    ),
    "user_auth_token_logs": (
        "session_log",
        "created_at",
        {
            "action": "varchar NOT NULL",
            "client_ip": "inet",
            "user_agent": "varchar",
            "auth_token": "varchar",
            "created_at": _AT,
            "path": "varchar",
        },
    ),
    "user_ip_address_histories": (
        "user_ip_address_histories",
        "updated_at",
        {"ip_address": "inet", "created_at": _AT, "updated_at": _AT},
    ),
    "topics": (
        "topics",
        "created_at",
        {
            "title": "varchar NOT NULL",
            "archetype": "varchar NOT NULL",
            "created_at": _AT,
            "deleted_at": _AT,
            "last_post_user_id": "integer",
        },
    ),
    "posts": (
        "posts",
        "created_at",
        {
            "topic_id": "integer NOT NULL",
            "post_number": "integer NOT NULL",
            "raw": "text NOT NULL",
            "cooked": "text NOT NULL",
            "created_at": _AT,
            "deleted_at": _AT,
            "post_type": "integer NOT NULL",
            "reply_to_user_id": "integer",
            "wiki": "boolean NOT NULL",
            "via_email": "boolean NOT NULL",
            "raw_email": "text",
        },
    ),
    "chat_messages": (
        "chat_messages",
        "created_at",
        {"chat_channel_id": "integer NOT NULL", "created_at": _AT, "deleted_at": _AT, "message": "text"},
    ),
    "uploads": (
        "uploads",
        "created_at",
        {
            "original_filename": "varchar NOT NULL",
            "filesize": "bigint NOT NULL",
            "url": "varchar NOT NULL",
            "created_at": _AT,
            "sha1": "varchar",
            "extension": "varchar",
        },
    ),
    "user_uploads": ("user_uploads", "created_at", {"upload_id": "integer NOT NULL", "created_at": _AT}),
}
"""Tables with a time: the label, the time, and the columns besides id and user_id."""


def forum() -> World:
    """Two people, and each kind of record before, in and after September."""
    world = World(SHOWS)
    _people(world)
    for name, (label, time, columns) in DATED.items():
        world.table(name, {**_ID, **columns}, "user_id")
        world.history(name, time, label, lambda person: {"user_id": person.number})
    for row in world.tables["user_associated_accounts"].rows:
        if row.values["user_id"] == EVA.number:  # The accounts themselves describe, whenever they were used.
            row.leaves |= {"user_associated_accounts"}
    return world


def _people(world: World) -> None:
    world.table(
        "users",
        {
            "id": "integer PRIMARY KEY",
            "username": "varchar(60) UNIQUE NOT NULL",
            "username_lower": "varchar(60) UNIQUE NOT NULL",
            "created_at": _AT,
            "name": "varchar",
            "last_seen_at": _AT,
            "date_of_birth": "date",
            "ip_address": "inet",
            "registration_ip_address": "inet",
            "title": "varchar",
            "suspended_at": _AT,
            "secure_identifier": "varchar",
        },
    )
    world.table(
        "user_emails",
        {**_ID, "email": "varchar(513) NOT NULL", "primary": "boolean NOT NULL", "created_at": _AT},
        "user_id",
    )
    world.table(
        "email_change_requests",
        {
            **_ID,
            "old_email": "varchar",
            "new_email": "varchar NOT NULL",
            "created_at": _AT,
            "new_email_token_id": "integer",
        },
        "user_id",
    )
    world.table(
        "single_sign_on_records",
        {
            **_ID,
            "external_id": "varchar UNIQUE NOT NULL",
            "last_payload": "text NOT NULL",
            "created_at": _AT,
            "external_username": "varchar",
            "external_email": "varchar",
            "external_name": "varchar",
        },
        "user_id",
    )
    world.table(
        "user_profiles",
        {
            "user_id": "integer PRIMARY KEY",
            "location": "varchar",
            "website": "varchar",
            "bio_raw": "text",
            "views": "integer",
        },
    )
    world.table("user_visits", {**_ID, "visited_at": "date NOT NULL", "posts_read": "integer"}, "user_id")
    for person in PEOPLE:
        _person(world, person)


def _person(world: World, person: Person) -> None:
    own = {"user_id": person.number}
    world.add(
        "users",
        person,
        ONCE,
        ["users", "registration", "profile_head"],
        id=person.number,
        username="Eva" if person is EVA else "Dana",
        username_lower="eva" if person is EVA else "dana",
        last_seen_at=MOMENTS[4].at,
        ip_address="203.0.113.9",
    )
    for number, spare in enumerate(("first", "second")):
        world.add(
            "user_emails",
            person,
            ONCE,
            ["user_emails"],
            id=person.number * 10 + number,
            email=f"{person.mark}.{spare}@mail.example".lower(),
            primary=number == 0,
            **own,
        )
    world.add("email_change_requests", person, ONCE, ["email_change_requests"], id=person.number, **own)
    world.add("single_sign_on_records", person, ONCE, ["single_sign_on_records"], id=person.number, **own)
    world.add("user_profiles", person, ONCE, ["user_profiles"], **own)
    for number, (day, inside) in enumerate(_days()):
        world.add(
            "user_visits",
            person,
            ONCE,
            ["user_visits"] if inside else [],
            id=person.number * 10 + number,
            visited_at=day,
            **own,
        )


def _days() -> list[tuple[dt.date, bool]]:
    """The days on both sides of each end, and whether each begins inside."""
    day = dt.timedelta(days=1)
    first, beyond = SINCE.date(), UNTIL.date()
    return [(first - day, False), (first, True), (beyond - day, True), (beyond, False)]


@pytest.fixture(scope="module")
def environment(database: str) -> dict[str, str]:
    """The forum's tables, read as the role that the map's header describes."""
    forum().build(database, [make_role(database, "dueprocess"), *statements("discourse")])
    return {"DISCOURSE_DSN": connected_as(database, "dueprocess")}


def test_the_map_fits_the_tables(environment: dict[str, str]) -> None:
    """`datamap check` stops at nothing, under the header's rights alone."""
    assert errors(shipped_maps()["discourse"], environment) == []


def test_everything_of_eva_in_the_window_leaves_and_nothing_else(environment: dict[str, str]) -> None:
    """Row for row what plain Python says; one who was seen after the window was not seen in it."""
    datamap = shipped_maps()["discourse"]
    with opened(datamap, environment) as stores:
        found = produced(plan_for(datamap, "eva", SEPTEMBER), stores)
    wanted = forum().expected()
    assert set(found) == set(SHOWS)
    assert differences(found, wanted) == {}
    assert [label for label in SHOWS if not wanted[label]] == ["last_seen"]
    leaked = {label: rows for label, rows in found.items() if "CANARY" in repr(rows)}
    assert set(leaked) <= {"user_associated_accounts"}
    assert "CANARY-dana" not in repr(leaked)
    assert "203.0.113" not in repr(found)


def test_a_window_of_days_keeps_the_days_that_begin_in_it(environment: dict[str, str]) -> None:
    """user_visits knows days only: the first of September and the thirtieth, not the days beside them."""
    datamap = shipped_maps()["discourse"]
    with opened(datamap, environment) as stores:
        found = produced(plan_for(datamap, "eva", SEPTEMBER, "session.times"), stores)
    assert [row["visited_at"] for row in found["user_visits"]] == ["2026-09-01", "2026-09-30"]


def test_each_of_somebody_s_mail_addresses_leads_to_them(environment: dict[str, str]) -> None:
    """A second address too, in any case; a name in any case; nobody else's by accident."""
    datamap = shipped_maps()["discourse"]
    with opened(datamap, environment) as stores:
        for kind, value, number in (
            ("account", "EVA", 1),
            ("email", "eva.first@mail.example", 1),
            ("email", "Eva.Second@MAIL.example", 1),
            ("email", "eva@mail.example", None),
            ("account", "ev", None),
        ):
            plan = plan_for(datamap, value, SEPTEMBER, "subscriber.identity", kind=kind)  # type: ignore[arg-type]  # kinds from the table above
            assert resolved(plan, stores) == number, value


def test_the_role_of_the_header_may_not_read_what_is_not_listed(environment: dict[str, str]) -> None:
    """Least rights: the database itself refuses a token, what another system sent, and a raw mail."""
    with psycopg.connect(environment["DISCOURSE_DSN"], autocommit=True) as link:
        for column, table in (
            ("auth_token", "user_auth_tokens"),
            ("last_payload", "single_sign_on_records"),
            ("raw_email", "posts"),
            ("credentials", "user_associated_accounts"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(f"SELECT {column} FROM {table}".encode())
