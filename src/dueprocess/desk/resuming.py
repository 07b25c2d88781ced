"""Where the runs of one production keep tables for each other, and when that is thrown away.

They lie under a key of their own, as a hold's do, so that destroying the key ends them at once and a backup of the
vault cannot bring them back. The name of the key follows from decision and plan, so another decision or another plan
finds nothing there, and from the events of a case follows which keys there may be.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dueprocess.cases.case import Case
from dueprocess.desk.desk import Desk
from dueprocess.production.resuming import KEPT_FOR, EarlierRuns
from dueprocess.vault.vault import folder_name
from dueprocess.wire import digest_of, parse_instant

_LABEL = "dueprocess/kept-reads/v1"


class Run(NamedTuple):
    """What the runs of one production have in common."""

    case_id: str
    ref: str
    decision_sha256: str
    plan_sha256: str

    @property
    def shelf_id(self) -> str:
        """The name of their key: 32 hex digits, like a case's."""
        return digest_of([_LABEL, *self])[:32]


@dataclass(slots=True)
class ReadShelf:
    """Their place in the vault. The key is made when something is first put there, and only then."""

    desk: Desk
    shelf_id: str
    _begun: bool = False

    def put(self, name: str, data: bytes) -> None:
        """Refuses once the key is destroyed: what ended meanwhile does not begin again."""
        if not self._begun and not self.desk.keys.has(self.shelf_id):
            self.desk.keys.make(self.shelf_id)
        self._begun = True
        self.desk.vault.put(self.shelf_id, name, data)

    def get(self, name: str) -> bytes:
        return self.desk.vault.get(self.shelf_id, name)

    def drop(self, name: str) -> None:
        if self.desk.keys.has(self.shelf_id):
            self.desk.vault.drop(self.shelf_id, name)


def earlier_runs(desk: Desk, case: Case, ref: str, clock: Callable[[], dt.datetime]) -> EarlierRuns:
    """What earlier runs of this production kept, and where this one keeps what it reads.

    Only an approved production has any; a simulated clock is taken as it stands when the run begins.
    """
    state = case.target(ref)
    run = Run(case.case_id, ref, str(state.decision_sha256), str(state.plan_sha256))
    return EarlierRuns(ReadShelf(desk, run.shelf_id), run.decision_sha256, run.plan_sha256, clock)


def kept_reads(desk: Desk, case: Case) -> Iterator[Run]:
    """The productions of this case that keep something: whoever began one may have put tables there."""
    begun = {
        Run(case.case_id, event.text("target"), event.text("decision_sha256"), event.text("plan_sha256"))
        for event in case.events
        if event.kind == "ProductionStarted"
    }
    yield from sorted(run for run in begun if desk.keys.has(run.shelf_id))


def why_over(desk: Desk, case: Case, run: Run, now: dt.datetime | None, real: dt.datetime) -> str:
    """Why nobody may use any more what a production kept; empty while it may be run again.

    ``now`` is the installation's time, for the end of the decision (None: not looked at). ``real`` is real time,
    because how long a file lies somewhere is no simulated time.
    """
    state = case.target(run.ref)
    if state.stage != "producing" or (run.decision_sha256, run.plan_sha256) != (
        state.decision_sha256, state.plan_sha256,
    ):  # fmt: skip
        return "its production is over"
    assert state.decision is not None
    if now is not None and parse_instant(state.decision.text("expires_at")) <= now:
        return "its decision has expired"
    return "it is too old" if _newest(desk, run, real) <= real - KEPT_FOR else ""


def throw_away(desk: Desk, run: Run) -> None:
    """Destroys what a production kept: the objects, then the key. Can be run again."""
    desk.vault.remove(run.shelf_id)
    desk.keys.destroy(run.shelf_id)


def clear_reads(desk: Desk, case: Case, now: dt.datetime, real: dt.datetime) -> list[str]:
    """Destroys whatever productions of this case kept and nobody may use any more. A line for each."""
    lines = []
    for run in kept_reads(desk, case):
        if why := why_over(desk, case, run, now, real):
            throw_away(desk, run)
            lines.append(f"{run.ref}: what an interrupted production kept was destroyed: {why}")
    return lines


def _newest(desk: Desk, run: Run, real: dt.datetime) -> dt.datetime:
    """When something was last put there; the moment at hand where nothing was put there yet."""
    folder = folder_name(run.shelf_id, desk.keys.keys(run.shelf_id))
    return max((each.changed_at for each in desk.vault.objects.listed(folder)), default=real)
