"""What two people decided about the log: its policy, going on without witnesses, recovering after a restore.

The rules come from the installation's own stream of events, each signed by two different people of the roster,
back to the pinned founders and the pinned founding policy. Pure; a row that anybody adds gives no power.

Source: formats.md, "Rosters" and "Gate".
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dueprocess.cases.events import Event
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.roster import Verdict
from dueprocess.tlog.epoch import epoch_at
from dueprocess.tlog.note import Vkey
from dueprocess.tlog.policy import NO_QUORUM, Policy, parse_policy
from dueprocess.wire import Json, instant, is_version, parse_instant, unhex

OUTAGE = dt.timedelta(hours=24)
"""So long the witnesses' quorum must have been missing before two people may let work go on without it."""
LONGEST_WAIVER = dt.timedelta(days=7)
"""So long at most work goes on without witnesses before two people have to decide again."""

VERDICTS: dict[str, Verdict] = {
    "PolicyChanged": "policy",
    "WitnessesWaived": "unwitnessed",
    "LogRecovered": "recover",
}
"""The verdict that two people must have signed for each decision about the log."""

_SOURCE = "formats.md, Rosters"
_KEYS = {
    "PolicyChanged": {"v", "origin", "number", "policy", "nonce"},
    "WitnessesWaived": {"v", "origin", "from", "until", "head_size", "last_witnessed_at", "nonce"},
    "LogRecovered": {
        "v", "origin", "database_size", "log_size", "root", "lost_from_e", "lost_to_e", "nonce",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """One policy that is or was in force. Number 1 is the founding one; ``event`` the roster event (0: pinned)."""

    number: int
    text: bytes
    policy: Policy
    since: dt.datetime | None
    event: int = 0


@dataclass(frozen=True, slots=True)
class Waiver:
    """Two people let work go on without witnesses from ``since`` to ``until`` (exclusive).

    ``head_size`` and ``last_witnessed_at`` say what they saw: the newest head that met the quorum, or none.
    """

    since: dt.datetime
    until: dt.datetime
    head_size: int
    last_witnessed_at: dt.datetime | None
    event: int = 0

    def covers(self, now: dt.datetime) -> bool:
        """Whether it is in force at that instant."""
        return self.since <= now < self.until

    def epochs(self, seconds: int) -> tuple[int, int]:
        """The first and last epoch of its span: what the ``witness-lost`` leaf in the public log names."""
        last = self.until - dt.timedelta(seconds=1)
        return epoch_at(self.since, seconds=seconds), epoch_at(last, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Recovery:
    """An older database was put back: what it and the log then held, and the epochs that only the log knows."""

    database_size: int
    log_size: int
    root: str
    lost: tuple[int, int] | None
    event: int = 0


@dataclass(frozen=True, slots=True)
class LogRules:
    """The rules that the log runs under, oldest first. Never without the founding policy."""

    policies: tuple[LogPolicy, ...]
    waivers: tuple[Waiver, ...] = ()
    recoveries: tuple[Recovery, ...] = ()

    @property
    def newest(self) -> LogPolicy:
        return self.policies[-1]

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.newest.policy

    @property
    def recovery(self) -> Recovery | None:
        """The newest recovery. Decisions that were proposed before it are void."""
        return self.recoveries[-1] if self.recoveries else None

    @property
    def waiver(self) -> Waiver | None:
        """The newest waiver that was made under the policy in force, over or not. A new policy ends the older ones."""
        found = [each for each in self.waivers if each.event > self.newest.event]
        return found[-1] if found else None

    def waived(self, now: dt.datetime) -> bool:
        """Whether work may go on at that instant although the witnesses' quorum is not met."""
        return self.waiver is not None and self.waiver.covers(now)


def founding_rules(text: bytes, since: dt.datetime | None = None) -> LogRules:
    """The rules before anybody decided anything: the pinned founding policy alone."""
    return LogRules((LogPolicy(1, text, parse_policy(text), since),))


def policy_document(*, origin: str, number: int, policy: bytes, nonce: str) -> dict[str, Json]:
    """What two people sign to change the policy; ``number`` counts from 2. Refuses text that is not UTF-8."""
    try:
        text = policy.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", "This policy is not UTF-8.", why=str(error)) from error
    return {"v": 1, "origin": origin, "number": number, "policy": text, "nonce": nonce}


def waiver_document(waiver: Waiver, *, origin: str, nonce: str) -> dict[str, Json]:
    """What two people sign to let work go on without witnesses."""
    last = waiver.last_witnessed_at
    return {
        "v": 1,
        "origin": origin,
        "from": instant(waiver.since),
        "until": instant(waiver.until),
        "head_size": waiver.head_size,
        "last_witnessed_at": instant(last) if last is not None else None,
        "nonce": nonce,
    }


def recovery_document(recovery: Recovery, *, origin: str, nonce: str) -> dict[str, Json]:
    """What two people sign to let an installation go on from an older database; ``root`` of ``log_size``, hex."""
    lost = recovery.lost
    return {
        "v": 1,
        "origin": origin,
        "database_size": recovery.database_size,
        "log_size": recovery.log_size,
        "root": recovery.root,
        "lost_from_e": lost[0] if lost is not None else None,
        "lost_to_e": lost[1] if lost is not None else None,
        "nonce": nonce,
    }


def with_event(rules: LogRules, event: Event, *, origin: str) -> LogRules:
    """The rules after one more decision about the log, whose signatures were checked.

    Refuses a document of another installation, number, span or shape, a policy that changes the log's own
    keys, and a waiver that came too early or lasts too long. Source: formats.md, Rosters.
    """
    document = _document(event, origin)
    at = parse_instant(event.recorded_at)
    match event.kind:
        case "PolicyChanged":
            return replace(rules, policies=(*rules.policies, _policy(rules, document, event.case_seq, at)))
        case "WitnessesWaived":
            return replace(rules, waivers=(*rules.waivers, _waiver(rules, document, event.case_seq, at)))
        case _:
            return replace(rules, recoveries=(*rules.recoveries, _recovery(document, event.case_seq)))


def _document(event: Event, origin: str) -> Mapping[str, Any]:
    document: Any = event.body["document"]
    if set(document) != _KEYS[event.kind] or not is_version(document["v"]):
        raise MalformedError(
            "bad-log-decision", f"A {event.kind} has exactly the keys {sorted(_KEYS[event.kind])}."
        )
    if document["origin"] != origin:
        raise RefusedError("other-log", "Two people signed this for another log.", source=_SOURCE)
    found: Mapping[str, Any] = document
    return found


def _policy(rules: LogRules, document: Mapping[str, Any], number: int, at: dt.datetime) -> LogPolicy:
    if document["number"] != rules.newest.number + 1:
        raise RefusedError(
            "wrong-number",
            f"The next policy has the number {rules.newest.number + 1}, not {document['number']}.",
            why="A policy that was once replaced cannot be played again.",
            do="Draw the change up afresh.",
            source=_SOURCE,
        )
    text = str(document["policy"]).encode()
    policy = parse_policy(text)
    check_policy(policy, rules.policies[0].policy)
    return LogPolicy(int(document["number"]), text, policy, at, number)


def check_policy(policy: Policy, founding: Policy) -> None:
    """Refuses a policy that does not list exactly the log's own keys, or a witness that nobody can ask."""
    if _log_keys(policy) != _log_keys(founding):
        raise RefusedError(
            "other-log-keys",
            "This policy does not list exactly the log's own keys.",
            why="Another key of the log could sign another past; without one of its own it would go blind.",
            do="Begin with public/policy.txt as it is: keep its log lines and change witnesses, groups and quorum.",
            source=_SOURCE,
        )
    nowhere = [each.name for each in policy.witnesses if each.url is None]
    if nowhere:
        raise RefusedError(
            "no-address",
            f"This policy names no address for the witness {nowhere[0][:80]}.",
            do="Write the address at the end of its line.",
            source="C2SP tlog-policy, Defining a witness",
        )


def _log_keys(policy: Policy) -> set[Vkey]:
    return {each.vkey for each in policy.logs}


def _waiver(rules: LogRules, document: Mapping[str, Any], number: int, at: dt.datetime) -> Waiver:
    last, size = document["last_witnessed_at"], document["head_size"]
    waiver = Waiver(
        since=parse_instant(str(document["from"])),
        until=parse_instant(str(document["until"])),
        head_size=_whole(size, "head_size"),
        last_witnessed_at=parse_instant(str(last)) if last is not None else None,
        event=number,
    )
    check_waiver(rules, waiver, at)
    return waiver


def check_waiver(rules: LogRules, waiver: Waiver, at: dt.datetime) -> None:
    """Refuses a waiver recorded at ``at`` that is not needed, came too early, or lasts too long."""
    if rules.policy.quorum == NO_QUORUM:
        raise RefusedError(
            "no-quorum-needed", "The policy in force asks for no witnesses, so there is nothing to waive."
        )
    silent_since = waiver.last_witnessed_at or _first_demand(rules)
    if silent_since is not None and waiver.since < silent_since + OUTAGE:
        raise RefusedError(
            "witnesses-seen",
            f"The witnesses' quorum was last met at {instant(silent_since)}, less than 24 hours before.",
            why="A short outage is waited out: nothing is disclosed in the meantime.",
            do=f"Wait until {instant(silent_since + OUTAGE)}, or get the witnesses to answer.",
            source=_SOURCE,
        )
    if not waiver.since <= at < waiver.until or waiver.until > waiver.since + LONGEST_WAIVER:
        raise RefusedError(
            "bad-span",
            "Work goes on without witnesses from now on, for at most seven days.",
            why=f"It was to be from {instant(waiver.since)} until {instant(waiver.until)}.",
            do="Name an earlier end; then two people can decide again.",
            source=_SOURCE,
        )


def _first_demand(rules: LogRules) -> dt.datetime | None:
    """Since when the policy has demanded witnesses without a break."""
    since: dt.datetime | None = None
    for each in reversed(rules.policies):
        if each.policy.quorum == NO_QUORUM:
            break
        since = each.since
    return since


def _recovery(document: Mapping[str, Any], number: int) -> Recovery:
    first, last = document["lost_from_e"], document["lost_to_e"]
    lost = None
    if first is not None or last is not None:
        lost = (_whole(first, "lost_from_e"), _whole(last, "lost_to_e"))
        if lost[0] > lost[1]:
            raise MalformedError("bad-log-decision", "The lost epochs end before they begin.")
    unhex(str(document["root"]))
    sizes = _whole(document["database_size"], "database_size"), _whole(document["log_size"], "log_size")
    if sizes[0] > sizes[1]:
        raise MalformedError("bad-log-decision", "A database that is ahead of the log needs no recovery.")
    return Recovery(*sizes, str(document["root"]), lost, number)


def _whole(value: Json, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedError("bad-log-decision", f"{name} is not a whole number from 0 on.")
    return value
