"""The JSON Schemas of specs/ describe what the package writes, and are not asleep: any bent document fails.

Checked with jsonschema, which shares no code with the package's own readers.
"""

import copy
import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from cases.holds import narrowed_letter
from cases.story import ANA, BORIS, CASE_ID, CHI, ORIGIN, START, Story, court
from dueprocess.cases.document import check_shape
from dueprocess.cases.erase import erasure_document
from dueprocess.cases.logrules import Recovery, Waiver, policy_document, recovery_document, waiver_document
from dueprocess.cases.packrules import activation_document, retirement_document
from dueprocess.cases.silence import silence_document
from dueprocess.desk.rosters import ending_document
from dueprocess.parcel import statement_json
from dueprocess.parcel.eu_reply import manifest_json
from dueprocess.report import RegisterRow, build_register, build_report, row_commitment
from dueprocess.roster import entry_document
from dueprocess.tlog import AUDIENCES, KEPT_AFTER_ERASURE, Record, commitment, open_fields, parse_vkey
from dueprocess.tlog.promise import IntakePromise, format_promise
from dueprocess.wire import b64, sha256, sha256_hex
from parcel import accounts, eu

pytestmark = pytest.mark.conformance

SPECS = Path(__file__).parents[2] / "specs"
VECTORS: dict[str, Any] = json.loads((SPECS / "tlog" / "vectors.json").read_bytes())
NONCE = b64(sha256(b"nonce"))
SCHEMAS = {
    str(path.relative_to(SPECS)).removesuffix(".schema.json"): json.loads(path.read_bytes())
    for path in sorted(SPECS.rglob("*.schema.json"))
}

type Place = tuple[str | int, ...]


@cache
def validator(name: str) -> Draft202012Validator:
    """Checks documents against one schema of specs/, the others at hand for its references."""
    known: Registry[Any] = Registry().with_resources(
        (each["$id"], Resource.from_contents(each)) for each in SCHEMAS.values()
    )
    return Draft202012Validator(SCHEMAS[name], registry=known)


def row(**changes: Any) -> RegisterRow:
    facts: dict[str, Any] = {
        "period": "2026H2",
        "country": "US",
        "regime": "us",
        "instrument": "d_order",
        "basis": "18 USC 2703(d)",
        "authority_class": "court",
        "demand_kind": "disclosure",
        "emergency": False,
        "categories": ("subscriber", "session"),
        "accounts_band": "1",
        "outcome": "complied_in_part",
        "narrowed": True,
        "notice": "told_before",
        "challenged": False,
    }
    return RegisterRow(**{**facts, **changes})


def decisions() -> dict[str, Any]:
    """Documents of one story, as people sign them."""
    story = Story().received().verified().read().assessed().narrowed().proposed().approved()
    document = story.documents["t1"]
    resolution = {**document, "action": "resolve", "recipient": None}
    check_shape(resolution, "resolve")
    hold = narrowed_letter().hold_document()
    check_shape(hold, "hold")
    silence = {
        "origin": ORIGIN,
        "basis": "18 USC 2705(b)",
        "paper_sha256": sha256_hex(b"paper"),
        "nonce": NONCE,
    }
    later = START + timedelta(days=90)
    return {
        "scope/scope": [story.paper.scope.as_json(), story.scopes["t1"].as_json()],
        "decision/decision": [document, resolution, hold],
        "decision/signature": [
            BORIS.sign(document, "propose").as_json(),
            CHI.sign(document, "approve").as_json(),
            ANA.sign(document, "reject", role="intake").as_json(),
        ],
        "decision/erasure": [erasure_document(story.case, "retention-over", origin=ORIGIN, nonce=NONCE)],
        "decision/silence": [
            silence_document(story.case, "t1", until=until, **silence) for until in (later, None)
        ],
    }


def rosters() -> dict[str, Any]:
    """Documents about who may act, and about the log's own rules."""
    authority = court()
    person = entry_document(
        "staff",
        "boris",
        public_key=b64(BORIS.public),
        credential=BORIS.credential,
        roles=("reviewer", "counsel"),
        about={},
        nonce=NONCE,
    )
    agency = entry_document(
        "authorities",
        authority.id,
        public_key="",
        credential=authority.credential,
        roles=(),
        about=authority.about,
        nonce=NONCE,
    )
    policy = VECTORS["receipt"]["policy"].encode()
    content = sha256_hex(b"a pack")
    third: dict[str, Any] = {"origin": ORIGIN, "number": 3, "nonce": NONCE}
    week = START + timedelta(days=7)
    return {
        "roster/entry": [person, agency],
        "roster/ending": [ending_document("revoke", BORIS.credential), ending_document("suspend", CASE_ID)],
        "roster/policy": [policy_document(origin=ORIGIN, number=2, policy=policy, nonce=NONCE)],
        "roster/activation": [activation_document("us.sca", "2026.11.22", content, **third)],
        "roster/retirement": [retirement_document("us.sca", content, **third)],
        "roster/waiver": [
            waiver_document(Waiver(START, week, 9, last), origin=ORIGIN, nonce=NONCE)
            for last in (START, None)
        ],
        "roster/recovery": [
            recovery_document(Recovery(7, 9, sha256_hex(b"root"), lost), origin=ORIGIN, nonce=NONCE)
            for lost in ((1, 2), None)
        ],
    }


def reports() -> dict[str, Any]:
    """A register with rows and one without, and their reports."""
    many = [(row(), row_commitment(row(), number.to_bytes(32))) for number in range(25)]
    full = build_register(many, period="2026H2", k=10, with_band=True)
    none = build_register([], period="2026H1")
    return {
        "report/row": [row().as_json(), row(categories=(), instrument="nsl").as_json()],
        "report/register": [full.as_json(), none.as_json()],
        "report/report": [build_report(full).as_json(), build_report(none).as_json()],
    }


def logged() -> dict[str, Any]:
    """The vectors of specs/tlog, and an intake receipt."""
    leaves = [*VECTORS["log"]["leaves"], *(each["leaf"] for each in VECTORS["signed_leaves"])]
    receipts = [VECTORS["receipt"][name] for name in ("receipt", "unwitnessed", "erased")]
    return {
        "tlog/leaf": [json.loads(each) for each in leaves],
        "tlog/opening": [VECTORS["record"]["opening_user"], VECTORS["record"]["opening_erased"]],
        "tlog/receipt": [json.loads(each) for each in receipts],
        "promise/promise": [promise()],
    }


def intake() -> dict[str, Any]:
    """The example profile of specs/intake, cut to its first paper: the whole one is checked in tests/ui."""
    whole = json.loads((SPECS / "intake" / "example.json").read_bytes())
    whole["packs"] = [dict(each, instruments=each["instruments"][:1]) for each in whole["packs"][:1]]
    return {"intake/intake": [whole]}


def promise() -> dict[str, Any]:
    """An intake receipt of the requester's fields."""
    log, key = VECTORS["keys"]["log"]["vkey"].split("+")[0], VECTORS["keys"]["intake"]
    record = Record({"kind": "DemandReceived", "month": "2026-09", "paper_sha256": sha256_hex(b"a paper")})
    secret = bytes.fromhex(VECTORS["record"]["secret"])
    opening = open_fields(record, secret, AUDIENCES["requester"])
    made = IntakePromise(
        log, CASE_ID, sha256_hex(b"a paper"), START, commitment(record, secret).hex(), opening, 5984384
    )
    sign = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed"])).sign
    found: dict[str, Any] = json.loads(format_promise(made, parse_vkey(key["vkey"]), sign))
    return found


def leaves_of(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value of a JSON tree, with the way to it."""
    yield place, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inner:
        yield from leaves_of(below, (*place, step))


def parcels() -> dict[str, Any]:
    """What stands in an answer package beside the records, and the manifest of a reply in the Union."""
    told = (accounts.ACCOUNT, accounts.EMPTY, accounts.RESUMED)
    kept = dataclasses.replace(eu.MANIFEST, transmission=dataclasses.replace(eu.SENT, until=None))
    return {
        "parcel/statement": [json.loads(statement_json(each)) for each in told],
        "parcel/eu_manifest": [json.loads(manifest_json(each)) for each in (eu.MANIFEST, kept)],
    }


DOCUMENTS: dict[str, list[Any]] = {
    **logged(), **decisions(), **rosters(), **reports(), **intake(), **parcels()
}  # fmt: skip
CASES = [
    pytest.param(name, each, id=f"{name}-{n}") for name in DOCUMENTS for n, each in enumerate(DOCUMENTS[name])
]


def places(document: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Like ``leaves_of``, of every list only the first and the last item: the others are like them."""
    yield place, document
    if isinstance(document, dict):
        for name, below in document.items():
            yield from places(below, (*place, name))
    elif isinstance(document, list):
        for number in sorted({0, len(document) - 1} if document else ()):
            yield from places(document[number], (*place, number))


FREE: dict[str, tuple[str, ...]] = {
    "tlog/opening": ("opened",),
    "tlog/receipt": ("opened",),
    "promise/promise": ("opened",),
    "roster/entry": ("about",),
}
"""Objects whose members are names, not a fixed list: fewer of them are another valid document."""

NULLABLE = frozenset({"subject", "number"})
"""Members that are an object or a number in these documents, and could be null."""

ODD: dict[type, tuple[Any, ...]] = {
    str: (7, 0.5, [], {}, True),
    bool: ("true", 0.5, 1, None),
    int: ("7", 0.5, True, None, -(2**60)),
    dict: ([], 0.5, "x", None),
    list: ({}, 0.5, "x", None),
    type(None): (0.5, {"x": 0.5}, True),
}
"""For each type of value, values of other types; a fraction is wrong everywhere."""


def with_value(document: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    made = copy.deepcopy(document)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return made


def without(document: Any, place: Place) -> Any:
    made = copy.deepcopy(document)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return made


def in_value(place: Place) -> bool:
    """Whether this is (within) the value of an opened field, which may be any JSON without fractions."""
    return "opened" in place and "value" in place


def dropped(name: str, document: Any) -> Iterator[tuple[Place, Any]]:
    """The document without one member that must be there."""
    for place, _ in places(document):
        named = place and isinstance(place[-1], str)
        free = len(place) > 1 and place[-2] in FREE.get(name, ())
        if named and not free and not (in_value(place) and place[-1] != "value"):
            yield place, without(document, place)


def extended(document: Any) -> Iterator[tuple[Place, Any]]:
    """The document with one member more."""
    for place, value in places(document):
        if isinstance(value, dict) and not in_value(place):
            yield (*place, "more"), with_value(document, place, {**value, "more": 0.5})


def mistyped(document: Any) -> Iterator[tuple[Place, Any]]:
    """The document with one value of another type."""
    for place, value in places(document):
        for odd in (0.5,) if in_value(place) else ODD[type(value)]:
            if odd is None and place and place[-1] in NULLABLE:
                continue
            yield (*place, repr(odd)), with_value(document, place, odd)


EXACT = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{64}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==|[0-9]{10}|20\d\dH\d|[0-9-]{10}(T[0-9:]{8}Z)?"
)


def respelled(document: Any) -> Iterator[tuple[Place, Any]]:
    """The document with a digest, hash, time, period or epoch in another spelling. A case is hex of any length."""
    for place, value in places(document):
        if isinstance(value, str) and EXACT.fullmatch(value) and not in_value(place) and place[-1] != "case":
            for other in (value + "\n", " " + value, value[:-1], value.swapcase() if value.isalnum() else ""):
                if other != value:
                    yield (*place, repr(other)), with_value(document, place, other)


def test_every_schema_has_documents() -> None:
    """A schema without a document, or a document without its schema, fails here."""
    assert set(SCHEMAS) == set(DOCUMENTS)
    assert all(DOCUMENTS.values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    """Draft 2020-12, exact: no object in it lets unknown members through but the named free ones."""
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    room, file = name.split("/")
    assert schema["$id"] == f"urn:dueprocess:{room}:{file}:1"
    for _, part in leaves_of(schema):
        if (
            isinstance(part, dict)
            and part.get("type") == "object"
            and "title" not in part.get("properties", {})
        ):
            assert "additionalProperties" in part


@pytest.mark.parametrize(("name", "document"), CASES)
def test_real_documents_fit(name: str, document: Any) -> None:
    """Every vector, and what the package itself writes."""
    assert [each.message for each in validator(name).iter_errors(document)] == []


@pytest.mark.parametrize(("name", "document"), CASES)
def test_bent_documents_do_not_fit(name: str, document: Any) -> None:
    """One member dropped or added, one value of another type, one digest or time spelled in another way: refused."""
    bent = [*dropped(name, document), *extended(document), *mistyped(document), *respelled(document)]
    assert len(bent) > 10
    assert [place for place, each in bent if validator(name).is_valid(each)] == []


def test_an_audience_sees_only_its_fields() -> None:
    """A receipt that opens a field of another audience, or shows a subject to one who is none, does not fit."""
    user, erased = (json.loads(VECTORS["receipt"][name]) for name in ("receipt", "erased"))
    assert not validator("tlog/receipt").is_valid({**user, "audience": "requester"})
    assert not validator("tlog/receipt").is_valid({**erased, "audience": "user"})
    assert not validator("tlog/receipt").is_valid({**user, "unwitnessed": True})
    erased["records"][0]["subject"] = user["records"][0]["subject"]
    assert not validator("tlog/receipt").is_valid(erased)
    assert set(DOCUMENTS["tlog/opening"][1]["opened"]) == set(KEPT_AFTER_ERASURE)
