"""A log that ran for a long time, made at once: empty epochs, their leaves, tiles and one head."""

import datetime as dt
from collections.abc import Iterator

from dueprocess.history import ledger
from dueprocess.history.models import EpochRow, HeadRow, LeafRow
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.epoch import epoch_root, epoch_seed, epoch_until
from dueprocess.tlog.growing import tiles_for_growth
from dueprocess.tlog.leaf import EpochLeaf, encode_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.wire import instant
from office import Office


def run_for(office: Office, epochs: int) -> None:
    """Empty epochs after the newest one, closed on time and published as one head; the clock stands at their end."""
    place = office.desk.installation
    last, head = ledger.last_epoch(), ledger.head()
    assert last is not None
    assert head is not None
    leaves = list(_leaves(office, last.epoch + 1, epochs))
    entries = [encode_leaf(leaf) for leaf in leaves]
    old = Frontier().extend(leaf_hash(each.encode()) for each in ledger.entries(0, head.size))
    files = dict(tiles_for_growth(old, entries, lambda path: (place.log / path).read_bytes()))
    for path, data in files.items():
        (place.log / path).parent.mkdir(parents=True, exist_ok=True)
        (place.log / path).write_bytes(data)
    LeafRow.objects.bulk_create(
        [LeafRow(leaf_index=head.size + at, entry=each.decode()) for at, each in enumerate(entries)], 2000
    )
    EpochRow.objects.bulk_create(
        [
            EpochRow(
                epoch=leaf.epoch, root=leaf.root.hex(), records=0, closed_at=instant(leaf.closed_at),
                leaf_index=head.size + at,
            )
            for at, leaf in enumerate(leaves)
        ], 2000,
    )  # fmt: skip
    office.now = leaves[-1].closed_at
    grown = old.extend(leaf_hash(each) for each in entries)
    signer = LogSigner.open(place.origin, place.keys)
    note = signer.sign(Checkpoint(place.origin, grown.size, grown.root), office.now)
    HeadRow.objects.bulk_create([HeadRow(size=grown.size, root=grown.root.hex(), checkpoint=note)])
    (place.log / "checkpoint").write_text(note)


def _leaves(office: Office, first: int, count: int) -> Iterator[EpochLeaf]:
    seconds, master = office.desk.installation.epoch_seconds, office.desk.master
    for epoch in range(first, first + count):
        ends = epoch_until(epoch, seconds=seconds)
        yield EpochLeaf(
            epoch, epoch_root(epoch_seed(master, epoch), epoch, {}), ends + dt.timedelta(seconds=1)
        )
