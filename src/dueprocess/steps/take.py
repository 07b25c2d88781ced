"""The shape of every step: lock, load, ask the move, append, commit."""

from collections.abc import Callable, Sequence

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.history.append import Hand, Loaded, load, write
from dueprocess.history.connection import append_lock

Move = Callable[[Case], Sequence[Draft]]


def take(case_id: str, move: Move, hand: Hand, *, expected: int | None = None) -> list[Event]:
    """Appends what the move returns for the case as it is now. The commit is the last thing that happens.

    ``expected`` is the number of events the caller saw; another number is a ``ConflictError``.
    """
    with append_lock():
        loaded = load(case_id, expected=expected)
        return write(loaded, move(known(loaded)), hand)


def known(loaded: Loaded) -> Case:
    """The case that was loaded; refuses where there is none."""
    if loaded.case is None:
        raise RefusedError("no-such-case", "There is no such case.", do="List them: dueprocess cases.")
    return loaded.case
