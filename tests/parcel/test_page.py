"""Pages say everything in plain words, run nothing, load nothing, and hide no character."""

import dataclasses
import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.parcel import NOT_NOTHING, Account, Block, Page, RedactionCount, TableResult, statement_html
from dueprocess.parcel.page import cell, page_html, visible
from dueprocess.parcel.statement_page import MOST_ROWS, statement_page
from parcel.accounts import ACCOUNT, EMPTY, REDACTIONS, RESULTS, STATEMENT


def rows(page: str) -> dict[str, str]:
    """Each row of each table by the words of its first cell."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", page)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]
    words = [[re.sub(r"<[^>]+>", "", each.replace("<br>", "\n")) for each in row] for row in cells]
    return {row[0]: " | ".join(row[1:]) for row in words if row}


PAGE = statement_html(STATEMENT, RESULTS, REDACTIONS).decode()


def test_each_category_has_its_outcome() -> None:
    """Asked, permitted, authorised, held, disclosed, withheld; or not collected and why."""
    row = rows(PAGE)
    assert row["traffic\nother records"] == (
        "yes | yes | yes | yes\nfound in 2 entries\n1 entry FAILED | 1,237 records | "
        "1,236 places about other people, by rule\nwhatever the failed entries hold"
    )
    assert (
        row["subscriber.identity\nname"]
        == "yes | yes | yes | nothing held\nnothing held in 1 entry | nothing | nothing"
    )
    assert row["subscriber.payment\npayment"].startswith(
        "yes | yes | yes | unknown\n1 entry FAILED | nothing | "
    )
    assert (
        row["content.files\nfiles and media"] == "yes | yes | yes | yes\nfound in 1 entry | 3 files | nothing"
    )
    assert row["session.times\ntimes"].endswith("in part not collected: these records carry times")
    assert row["location\nwhere"] == (
        "no | no | no | not collected: not authorised by the decision; it was not asked for"
    )


def test_held_is_never_said_of_what_was_not_authorised() -> None:
    """The row of such a category names no entry and no number."""
    for name in ("location\nwhere", "content.messages\nwhat was said", "content.profile\nprofile"):
        assert "held" not in rows(PAGE)[name]
        assert "found in" not in rows(PAGE)[name]


def test_a_failure_is_told_first_and_beside_its_entry() -> None:
    """With the plain warning, in both places."""
    assert 0 < PAGE.index("2 entries of 6 failed") < PAGE.index("Time window")
    assert PAGE.count(NOT_NOTHING) == 3
    assert f"FAILED: the store stopped</bdi><br><bdi>{NOT_NOTHING}" in PAGE
    quiet = statement_html(STATEMENT, RESULTS[:2]).decode()
    assert NOT_NOTHING not in quiet
    assert "1,234 records and 0 files. 2 entries of" in quiet
    assert "1 entry of the operator's list of what it holds was read" in statement_html(
        STATEMENT, RESULTS[:1]
    ).decode().replace("&#x27;", "'")


def test_sources_and_redactions_have_their_tables() -> None:
    """Holds and tables collected by hand are named; what was taken out has its reason in words."""
    row = rows(PAGE)
    assert row["hold-3f2a9c01"].startswith(("a snapshot", "sessions"))
    assert "kept since; nobody read it in the meantime" in PAGE
    assert f"because no program reads this source; SHA-256 of the file: {'ab' * 32}" in PAGE
    assert "user_ids inside the value is about other people. | 12 | 31" in row["main.bodies"]
    bare = statement_html(dataclasses.replace(STATEMENT, sources=()), ()).decode()
    assert "Sources that are not live stores" not in bare
    assert "Nothing was taken out" in bare
    assert "No entry was read." in bare


def test_control_numbers_snapshots_and_checks_are_explained() -> None:
    """What a reader needs to know stands on the page itself."""
    for words in (
        "control number such as 7F3K-000001",
        "Each store was read in one snapshot",
        "[U+202E]",
        "dueprocess verify",
    ):
        assert words in PAGE
    assert "none named" in statement_html(dataclasses.replace(STATEMENT, legal_basis=()), ()).decode()


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    """Everything from outside is escaped; there is no script, image or address to load."""
    assert "&lt;script&gt;" in PAGE
    for word in ("<script", "src=", "href=", "url(", "@import", "<img"):
        assert word not in PAGE
    assert PAGE.startswith("<!doctype html>")


class Tags(HTMLParser):
    """Checks that every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser calls it so
        if tag not in {"meta", "br", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_name_breaks_the_page(value: str) -> None:
    """Whatever others write, the elements stay balanced and the page is UTF-8."""
    said = dataclasses.replace(STATEMENT, account=value, authority=value, operator=value, order=value)
    failed = TableResult("main", "sessions", "failed", 0, value, ("traffic",))
    tags = Tags()
    tags.feed(statement_html(said, (failed,)).decode())
    assert tags.open == []


def test_every_kind_of_block_has_its_element() -> None:
    """Items share one list wherever they end; a form has boxes and lines."""
    blocks = (
        Block("item", "a"),
        Block("item", "b"),
        Block("text", "c"),
        Block("tick", "d"),
        Block("blanks", rows=(("Name", "Title"),)),
        Block("item", "e"),
    )
    made = page_html(Page("T", "F", "A", blocks)).decode()
    assert "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>c</p>" in made
    assert '<p class="tick">d</p>\n<p class="blank">Name</p><p class="blank">Title</p>' in made
    assert "<li>e</li>\n</ul>\n</main>" in made


def test_characters_that_deceive_are_shown_as_their_number() -> None:
    """Direction, zero width, control, surrogate, private; letters of every script stay."""
    assert visible("@eva\u202e\u200b\n\ud800\ue000") == "@eva[U+202E][U+200B][U+000A][U+D800][U+E000]"
    assert visible("@مها 漢 é e\u0301") == "@مها 漢 é e\u0301"
    assert cell("a\nb", "", "c") == "a[U+000A]b\nc"


def test_of_very_many_entries_what_failed_comes_first_and_the_rest_is_counted() -> None:
    """A page that nobody could print would be of no use; statement.json has them all."""
    many = [TableResult("main", f"t{at}", "nothing_held", 0) for at in range(MOST_ROWS)]
    last = (TableResult("main", "late", "failed", 0, "gone"), TableResult("main", "held", "found", 1))
    counts = tuple(RedactionCount("main", f"t{at}", "c", "mask", 1, 2) for at in range(MOST_ROWS + 3))
    page = page_html(statement_page(Account(STATEMENT, (*many, *last), counts))).decode()
    assert page.index(">late<") < page.index(">held<") < page.index(">t0<")
    assert "2 entries more" in page
    assert "0 failed, 0 found, 2 nothing held. All stand in data/statement.json." in page
    assert "3 columns more" in page
    assert rows(page)["all stores"].endswith("| 3 | 6")


def test_a_page_for_the_typesetter_has_every_word() -> None:
    """Each text goes through the caller's spelling."""
    page = statement_page(ACCOUNT)
    shown = str(page.shown(str.upper))
    assert "DISTRICT OF EXAMPLE <SCRIPT>" in shown
    assert "District" not in shown
    assert statement_page(EMPTY).title == "Answer package p-7f3k"
