"""Every kind of target has one declared route to one person; a thing leads to its owners and to nobody else."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import KINDS, Period, ScopeItem, Target, TargetKind, expand
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import Interval, Owners, Plan, TargetRoute, compile_plan, parse_map, question_only

HEAD = """
[map]
id = "example"
version = "1"
platform = "Example Host"
[store.main]
connect = "${EXAMPLE_DSN}"
max_rows = 1000
[[table]]
store = "main"
name = "accounts"
subject = "id"
[table.columns]
email = { category = "subscriber.identity" }
"""
ACCOUNT = """
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "id"
"""
EMAIL = """
[[target]]
kind = "email"
store = "main"
table = "addresses"
column = "address"
subject = "account"
absent = ["removed_at"]
equals = { confirmed = true, kind = "mail", rank = 1 }
compare = "ignore_case"
"""
LEASE = """
[[target]]
kind = "ip_at_time"
store = "main"
table = "leases"
column = "address"
subject = "account"
interval = { since = "began", until = "ended", unit = "ms", port_from = "first_port", port_to = "last_port" }
"""
PACKAGE = """
[[target]]
kind = "resource"
store = "main"
table = "packages"
column = "name"
subject = "id"
[target.owners]
table = "roles"
resource = "package"
subject = "account"
equals = { role_name = "Owner" }
accounts = "accounts"
key = "id"
name = "name"
"""
MAP = HEAD + ACCOUNT + EMAIL + LEASE + PACKAGE


def changed(old: str, new: str) -> str:
    assert MAP.count(old) >= 1
    return MAP.replace(old, new, 1)


def test_a_map_says_how_each_kind_is_found() -> None:
    """Every key of a route arrives in the value and in the JSON that is digested."""
    datamap = parse_map(MAP, "example.toml")
    account, email, lease, package = datamap.targets
    assert account == TargetRoute("account", "main", "accounts", "name", "id")
    assert set(account.as_json()) == {"kind", "store", "table", "column", "subject"}
    assert email.absent == ("removed_at",)
    assert email.equals == (("confirmed", True), ("kind", "mail"), ("rank", 1))
    assert email.compare == "ignore_case"
    assert lease.interval == Interval("began", "ended", "ms", "first_port", "last_port")
    assert package.owners == Owners(
        "roles", "package", "account", (("role_name", "Owner"),), "accounts", "id", "name"
    )
    assert [datamap.route(route.kind) for route in datamap.targets] == list(datamap.targets)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('absent = ["removed_at"]\n', ""),
        ("confirmed = true", "confirmed = false"),
        ("rank = 1", "rank = 2"),
        ('compare = "ignore_case"\n', ""),
        ('since = "began"', 'since = "start"'),
        (', port_from = "first_port", port_to = "last_port"', ""),
        ('role_name = "Owner"', 'role_name = "Admin"'),
        ('resource = "package"', 'resource = "project"'),
    ],
)
def test_every_word_of_a_route_is_in_the_digest(old: str, new: str) -> None:
    """Two people sign a map with its routes: none of their words can change unseen."""
    assert parse_map(changed(old, new), "a.toml").sha256 != parse_map(MAP, "a.toml").sha256


def test_words_that_say_the_default_change_no_digest() -> None:
    """`compare = "exact"` is what a route without it means."""
    said = parse_map(HEAD + ACCOUNT + 'compare = "exact"\nabsent = []\n', "a.toml")
    assert said.sha256 == parse_map(HEAD + ACCOUNT, "a.toml").sha256


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"ip_at_time", "resource"}])
def test_every_other_kind_is_found_by_one_column(kind: str) -> None:
    """No kind of named target is left without a word in the map."""
    route = ACCOUNT.replace('kind = "account"', f'kind = "{kind}"')
    assert parse_map(HEAD + route, "a.toml").targets[0].kind == kind


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('kind = "email"', 'kind = "area"', "kind"),
        ('kind = "email"', 'kind = "account"', "target"),
        ('kind = "email"', 'kind = "ip_at_time"', "interval"),
        ('kind = "email"', 'kind = "resource"', "owners"),
        ('kind = "ip_at_time"', 'kind = "device"', "interval"),
        ('kind = "resource"', 'kind = "device"', "owners"),
        ('compare = "ignore_case"', 'compare = "like"', "compare"),
        ('compare = "ignore_case"', "compare = true", "compare"),
        ('absent = ["removed_at"]', 'absent = "removed_at"', "absent"),
        ('absent = ["removed_at"]', 'absent = ["confirmed"]', "equals"),
        ("equals = { confirmed = true", "equals = { confirmed = 1.5", "equals"),
        ("equals = { confirmed = true", "equals = { confirmed = [1]", "equals"),
        ("equals = { confirmed = true", "equals = { confirmed = 9007199254740992", "equals"),
        ("equals = { confirmed = true", f'equals = {{ confirmed = "{"x" * 1001}"', "equals"),
        ('equals = { confirmed = true, kind = "mail", rank = 1 }', "equals = {}", "equals"),
        ('equals = { confirmed = true, kind = "mail", rank = 1 }', "equals = true", "equals"),
        ("equals = { confirmed = true", 'equals = { "con firmed" = true', "equals"),
        ('since = "began", ', "", "since"),
        ('unit = "ms"', 'unit = "date"', "unit"),
        (', port_to = "last_port"', "", "port_from"),
        ('port_from = "first_port", ', "", "port_from"),
        ('since = "began"', 'since = "be gan"', "since"),
        ('accounts = "accounts"\n', "", "accounts"),
        ('key = "id"', 'key = "id"\nfilter = "x"', "filter"),
    ],
)
def test_a_route_that_is_not_exactly_right_is_named(old: str, new: str, key: str) -> None:
    """Unknown, missing and ill-typed keys are errors that name the file and the key."""
    with pytest.raises(MalformedError) as caught:
        parse_map(changed(old, new), "example.toml")
    assert "example.toml" in caught.value.what
    assert key in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("confirmed = true", "password = true", "secrets"),
        ('subject = "account"\nabsent', 'subject = "reset_token"\nabsent', "secrets"),
        ('resource = "package"', 'resource = "package_token"', "secrets"),
        ('key = "id"', 'key = "session_token"', "secrets"),
        ('subject = "account"\nabsent', 'subject = "room_id"\nabsent', "not-a-person"),
        ('table = "leases"', 'table = "tower_leases"', "not-a-person"),
        ('subject = "id"\n[target.owners]', 'subject = "channel_id"\n[target.owners]', "not-a-person"),
        ('table = "packages"', 'table = "hashtags"', "no-owner"),
        ('table = "packages"\ncolumn = "name"', 'table = "packages"\ncolumn = "keyword"', "no-owner"),
        ('subject = "account"\nequals', 'subject = "team_id"\nequals', "not-a-person"),
        ('accounts = "accounts"', 'accounts = "groups"', "not-a-person"),
        ('table = "roles"', 'table = "package_members"', "owners-only"),
        ('table = "roles"', 'table = "followers"', "owners-only"),
        ('role_name = "Owner"', 'role_name = "reader"', "owners-only"),
        ('role_name = "Owner"', 'role_name = "Project Subscriber"', "owners-only"),
        ('role_name = "Owner"', "is_watcher = true", "owners-only"),
        ('name = "name"\n', 'name = "login"\n', "owners-without-account"),
    ],
)
def test_what_is_never_allowed_is_refused(old: str, new: str, code: str) -> None:
    """Secrets, gatherings as people, shared properties as things, and mere users as owners."""
    text = (
        changed(old, new) if MAP.count(old) == 1 else PACKAGE.replace(old, new, 1).join((HEAD + ACCOUNT, ""))
    )
    with pytest.raises(RefusedError) as caught:
        parse_map(text, "example.toml")
    assert caught.value.code == code
    assert caught.value.source


def test_owners_need_an_account_route() -> None:
    """Each owner becomes a target of a decision of its own, so there must be a way to find one."""
    with pytest.raises(RefusedError) as caught:
        parse_map(HEAD + PACKAGE, "example.toml")
    assert caught.value.code == "owners-without-account"


def test_owners_of_an_organisation_may_be_named() -> None:
    """A channel or an organisation is no person, but it has owners; `equals` is not needed where a table says so."""
    text = MAP.replace('table = "packages"', 'table = "organisations"').replace(
        'table = "roles"', 'table = "organisation_owners"'
    )
    route = parse_map(text.replace('equals = { role_name = "Owner" }\n', ""), "a.toml").route("resource")
    assert route.owners is not None
    assert (route.table, route.owners.table, route.owners.equals) == (
        "organisations",
        "organisation_owners",
        (),
    )


@given(st.integers(0, len(MAP) - 1), st.characters())
@settings(max_examples=150, deadline=None)
def test_one_changed_character_never_crashes_the_reader(at: int, character: str) -> None:
    """A map with one wrong character gives a map or one of the two promised errors."""
    with contextlib.suppress(MalformedError, RefusedError):
        parse_map(MAP[:at] + character + MAP[at + 1 :], "x.toml")


def asked(kind: TargetKind, value: str) -> Plan:
    item = ScopeItem(Target(kind, value), expand(["subscriber.identity"]), Period(None, None))
    return compile_plan(item, parse_map(MAP, "map.toml"), nonce=bytes(32))


def test_a_resolution_asks_its_one_question_and_reads_no_records() -> None:
    """What two people sign to find out an account holds the target alone."""
    plan = asked("email", "eva@mail.example")
    question = question_only(plan)
    assert plan.tables
    assert (question.tables, question.files, question.not_collected, question.holds) == ((), (), (), ())
    assert question.target == plan.target
    assert question.plan_sha256 != plan.plan_sha256


@pytest.mark.parametrize(
    "value", ["198.51.100.7", "198.51.100.7 2026-09-01T10:00:00Z", "198.51.100.0/24 yesterday"]
)
def test_an_address_that_people_share_needs_its_port_and_its_instant(value: str) -> None:
    """One address, one port, one instant; nothing less names one person."""
    with pytest.raises((MalformedError, RefusedError)):
        question_only(asked("ip_at_time", value))
    exact = question_only(asked("ip_at_time", "198.51.100.7:40001 2026-09-01T10:00:00Z"))
    assert exact.target.value.startswith("198.51.100.7:40001")
