"""Decisions about the log around their step: two people sign, history keeps it, the public log says it.

Each can be run again after an interruption: what history holds already is not decided twice, and what the public
log or a file still lacks is written.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dueprocess.cases.events import Event
from dueprocess.cases.logrules import (
    VERDICTS,
    LogRules,
    Waiver,
    check_policy,
    policy_document,
    waiver_document,
)
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.signing import nonce, signed
from dueprocess.errors import ConflictError, MalformedError
from dueprocess.history import ledger, sealed
from dueprocess.publication.durable import write_durable
from dueprocess.publication.witnesses import check_addresses
from dueprocess.steps.logrules import decide_about_log
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.leaf import IncidentLeaf, Leaf, PolicyLeaf, parse_leaf
from dueprocess.tlog.policy import parse_policy
from dueprocess.wire import Json, sha256_hex


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A changed policy: its number, the index of its leaf, and whether two people decided it just now."""

    number: int
    leaf_index: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class WaivedWitnesses:
    """Work goes on without witnesses: for which span, and where the public log says so."""

    waiver: Waiver
    epochs: tuple[int, int]
    leaf_index: int


def change_policy(desk: Desk, text: bytes, signers: Sequence[FileKey], now: dt.datetime) -> PolicyChange:
    """Puts another witness policy in force. Refuses one that does not list exactly the log's own keys."""
    rules = desk.log_rules()
    policy = parse_policy(text)
    check_policy(policy, rules.policies[0].policy)
    check_addresses(policy)
    fresh = text != rules.newest.text
    if fresh:
        number = rules.newest.number + 1
        document = policy_document(origin=desk.pins.origin, number=number, policy=text, nonce=nonce())
        decide(desk, "PolicyChanged", document, signers, now)
    number = desk.log_rules().newest.number
    told = _policy_leaf(number, text)
    if not fresh and told is not None and desk.installation.policy.read_bytes() == text:
        raise ConflictError(
            "policy-in-force",
            f"This is policy {number}, and it is in force.",
            do="Name a changed policy file.",
        )
    write_durable(desk.installation.policy, text)
    index = told if told is not None else desk.log().add(_next_policy_leaf(number, text, now), now)
    return PolicyChange(number, index, fresh)


def waive_witnesses(
    desk: Desk, until: dt.datetime, signers: Sequence[FileKey], now: dt.datetime
) -> WaivedWitnesses:
    """Lets work go on without witnesses until then. Refuses before 24 hours without them and beyond seven days."""
    rules = desk.log_rules()
    waiver = rules.waiver
    if waiver is None or not waiver.covers(now):
        waiver = _waiver(rules, until, now)
        document = waiver_document(waiver, origin=desk.pins.origin, nonce=nonce())
        decide(desk, "WitnessesWaived", document, signers, now)
    elif waiver.until != until or _waiver_leaf(waiver, desk.installation.epoch_seconds) is not None:
        raise ConflictError(
            "already-unwitnessed",
            f"Two people let work go on without witnesses already, until {waiver.until:%Y-%m-%d %H:%M} UTC.",
            do="Wait until then, and decide again if the witnesses are still silent.",
        )
    leaf = _waiver_leaf(waiver, desk.installation.epoch_seconds)
    epochs = waiver.epochs(desk.installation.epoch_seconds)
    index = leaf if leaf is not None else desk.log().add(IncidentLeaf("witness-lost", *epochs), now)
    return WaivedWitnesses(waiver, epochs, index)


def decide(
    desk: Desk, kind: str, document: dict[str, Json], signers: Sequence[FileKey], now: dt.datetime
) -> Event:
    """Lets the signers sign a document about the log and records it, as an event of this kind."""
    draft = signed(desk, kind, document, signers, VERDICTS[kind])
    pins, hand = desk.pins, desk.hand(signers[0].person, now, desk.stream)
    return decide_about_log(
        desk.stream, hand, draft, origin=pins.origin, root=pins.founding_sha256, policy=pins.policy
    )


def last_witnessed(rules: LogRules, most: int) -> dt.datetime | None:
    """When the witnesses' quorum was last met for a head of at most ``most`` leaves, by their clocks; or never."""
    found = sealed.newest_cosigned(most)
    if found is None:
        return None
    for each in reversed(rules.policies):
        try:
            opened = open_checkpoint(found[1].encode(), each.policy)
        except MalformedError:
            continue
        if opened.witnessed_at is not None:
            return opened.witnessed_at
    return None


def _waiver(rules: LogRules, until: dt.datetime, now: dt.datetime) -> Waiver:
    head = ledger.head()
    size = head.size if head is not None else 0
    since = now.replace(microsecond=0)
    return Waiver(since=since, until=until, head_size=size, last_witnessed_at=last_witnessed(rules, size))


def _leaves() -> list[tuple[int, Leaf]]:
    head = ledger.head()
    entries = ledger.entries(0, head.size if head is not None else 0)
    return [(index, parse_leaf(entry.encode())) for index, entry in enumerate(entries)]


def _policy_leaf(number: int, text: bytes) -> int | None:
    found = [
        index
        for index, leaf in _leaves()
        if isinstance(leaf, PolicyLeaf)
        and (leaf.number, leaf.witness_policy_sha256) == (number, sha256_hex(text))
    ]
    return found[-1] if found else None


def _next_policy_leaf(number: int, text: bytes, now: dt.datetime) -> PolicyLeaf:
    """The newest policy leaf, with the new number, digest and day."""
    newest = [leaf for _, leaf in _leaves() if isinstance(leaf, PolicyLeaf)][-1]
    return replace(newest, number=number, witness_policy_sha256=sha256_hex(text), in_force_on=now.date())


def _waiver_leaf(waiver: Waiver, epoch_seconds: int) -> int | None:
    wanted = IncidentLeaf("witness-lost", *waiver.epochs(epoch_seconds))
    found = [index for index, leaf in _leaves() if leaf == wanted]
    return found[-1] if found else None
