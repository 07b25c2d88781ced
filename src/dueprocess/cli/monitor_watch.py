"""One look after the other: fetch, follow, compare with what is remembered, keep evidence, remember."""

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from dueprocess.cli.monitor_fetch import Place
from dueprocess.cli.monitor_reports import check_reports
from dueprocess.cli.monitor_state import Memory, read_memory, write_evidence, write_memory
from dueprocess.cli.printing import working
from dueprocess.errors import EXIT_CODES, BrokenError, UnavailableError
from dueprocess.tlog import CHECKPOINT_PATH, OpenedCheckpoint, TileReader
from dueprocess.tlog.follow import Followed, Trust, follow, head_findings, open_head, with_files
from dueprocess.tlog.leafrules import Finding

ALARM = EXIT_CODES[BrokenError]
UNREACHED = EXIT_CODES[UnavailableError]
SECOND_LOOK = frozenset({"false-head", "wrong-files", "rollback"})
"""What a copy that was being exchanged can look like for a moment. Looked at twice before it is told."""
STANDING = frozenset({
    "fork", "rollback", "other-log", "false-head", "wrong-files", "too-few-witnesses", "missed-cadence",
    "stale-witnesses", "from-the-future", "other-policy", "no-rules", "bad-report", "other-report", "report-withheld",
})  # fmt: skip
"""Found again at each look until mended: told at each look, with one evidence folder."""


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as it is shown: ``new`` is whether it was not there at the last look."""

    finding: Finding
    new: bool
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What one look gave."""

    at: dt.datetime
    log: str
    told: tuple[Told, ...]
    opened: OpenedCheckpoint | None
    first: bool
    """Whether nothing was remembered before."""
    remembered: bool = False
    """Whether this head is what is remembered from now on."""
    unreachable: str = ""
    since: dt.datetime | None = None

    @property
    def alarms(self) -> tuple[Told, ...]:
        return tuple(each for each in self.told if each.finding.severity == "alarm")

    @property
    def exit_code(self) -> int:
        return ALARM if self.alarms else UNREACHED if self.unreachable else 0


@dataclass(slots=True)
class Watch:
    """One log, watched with one memory."""

    log: str
    place: Place
    site: Place | None
    trust: Trust
    policy: bytes
    folder: Path
    _said: set[str] = field(default_factory=set)
    """Notices of the last look: told once while they stay."""

    def look(self, now: dt.datetime) -> Round:
        """Looks once, keeps evidence and memory, and gives what is to be said."""
        with ExitStack() as places:
            for each in (self.place, self.site):
                if each is not None:
                    places.callback(each.close)
            return self._look(now)

    def _look(self, now: dt.datetime) -> Round:
        memory = read_memory(self.folder)
        first = memory.watched is None
        findings = self._other_file(memory)
        try:
            followed = self._follow(memory, now)
        except UnavailableError as error:
            return self._not_reached(memory, error, findings, now)
        findings += followed.findings
        if (
            followed.opened is not None
            and followed.watched is not None
            and followed.watched is not memory.watched
        ):
            reader = TileReader(self.place.read, followed.opened.checkpoint)
            findings += self._reports(followed, reader, memory, now)
            memory.entries = self._timely(followed, reader)
            memory.first_seen_at = memory.first_seen_at or now
            memory.seen_at = now
        memory.watched = followed.watched
        memory.unreachable_since = None
        memory.policy_sha256 = self.trust.sha256
        told = self._keep(memory, findings, now)
        remembered = followed.watched is not None
        return Round(now, self.log, told, followed.opened, first, remembered)

    def _other_file(self, memory: Memory) -> list[Finding]:
        if memory.policy_sha256 in ("", self.trust.sha256):
            return []
        told = "You gave another policy file than at the last look. If that was not you, find out who changed it."
        return [Finding("policy-file", "notice", told)]

    def _follow(self, memory: Memory, now: dt.datetime) -> Followed:
        followed = self._follow_once(memory, now)
        if any(each.kind in SECOND_LOOK for each in followed.alarms):
            followed = self._follow_once(memory, now)
        return followed

    def _follow_once(self, memory: Memory, now: dt.datetime) -> Followed:
        checkpoint = self.place.read(CHECKPOINT_PATH)
        with working("Reading the log"):
            return follow(memory.watched, checkpoint, self.place.read, self.trust, now=now)

    def _reports(
        self, followed: Followed, reader: TileReader, memory: Memory, now: dt.datetime
    ) -> list[Finding]:
        if self.site is None or followed.watched is None:
            return []
        found = check_reports(followed.watched.rules, self.site, memory.reports, now=now)
        checkpoint = followed.watched.checkpoint
        return [_merged(each, with_files(each, reader, checkpoint)) for each in found]

    def _timely(self, followed: Followed, reader: TileReader) -> dict[str, bytes]:
        """The entries that show how far the log had come, for the day when it answers no more."""
        assert followed.watched is not None
        rules = followed.watched.rules
        indexes = {rules.policy[0]} if rules.policy else set()
        indexes |= {rules.newest.index} if rules.newest else set()
        shown = Finding("missed-cadence", "notice", "", tuple(sorted(indexes)))
        return with_files(shown, reader, followed.watched.checkpoint).evidence

    def _not_reached(
        self, memory: Memory, error: UnavailableError, findings: list[Finding], now: dt.datetime
    ) -> Round:
        """No alarm by itself. It becomes one when entries are late, by what was seen last."""
        memory.unreachable_since = memory.unreachable_since or now
        since = memory.unreachable_since
        why = f"{error.what} {error.why}".strip()
        if memory.watched is not None:
            opened, _ = open_head(
                memory.watched.checkpoint, replace(self.trust, policy=self.trust.policy.unwitnessed)
            )
            late = head_findings(opened, memory.watched.rules, self.trust, now)
            evidence = {CHECKPOINT_PATH: memory.watched.checkpoint, **memory.entries}
            reached = f" It could not be reached since {since:%Y-%m-%d %H:%M} UTC."
            findings += [
                replace(each, told=each.told + reached, evidence=evidence)
                for each in late
                if each.kind == "missed-cadence"
            ]
        told = self._keep(memory, findings, now, looked=False)
        return Round(now, self.log, told, None, memory.watched is None, unreachable=why, since=since)

    def _keep(
        self, memory: Memory, findings: list[Finding], now: dt.datetime, *, looked: bool = True
    ) -> tuple[Told, ...]:
        """Writes the evidence of new alarms, then the memory: killed in between, an alarm is told twice, never not."""
        told: list[Told] = []
        standing: dict[str, str] = {} if looked else dict(memory.standing)
        for each in findings:
            if each.severity == "notice":
                told.append(Told(each, each.told not in self._said))
                continue
            known = memory.standing.get(each.kind) if each.kind in STANDING else None
            if known is None:
                path = write_evidence(self.folder, each, log=self.log, policy=self.policy, at=now)
                known, new = path.name, True
                memory.alarms += 1
            else:
                new = False
            if each.kind in STANDING:
                standing[each.kind] = known
            told.append(Told(each, new, self.folder / "evidence" / known))
        self._said = {each.told for each in findings if each.severity == "notice"}
        memory.standing = standing
        write_memory(self.folder, memory)
        return tuple(told)


def _merged(finding: Finding, proven: Finding) -> Finding:
    """The finding with its own files and those that prove its entries."""
    return replace(proven, evidence={**proven.evidence, **finding.evidence})
