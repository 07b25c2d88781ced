"""A story of a hold, told by hand: a letter to preserve, read, assessed, narrowed, begun by Boris, confirmed by Chi."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cases.story import BORIS, CHI, ORIGIN, PLAN, Person, Story, assessed
from dueprocess.cases import hold, holdpapers
from dueprocess.cases.document import DocumentFacts
from dueprocess.cases.events import Draft
from dueprocess.cases.hold import HoldGate, HoldTerms, Taken
from dueprocess.cases.holdpapers import Signed
from dueprocess.roster import Verdict
from dueprocess.wire import sha256, sha256_hex

HOLD_ID = "ab" * 16
TABLES = [{"store": "main", "table": "users", "status": "found", "rows": 2, "categories": ["session.times"]}]


@dataclass
class HoldStory(Story):
    """Steps of a hold beside those of every case."""

    @property
    def until(self) -> dt.datetime:
        return self.paper.received_at + dt.timedelta(days=90)

    def letter(self, *accounts: str, verified: bool = True, **changes: Any) -> "HoldStory":
        self.received()
        if verified:
            self.verified()
        self.read(*accounts, kind="preservation", instrument="preservation_letter")
        self.tell(assessed(self.case.targets, **{"producible": False, **changes}))
        return self

    def hold_document(self, ref: str = "t1", **changes: Any) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "origin": ORIGIN, "nonce": sha256(b"nonce"), "ref": ref, "scope": self.scopes[ref], "plan_sha256": PLAN,
            "roster_sha256": sha256_hex(b"roster"), "now": self.now,
        }  # fmt: skip
        terms = HoldTerms(HOLD_ID, "copy", self.until)
        return hold.hold_document(self.case, DocumentFacts(**{**facts, **changes}), terms)

    def begun(self, ref: str = "t1", by: Person = BORIS) -> "HoldStory":
        document = self.documents[ref] = self.hold_document(ref)
        self.tell(*hold.start(self.case, self.signing(document, by, "propose"), self.until), actor=by.name)
        return self

    def confirmed(self, ref: str = "t1", by: Person = CHI) -> "HoldStory":
        drafts = hold.confirm(self.case, self.signing(self.documents[ref], by, "approve"))
        self.tell(*drafts, actor=by.name)
        return self

    def made(self, ref: str = "t1", **changes: Any) -> Taken:
        facts: dict[str, Any] = {
            "ref": ref, "hold_id": HOLD_ID, "subject": "one", "manifest_sha256": sha256_hex(b"manifest"),
            "objects": 3, "size_bytes": 99, "tables": TABLES,
        }  # fmt: skip
        return Taken(**{**facts, **changes})

    def taken(self, **changes: Any) -> "HoldStory":
        self.tell(*hold.take(self.case, self.made(**changes), self.now), actor="production")
        return self

    def over(self, ref: str = "t1") -> "HoldStory":
        self.tell(*hold.end(self.case, ref, self.now), actor="production")
        return self

    def gone(self, ref: str = "t1") -> "HoldStory":
        self.tell(*hold.destroyed(self.case, ref, objects=3), actor="production")
        return self

    def hold_gate(self, **changes: Any) -> HoldGate:
        facts: dict[str, Any] = {
            "case": self.case, "ref": "t1", "document": self.documents["t1"], "roster": self.roster,
            "origin": ORIGIN, "plan_sha256": PLAN, "until": self.until, "now": self.now,
        }  # fmt: skip
        return HoldGate(**{**facts, **changes})

    def two(
        self, document: dict[str, Any], verdict: Verdict, people: Sequence[Person] = (BORIS, CHI)
    ) -> Signed:
        given = [each.sign(document, verdict) for each in people]
        return Signed(document, given, ORIGIN, self.roster, self.now)

    def renewal(self, ref: str = "t1", **changes: Any) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "origin": ORIGIN, "order_ref": sha256_hex(b"again"), "until": self.until + dt.timedelta(days=90),
            "nonce": sha256(b"nonce"),
        }  # fmt: skip
        return holdpapers.renewal_document(self.case, ref, **{**facts, **changes})

    def renewed(self) -> "HoldStory":
        until = self.until + dt.timedelta(days=90)
        drafts = holdpapers.renew(self.case, "t1", self.two(self.renewal(), "renew"), until)
        self.tell(*drafts, actor="boris")
        return self

    def releasing(self, ground: str = "served") -> dict[str, Any]:
        return holdpapers.release_document(self.case, "t1", ground, origin=ORIGIN, nonce=sha256(b"nonce"))

    def draft(self, kind: str, **body: Any) -> Draft:
        return Draft(kind, body)


def narrowed_letter(*accounts: str, **changes: Any) -> HoldStory:
    """A letter to preserve, read by Ana, narrowed by Boris: a hold may begin."""
    story = HoldStory().letter(*accounts, **changes)
    story.narrowed()
    return story


def held_story() -> HoldStory:
    """Begun by Boris, taken by the worker, confirmed by Chi."""
    return narrowed_letter().begun().taken().confirmed()
