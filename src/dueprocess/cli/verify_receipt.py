"""Checking a receipt: what it proves to the person who holds it, in that person's words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dueprocess.cli.printing import working
from dueprocess.cli.verify_files import Answer, in_words, read
from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    Policy,
    ReceiptFindings,
    RecordFindings,
    TileReader,
    check_against_log,
    verify_receipt,
)
from dueprocess.wire import instant

FACTS = {
    "instrument": "kind of paper",
    "basis": "law",
    "country": "country of the authority",
    "authority_class": "kind of authority",
    "categories": "data it was reduced to",
    "nondisclosure_until": "not to be told before",
    "outcome": "outcome",
}

EVENT_WORDS: dict[str, str] = {
    "DemandReceived": "the authority's request arrived",
    "RequesterVerified": "the authority was called back or otherwise checked",
    "RequesterDoubted": "the sender could not be checked yet",
    "DemandRead": "a person transcribed the paper",
    "DemandAssessed": "it was checked against the law",
    "ScopeNarrowed": "it was reduced to what the law allows",
    "LetterSent": "a letter went back to whoever sent the paper",
    "DecisionProposed": "one person signed the decision",
    "DecisionApproved": "a second person signed it",
    "DecisionRejected": "it was refused",
    "DecisionWithdrawn": "the decision was withdrawn",
    "NoticeDelayed": "an order forbade to tell the user",
    "SilenceChanged": "the order not to tell was changed",
    "NoticeStarted": "a letter to the user was begun",
    "UserNotified": "the user was told",
    "ChallengeOpened": "somebody objected",
    "ChallengeClosed": "the objection was decided",
    "CollectedByHand": "a person collected a table by hand, or said why there is nothing",
    "ProductionStarted": "collecting began",
    "TargetResolved": "the account was looked up",
    "AccountsFound": "which account is meant was found out, for a decision of its own",
    "DataProduced": "the answer package was sealed",
    "DeliveryStarted": "handing over began",
    "DeliveryFailed": "the hand-over did not arrive",
    "ParcelDelivered": "the answer package was handed over",
    "ParcelReleased": "the answer package was put where its requester can fetch it",
    "ParcelFetched": "it was fetched, or a part of it",
    "FieldsSpoken": "a few subscriber data were read out on the called-back line",
    "DeliveryReopened": "a person let it be handed over once more",
    "ReopeningLapsed": "it was not fetched once more in time",
    "ManifestMade": "the list that goes with an answer sent beside the European system was made",
    "ParcelPurged": "the answer package was deleted",
    "HoldStarted": "one person let the data be kept, unread",
    "HoldTaken": "the data were put into the vault",
    "HoldConfirmed": "a second person confirmed it",
    "HoldRenewed": "two people let it be kept for longer",
    "RenewalServed": "the request to keep it longer was taken up",
    "HoldEnded": "keeping ended",
    "HoldDestroyed": "what was kept was destroyed",
    "CaseClosed": "the case was closed",
    "CaseRegistered": "it was counted for the report",
    "Erased": "what was recorded about the people in it was erased, as the law asks",
}
"""Events in words for the reader of a letter."""


def open_receipt(data: bytes, policy: Policy) -> ReceiptFindings:
    """What a receipt proves; where it proves nothing, that is said first."""
    try:
        return verify_receipt(data, policy)
    except MalformedError as error:
        raise in_words(error, "This receipt does not hold.") from error


def answer_receipt(data: bytes, policy: Policy, log: Path | None) -> Answer:
    """What a receipt proves, with the log of today where there is a copy of it."""
    findings = open_receipt(data, policy)
    found = _value(findings)
    if log is None:
        today = "Not looked at: the log of today (name a copy with --log)."
    else:
        found["log_size"] = against_log(findings, policy, log)
        today = f"The log in {log} has {found['log_size']} leaves, contains every one of these records, and only grew."
    return Answer(
        f"This receipt holds. Log: {findings.origin}",
        _meaning(findings),
        _limits(findings),
        (*_details(findings), today),
        found,
    )


def check_receipt(data: bytes, policy: Policy, log: Path | None) -> tuple[list[str], dict[str, Any]]:
    """What a receipt proves, in words and as a value. Raises where it proves the contrary."""
    answer = answer_receipt(data, policy, log)
    return answer.lines(), answer.found


def against_log(findings: ReceiptFindings, policy: Policy, log: Path) -> int:
    """The size of the log of today, which contains everything that the receipt proves; or raises."""

    def tile(path: str) -> bytes:
        return read(log / path)

    result = check_against_log(findings, tile, tile("checkpoint"), policy)
    reader = TileReader(tile, result.opened.checkpoint)
    with working("Reading the log"):
        for _ in reader.audit():
            pass
    return reader.size


def _value(findings: ReceiptFindings) -> dict[str, Any]:
    return {
        "origin": findings.origin,
        "audience": findings.audience,
        "unwitnessed": findings.unwitnessed,
        "records": [
            {
                "epoch": r.epoch,
                "closed_at": instant(r.closed_at),
                "leaf": r.leaf_index,
                "values": dict(r.values),
            }
            for r in findings.records
        ],
    }


def plain(value: object) -> str:
    """A value of a record as a reader of a letter understands it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).replace("_", " ")


def _meaning(findings: ReceiptFindings) -> tuple[str, ...]:
    accounts = sorted({r.account for r in findings.records if r.account})
    lines = [f"It is about the account {', '.join(accounts)}."] if accounts else []
    lines.append("It proves that these were recorded in the log, in this order:")
    lines += [
        f"  before {each.closed_at:%Y-%m-%d %H:%M} UTC  {event_words(each)}" for each in findings.records
    ]
    known = {
        name: record.values[name] for record in findings.records for name in FACTS if record.values.get(name)
    }
    lines += ["", "What the records say about it:"] if known else []
    lines += [f"  {FACTS[name]}: {plain(known[name])}" for name in FACTS if name in known]
    witnesses = sorted({name for record in findings.records for name, _ in record.witnesses})
    if not findings.unwitnessed:
        lines += [
            "",
            f"Independent timekeepers have seen the log and confirm the times: {', '.join(witnesses)}.",
        ]
    return (*lines, "Nobody, the operator included, can take these records away or date them back unseen.")


def event_words(record: RecordFindings) -> str:
    """What a record says happened."""
    kind = str(record.values.get("kind", ""))
    return EVENT_WORDS.get(kind, kind or "a record that is not shown to you")


def _limits(findings: ReceiptFindings) -> tuple[str, ...]:
    lines: list[str] = []
    if findings.unwitnessed:
        lines.append("Unwitnessed: nobody but the operator has confirmed when this was recorded.")
    if not findings.starts_the_case:
        lines.append("It does not begin with the arrival of the request: earlier records are not shown.")
    if findings.audience == "user" and not findings.unbroken:
        lines.append("Records that concern only other people in the same case are left out.")
    lines.append(
        "It does not prove that the paper was genuine or lawful, or that nothing happened outside the log."
    )
    return tuple(lines)


def _details(findings: ReceiptFindings) -> tuple[str, ...]:
    leaves = ", ".join(str(each) for each in sorted({record.leaf_index for record in findings.records}))
    sizes: Sequence[int] = sorted({record.opened.checkpoint.size for record in findings.records})
    lines = [
        f"Made for: {findings.audience}. Case: {findings.case or 'not named'}.",
        f"Entries of the log: {leaves}. Size of the log that was signed: {', '.join(map(str, sizes))}.",
    ]
    if len(findings.records) > 1:
        whole = "yes" if findings.unbroken else "no"
        lines.append(f"Each record names the one before it: {whole}.")
    return tuple(lines)
