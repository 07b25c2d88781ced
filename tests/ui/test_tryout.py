"""The sheet of a dry run: what it says is what was counted, and the page needs nothing beside it."""

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dueprocess.demand import AUTHORISABLE, Period, ScopeItem, Target
from dueprocess.library.datamaps import datamaps_folder, shipped_maps
from dueprocess.plan import compile_plan
from dueprocess.production.tryout import Held, Holdings, Part, Status
from dueprocess.ui.firstday import FIRST_DAY, map_notes
from dueprocess.ui.tryout import Sheet, amount, as_json, lines, render_tryout, sheet

MAP = shipped_maps()["synapse"]
NOTES = map_notes((datamaps_folder() / "synapse.toml").read_text(encoding="utf-8"))
WINDOW = Period(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


def holdings(rows: int = 3, files: Status = "found", why: str = "") -> Holdings:
    """Counts made up: so many records in each table, two files of 1 MB and one that is missing."""
    item = ScopeItem(Target("account", "@eva:chat.example"), AUTHORISABLE, WINDOW)
    plan = compile_plan(item, MAP, nonce=bytes(32))
    tables = (
        Held(
            each.store, each.label, each.path, False, "found" if rows else "nothing_held", rows, 10 * rows,
            ("2025-02", "2026-11") if rows and each.path.time else None,
            tuple(Part(category, ("a", "b"), rows, 5 * rows) for category in each.categories),
        )
        for each in plan.tables
    )  # fmt: skip
    of = plan.files[0]
    counts = (2, 2_000_000) if files == "found" else (0, 0)
    held = Held(
        of.store, of.rows.label, of.rows.path, True, files, *counts, None,
        (Part(of.category, ("x",), *counts),), 1 if files == "found" else 0, why,
    )  # fmt: skip
    return Holdings(MAP, WINDOW, (*tables, held), plan.not_collected, {"users": ("password_hash",)})


def made(found: Holdings, name: str = "chat.example") -> Sheet:
    return sheet(found, name, NOTES, FIRST_DAY["synapse"])


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_beside_it() -> None:
    """No script, no picture, no form, no handler, nothing loaded; links lead to places on it and to sources."""
    page = render_tryout(made(holdings()))
    tags = Tags(page).tags
    assert not {"script", "img", "link", "iframe", "form", "object", "embed", "base"} & {
        tag for tag, _ in tags
    }
    assert not {"src", "style", "onclick", "onload"} & {name for _, named in tags for name in named}
    assert not re.search(r"url\(|@import", page)
    targets = {str(named["href"]) for tag, named in tags if tag == "a"}
    places = {f"#{named['id']}" for _, named in tags if "id" in named}
    assert {each for each in targets if each.startswith("#")} <= places
    assert {each for each in targets if not each.startswith("#")} == {
        each.source for each in FIRST_DAY["synapse"]
    }


def test_page_and_text_say_what_was_counted() -> None:
    """Totals, kinds with their meaning, months, files, what is left out, and that nobody gains anything new."""
    found = made(holdings())
    page, text = " ".join(Tags(render_tryout(found)).text.split()), " ".join("\n".join(lines(found)).split())
    for said in (page, text):
        for words in (
            "27 records and 2 files", "2.0 MB", "Feb 2025 to Nov 2026", "Name and address given at registration",
            "2 files; 1 more named and not there", "user_ips_max_age: 7d", "gives nobody anything new",
            "means and source of payment", "asswords, keys and tokens", "no date", "as it is now",
        ):  # fmt: skip
            assert words in said, words
        assert "numbers and addresses assigned to the account" not in text
    assert "user_ips.ip and devices.ip would count" in page
    assert "password_hash" in page
    assert "redacted" in NOTES.traps.lower()


def test_nothing_and_not_counted_are_told_apart() -> None:
    """An empty table holds nothing; a folder that was not looked at may hold anything."""
    text = "\n".join(lines(made(holdings(0, "not_asked", "x"))))
    assert "0 records and 0 files, 0 bytes; the oldest month: none has a date" in text
    assert re.search(r"user_ips +nothing", text)
    assert re.search(r"files in media +not counted", text)
    assert "Not counted: the files in media. Name their folder with --media." in text
    failed = made(holdings(0, "failed", "It is gone."))
    assert "Not counted: the files in media. It is gone." in "\n".join(lines(failed))
    assert "Not everything was counted." in render_tryout(failed)
    assert "Not everything was counted." not in render_tryout(made(holdings()))


def test_a_strange_name_stays_text() -> None:
    """Nothing that a server or a store says becomes a tag."""
    odd = "<script>alert(1)</script>"
    tags = Tags(render_tryout(made(holdings(1, "failed", odd), odd))).tags
    assert "script" not in {tag for tag, _ in tags}


def test_json_has_the_same_counts() -> None:
    """By category and by entry."""
    found = holdings()
    told = as_json(made(found), found)
    categories: dict[str, dict[str, object]] = told["categories"]  # type: ignore[assignment]  # made above
    assert categories["content.files"] == {
        "meaning": "files and media",
        "records": 3,
        "files": 2,
        "bytes": 2_000_015,
    }
    assert categories["session.times"]["records"] == 9
    assert told["not_mapped"] == ["subscriber.payment", "location"]
    assert "@eva" not in str(told)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345, "12 kB"), (999_499, "999 kB"),
        (999_500, "1.0 MB"), (5_000_000_000_000, "5,000 GB"),
    ],
)  # fmt: skip
def test_sizes_are_told_for_people(size: int, words: str) -> None:
    """Two digits that matter, in the unit that fits."""
    assert amount(size) == words


@given(st.integers(0, 10**18))
def test_every_size_has_words(size: int) -> None:
    """A number and its unit."""
    assert re.fullmatch(r"[\d,.]+ (byte|bytes|kB|MB|GB)", amount(size))


@pytest.mark.parametrize("name", ["discourse", "ejabberd", "mastodon", "prosody", "synapse", "warehouse"])
def test_the_head_of_a_shipped_map_can_be_told(name: str) -> None:
    """What it leaves out and why, item by item; the first is always what nobody may authorise."""
    notes = map_notes((datamaps_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    assert len(notes.left_out) >= 3
    assert notes.left_out[0][0].startswith("passwords, keys and tokens")
    assert all(title and names and not names.endswith(";") for title, names in notes.left_out)


@given(st.text())
def test_any_text_has_notes_or_none(text: str) -> None:
    """A map without such comments has none."""
    assert map_notes("[map]\n" + text.replace("listed", "")).left_out == ()
    map_notes("# Deliberately not listed:\n" + "".join(f"#{line}\n" for line in text.splitlines()))
