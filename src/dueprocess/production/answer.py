"""The answer package as a whole: rows and files, then the pages that explain them, sealed for one recipient."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dueprocess.audit.reconcile import application_name
from dueprocess.demand import MEANING, ScopeItem
from dueprocess.errors import RefusedError
from dueprocess.parcel import (
    CategoryLine,
    Entry,
    Evidence,
    Statement,
    TableResult,
    case_jsonld,
    statement_html,
)
from dueprocess.plan import DataMap, Plan
from dueprocess.production.collect import Collection, bound_values, queries_text
from dueprocess.production.packing import Member, Packed, Sink, Wrapping, pack, whole
from dueprocess.production.stores import Stores, open_stores
from dueprocess.wire import Json, digest_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in the package beside the data. ``decision`` is the signed document, as JSON."""

    wrapping: Wrapping
    prefix: str
    statement: Statement
    evidence: Evidence
    decision: Json


@dataclass(frozen=True, slots=True)
class Answered:
    """A finished parcel: digest and size of the ciphertext, and what each source gave."""

    packed: Packed
    results: tuple[TableResult, ...]
    subject_found: bool


def run_plan(
    plan: Plan, datamap: DataMap, environment: Mapping[str, str], answer: Answer, out: Sink
) -> Answered:
    """Opens the map's stores, runs the plan, and closes them. ``environment`` fills the connection strings.

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
    stores = open_stores(datamap, environment, _reader(answer.decision))
    try:
        return produce_answer(plan, stores, answer, out)
    finally:
        stores.close()


def _reader(decision: Json) -> str:
    """How this production calls itself in a store's own log: by its decision, so that an auditor can tell its reads."""
    document = decision.get("document") if isinstance(decision, dict) else None
    return application_name(digest_of(document)) if document is not None else "dueprocess"


def produce_answer(plan: Plan, stores: Stores, answer: Answer, out: Sink) -> Answered:
    """Runs the plan and streams the encrypted package into ``out``.

    A failed table is a result, not an exception. Raises what resolving the target raises, and whatever ``out``
    raises; ``out`` is then to be thrown away.
    """
    collection = Collection(plan, stores, answer.prefix)

    def describe(entries: Sequence[Entry]) -> Iterator[Member]:
        yield whole("data/index.html", statement_html(answer.statement, collection.results))
        yield whole("data/queries.sql", queries_text(plan, stores))
        yield whole("data/decision.json", decision_json(plan, answer.decision))
        yield whole("data/case.jsonld", case_jsonld(answer.evidence, entries))

    packed = pack(collection.members(), answer.wrapping, out, describe=describe)
    return Answered(packed, tuple(collection.results), bool(collection.subject_found))


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
    return tuple(
        CategoryLine(
            name=category,
            meaning=meaning,
            asked=asked is not None and category in asked.categories,
            permitted=permitted is not None and category in permitted.categories,
            authorised=category in plan.item.categories,
            not_collected=why.get(category, ""),
        )
        for category, meaning in MEANING.items()
    )
