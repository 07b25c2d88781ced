"""Verb 11, challenge: an objection holds the disclosure of that target until two outcomes are known."""

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft
from dueprocess.errors import RefusedError

BY = ("user", "operator", "requester")


def open_challenge(case: Case, ref: str, *, by: str, ground: str) -> list[Draft]:
    """Records an objection. From here on the gate refuses production and delivery for this target."""
    if by not in BY:
        raise RefusedError("unknown-challenger", f"{by!r} is none of {', '.join(BY)}.")
    if case.target(ref).challenged:
        raise RefusedError(
            "challenge-open", "A challenge is open already for this target.", do="Close it first."
        )
    return [Draft("ChallengeOpened", {"target": ref, "by": by, "ground": ground})]


def close_challenge(case: Case, ref: str, *, upheld: bool) -> list[Draft]:
    """Records the outcome; an upheld challenge withdraws the decision, and refuses a target that has none."""
    state = case.target(ref)
    if not state.challenged:
        raise RefusedError("no-challenge", "No challenge is open for this target.")
    drafts = [Draft("ChallengeClosed", {"target": ref, "upheld": upheld})]
    if upheld and state.decision_sha256 is not None:
        body = {"target": ref, "decision_sha256": state.decision_sha256, "reason": "challenge upheld"}
        drafts.insert(0, Draft("DecisionWithdrawn", {**body}))
    return drafts
