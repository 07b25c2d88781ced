"""Receipts that an operator hands over for drawn demands: each must be of the drawn record, and of the whole case."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dueprocess.audit.bundle import Header
from dueprocess.audit.chains import Chain, Fault
from dueprocess.errors import MalformedError
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.receipt import ReceiptFindings, verify_receipt
from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class Opened:
    """What the receipt of one drawn demand showed."""

    seq: int
    faults: tuple[Fault, ...]
    paper_sha256: str | None = None
    """The digest of the paper, to be compared with the paper itself."""
    records: int = 0
    unwitnessed: bool = False
    facts: dict[str, Json] = field(default_factory=dict)
    """What the records say about the case, the newest word on each."""


_FACTS = (
    "instrument",
    "country",
    "authority_class",
    "categories",
    "accounts",
    "outcome",
    "narrowed",
    "notice",
)


def check_opened(data: bytes, chain: Chain, header: Header, policy: Policy) -> Opened:
    """Whether this court receipt is that of a drawn demand, whole and true to the bundle."""
    assert chain.seqs
    seq = chain.seqs[0]
    try:
        findings = _verified(data, policy)
    except MalformedError as error:
        return Opened(
            seq, (Fault("receipt-wrong", f"The receipt for record {seq} does not hold: {error.what}"),)
        )
    faults = tuple(_faults(findings, chain, header))
    facts = {
        name: each.values[name]
        for each in findings.records
        for name in _FACTS
        if each.values.get(name) is not None
    }
    paper = next(
        (each.values["paper_sha256"] for each in findings.records if each.values.get("paper_sha256")), None
    )
    shown = str(paper) if paper is not None and not faults else None
    return Opened(seq, faults, shown, len(findings.records), findings.unwitnessed, facts)


def _verified(data: bytes, policy: Policy) -> ReceiptFindings:
    try:
        return verify_receipt(data, policy)
    except MalformedError as error:
        if error.code != "quorum-not-met":
            raise
    return verify_receipt(data, policy.unwitnessed)


def _faults(findings: ReceiptFindings, chain: Chain, header: Header) -> Iterator[Fault]:
    assert chain.seqs
    seq = chain.seqs[0]
    shown = [each.commitment for each in findings.records]
    if findings.origin != header.origin or findings.audience != "court":
        yield Fault(
            "receipt-other", f"The receipt for record {seq} is of another log, or not one for a court."
        )
        return
    if shown[0] != chain.commitments[0]:
        told = f"The receipt for record {seq} belongs to another demand than the one that was drawn."
        yield Fault("sample-swapped", told)
        return
    if not findings.starts_the_case or not findings.unbroken:
        yield Fault("receipt-broken", f"The receipt for record {seq} leaves out records of its case.")
    for number, commitment in zip(chain.seqs, chain.commitments, strict=True):
        if commitment not in shown:
            yield Fault(
                "receipt-short", f"The receipt for record {seq} leaves out record {number} of its case."
            )
    own = set(chain.commitments)
    for each in findings.records:
        if header.holds(each.epoch) and each.commitment not in own:
            told = f"The receipt for record {seq} shows a record in time slot {each.epoch} that the bundle does not."
            yield Fault("receipt-more", told)
