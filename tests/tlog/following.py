"""Somebody follows a made log: what is seen, what is remembered, and the one alarm that is shown again."""

import datetime as dt
from collections.abc import Callable

from dueprocess.tlog.evidence import recheck
from dueprocess.tlog.follow import Followed, Trust, Watched, follow
from dueprocess.tlog.leafrules import Finding
from madelog import (
    FIRST_EPOCH,
    MadeLog,
    grown,
    trust,
)

TRUST = trust()


def look(
    log: MadeLog, before: Watched | None = None, *, now: dt.datetime | None = None, by: Trust = TRUST
) -> Followed:
    return follow(before, log.checkpoint, log.read, by, now=log.now if now is None else now)


def seen(log: MadeLog) -> Watched:
    """What somebody remembers who looked at this log and found it good."""
    found = look(log)
    assert not found.alarms
    assert found.watched is not None
    return found.watched


def kinds(found: Followed) -> list[str]:
    return [each.kind for each in found.alarms]


def only(found: Followed) -> Finding:
    """The one alarm, checked again from its own files as somebody else would."""
    assert len(found.alarms) == 1, [each.told for each in found.alarms]
    return found.alarms[0]


def shown(alarm: Finding, *, now: dt.datetime, by: Trust = TRUST) -> bool:
    return recheck(alarm.kind, alarm.evidence, by, seen_at=now).shown


def spoilt(change: Callable[[MadeLog], object]) -> tuple[MadeLog, Finding]:
    """A good log in which one thing goes wrong after the first look, and the one alarm about it."""
    log = grown()
    known = seen(log)
    change(log)
    log.publish()
    alarm = only(look(log, known))
    assert shown(alarm, now=log.now), alarm.kind
    at_once = look(log)
    assert [each.kind for each in at_once.alarms] == [alarm.kind]
    return log, alarm


def skip(log: MadeLog) -> None:
    log.epoch(FIRST_EPOCH + 8)
