"""Whether this database may sign: compared with what was published, what witnesses saw, and the clock.

A database that was set back to an older copy would sign a second history under the same name. What shows it
is kept as evidence before the signer stops.

Source: security.md section 5.3 (Sunlight's rule: republish if behind, refuse if ahead); C2SP tlog-witness.
"""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.publication.durable import write_durable
from dueprocess.publication.signer import LogSigner
from dueprocess.publication.witnesses import Contradiction, Shown
from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.note import parse_note, verify_note
from dueprocess.wire import instant

JITTER = dt.timedelta(seconds=60)
"""Two programs of one installation read their clocks at their own beginnings; more is a clock that was set back."""

MOST_SKEW = dt.timedelta(minutes=5)
"""How far this machine's clock and a quorum of witnesses may lie apart."""

_DO = (
    "Do not sign, and do not delete anything. If the database was restored from a copy, recover it against the "
    "public log and the witnesses with two people: dueprocess recover-log. Else run dueprocess fsck."
)
_SOURCE = "C2SP tlog-witness; security.md 5.3"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The folder in which what others sent is kept; None keeps nothing."""

    folder: Path | None

    def keep(self, code: str, whose: str, sent: bytes, now: dt.datetime) -> str:
        """Writes what was sent beside our own newest head; gives a sentence that names the files, or nothing."""
        if self.folder is None:
            return ""
        stem = f"{now:%Y%m%dT%H%M%SZ}-{code}-{re.sub('[^A-Za-z0-9._-]', '_', whose)[:64]}"
        head = ledger.newest_head()
        write_durable(self.folder / f"{stem}.received", sent)
        write_durable(self.folder / f"{stem}.ours", head.checkpoint.encode() if head else b"")
        return f" Evidence: {stem}.received and .ours in {self.folder.parent.name}/{self.folder.name}."


def refuse_published(published: Checkpoint | None) -> None:
    """Raises ``BrokenError`` unless the database goes at least as far as the published log and agrees with it."""
    if published is None:
        return
    size = _size()
    if published.size > size:
        raise BrokenError(
            "log-ahead",
            f"The published log has {published.size} leaves, the database only {size}.",
            why="The database was set back to an older state.",
            do=_DO,
            source=_SOURCE,
        )
    if not _agrees(published):
        raise BrokenError(
            "log-forked",
            "The published log and the database disagree about the past.",
            why=f"Both have {published.size} leaves, with two different roots.",
            do=_DO,
            source=_SOURCE,
        )


def refuse_shown(shown: Shown, evidence: Evidence, now: dt.datetime) -> None:
    """Raises ``BrokenError`` where a witness shows a longer log, or another past, signed by this log's key."""
    if shown.checkpoint is None:
        return
    saw = shown.checkpoint.size
    if saw > _size():
        kept = evidence.keep("behind-witness", shown.name, shown.sent, now)
        raise BrokenError(
            "behind-witness",
            f"The witness {shown.name} has seen {saw} leaves of this log, the database has only {_size()}.",
            why="What it shows is signed with this log's key. The database was set back to an older state, or "
            f"another copy of this installation runs.{kept}",
            do=_DO,
            source=_SOURCE,
        )
    if not _agrees(shown.checkpoint):
        kept = evidence.keep("log-forked", shown.name, shown.sent, now)
        raise BrokenError(
            "log-forked",
            f"The witness {shown.name} has seen another log under this name.",
            why=f"For {saw} leaves it shows a root that is not ours, signed with this log's key: two histories "
            f"exist.{kept}",
            do=_DO,
            source=_SOURCE,
        )


def refuse_contradiction(
    name: str, claim: Contradiction, shown: Shown, evidence: Evidence, now: dt.datetime
) -> None:
    """Raises ``BrokenError`` for a witness that refused our head because it saw another log.

    ``shown`` is what it shows when asked for it: with this log's signature it is proof, else only its word.
    Returns where the database has grown to that size by now: somebody else's submission was faster.
    """
    if claim.code == "behind-witness" and claim.size <= _size():
        return
    refuse_shown(shown, evidence, now)
    kept = evidence.keep(claim.code, name, claim.sent + b"\n" + shown.sent, now)
    what = (
        f"The witness {name} says that it has seen {claim.size} leaves of this log, the database has {_size()}."
        if claim.code == "behind-witness"
        else f"The witness {name} says that our log does not continue the one that it has seen."
    )
    raise BrokenError(
        claim.code,
        what,
        why="The database was set back or changed, or another copy of this installation runs. The witness shows "
        f"nothing with this log's signature that proves it, so it may also be wrong itself.{kept}",
        do=f"{_DO} If only this witness says so and cannot show it, two people can take it out of the policy.",
        source=_SOURCE,
    )


def _size() -> int:
    head = ledger.newest_head()
    return head.size if head else 0


def _agrees(checkpoint: Checkpoint) -> bool:
    ours = ledger.head_at(checkpoint.size)
    return ours is None if not checkpoint.size else ours is not None and ours.root == checkpoint.root.hex()


def signing_time(head: ledger.Head | None, signer: LogSigner, now: dt.datetime) -> dt.datetime:
    """When to say that the next head is signed: ``now`` in whole seconds, never before the newest head.

    Refuses a clock that stands before the newest head or epoch by more than a minute, and a newest head that
    this log's keys did not sign.
    """
    now = now.replace(microsecond=0)
    newest = _signed_at(head, signer)
    if now + JITTER < newest:
        raise UnavailableError(
            "clock-ran-back",
            f"The clock shows {instant(now)}, but the log was last signed at {instant(newest)}.",
            why="The clock was set back, or it ran ahead before. A log is never dated back.",
            do=f"Set the clock right. Nothing is signed before {instant(newest)}.",
            source=_SOURCE,
        )
    return max(now, newest)


def _signed_at(head: ledger.Head | None, signer: LogSigner) -> dt.datetime:
    """The time in the newest head's ML-DSA-44 signature."""
    if head is None:
        return dt.datetime.fromtimestamp(0, dt.UTC)
    try:
        verified = verify_note(parse_note(head.checkpoint.encode()), signer.vkeys)
    except MalformedError as error:
        raise BrokenError(
            "head-altered",
            f"The newest head in the database, of {head.size} leaves, is not one that this log signed.",
            why=f"{error.what} {error.why}".strip(),
            do="Stop. Run dueprocess fsck; somebody changed the table, or these are another log's keys.",
            source=_SOURCE,
        ) from error
    return dt.datetime.fromtimestamp(max(each.timestamp or 0 for each in verified), dt.UTC)


def clock_doubt(skews: dict[str, int]) -> UnavailableError:
    """What to say where a quorum signed, but not one whose clocks agree with ours. ``skews``: seconds ahead of us."""
    far = {name: skew for name, skew in sorted(skews.items()) if abs(skew) > MOST_SKEW.total_seconds()}
    listed = ", ".join(
        f"{name} by {abs(skew)} s {'ahead' if skew > 0 else 'behind'}" for name, skew in far.items()
    )
    spread = max(far.values()) - min(far.values())
    if len(far) > 1 and spread <= MOST_SKEW.total_seconds():
        whose = "They agree with each other, so probably the clock of this machine is wrong."
    elif len(far) > 1:
        whose = "They do not agree with each other either, so it cannot be said whose clock is wrong."
    else:
        whose = "Either the clock of this machine is wrong, or that witness's; there is no third one to tell."
    return UnavailableError(
        "clock-differs",
        "The clock of this machine and those of the witnesses are more than five minutes apart; nothing is published.",
        why=f"Compared with ours: {listed}. {whose}",
        do="Set this machine's clock (timedatectl) or tell the witness. It is tried again by itself.",
        source=_SOURCE,
    )
