"""The answer package as a whole: rows and files, then the pages that explain them, sealed for one recipient."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dueprocess.audit.reconcile import application_name
from dueprocess.demand import MEANING, ScopeItem
from dueprocess.errors import RefusedError
from dueprocess.parcel import (
    CERTIFICATE,
    Account,
    CategoryLine,
    CertificateFacts,
    Entry,
    Evidence,
    Statement,
    TableResult,
    began_at,
    case_jsonld,
    certificate_page,
    form_for,
    page_html,
    statement_json,
    statement_page,
)
from dueprocess.plan import DataMap, Plan
from dueprocess.production.ciphers import Sink
from dueprocess.production.collect import Collection, Extra, Tell, bound_values, queries_text
from dueprocess.production.packing import Member, Packed, Wrapping, pack, whole
from dueprocess.production.pages import page_pdf
from dueprocess.production.stores import Stores, open_stores
from dueprocess.wire import Json, digest_of, sha256_hex


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in the package beside the data. ``decision`` is the signed document, as JSON.

    ``country`` is the authority's, by its ISO 3166 code: it chooses the custodian's certificate.
    """

    wrapping: Wrapping
    prefix: str
    statement: Statement
    evidence: Evidence
    decision: Json
    country: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A finished parcel: digest and size of the ciphertext, and what each source gave."""

    packed: Packed
    results: tuple[TableResult, ...]
    subject_found: bool


NOTHING_ELSE = Extra()


def run_plan(
    plan: Plan,
    datamap: DataMap,
    environment: Mapping[str, str],
    answer: Answer,
    out: Sink,
    *,
    extra: Extra = NOTHING_ELSE,
    tell: Tell | None = None,
) -> Answered:
    """Opens the map's stores, runs the plan, and closes them. ``environment`` fills the connection strings.

    ``extra`` is what goes in beside the live stores; ``tell`` hears of the progress.

    Refuses a map other than the one the plan was compiled from: what was approved is what is read.
    """
    if datamap.sha256 != plan.map_sha256:
        raise RefusedError(
            "map-changed",
            "The data map is not the one that this plan was made from.",
            why="What was approved is what is read.",
            do="Compile the plan again and have it approved again.",
            source="formats.md, Plan and Gate",
        )
    stores = open_stores(datamap, environment, _reader(answer.decision), extra.by_hand)
    try:
        return produce_answer(plan, stores, answer, out, extra=extra, tell=tell)
    finally:
        stores.close()


def _reader(decision: Json) -> str:
    """How this production calls itself in a store's own log: by its decision, so that an auditor can tell its reads."""
    document = decision.get("document") if isinstance(decision, dict) else None
    return application_name(digest_of(document)) if document is not None else "dueprocess"


def produce_answer(
    plan: Plan,
    stores: Stores,
    answer: Answer,
    out: Sink,
    *,
    extra: Extra = NOTHING_ELSE,
    tell: Tell | None = None,
) -> Answered:
    """Runs the plan and streams the encrypted package into ``out``.

    A failed table is a result, not an exception. Raises what resolving the target raises, and whatever ``out``
    raises; ``out`` is then to be thrown away.
    """
    collection = Collection(plan, stores, answer.prefix, extra, tell)

    def describe(entries: Sequence[Entry]) -> Iterator[Member]:
        account = _account(answer, collection)
        pages = _Described(entries)
        yield from pages.add(_explained(account, answer))
        yield from pages.add(_repeatable(plan, stores, answer))
        listed = case_jsonld(answer.evidence, pages.entries, account.results, answer.statement.sources)
        yield from pages.add([("data/case.jsonld", listed)])
        yield whole(CERTIFICATE, _certificate(account, answer, pages.entries))

    packed = pack(collection.members(), answer.wrapping, out, describe=describe)
    return Answered(packed, tuple(collection.results), bool(collection.subject_found))


@dataclass(slots=True)
class _Described:
    """The payload so far. What describes it is listed as well, so that the certificate binds every other file."""

    entries: Sequence[Entry]

    def add(self, files: Iterable[tuple[str, bytes]]) -> Iterator[Member]:
        for path, content in files:
            self.entries = (*self.entries, Entry(path, len(content), sha256_hex(content)))
            yield whole(path, content)


def _account(answer: Answer, collection: Collection) -> Account:
    """What the collection gave. Files come after all records, and are counted as files."""
    records = len(collection.plan.tables) + len(collection.extra.tables)
    results = (replace(each, files=at >= records) for at, each in enumerate(collection.results))
    return Account(answer.statement, tuple(results), collection.redactions)


def _explained(account: Account, answer: Answer) -> Iterator[tuple[str, bytes]]:
    """The statement for people, twice, and for programs."""
    page = statement_page(account)
    yield "data/index.html", page_html(page)
    yield "data/index.pdf", page_pdf(page, made_at=answer.wrapping.made_at)
    yield "data/statement.json", statement_json(account)


def _repeatable(plan: Plan, stores: Stores, answer: Answer) -> Iterator[tuple[str, bytes]]:
    """What is needed to run the queries again."""
    yield "data/queries.sql", queries_text(plan, stores)
    yield "data/decision.json", decision_json(plan, answer.decision)


def _certificate(account: Account, answer: Answer, entries: Sequence[Entry]) -> bytes:
    """The custodian's form. It is made last, because it holds the digest of the list of all other files."""
    said, evidence = account.statement, answer.evidence
    facts = CertificateFacts(
        parcel_id=said.parcel_id,
        operator=said.operator,
        authority=said.authority,
        order=said.order,
        software=f"dueprocess {evidence.tool_version}",
        started_at=began_at(evidence, account.results),
        ended_at=evidence.ended_at,
        entries=len(account.results),
        failed=len(account.failed),
        files=tuple(entries),
    )
    return page_pdf(certificate_page(facts, form_for(answer.country)), made_at=answer.wrapping.made_at)


def decision_json(plan: Plan, decision: Json) -> bytes:
    """The decision beside the values that were bound, so that the queries can be run again."""
    return (
        json.dumps({"decision": decision, "bound": bound_values(plan)}, indent=1, sort_keys=True).encode()
        + b"\n"
    )


def category_lines(
    plan: Plan, *, asked: ScopeItem | None, permitted: ScopeItem | None
) -> tuple[CategoryLine, ...]:
    """One line for each category of the tree: asked, permitted, authorised, and why not collected.

    ``asked`` and ``permitted`` are the demanded and the permitted scope of this target, or None.
    """
    why = {entry.category: entry.why for entry in plan.not_collected if entry.table is None}
    for entry in plan.not_collected:
        why.setdefault(entry.category, entry.why)
    columns: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for query in plan.tables:
        for column in query.columns:
            place = (query.store, query.label, column.name)
            columns[column.category] = (*columns.get(column.category, ()), place)
    return tuple(
        CategoryLine(
            name=category,
            meaning=meaning,
            asked=asked is not None and category in asked.categories,
            permitted=permitted is not None and category in permitted.categories,
            authorised=category in plan.item.categories,
            not_collected=why.get(category, ""),
            columns=columns.get(category, ()),
        )
        for category, meaning in MEANING.items()
    )
