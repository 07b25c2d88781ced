"""A data map is a closed world: what is not exactly right is an error that names file and key."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import Hop, ListedColumn, PathPart, TimeColumn, parse_map

MAP = """
[map]
id = "example"
version = "1"
platform = "Example Host"

[store.main]
connect = "${EXAMPLE_DSN}"
max_rows = 1000

[store.media]
connect = "file:///srv/media"

[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "id"

[[table]]
store = "main"
name = "accounts"
subject = "id"
[table.columns]
email = { category = "subscriber.identity" }

[[table]]
store = "main"
name = "sessions"
subject = "account"
time = { column = "seen", unit = "ms" }
[table.columns]
ip = { category = "traffic", sole_purpose_identify = "subscriber.number" }

[[table]]
store = "main"
name = "bodies"
via = [{ table = "posts", on = "post", foreign = "id", subject = "author" }]
time = { table = "posts", column = "at", unit = "iso" }
absent = ["deleted"]
order = ["post"]
[table.columns]
body = { category = "content.messages", third_party = ["redact:mentions.users"] }

[[table]]
store = "main"
name = "profiles"
subject = "account"
time = "current"
[table.columns]
bio = { category = "content.profile" }

[[file]]
store = "media"
root = "up/loads"
path = "{key[0:2]}/x-{key}"
category = "content.files"
[file.from]
store = "main"
table = "uploads"
subject = "owner"
time = { column = "at", unit = "timestamp" }
"""


def changed(old: str, new: str, count: int = 1) -> str:
    assert old in MAP
    return MAP.replace(old, new, count)


def test_a_map_says_what_it_says() -> None:
    """Every key of the format arrives in the value, defaults included."""
    datamap = parse_map(MAP, "example.toml")
    accounts, sessions, bodies, profiles = datamap.tables
    (uploads,) = datamap.files
    assert (datamap.id, datamap.version, datamap.platform) == ("example", "1", "Example Host")
    assert [(store.name, store.max_rows) for store in datamap.stores] == [("main", 1000), ("media", None)]
    assert datamap.store("media").connect == "file:///srv/media"
    assert accounts.order == ("email",)
    assert accounts.path.time is None
    assert not accounts.path.current
    assert sessions.order == ("seen",)
    assert sessions.columns == (ListedColumn("ip", "traffic", "subscriber.number"),)  # type: ignore[arg-type]  # plain words for NewTypes
    assert bodies.path.hops == (Hop("posts", "post", "id"),)
    assert bodies.path.subject_table == "posts"
    assert bodies.path.time == TimeColumn("posts", "at", "iso")
    assert (bodies.path.absent, bodies.order) == (("deleted",), ("post",))
    assert profiles.path.current
    assert profiles.path.subject_table == "profiles"
    assert uploads.path_columns == ("key",)
    assert uploads.parts == (
        PathPart(column="key", start=0, end=2),
        PathPart(text="/x-"),
        PathPart(column="key"),
    )


def test_a_map_without_files_has_none() -> None:
    """`[[file]]` is the only part that may be missing."""
    text = MAP[: MAP.index("[[file]]")]
    assert parse_map(text, "example.toml").files == ()


def test_the_digest_leaves_out_connection_strings_and_nothing_else() -> None:
    """A changed address is the same map; any other changed word is another."""
    digest = parse_map(MAP, "a.toml").sha256
    assert parse_map(changed("${EXAMPLE_DSN}", "sqlite:///b.db"), "b.toml").sha256 == digest
    for old, new in (
        ("max_rows = 1000", "max_rows = 1001"),
        ('"1"', '"2"'),
        ('"traffic"', '"location"'),
        ("[0:2]", "[0:3]"),
        ('"ms"', '"us"'),
        ('["deleted"]', '["removed"]'),
        ('foreign = "id", ', ""),
        ('order = ["post"]', 'order = ["body"]'),
        ("redact:mentions.users", "redact:mentions"),
        ('time = "current"', 'time = { column = "at", unit = "s" }'),
        ('column = "name"', 'column = "login"'),
    ):
        assert parse_map(changed(old, new), "a.toml").sha256 != digest, old


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[map]\n", "[map]\nowner = 1\n", "owner"),
        ('version = "1"\n', "", "version"),
        ('version = "1"', "version = 1", "version"),
        ('version = "1"', 'version = ""', "version"),
        ('id = "example"', 'id = "Ex ample"', "id"),
        ('id = "example"', 'id = "example"\nid = "again"', "TOML"),
        ('connect = "${EXAMPLE_DSN}"\n', "", "connect"),
        ("max_rows = 1000", "max_rows = 0", "max_rows"),
        ("max_rows = 1000", "max_rows = true", "max_rows"),
        ("max_rows = 1000", "max_rows = 2000000000", "max_rows"),
        ("max_rows = 1000", "", "store"),
        ('connect = "file:///srv/media"', 'connect = "file:///srv/media"\nmax_rows = 5', "store"),
        ('[store.main]\nconnect = "${EXAMPLE_DSN}"\nmax_rows = 1000', "", "store"),
        ("[store.main]", '[store."ma in"]', "ma in"),
        ('kind = "account"', 'kind = "area"', "kind"),
        ('name = "sessions"', 'name = "ses sions"', "name"),
        ('name = "sessions"', 'name = "accounts"', "table"),
        ('subject = "account"\ntime', "time", "subject"),
        ('[table.columns]\nemail = { category = "subscriber.identity" }', "[table.columns]", "columns"),
        ('email = { category = "subscriber.identity" }', "email = 1", "email"),
        ('email = { category = "subscriber.identity" }', "email = {}", "category"),
        ('"subscriber.identity"', '"subscriber"', "category"),
        ('"subscriber.identity"', '"everything"', "category"),
        ("email =", '"e mail" =', "e mail"),
        ("email =", "control_number =", "control_number"),
        ('["redact:mentions.users"]', '["hide"]', "third_party"),
        ('["redact:mentions.users"]', '"mask"', "third_party"),
        ('["redact:mentions.users"]', '["mask", "mask"]', "third_party"),
        ('time = { column = "seen", unit = "ms" }\n', "", "time"),
        ('unit = "ms"', 'unit = "days"', "unit"),
        ('time = { column = "seen", unit = "ms" }', 'time = "always"', "time"),
        ('time = { table = "posts", ', 'time = { table = "rooms", ', "table"),
        (', subject = "author"', "", "subject"),
        ('via = [{ table = "posts"', 'via = [{ table = "bodies"', "via"),
        (
            'via = [{ table = "posts"',
            'via = [{ table = "a", on = "b", subject = "c" }, { table = "posts"',
            "sub",
        ),
        ('via = [{ table = "posts", on = "post", foreign = "id", subject = "author" }]', "via = []", "via"),
        ('order = ["post"]', "order = [1]", "order"),
        ('root = "up/loads"', 'root = "../loads"', "root"),
        ('root = "up/loads"', 'root = "/loads"', "root"),
        ('root = "up/loads"', 'root = "lo ads"', "root"),
        ('"{key[0:2]}/x-{key}"', '"same.txt"', "path"),
        ('"{key[0:2]}/x-{key}"', '"/{key}"', "path"),
        ('"{key[0:2]}/x-{key}"', '"../{key}"', "path"),
        ('"{key[0:2]}/x-{key}"', '"{key[0]}"', "path"),
        ('time = { column = "at", unit = "timestamp" }\n', "", "time"),
        ("[[target]]", "[target]", "target"),
        ("[file.from]", "[file.form]", "from"),
        ("[map]", "[[map]]", "map"),
    ],
)
def test_what_is_not_exactly_right_is_named(old: str, new: str, key: str) -> None:
    """Unknown, missing, doubled and ill-typed keys are errors that name the file and the key."""
    with pytest.raises(MalformedError) as caught:
        parse_map(changed(old, new), "example.toml")
    assert "example.toml" in caught.value.what
    assert key in caught.value.what


@pytest.mark.parametrize("stores", ["store = 1", "store = {}", "store = { main = 1 }"])
def test_stores_are_tables(stores: str) -> None:
    """A map whose stores are something else is malformed."""
    rest = 'target = []\ntable = []\n[map]\nid = "a"\nversion = "1"\nplatform = "x"\n'
    with pytest.raises(MalformedError, match="store"):
        parse_map(f"{stores}\n{rest}", "a.toml")


def test_two_routes_for_one_kind_are_refused() -> None:
    """The same kind of target cannot be resolved in two ways."""
    route = MAP[MAP.index("[[target]]") : MAP.index("[[table]]")]
    with pytest.raises(MalformedError, match="target"):
        parse_map(changed("[[target]]", route + "[[target]]"), "example.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"subscriber.identity"', '"secrets"'),
        ("email =", "password_hash ="),
        ("email =", "accessToken ="),
        ('"{key[0:2]}/x-{key}"', '"{api_token}"'),
        ('column = "name"\nsubject = "id"', 'column = "session_token"\nsubject = "id"'),
    ],
)
def test_secrets_cannot_be_listed(old: str, new: str) -> None:
    """A column of passwords, keys or tokens is refused by category and by name."""
    with pytest.raises(RefusedError) as caught:
        parse_map(changed(old, new), "example.toml")
    assert caught.value.code == "secrets"
    assert caught.value.source


@pytest.mark.parametrize(
    "name", ["rooms", "channel_members", "userGroups", "hashtags", "mailing_lists", "communities"]
)
@pytest.mark.parametrize(
    "key", ['table = "accounts"', 'column = "name"', 'subject = "id"', 'subject = "author"']
)
def test_a_room_is_not_a_person(name: str, key: str) -> None:
    """A target or a subject column that speaks of rooms, channels, groups, hashtags or lists is refused."""
    with pytest.raises(RefusedError) as caught:
        parse_map(changed(key, f'{key.split(" = ", maxsplit=1)[0]} = "{name}"'), "example.toml")
    assert caught.value.code == "not-a-person"


@pytest.mark.parametrize("name", ["blacklisted_by", "whitelist2", "stage_name", "spacer", "person"])
def test_words_inside_words_are_not_taken_for_rooms(name: str) -> None:
    """The word list looks at whole words."""
    text = changed('column = "name"', f'column = "{name}"')
    assert parse_map(text, "example.toml").targets[0].column == name


def test_a_kind_that_the_map_does_not_declare_has_no_route() -> None:
    """A map answers for what it declares; another kind of target is refused, not guessed."""
    with pytest.raises(RefusedError, match="email"):
        parse_map(MAP, "example.toml").route("email")


@given(
    st.text(max_size=200)
    | st.sampled_from(MAP.splitlines(keepends=True)).map(lambda line: MAP.replace(line, "", 1))
)
@settings(max_examples=150, deadline=None)
def test_foreign_text_raises_only_what_is_promised(text: str) -> None:
    """Any text gives a map, MalformedError or RefusedError."""
    with contextlib.suppress(MalformedError, RefusedError):
        parse_map(text, "x.toml")


@given(st.integers(0, len(MAP) - 1), st.characters())
@settings(max_examples=150, deadline=None)
def test_one_changed_character_never_crashes_the_reader(at: int, character: str) -> None:
    """A map with one wrong character gives a map or one of the two promised errors."""
    try:
        datamap = parse_map(MAP[:at] + character + MAP[at + 1 :], "x.toml")
    except (MalformedError, RefusedError):
        return
    assert re.fullmatch("[0-9a-f]{64}", datamap.sha256)
