"""When the witnesses first saw each event: by the smallest witnessed head whose tree holds its epoch.

Those heads are notes that prove themselves: each is opened under a policy that was in force then, and must be a
prefix of the tree that is published now.

Source: formats.md, "Gate".
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dueprocess.cases.events import Event
from dueprocess.cases.logrules import LogRules, Waiver
from dueprocess.errors import BrokenError
from dueprocess.history import sealed
from dueprocess.history.ledger import ClosedEpoch, LedgerRecord
from dueprocess.production.head import DO, SOURCE, AcceptedHead, opened_by
from dueprocess.tlog.checkpoint import OpenedCheckpoint
from dueprocess.tlog.epoch import epoch_until
from dueprocess.wire import instant, parse_instant

Sealed = tuple[Event, LedgerRecord]


@dataclass(slots=True)
class Witnessed:
    """The witnessed heads of one log, each opened once. ``leaf_of`` gives the row of an epoch with records."""

    head: AcceptedHead
    rules: LogRules
    leaf_of: Mapping[int, ClosedEpoch]
    epoch_seconds: int
    _first: dict[int, dt.datetime | None] = field(default_factory=dict)
    _demanded_from: tuple[tuple[int, int], ...] = ()

    def rules_sealed(self, roster: Iterable[Sealed]) -> None:
        """Tells which policy counts from which leaf on: a head that holds its event cannot rest on an older one."""
        leaves = {event.case_seq: self._row(record) for event, record in roster}
        self._demanded_from = tuple(
            (row.leaf_index, policy.number)
            for policy in self.rules.policies
            if policy.event and (row := leaves.get(policy.event)) is not None
        )

    def seen(self, events: Iterable[Sealed]) -> dict[int, dt.datetime]:
        """Number → instant of each event that lies under the published head.

        Never before its epoch was closed nor after the head itself was seen, whatever a witness's clock said.
        """
        return {
            event.case_seq: self._seen(event, row)
            for event, record in events
            if (row := self._row(record)) is not None
        }

    def head_at(self, newest: int) -> dt.datetime:
        """The head's time: by its witnesses; of an unwitnessed head, the end of its newest epoch."""
        return self.head.opened.witnessed_at or epoch_until(newest, seconds=self.epoch_seconds)

    def check_waiver(self, waiver: Waiver) -> None:
        """Refuses a waiver that keeps silent about a witnessed head of its time."""
        newest = sealed.newest_cosigned(waiver.head_size)
        opened = self._opened(*newest) if newest is not None else None
        if opened is None or opened.witnessed_at is None:
            return
        if waiver.last_witnessed_at is None or opened.witnessed_at > waiver.last_witnessed_at:
            raise BrokenError(
                "waiver-differs",
                f"The witnesses saw a head at {instant(opened.witnessed_at)}; the waiver says otherwise.",
                why="Work goes on without witnesses only after 24 hours without them.",
                do="Do not produce. Let two people decide again: dueprocess unwitnessed.",
                source=SOURCE,
            )

    def _row(self, record: LedgerRecord) -> ClosedEpoch | None:
        return self.leaf_of.get(record.epoch) if record.epoch is not None else None

    def _seen(self, event: Event, row: ClosedEpoch) -> dt.datetime:
        found = self._first_seen(row.leaf_index)
        if found is None:
            # Nobody outside saw it: the operator's clock, and no earlier than the epoch that sealed it began.
            begun = epoch_until(row.epoch - 1, seconds=self.epoch_seconds)
            return max(parse_instant(event.recorded_at), begun)
        newest = self.head.opened.witnessed_at
        found = max(found, parse_instant(row.closed_at))
        return min(found, newest) if newest is not None else found

    def _first_seen(self, leaf_index: int) -> dt.datetime | None:
        if leaf_index not in self._first:
            self._first[leaf_index] = self._search(leaf_index)
        return self._first[leaf_index]

    def _search(self, leaf_index: int) -> dt.datetime | None:
        size = leaf_index
        while (stored := sealed.first_cosigned(size)) is not None:
            size, _ = stored
            if size > self.head.checkpoint.size:
                break
            opened = self._opened(*stored)
            if opened is not None and opened.witnessed_at is not None:
                return opened.witnessed_at
        return self.head.opened.witnessed_at

    def _opened(self, size: int, checkpoint: str) -> OpenedCheckpoint | None:
        """A stored head, if a policy of its time accepts it. Refuses one of another tree: that is a fork."""
        least = max((number for leaf, number in self._demanded_from if leaf < size), default=1)
        for policy in self.rules.policies[least - 1 :]:
            opened = opened_by(checkpoint.encode(), policy)
            if opened is None or not opened.witnessed:
                continue
            named = opened.checkpoint
            if named.size <= self.head.checkpoint.size and named.root != self.head.reader.root_at(named.size):
                raise BrokenError(
                    "log-forked",
                    f"Witnesses have seen another log of {named.size} leaves than the one that is published now.",
                    why="Two signed heads contradict each other; both are evidence.",
                    do=DO,
                    source=SOURCE,
                )
            return opened if named.size == size else None
        return None
