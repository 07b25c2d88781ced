"""The literal table of stages and moves. A stage is never assigned: it follows from the events.

Each target of a case has a stage of its own, because each has a decision of its own; the case's stage is that
of its slowest target that is still going on. The diagram in docs/stages.md is generated from `MOVES`.
"""

from typing import Literal, get_args

Stage = Literal[
    "received", "read", "assessed", "narrowed", "proposed", "approved", "producing", "produced", "delivering",
    "delivered", "holding", "held", "ending", "ended", "resolved", "refused", "closed", "erased",
]  # fmt: skip
STAGES: tuple[Stage, ...] = get_args(Stage)
_UNERASED = frozenset(STAGES) - {"erased"}
"""Nothing follows an erasure."""

MOVES: dict[str, tuple[frozenset[Stage], Stage | None]] = {
    "RequesterVerified": (_UNERASED - {"closed"}, None),
    "RequesterDoubted": (_UNERASED - {"closed"}, None),
    "DemandRead": (frozenset({"received", "read", "assessed", "narrowed"}), "read"),
    "DemandAssessed": (frozenset({"read", "assessed", "narrowed", "proposed"}), "assessed"),
    "LetterSent": (_UNERASED, None),
    "ScopeNarrowed": (frozenset({"assessed", "narrowed", "proposed", "approved"}), "narrowed"),
    "DecisionProposed": (frozenset({"narrowed"}), "proposed"),
    "DecisionApproved": (frozenset({"proposed"}), "approved"),
    "DecisionRejected": (frozenset({"proposed", "approved"}), "refused"),
    "DecisionWithdrawn": (frozenset({"proposed", "approved", "producing", "produced"}), "refused"),
    "NoticeDelayed": (_UNERASED - {"received", "read", "closed"}, None),
    "SilenceChanged": (
        frozenset({"proposed", "approved", "producing", "produced", "delivering", "delivered"}),
        None,
    ),
    "NoticeStarted": (_UNERASED - {"received", "read"}, None),
    "UserNotified": (_UNERASED - {"received", "read"}, None),
    "ChallengeOpened": (frozenset({"narrowed", "proposed", "approved", "producing", "produced"}), None),
    "ChallengeClosed": (
        frozenset(
            {"assessed", "narrowed", "proposed", "approved", "producing", "produced", "refused", "closed"}
        ),
        None,
    ),
    "TargetResolved": (frozenset({"producing"}), None),
    "AccountsFound": (frozenset({"producing"}), "resolved"),
    "CollectedByHand": (frozenset({"approved", "producing"}), None),
    "ProductionStarted": (frozenset({"approved", "producing"}), "producing"),
    "DataProduced": (frozenset({"producing"}), "produced"),
    "DeliveryStarted": (frozenset({"produced"}), "delivering"),
    "ParcelReleased": (frozenset({"delivering"}), None),
    "ParcelFetched": (frozenset({"produced", "delivering", "delivered", "refused", "closed"}), None),
    "FieldsSpoken": (frozenset({"delivering"}), None),
    "DeliveryFailed": (frozenset({"delivering"}), "produced"),
    "ParcelDelivered": (frozenset({"delivering"}), "delivered"),
    "DeliveryReopened": (frozenset({"delivered"}), "produced"),
    "ReopeningLapsed": (frozenset({"delivering"}), "delivered"),
    "ManifestMade": (frozenset({"delivering", "delivered"}), None),
    "ParcelPurged": (frozenset({"produced", "delivered", "refused", "closed"}), None),
    "HoldStarted": (frozenset({"narrowed"}), "holding"),
    "HoldTaken": (frozenset({"holding"}), "held"),
    "HoldConfirmed": (frozenset({"holding", "held"}), None),
    "HoldRenewed": (frozenset({"holding", "held"}), None),
    "HoldEnded": (frozenset({"holding", "held"}), "ending"),
    "HoldDestroyed": (frozenset({"ending"}), "ended"),
    "RenewalServed": (frozenset({"assessed", "narrowed"}), "ended"),
    "CaseClosed": (
        frozenset({"received", "read", "assessed", "delivered", "ended", "resolved", "refused"}),
        "closed",
    ),
    "CaseRegistered": (frozenset({"closed"}), None),
    "Erased": (frozenset({"closed"}), "erased"),
}
"""Kind of event → (stages it may follow, stage it leads to; None leaves the stage as it is)."""

STAGE_MEANING: dict[Stage, str] = {
    "received": "arrived; nobody has read it yet",
    "read": "transcribed by a person",
    "assessed": "checked against the law",
    "narrowed": "reduced to what the law allows",
    "proposed": "one person signed; a second is needed",
    "approved": "two people signed",
    "producing": "being collected",
    "produced": "collected and sealed for the requester",
    "delivering": "hand-over begun",
    "delivered": "handed over",
    "holding": "one person began a hold; the snapshot is being taken",
    "held": "kept in the vault, unread",
    "ending": "the hold is over; what it kept is being destroyed",
    "ended": "the hold is over and destroyed, or goes on in the case that this paper renewed",
    "resolved": "which accounts it means was found; each of them is a target of its own",
    "refused": "nothing is handed over for this target",
    "closed": "finished",
    "erased": "finished, and its contents are destroyed",
}

STAGE_ORDER: dict[str, int] = {stage: place for place, stage in enumerate(STAGES)}


def diagram() -> str:
    """The stage table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", "    [*] --> received: DemandReceived"]
    for kind, (sources, leads) in MOVES.items():
        if leads is not None:
            lines += [
                f"    {source} --> {leads}: {kind}" for source in sorted(sources, key=STAGE_ORDER.__getitem__)
            ]
    return "\n".join([*lines, "    closed --> [*]", "    erased --> [*]"]) + "\n"
