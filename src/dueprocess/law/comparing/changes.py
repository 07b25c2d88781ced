"""Change: one thing that two versions of a pack say differently, in words; and which open cases it concerns.

Source: docs/decisions/0016.
"""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dueprocess.demand import Category, ordered
from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. It tells that something changed; what follows from it only a new assessment says."""

    kind: str
    """What changed, as entry and part: ``rule.text``, ``instrument.reach``, ``clock.length``, ``pack.review`` ..."""
    sentence: str
    widens: bool = False
    """Whether reach may grow, a requirement may fall away or a due date may move later: to be read first."""
    since: dt.date | None = None
    """The day from which it counts, where the law dates it."""
    categories: frozenset[Category] = frozenset()
    """Not empty: it concerns only demands for one of these."""
    instruments: tuple[str, ...] = ()
    """Codes of the instruments that it touches."""
    every: bool = False
    """It touches each instrument, also those of other packs (baseline), or all that an overlay may meet."""
    pack: str = ""
    """Id of the law whose demands it concerns; empty where that is not one law."""

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "sentence": self.sentence,
            "widens": self.widens,
            "since": self.since.isoformat() if self.since else None,
            "categories": list(ordered(self.categories)),
            "instruments": list(self.instruments),
            "every": self.every,
            "pack": self.pack,
        }


@dataclass(frozen=True, slots=True)
class OpenCase:
    """What must be known of an open case to tell whether a change concerns it. It holds no identifier."""

    case_id: str
    regime: str
    instrument: str
    categories: frozenset[Category] = frozenset()
    """What is demanded, of any target; empty where that is not known, and for a paper that names nobody."""


def touches(
    changes: Sequence[Change], cases: Iterable[OpenCase]
) -> tuple[tuple[OpenCase, tuple[Change, ...]], ...]:
    """The open cases that changes concern, each with these changes, in the order given. Rather one too many."""
    found = ((case, tuple(each for each in changes if _concerns(each, case))) for case in cases)
    return tuple((case, of_it) for case, of_it in found if of_it)


def _concerns(change: Change, case: OpenCase) -> bool:
    law = not change.pack or change.pack == case.regime or change.pack.startswith(case.regime + ".")
    paper = change.every or case.instrument in change.instruments
    apart = change.categories and case.categories and change.categories.isdisjoint(case.categories)
    return law and paper and not apart


def pairs[T](
    old: Iterable[T], new: Iterable[T], *keys: Callable[[T], Hashable]
) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """What differs: entries with the same key side by side, first by the first key; what is gone; what is new."""
    before, now = list(old), list(new)
    gone, came = [each for each in before if each not in now], [each for each in now if each not in before]
    found: list[tuple[T, T]] = []
    for key in keys:
        for one in tuple(gone):
            other = next((each for each in came if key(each) == key(one)), None)
            if other is not None:
                found.append((one, other))
                gone.remove(one)
                came.remove(other)
    return found, gone, came


@dataclass(frozen=True, slots=True)
class Way[T]:
    """How entries of one kind are compared."""

    name: Callable[[T], str]
    words: Callable[[T], str]
    """What an entry says, for one that is new or gone."""
    compare: Callable[[T, T], Iterable[Change]]
    since: Callable[[T], dt.date | None] = lambda _: None
    wider: str = ""
    """Which of ``added`` and ``removed`` widens of itself."""

    def differences(self, old: Sequence[T], new: Sequence[T]) -> Iterator[tuple[T, Iterable[Change]]]:
        """Each entry that differs, as it is now or, where it is gone, as it was, with its changes."""
        known = {self.name(each) for each in old}
        both, gone, came = pairs(old, new, lambda each: (self.name(each), self.since(each)), self.name)
        for one, other in both:
            yield other, [*self.compare(one, other)] or [_REWRITTEN]
        for each in gone:
            sentence = f"is gone; it said: {self.words(each)}"
            yield each, [Change("removed", sentence, self.wider == "removed")]
        for each in came:
            yield each, [self._added(each, versions=self.name(each) in known)]

    def _added(self, entry: T, *, versions: bool) -> Change:
        word = "a further version" if versions else "new"
        widens = versions or self.wider == "added"
        return Change("added", f"is {word}: {self.words(entry)}", widens, self.since(entry))


_REWRITTEN = Change("order", "is written in another way or order, and says the same")


def named(kind: str, old: Iterable[str], new: Iterable[str], gained: str, lost: str) -> Iterable[Change]:
    """A change for names that came and one for names that went; ``!`` before a text marks what widens."""
    before, now = list(old), list(new)
    for text, names in (
        (gained, [each for each in now if each not in before]),
        (lost, [each for each in before if each not in now]),
    ):
        if names:
            yield Change(kind, f"{text.removeprefix('!')}: {', '.join(names)}", text.startswith("!"))


def changed(kind: str, what: str, old: str, new: str) -> Iterable[Change]:
    """A change of one text, with both where they are short."""
    if old != new:
        yield Change(kind, f"{what} is now {said(new)}, before {said(old)}")


def said(text: str) -> str:
    """A text in quotes, cut where it is long; ``nothing`` where it is empty."""
    return f"“{text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + ' …'}”" if text else "nothing"


MOST_SHOWN = 400
"""Longer texts are cut: a change is read beside the pack, not in place of it."""


def under(
    changes: Iterable[Change], label: str, instruments: Iterable[str] = (), *, since: dt.date | None = None
) -> list[Change]:
    """The changes of one entry: named, dated where they have no date of their own, and with what they touch.

    The first word of the label begins the kind too: ``Rule 2703.notice`` makes ``text`` into ``rule.text``.
    """
    codes, prefix = tuple(sorted(set(instruments))), label.split(" ", maxsplit=1)[0].lower()
    return [
        replace(
            each,
            kind=f"{prefix}.{each.kind}",
            sentence=f"{label}: {each.sentence}.",
            instruments=codes,
            since=each.since or since,
        )
        for each in changes
    ]
