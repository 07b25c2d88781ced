"""Collecting cosignatures for one head over as many turns as it takes, and who has been silent since when."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from dueprocess.errors import MalformedError
from dueprocess.publication.asking import TIMEOUT_SECONDS
from dueprocess.publication.standing import (
    MOST_SKEW,
    Evidence,
    clock_doubt,
    refuse_contradiction,
    refuse_shown,
)
from dueprocess.publication.witnesses import (
    Contradiction,
    Reply,
    Submission,
    check_addresses,
    show_all,
    submit_all,
)
from dueprocess.tlog.checkpoint import add_cosignatures
from dueprocess.tlog.note import Vkey, parse_note, verify_note
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.tiles import ReadPath


@dataclass(frozen=True, slots=True)
class Outside:
    """How the log meets the world: where evidence is kept, whether its clock is a real one, how long it waits."""

    evidence: Path | None = None
    system_clock: bool = False
    """Only a real clock is compared with those of witnesses: a simulated one is declared in the log."""
    seconds: float = TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class Silence:
    """A witness that gave no cosignature: since when (of this program's run), and what was wrong."""

    name: str
    since: dt.datetime
    fault: str


@dataclass(slots=True)
class Collector:
    """What this program knows of the policy's witnesses. One for each program that publishes."""

    policy: Policy
    outside: Outside
    silent: dict[str, Silence] = field(default_factory=dict)
    in_doubt: bool = False
    """Whether a quorum of witnesses tells another time than our clock. Nothing is signed until they agree."""
    _unasked: set[str] = field(default_factory=set)
    _sizes: dict[str, int] = field(default_factory=dict)
    _note: bytes = b""
    _skews: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_addresses(self.policy)
        self._unasked = {each.name for each in self.policy.witnesses}

    @property
    def _evidence(self) -> Evidence:
        return Evidence(self.outside.evidence)

    def look(self, origin: str, now: dt.datetime) -> None:
        """Asks each witness that has not answered yet what it saw last; refuses to go on where that is not ours.

        One that does not answer is asked again before the next signature.
        """
        unasked = [each for each in self.policy.witnesses if each.name in self._unasked]
        if not unasked:
            return
        ahead: dict[str, int] = {}
        for shown in show_all(unasked, origin, self.policy, seconds=self.outside.seconds):
            refuse_shown(shown, self._evidence, now)
            if shown.fault:
                self._hear_nothing(shown.name, shown.fault, now)
                continue
            self._unasked.discard(shown.name)
            if shown.checkpoint is not None:
                self._sizes[shown.name] = shown.checkpoint.size
                ahead[shown.name] = max(0, shown.signed_at - int(now.timestamp()))
        self._refuse_late(ahead)

    def collect(self, note: bytes, read: ReadPath, now: dt.datetime) -> bytes:
        """The note with every cosignature that could be had, those of earlier turns included.

        Raises ``BrokenError`` where a witness saw another log, ``UnavailableError`` where the quorum is met
        only by clocks that are far from ours.
        """
        if not self._note or parse_note(self._note).text != parse_note(note).text:
            self._note, self._skews = note, {}
        signed = cosigners(self._note, self.policy)
        waiting = [each for each in self.policy.witnesses if each.vkey not in signed]
        submission = Submission(self._note, read, self.policy, self.outside.seconds)
        for reply in submit_all(submission, waiting, self._sizes):
            self._take(reply, submission, now)
        self._refuse_clock()
        return self._note

    def _take(self, reply: Reply, submission: Submission, now: dt.datetime) -> None:
        if reply.contradiction is not None:
            self._contradicted(reply.name, reply.contradiction, submission, now)
        if not reply.signed_at:
            self._hear_nothing(reply.name, reply.fault or "somebody else showed it a newer head", now)
            return
        self.silent.pop(reply.name, None)
        self._unasked.discard(reply.name)
        self._sizes[reply.name] = submission.head.size
        self._skews[reply.name] = reply.signed_at - int(now.timestamp())
        self._note = add_cosignatures(self._note, reply.lines, self.policy)

    def _contradicted(
        self, name: str, claim: Contradiction, submission: Submission, now: dt.datetime
    ) -> None:
        witness = [each for each in self.policy.witnesses if each.name == name]
        shown = show_all(witness, submission.head.origin, self.policy, seconds=self.outside.seconds)
        refuse_contradiction(name, claim, shown[0], self._evidence, now)

    def _hear_nothing(self, name: str, fault: str, now: dt.datetime) -> None:
        since = self.silent[name].since if name in self.silent else now
        self.silent[name] = Silence(name, since, fault)

    def _refuse_late(self, ahead: dict[str, int]) -> None:
        """Our clock is wrong where a quorum signed, long ago, at times that are still to come for us."""
        far = [each.vkey for each in self.policy.witnesses if _is_far(ahead.get(each.name, 0))]
        if self.outside.system_clock and far and self.policy.satisfied(far):
            self._unasked.update(ahead)
            raise clock_doubt(ahead)

    def _refuse_clock(self) -> None:
        signed = cosigners(self._note, self.policy)
        far = {name for name, skew in self._skews.items() if _is_far(skew)}
        near = [each.vkey for each in self.policy.witnesses if each.vkey in signed and each.name not in far]
        self.in_doubt = (
            self.outside.system_clock and self.policy.satisfied(signed) and not self.policy.satisfied(near)
        )
        if self.in_doubt:
            skews, self._note = self._skews, b""  # so that all are asked again, and tell their times again
            raise clock_doubt(skews)


def _is_far(skew: int) -> bool:
    return abs(skew) > MOST_SKEW.total_seconds()


def cosigners(note: bytes, policy: Policy) -> frozenset[Vkey]:
    """The keys of the policy's witnesses whose cosignatures stand under a note."""
    try:
        verified = verify_note(parse_note(note), [each.vkey for each in policy.witnesses])
    except MalformedError:
        return frozenset()
    return frozenset(each.vkey for each in verified)
