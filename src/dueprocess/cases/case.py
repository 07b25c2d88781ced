"""A case, folded from its events. Pure: the same events always give the same case."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from dueprocess.cases.events import Event, check_links
from dueprocess.cases.holdstate import HoldState, evolve_hold
from dueprocess.cases.stages import MOVES, STAGE_ORDER, Stage
from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class TargetState:
    """Where one target stands. ``ref`` (t1, t2 …) is the only name a target has in events."""

    ref: str
    stage: Stage = "read"
    scope_sha256: str | None = None
    plan_sha256: str | None = None
    decision: Event | None = None
    approvals: tuple[Event, ...] = ()
    rejected: bool = False
    resolved: str | None = None
    collected: tuple[Event, ...] = ()
    """What people said about tables that they collect by hand; of one table the last counts."""
    produced: Event | None = None
    begun: Event | None = None
    """The newest hand-over that was begun."""
    released: Event | None = None
    """The release of that hand-over, where the requester fetches the parcel."""
    downloads: tuple[str, ...] = ()
    """Downloads that are on record, by their ids."""
    delivered: Event | None = None
    manifest: Event | None = None
    """The newest manifest of that hand-over, where it went beside the decentralised IT system."""
    notice_delayed: Event | None = None
    silence: Event | None = None
    """The newest change of a nondisclosure order after the decision, if there was one."""
    notice_started: tuple[str, ...] = ()
    notified: tuple[str, ...] = ()
    """Phases of notice that the user has had: ``before``, ``after``."""
    challenged: bool = False
    challenges: int = 0
    narrowed: bool = False
    categories: tuple[str, ...] = ()
    """What the authorised scope reaches."""
    purged: bool = False
    hold: HoldState | None = None
    """The hold that a preservation demand led to."""
    renewal: Event | None = None
    """The hold in another case that this paper renewed."""
    parent: str | None = None
    """The target of the paper that this account was found behind; None for what the paper itself names."""
    found: Event | None = None
    """Which targets were added because a decision to resolve this one found them."""

    @property
    def resolving(self) -> bool:
        """Whether the decision about this target is to find out which account it means, and nothing more."""
        return self.decision is not None and self.decision.body["action"] == "resolve"

    @property
    def ambiguous(self) -> bool:
        """Whether the question was answered with more than the target may mean: it ended, and nobody was found."""
        return self.found is not None and self.resolved == "several" and not self.children

    @property
    def children(self) -> tuple[str, ...]:
        """The targets that were found behind this one."""
        refs = self.found.body["targets"] if self.found else []
        return tuple(map(str, refs)) if isinstance(refs, list) else ()

    @property
    def decision_sha256(self) -> str | None:
        return self.decision.text("decision_sha256") if self.decision else None


@dataclass(frozen=True, slots=True)
class Case:
    """One demand's life so far."""

    case_id: str
    events: tuple[Event, ...]
    stage: Stage = "received"
    received: Event | None = None
    verified: Event | None = None
    doubted: Event | None = None
    read: Event | None = None
    assessed: Event | None = None
    targets: Mapping[str, TargetState] = field(default_factory=dict)
    closed: Event | None = None
    registered: Event | None = None
    erased: Event | None = None
    letters: tuple[Event, ...] = ()
    """Letters that went back to whoever sent the paper."""

    @property
    def last_seq(self) -> int:
        return len(self.events)

    def target(self, ref: str) -> TargetState:
        """The state of one target; refuses a reference that the case does not have."""
        found = self.targets.get(ref)
        if found is None:
            have = ", ".join(self.targets) or "none yet (the paper was not read)"
            raise RefusedError(
                "no-such-target", f"This case has no target {ref!r}.", do=f"Choose from: {have}."
            )
        return found

    def place(self, ref: str) -> int:
        """Where on the paper (from 0) a target is named, or the one that it was found behind."""
        return list(self.targets).index(self.target(ref).parent or ref)

    @property
    def accounts(self) -> int:
        """How many accounts the demand is about, as far as is known: what was resolved counts by what was found."""
        return sum(not state.children for state in self.targets.values())

    @property
    def outcome(self) -> str | None:
        """Coarse outcome for the register, once closed."""
        if self.closed is None:
            return None
        outcomes = set(_map(self.closed.body["outcomes"]).values())
        if not outcomes:
            return "rejected"
        if len(outcomes) == 1:
            return str(outcomes.pop())
        return "complied_in_part"


def fold(events: Iterable[Event]) -> Case:
    """The case that these events tell. Raises ``BrokenError`` where they contradict the chain or the table."""
    rows = tuple(events)
    if not rows:
        raise RefusedError("no-such-case", "There is no such case.", do="List them: dueprocess cases.")
    try:
        check_links(list(rows))
    except MalformedError as error:
        raise BrokenError(error.code, error.what, why=error.why, do=error.do) from error
    case = Case(rows[0].case_id, ())
    for event in rows:
        try:
            case = evolve(case, event)
        except RefusedError as error:
            raise BrokenError(
                error.code,
                f"Event {event.case_seq} of case {case.case_id[:8]} cannot have happened: {error.what}",
                why=error.why,
                do="Run dueprocess fsck; restore from a copy that agrees with the public log.",
                source=error.source,
            ) from error
    return case


def evolve(case: Case, event: Event) -> Case:
    """The case after one more event. Refuses an event that the table of stages does not allow here."""
    if case.erased is not None:
        raise RefusedError(
            "erased",
            f"Case {case.case_id[:8]} is erased: nothing can follow.",
            do="Open a new case for a new paper: dueprocess receive.",
            source="formats.md, Ledger and public log",
        )
    case = replace(case, events=(*case.events, event))
    if event.kind == "DemandReceived":
        if case.received is not None:
            raise BrokenError("received-twice", f"Case {case.case_id[:8]} was received twice.")
        return replace(case, received=event)
    if case.received is None:
        raise BrokenError("not-received", f"Case {case.case_id[:8]} does not begin with its receipt.")
    if "target" in event.body:
        return _restage(_evolve_target(case, event))
    _allow(event, case.stage)
    return _restage(_evolve_case(case, event))


def _evolve_case(case: Case, event: Event) -> Case:
    match event.kind:
        case "RequesterVerified":
            return replace(case, verified=event, doubted=None)
        case "RequesterDoubted":
            return replace(case, doubted=event, verified=None)
        case "DemandRead":
            return replace(case, read=event, assessed=None, targets=_reread(case, event))
        case "DemandAssessed":
            fresh = {ref: _reassessed(state, event) for ref, state in case.targets.items()}
            return replace(case, assessed=event, targets=fresh)
        case "LetterSent":
            return replace(case, letters=(*case.letters, event))
        case "CaseClosed":
            return replace(case, closed=event)
        case "CaseRegistered" | "Erased":
            counted = event.kind == "CaseRegistered"
            return replace(case, registered=event) if counted else replace(case, erased=event)
        case _:
            raise BrokenError("unknown-event", f"{event.kind} has no place in a case.")


def _evolve_target(case: Case, event: Event) -> Case:
    ref = event.text("target")
    if ref not in case.targets:
        raise BrokenError("no-such-target", f"{event.kind} names the target {ref!r}, which was never read.")
    state = case.targets[ref]
    _allow(event, "closed" if case.closed and event.kind != "ParcelPurged" else state.stage)
    leads = MOVES[event.kind][1]
    changed = _CHANGES[event.kind](state, event)
    moved = replace(changed, stage="refused" if changed.rejected else leads or state.stage)
    return replace(case, targets={**case.targets, ref: moved, **_children(case, moved, event)})


def _children(case: Case, state: TargetState, event: Event) -> dict[str, TargetState]:
    """The targets that a resolution adds behind those there are: assessed with the paper, and nothing more yet."""
    if event.kind != "AccountsFound":
        return {}
    number = len(case.targets)
    if state.children != tuple(f"t{number + place}" for place in range(1, len(state.children) + 1)):
        raise BrokenError("bad-event", "The accounts that were found are not numbered on from the targets.")
    return {ref: TargetState(ref, stage="assessed", parent=state.ref) for ref in state.children}


def _reread(case: Case, event: Event) -> dict[str, TargetState]:
    """Targets of a new reading, in the order of the paper (t2 before t10, though stored JSON sorts them as text).

    Refuses a new reading once a target went further than narrowing or is challenged: its name would change meaning.
    """
    for state in case.targets.values():
        _allow(event, state.stage)
        if state.challenged:
            raise RefusedError(
                "challenge-open",
                f"A challenge is open for {state.ref}, so the paper cannot be read anew.",
                do="Decide the challenge first.",
            )
    refs = sorted(_map(event.body["targets"]), key=lambda ref: (len(ref), ref))
    return {ref: TargetState(ref) for ref in refs}


def _reassessed(state: TargetState, event: Event) -> TargetState:
    """A new assessment voids scopes and signatures. It brings nothing refused or ended back, and lets nothing go that
    was approved, handed over or challenged: for the first it is refused, the last stays challenged.
    """
    if state.stage in ("refused", "ended", "resolved"):
        return state
    _allow(event, state.stage)
    return TargetState(
        state.ref,
        stage="assessed",
        parent=state.parent,
        notice_delayed=state.notice_delayed,
        challenged=state.challenged,
        challenges=state.challenges,
    )


def _narrowed(state: TargetState, event: Event) -> TargetState:
    """A new authorised scope voids every signature, and the user is told afresh; a challenge stays open."""
    categories = event.body["categories"]
    assert isinstance(categories, list)  # check_body has looked
    return TargetState(
        state.ref,
        parent=state.parent,
        scope_sha256=event.text("scope_sha256"),
        plan_sha256=event.text("plan_sha256"),
        narrowed=bool(event.body["cuts"]),
        categories=tuple(map(str, categories)),
        notice_delayed=state.notice_delayed,
        challenged=state.challenged,
        challenges=state.challenges,
    )


def _held(state: TargetState, event: Event) -> TargetState:
    """The stage table has seen to it that a hold was begun."""
    assert state.hold is not None
    return replace(state, hold=evolve_hold(state.hold, event))


def _decided(state: TargetState, event: Event) -> TargetState:
    """What a production ends with. A decision to resolve gives no parcel, and one to disclose adds no target."""
    resolves = event.kind == "AccountsFound"
    if state.resolving != resolves:
        raise RefusedError(
            "other-action",
            f"{event.kind} does not follow from what was decided about {state.ref}.",
            why="A decision to find an account hands nothing over, and a disclosure finds no further accounts.",
            source="formats.md, Scope",
        )
    if not resolves:
        return replace(state, produced=event)
    found = replace(state, found=event)
    return replace(found, rejected=found.rejected or found.ambiguous)


_CHANGES: dict[str, Callable[[TargetState, Event], TargetState]] = {
    "ScopeNarrowed": _narrowed,
    "DecisionProposed": lambda state, event: replace(state, decision=event, approvals=()),
    "DecisionApproved": lambda state, event: replace(state, approvals=(*state.approvals, event)),
    "DecisionRejected": lambda state, _: replace(state, rejected=True),
    "DecisionWithdrawn": lambda state, _: replace(state, rejected=True),
    "SilenceChanged": lambda state, event: replace(state, silence=event),
    "NoticeDelayed": lambda state, event: replace(state, notice_delayed=event),
    "NoticeStarted": lambda state, event: replace(
        state, notice_started=(*state.notice_started, event.text("phase"))
    ),
    "UserNotified": lambda state, event: replace(state, notified=(*state.notified, event.text("phase"))),
    "ChallengeOpened": lambda state, _: replace(state, challenged=True, challenges=state.challenges + 1),
    "ChallengeClosed": lambda state, event: replace(
        state, challenged=False, rejected=state.rejected or bool(event.body["upheld"])
    ),
    "TargetResolved": lambda state, event: replace(state, resolved=event.text("subject")),
    "CollectedByHand": lambda state, event: replace(state, collected=(*state.collected, event)),
    "ProductionStarted": lambda state, _: state,
    "DataProduced": _decided,
    "AccountsFound": _decided,
    "DeliveryStarted": lambda state, event: replace(state, begun=event, released=None, manifest=None),
    "ParcelReleased": lambda state, event: replace(state, released=event),
    "ParcelFetched": lambda state, event: replace(
        state, downloads=(*state.downloads, event.text("download"))
    ),
    "FieldsSpoken": lambda state, _: state,
    "DeliveryFailed": lambda state, _: state,
    "DeliveryReopened": lambda state, _: state,
    "ReopeningLapsed": lambda state, _: state,
    "ParcelDelivered": lambda state, event: replace(state, delivered=event),
    "ManifestMade": lambda state, event: replace(state, manifest=event),
    "ParcelPurged": lambda state, _: replace(state, purged=True),
    "HoldStarted": lambda state, event: replace(state, hold=HoldState(event)),
    "HoldTaken": _held,
    "HoldConfirmed": _held,
    "HoldRenewed": _held,
    "HoldEnded": _held,
    "HoldDestroyed": _held,
    "RenewalServed": lambda state, event: replace(state, renewal=event),
}
"""What each event about one target changes, besides its stage."""


def _allow(event: Event, stage: Stage) -> None:
    move = MOVES.get(event.kind)
    if move is None or stage not in move[0]:
        raise RefusedError(
            "wrong-stage",
            f"{event.kind} cannot follow the stage {stage!r}.",
            why="Each step rests on the one before it.",
            do="Look at what the case needs now: dueprocess next.",
            source="architecture.md section 2; docs/stages.md",
        )


def _restage(case: Case) -> Case:
    """The stage of the whole case: that of its slowest target that still goes on."""
    if case.closed is not None:
        return replace(case, stage="closed" if case.erased is None else "erased")
    if not case.targets:
        return case
    stages = [state.stage for state in case.targets.values()]
    going = [stage for stage in stages if stage != "refused"]
    return replace(case, stage=min(going, key=STAGE_ORDER.__getitem__) if going else "refused")


def _map(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise BrokenError("bad-event", "An event's map is no map.")
    return value
