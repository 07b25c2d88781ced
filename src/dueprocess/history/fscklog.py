"""The log's half of `fsck`: epochs give their roots, leaves and heads the signed checkpoints, witnesses the same ones.

Rows are read in batches, so that a year of epochs costs seconds and memory stays flat.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched, pairwise, zip_longest

from django.db.models import Q, QuerySet

from dueprocess.errors import BrokenError, DueprocessError, MalformedError
from dueprocess.history import (
    ledger,
    ready,  # noqa: F401  Django is loaded before its models
)
from dueprocess.history.fault import Fault, FsckKeys
from dueprocess.history.models import CosignedRow, EpochRow, HeadRow, LeafRow, PlacementRow, RecordRow
from dueprocess.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from dueprocess.tlog.epoch import PLACES, epoch_seed, rebuilt_roots
from dueprocess.tlog.leaf import EpochLeaf, GapLeaf, IncidentLeaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.policy import Policy
from dueprocess.wire import instant, unhex

BATCH = 500
"""Epochs looked at together."""

_EPOCH_LEAF = '{"e":"'
"""How every epoch leaf begins in its canonical form, and no other leaf."""

LOST = "store-restored"
"""The incident that says which epochs a restored backup does not know."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spans:
    """Epochs that the log says were never closed, and those that a restored backup lost: first to last, sorted."""

    gaps: Sequence[Span]
    lost: Sequence[Span]

    def is_lost(self, epoch: int) -> bool:
        return _within(epoch, self.lost)


def spans() -> Spans:
    """What the log's rare leaves say about epochs that have no row."""
    rare = LeafRow.objects.exclude(entry__startswith=_EPOCH_LEAF).order_by("leaf_index")
    leaves = [parse_leaf(row.entry.encode()) for row in rare.iterator()]
    gaps = sorted((leaf.first_epoch, leaf.last_epoch) for leaf in leaves if isinstance(leaf, GapLeaf))
    lost = sorted(
        (leaf.first_epoch, leaf.last_epoch)
        for leaf in leaves
        if isinstance(leaf, IncidentLeaf) and leaf.code == LOST
    )
    return Spans(gaps, lost)


def _within(epoch: int, listed: Sequence[Span]) -> bool:
    return any(first <= epoch <= last for first, last in listed)


def epoch_faults(keys: FsckKeys) -> Iterator[Fault]:
    """Each closed epoch against its records, its placements and its public leaf; each missing one against the log."""
    homeless = PlacementRow.objects.exclude(epoch__in=EpochRow.objects.values("epoch"))
    for row in homeless.order_by("ledger_seq"):
        yield Fault("placement", str(row.ledger_seq), "it lies in an epoch that was never closed", "I6")
    nowhere = PlacementRow.objects.filter(Q(place__lt=0) | Q(place__gte=PLACES))
    for row in nowhere.order_by("ledger_seq"):
        yield Fault("placement", str(row.ledger_seq), f"no epoch has a place {row.place}", "I6")
    yield from _missing(spans())
    if nowhere.exists():
        return
    for rows in batched(EpochRow.objects.order_by("epoch").iterator(), BATCH):
        yield from _batch(rows, keys)
    yield from _unplaced()


def _missing(said: Spans) -> Iterator[Fault]:
    """Epochs without a row: the log names exactly these as gap, or a restored backup lost them."""
    numbers = list(EpochRow.objects.order_by("epoch").values_list("epoch", flat=True))
    stretches = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
    for first, last in stretches:
        unsaid = _first_outside(first, last, [*said.gaps, *said.lost])
        if unsaid is not None:
            yield Fault("epoch", str(last + 1), f"epoch {unsaid} is missing, and no leaf says why", "I6")
    for first, last in said.gaps:
        at = bisect_right(stretches, (first, last + 1 << 62)) - 1
        inside = at >= 0 and stretches[at][0] <= first and last <= stretches[at][1]
        if not inside and not (said.is_lost(first) and said.is_lost(last)):
            yield Fault(
                "epoch",
                str(first),
                f"a gap leaf names the epochs {first} to {last}, but not all are missing",
                "I6",
            )


def _first_outside(first: int, last: int, listed: Iterable[Span]) -> int | None:
    """The first number from ``first`` to ``last`` that no span holds, or None."""
    at = first
    for begins, ends in sorted(listed):
        if begins > at:
            break
        at = max(at, ends + 1)
    return at if at <= last else None


def _batch(rows: Sequence[EpochRow], keys: FsckKeys) -> Iterator[Fault]:
    placed = _placed(rows[0].epoch, rows[-1].epoch)
    leaves = dict(
        LeafRow.objects.filter(leaf_index__in=[row.leaf_index for row in rows]).values_list(
            "leaf_index", "entry"
        )
    )
    roots = rebuilt_roots(
        partial(epoch_seed, keys.master), ((row.epoch, placed.get(row.epoch, {})) for row in rows)
    )
    for row, (_, root) in zip(rows, roots, strict=True):
        number = len(placed.get(row.epoch, {}))
        if root.hex() != row.root:
            what = "its root (epoch.root) is not that of its records and placements"
            yield Fault("epoch", str(row.epoch), what, "I6")
        if number != row.records:
            yield Fault("epoch", str(row.epoch), f"it says {row.records} records and holds {number}", "I6")
        if not _stands(row, leaves.get(row.leaf_index, "")):
            yield Fault("epoch", str(row.epoch), f"public leaf {row.leaf_index} says something else", "I6")


def _placed(first: int, last: int) -> Mapping[int, Mapping[int, bytes]]:
    """Epoch → place → commitment, for the epochs from ``first`` to ``last``."""
    rows = PlacementRow.objects.filter(epoch__gte=first, epoch__lte=last)
    where = {row.ledger_seq: (row.epoch, row.place) for row in rows.iterator()}
    if not where:
        return {}
    found: dict[int, dict[int, bytes]] = {}
    records = RecordRow.objects.filter(ledger_seq__gte=min(where), ledger_seq__lte=max(where))
    for number, commitment in records.values_list("ledger_seq", "commitment").iterator():
        if number in where:
            epoch, place = where[number]
            found.setdefault(epoch, {})[place] = _commitment(number, commitment)
    return found


def _commitment(number: int, text: str) -> bytes:
    try:
        return unhex(text)
    except MalformedError as error:
        raise BrokenError("bad-record", f"Ledger record {number} holds no commitment.") from error


def _stands(row: EpochRow, entry: str) -> bool:
    """Whether the public leaf says exactly this epoch, root and time."""
    try:
        leaf = parse_leaf(entry.encode())
    except MalformedError:
        return False
    return isinstance(leaf, EpochLeaf) and (leaf.epoch, leaf.root.hex(), instant(leaf.closed_at)) == (
        row.epoch, row.root, row.closed_at,
    )  # fmt: skip


def _unplaced() -> Iterator[Fault]:
    highest = PlacementRow.objects.order_by("-ledger_seq").first()
    if highest is None:
        return
    if PlacementRow.objects.count() != highest.ledger_seq:
        yield Fault("placement", "-", "a record before the last placed one has no place", "I6")
    if RecordRow.objects.count() < highest.ledger_seq:
        yield Fault("placement", str(highest.ledger_seq), "its record is gone", "I3")


def leaf_faults(_: FsckKeys) -> Iterator[Fault]:
    """Leaves count on from 0; those of epochs are the table's, but for epochs that a restored backup lost."""
    known = set(EpochRow.objects.values_list("leaf_index", flat=True))
    said = spans()
    for number, row in enumerate(LeafRow.objects.order_by("leaf_index").iterator()):
        if row.leaf_index != number:
            yield Fault("leaf", str(number), "the log has a gap here", "I6")
            return
        if row.entry.startswith(_EPOCH_LEAF) == (number in known):
            continue
        leaf = parse_leaf(row.entry.encode())
        if not isinstance(leaf, EpochLeaf) or not said.is_lost(leaf.epoch):
            yield Fault("leaf", str(number), "this leaf and the table epoch do not fit together", "I6")


def head_faults(keys: FsckKeys) -> Iterator[Fault]:
    """Each leaf was signed with a head of its own, so there is one head for every size."""
    frontier = Frontier()
    heads, leaves = (
        HeadRow.objects.order_by("size").iterator(),
        ledger.stream_entries(0, LeafRow.objects.count()),
    )
    for size, (row, entry) in enumerate(zip_longest(heads, leaves), start=1):
        if row is None:
            yield Fault("leaf", str(size - 1), "no head was signed over this leaf", "I6")
            return
        if row.size != size or entry is None:
            what = "the head of this size is missing, or the table leaf has a gap"
            yield Fault("head", str(size), what, "I6")
            return
        frontier = frontier.append(leaf_hash(entry.encode()))
        if frontier.root.hex() != row.root:
            yield Fault("head", str(size), "the rows of leaf do not give this head", "I6")
            return
        yield from _note_faults("head", row, row.root, keys.policies)


def cosigned_faults(keys: FsckKeys) -> Iterator[Fault]:
    """Each kept note is the head of its size, with witnesses enough for a policy that was ever in force."""
    rows = CosignedRow.objects.order_by("size")
    roots = dict(HeadRow.objects.filter(size__in=_sizes(rows)).values_list("size", "root"))
    for row in rows.iterator():
        root = roots.get(row.size)
        if root is None:
            yield Fault("cosigned", str(row.size), "no head of this size was signed", "I6")
            continue
        yield from _note_faults("cosigned", row, root, keys.policies)


def _sizes(rows: QuerySet[CosignedRow]) -> QuerySet[CosignedRow, int]:
    return rows.order_by().values_list("size", flat=True)


def _note_faults(
    table: str, row: HeadRow | CosignedRow, root: str, policies: Sequence[Policy]
) -> Iterator[Fault]:
    """What is wrong with the signed note of a row: all of its signatures must be known and good."""
    why = "no policy was ever in force"
    for policy in reversed(policies):
        try:
            opened = _opened(row.checkpoint.encode(), policy, witnessed=table == "cosigned")
        except DueprocessError as error:
            why = error.what
            continue
        if (opened.checkpoint.size, opened.checkpoint.root.hex()) != (row.size, root):
            yield Fault(table, str(row.size), "its signed checkpoint says something else", "I6")
        return
    yield Fault(table, str(row.size), why, "I6")


def _opened(note: bytes, policy: Policy, *, witnessed: bool) -> OpenedCheckpoint:
    """The note under a policy: with its quorum, or of the log alone. Refuses any line that is not accounted for."""
    opened = open_checkpoint(note, policy if witnessed else policy.unwitnessed)
    keys = {each.vkey for each in policy.logs if each.vkey.name == opened.checkpoint.origin}
    lines = len(parse_note(note).signatures)
    if set(opened.log_vkeys) != keys or lines != len(opened.log_vkeys) + len(opened.witnesses):
        raise MalformedError(
            "odd-signatures", "A signature is missing, or one stands there that nobody knows."
        )
    if opened.witnessed != witnessed or bool(opened.witnesses) != witnessed:
        raise MalformedError("odd-witnesses", "The witnesses that belong to it are not there.")
    return opened
