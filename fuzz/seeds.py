"""Writes the seeds of the corpus: ``python fuzz/seeds.py``. What the search found beside them is kept.

Seeds come from the vectors of specs/, from the examples of the C2SP specifications (github.com/C2SP/C2SP, CC BY 4.0)
and, where there is no vector, from a small document written here.
"""

import base64
import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.audit.bundle import BundleRecord, Header, Withheld, epochs_of
from dueprocess.cases.events import BODIES
from dueprocess.report.register import build_register
from dueprocess.report.rows import RegisterRow, row_commitment
from dueprocess.report.tallies import build_report
from dueprocess.tlog import (
    AUDIENCES,
    Frontier,
    Record,
    commitment,
    format_policy,
    open_fields,
    parse_opening,
    parse_policy,
    parse_vkey,
)
from dueprocess.tlog.promise import IntakePromise, format_promise
from dueprocess.wire import b64, canonical, parse_instant, sha256_hex

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE.parent / "specs" / "tlog" / "vectors.json").read_bytes())

NOTE = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""  # noqa: E501  (the example of the specification)
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
CHECKPOINT = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501  (the example of the specification)
COSIGNATURES = """— witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
"""  # noqa: E501  (the example of the specification)
ADD_CHECKPOINT = f"""old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=

{CHECKPOINT}"""
PROOF = f"""c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

{CHECKPOINT}"""
FACTS = """kind = "disclosure"
regime = "us"
instrument = "d_order"
country = "US"
legal_bases = ["18 USC 2703(d)"]
issued_on = 2026-09-01
emergency = false

[[target]]
kind = "account"
value = "@eva:chat.example"
categories = ["subscriber.identity", "session.times"]
from = 2026-08-01T00:00:00Z
until = 2026-09-01T00:00:00Z

[nondisclosure]
basis = "18 USC 2705(b)"
starts_on = 2026-09-01T00:00:00Z
until = 2026-12-01T00:00:00Z
certified = true
"""
SCOPE = {
    "v": 1,
    "nonce": b64(bytes(32)),
    "targets": [
        {
            "kind": "account",
            "value": "@eva:chat.example",
            "categories": ["subscriber.identity", "session.times"],
            "from": "2026-08-01T00:00:00Z",
            "until": None,
            "purpose": None,
        }
    ],
}
DEMAND = {
    "v": 1,
    "kind": "disclosure",
    "regime": "us",
    "instrument": "d_order",
    "scope": SCOPE,
    "received_at": "2026-09-01T08:00:00Z",
    "issuer_kind": None,
    "authority_id": "a-court",
    "legal_bases": ["18 USC 2703(d)"],
    "issued_on": "2026-09-01",
    "due_on": None,
    "emergency": False,
    "nondisclosure": {
        "basis": "18 USC 2705(b)",
        "starts_on": "2026-09-01T00:00:00Z",
        "until": None,
        "certified": True,
    },
    "elements": [],
    "identifies": None,
    "unreadable": [],
}
DECISION = {
    "v": 1,
    "action": "disclose",
    "emergency": None,
    "quorum": {"mode": "two", "need": 2},
    "origin": "chat.example/dueprocess/1",
    "case_id": "c" * 32,
    "nonce": b64(bytes(32)),
    "order_ref": "0" * 64,
    "target": "t1",
    "scope": SCOPE,
    "plan_sha256": "0" * 64,
    "assessment_sha256": "0" * 64,
    "packs": [{"id": "us.sca", "version": "1", "sha256": "0" * 64}],
    "legal_basis": ["18 USC 2703(d)"],
    "recipient": {"authority": "a-court", "key": "age1court"},
    "notice": {
        "rule": "allowed_before_production",
        "until": None,
        "earliest_production": "2026-09-10T00:00:00Z",
    },
    "roster_sha256": "0" * 64,
    "expires_at": "2026-10-01T00:00:00Z",
}
SIGNATURE = {
    "person": "boris",
    "credential": "0" * 32,
    "role": "reviewer",
    "verdict": "approve",
    "signature": b64(bytes(64)),
}
ROW = RegisterRow(
    period="2026H2",
    country="US",
    regime="us",
    instrument="d_order",
    basis="18 USC 2703(d)",
    authority_class="court",
    demand_kind="disclosure",
    emergency=False,
    categories=("subscriber", "session"),
    accounts_band="1",
    outcome="complied_in_part",
    narrowed=True,
    notice="told_before",
    challenged=False,
)
REGISTER = build_register(
    [(ROW, row_commitment(ROW, number.to_bytes(32))) for number in range(25)], period="2026H2", k=10
)


def examples() -> dict[str, list[bytes]]:
    """The seeds of every target."""
    receipt, log = VECTORS["receipt"], VECTORS["log"]
    tiles = {
        ("bundle" if "entries" in path else "tile"): base64.b64decode(tile)
        for path, tile in log["tiles"].items()
    }
    width = bytes([len(log["leaves"]) - 1])
    notes = [NOTE, CHECKPOINT, receipt["checkpoint"], *_notes()]
    keys = [parse_vkey(each) for each in _vkeys()]
    opening = VECTORS["record"]["opening_user"]
    return {
        "note": _bytes(notes),
        "signatures": _bytes([COSIGNATURES, receipt["checkpoint"].split("\n\n")[1]]),
        "vkey": _bytes([VKEY, *_vkeys()]),
        "checkpoint": _bytes(
            [CHECKPOINT, CHECKPOINT.split("\n\n", maxsplit=1)[0] + "\n", receipt["checkpoint"], *_notes()]
        ),
        "cosignatures": _bytes(
            [COSIGNATURES, *(each.split("\n\n")[1] for each in [receipt["checkpoint"], *_notes()])]
        ),
        "policy": [
            receipt["policy"].encode(),
            format_policy([key for key in keys if key.algorithm != 4][:1]),
            b"# none\n\tlog " + VKEY.encode() + b" https://log.example/\nquorum none\n",
            *(each["policy"].encode() for each in VECTORS.get("checkpoint", {}).get("policies", [])),
        ],
        "proof": _bytes([PROOF, receipt["proof"]]),
        "leaf": _bytes([*log["leaves"], *(each["leaf"] for each in VECTORS.get("signed_leaves", []))]),
        "opening": [canonical(opening), canonical(VECTORS["record"]["opening_erased"])],
        "subject": [canonical(VECTORS["subjects"]["proof"])],
        "receipt": _bytes(
            text for name, text in receipt.items() if name in {"receipt", "unwitnessed", "erased"}
        ),
        "promise": [_promise()],
        "tile": [width + tiles["tile"]],
        "bundle": [width + tiles["bundle"], b"\x01\x00\x01a\x00\x00"],
        "path": _bytes([*log["tiles"], "tile/0/x001/x234/067", "tile/entries/x001/067.p/3", "tile/5/000"]),
        "frontier": [Frontier(0, ()).to_bytes(), Frontier(5, (bytes(32), b"\xff" * 32)).to_bytes()],
        "add-checkpoint": _bytes([ADD_CHECKPOINT, f"old 0\n\n{receipt['checkpoint']}"]),
        "size": _bytes(["0\n", "20852163\n"]),
        "watched": [_watched()],
        "entries": _bytes("\n".join(each) for each in _entries(log["leaves"])),
        "audit-header": [_audit_header().encoded],
        "audit-record": [each.line for each in _audit_records()],
        "audit-withheld": [
            Withheld(1, "open", None, None).line,
            Withheld(2, "nondisclosure", "2027-01-01", "2026H2").line,
        ],
        "json": [
            canonical(VECTORS["epoch"]),
            b' {"b":[-1,true],"a":"\\u20ac\\n\\ud83d\\ude00"}',
            b'"\\ud800"',
        ],
        "base64": _bytes([b64(bytes(range(31))), "AA==", "AB=="]),
        "instant": _bytes(["2026-11-22T02:45:00Z", "0001-01-01T00:00:00.000001Z"]),
        "scope": [canonical(SCOPE)],  # type: ignore[arg-type]  # a document of texts
        "demand": [canonical(DEMAND)],  # type: ignore[arg-type]  # a document of texts
        "facts": _bytes([FACTS]),
        "event": [_event(kind) for kind in ("DemandReceived", "DemandRead", "ScopeNarrowed", "Erased")],
        "decision": [canonical(DECISION)],  # type: ignore[arg-type]  # a document of texts
        "signature": [canonical(SIGNATURE)],  # type: ignore[arg-type]  # a document of texts
        "register": [REGISTER.encoded, build_register([], period="2026H1").encoded],
        "report": [build_report(REGISTER).encoded],
    }


def _bytes(texts: Iterable[str]) -> list[bytes]:
    return [each.encode() for each in texts]


def _notes() -> list[str]:
    return [text for name, text in VECTORS.get("checkpoint", {}).items() if name.startswith("note")]


def _vkeys() -> list[str]:
    keys = [each["vkey"] for each in VECTORS.get("keys", {}).values()]
    return keys or [each.vkey.text for each in parse_policy(VECTORS["receipt"]["policy"].encode()).logs]


def _promise() -> bytes:
    log, key = VECTORS["keys"]["log"]["vkey"].split("+")[0], VECTORS["keys"]["intake"]
    paper = sha256_hex(b"a paper")
    record = Record({"kind": "DemandReceived", "month": "2026-11", "paper_sha256": paper})
    secret = bytes.fromhex(VECTORS["record"]["secret"])
    opening = open_fields(record, secret, AUDIENCES["requester"])
    at, epoch = parse_instant(VECTORS["epoch"]["until"]), VECTORS["epoch"]["epoch"]
    promise = IntakePromise(log, "5f0c", paper, at, commitment(record, secret).hex(), opening, epoch)
    sign = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed"])).sign
    return format_promise(promise, parse_vkey(key["vkey"]), sign)


def _watched() -> bytes:
    log = VECTORS["log"]
    rare = [[index, leaf] for index, leaf in enumerate(log["leaves"]) if '"t":"epoch"' not in leaf]
    newest = {"index": 2, "epoch": VECTORS["epoch"]["epoch"], "closed_at": VECTORS["epoch"]["until"]}
    rules = {
        "leaves": 8,
        "next_epoch": VECTORS["epoch"]["epoch"] + 1,
        "newest": newest,
        "keys": _vkeys()[:2],
        "rare": rare,
    }
    return canonical({"checkpoint": VECTORS["receipt"]["checkpoint"], "rules": rules})


def _entries(leaves: list[str]) -> list[list[str]]:
    """A few at a time, or the search is slow: the rules, a gap and two epochs; a register and its report; the rest."""
    policy, gap, epoch, incident, register, report, attest, key = leaves
    after = epoch.replace("0005984384", "0005984385").replace("02:45", "02:50")
    return [[policy, gap, epoch, after], [register, report], [incident, epoch, after], [key], [attest]]


def _audit_header() -> Header:
    day, after = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
    first, last = epochs_of(day, after, 300)
    names = ("seeds.jsonl", "records.jsonl", "outside.jsonl", "withheld.jsonl")
    at = parse_instant(VECTORS["epoch"]["until"])
    return Header(
        "operator.example/dueprocess/1",
        day,
        after,
        300,
        first,
        last,
        1,
        9,
        8,
        at,
        dict.fromkeys(names, "0" * 64),
    )


def _audit_records() -> list[BundleRecord]:
    opening = parse_opening(canonical(VECTORS["record"]["opening_erased"]))
    epoch, c = VECTORS["epoch"], bytes.fromhex(VECTORS["record"]["commitment"])
    path = tuple(bytes.fromhex(each) for each in epoch["path_of_4242"])
    return [BundleRecord(1, epoch["epoch"], 4242, c, opening, each) for each in (None, path)]


def _event(kind: str) -> bytes:
    values: dict[str, Any] = {"text": "x", "hex": "0" * 64, "int": 1, "bool": True, "list": [], "map": {}}
    body = {name: values[wanted.removesuffix("?")] for name, wanted in BODIES[kind].items()}
    return canonical({"kind": kind, "body": body})


def main() -> None:
    """Writes ``corpus/<target>/seed-<number>`` for every target."""
    for target, seeds in examples().items():
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("seed-*"):
            old.unlink()
        for number, seed in enumerate(seeds):
            (folder / f"seed-{number}").write_bytes(seed)


if __name__ == "__main__":
    main()
