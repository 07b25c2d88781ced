"""`dueprocess datamap plan` and `import-fides`, as a person types them: no store is ever opened."""

import json
from pathlib import Path

import pytest

from dueprocess.cli.datamap import import_command, show_command
from dueprocess.cli.datamap_plan import Asked, plan_command
from dueprocess.cli.place import Place
from dueprocess.errors import ConflictError, MalformedError, RefusedError, UnavailableError
from dueprocess.plan import parse_map

type Out = pytest.CaptureFixture[str]

MAP = """
[map]
id = "example"
version = "1"
platform = "Example Host"
[store.main]
connect = "sqlite:///nowhere/at/all.db"
max_rows = 1000
[store.mail]
connect = "file:///nowhere/at/all"
[[target]]
kind = "email"
store = "main"
table = "addresses"
column = "address"
subject = "account"
absent = ["removed"]
equals = { confirmed = true }
compare = "ignore_case"
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "id"
[[target]]
kind = "ip_at_time"
store = "main"
table = "leases"
column = "address"
subject = "account"
interval = { since = "began", until = "ended", unit = "ms" }
[[target]]
kind = "resource"
store = "main"
table = "packages"
column = "name"
subject = "id"
[target.owners]
table = "roles"
resource = "package"
subject = "by"
equals = { role = "Owner" }
accounts = "accounts"
key = "id"
name = "name"
[[table]]
store = "main"
name = "bodies"
as = "letters"
via = [{ table = "posts", on = "post", foreign = "id", subject = "author" }]
time = { table = "posts", column = "at", unit = "timestamp", zone = "Europe/Berlin" }
absent = ["deleted"]
equals = { kind = "letter" }
[table.columns]
body = { category = "content.messages" }
[[table]]
store = "main"
name = "accounts"
subject = "id"
[table.columns]
name = { category = "subscriber.identity" }
[[table]]
store = "main"
name = "profiles"
subject = "account"
time = "current"
[table.columns]
bio = { category = "content.profile" }
[[file]]
store = "mail"
root = "."
path = "{login}"
category = "content.messages"
layout = "maildir"
[file.from]
store = "main"
table = "boxes"
subject = "account"
"""
FIDES = """
dataset:
  - fides_key: shop
    collections:
      - name: customer
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A map of stores that do not exist, so that opening one would be an error."""
    (tmp_path / "my.toml").write_text(MAP)
    return tmp_path / "my.toml"


def test_a_plan_is_told_in_words(file: Path, capsys: Out) -> None:
    """Path, window, columns and reasons of each entry; the placeholder is nobody."""
    plan_command(asked=Asked(file=file, categories=["content", "subscriber.identity"]))
    said = capsys.readouterr().out
    assert "email: the one row of main.addresses whose address is the value without regard to case" in said
    assert "removed is empty, confirmed = True; its account is the account" in said
    assert "main.letters\n  rows     bodies.post = posts.id and posts.author = the account" in said
    assert "bodies.deleted is empty and bodies.kind = 'letter'" in said
    assert "posts.at (timestamp, local time of Europe/Berlin) within the decision's window" in said
    assert "none: as they are now" in said
    assert "none: the account's own, which no window cuts" in said
    assert "at most  1,000 rows, sorted by at" in said
    assert "mail: maildir ./{login}" in said
    assert "the time in each message's name" in said
    assert "traffic: not authorised by the decision" in said
    assert "content.files: the data map lists nothing under this category" in said
    assert said.endswith("No store was opened, and nothing was counted.\n")


def test_a_window_is_shown_where_one_was_given(file: Path, capsys: Out) -> None:
    """And only there: the placeholder's window stands in no output."""
    ends = ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z")
    plan_command(asked=Asked(file=file, since=ends[0], until=ends[1]))
    assert f"from {ends[0]} until before {ends[1]}" in capsys.readouterr().out
    for asked, window in (
        (Asked(file=file, since=ends[0], until=ends[1]), list(ends)),
        (Asked(file=file), None),
    ):
        plan_command(asked=asked, place=Place(json=True))
        said = json.loads(capsys.readouterr().out)
        found = [said["window"], said["tables"][0]["window"], said["files"][0]["window"]]
        assert [each and list(each.values()) for each in found] == [window] * 3
        assert [each["label"] for each in said["tables"]] == ["letters", "accounts", "profiles"]
        assert said["counted"] is False
        assert "value" not in said["target"]
        assert all(each["why"] for each in said["not_collected"])


def test_other_kinds_have_other_routes(file: Path, capsys: Out) -> None:
    """An address at an instant, and a thing that leads to its owners and has no records."""
    plan_command(asked=Asked(file=file, kind="ip_at_time"))
    assert (
        "at an instant from began until before ended; its account is the account" in capsys.readouterr().out
    )
    plan_command(asked=Asked(file=file, kind="resource"))
    said = capsys.readouterr().out
    assert "then its owners by roles.package and role = 'Owner', each under a new decision" in said
    assert "main.accounts\n" not in said
    with pytest.raises(RefusedError):
        plan_command(asked=Asked(file=file, kind="phone"))


@pytest.mark.parametrize(
    "words",
    [
        {"case": "11"},
        {"target": "t1"},
        {"case": "11", "target": "t1", "asked": Asked(categories=["traffic"])},
        {"asked": Asked(since="2026-09-01T00:00:00Z")},
        {"asked": Asked(until="2026-09-01T00:00:00Z")},
    ],
)
def test_half_a_question_is_refused(words: dict[str, object], file: Path) -> None:
    """A case without a target, a target without a case, both beside other words, a window with one end."""
    with pytest.raises(MalformedError):
        plan_command(**words)  # type: ignore[arg-type]  # from the list above


def test_a_map_is_shown_with_its_labels(file: Path, capsys: Out) -> None:
    """A table under another name says whose it is."""
    show_command(file)
    assert "main.letters of bodies  (by posts.author)" in capsys.readouterr().out


def test_a_draft_is_printed_or_written_once(tmp_path: Path, capsys: Out) -> None:
    """Never over a file on which somebody worked."""
    (tmp_path / "shop.yml").write_text(FIDES)
    import_command(tmp_path / "shop.yml")
    printed = capsys.readouterr().out
    assert parse_map(printed, "a.toml").id == "shop"
    import_command(tmp_path / "shop.yml", out=tmp_path / "draft.toml")
    assert capsys.readouterr().out.startswith("Wrote draft.toml: tables drafted: 1, ")
    assert (tmp_path / "draft.toml").read_text() == printed
    with pytest.raises(ConflictError):
        import_command(tmp_path / "shop.yml", out=tmp_path / "draft.toml")
    with pytest.raises(UnavailableError):
        import_command(tmp_path / "shop.yml", out=tmp_path / "no" / "draft.toml")
    import_command(tmp_path / "shop.yml", accounts="customer", json=True)
    assert json.loads(capsys.readouterr().out)["complete"] is True
