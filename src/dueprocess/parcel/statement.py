"""Minimisation statement: what was asked, permitted, held, disclosed and withheld, in plain words.

*Held* is said only about authorised categories. Of every other category the page says that it was not
collected and why: whether something exists there is itself nobody's business.

Source: formats.md, "Parcel".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

Status = Literal["found", "nothing_held", "failed"]


@dataclass(frozen=True, slots=True)
class TableResult:
    """What one table gave. Never silence: ``failed`` says why, and ``rows`` how many records came before.

    ``categories`` are those that its columns count under. ``nothing_held`` means: nothing of this account in
    this window, in this store, at this moment. It does NOT mean that nothing ever was.
    """

    store: str
    table: str
    status: Status
    rows: int
    why: str = ""
    categories: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """``found 3 records``, ``nothing held`` or ``failed: why``."""
        if self.status == "found":
            return f"found {self.rows} {'record' if self.rows == 1 else 'records'}"
        return "nothing held" if self.status == "nothing_held" else f"failed: {self.why}"

    def as_json(self) -> dict[str, str | int]:
        return {
            "store": self.store,
            "table": self.table,
            "status": self.status,
            "rows": self.rows,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """One category of the tree: asked, permitted, authorised; and, if not collected, why not."""

    name: str
    meaning: str
    asked: bool
    permitted: bool
    authorised: bool
    not_collected: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything the page says. Windows and the authority come as text; nothing here names staff."""

    parcel_id: str
    operator: str
    authority: str
    order: str
    account: str
    legal_basis: tuple[str, ...]
    windows: tuple[tuple[str, str], ...]
    """Pairs of a word (asked, permitted, authorised) and its window in words."""
    categories: tuple[CategoryLine, ...]
    produced_at: str


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{border:1px solid #999;padding:.35rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#eee}caption{text-align:left;font-weight:bold;padding:.3rem 0}"
    "@media print{body{margin:0;max-width:none}}"
)


def statement_html(statement: Statement, results: Iterable[TableResult]) -> bytes:
    """The statement as one HTML page without script, image or outside address."""
    found = list(results)
    rows = [_category(line, found) for line in statement.categories]
    tables = [(f"{each.store}.{each.table}", each.words) for each in found]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f"<title>Answer package {escape(statement.parcel_id)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>Answer package {escape(statement.parcel_id)}</h1>",
        (
            f"<p>{escape(statement.operator)} made this package for {escape(statement.authority)} on "
            f"{escape(statement.produced_at)}. It answers {escape(statement.order)} about the account "
            f"<strong>{escape(statement.account)}</strong>. Legal basis: {escape(_list(statement.legal_basis))}.</p>"
        ),
        (
            "<p>It holds what two people authorised and nothing else. A category that was not authorised was not "
            "looked at, so this page cannot say whether anything is held there.</p>"
        ),
        _table("Time window", ("Step", "Window"), statement.windows),
        _table(
            "What was asked, permitted, authorised and disclosed",
            ("Category", "Asked", "Permitted by law", "Authorised", "Outcome"),
            rows,
        ),
        _table("Every source that was read", ("Source", "Result"), tables),
        _table("Files beside this page", ("File", "What it is"), _FILES),
        "</main></body></html>\n",
    ]
    return "\n".join(parts).encode()


_FILES = (
    ("data/<store>/<table>.0001.jsonl", "the records, one a line, each with its control number"),
    (
        "data/<store>/<table>.0001.csv",
        "the same records for a spreadsheet; an apostrophe keeps a text a text",
    ),
    ("data/<store>/files/", "files with their original bytes, named by control number"),
    ("data/queries.sql", "the queries that were run, with places for values"),
    ("data/decision.json", "the decision with its signatures, and the values that the queries were given"),
    ("data/case.jsonld", "the same facts in the CASE ontology, for tools"),
    ("manifest-sha256.txt", "the SHA-256 of every file, in BagIt form"),
)


def _category(line: CategoryLine, results: list[TableResult]) -> tuple[str, ...]:
    said = [
        f"{each.store}.{each.table}: {each.words}"
        for each in results
        if line.authorised and line.name in each.categories
    ]
    said += [f"not collected: {line.not_collected}"] if line.not_collected else []
    words = "; ".join(said) or "no source was read"
    return (
        f"{line.name} ({line.meaning})",
        _yes(line.asked),
        _yes(line.permitted),
        _yes(line.authorised),
        words,
    )


def _yes(fact: bool) -> str:  # noqa: FBT001  # the name of the function is the sentence
    return "yes" if fact else "no"


def _list(texts: tuple[str, ...]) -> str:
    return ", ".join(texts) or "none named"


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
