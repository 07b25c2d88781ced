"""A story told in events, by hand: no database, no vault, no clock. Each step is one draft of the real move.

Ana takes in, Boris reviews, Chi is the second, Dana is of another team. Keys are derived from names, so that a
story is the same on every run.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dueprocess.cases import decide, narrow, notify
from dueprocess.cases.authenticate import authenticate
from dueprocess.cases.case import Case, evolve, fold
from dueprocess.cases.decide import Signing, decision_document
from dueprocess.cases.document import DocumentFacts
from dueprocess.cases.events import FIRST, Draft, Event, check_body
from dueprocess.cases.gate import GateFacts, Phase
from dueprocess.cases.logproof import LogProof
from dueprocess.cases.narrow import Narrowing
from dueprocess.cases.read import read
from dueprocess.cases.receive import receive
from dueprocess.demand import Demand, Period, Scope, ScopeItem, Target, expand
from dueprocess.roster import STAFF_ROLES, Entry, Roster, Signature, Verdict, fingerprint, message
from dueprocess.wire import Json, instant, parse_instant, sha256, sha256_hex

ORIGIN = "chat.example/dueprocess/1"
START = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
EVA, FINN = "@eva:chat.example", "@finn:chat.example"
ASKED = ["subscriber", "session", "traffic", "content"]
WINDOW = Period(START - dt.timedelta(days=20), START - dt.timedelta(days=1))
LEAST = expand(["subscriber.identity", "session.times"])
PLAN, MAP = sha256_hex(b"plan"), sha256_hex(b"map")
CASE_ID = "c" * 32


@dataclass(frozen=True, slots=True)
class Person:
    """A name with the Ed25519 key derived from it."""

    name: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(self.name.encode()))

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def credential(self) -> str:
        return fingerprint(self.public)

    def sign(
        self,
        document: Mapping[str, Any],
        verdict: Verdict,
        *,
        role: str = "reviewer",
        origin: str = ORIGIN,
    ) -> Signature:
        """This person's word on a document."""
        signed = message(origin, dict(document), role=role, verdict=verdict, credential=self.credential)
        return Signature(self.name, self.credential, role, verdict, self.private.sign(signed))

    def entry(self, roles: tuple[str, ...] = STAFF_ROLES, **changes: Any) -> Entry:
        facts: dict[str, Any] = {
            "roster": "staff",
            "id": self.name,
            "credential": self.credential,
            "public_key": self.public,
            "roles": roles,
            "about": {},
            "counts_from": START - dt.timedelta(days=30),
            "enrolled_by": (),
            "number": 1,
        }
        return Entry(**{**facts, **changes})


ANA, BORIS, CHI, DANA = Person("ana"), Person("boris"), Person("chi"), Person("dana")


def court(who: str = "a-court", age: str = "age1court", **changes: Any) -> Entry:
    """An enrolled authority with its key."""
    facts: dict[str, Any] = {
        "roster": "authorities",
        "id": who,
        "credential": sha256_hex(age.encode())[:32],
        "public_key": b"",
        "roles": (),
        "about": {"class": "court", "age": age},
        "counts_from": START - dt.timedelta(days=30),
        "enrolled_by": ("boris", "chi"),
    }
    return Entry(**{**facts, **changes})


def roster(*entries: Entry) -> Roster:
    """A roster with these entries; the usual cast and court where none is named."""
    chosen = entries or (ANA.entry(("intake",)), BORIS.entry(), CHI.entry(), DANA.entry(), court())
    return Roster({entry.credential: entry for entry in chosen})


def demand(accounts: Iterable[str] = (EVA,), **changes: Any) -> Demand:
    """A 2703(d) order that asks for everything about some accounts, since a day, with no end."""
    asked = Period(WINDOW.since, None)
    items = tuple(ScopeItem(Target("account", name), expand(ASKED), asked) for name in accounts)
    facts: dict[str, Any] = {
        "kind": "disclosure",
        "regime": "us",
        "instrument": "d_order",
        "scope": Scope(bytes(32), items),
        "received_at": START,
    }
    return Demand(**{**facts, **changes})


def assessed(
    refs: Iterable[str], *, rule: str = "allowed_before_production", until: str | None = None, **changes: Json
) -> Draft:
    """What `assess` records, without asking a pack."""
    body: dict[str, Json] = {
        "assessment_sha256": sha256_hex(f"{rule}{until}{changes}".encode()),
        "on": "2026-09-01",
        "outcome": "permit_subset",
        "producible": True,
        "packs": [{"id": "us.sca", "version": "1", "sha256": sha256_hex(b"pack")}],
        "permitted": {ref: list[Json](sorted(LEAST)) for ref in refs},
        "findings": ["cut"],
        "notice": {"rule": rule, "until": until},
        "basis": ["18 USC 2703(d)"],
    }
    return Draft("DemandAssessed", {**body, **changes})


@dataclass
class Story:
    """Events in the order they are told; every step moves the clock by a minute."""

    events: list[Event] = field(default_factory=list)
    now: dt.datetime = START
    paper: Demand = field(default_factory=demand)
    scopes: dict[str, Scope] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    roster: Roster = field(default_factory=roster)

    @property
    def case(self) -> Case:
        return fold(self.events)

    def tell(self, *drafts: Draft, actor: str = "ana") -> "Story":
        """Adds events as the append would: numbered, linked, dated, and allowed by the table."""
        for draft in drafts:
            check_body(draft.kind, 1, draft.body)
            prev = self.events[-1].sha256 if self.events else FIRST
            event = Event(
                CASE_ID, len(self.events) + 1, draft.kind, 1, draft.body, actor, instant(self.now), prev
            )
            evolve(self.case if self.events else Case(CASE_ID, ()), event)
            self.events.append(event)
            self.now += dt.timedelta(minutes=1)
        return self

    def received(self) -> "Story":
        paper = sha256_hex(b"a paper")
        return self.tell(*receive(paper, nonce=bytes(32), channel="mail", media="text/plain", size_bytes=7))

    def verified(self, *, actor: str = "ana", authority: Entry | None = None) -> "Story":
        drafts = authenticate(authority=authority or court(), findings=["called_back"])
        return self.tell(*drafts, actor=actor)

    def read(self, *accounts: str, **changes: Any) -> "Story":
        self.paper = demand(accounts or (EVA,), **changes)
        return self.tell(*read(self.paper, country="US", subjects_root=sha256_hex(b"subjects")))

    def assessed(self, **changes: Any) -> "Story":
        return self.tell(assessed(self.case.targets, **changes))

    def narrowing(self, ref: str = "t1", **changes: Any) -> Narrowing:
        """What a person narrows one target to: identity and session times in a closed window."""
        asked = self.paper.scope.items[int(ref[1:]) - 1]
        item = ScopeItem(asked.target, LEAST, WINDOW)
        facts: dict[str, Any] = {
            "ref": ref,
            "demanded": self.paper.scope,
            "permitted": item,
            "authorised": Scope(sha256(ref.encode()), (item,)),
            "findings": (),
            "plan_sha256": PLAN,
            "map_sha256": MAP,
        }
        return Narrowing(**{**facts, **changes})

    def narrowed(self, ref: str = "t1", **changes: Any) -> "Story":
        narrowing = self.narrowing(ref, **changes)
        self.scopes[ref] = narrowing.authorised
        return self.tell(*narrow.narrow(self.case, narrowing), actor="boris")

    def document(self, ref: str = "t1", **changes: Any) -> dict[str, Any]:
        """The decision document about one target as the case stands."""
        facts: dict[str, Any] = {
            "origin": ORIGIN,
            "nonce": sha256(b"nonce"),
            "ref": ref,
            "scope": self.scopes.get(ref, self.paper.scope),
            "plan_sha256": PLAN,
            "roster_sha256": sha256_hex(b"roster"),
            "now": self.now,
        }
        authority = changes.pop("authority", court())
        facts_of_it = DocumentFacts(**{**facts, **changes})
        return decision_document(self.case, facts_of_it, authority, notice_days=7)

    def signing(
        self, document: Mapping[str, Any], who: Person, verdict: Verdict, *, role: str = "reviewer"
    ) -> Signing:
        return Signing(document, who.sign(document, verdict, role=role), self.roster, self.now)

    def proposed(self, ref: str = "t1", by: Person = BORIS) -> "Story":
        document = self.documents[ref] = self.document(ref)
        drafts = decide.propose(self.case, self.signing(document, by, "propose"))
        return self.tell(*drafts, actor=by.name)

    def approved(self, ref: str = "t1", by: Person = CHI) -> "Story":
        drafts = decide.approve(self.case, self.signing(self.documents[ref], by, "approve"))
        return self.tell(*drafts, actor=by.name)

    def told(self, ref: str = "t1", phase: str = "before") -> "Story":
        letter = sha256_hex(b"letter")
        state = self.case.target(ref)
        self.tell(*notify.start(state, phase, letter), actor="worker")
        return self.tell(*notify.notified(state, phase, letter, "outbox"), actor="worker")

    def produced(self, ref: str = "t1", *, subject: str = "one", rows: int = 2) -> "Story":
        decided = {"target": ref, "decision_sha256": self.case.target(ref).decision_sha256}
        tables: list[Json] = [{"store": "main", "table": "users", "status": "found", "rows": rows}]
        parcel: dict[str, Json] = {
            "parcel_id": "p-1",
            "parcel_sha256": sha256_hex(b"parcel"),
            "bytes": 9,
            "tables": tables,
        }
        return self.tell(
            Draft("ProductionStarted", {**decided, "plan_sha256": PLAN, "log_size": 9, "witnessed": False}),
            Draft("TargetResolved", {**decided, "subject": subject}),
            Draft("DataProduced", {**decided, **parcel}),
            actor="worker",
        )

    def delivered(self, ref: str = "t1") -> "Story":
        parcel: dict[str, Json] = {"target": ref, "parcel_id": "p-1", "channel": "folder"}
        return self.tell(
            Draft(
                "DeliveryStarted",
                {**parcel, "recipient_key_sha256": sha256_hex(b"age1court"), "witnessed": False},
            ),
            Draft("ParcelDelivered", {**parcel, "parcel_sha256": sha256_hex(b"parcel")}),
            actor="boris",
        )

    def wait(self, **delta: float) -> "Story":
        self.now += dt.timedelta(**delta)
        return self

    def proof(self, **changes: Any) -> LogProof:
        """Everything sealed in the minute it was recorded, under a head of now that no witness was asked for."""
        facts: dict[str, Any] = {
            "sealed_at": {event.case_seq: parse_instant(event.recorded_at) for event in self.events},
            "roster_sealed_at": {1: START - dt.timedelta(days=31)},
            "read_to": 99,
            "head_size": 9,
            "head_at": self.now,
            "witnessed": False,
        }
        return LogProof(**{**facts, **changes})

    def gate(self, *, ref: str = "t1", phase: Phase = "produce", **changes: Any) -> GateFacts:
        """What the worker brings to the gate, with everything sealed and a fresh head."""
        proof = self.proof()
        facts = GateFacts(
            case=self.case,
            ref=ref,
            document=self.documents.get(ref, {}),
            roster=self.roster,
            origin=ORIGIN,
            plan_sha256=PLAN,
            proof=proof,
            now=self.now,
            freshest=dt.timedelta(hours=2),
            phase=phase,
        )
        return replace(facts, **changes)


def assessed_story(*accounts: str, **changes: Any) -> Story:
    """Received, called back by Ana, read and assessed."""
    return Story().received().verified().read(*accounts).assessed(**changes)


def approved_story(*accounts: str, **changes: Any) -> Story:
    """Narrowed, proposed by Boris, approved by Chi, the user told, the time to object over."""
    story = assessed_story(*accounts, **changes).narrowed().proposed().approved()
    rule = story.documents["t1"]["notice"]["rule"]
    return (story.told() if rule in notify.BEFORE_RULES else story).wait(days=8)
