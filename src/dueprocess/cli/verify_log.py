"""Checking a copy of a log, the signed head of one, or the proof that an entry is in one."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from dueprocess.cli.printing import working
from dueprocess.cli.verify_files import Answer, in_words, read
from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.tlog import (
    CHECKPOINT_PATH,
    OpenedCheckpoint,
    TileReader,
    leaf_hash,
    open_checkpoint,
    parse_leaf,
    parse_proof,
    verify_proof,
)
from dueprocess.tlog.follow import Trust, follow
from dueprocess.tlog.leafrules import Finding
from dueprocess.wire import Json, b64

_LATE = frozenset({"missed-cadence", "stale-witnesses", "from-the-future"})
"""What a copy cannot be blamed for: it is as old as it is."""
_LIMITS = (
    "A copy shows one log. Whether others are shown another one, only those who watch it can compare.",
    "A log proves what was recorded, not that nothing happened outside it, and not that the records are true.",
)


def is_log(folder: Path) -> bool:
    """Whether this folder looks like a copy of a log."""
    return (folder / CHECKPOINT_PATH).is_file() and not (folder / "alarm.json").exists()


def answer_log(folder: Path, trust: Trust, *, now: dt.datetime) -> Answer:
    """Everything in a copy of a log: signatures, every tile and entry, time, rules. Memory stays flat."""
    checkpoint = read(folder / CHECKPOINT_PATH)

    def file(path: str) -> bytes:
        return read(folder / path)

    with working("Reading the log"):
        followed = follow(None, checkpoint, file, trust, now=now)
        _refuse(followed.alarms)
        assert followed.opened is not None
        reader = TileReader(file, followed.opened.checkpoint)
        files = sum(1 for _ in reader.audit())
        files, later = _every_file(folder, reader)
    head = followed.opened.checkpoint
    late = [each.told for each in followed.findings if each.kind in _LATE]
    notes = [each.told for each in followed.findings if each.severity == "notice"]
    found: dict[str, Json] = {
        "origin": head.origin,
        "size": head.size,
        "root": b64(head.root),
        "files": files,
    }
    return Answer(
        f"This log holds: {head.size} entries of {head.origin}, every one checked.",
        (
            "Every file is what the signed head says. No time slot is missing without a word, no time runs back, and",
            "keys, rules and reports are announced as they must be.",
            _confirmed(followed.opened),
        ),
        _LIMITS,
        (
            *_head_details(followed.opened),
            f"{files} files read.",
            *([f"{later} files are newer than the head, and were not looked at."] if later else []),
            *(f"This copy is old: {each}" for each in late),
            *notes,
        ),
        {**found, "notes": notes},
    )


def _refuse(alarms: tuple[Finding, ...]) -> None:
    serious = [each for each in alarms if each.kind not in _LATE]
    if not serious:
        return
    if serious[0].kind in ("false-head", "wrong-files"):
        raise MalformedError(
            serious[0].kind,
            f"This copy of a log does not hold. {serious[0].told}",
            do="Get the copy again. If it stays, keep it: it is the evidence.",
        )
    more = f" And {len(serious) - 5} more." if len(serious) > 5 else ""
    raise BrokenError(
        "log-broken",
        "This log does not keep its promises.",
        why=" ".join(each.told for each in serious[:5]) + more,
        do="Keep this copy. dueprocess monitor makes a folder of evidence that others can check.",
    )


def _every_file(folder: Path, reader: TileReader) -> tuple[int, int]:
    """How many files of the folder were compared, the partial ones of older heads too, and how many are newer."""
    compared = newer = 0
    for path in _files(folder / "tile"):
        name = path.relative_to(folder).as_posix()
        try:
            reader.check_file(name)
            compared += 1
        except MalformedError as error:
            if "no such file yet" not in error.why:
                raise in_words(error, "This copy of a log does not hold.") from error
            newer += 1
    return compared, newer


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".new-"))


def answer_checkpoint(data: bytes, trust: Trust) -> Answer:
    """The signed head of a log, without the log."""
    try:
        opened = open_checkpoint(data, trust.policy)
    except MalformedError as error:
        raise in_words(error, "This head of a log is not what your policy asks for.") from error
    head = opened.checkpoint
    kept = "Keep it: if the log ever shows another past, it is the proof."
    return Answer(
        f"This head is genuine: {head.origin} signed that its log has {head.size} entries.",
        (_confirmed(opened), kept),
        ("A head says nothing about what is in the log.",),
        _head_details(opened),
        {
            "origin": head.origin,
            "size": head.size,
            "root": b64(head.root),
            "witnesses": dict(opened.witnesses),
        },
    )


def answer_proof(file: Path, data: bytes, trust: Trust) -> Answer:
    """The proof that an entry is in a log; the entry lies beside it under the same name, ending in .json."""
    entry = file.with_suffix(".json")
    try:
        proof = parse_proof(data)
        if not entry.is_file():
            raise UnavailableError(
                "no-entry",
                f"This proof says that something is entry {proof.index} of a log. What it is, a proof does not hold.",
                do=f"Put the entry beside it as {entry.name}, then run the same command again.",
            )
        opened = verify_proof(proof, leaf_hash(read(entry)), trust.policy)
    except MalformedError as error:
        raise in_words(error, "This proof does not hold.") from error
    return Answer(
        f"This proof holds: {entry.name} is entry {proof.index} of {opened.checkpoint.origin}.",
        (_kind(read(entry)), _confirmed(opened)),
        _LIMITS[1:],
        _head_details(opened),
        {"origin": opened.checkpoint.origin, "index": proof.index, "size": opened.checkpoint.size},
    )


def _kind(entry: bytes) -> str:
    try:
        return f"It is an entry of the kind {parse_leaf(entry).as_json()['t']}."
    except MalformedError:
        return "It is no entry of a kind that this program knows; it is in that log all the same."


def _confirmed(opened: OpenedCheckpoint) -> str:
    names = ", ".join(name for name, _ in opened.witnesses)
    if opened.witnessed_at is None:
        return "No independent timekeeper confirms the times: for them the operator alone vouches."
    return f"Independent timekeepers ({names}) confirm that this was so at {opened.witnessed_at:%Y-%m-%d %H:%M:%S} UTC."


def _head_details(opened: OpenedCheckpoint) -> tuple[str, ...]:
    head = opened.checkpoint
    kinds = ", ".join(
        {0x01: "Ed25519", 0x06: "ML-DSA-44"}.get(each.algorithm, "?") for each in opened.log_vkeys
    )
    return (
        f"Log: {head.origin}. Entries: {head.size}. Root: {b64(head.root)}",
        f"Signed by the log with {kinds}.",
    )
