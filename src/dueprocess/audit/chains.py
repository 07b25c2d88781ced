"""Cases as an auditor sees them: chains of records, each naming the one before it, with no name of a case.

What must come before what is checked here a second time, from the records alone: two people before a production,
a production before a hand-over, an erasure where contents are gone.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dueprocess.audit.bundle import Seen
from dueprocess.cases.events import BODIES, ROSTER_KINDS
from dueprocess.wire import Json

COUNTED: dict[str, str] = {
    "DemandReceived": "received",
    "DemandRead": "read",
    "DecisionApproved": "decided",
    "DecisionRejected": "decided",
    "DataProduced": "produced",
    "ParcelDelivered": "delivered",
    "UserNotified": "notified",
    "ChallengeOpened": "challenged",
    "Erased": "erased",
}
"""Kind of record → the column of the months' table in which it counts."""

COLUMNS = tuple(dict.fromkeys(COUNTED.values()))

_NEEDS: dict[str, tuple[str, str]] = {
    "ProductionStarted": ("DecisionApproved", "collecting began before a second person had approved"),
    "DataProduced": ("ProductionStarted", "data was collected though no collecting was begun"),
    "DeliveryStarted": ("DataProduced", "a hand-over was begun before anything was collected"),
    "ParcelDelivered": ("DeliveryStarted", "a parcel was handed over though no hand-over was begun"),
}
"""Kind → the kind that must stand before it under the same two signatures, and what it means where it does not."""

_TWO = frozenset(_NEEDS)
_ENDED = frozenset({"DecisionRejected", "DecisionWithdrawn"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit. ``told`` is one plain sentence or two."""

    code: str
    told: str

    def as_json(self) -> dict[str, Json]:
        return {"code": self.code, "told": self.told}


@dataclass(slots=True)
class Chain:
    """The records of one case (or of the rosters) so far, and only what later checks need of them."""

    first_seq: int
    whole: bool
    """Whether its first record starts it: nothing of it lies before the bundle."""
    roster: bool = False
    tip: bytes = b""
    seqs: list[int] | None = None
    """Of a drawn demand: every record's number and commitment."""
    commitments: list[bytes] = field(default_factory=list)
    read_seq: int | None = None
    closed_month: str | None = None
    registered: Seen | None = None
    erased_seq: int | None = None
    kept: int = 0
    shown: int = 0
    nondisclosure: bool = False
    seen: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    """Signatures under a decision → the kinds of records that stand under exactly these."""
    kinds: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    """The first signature of each decision that was refused or withdrawn."""

    @property
    def half_year_month(self) -> str:
        """The month that decides in which register the case is counted. Call it for registered cases only."""
        assert self.registered is not None
        return self.closed_month or self.registered.month


@dataclass(slots=True)
class Chains:
    """All chains of a bundle. ``take`` one record after the other, in the order of the ledger."""

    whole: bool
    """Whether the bundle starts with ledger number 1, so that nothing can lie before it."""
    drawn: frozenset[int] = frozenset()
    """Numbers of the drawn demands: of their cases every record is remembered."""
    months: dict[str, Counter[str]] = field(default_factory=dict)
    unwitnessed: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    all: list[Chain] = field(default_factory=list)
    _tips: dict[bytes, Chain] = field(default_factory=dict)
    _passed: set[bytes] = field(default_factory=set)
    _unreadable: set[bytes] = field(default_factory=set)

    def unreadable(self, commitment: bytes) -> None:
        """A record whose opening failed: what names it cannot be judged."""
        self._unreadable.add(commitment)

    def take(self, record: Seen) -> Iterator[Fault]:
        """What is wrong with the next record of the bundle."""
        chain, faults = self._chain_of(record)
        yield from faults
        self.kinds[record.kind] += 1
        column = COUNTED.get(record.kind)
        if column is not None:
            self.months.setdefault(record.month, Counter())[column] += 1
        if record.values.get("witnessed") is False:
            self.unwitnessed[record.kind] += 1
        yield from self._add(chain, record)

    def take_later(self, record: Seen) -> Iterator[Fault]:
        """A record after the period, of a case of the bundle; of another case it says nothing here."""
        prev = record.prev
        if prev is not None and prev in self._tips:
            yield from self._add(self._tips[prev], record)

    def _chain_of(self, record: Seen) -> tuple[Chain, list[Fault]]:
        prev, faults = record.prev, list[Fault]()
        if prev is not None and prev in self._tips:
            return self._tips[prev], faults
        if record.kind not in BODIES:
            faults.append(
                Fault(
                    "unknown-kind", f"Record {record.seq} is of the kind {record.kind[:40]!r}, unknown here."
                )
            )
        if prev is None:
            if record.kind not in ("DemandReceived", "Founded"):
                told = f"Record {record.seq} ({record.kind}) claims to be the first of its case, which it cannot be."
                faults.append(Fault("wrong-start", told))
        elif prev in self._passed:
            told = (
                f"Record {record.seq} follows a record that another one follows already:"
                " a record between them was left out, or a case was split."
            )
            faults.append(Fault("chain-split", told))
        elif self.whole and prev not in self._unreadable:
            told = f"Record {record.seq} follows a record that is nowhere in the ledger: one was left out."
            faults.append(Fault("chain-broken", told))
        if prev is not None:
            self._passed.add(prev)
        chain = Chain(record.seq, whole=prev is None, roster=record.kind in ROSTER_KINDS)
        self.all.append(chain)
        return chain, faults

    def _add(self, chain: Chain, record: Seen) -> Iterator[Fault]:
        if chain.tip:
            del self._tips[chain.tip]
            self._passed.add(chain.tip)
        chain.tip = record.commitment
        self._tips[chain.tip] = chain
        if record.seq in self.drawn:
            chain.seqs = []
        if chain.seqs is not None:
            chain.seqs.append(record.seq)
            chain.commitments.append(record.commitment)
        yield from _order(chain, record)
        _remember(chain, record)


def _order(chain: Chain, record: Seen) -> Iterator[Fault]:
    """What is wrong with the record's place in its chain."""
    if (record.kind in ROSTER_KINDS) != chain.roster:
        yield Fault(
            "wrong-stream", f"Record {record.seq} ({record.kind}) stands in a chain where it cannot belong."
        )
    if chain.erased_seq is not None:
        yield Fault("after-erasure", f"Record {record.seq} ({record.kind}) follows the erasure of its case.")
    if record.kind in _TWO:
        yield from _kept_order(chain, record) if record.kept else _signed_order(chain, record)


def _kept_order(chain: Chain, record: Seen) -> Iterator[Fault]:
    """Of an erased case only the kinds can be seen, not under which signatures."""
    needed, meaning = _NEEDS[record.kind]
    if chain.whole and needed not in chain.kinds:
        yield _unapproved(record, meaning)


def _signed_order(chain: Chain, record: Seen) -> Iterator[Fault]:
    signatures = _signatures(record)
    needed, meaning = _NEEDS[record.kind]
    if len(signatures) < 2:
        yield _unapproved(record, "fewer than two people had signed for it")
        return
    if signatures[0] in chain.ended:
        yield _unapproved(record, "its decision had been refused or withdrawn before")
    if not chain.whole:
        return
    before = chain.seen.get(signatures, set())
    proposed = "DecisionProposed" in chain.seen.get(signatures[:1], set())
    if needed not in before or "DecisionApproved" not in before or not proposed:
        yield _unapproved(record, meaning if needed not in before else "nobody had proposed and approved it")


def _unapproved(record: Seen, meaning: str) -> Fault:
    code = "not-approved" if record.kind in ("ProductionStarted", "DataProduced") else "not-produced"
    return Fault(code, f"Record {record.seq} ({record.kind}, {record.month}): {meaning}.")


def _signatures(record: Seen) -> tuple[str, ...]:
    found = record.values.get("approvals")
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def _remember(chain: Chain, record: Seen) -> None:
    chain.kept += record.kept
    chain.shown += not record.kept
    chain.kinds.add(record.kind)
    signatures = _signatures(record)
    chain.seen.setdefault(signatures, set()).add(record.kind)
    if record.kind in _ENDED:
        chain.ended.update(signatures[:1])
    chain.nondisclosure = chain.nondisclosure or bool(record.values.get("nondisclosure"))
    match record.kind:
        case "DemandRead":
            chain.read_seq = chain.read_seq or record.seq
        case "CaseClosed":
            chain.closed_month = record.month
            chain.seen = {}  # Nothing is collected or handed over after this, so memory stays small.
        case "CaseRegistered":
            chain.registered = record
        case "Erased":
            chain.erased_seq = record.seq
        case _:
            pass


def erasure_faults(chain: Chain) -> Iterator[Fault]:
    """Contents that are gone without an erasure, and an erasure after which contents can still be seen."""
    if chain.kept and chain.erased_seq is None:
        told = (
            f"{chain.kept} records of the case that begins with record {chain.first_seq} are shown as erased,"
            " and no record says that the case was erased."
        )
        yield Fault("erased-unsaid", told)
    if chain.erased_seq is not None and chain.shown:
        told = (
            f"Record {chain.erased_seq} says that its case was erased, but {chain.shown} of its records can"
            " still be opened: the contents were not destroyed."
        )
        yield Fault("not-destroyed", told)
