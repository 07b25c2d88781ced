"""One function per reader of foreign bytes: what it accepts must read back as it was, and only the two errors for
foreign bytes may leave it.

`fuzz_parsers.py` drives them with atheris; tests/conformance/test_fuzz_corpus.py replays the corpus without it.
"""

import base64
import contextlib
import datetime as dt
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dueprocess.audit.bundle import Header, open_record, parse_header, parse_record, parse_withheld
from dueprocess.cases.document import check_shape
from dueprocess.cases.events import check_body
from dueprocess.demand import Demand, parse_demand, parse_scope
from dueprocess.demand.facts import parse_facts
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.report.register import build_register, faults, parse_register
from dueprocess.report.tallies import parse_report, recount
from dueprocess.roster.signing import Signature
from dueprocess.tlog import (
    AttestLeaf,
    KeyLeaf,
    add_cosignatures,
    encode_leaf,
    format_bundle,
    format_note,
    format_policy,
    format_proof,
    leaf_hash,
    make_vkey,
    open_checkpoint,
    parse_bundle,
    parse_checkpoint,
    parse_frontier,
    parse_leaf,
    parse_note,
    parse_opening,
    parse_path,
    parse_policy,
    parse_proof,
    parse_receipt,
    parse_signatures,
    parse_tile,
    parse_vkey,
    subject_from_json,
    verify_attest_leaf,
    verify_key_leaf,
    verify_opening,
    verify_proof,
    verify_receipt,
    verify_subject,
    without_ml_dsa,
)
from dueprocess.tlog.follow import watched_from_json
from dueprocess.tlog.leafrules import LeafRules, rules_from_json
from dueprocess.tlog.promise import parse_promise, verify_promise
from dueprocess.tlog.witness import (
    answer,
    format_add_checkpoint,
    format_size,
    parse_add_checkpoint,
    parse_size,
)
from dueprocess.wire import canonical, instant, parse_instant, parse_json, unb64

type Target = Callable[[bytes], None]

MOST_BYTES = 65_536
"""Longer inputs find nothing that shorter ones do not, and slow the search."""

_AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
_KEY = make_vkey("operator.example/1", bytes.fromhex("29" * 32))


class ChangedError(AssertionError):
    """What was read is not what was written: the reader took bytes in another spelling, or lost some."""


def same(one: object, two: object) -> None:
    """Raises where a round trip changed something."""
    if one != two:
        raise ChangedError(f"{one!r:.300} became {two!r:.300}")


def tolerated(check: Callable[[], object]) -> None:
    """Runs a check of something that was read, which may refuse it and may do nothing else."""
    with contextlib.suppress(MalformedError, RefusedError):
        check()


@functools.cache
def vectors() -> Any:
    """The vectors of specs/tlog: what the search starts from."""
    return json.loads((Path(__file__).parents[1] / "specs" / "tlog" / "vectors.json").read_bytes())


@functools.cache
def vectors_policy() -> Any:
    """The policy under which the seeds verify, so that the search starts behind the signatures."""
    return parse_policy(vectors()["receipt"]["policy"].encode())


def note(data: bytes) -> None:
    read = parse_note(data)
    same(data, format_note(read.text, read.signatures))


def signatures(data: bytes) -> None:
    same(data, "".join(each.line for each in parse_signatures(data)).encode())


def vkey(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    read = parse_vkey(text)
    same(text, read.text)
    read.verify(bytes(64), b"")


def checkpoint(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    tolerated(lambda: same(text, parse_checkpoint(text).text))
    opened = open_checkpoint(data, vectors_policy())
    same(parse_note(data).text, opened.checkpoint.text)
    tolerated(lambda: open_checkpoint(without_ml_dsa(data, vectors_policy()), vectors_policy()))


def cosignatures(data: bytes) -> None:
    note_bytes = vectors()["receipt"]["checkpoint"].encode()
    added = add_cosignatures(note_bytes, data, vectors_policy())
    same(parse_note(note_bytes).text, parse_note(added).text)
    open_checkpoint(added, vectors_policy())


def policy(data: bytes) -> None:
    read = parse_policy(data)
    read.satisfied([each.vkey for each in read.witnesses])
    same(read.unwitnessed.satisfied([]), True)
    tolerated(lambda: parse_policy(format_policy([each.vkey for each in read.logs], read.witnesses, need=0)))
    tolerated(lambda: open_checkpoint(b"x.example\n0\n", read))


def proof(data: bytes) -> None:
    read = parse_proof(data)
    same(data, format_proof(read))
    tolerated(lambda: verify_proof(read, leaf_hash(b""), vectors_policy()))


def leaf(data: bytes) -> None:
    read = parse_leaf(data)
    same(data, encode_leaf(read))
    if isinstance(read, AttestLeaf):
        tolerated(lambda: verify_attest_leaf(read))
    if isinstance(read, KeyLeaf):
        tolerated(lambda: verify_key_leaf(read, [_KEY]))


def opening(data: bytes) -> None:
    read = parse_opening(data)
    same(data, canonical(read.as_json()))
    tolerated(lambda: verify_opening(read))


def subject(data: bytes) -> None:
    read = subject_from_json(parse_json(data))
    same(parse_json(data), read.as_json())
    tolerated(lambda: verify_subject(bytes(32), read))


def receipt(data: bytes) -> None:
    same(data, parse_receipt(data).to_bytes())
    tolerated(lambda: verify_receipt(data, vectors_policy()))


def promise(data: bytes) -> None:
    read = parse_promise(data)
    signature = parse_json(data)["sig"]
    same(data, canonical({**read.as_json(), "sig": signature}))
    tolerated(lambda: verify_promise(data, parse_vkey(vectors()["keys"]["intake"]["vkey"])))


def tile(data: bytes) -> None:
    width = (data[0] if data else 0) + 1
    same(data[1:], b"".join(parse_tile(data[1:], width=width)))


def bundle(data: bytes) -> None:
    width = (data[0] if data else 0) + 1
    same(data[1:], format_bundle(parse_bundle(data[1:], width=width)))


def path(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    same(text, parse_path(text).path)


def frontier(data: bytes) -> None:
    read = parse_frontier(data)
    same(data, read.to_bytes())
    same(read.append(bytes(32)).size, read.size + 1)


def add_checkpoint(data: bytes) -> None:
    tolerated(lambda: answer(data, vkeys_of=lambda _: [_KEY], known_of=lambda _: None))
    same(data, format_add_checkpoint(parse_add_checkpoint(data)))


def size(data: bytes) -> None:
    same(data, format_size(parse_size(data)))


def watched(data: bytes) -> None:
    read = watched_from_json(parse_json(data))
    same(read.as_json(), watched_from_json(read.as_json()).as_json())


def entries(data: bytes) -> None:
    """What a monitor says of hostile entries, one a line; what it remembers reads back."""
    rules = LeafRules([_KEY])
    for index, entry in enumerate(data.split(b"\n")):
        for finding in rules.read(index, entry):
            str(finding)
    same(rules.as_json(), rules_from_json(rules.as_json()).as_json())


def audit_header(data: bytes) -> None:
    read: Header = parse_header(data)
    same(data, read.encoded)


def audit_record(data: bytes) -> None:
    """With a path where the line has one."""
    read = parse_record(data, outside=b'"path":' in data)
    same(data, read.line)
    tolerated(lambda: open_record(read))
    tolerated(lambda: read.root)


def audit_withheld(data: bytes) -> None:
    same(data, parse_withheld(data).line)


def wire_json(data: bytes) -> None:
    """Differential: what we read, the standard library reads too, and its canonical form is stable."""
    value = parse_json(data)
    same(value, json.loads(data))
    spelled = canonical(value)
    same(parse_json(spelled), value)
    same(canonical(parse_json(spelled)), spelled)


def wire_b64(data: bytes) -> None:
    text = data.decode("ascii", "replace")
    same(text, base64.standard_b64encode(unb64(text)).decode())


def wire_instant(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    same(text, instant(parse_instant(text)))


def scope(data: bytes) -> None:
    read = parse_scope(parse_json(data))
    same(read, parse_scope(read.as_json()))


def demand(data: bytes) -> None:
    _again(parse_demand(parse_json(data)))


def facts(data: bytes) -> None:
    _again(parse_facts(data.decode("utf-8", "replace"), received_at=_AT, nonce=bytes(32))[0])


def _again(read: Demand) -> None:
    same(read, parse_demand(parse_json(canonical(read.as_json()))))


def event(data: bytes) -> None:
    value = parse_json(data)
    if isinstance(value, dict) and isinstance(value.get("kind"), str) and isinstance(value.get("body"), dict):
        check_body(value["kind"], 1, value["body"])


def decision(data: bytes) -> None:
    value = parse_json(data)
    if isinstance(value, dict):
        check_shape(value)


def signature(data: bytes) -> None:
    value = parse_json(data)
    same(value, Signature.from_json(value).as_json())


def register(data: bytes) -> None:
    read = parse_register(data)
    faults(read)
    same(read, parse_register(read.encoded))


def report(data: bytes) -> None:
    read = parse_report(data)
    same(read, parse_report(read.encoded))
    recount(_empty_register(), read)


@functools.cache
def _empty_register() -> Any:
    return build_register([], period="2026H2", k=10)


TARGETS: dict[str, Target] = {
    "note": note,
    "signatures": signatures,
    "vkey": vkey,
    "checkpoint": checkpoint,
    "cosignatures": cosignatures,
    "policy": policy,
    "proof": proof,
    "leaf": leaf,
    "opening": opening,
    "subject": subject,
    "receipt": receipt,
    "promise": promise,
    "tile": tile,
    "bundle": bundle,
    "path": path,
    "frontier": frontier,
    "add-checkpoint": add_checkpoint,
    "size": size,
    "watched": watched,
    "entries": entries,
    "audit-header": audit_header,
    "audit-record": audit_record,
    "audit-withheld": audit_withheld,
    "json": wire_json,
    "base64": wire_b64,
    "instant": wire_instant,
    "scope": scope,
    "demand": demand,
    "facts": facts,
    "event": event,
    "decision": decision,
    "signature": signature,
    "register": register,
    "report": report,
}

REFUSING = frozenset({"scope", "demand", "facts", "decision"})
"""These may refuse what is well formed and never allowed; all others only say that it is malformed."""


def accepts(name: str, data: bytes) -> bool:
    """Whether the reader took these bytes. Raises what it must not raise."""
    allowed = (MalformedError, RefusedError) if name in REFUSING else (MalformedError,)
    try:
        TARGETS[name](data)
    except allowed:
        return False
    return True
