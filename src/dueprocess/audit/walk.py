"""The public log, entry after entry, beside the bundle's lines: each time slot rebuilt, each number accounted for."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dueprocess.audit.bundle import BundleRecord, Seen, open_record, parse_record, read_seed
from dueprocess.audit.result import Bundle, Recount
from dueprocess.errors import MalformedError
from dueprocess.tlog.epoch import epoch_root, epoch_until
from dueprocess.tlog.leaf import GapLeaf, IncidentLeaf, Leaf, PolicyLeaf, RegisterLeaf, ReportLeaf, parse_leaf
from dueprocess.tlog.leafrules import Finding, LeafRules
from dueprocess.wire import b64

type Span = tuple[int, int]

_EPOCH = re.compile(rb'\{"e":"(\d{10})","r":"([A-Za-z0-9+/=]{44})","t":"epoch","ts":"[0-9TZ:-]{20}","v":1\}')
"""The one spelling of an epoch leaf: reading a year of them one by one as JSON would take most of the time."""

_RESTORED = "store-restored"


@dataclass(frozen=True, slots=True)
class Outside:
    """A record beyond the period, opened, with the root to which its path leads."""

    seen: Seen
    root: bytes


def outside_records(found: Recount, lines: Iterable[bytes]) -> list[Outside]:
    """Records beyond the period, in the order of the ledger. Their epochs are looked up in the log later."""
    kept: list[Outside] = []
    for line in lines:
        record = parse_record(line, outside=True)
        first, last = found.header.first_seq, found.header.last_seq
        inside = first is not None and last is not None and first <= record.seq <= last
        if found.header.holds(record.epoch) or inside or (kept and kept[-1].seen.seq >= record.seq):
            told = f"Record {record.seq} is named as lying outside of the period, which it does not."
            found.faulty("not-outside", told)
            continue
        seen = opened(found, record)
        if seen is not None:
            kept.append(Outside(seen, record.root))
    return kept


def opened(found: Recount, record: BundleRecord) -> Seen | None:
    try:
        return open_record(record)
    except MalformedError as error:
        found.faulty("wrong-opening", f"Record {record.seq} cannot be believed: {error.what}")
        found.chains.unreadable(record.commitment)
        return None


class Walk:
    """Reads the log's entries in order, and the bundle's lines as their epochs come."""

    def __init__(self, found: Recount, bundle: Bundle, outside: list[Outside]) -> None:
        self._found = found
        self._header = bundle.header
        self._seeds = iter(bundle.seeds)
        self._next_seed = bundle.header.first_epoch
        self._records = map(parse_record, bundle.records)
        self._ahead: BundleRecord | None = next(self._records, None)
        self._seq = (bundle.header.first_seq or 1) - 1
        self._due: int | None = None
        self._missing: list[Span] = []
        self._differing: list[int] = []
        self._restored: list[Span] = []
        self._beyond: dict[int, list[Outside]] = {}
        for each in outside:
            self._beyond.setdefault(each.seen.epoch, []).append(each)
        self._late = 0
        self.registers: dict[str, RegisterLeaf] = {}
        self.reports: dict[str, ReportLeaf] = {}

    def read(self, index: int, entry: bytes, rules: LeafRules) -> None:
        """One entry of the log: a time slot, or one of the rare ones."""
        slot = _EPOCH.fullmatch(entry)
        if slot is None:
            self._rare(index, entry, rules)
            return
        epoch, root = int(slot[1]), slot[2].decode()
        if self._due is not None and epoch < self._due:
            self._found.faulty(
                "epoch-repeated", f"Entry {index} of the log is for time slot {epoch}, which came before."
            )
            return
        if self._due is not None and epoch > self._due:
            self._missing.append((self._due, epoch - 1))
        elif self._due is None and self._header.first_epoch < epoch <= self._header.last_epoch:
            self._found.shown.append(f"The log begins with time slot {epoch}; before it there is none.")
        self._due = epoch + 1
        for each in self._beyond.pop(epoch, []):
            if b64(each.root) != root:
                self._not_sealed(each.seen.seq)
        if self._header.holds(epoch):
            self._rebuild(epoch, root)

    # ------------------------------------------------------------------ time slots

    def _rebuild(self, epoch: int, root: str) -> None:
        placed: dict[int, bytes] = {}
        while self._ahead is not None and self._ahead.epoch <= epoch:
            self._record(self._ahead, epoch, placed)
            self._ahead = next(self._records, None)
        self._found.epochs += 1
        self._found.busy += bool(placed)
        if b64(epoch_root(self._seed(epoch), epoch, placed)) != root:
            self._differing.append(epoch)

    def _seed(self, epoch: int) -> bytes:
        seed = b""
        while self._next_seed <= epoch:
            seed = read_seed(next(self._seeds, b""), self._next_seed)
            self._next_seed += 1
        return seed

    def _record(self, record: BundleRecord, epoch: int, placed: dict[int, bytes]) -> None:
        self._number(record.seq)
        self._found.records += 1
        if record.epoch < epoch:
            told = f"Record {record.seq} is said to lie in time slot {record.epoch}, which the log does not have there."
            self._found.faulty("record-without-epoch", told)
        elif record.place in placed:
            told = f"Record {record.seq} is said to lie where another record of time slot {epoch} lies."
            self._found.faulty("place-twice", told)
        else:
            placed[record.place] = record.commitment
        seen = opened(self._found, record)
        if seen is not None:
            self._dated(seen, epoch)
            for each in self._found.chains.take(seen):
                self._found.fault(each)

    def _number(self, seq: int) -> None:
        wanted, self._seq = self._seq + 1, max(self._seq, seq)
        if seq > wanted:
            self._found.faulty("ledger-gap", f"Of the ledger, {_numbers(wanted, seq - 1)} missing.")
        elif seq < wanted:
            self._found.faulty("ledger-repeat", f"Ledger number {seq} comes a second time.")

    def _dated(self, seen: Seen, epoch: int) -> None:
        """A record's own month against the time slot in which it was sealed."""
        ends = epoch_until(epoch, seconds=self._header.epoch_seconds)
        begins = ends - dt.timedelta(seconds=self._header.epoch_seconds)
        if seen.month > f"{ends:%Y-%m}":
            told = f"Record {seen.seq} is dated {seen.month}, after the time slot in which it was sealed."
            self._found.faulty("dated-ahead", told)
        elif seen.month < f"{begins:%Y-%m}":
            self._late += 1

    # ------------------------------------------------------------------ rare entries

    def _rare(self, index: int, entry: bytes, rules: LeafRules) -> None:
        for each in rules.read(index, entry):
            self._tell(each)
        try:
            leaf = parse_leaf(entry)
        except MalformedError:
            return  # The rules have told it.
        early = index < self._header.log_size  # What was published after the bundle was made cannot be in it.
        match leaf:
            case RegisterLeaf():
                self.registers |= {leaf.period: leaf} if early else {}
            case ReportLeaf():
                self.reports |= {leaf.period: leaf} if early else {}
            case _:
                self._time(index, leaf)

    def _time(self, index: int, leaf: Leaf) -> None:
        """What an entry says about the time slots."""
        match leaf:
            case GapLeaf():
                self._gap(index, leaf)
            case IncidentLeaf():
                if leaf.code == _RESTORED:
                    self._restored.append((leaf.first_epoch, leaf.last_epoch))
            case PolicyLeaf():
                if leaf.epoch_seconds != self._header.epoch_seconds:
                    told = f"By entry {index} of the log its time slots have another length than the bundle says."
                    self._found.faulty("other-slots", told)
            case _:
                pass

    def _tell(self, finding: Finding) -> None:
        """What the log's own rules say about an entry: broken ones everywhere, the rest if it is of the period."""
        if finding.severity == "alarm" and finding.kind != "incident":
            self._found.faulty(finding.kind, finding.told)
            return
        now = self._due
        if finding.kind == "rules" or (
            now is not None and self._header.holds(min(now, self._header.last_epoch))
        ):
            self._found.shown.append(finding.told)

    def _gap(self, index: int, leaf: GapLeaf) -> None:
        if self._due is not None and leaf.first_epoch != self._due:
            told = (
                f"Entry {index} of the log names the time slots {leaf.first_epoch} to {leaf.last_epoch} as missed;"
                f" slot {self._due} was due."
            )
            self._found.faulty("wrong-gap", told)
        self._due = max(leaf.last_epoch + 1, self._due or 0)

    # ------------------------------------------------------------------ the end

    def end(self) -> None:
        """What can only be said when everything was read."""
        last = self._header.last_epoch
        if self._due is None or self._due <= last:
            self._missing.append((self._header.first_epoch if self._due is None else self._due, last))
        self._end_of_lines()
        self._tell_missing()
        self._tell_differing()
        for each in (each for several in self._beyond.values() for each in several):
            self._not_sealed(each.seen.seq)
        if self._late:
            self._found.shown.append(
                f"{self._late} records were sealed in a later month than they are dated."
            )

    def _tell_missing(self) -> None:
        for first, last in self._missing:
            beside = first > self._header.last_epoch or last < self._header.first_epoch
            if not beside and not self._lost(first, last):
                told = (
                    f"The time slots {first} to {last} are missing from the log, and no entry of it says why."
                )
                self._found.faulty("epochs-missing", told)

    def _tell_differing(self) -> None:
        lost = [each for each in self._differing if self._lost(each, each)]
        for epoch in self._differing:
            if not self._lost(epoch, epoch):
                self._found.faulty("epoch-differs", _DIFFERS.format(epoch))
        if lost:
            self._found.unseen.append(
                f"{len(lost)} time slots ({lost[0]} to {lost[-1]}) held records that a restored backup lost. The log"
                " says so; what stood in them cannot be seen."
            )

    def _end_of_lines(self) -> None:
        for record in [] if self._ahead is None else [self._ahead, *self._records]:
            told = f"Record {record.seq} is said to lie in time slot {record.epoch}, which the log does not have."
            self._found.faulty("record-without-epoch", told)
            self._number(record.seq)
        last = self._header.last_seq or 0
        if self._seq < last:
            self._found.faulty("ledger-gap", f"Of the ledger, {_numbers(self._seq + 1, last)} missing.")
        elif self._seq > last:
            self._found.faulty("ledger-repeat", f"The bundle holds records beyond number {last}, its last.")
        self._seed(self._header.last_epoch)  # The period may end in slots that the log says were missed.
        if next(self._seeds, None) is not None:
            self._found.faulty("bad-seed", "The bundle's seeds do not end where its time slots end.")

    def _lost(self, first: int, last: int) -> bool:
        return any(begin <= first and last <= end for begin, end in self._restored)

    def _not_sealed(self, seq: int) -> None:
        told = f"Record {seq}, which lies outside of the period, is not sealed where the bundle says."
        self._found.faulty("outside-not-sealed", told)


_DIFFERS = (
    "Time slot {} cannot be rebuilt: what the bundle says of it does not give the number that was published. A"
    " record was hidden, left out, added or changed, or the seed is not the right one."
)


def _numbers(first: int, last: int) -> str:
    return f"number {first} is" if first == last else f"the numbers {first} to {last} are"
