"""What every store refuses in the same words: a target that may mean two, and more records than a map lets out."""

from dueprocess.errors import RefusedError
from dueprocess.plan import TableQuery


def ambiguous() -> RefusedError:
    """For a target that leads to several accounts. It does not tell how many."""
    return RefusedError(
        "ambiguous-target",
        "This target does not name exactly one account.",
        why="A choice between accounts is not the software's to make, nor is their number disclosed.",
        do="Ask the authority for the exact identifier.",
        source="formats.md, Scope; architecture.md 1.1",
    )


def too_many(query: TableQuery) -> RefusedError:
    """For a table that holds more of one account than its map allows."""
    return RefusedError(
        "too-many-rows",
        f"{query.store}.{query.table} holds more than {query.cap} records of this account and window.",
        why="A silent cut would pass off a part for the whole.",
        do="Narrow the window, or raise `max_rows` in the data map (two people).",
        source="formats.md, Data map",
    )
