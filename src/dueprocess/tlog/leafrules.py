"""What the entries of a log must be, one after the other, seen by somebody outside who knows only the log.

``LeafRules`` is given every entry in order and says what does not fit: a time slot that is missing and named by
nobody, a time that cannot be true, a second register of one half-year, a key that nobody vouched for. It keeps
little: where the last epoch stood, and the few entries that are not epochs.

Source: specs/tlog/README.md, "Public leaves"; formats.md, "Ledger and public log".
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.tlog.epoch import MOST_EPOCH, epoch_until
from dueprocess.tlog.leaf import (
    AttestLeaf,
    EpochLeaf,
    GapLeaf,
    IncidentCode,
    IncidentLeaf,
    KeyLeaf,
    Leaf,
    PolicyLeaf,
    RegisterLeaf,
    ReportLeaf,
    parse_leaf,
    verify_attest_leaf,
    verify_key_leaf,
)
from dueprocess.tlog.merkle import MOST_LEAVES
from dueprocess.tlog.note import Vkey, parse_vkey
from dueprocess.wire import Json, instant, parse_instant

type Severity = Literal["alarm", "notice"]

MOST_SHOWN = 64
"""Entries that one finding names at most. Between two epochs there are hardly ever more than three."""

INCIDENTS: dict[IncidentCode, str] = {
    "clock-moved": "its clock was moved",
    "epochs-late": "time slots were recorded late",
    "log-key-exposed": "a secret key of the log may be in other hands",
    "operator-compromised": "somebody had broken into its machines",
    "record-lost": "a record was lost",
    "software-fault": "its software had a fault",
    "store-restored": "it had to go back to a backup copy",
    "tiles-damaged": "files of the log were damaged and written again",
    "witness-lost": "the independent timekeepers could not be reached",
}
GRAVE: frozenset[IncidentCode] = frozenset({"log-key-exposed", "operator-compromised"})
"""After these the operator's signature alone proves little, so somebody has to look."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should know, with the entries and files that show it.

    A ``notice`` is worth reading. An ``alarm`` means that a promise of the log is broken, or cannot be seen to
    be kept; it does NOT mean that somebody meant harm.
    """

    kind: str
    severity: Severity
    told: str
    """One plain sentence or two."""
    leaves: tuple[int, ...] = ()
    """Indexes of the entries that show it, in order; the last one is where it was noticed."""
    evidence: dict[str, bytes] = field(default_factory=dict)
    """Name and bytes of each file that shows it."""


@dataclass(frozen=True, slots=True)
class NewestEpoch:
    """The newest epoch entry: where it stands, which time slot it is for, and when it says it was made."""

    index: int
    epoch: int
    closed_at: dt.datetime


class LeafRules:
    """Reads entries in order. ``read`` gives what is noteworthy about each; the state is kept between runs.

    An index that does not follow the one before breaks the chain: rules that need the entries between are then
    silent. So the same rules judge a handful of entries out of an evidence folder.
    """

    __slots__ = ("_founding", "keys", "leaves", "newest", "next_epoch", "policy", "rare")

    def __init__(self, keys: Sequence[Vkey] = ()) -> None:
        """``keys``: those that the reader knew of the log before it read anything."""
        self.leaves = 0
        self.next_epoch: int | None = None
        self.newest: NewestEpoch | None = None
        self.policy: tuple[int, PolicyLeaf] | None = None
        self.rare: list[tuple[int, bytes]] = []
        """Index and bytes of every policy, key, register and report entry."""
        self._founding = tuple(keys)
        self.keys = self._founding

    def read(self, index: int, entry: bytes) -> Iterator[Finding]:
        """What is noteworthy about the entry at ``index``."""
        if index != self.leaves:
            self.next_epoch = None
        self.leaves = index + 1
        try:
            leaf = parse_leaf(entry)
        except MalformedError as error:
            told = f"Entry {index} of the log cannot be understood: {error.what}"
            yield Finding("unknown-entry", "alarm", told, (index,))
            return
        yield from self._read(index, leaf)
        if isinstance(leaf, PolicyLeaf | KeyLeaf | RegisterLeaf | ReportLeaf):
            self.rare.append((index, entry))

    def _read(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        match leaf:
            case EpochLeaf():
                yield from self._epoch(index, leaf)
            case GapLeaf():
                yield self._gap(index, leaf)
            case PolicyLeaf():
                yield from self._policy(index, leaf)
            case IncidentLeaf():
                yield self._incident(index, leaf)
            case _:
                yield from self._read_signed(index, leaf)

    def _read_signed(
        self, index: int, leaf: KeyLeaf | AttestLeaf | RegisterLeaf | ReportLeaf
    ) -> Iterator[Finding]:
        match leaf:
            case KeyLeaf():
                yield self._key(index, leaf)
            case AttestLeaf():
                yield self._attest(index, leaf)
            case RegisterLeaf():
                yield self._published(index, leaf, "register")
            case ReportLeaf():
                yield from self._report(index, leaf)
            case _:
                assert_never(leaf)

    # ------------------------------------------------------------------ time

    def _epoch(self, index: int, leaf: EpochLeaf) -> Iterator[Finding]:
        wanted, shown = self.next_epoch, self._since_last_epoch(index)
        if wanted is not None and leaf.epoch > wanted:
            told = f"{_slots(wanted, leaf.epoch - 1)} missing from the log, and no entry says why."
            yield Finding("epochs-missing", "alarm", told, shown)
        if wanted is not None and leaf.epoch < wanted:
            told = f"Entry {index} is for time slot {leaf.epoch}, but slot {wanted} was due: one came twice."
            yield Finding("epoch-repeated", "alarm", told, shown)
        if self.newest is not None and leaf.closed_at < self.newest.closed_at:
            then = _at(self.newest.closed_at)
            told = f"Entry {index} says {_at(leaf.closed_at)}, the one before it {then}: time ran back."
            yield Finding("time-ran-back", "alarm", told, (self.newest.index, index))
        yield from self._on_time(index, leaf)
        self.next_epoch = max(leaf.epoch + 1, wanted or 0)
        self.newest = NewestEpoch(index, leaf.epoch, leaf.closed_at)

    def _on_time(self, index: int, leaf: EpochLeaf) -> Iterator[Finding]:
        """An epoch is closed within one epoch after its end. Source: the log's own policy entry, ``epoch_s``."""
        if self.policy is None:
            return
        at, policy = self.policy
        try:
            ends = epoch_until(leaf.epoch, seconds=policy.epoch_seconds)
            late = leaf.closed_at - ends
        except MalformedError:
            told = f"Entry {index} is for a time slot after the year 9999."
            yield Finding("wrong-time", "alarm", told, (at, index))
            return
        if dt.timedelta(0) <= late < dt.timedelta(seconds=policy.epoch_seconds):
            return
        how = f"{_long(late)} late" if late > dt.timedelta(0) else f"{_long(-late)} before it was over"
        told = f"Entry {index} says that the time slot that ended at {_at(ends)} was recorded {how}."
        yield Finding("wrong-time", "alarm", told, (at, index))

    def _gap(self, index: int, leaf: GapLeaf) -> Finding:
        wanted, shown = self.next_epoch, self._since_last_epoch(index)
        self.next_epoch = max(leaf.last_epoch + 1, wanted or 0)
        if wanted is not None and leaf.first_epoch != wanted:
            told = (
                f"Entry {index} says that the slots {leaf.first_epoch} to {leaf.last_epoch} were missed,"
                f" but slot {wanted} was due: it does not name what is missing."
            )
            return Finding("wrong-gap", "alarm", told, shown)
        told = (
            f"The log says itself: {_slots(leaf.first_epoch, leaf.last_epoch, 'missed')} because nothing ran."
        )
        return Finding("gap", "notice", told, (index,))

    def _since_last_epoch(self, index: int) -> tuple[int, ...]:
        first = index if self.newest is None else self.newest.index
        return tuple(range(max(first, index - MOST_SHOWN + 1), index + 1))

    # ------------------------------------------------------------------ rules and keys

    def _policy(self, index: int, leaf: PolicyLeaf) -> Iterator[Finding]:
        before, self.policy = self.policy, (index, leaf)
        if before is None:
            told = (
                f"The log's rules, number {leaf.number}: a time slot every {_long(_seconds(leaf))}, reports"
                f" {leaf.delay_days} days after a half-year, nothing about fewer than {leaf.k}."
            )
            yield Finding("rules", "notice", told, (index,))
            return
        at, old = before
        changes = _changes(old, leaf)
        yield Finding("rules-changed", "notice", f"The log's rules changed: {changes}.", (at, index))
        if leaf.number != old.number + 1:
            told = (
                f"Rules number {leaf.number} follow number {old.number}: a change was left out or taken back."
            )
            yield Finding("rules-out-of-order", "alarm", told, (at, index))
        if (leaf.epoch_seconds, leaf.depth) != (old.epoch_seconds, old.depth):
            told = "The log changed how long its time slots are or how they are built; that may hide missing ones."
            yield Finding("slots-changed", "alarm", told, (at, index))
            self.next_epoch = None
        if self.newest is not None and leaf.in_force_on < self.newest.closed_at.date():
            told = (
                f"New rules were recorded after {_at(self.newest.closed_at)} and claim to be in force since"
                f" {leaf.in_force_on}: a rule cannot be changed for the past."
            )
            yield Finding("rules-backdated", "alarm", told, tuple(sorted({at, self.newest.index, index})))

    def _key(self, index: int, leaf: KeyLeaf) -> Finding:
        name = leaf.vkey.split("+")[0]
        try:
            verify_key_leaf(leaf, self.keys)
        except MalformedError as error:
            told = f"Entry {index} changes a key of the log, and no key known before vouches for it: {error.what}"
            return Finding("key-not-vouched", "alarm", told, (*self._rare_of(KeyLeaf), index))
        self.keys = _with_key(self.keys, leaf)
        word = "added" if leaf.operation == "add" else "retired"
        told = (
            f"A key of {name} was {word}, signed by a key known before. Get the operator's new policy file."
        )
        return Finding("key-changed", "notice", told, (index,))

    def _attest(self, index: int, leaf: AttestLeaf) -> Finding:
        name = leaf.auditor.split("+")[0]
        try:
            verify_attest_leaf(leaf)
        except MalformedError as error:
            told = f"Entry {index} claims that the auditor {name} signed a statement about {leaf.period}: {error.what}"
            return Finding("attest-false", "alarm", told, (index,))
        told = f"The auditor {name} signed a statement about {leaf.period}, SHA-256 {leaf.statement_sha256}."
        return Finding("attested", "notice", told, (index,))

    # ------------------------------------------------------------------ reports and incidents

    def _report(self, index: int, leaf: ReportLeaf) -> Iterator[Finding]:
        register = next((each for at, each in self.rare_leaves() if at == leaf.register_leaf), None)
        if not isinstance(register, RegisterLeaf) or register.period != leaf.period:
            told = f"The report of {leaf.period} in entry {index} does not name the register that it was counted from."
            named = (leaf.register_leaf,) if leaf.register_leaf < index else ()
            yield Finding("report-without-register", "alarm", told, (*named, index))
        yield self._published(index, leaf, "report")

    def _published(self, index: int, leaf: RegisterLeaf | ReportLeaf, what: str) -> Finding:
        """One of each half-year, unless it names the one that it corrects."""
        older = [
            (at, each)
            for at, each in self.rare_leaves()
            if isinstance(each, type(leaf)) and each.period == leaf.period
        ]
        newest = older[-1][1].sha256 if older else None
        if leaf.replaces != newest:
            told = f"Entry {index} names a second {what} of {leaf.period} and does not say that it corrects the first."
            if not older:
                told = f"The {what} of {leaf.period} in entry {index} corrects one that the log never named."
            return Finding("published-twice", "alarm", told, (*(at for at, _ in older), index))
        word = "corrected" if older else "published"
        return Finding(f"{what}-{word}", "notice", f"The {what} of {leaf.period} was {word}.", (index,))

    def _incident(self, index: int, leaf: IncidentLeaf) -> Finding:
        told = f"The operator says itself that something went wrong: {INCIDENTS[leaf.code]} ({leaf.code})."
        return Finding("incident", "alarm" if leaf.code in GRAVE else "notice", told, (index,))

    def rare_leaves(self) -> Iterator[tuple[int, Leaf]]:
        """Index and leaf of every policy, key, register and report entry so far."""
        return ((index, parse_leaf(entry)) for index, entry in self.rare)

    def _rare_of(self, kind: type[Leaf]) -> tuple[int, ...]:
        return tuple(index for index, each in self.rare_leaves() if isinstance(each, kind))[-MOST_SHOWN:]

    # ------------------------------------------------------------------ keeping

    def as_json(self) -> dict[str, Json]:
        """Everything that the next run needs."""
        return {
            "leaves": self.leaves,
            "next_epoch": self.next_epoch,
            "newest": None if self.newest is None else _newest_as_json(self.newest),
            "keys": [each.text for each in self._founding],
            "rare": [[index, entry.decode()] for index, entry in self.rare],
        }


def rules_from_json(value: Json) -> LeafRules:
    """Inverse of ``LeafRules.as_json``. Raises ``MalformedError`` and nothing else."""
    names = ("leaves", "next_epoch", "newest", "keys", "rare")
    found = shape.members(value, names, "what is remembered of the entries")
    rules = LeafRules(
        [parse_vkey(shape.text(each, "a key")) for each in shape.items(found["keys"], "the keys")]
    )
    for each in shape.items(found["rare"], "the rare entries"):
        index, entry = shape.items(each, "a rare entry", count=2)
        at = shape.number(index, "an index", most=MOST_LEAVES)
        for _ in rules.read(at, shape.text(entry, "an entry").encode()):
            pass  # It was told when it was read first.
    rules.leaves = shape.number(found["leaves"], "the number of entries", most=MOST_LEAVES)
    due = found["next_epoch"]
    rules.next_epoch = None if due is None else shape.number(due, "an epoch", most=MOST_EPOCH + 1)
    rules.newest = None if found["newest"] is None else _newest(found["newest"])
    return rules


def _newest_as_json(newest: NewestEpoch) -> dict[str, Json]:
    return {"index": newest.index, "epoch": newest.epoch, "closed_at": instant(newest.closed_at)}


def _newest(value: Json) -> NewestEpoch:
    found = shape.members(value, ("index", "epoch", "closed_at"), "the newest epoch")
    return NewestEpoch(
        shape.number(found["index"], "an index", most=MOST_LEAVES),
        shape.number(found["epoch"], "an epoch", most=MOST_EPOCH),
        parse_instant(shape.text(found["closed_at"], "a time")),
    )


def _with_key(keys: tuple[Vkey, ...], leaf: KeyLeaf) -> tuple[Vkey, ...]:
    changed = parse_vkey(leaf.vkey)
    others = tuple(each for each in keys if each != changed)
    return (*others, changed) if leaf.operation == "add" else others


def _changes(old: PolicyLeaf, new: PolicyLeaf) -> str:
    before, after = old.as_json(), new.as_json()
    changed = [
        words
        if name.endswith("sha256")
        else f"{words}, {_shown(before[name])} before, {_shown(after[name])} now"
        for name, words in _POLICY_WORDS.items()
        if before[name] != after[name]
    ]
    return "; ".join(changed) or "nothing but their number"


_POLICY_WORDS = {
    "epoch_s": "the seconds of a time slot",
    "depth": "the depth of a time slot",
    "k": "the least number that is published",
    "delay_days": "the days before a report is published",
    "bands": "the bands of what may be published",
    "quorum_modes": "the ways of deciding",
    "clock": "the clock",
    "witness_policy_sha256": "the file with the keys and the independent timekeepers",
    "sw_sha256": "the software",
    "from": "in force from",
    "intake": "the key that signs receipts for papers",
}


def _shown(value: Json) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _slots(first: int, last: int, word: str = "") -> str:
    many = first != last
    verb = "were" if word and many else "was" if word else "are" if many else "is"
    slots = f"the {last - first + 1} time slots {first} to {last}" if many else f"time slot {first}"
    return f"{slots[0].upper()}{slots[1:]} {verb}{f' {word}' if word else ''}"


def _seconds(leaf: PolicyLeaf) -> dt.timedelta:
    return dt.timedelta(seconds=leaf.epoch_seconds)


def _at(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _long(span: dt.timedelta) -> str:
    """A stretch of time as a person says it: 40 seconds, 5 minutes, 3 hours, 2 days."""
    seconds = int(span.total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or seconds == length:
            number = seconds // length
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
