"""Objects of the vault that history does not name. They are no fault: a step that was refused leaves such.

What history names and the vault lacks is a fault, and `check` says it. The vault cannot tell names from the outside,
so every name that the case's events can give is tried; an object that is none of them says inside what it is.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from dueprocess.desk.check import NAMED
from dueprocess.desk.collectedparts import collected_names
from dueprocess.desk.desk import Desk
from dueprocess.errors import DueprocessError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.wire import canonical

_DIGEST = re.compile(rb'"([0-9a-f]{64})"')
_PLAIN = ("paper", "paper-meta", "register-row")
_KINDS = ("calendar", "holds", *(each.name.partition(":")[0] for each in NAMED.values() if ":" in each.name))


@dataclass(frozen=True, slots=True)
class Unnamed:
    """One object that no event names: of which case, what it calls itself (may be empty), and its size in bytes."""

    case_id: str
    title: str
    size: int

    def __str__(self) -> str:
        called = self.title.partition(":")[0] or "from the first release, or damaged"
        return f"vault {self.case_id[:8]}: {self.size} bytes that no event names ({called})"


def unnamed_objects(desk: Desk) -> Iterator[Unnamed]:
    """Every object in the folder of a case with history that none of its events names."""
    for line in docket():
        if line.stage != "erased" and desk.keys.has(line.case_id):
            with suppress(DueprocessError):  # `check` says what cannot be read
                yield from _of_case(desk, line.case_id)


def _of_case(desk: Desk, case_id: str) -> Iterator[Unnamed]:
    events = load_case(case_id).events
    texts = [canonical(dict(event.body)) for event in events]
    texts += [
        desk.vault.get(case_id, f"assessment:{event.text('assessment_sha256')}")  # which names its calendars
        for event in events
        if event.kind == "DemandAssessed"
    ]
    digests = {found.decode() for text in texts for found in _DIGEST.findall(text)}
    names = [*_PLAIN, *(f"{kind}:{each}" for kind in _KINDS for each in sorted(digests))]
    names += collected_names(desk, load_case(case_id))
    for stored in desk.vault.unnamed(case_id, names):
        yield Unnamed(case_id, desk.vault.title(case_id, stored), stored.size)
