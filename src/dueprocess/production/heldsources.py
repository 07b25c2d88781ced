"""Reading what a hold kept, for a disclosure that two people signed: never more than both the plan and the hold reach.

Whatever does not fit any more (another target, another map, a part that failed) is that entry's failure, said in
words; it is never "nothing held".
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dueprocess.errors import BrokenError, DueprocessError, RefusedError, UnavailableError
from dueprocess.plan import FileQuery, HeldPart, Plan, PlannedColumn, TableQuery
from dueprocess.production.snapshots import MANIFEST, file_rule
from dueprocess.production.stores.facts import Subject
from dueprocess.production.stores.held import HeldFile, HeldFiles, HeldSource, Shelf
from dueprocess.wire import parse_json, sha256_hex

__all__ = ["HeldFile", "HeldFiles", "HeldSource", "held_files", "held_sources", "lost_sources"]


def held_sources(part: HeldPart, plan: Plan, shelf: Shelf) -> list[HeldSource]:
    """For each table that both the plan and the snapshot reach, a source that is cut to what both allow.

    Raises ``BrokenError`` where the manifest is not the one that was approved.
    """
    manifest = _opened(part, shelf)
    found = []
    for query in plan.tables:
        entry = _entry(manifest, "table", query.store, query.label)
        cut = _within(query, entry) if entry is not None else None
        if entry is not None and cut is not None:
            failure = _unlike(plan, manifest) or _other_rules(query, entry) or _incomplete(part, entry)
            readable = failure is None or failure.code == "hold-incomplete"
            parts = entry["parts"] if readable else ()
            found.append(HeldSource(part.store, cut, shelf, parts, _subject(manifest), failure))
    return found


def held_files(part: HeldPart, plan: Plan, shelf: Shelf) -> list[HeldFiles]:
    """The same for files."""
    manifest = _opened(part, shelf)
    found = []
    for query in plan.files:
        entry = _file_entry(manifest, query)
        cut = _within(query.rows, entry) if entry is not None else None
        if entry is not None and cut is not None:
            failure = _unlike(plan, manifest) or _other_rules(query.rows, entry) or _incomplete(part, entry)
            readable = failure is None or failure.code == "hold-incomplete"
            parts = entry["parts"] if readable else ()
            narrowed = replace(query, rows=cut)
            found.append(HeldFiles(part.store, narrowed, shelf, parts, _subject(manifest), failure))
    return found


def lost_sources(part: HeldPart, plan: Plan, shelf: Shelf, error: DueprocessError) -> list[HeldSource]:
    """One failing source for each table of the plan: the hold that it names cannot be read any more."""
    return [HeldSource(part.store, query, shelf, failure=error) for query in plan.tables]


def _opened(part: HeldPart, shelf: Shelf) -> Any:
    data = shelf.get(MANIFEST)
    if sha256_hex(data) != part.manifest_sha256:
        raise BrokenError(
            "hold-altered",
            "The snapshot in the vault is not the one that was taken and approved.",
            why="The digest of its list differs.",
            do="Stop. Find out who changed the vault.",
            source="docs/holds.md",
        )
    return parse_json(data, "manifest")


def _subject(manifest: Any) -> Subject | None:
    told = manifest["subject"]
    if told is None:
        return None
    return int(told[1]) if told[0] == "int" else str(told[1])


def _entry(manifest: Any, kind: str, store: str, label: str) -> Any:
    wanted = (kind, store, label)
    return next(
        (each for each in manifest["entries"] if (each["kind"], each["store"], each["label"]) == wanted), None
    )


def _file_entry(manifest: Any, query: FileQuery) -> Any:
    """The entry of the same files. One table may name the files of several: then the rows decide."""
    wanted = ("files", query.store, query.rows.label, file_rule(query))
    found = [
        each
        for each in manifest["entries"]
        if each["kind"] == "files" and (each["kind"], each["store"], each["label"], each["rule"]) == wanted
    ]
    same = [each for each in found if each["path"] == query.rows.path.as_json()]
    return next(iter((*same, *found)), None)


def _within(query: TableQuery, entry: Any) -> TableQuery | None:
    """What both reach of a table: common columns inside the common window, or None where nothing is common."""
    held = {each["name"] for each in entry["columns"]}
    columns: Sequence[PlannedColumn] = tuple(each for each in query.columns if each.name in held)
    if not columns or (query.window is None) != (entry["window"] is None):
        return None
    if query.window is None:
        return replace(query, columns=tuple(columns))
    window = query.window.intersect(
        type(query.window).from_json(entry["window"]["from"], entry["window"]["until"])
    )
    return replace(query, columns=tuple(columns), window=window) if window is not None else None


def _unlike(plan: Plan, manifest: Any) -> DueprocessError | None:
    """A snapshot of another target, or of a target that was looked up otherwise, gives nothing."""
    if manifest["target"] == plan.target.as_json():
        return None
    return RefusedError(
        "other-subject",
        "The snapshot is of another target than this decision.",
        why="What was approved is what is read.",
        source="docs/holds.md",
    )


def _other_rules(query: TableQuery, entry: Any) -> DueprocessError | None:
    """What the map says about whose the rows are, and about other people in them, must be as it was."""
    rules = {each["name"]: each["third_party"] for each in entry["columns"]}
    same = all(rules[each.name] == list(each.third_party) for each in query.columns if each.name in rules)
    if same and entry["path"] == query.path.as_json():
        return None
    return UnavailableError(
        "hold-differs",
        "The data map describes these records otherwise than when the snapshot was taken.",
        why="What was kept by one rule is not handed over by another.",
        do="Compare the two maps; ask counsel whether the old one can be put in force for this answer.",
    )


def _incomplete(part: HeldPart, entry: Any) -> DueprocessError | None:
    if entry["status"] != "failed":
        return None
    return UnavailableError(
        "hold-incomplete",
        f"Not all of this could be read when the snapshot {part.store} was taken.",
        do="Say so to the authority: the rest was kept.",
    )
