"""Following a log from outside: what changed since the last look, and whether the log kept its promises.

Nobody needs to trust the operator for this: the policy names the keys, the entries name the rules, and the last
good checkpoint is remembered. Every finding brings the files that show it, so that others can check it again
(``evidence``).

Source: C2SP tlog-checkpoint, tlog-tiles, tlog-policy; RFC 9162 section 2.1.4; specs/tlog/README.md.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog import shape
from dueprocess.tlog.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint, parse_checkpoint
from dueprocess.tlog.epoch import epoch_until
from dueprocess.tlog.leafrules import Finding, LeafRules, rules_from_json
from dueprocess.tlog.note import Vkey, parse_note
from dueprocess.tlog.policy import NO_QUORUM, Policy
from dueprocess.tlog.proof import LogProof, format_proof
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import ReadPath
from dueprocess.wire import Json, b64, canonical

EPOCHS_LATE = 2
"""The newest epoch may have ended this many epochs ago, and the witnesses' time stamps may be as old."""

MOST_OF_A_KIND = 10
"""Findings of one kind in one look; the rest is counted, so that a spoilt log cannot fill a disk."""

BEFORE, NOW, CONSISTENCY, FILES = "checkpoint.before", "checkpoint", "consistency.json", "log/"
"""Names in an evidence folder: the last good head, the new one, how they differ, and files of the log."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a watcher believes before it looks: the policy, and the digest of the file that it came in."""

    policy: Policy
    sha256: str

    def log_vkeys(self, origin: str) -> tuple[Vkey, ...]:
        return tuple(each.vkey for each in self.policy.logs if each.vkey.name == origin)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered between two looks: the last good checkpoint, and what its entries said."""

    checkpoint: bytes
    head: Checkpoint
    rules: LeafRules
    """Never read from again: the next look works on a copy."""

    def as_json(self) -> dict[str, Json]:
        return {"checkpoint": self.checkpoint.decode(), "rules": self.rules.as_json()}


def watched_from_json(value: Json) -> Watched:
    """Inverse of ``Watched.as_json``. Raises ``MalformedError`` and nothing else; verifies no signature."""
    found = shape.members(value, ("checkpoint", "rules"), "what is remembered of the log")
    checkpoint = shape.text(found["checkpoint"], "the last checkpoint").encode()
    head = parse_checkpoint(parse_note(checkpoint).text)
    return Watched(checkpoint, head, rules_from_json(found["rules"]))


class _Findings:
    """The first of each kind, and how many more there are: memory stays small whatever the log holds."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._seen: Counter[str] = Counter()
        self._last: dict[str, Finding] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        for each in findings:
            self._seen[each.kind] += 1
            self._last[each.kind] = each
            if self._seen[each.kind] <= MOST_OF_A_KIND:
                self._kept.append(each)

    def all(self) -> tuple[Finding, ...]:
        more = {kind: number - MOST_OF_A_KIND for kind, number in self._seen.items()}
        rest = [
            replace(each, told=f"{more[kind]} more of the same; the last one: {each.told}")
            for kind, each in self._last.items()
            if more[kind] > 0
        ]
        return (*self._kept, *rest)


@dataclass(frozen=True, slots=True)
class Followed:
    """One look at a log. ``watched`` is what to remember: the old state where the log cannot be believed."""

    findings: tuple[Finding, ...]
    watched: Watched | None
    opened: OpenedCheckpoint | None = None

    @property
    def alarms(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.severity == "alarm")


def follow(
    before: Watched | None, checkpoint: bytes, read: ReadPath, trust: Trust, *, now: dt.datetime
) -> Followed:
    """What is to be said about the log's new checkpoint, after the last good one.

    ``read`` gives the log's files; what it raises (``UnavailableError``) is raised. With no last good one, the
    whole log is read: this is when a watcher starts to trust it.
    """
    try:
        opened, weak = open_head(checkpoint, trust)
    except MalformedError as error:
        told = f"What the log shows as its signed head cannot be believed: {error.what}"
        return Followed((Finding("false-head", "alarm", told, evidence={NOW: checkpoint}),), before)
    reader = TileReader(read, opened.checkpoint)
    rules = _rules(before, opened, trust)
    findings = _Findings()
    findings.add(weak)
    try:
        bad = _grown(before, checkpoint, reader, opened.checkpoint, read)
        if bad is not None:
            findings.add([bad])
            return Followed(findings.all(), before, opened)
        for index in range(rules.leaves, reader.size):
            findings.add(rules.read(index, reader.entry(index)))
    except MalformedError as error:
        findings.add([_damaged(before, checkpoint, opened.checkpoint, rules.leaves, read, error)])
        return Followed(findings.all(), before, opened)
    findings.add(head_findings(opened, rules, trust, now))
    shown = tuple(with_files(each, reader, checkpoint) for each in findings.all())
    return Followed(shown, Watched(checkpoint, opened.checkpoint, rules), opened)


def _rules(before: Watched | None, opened: OpenedCheckpoint, trust: Trust) -> LeafRules:
    if before is None:
        return LeafRules(trust.log_vkeys(opened.checkpoint.origin))
    return rules_from_json(before.rules.as_json())


def open_head(checkpoint: bytes, trust: Trust) -> tuple[OpenedCheckpoint, list[Finding]]:
    """A head that the log signed. One without enough witnesses is still the log's word, with an alarm beside it."""
    try:
        return open_checkpoint(checkpoint, trust.policy), []
    except MalformedError as error:
        if error.code != "quorum-not-met":
            raise
        opened = open_checkpoint(checkpoint, trust.policy.unwitnessed)
        told = (
            f"Too few independent timekeepers confirmed the head of {opened.checkpoint.size} entries"
            f" ({error.why})."
        )
        return opened, [Finding("too-few-witnesses", "alarm", told, evidence={NOW: checkpoint})]


# ------------------------------------------------------------------ growth


def _grown(
    before: Watched | None, checkpoint: bytes, reader: TileReader, head: Checkpoint, read: ReadPath
) -> Finding | None:
    """None where the new head holds everything that the last good one held."""
    reader.check_root()
    if before is None:
        return None
    files = {BEFORE: before.checkpoint, NOW: checkpoint}
    if head.origin != before.head.origin:
        told = f"This is another log: {head.origin}, not {before.head.origin}."
        return Finding("other-log", "alarm", told, evidence=files)
    if head.size > before.head.size:
        return _forked(before.head, head, reader, files)
    if head.size < before.head.size:
        return _shrunk(before, head, read, files)
    if head.root != before.head.root:
        return _fork(f"Two heads of {head.size} entries are different.", files)
    return None


def _shrunk(before: Watched, head: Checkpoint, read: ReadPath, files: dict[str, bytes]) -> Finding:
    """Fewer entries than before: a fork where the old files still show that this is no beginning of them."""
    try:
        forked = _forked(head, before.head, TileReader(read, before.head), files)
    except (MalformedError, UnavailableError):
        forked = None
    if forked is not None:
        return forked
    told = f"The log had {before.head.size} entries and now shows {head.size}: entries were taken away."
    return Finding("rollback", "alarm", told, evidence=files)


def _forked(
    small: Checkpoint, large: Checkpoint, reader: TileReader, files: dict[str, bytes]
) -> Finding | None:
    """The proof that the larger tree does not begin with the smaller one, or None where it does."""
    root = reader.root_at(small.size)
    if root == small.root:
        return None
    proof: dict[str, Json] = {
        "v": 1,
        "small_size": small.size,
        "small_root": b64(root),
        "large_size": large.size,
        "hashes": [b64(each) for each in reader.consistency_proof(small.size)],
    }
    told = (
        f"The log signed a head of {small.size} entries and one of {large.size}, and the first {small.size} entries"
        " under the second are others."
    )
    return _fork(told, {**files, CONSISTENCY: canonical(proof)})


def _fork(what: str, files: dict[str, bytes]) -> Finding:
    told = f"{what} The operator, or somebody with its key, signed two different histories."
    return Finding("fork", "alarm", told, evidence=files)


# ------------------------------------------------------------------ files


def _damaged(  # noqa: PLR0917  all of it is what happened
    before: Watched | None,
    checkpoint: bytes,
    head: Checkpoint,
    index: int,
    read: ReadPath,
    error: MalformedError,
) -> Finding:
    """Fetches what did not fit once more, and keeps it. Raises ``UnavailableError`` where it fits now."""
    files: dict[str, bytes] = {}

    def keep(path: str) -> bytes:
        files[f"{FILES}{path}"] = read(path)
        return files[f"{FILES}{path}"]

    reader = TileReader(keep, head)
    try:
        reader.check_root()
        if before is not None:
            reader.root_at(min(before.head.size, head.size))
        if index < head.size:
            reader.entry(index)
    except MalformedError as again:
        told = f"{again.what} The head is signed for other content than these files have."
        return Finding("wrong-files", "alarm", told, evidence={NOW: checkpoint, **files})
    raise UnavailableError(
        "came-damaged", "A file of the log came damaged, and whole the second time.", why=error.what
    ) from error


def with_files(finding: Finding, reader: TileReader, checkpoint: bytes) -> Finding:
    """The finding with each entry that it names and the proof that the entry is in this log."""
    files = {NOW: checkpoint} if finding.severity == "alarm" else {}
    for index in finding.leaves:
        proof = LogProof(index, reader.inclusion_proof(index), checkpoint)
        files[f"entry-{index:010d}.json"] = reader.entry(index)
        files[f"entry-{index:010d}.tlog-proof"] = format_proof(proof)
    return replace(finding, evidence=files)


# ------------------------------------------------------------------ head


def head_findings(
    opened: OpenedCheckpoint, rules: LeafRules, trust: Trust, now: dt.datetime
) -> Iterator[Finding]:
    """What is to be said about the head as a whole: its keys, its witnesses, and whether it is on time."""
    origin = opened.checkpoint.origin
    missing = [each for each in trust.log_vkeys(origin) if each not in opened.log_vkeys]
    if missing:
        kinds = " and ".join(f"0x{each.algorithm:02x}" for each in missing)
        told = f"The head lacks the log's signature of type {kinds}; the other one is there and good."
        yield Finding("signature-missing", "notice", told)
    cosigned = {name for name, _ in opened.witnesses}
    silent = [each.vkey.name for each in trust.policy.witnesses if each.vkey.name not in cosigned]
    if silent:
        told = f"These independent timekeepers did not confirm the head: {', '.join(silent)}."
        yield Finding("witness-missing", "notice", told)
    if trust.policy.quorum == NO_QUORUM:
        told = (
            "The policy asks for no independent timekeeper: the operator alone vouches for the times,"
            " and for there being one log only."
        )
        yield Finding("unwitnessed", "notice", told)
    if rules.policy is None:
        told = "The log has no entry with its rules, so nobody can say when an entry is due."
        yield Finding("no-rules", "alarm", told, (0,) if rules.leaves else ())
        return
    at, policy = rules.policy
    if policy.witness_policy_sha256 != trust.sha256:
        told = (
            "The policy file that you use is not the one that the log names: keys or independent"
            " timekeepers changed, or the file did."
        )
        yield Finding("other-policy", "alarm", told, (at,))
    if policy.clock == "simulated":
        told = "This log runs on a simulated clock: it is a demonstration, and lateness was not looked at."
        yield Finding("simulated", "notice", told, (at,))
        return
    yield from _on_time(opened, rules, now)


def _on_time(opened: OpenedCheckpoint, rules: LeafRules, now: dt.datetime) -> Iterator[Finding]:
    assert rules.policy is not None
    at, policy = rules.policy
    slot = dt.timedelta(seconds=policy.epoch_seconds)
    shown = (at,) if rules.newest is None else tuple(sorted((at, rules.newest.index)))
    ended = _ended(rules)
    if rules.newest is not None and ended - now > slot:
        told = f"The log's newest time slot ends at {_at(ended)}, which is in the future by this computer's clock."
        yield Finding("from-the-future", "alarm", told, shown)
    if now - ended > EPOCHS_LATE * slot:
        told = (
            f"The newest time slot in the log ended at {_at(ended)}; at {_at(now)} nothing newer was there."
        )
        if rules.newest is None:
            told = (
                f"The log has rules and not one time slot; at {_at(now)} the first is more than a day late."
            )
        yield Finding("missed-cadence", "alarm", told, shown)
    elif opened.witnessed_at is not None and now - opened.witnessed_at > EPOCHS_LATE * slot:
        told = f"The independent timekeepers confirmed this last at {_at(opened.witnessed_at)}, too long ago."
        yield Finding("stale-witnesses", "alarm", told, shown)


def _ended(rules: LeafRules) -> dt.datetime:
    """When the newest epoch ended. Before the first: the day after the rules came into force."""
    assert rules.policy is not None
    policy = rules.policy[1]
    if rules.newest is None:
        day = dt.datetime.combine(policy.in_force_on, dt.time(), dt.UTC)
        return min(day, _LAST_DAY) + dt.timedelta(days=1)
    try:
        return epoch_until(rules.newest.epoch, seconds=policy.epoch_seconds)
    except MalformedError:
        return _LAST_DAY


_LAST_DAY = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def _at(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
