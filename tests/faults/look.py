"""What must hold at the very moment of a crash, after the restart, and at the end. Each breach is one line.

The numbers are those of the invariants (design: I1 log before release, I4 nothing acknowledged is lost, I5 no
second release, I6 the public log only grows). `fsck` looks at everything else.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.case import Case
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import Desk, read_pins
from dueprocess.errors import DueprocessError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.publication.log import read_log_file
from dueprocess.tlog.checkpoint import Checkpoint, open_checkpoint
from dueprocess.tlog.policy import parse_policy
from dueprocess.tlog.tilereader import TileReader
from faults.stages import PAPER

CANARIES = (b"canary words", b"@eva", b"@finn", PAPER.encode(), b"192.0.2.")
"""Words of the platform and of papers. In the installation they may stand only in letters, in the outbox."""

RELEASED = ("answer.age", "again.age", "rival.age")
"""Where a parcel may be handed over to, beside the installation."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a stranger who copied the public folder at this moment holds."""

    published: Checkpoint | None


def at_the_crash(folder: Path, floor: int = 0) -> tuple[Moment, list[str]]:
    """The public log exactly as it lies there, and whether something secret lies in the open. Opens no database."""
    root, wrong = folder / "install", list[str]()
    published: Checkpoint | None = None
    pins, checkpoint = root / "worker" / "pins.json", root / "log" / "checkpoint"
    if checkpoint.exists():
        try:
            policy = parse_policy(read_pins(pins).policy)
            published = open_checkpoint(checkpoint.read_bytes(), policy).checkpoint
            for _ in TileReader(lambda path: read_log_file(root / "log", path), published).audit():
                pass
        except DueprocessError as error:
            wrong.append(f"I6 the published log does not verify: {error.what} {error.why}")
    if published is not None and published.size < floor:
        wrong.append(f"I6 the published log went back from {floor} leaves to {published.size}")
    wrong += [f"I1 plaintext in {path}" for path in _in_the_open(root)]
    return Moment(published), wrong


def _in_the_open(root: Path) -> Iterator[str]:
    outbox = root / "outbox"
    for path in sorted(root.rglob("*")):
        if path.is_file() and outbox not in path.parents:
            found = path.read_bytes()
            if any(each in found for each in CANARIES):
                yield path.relative_to(root).as_posix()


def releases(desk: Desk, folder: Path) -> list[str]:
    """I1 and I5: what lies outside was recorded and sealed before, and is one parcel handed over once."""
    wrong = list[str]()
    outside = [folder / name for name in RELEASED if (folder / name).exists()]
    cases = [load_case(line.case_id) for line in docket()]
    kinds = [event.kind for case in cases for event in case.events]
    begun, failed = kinds.count("DeliveryStarted"), kinds.count("DeliveryFailed")
    if len(outside) > begun:
        wrong.append(f"I1 {len(outside)} parcels lie outside, {begun} hand-overs are recorded as begun")
    if begun - failed > 1 or kinds.count("ParcelDelivered") > 1:
        wrong.append(
            f"I5 handed over {begun - failed} times, {kinds.count('ParcelDelivered')} times recorded"
        )
    known = {digest: sealed for case in cases for digest, sealed in _parcels(case)}
    for path in outside:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in known:
            wrong.append(f"I1 {path.name} is no parcel that history names")
        elif not known[digest]:
            wrong.append(f"I1 {path.name} was handed over before its record was sealed")
    if kinds.count("ParcelDelivered") > len(outside) and not (folder / "parcel.age").exists():
        wrong.append("I5 a hand-over is recorded and there is no parcel outside")
    return wrong


def _parcels(case: Case) -> Iterator[tuple[str, bool]]:
    records = ledger.records_of(case.case_id)
    for event in case.events:
        if event.kind == "DataProduced":
            yield event.text("parcel_sha256"), records[event.case_seq].epoch is not None


def letters(desk: Desk) -> list[str]:
    """A letter that lies in the outbox was recorded as begun."""
    wrong = list[str]()
    for line in docket():
        kinds = [event.kind for event in load_case(line.case_id).events]
        if any(desk.installation.outbox.glob(f"{line.case_id[:8]}-*")) and "NoticeStarted" not in kinds:
            wrong.append("I8 a letter lies in the outbox, and no notice is recorded as begun")
    return wrong


def seen(desk: Desk) -> list[str]:
    """The worker remembers every head on which a production relied."""
    path = desk.installation.worker / "seen-checkpoint"
    relied = [0]
    for line in docket():
        events = load_case(line.case_id).events
        relied += [int(str(e.body["log_size"])) for e in events if e.kind == "ProductionStarted"]
    if max(relied) == 0:
        return []
    try:
        kept = open_checkpoint(path.read_bytes(), desk.policy.unwitnessed).checkpoint.size
    except (OSError, DueprocessError) as error:
        return [f"I6 the worker's last seen head is gone: {error}"]
    return (
        [f"I6 a production relied on {max(relied)} leaves, the worker remembers {kept}"]
        if kept < max(relied)
        else []
    )


def after_restart(desk: Desk, moment: Moment) -> list[str]:
    """`fsck` finds nothing, the log is whole, continues what was public, and holds no leftovers."""
    wrong = [f"fsck {fault.table} {fault.row}: {fault.what}" for fault in check_everything(desk)]
    head = ledger.head()
    data = desk.read_log("checkpoint")
    opened = open_checkpoint(data, desk.policy)
    if head is None or opened.checkpoint.size != head.size:
        wrong.append("I6 after the restart the newest head is not published")
    reader = TileReader(desk.read_log, opened.checkpoint)
    if moment.published is not None and (
        moment.published.size > reader.size or reader.root_at(moment.published.size) != moment.published.root
    ):
        wrong.append("I6 the log is not a continuation of what was public at the crash")
    if opened.witnessed and head is not None and ledger.cosigned_at(head.size) is None:
        wrong.append("I6 a witnessed head is published whose cosignatures are not kept")
    left = [each.name for each in desk.installation.log.rglob(".new-*")]
    return wrong + [f"half a file is left in the public log: {name}" for name in left]
