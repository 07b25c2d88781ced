"""What the production worker proves from the public log by itself, before it believes anything else.

It opens the checkpoint with the policy that its pins and two people's decisions give, refuses a log that ran back
or forked since it last looked, rebuilds every epoch root from seeds and records, and reads every record of the
case and of the rosters. So an event that was deleted, added or changed after sealing cannot pass.

Source: formats.md, "Gate".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.logproof import LogProof
from dueprocess.cases.logrules import VERDICTS, LogRules, Waiver
from dueprocess.cases.rosters import fold_log_rules
from dueprocess.errors import BrokenError, ConflictError, RefusedError
from dueprocess.history import ledger, recommit, sealed
from dueprocess.history.append import load_events
from dueprocess.history.ledger import LedgerRecord
from dueprocess.production.epochs import Walked, check_complete, walk
from dueprocess.production.head import DO, SOURCE, accepted_head, remember
from dueprocess.production.seen import Sealed, Witnessed
from dueprocess.tlog.leaf import IncidentLeaf
from dueprocess.tlog.policy import NO_QUORUM
from dueprocess.wire import sha256_hex


@dataclass(frozen=True, slots=True)
class LogView:
    """The worker's own way to the log: files, pinned founders and policy, epoch master, keys, the last head it saw."""

    read: Callable[[str], bytes]
    origin: str
    founding_sha256: str
    policy: bytes
    master: bytes
    case_key: Callable[[str], bytes]
    roster_stream: str
    epoch_seconds: int
    seen: Path


@dataclass(frozen=True, slots=True)
class Proved:
    """What the log proved, and the events that it was proved about: of the case and of the rosters, by digest."""

    log: LogProof
    events: Mapping[str, tuple[str, ...]]


def prove_log(view: LogView, case_id: str) -> Proved:
    """What the log proves about one case and the rosters. Raises where it proves the contrary.

    The head is kept, so that an older one is refused from now on.
    """
    records = sealed.every_record()
    case_events = _sealed_events(view, case_id, records)
    roster_events = _sealed_events(view, view.roster_stream, records)
    rules = fold_log_rules(
        (event for event, _ in roster_events),
        origin=view.origin, root=view.founding_sha256, policy=view.policy,
    )  # fmt: skip
    head = accepted_head(view.read, rules, view.origin, view.seen)
    demanded = rules.policy.quorum != NO_QUORUM
    walked = walk(head.reader, view.master, records, sealed.every_epoch(), behind=demanded)
    check_complete(walked, [each.lost for each in rules.recoveries if each.lost is not None])
    _check_policies(rules, walked)
    witnessed = Witnessed(head, rules, walked.leaf_of, view.epoch_seconds)
    witnessed.rules_sealed(roster_events)
    if rules.waiver is not None and not head.opened.witnessed:
        _check_waiver_told(rules.waiver, walked, view.epoch_seconds)
        witnessed.check_waiver(rules.waiver)
    if walked.newest is None:
        raise RefusedError("not-sealed", "No epoch is closed yet.", do="Wait for the epoch to close.")
    log = LogProof(
        sealed_at=witnessed.seen(case_events),
        roster_sealed_at=witnessed.seen(roster_events),
        read_to=len(records),
        head_size=head.checkpoint.size,
        head_at=witnessed.head_at(walked.newest),
        witnessed=head.opened.witnessed,
        demanded=demanded,
        waiver=rules.waiver,
        recovered_after=_recovered_after(rules, case_events, roster_events),
    )
    remember(view.seen, head.data)
    streams = {case_id: case_events, view.roster_stream: roster_events}
    return Proved(log, {each: tuple(e.sha256 for e, _ in rows) for each, rows in streams.items()})


def look_again(view: LogView, proved: Proved) -> None:
    """Under the append lock: what was proved still stands, and whatever came since has its record.

    Without it, an event that is hidden only while the case is folded would go unseen.
    """
    sealed.check_newest()
    for case_id, digests in proved.events.items():
        now = [event for event, _ in _sealed_events(view, case_id)]
        if tuple(event.sha256 for event in now[: len(digests)]) != digests:
            raise BrokenError(
                "history-moved",
                f"The events of {case_id[:8]} are not those that were proved a moment ago.",
                why="Somebody changed the tables while the worker looked.",
                do=DO,
                source=SOURCE,
            )
        if any(event.kind in VERDICTS for event in now[len(digests) :]):
            raise ConflictError(
                "log-rules-moved",
                "Two people decided something about the log a moment ago.",
                do="Run the same command again: it looks at the log by the new rules.",
                source=SOURCE,
            )


def _sealed_events(
    view: LogView, case_id: str, records: Sequence[LedgerRecord] | None = None
) -> list[Sealed]:
    """Each event of a stream with its ledger record. Refuses one that is missing on either side, or differs."""
    events = load_events(case_id)
    if not events:
        raise RefusedError("no-such-case", f"There are no events of {case_id[:8]}.")
    for number, what in recommit.faults(events, view.case_key(case_id)):
        raise BrokenError("record-differs", f"Event {number} of {case_id[:8]} {what}.", do=DO, source=SOURCE)
    rows = _rows(case_id, records)
    if len(rows) != len(events):
        raise BrokenError(
            "event-missing",
            f"The ledger knows {len(rows)} events of {case_id[:8]}, the case has {len(events)}.",
            why="An event was removed.",
            do=DO,
            source=SOURCE,
        )
    return [(event, rows[event.case_seq]) for event in events]


def _rows(case_id: str, records: Sequence[LedgerRecord] | None) -> Mapping[int, LedgerRecord]:
    if records is None:
        return ledger.records_of(case_id)
    return {each.case_seq: each for each in records if each.case_id == case_id}


def _recovered_after(rules: LogRules, case: Sequence[Sealed], roster: Sequence[Sealed]) -> int:
    """The number of the case's newest event with an older ledger number than the last recovery, or 0."""
    if rules.recovery is None:
        return 0
    (recovered,) = (record.ledger_seq for event, record in roster if event.case_seq == rules.recovery.event)
    return max((event.case_seq for event, record in case if record.ledger_seq < recovered), default=0)


def _check_policies(rules: LogRules, walked: Walked) -> None:
    """Refuses a policy that the log itself does not tell, and one that the log tells and history does not."""
    told = {(leaf.number, leaf.witness_policy_sha256) for _, leaf in walked.policies}
    known = {(each.number, sha256_hex(each.text)) for each in rules.policies}
    recovered_to = rules.recovery.log_size if rules.recovery is not None else 0
    later = {(leaf.number, leaf.witness_policy_sha256) for at, leaf in walked.policies if at >= recovered_to}
    if odd := sorted(known - told) + sorted(later - known):
        raise BrokenError(
            "policy-differs",
            f"Policy {odd[0][0]} of the public log is not the one that is pinned or that two people signed.",
            why="The pinned policy was exchanged, a change was removed from history, or it is not published yet.",
            do="Look at worker/pins.json and its copy. After an interrupted change, run the same "
            "dueprocess policy change again.",
            source=SOURCE,
        )


def _check_waiver_told(waiver: Waiver, walked: Walked, epoch_seconds: int) -> None:
    """Refuses a waiver that the public log does not tell: going on unwitnessed is marked for ever, and first."""
    if IncidentLeaf("witness-lost", *waiver.epochs(epoch_seconds)) not in walked.incidents:
        raise RefusedError(
            "waiver-not-public",
            "Two people let work go on without witnesses, and the public log does not say so yet.",
            do="Run the same dueprocess unwitnessed again: it writes the entry.",
            source=SOURCE,
        )
