"""`recover-log`: an installation that was set back to an older copy goes on from what the world has seen of its log.

What the log published stays published, so its leaves and heads are brought back from a public copy. What the
database alone knew since then (events, records) is lost for good: the log says so, two people answer for it, and
decisions from before are void. Each part can be run again; the mark in worker/ stands until all is done.

Source: security.md 2.6 row 20, 5.3; formats.md, "Rosters" and "Gate".
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, chain
from typing import Final

from dueprocess.cases.case import Case
from dueprocess.cases.logrules import Recovery, recovery_document
from dueprocess.cases.notify import notice_rule, owed_notice
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.logrules import decide
from dueprocess.desk.outside import Read, World, look_around, refuse_fork
from dueprocess.desk.restored import Restored, mark, read_mark, restored_path, unmark
from dueprocess.desk.site import write_site
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import ledger, sealed
from dueprocess.history.append import load_case
from dueprocess.history.connection import append_lock
from dueprocess.history.docket import going
from dueprocess.publication.durable import exclusively
from dueprocess.publication.signer import LogSigner
from dueprocess.publication.standing import JITTER, signing_time
from dueprocess.tlog.checkpoint import Checkpoint, open_checkpoint
from dueprocess.tlog.leaf import EpochLeaf, IncidentLeaf, PolicyLeaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.wire import b64, instant

LOST: Final = "store-restored"
VOID_STAGES = ("proposed", "approved", "producing", "produced")
_BATCH = 256
_SOURCE = "security.md 2.6, row 20"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was lost, and what people have to look at now."""

    recovery: Recovery
    witnessed: bool
    """Whether the head that was recovered to meets the policy's quorum."""
    heads: tuple[tuple[str, int], ...]
    """(where, size) of each head that was found."""
    silent: tuple[str, ...]
    policies: tuple[int, ...]
    """Numbers of policies that the public log tells and history has lost."""
    again: tuple[tuple[str, str], ...]
    """(case, target) of each decision that is void now."""
    letters: tuple[tuple[str, str, str], ...]
    """(case, target, what) of each letter that goes out soon, or waits for an order's end that may have moved."""


def recover(
    desk: Desk,
    copy: Read | None,
    signers: Sequence[FileKey],
    now: dt.datetime,
    *,
    despite_silence: bool = False,
) -> Recovered:
    """Recovers the log with two people against the longest head that copies and witnesses hold. Can be run again.

    Refuses one person, a fork, a copy that ends too early, and an installation that is not behind.
    """
    if len({each.person for each in signers}) < 2:
        raise RefusedError(
            "two-people",
            "Recovering the log needs two different people.",
            why="One person alone could otherwise set the database back and explain away what vanished.",
            do="Name both: --signer KEY --signer KEY.",
            source=_SOURCE,
        )
    world = look_around(desk, copy, despite_silence=despite_silence)
    refuse_fork(desk, world, now)
    with exclusively(desk.installation.root):  # two at once would decide the same recovery twice
        marked = _marked(desk, world, now)
        recovery = _decided(desk, world, marked, signers, now)
        _bring_back(desk, world, now)
        _say_publicly(desk, recovery, now)
        unmark(desk.installation)
    write_site(desk)
    return _told(desk, world, recovery, now)


def _marked(desk: Desk, world: World, now: dt.datetime) -> Restored:
    """How far the database was before anything was brought back. Refuses one that is not behind."""
    found = read_mark(desk.installation)
    if found is not None:
        return found
    head = ledger.newest_head()
    size, root = (head.size, head.root) if head is not None else (0, "")
    if world.size <= size:
        raise RefusedError(
            "nothing-to-recover",
            f"The database is not behind: it has {size} leaves, and no head that was found has more.",
            do="If something else is wrong, run dueprocess fsck.",
        )
    # A copy that came without `restore`: from here on it may not sign either, until all of this is done.
    found = Restored(instant(now), None, size, root, sealed.last_number())
    mark(restored_path(desk.installation), found)
    return found


# ---------------------------------------------------------------------------------------------- deciding


def _decided(
    desk: Desk, world: World, marked: Restored, signers: Sequence[FileKey], now: dt.datetime
) -> Recovery:
    """The decision of two people, taken now, or by an interrupted run for this very state of the world."""
    found = desk.log_rules().recovery
    head = ledger.newest_head()
    size = head.size if head is not None else 0
    fresh = found is not None and _number_of(desk, found) > marked.ledger_seq
    if found is not None and fresh and world.size <= max(found.log_size, size):
        return found
    wanted = Recovery(
        marked.head_size,
        world.size,
        world.newest.checkpoint.root.hex(),
        _lost(_entries(world, marked.head_size, size), now),
    )
    document = recovery_document(wanted, origin=desk.pins.origin, nonce=b64(secrets.token_bytes(32)))
    decide(desk, "LogRecovered", document, signers, now)
    decided = desk.log_rules().recovery
    assert decided is not None
    return decided


def _number_of(desk: Desk, recovery: Recovery) -> int:
    """The ledger number of the recovery's own record."""
    return ledger.records_of(desk.stream)[recovery.event].ledger_seq


def _entries(world: World, start: int, have: int) -> Iterator[bytes]:
    """Public leaves from ``start`` on: those that the database has, then those of the copy."""
    ours = (each.encode() for each in ledger.stream_entries(start, min(have, world.size)))
    return chain(ours, world.reader.entries(max(start, have), world.size))


def _lost(entries: Iterator[bytes], now: dt.datetime) -> tuple[int, int] | None:
    """The first and last epoch among these leaves. Refuses a clock that stands before the last of them."""
    first: EpochLeaf | None = None
    last: EpochLeaf | None = None
    for entry in entries:
        leaf = parse_leaf(entry)
        if isinstance(leaf, EpochLeaf):
            first, last = first or leaf, leaf
    if first is None or last is None:
        return None
    if last.closed_at > now + JITTER:
        raise UnavailableError(
            "clock-ran-back",
            f"The clock shows {instant(now)}, but the log was last signed at {instant(last.closed_at)}.",
            why="A log is never dated back.",
            do="Set the clock right and run the same command again.",
            source=_SOURCE,
        )
    return first.epoch, last.epoch


# ---------------------------------------------------------------------------------------------- bringing back


def _bring_back(desk: Desk, world: World, now: dt.datetime) -> None:
    """Stores the leaves that the database lacks, each with a head of its size, a batch in a transaction.

    The log signs these sizes again. That says nothing new: each is a prefix of the one tree that is published and
    witnessed already, so no two signatures of this log can contradict each other.
    """
    head = ledger.newest_head()
    have = head.size if head is not None else 0
    frontier = Frontier().extend(leaf_hash(each.encode()) for each in ledger.stream_entries(0, have))
    if head is not None and frontier.root.hex() != head.root:
        raise BrokenError(
            "log-altered", "The leaves in the database do not give the root that was signed.",
            do="Stop. Run dueprocess fsck; restore another backup.",
        )  # fmt: skip
    place = desk.installation
    signer = LogSigner.open(place.origin, place.keys)
    at = signing_time(head, signer, now)
    for some in batched(world.reader.entries(have, world.size), _BATCH):
        with append_lock():
            for entry in some:
                frontier = frontier.append(leaf_hash(entry))
                signed = signer.sign(Checkpoint(place.origin, frontier.size, frontier.root), at)
                stored = ledger.Head(frontier.size, frontier.root.hex(), signed)
                ledger.add_leaf(frontier.size - 1, entry.decode(), stored)


def _say_publicly(desk: Desk, recovery: Recovery, now: dt.datetime) -> None:
    """The log itself says which epochs the database has lost, once; then it is published."""
    log = desk.log(recovering=True)
    if recovery.lost is None:
        log.publish(now)
        return
    said = IncidentLeaf(LOST, *recovery.lost)
    head = ledger.newest_head()
    after = ledger.stream_entries(recovery.log_size, head.size if head is not None else 0)
    if any(parse_leaf(each.encode()) == said for each in after):
        log.publish(now)
        return
    log.add(said, now)


# ---------------------------------------------------------------------------------------------- telling


def void_targets(desk: Desk) -> Callable[[Case], frozenset[str]]:
    """For a case, the targets whose decision is void because the log was recovered after it was proposed."""
    older = decided_before(desk)
    return lambda case: frozenset(ref for ref in older(case) if case.target(ref).stage in VOID_STAGES)


def decided_before(desk: Desk) -> Callable[[Case], frozenset[str]]:
    """For a case, the targets that were decided before the newest recovery: what came after may be lost."""
    recovery = desk.log_rules().recovery
    if recovery is None:
        return lambda _: frozenset()
    number = _number_of(desk, recovery)

    def older(case: Case) -> frozenset[str]:
        rows = ledger.records_of(case.case_id)
        last = max((at for at, row in rows.items() if row.ledger_seq < number), default=0)
        return frozenset(
            ref
            for ref, state in case.targets.items()
            if (first := state.decision or (state.hold.started if state.hold else None))
            and first.case_seq <= last
        )

    return older


def _told(desk: Desk, world: World, recovery: Recovery, now: dt.datetime) -> Recovered:
    void = void_targets(desk)
    cases = [load_case(line.case_id) for line in going()]
    return Recovered(
        recovery=recovery,
        witnessed=_witnessed(desk, world),
        heads=tuple((each.where, each.checkpoint.size) for each in world.heads),
        silent=tuple(each.name for each in world.silent),
        policies=tuple(_lost_policies(desk, recovery)),
        again=tuple((case.case_id, ref) for case in cases for ref in sorted(void(case))),
        letters=tuple(each for case in cases for each in _letters(case, now)),
    )


def _witnessed(desk: Desk, world: World) -> bool:
    """Whether somebody holds the longest head with a quorum's cosignatures under it."""
    notes = [each.note for each in world.heads if each.checkpoint == world.newest.checkpoint]
    return any(_is_witnessed(desk, note) for note in notes)


def _is_witnessed(desk: Desk, note: bytes) -> bool:
    try:
        return open_checkpoint(note, desk.policy).witnessed
    except MalformedError:
        return False


def _lost_policies(desk: Desk, recovery: Recovery) -> Iterator[int]:
    known = desk.log_rules().newest.number
    for entry in ledger.stream_entries(recovery.database_size, recovery.log_size):
        leaf = parse_leaf(entry.encode())
        if isinstance(leaf, PolicyLeaf) and leaf.number > known:
            yield leaf.number


def _letters(case: Case, now: dt.datetime) -> Iterator[tuple[str, str, str]]:
    for ref, state in case.targets.items():
        rule = notice_rule(state)
        if (phase := owed_notice(state, now)) is not None:
            yield case.case_id, ref, f"the letter {phase!r} is due now"
        elif rule.get("rule") == "delayed_until" and "after" not in state.notified:
            yield case.case_id, ref, f"an order not to tell runs until {rule.get('until') or 'it is lifted'}"
