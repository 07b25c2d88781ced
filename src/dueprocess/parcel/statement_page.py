"""The minimisation statement in plain words: for a court, an officer in a hurry, and an auditor.

Short sentences, no staff, nothing about what was not authorised but that it was not collected.
"""

from collections.abc import Iterable, Sequence

from dueprocess.parcel.page import Block, Page, cell, page_html, visible
from dueprocess.parcel.statement import (
    NOT_NOTHING,
    Account,
    CategoryOutcome,
    RedactionCount,
    Statement,
    Status,
    TableResult,
    counted,
)

MOST_ROWS = 500
"""A page tells so many entries or columns one by one; a longer one is printed by nobody and needs memory."""
_ALL_STAND = "All stand in data/statement.json."
_RANK: tuple[tuple[Status, str], ...] = (
    ("failed", "failed"),
    ("found", "found"),
    ("nothing_held", "nothing held"),
)

_FILES = (
    ("data/<store>/<entry>.0001.jsonl", "the records, one a line, each with its control number"),
    (
        "data/<store>/<entry>.0001.csv",
        "the same records for a spreadsheet; an apostrophe in front keeps a text from being run as a formula",
    ),
    ("data/<store>/files/", "files with their original bytes, named by control number"),
    (
        "data/redactions.jsonl",
        "each value of which something about other people was taken out, and by which rule",
    ),
    ("data/index.html, data/index.pdf", "this page; both say the same"),
    ("data/statement.json", "this page for programs"),
    ("data/queries.sql", "the queries that were run, with places for values"),
    ("data/decision.json", "the decision with its signatures, and the values that the queries were given"),
    ("data/case.jsonld", "the same facts in the CASE ontology, for tools"),
    ("data/certificate.pdf", "a form for the custodian of records; it says nothing until a person signs it"),
    ("manifest-sha256.txt", "the SHA-256 of every file, in BagIt form"),
)

_READING = (
    (
        "“Nothing held” means: nothing of this account, within the window, in this entry, when it was read. It does "
        "not mean that nothing ever was."
    ),
    "Each store was read in one snapshot. The stores were not read at one and the same instant.",
    (
        "Every record and file has a control number such as 7F3K-000001. The four characters belong to this package; "
        "the number counts from 1 through all entries. A number that is missing belongs to something that could not "
        "be put in; the entry's result says so."
    ),
    "A record can count under several categories, so the categories may add up to more than the records.",
    "Times are in UTC. The end of a window is not part of it.",
    (
        "A character that could deceive the eye, or that cannot be printed, stands as its number in brackets, such as "
        "[U+202E]. The .jsonl files hold the characters themselves."
    ),
)


def statement_html(
    statement: Statement, results: Iterable[TableResult], redactions: Iterable[RedactionCount] = ()
) -> bytes:
    """The statement as one HTML page without script, image or outside address."""
    return page_html(statement_page(Account(statement, tuple(results), tuple(redactions))))


def statement_page(account: Account) -> Page:
    """The statement as a page, with what failed in front."""
    said = account.statement
    name = visible(said.parcel_id)
    blocks = (
        Block("facts", rows=_facts(said)),
        *_summary(account),
        Block("heading", "Time window"),
        Block(
            "table",
            "Time window",
            ("Step", "Window"),
            tuple((step.capitalize(), cell(window)) for step, window in said.windows),
            (20, 80),
        ),
        *_categories(account),
        *_entries(account),
        *_sources(account),
        *_redactions(account),
        Block("heading", "How to read this"),
        *(Block("item", each) for each in _READING),
        Block("heading", "Files of this package"),
        Block("table", "Files of this package", ("File", "What it is"), _FILES, (38, 62)),
        Block(
            "text",
            "To check that nothing was changed, added or lost: dueprocess verify FOLDER, or any program that "
            "validates BagIt (RFC 8493).",
        ),
    )
    return Page(f"Answer package {name}", f"Answer package {name}", visible(said.operator), blocks)


def _facts(said: Statement) -> tuple[tuple[str, str], ...]:
    return (
        ("From", cell(said.operator)),
        ("To", cell(said.authority)),
        ("In answer to", cell(said.order)),
        ("About the account", cell(said.account)),
        ("Legal basis", cell(", ".join(said.legal_basis) or "none named")),
        ("Made at", cell(said.produced_at)),
    )


def _summary(account: Account) -> list[Block]:
    records = sum(each.rows for each in account.results if not each.files)
    files = sum(each.rows for each in account.results if each.files)
    found = [
        Block(
            "text",
            f"This package holds {counted(records, 'record')} and {counted(files, 'file')}. "
            f"{counted(len(account.results), 'entry')} of the operator's list of what it holds "
            f"{'was' if len(account.results) == 1 else 'were'} read.",
        ),
        Block(
            "text",
            "It holds what two people authorised and nothing else. A category that was not authorised was not looked "
            "at, so this page cannot say whether anything is held there.",
        ),
    ]
    if account.failed:
        number = f"{counted(len(account.failed), 'entry')} of {len(account.results)} failed".capitalize()
        found.insert(0, Block("warning", f"{number}: see “Every entry that was read”. {NOT_NOTHING}"))
    return found


def _categories(account: Account) -> tuple[Block, ...]:
    title = "What was asked, permitted, authorised, held, disclosed and withheld"
    heads = ("Category", "Asked", "Permitted", "Authorised", "Held", "Disclosed", "Withheld, and why")
    outcomes = account.outcomes()
    marked = frozenset(at for at, each in enumerate(outcomes) if each.entries["failed"])
    rows = tuple(_category(each) for each in outcomes)
    return Block("heading", title), Block("table", title, heads, rows, (24, 7, 10, 11, 18, 12, 18), marked)


def _category(outcome: CategoryOutcome) -> tuple[str, ...]:
    line = outcome.line
    steps = tuple("yes" if each else "no" for each in (line.asked, line.permitted, line.authorised))
    name = cell(line.name, line.meaning)
    if outcome.held is None:
        return (name, *steps, f"not collected: {visible(line.why_not)}")
    return (name, *steps, _held(outcome), _disclosed(outcome), _withheld(outcome))


def _held(outcome: CategoryOutcome) -> str:
    words: dict[Status, str] = {
        "found": "found in {}",
        "nothing_held": "nothing held in {}",
        "failed": "{} FAILED",
    }
    entries = [
        said.format(counted(outcome.entries[status], "entry"))
        for status, said in words.items()
        if outcome.entries[status]
    ]
    first = {"yes": "yes", "no": "nothing held", "unknown": "unknown"}[str(outcome.held)]
    return cell(first, *entries)


def _disclosed(outcome: CategoryOutcome) -> str:
    counts = ((outcome.records, "record"), (outcome.files, "file"))
    return cell(*(counted(number, one) for number, one in counts if number)) or "nothing"


def _withheld(outcome: CategoryOutcome) -> str:
    told = [
        f"{counted(outcome.places, 'place')} about other people, by rule" if outcome.places else "",
        "whatever the failed entries hold" if outcome.entries["failed"] else "",
        f"in part not collected: {outcome.line.not_collected}" if outcome.line.not_collected else "",
    ]
    return cell(*told) or "nothing"


def _entries(account: Account) -> tuple[Block, ...]:
    title = "Every entry that was read"
    if not account.results:
        return Block("heading", title), Block("text", "No entry was read.")
    shown, left = _most_telling(account.results)
    rows = [_entry(each) for each in shown]
    if left:
        counts = ", ".join(
            f"{sum(each.status == status for each in left):,} {word}" for status, word in _RANK
        )
        rows.append(("all stores", f"{counted(len(left), 'entry')} more", f"{counts}. {_ALL_STAND}"))
    marked = frozenset(at for at, each in enumerate(shown) if each.status == "failed")
    heads = ("Store", "Entry", "Result", "Categories")
    return Block("heading", title), Block("table", title, heads, tuple(rows), (17, 22, 36, 25), marked)


def _most_telling(results: tuple[TableResult, ...]) -> tuple[Sequence[TableResult], Sequence[TableResult]]:
    """What is told row by row, and the rest: all where there are few, else what failed first, then what was found."""
    if len(results) <= MOST_ROWS:
        return results, ()
    order = {status: rank for rank, (status, _) in enumerate(_RANK)}
    ranked = sorted(results, key=lambda each: order[each.status])
    return ranked[:MOST_ROWS], ranked[MOST_ROWS:]


def _entry(result: TableResult) -> tuple[str, ...]:
    failed = result.status == "failed"
    told = cell(f"FAILED: {result.why}", NOT_NOTHING) if failed else cell(result.words)
    return cell(result.store), cell(result.table), told, cell(", ".join(result.categories))


def _sources(account: Account) -> tuple[Block, ...]:
    notes = account.statement.sources
    if not notes:
        return ()
    title = "Sources that are not live stores"
    rows = tuple((cell(each.name), cell(each.words)) for each in notes)
    return Block("heading", title), Block("table", title, ("Store", "Where it comes from"), rows, (25, 75))


def _redactions(account: Account) -> tuple[Block, ...]:
    title = "What was taken out because it is about other people"
    if not account.redactions:
        return Block("heading", title), Block("text", "Nothing was taken out of the records above.")
    heads = ("Store and entry", "Column", "Why", "Records", "Places")
    rows = [
        (
            cell(f"{each.store}.{each.table}"),
            cell(each.column),
            cell(each.reason),
            f"{each.records:,}",
            f"{each.places:,}",
        )
        for each in account.redactions[:MOST_ROWS]
    ]
    if left := account.redactions[MOST_ROWS:]:
        records, places = sum(each.records for each in left), sum(each.places for each in left)
        more = f"{counted(len(left), 'column')} more"
        rows.append(("all stores", more, _ALL_STAND, f"{records:,}", f"{places:,}"))
    note = "In each place stands “[withheld: other people]”. They are listed in data/redactions.jsonl."
    return (
        Block("heading", title),
        Block("table", title, heads, tuple(rows), (25, 20, 33, 11, 11)),
        Block("text", note),
    )
