"""Receipts for those who may have one: the user of a target, the requester, a court; and the intake receipt."""

from pathlib import Path

from dueprocess.cases.case import Case
from dueprocess.desk.assessments import reading
from dueprocess.desk.desk import Desk
from dueprocess.publication.receipts import ReceiptSource, build_receipt
from dueprocess.tlog.record import Audience
from dueprocess.tlog.subjects import SubjectProof, prove_subject


def receipt(desk: Desk, case: Case, ref: str | None, audience: Audience) -> bytes:
    """The receipt of a case, or of one target of it, for one audience."""
    if ref is not None:
        case.target(ref)
    source = ReceiptSource(desk.read_log, desk.policy, desk.master, desk.keys.keys(case.case_id).record_key)
    own = subject(desk, case, ref) if audience == "user" and ref is not None else None
    return build_receipt(case.events, ref, source, audience=audience, subject=own)


def subject(desk: Desk, case: Case, ref: str) -> SubjectProof:
    """That the account of one target is among the subjects of the demand, and nothing about the others.

    Of an account that was found: that what the paper names in its place is among them.
    """
    accounts = [item.target.value for item in reading(desk, case).scope.items]
    account = accounts[case.place(ref)]
    return prove_subject(desk.subjects_secret(case.case_id), accounts, account)


def parcel_receipt_path(parcel: Path) -> Path:
    """Where a requester's receipt lies: beside the parcel that was handed over."""
    return parcel.with_name(f"{parcel.name}.receipt.json")
