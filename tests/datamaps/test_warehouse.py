"""The package registry: the five-account subpoena that PyPI described in public, on tables made after its models.

Source: "PyPI was subpoenaed", blog of PyPI, 24 May 2023, read on 2026-11-22.
"""

import uuid

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from datamaps.headers import statements
from datamaps.reading import Rows, differences, errors, opened, plain, plan_for, produced, resolved
from datamaps.world import MOMENTS, SEPTEMBER, connected_as, make_role
from dueprocess.demand import REVERSE_KINDS, Target
from dueprocess.errors import RefusedError
from dueprocess.library.datamaps import shipped_maps

NAMES = ("Eva-One", "eva-two", "eva-three", "eva-four", "eva-five")
"""The five user names of the subpoena. Dana and Boris are nobody's business."""
OTHERS = ("CANARY-dana", "CANARY-boris")
ASKED = (
    "subscriber.identity",
    "subscriber.service",
    "subscriber.payment",
    "subscriber.number",
    "session.times",
    "traffic",
    "content.files",
)
"""Names and addresses, connection records, session times with network addresses, length of service, payment,
and the packages uploaded: what the paper asks about the five. Where they were is not among it."""
_TABLES = """
CREATE EXTENSION citext;
CREATE TYPE login_status AS ENUM ('pending', 'confirmed');
CREATE TYPE engagement AS ENUM ('viewed', 'agreed');
CREATE TYPE organization_role AS ENUM ('Owner', 'Member');
CREATE TABLE users (id uuid PRIMARY KEY, username citext UNIQUE NOT NULL, name varchar(100) NOT NULL,
  password varchar(128) NOT NULL, date_joined timestamp, last_login timestamptz, totp_secret bytea,
  is_superuser boolean NOT NULL DEFAULT false);
CREATE TABLE user_emails (id serial PRIMARY KEY, user_id uuid NOT NULL, email varchar(254) UNIQUE NOT NULL,
  "primary" boolean NOT NULL, verified boolean NOT NULL, unverify_reason text);
CREATE TABLE ip_addresses (id uuid PRIMARY KEY, ip_address inet UNIQUE NOT NULL, hashed_ip_address text);
CREATE TABLE user_events (id uuid PRIMARY KEY, source_id uuid NOT NULL, tag varchar NOT NULL,
  "time" timestamp NOT NULL, additional jsonb, ip_address_id uuid);
CREATE TABLE user_unique_logins (id uuid PRIMARY KEY, user_id uuid NOT NULL, created timestamp NOT NULL,
  last_used timestamp NOT NULL, device_information jsonb, status login_status NOT NULL, ip_address_id uuid);
CREATE TABLE user_terms_of_service_engagements (id uuid PRIMARY KEY, user_id uuid NOT NULL, revision varchar NOT NULL,
  created timestamptz NOT NULL, engagement engagement NOT NULL);
CREATE TABLE projects (id uuid PRIMARY KEY, name text NOT NULL, normalized_name varchar UNIQUE NOT NULL);
CREATE TABLE roles (id uuid PRIMARY KEY, role_name varchar NOT NULL, user_id uuid NOT NULL, project_id uuid NOT NULL);
CREATE TABLE organization_roles (id uuid PRIMARY KEY, role_name organization_role NOT NULL, user_id uuid NOT NULL,
  organization_id uuid NOT NULL);
CREATE TABLE organization_projects (id uuid PRIMARY KEY, organization_id uuid NOT NULL, project_id uuid NOT NULL);
CREATE TABLE releases (id uuid PRIMARY KEY, project_id uuid NOT NULL, version text NOT NULL, author varchar,
  author_email varchar, maintainer varchar, maintainer_email varchar, created timestamp NOT NULL, uploader_id uuid,
  uploaded_via varchar);
CREATE TABLE file_events (id uuid PRIMARY KEY, source_id uuid NOT NULL, tag varchar NOT NULL,
  "time" timestamp NOT NULL, additional jsonb, ip_address_id uuid);
CREATE TABLE journals (id serial PRIMARY KEY, name text, version varchar, action varchar,
  submitted_date timestamp NOT NULL, submitted_by citext);
CREATE INDEX ON user_emails (user_id);
CREATE INDEX ON user_events (source_id);
CREATE INDEX ON user_unique_logins (user_id);
CREATE INDEX ON user_terms_of_service_engagements (user_id);
CREATE INDEX ON releases (uploader_id);
CREATE INDEX ON journals (submitted_by);
"""


class Registry:
    """Fills the tables, and remembers in plain Python what of whom must leave."""

    def __init__(self, dsn: str) -> None:
        self.due: dict[str, dict[str, Rows]] = {name: {} for name in (*NAMES, *OTHERS)}
        self._link = psycopg.connect(dsn, autocommit=True)
        self._link.execute(_TABLES.encode())
        self._id = dict[str, uuid.UUID]()
        for number, name in enumerate(self.due, start=1):
            self._id[name] = self._key(f"user {name}")
            self._person(name, number)

    def finish(self, sql: list[str]) -> None:
        for statement in sql:
            self._link.execute(statement.encode())
        self._link.close()

    @staticmethod
    def _key(name: str) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"https://registry.example/{name}")

    def insert(self, table: str, /, **values: object) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        made = [
            psycopg.types.json.Jsonb(each) if isinstance(each, dict) else each for each in values.values()
        ]
        places = ", ".join("%s" for _ in made)
        self._link.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})'.encode(), made)

    def _must(self, person: str, label: str, /, **row: object) -> None:
        self.due[person].setdefault(label, []).append(dict(row))

    def _person(self, name: str, number: int) -> None:
        key, joined = self._id[name], MOMENTS[0].at
        self.insert(
            "users",
            id=key,
            username=name,
            name=f"{name} in full",
            password="CANARY-hash",
            date_joined=joined,
            last_login=MOMENTS[2].at,
            totp_secret=b"CANARY-totp",
        )
        self._must(name, "users", username=name, name=f"{name} in full", date_joined=joined)
        self._must(name, "last_login", last_login=MOMENTS[2].at)
        self.insert(
            "user_emails", user_id=key, email=f"{name}@mail.example", primary=True, verified=number % 2 == 0
        )
        self._must(
            name, "account_emails", email=f"{name}@mail.example", primary=True, verified=number % 2 == 0
        )
        self.insert(
            "user_terms_of_service_engagements",
            id=self._key(f"terms {name}"),
            user_id=key,
            revision="2025-02",
            created=joined,
            engagement="agreed",
        )
        self._must(name, "terms", revision="2025-02", created=joined, engagement="agreed")
        for place, moment in enumerate(MOMENTS):
            self._moment(name, f"192.0.2.{number * 10 + place}", place)
            del moment

    def _moment(self, name: str, address: str, place: int) -> None:
        """What one person did at one moment, from an address of its own."""
        moment, key = MOMENTS[place], self._id[name]
        mark = f"{name} {moment.name}"
        seen = {"installer": "Browser", "device": mark}
        net = self._key(f"net {address}")
        self.insert("ip_addresses", id=net, ip_address=address, hashed_ip_address="CANARY-hash")
        self.insert(
            "user_events",
            id=self._key(f"event {mark}"),
            source_id=key,
            tag="account:login:success",
            time=moment.at,
            ip_address_id=net,
            additional={
                "user_agent_info": seen,
                "geoip_info": {"city": "CANARY-city"},
                "submitted_by": "CANARY-staff",
            },
        )
        self.insert(
            "user_unique_logins",
            id=self._key(f"login {mark}"),
            user_id=key,
            created=MOMENTS[0].at,
            last_used=moment.at,
            device_information=seen,
            status="confirmed",
            ip_address_id=net,
        )
        self.insert(
            "file_events",
            id=self._key(f"file {mark}"),
            source_id=key,
            tag="file:add",
            time=moment.at,
            ip_address_id=net,
            additional={"filename": f"{mark}.whl", "submitted_by": name, "user_agent_info": seen},
        )
        self.insert(
            "journals",
            name=mark,
            version="1",
            action="new release",
            submitted_date=moment.at,
            submitted_by=name,
        )
        self.insert(
            "releases",
            id=self._key(f"release {mark}"),
            project_id=self._key("project example-package"),
            version=mark,
            author=name,
            author_email=f"{name}@mail.example",
            maintainer="CANARY-maintainer",
            maintainer_email="CANARY-maintainer@mail.example",
            created=moment.at,
            uploader_id=key,
            uploaded_via=mark,
        )
        if moment.inside:
            self._inside(name, address, place, seen)

    def _inside(self, name: str, address: str, place: int, seen: dict[str, str]) -> None:
        moment = MOMENTS[place]
        mark, masked = f"{name} {moment.name}", "[withheld: other people]"
        self._must(
            name,
            "account_events",
            time=moment.at,
            tag="account:login:success",
            ip_address=address,
            user_agent_info=seen,
        )
        self._must(
            name,
            "account_logins",
            last_used=moment.at,
            status="confirmed",
            ip_address=address,
            device_information=seen,
        )
        self._must(
            name,
            "account_uploads",
            time=moment.at,
            ip_address=address,
            user_agent_info=seen,
            filename=f"{mark}.whl",
        )
        self._must(name, "journals", submitted_date=moment.at, name=mark, version="1", action="new release")
        self._must(
            name,
            "releases",
            created=moment.at,
            version=mark,
            uploaded_via=mark,
            author=name,
            author_email=f"{name}@mail.example",
            maintainer=masked,
            maintainer_email=masked,
        )

    def project(self, name: str, /, **roles: str) -> uuid.UUID:
        """A project with its people; ``roles`` are user names (underscores for hyphens) and their roles."""
        key = self._key(f"project {name}")
        self.insert("projects", id=key, name=name.title(), normalized_name=name)
        for person, role in roles.items():
            user = self._id[person.replace("_", "-")]
            self.insert(
                "roles", id=self._key(f"{name} {person}"), role_name=role, user_id=user, project_id=key
            )
        return key

    def organization(self, project: uuid.UUID, /, **roles: str) -> None:
        """An organisation that owns the project."""
        key = self._key("organization")
        self.insert("organization_projects", id=self._key("held"), organization_id=key, project_id=project)
        for person, role in roles.items():
            user = self._id[person.replace("_", "-")]
            self.insert(
                "organization_roles",
                id=self._key(f"organization {person}"),
                role_name=role,
                user_id=user,
                organization_id=key,
            )


@pytest.fixture(scope="module")
def registry(database: str) -> Registry:
    """Seven people, two projects, one organisation; views and rights as the map's header says."""
    made = Registry(database)
    made.project("example-package", eva_two="Owner", CANARY_boris="Maintainer")
    made.organization(made.project("held-package"), eva_three="Owner", CANARY_dana="Member")
    made.finish([make_role(database, "dueprocess"), *statements("warehouse")])
    return made


@pytest.fixture(scope="module")
def environment(registry: Registry, database: str) -> dict[str, str]:
    """The registry read as the role that the map's header describes."""
    assert registry.due
    return {"WAREHOUSE_DSN": connected_as(database, "dueprocess")}


def test_the_map_fits_tables_and_views(environment: dict[str, str]) -> None:
    """`datamap check` stops at nothing, under the header's rights alone."""
    assert errors(shipped_maps()["warehouse"], environment) == []


def test_the_subpoena_about_five_accounts_gives_each_of_them_and_nobody_else(
    registry: Registry, environment: dict[str, str]
) -> None:
    """Five targets, five plans: names, addresses, sessions, service and uploads of the window, and no canary."""
    datamap = shipped_maps()["warehouse"]
    for name in NAMES:
        plan = plan_for(datamap, name.upper(), SEPTEMBER, *ASKED)
        with opened(datamap, environment) as stores:
            found = produced(plan, stores)
        assert differences(found, registry.due[name]) == {}, name
        assert "CANARY" not in repr(found)
        strangers = [each for each in (*NAMES, *OTHERS) if each != name]
        assert [each for each in strangers if f"'{each}'" in repr(found)] == []
        left = {(each.category, each.reason) for each in plan.not_collected}
        assert ("subscriber.payment", "not_mapped") in left
        assert ("location", "not_authorised") in left
        assert ("secrets", "never") in left


def test_where_somebody_was_leaves_only_under_its_own_category(environment: dict[str, str]) -> None:
    """The city of an address is no part of the connection records that the subpoena asked for."""
    datamap = shipped_maps()["warehouse"]
    with opened(datamap, environment) as stores:
        found = produced(plan_for(datamap, "eva-two", SEPTEMBER, "location"), stores)
    assert set(found) == {"account_events", "account_uploads"}
    assert {tuple(row) for row in found["account_events"]} == {("geoip_info",)}


def test_the_addresses_of_all_downloaders_are_a_reverse_demand(environment: dict[str, str]) -> None:
    """Point nine of the subpoena: no target says "everybody who downloaded", and no table of the map could."""
    assert environment
    for kind in ("all", "bulk"):
        assert kind in REVERSE_KINDS
        with pytest.raises(RefusedError, match="not for a named target"):
            Target(kind, "downloads of example-package")  # type: ignore[arg-type]  # refused by name
    with pytest.raises(RefusedError):
        Target("resource", "example-*")
    datamap = shipped_maps()["warehouse"]
    words = [*(table.path.table for table in datamap.tables), *(table.label for table in datamap.tables)]
    assert [word for word in words if "download" in word] == []


def owners_by_the_map(dsn: str, project: str) -> list[str]:
    """Who owns a project, by the equalities that the map's own words give, sent by hand under the role's rights."""
    owners = shipped_maps()["warehouse"].route("resource").owners
    assert owners is not None
    ((column, value),) = owners.equals
    text = SQL("SELECT {} FROM {} WHERE {} = %s AND {} = %s ORDER BY 1").format(
        *map(Identifier, (owners.subject, owners.table, owners.resource, column))
    )
    with psycopg.connect(dsn, autocommit=True) as link:
        return [str(name) for (name,) in link.execute(text, [project, value])]


def test_a_named_package_leads_to_its_owners_and_to_nobody_who_merely_helps(
    environment: dict[str, str],
) -> None:
    """An owner by role, an owner by the organisation; no maintainer, no member. Each needs a plan of its own."""
    datamap = shipped_maps()["warehouse"]
    with opened(datamap, environment) as stores:
        plan = plan_for(datamap, "Example-Package", SEPTEMBER, "subscriber.identity", kind="resource")
        assert resolved(plan, stores) == "example-package"
        nobody = plan_for(datamap, "example", SEPTEMBER, "subscriber.identity", kind="resource")
        assert resolved(nobody, stores) is None
        for project, owner in (("example-package", "eva-two"), ("held-package", "eva-three")):
            assert owners_by_the_map(environment["WAREHOUSE_DSN"], project) == [owner]
            found = produced(plan_for(datamap, owner, SEPTEMBER, "subscriber.identity"), stores)
            assert [row["username"] for row in found["users"]] == [owner]


def test_an_address_in_a_mail_leads_to_its_account(environment: dict[str, str]) -> None:
    """Through the view, in any case."""
    datamap = shipped_maps()["warehouse"]
    plan = plan_for(datamap, "EVA-two@mail.example", SEPTEMBER, "subscriber.identity", kind="email")
    with opened(datamap, environment) as stores:
        assert resolved(plan, stores) == "eva-two"


def test_the_role_of_the_header_may_not_read_what_is_not_listed(environment: dict[str, str]) -> None:
    """Least rights: no password, no table of all addresses, no events of everybody, no roles."""
    with psycopg.connect(environment["WAREHOUSE_DSN"], autocommit=True) as link:
        for column, table in (
            ("password", "users"),
            ("ip_address", "ip_addresses"),
            ("additional", "user_events"),
            ("role_name", "roles"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(f"SELECT {column} FROM {table}".encode())


def test_plain_values_compare_across_drivers() -> None:
    """The oracle's times and the store's times are written alike."""
    assert plain(MOMENTS[1].at) == plain(MOMENTS[1].at.replace(tzinfo=None))
