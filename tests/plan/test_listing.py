"""Labels, constants, zones, Maildirs and lines of text: what a map may say about where records lie."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import LinesTable, TimeColumn, parse_map

MAP = r"""
[map]
id = "example"
version = "1"
platform = "Example Host"
[store.main]
connect = "${EXAMPLE_DSN}"
max_rows = 1000
[store.log]
connect = "lines:///var/log"
max_rows = 1000
[store.mail]
connect = "file:///srv/mail"
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "name"
[[table]]
store = "main"
name = "archive"
subject = "name"
as = "calls"
time = { column = "day", unit = "date", zone = "Europe/Berlin" }
equals = { kind = "call", private = false }
[table.columns]
day = { category = "session.times" }
[[table]]
store = "main"
name = "archive"
subject = "name"
time = { column = "at", unit = "timestamp" }
equals = { kind = "chat" }
[table.columns]
body = { category = "content.messages" }
[[lines]]
store = "log"
name = "logins"
files = "mail.log*"
pattern = '''(?P<time>\S+ +\d+ \S+) host dovecot: Login: user=<(?P<user>[^>]+)>, rip=(?P<address>[^,]+), .*'''
stamp = "syslog"
zone = "Europe/Berlin"
[[table]]
store = "log"
name = "logins"
subject = "user"
time = { column = "time", unit = "timestamp" }
[table.columns]
time = { category = "session.times" }
address = { category = "traffic" }
[[file]]
store = "mail"
root = "."
path = "{domain}/{login}"
category = "content.messages"
layout = "maildir"
[file.from]
store = "main"
table = "boxes"
subject = "name"
equals = { active = 1 }
"""


def changed(old: str, new: str) -> str:
    assert MAP.count(old) == 1, old
    return MAP.replace(old, new)


def test_a_map_says_what_it_says() -> None:
    """Every key arrives in the value."""
    datamap = parse_map(MAP, "example.toml")
    calls, chats, logins = datamap.tables
    assert (calls.label, chats.label, logins.label) == ("calls", "archive", "logins")
    assert calls.path.time == TimeColumn("archive", "day", "date", "Europe/Berlin")
    assert calls.path.equals == (("kind", "call"), ("private", False))
    (lines,) = datamap.lines
    assert isinstance(lines, LinesTable)
    assert (lines.files, lines.stamp, lines.zone) == ("mail.log*", "syslog", "Europe/Berlin")
    (boxes,) = datamap.files
    assert boxes.layout == "maildir"
    assert boxes.path.equals == (("active", 1),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('as = "calls"', 'as = "talks"'),
        ('zone = "Europe/Berlin" }', 'zone = "Asia/Kolkata" }'),
        ("private = false", "private = true"),
        ('layout = "maildir"', 'layout = "file"'),
        ('files = "mail.log*"', 'files = "mail.*"'),
        ("Login: user", "Logon: user"),
        ('stamp = "syslog"\nzone = "Europe/Berlin"', 'stamp = "rfc3339"'),
        ("active = 1", "active = 2"),
    ],
)
def test_every_word_is_in_the_digest(old: str, new: str) -> None:
    """Two people sign all of it."""
    text = changed(old, new).replace(
        'subject = "name"\nequals = { active', 'subject = "name"\ntime = "current"\nequals = { active'
    )
    whole = MAP.replace(
        'subject = "name"\nequals = { active', 'subject = "name"\ntime = "current"\nequals = { active'
    )
    assert parse_map(text, "a.toml").sha256 != parse_map(whole, "a.toml").sha256


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('as = "calls"\n', "", "table"),
        ('as = "calls"', 'as = "archive"', "table"),
        ('as = "calls"', 'as = "ca lls"', "as"),
        ('as = "calls"', "as = 1", "as"),
        ('zone = "Europe/Berlin" }', 'zone = "Europe/Nowhere" }', "zone"),
        ('zone = "Europe/Berlin" }', 'zone = "Europe" }', "zone"),
        ('zone = "Europe/Berlin" }', 'zone = "../../etc/passwd" }', "zone"),
        ('zone = "Europe/Berlin" }', 'zone = "localtime" }', "zone"),
        ('unit = "date", zone', 'unit = "s", zone', "zone"),
        (
            'equals = { kind = "call", private = false }',
            'equals = { kind = "call" }\nabsent = ["kind"]',
            "equals",
        ),
        ('layout = "maildir"', 'layout = "mbox"', "layout"),
        ('layout = "maildir"\n', "", "time"),
        ('layout = "maildir"\n', 'layout = "maildir"\nin_place = "yes"\n', "in_place"),
        ('layout = "maildir"\n', 'layout = "maildir"\nin_place = 1\n', "in_place"),
        ("equals = { active = 1 }", 'time = { column = "at", unit = "s" }', "time"),
        ("[[lines]]", "[lines]", "lines"),
        ('files = "mail.log*"', 'files = "../mail.log"', "files"),
        ('files = "mail.log*"', 'files = ".."', "files"),
        ("(?P<user>", "(?P<user", "pattern"),
        ("(?P<user>", "(?P<café>", "pattern"),
        ('stamp = "syslog"', 'stamp = "iso"', "stamp"),
        ('stamp = "syslog"\nzone = "Europe/Berlin"\n', "", "stamp"),
        ("(?P<time>", "(?P<when>", "stamp"),
        ('stamp = "syslog"', 'stamp = "unix"', "zone"),
        ('connect = "lines:///var/log"', 'connect = "sqlite:///log.db"', "store"),
        ('connect = "lines:///var/log"\nmax_rows = 1000', 'connect = "lines:///var/log"', "store"),
        ('name = "logins"\nsubject', 'name = "logouts"\nsubject', "logouts"),
        ('subject = "user"', 'subject = "person"', "person"),
        ("address = {", "port = {", "port"),
        (
            'time = { column = "time", unit = "timestamp" }',
            'time = { column = "when", unit = "timestamp" }',
            "when",
        ),
        (
            'time = { column = "time", unit = "timestamp" }',
            'time = { column = "time", unit = "iso" }',
            "time",
        ),
        (
            'time = { column = "time", unit = "timestamp" }',
            'time = { column = "time", unit = "timestamp", zone = "Europe/Berlin" }',
            "time",
        ),
        ('subject = "user"\n', 'subject = "user"\norder = ["pid"]\n', "pid"),
        ('subject = "user"\n', 'subject = "user"\nabsent = ["pid"]\n', "pid"),
        ('subject = "user"\n', 'subject = "user"\nequals = { pid = 1 }\n', "pid"),
        ('subject = "user"\n', 'via = [{ table = "queue", on = "user", subject = "user" }]\n', "queue"),
    ],
)
def test_what_is_not_exactly_right_is_named(old: str, new: str, key: str) -> None:
    """Unknown, missing and ill-typed keys are errors that name the file and the key."""
    with pytest.raises(MalformedError) as caught:
        parse_map(changed(old, new), "example.toml")
    assert key in caught.value.what
    assert "example.toml" in caught.value.what


def test_a_pattern_without_groups_has_no_columns() -> None:
    """And one that is no regular expression is told with its reason."""
    lines = MAP[MAP.index("[[lines]]") : MAP.index('[[table]]\nstore = "log"')]
    for pattern, why in ((".*", "no group"), ("(", "regular expression"), ("(?P<a>.)" + "x" * 4000, "4000")):
        odd = f'[[lines]]\nstore = "log"\nname = "logins"\nfiles = "x"\npattern = \'{pattern}\'\n'
        with pytest.raises(MalformedError, match=why):
            parse_map(changed(lines, odd), "a.toml")


def test_one_name_stands_for_one_pattern() -> None:
    """Two patterns under one name would be an OR."""
    lines = MAP[MAP.index("[[lines]]") : MAP.index('[[table]]\nstore = "log"')]
    with pytest.raises(MalformedError, match="lines"):
        parse_map(changed(lines, lines + lines), "a.toml")


def test_lines_behind_a_variable_are_known_by_their_entry() -> None:
    """`${NAME}` says nothing about the engine, `[[lines]]` does: the columns are checked all the same."""
    text = changed('connect = "lines:///var/log"', 'connect = "${LOGS}"')
    assert parse_map(text, "a.toml").lines[0].store == "log"
    with pytest.raises(MalformedError, match="port"):
        parse_map(text.replace("address = {", "port = {"), "a.toml")


def test_a_folder_of_lines_without_patterns_has_no_tables() -> None:
    """A store of lines of which nothing says how to read them answers for nothing."""
    lines = MAP[MAP.index("[[lines]]") : MAP.index('[[table]]\nstore = "log"')]
    with pytest.raises(MalformedError, match="logins"):
        parse_map(changed(lines, ""), "a.toml")


def test_a_hop_over_lines_reads_only_groups() -> None:
    """A log may lead over another of its lines, by a queue's number; each end is a group of its pattern."""
    queue = '[[lines]]\nstore = "log"\nname = "queue"\nfiles = "mail.log"\npattern = \'(?P<id>.+): (?P<user>.+)\'\n'
    hop = 'via = [{ table = "queue", on = "user", foreign = "id", subject = "user" }]\n'
    text = MAP.replace('subject = "user"\n', hop).replace("[[lines]]", queue + "[[lines]]")
    assert parse_map(text, "a.toml").tables[2].path.subject_table == "queue"
    with pytest.raises(MalformedError, match="key"):
        parse_map(text.replace('foreign = "id"', 'foreign = "key"'), "a.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(?P<user>", "(?P<password>"),
        ("private = false", "session_token = false"),
    ],
)
def test_secrets_are_no_columns_here_either(old: str, new: str) -> None:
    """Neither as a group of a pattern nor as something that a row is compared with."""
    with pytest.raises(RefusedError) as caught:
        parse_map(changed(old, new), "a.toml")
    assert caught.value.code == "secrets"


@given(st.integers(0, len(MAP) - 1), st.characters())
@settings(max_examples=200, deadline=None)
def test_one_changed_character_never_crashes_the_reader(at: int, character: str) -> None:
    """A map with one wrong character gives a map or one of the two promised errors."""
    with contextlib.suppress(MalformedError, RefusedError):
        parse_map(MAP[:at] + character + MAP[at + 1 :], "x.toml")


@given(st.text(alphabet="()[]{}?P<>=!*+|\\dwsaé^$.-:,0123456789&~", max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_pattern_crashes_the_reader(pattern: str) -> None:
    """Whatever stands in `pattern`, the reader answers with a map or with one of the two promised errors."""
    start, end = MAP.index("pattern = '''") + 13, MAP.index("'''\nstamp")
    with contextlib.suppress(MalformedError, RefusedError):
        parse_map(MAP[:start] + pattern + MAP[end:], "x.toml")


def test_files_that_lines_name_are_read_by_groups_too() -> None:
    """A path template over lines of text may use only what the pattern gives, and an undated table needs no time."""
    mail = """[[file]]
store = "mail"
root = "."
path = "{user}"
category = "subscriber.identity"
[file.from]
store = "log"
table = "logins"
subject = "user"
"""
    assert parse_map(MAP + mail, "a.toml").files[1].path_columns == ("user",)
    with pytest.raises(MalformedError, match="box"):
        parse_map((MAP + mail).replace('path = "{user}"', 'path = "{box}"'), "a.toml")
