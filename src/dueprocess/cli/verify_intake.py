"""Checking an intake receipt: the operator's signed word that a paper arrived, and whether it was kept."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.cli.printing import working
from dueprocess.cli.verify_files import Answer, in_words, need_policy, read
from dueprocess.cli.verify_receipt import against_log, open_receipt
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.tlog import (
    CHECKPOINT_PATH,
    Policy,
    PolicyLeaf,
    TileReader,
    Vkey,
    open_checkpoint,
    parse_leaf,
    parse_vkey,
)
from dueprocess.tlog.promise import (
    IntakePromise,
    check_paper,
    check_redeemed,
    parse_promise,
    verify_promise,
)
from dueprocess.wire import instant

_LIMITS = (
    "It proves arrival, not authority: not that the paper is genuine, lawful or complete, or that it is answered.",
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What was named beside the file to check."""

    policy: Path | None = None
    log: Path | None = None
    receipt: Path | None = None
    intake_key: Path | None = None
    paper: Path | None = None


def answer_intake(data: bytes, beside: Beside) -> Answer:
    """What the operator promised; with a receipt of the same case, whether it kept it."""
    promise, whence = _opened(data, beside)
    means = [_arrived(promise)]
    details = [
        f"Log: {promise.origin}. Case: {promise.case}.",
        f"SHA-256 of the paper: {promise.paper_sha256}",
        f"Record: {promise.commitment}, due by time slot {promise.sealed_by_epoch}.",
        whence,
    ]
    if beside.paper is not None:
        check_paper(promise, read(beside.paper))
        means.append(f"{beside.paper} is the paper that it is about, byte for byte.")
    found: dict[str, Any] = {
        "origin": promise.origin,
        "case": promise.case,
        "received_at": instant(promise.received_at),
    }
    if beside.receipt is None:
        means.append(
            "The operator promised to record it in its public log. To see whether it did: ask for the receipt of the"
            " case, and run this again with --receipt receipt.json --policy policy.txt."
        )
        return Answer("This intake receipt holds: the paper arrived.", (*means,), _LIMITS, (*details,), found)
    policy = need_policy(beside.policy, "Whether the promise was kept").policy
    findings = open_receipt(read(beside.receipt), policy)
    kept = check_redeemed(promise, findings)
    means.append(
        f"The promise was kept: the record is in the log, since before {kept.closed_at:%Y-%m-%d %H:%M} UTC."
    )
    if beside.log is not None:
        size = against_log(findings, policy, beside.log)
        means.append(f"The log in {beside.log} has {size} leaves, contains it, and only grew.")
    details.append(f"Time slot {kept.epoch}, entry {kept.leaf_index} of the log.")
    conclusion = "This intake receipt holds, and the operator kept its promise."
    found |= {"kept": True, "epoch": kept.epoch}
    return Answer(conclusion, (*means,), _LIMITS, (*details,), found)


def _opened(data: bytes, beside: Beside) -> tuple[IntakePromise, str]:
    """The promise, and where the key came from that it was checked with."""
    try:
        parse_promise(data)
        keys, whence = _keys(beside)
        return _signed_by_one(data, keys), whence
    except MalformedError as error:
        raise in_words(error, "This intake receipt does not hold.") from error


def _signed_by_one(data: bytes, keys: list[Vkey]) -> IntakePromise:
    for each in keys[:-1]:
        with suppress(MalformedError):
            return verify_promise(data, each)
    return verify_promise(data, keys[-1])


def _keys(beside: Beside) -> tuple[list[Vkey], str]:
    """The keys that may have signed: the one that was named, else those that the log names, newest first."""
    named = None if beside.intake_key is None else _vkey(read(beside.intake_key))
    if beside.log is None or beside.policy is None:
        if named is None:
            raise RefusedError(
                "no-intake-key",
                "An intake receipt is checked against the operator's key for such receipts.",
                why="A file that brought its own key would prove nothing.",
                do="Name intake.vkey from the operator's pages with --intake-key, or a copy of the log with --log and"
                " --policy: the log names the key.",
            )
        return [named], "The key came from a file. Whether the log names it: see with --log and --policy."
    known = _keys_in_log(beside.log, need_policy(beside.policy, "A log").policy)
    if named is not None and named not in known:
        raise MalformedError(
            "unknown-intake-key",
            "The log does not name this key as one that signs intake receipts.",
            why="A key that is shown to you alone could sign what nobody else ever sees.",
            do="Keep the key and the receipt. Ask the operator in writing which key signed it.",
        )
    if not known:
        raise MalformedError("unknown-intake-key", "The log names no key that signs intake receipts.")
    return known if named is None else [named], "The log names the key."


def _keys_in_log(log: Path, policy: Policy) -> list[Vkey]:
    def file(path: str) -> bytes:
        return read(log / path)

    reader = TileReader(file, open_checkpoint(file(CHECKPOINT_PATH), policy).checkpoint)
    found: list[Vkey] = []
    with working("Reading the log"):
        for entry in reader.entries(0, reader.size):
            leaf = parse_leaf(entry)
            if isinstance(leaf, PolicyLeaf) and leaf.intake_vkey is not None:
                found.append(parse_vkey(leaf.intake_vkey))
    return list(dict.fromkeys(reversed(found)))


def _vkey(data: bytes) -> Vkey:
    try:
        return parse_vkey(data.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        raise MalformedError(
            "not-a-vkey", "The file of the intake key is not text.", why=str(error)
        ) from error


def _arrived(promise: IntakePromise) -> str:
    at = f"{promise.received_at:%Y-%m-%d at %H:%M:%S} UTC"
    return f"The operator signed that the paper arrived on {at}."
