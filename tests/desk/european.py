"""A European Production Order whose answer has a size to choose, as production leaves it."""

import functools
import hashlib
import random

import pyrage

from desk.by_hand import enrol_agency
from dueprocess.delivery.handover import parcel_path
from dueprocess.desk import demands, packs
from dueprocess.history.append import load_case
from dueprocess.library.packs import shipped_file
from dueprocess.steps import produce as steps
from office import EVA, Office

PARCEL_ID = "p-00000000000e0e0c"
MOST = 25_000_000
ELEMENTS = (
    "issuer addressee deadline identifier time_range category legal_basis date signature qualified_seal contact "
    "recipient language"
)
ANSWERS = {
    "other_state": True,
    "service_kind": "users_communicate_or_store",
    "proceedings": "criminal_proceedings",
    "section_m_present": "absent",
    "deadline": "ten_days",
    "channel": "system",
    "addressed_as": "controller",
}


@functools.cache
def noise(size: int) -> bytes:
    """Bytes that stand for ciphertext; the same on every run."""
    return random.Random(size).randbytes(size)


def produced_epoc(office: Office, size: int, *, handover: str | None = None) -> str:
    """An EPOC whose encrypted answer has this many bytes, sealed in the log. Returns the case's id.

    With ``handover`` the authority has no key, and it is the opened answer that has this many.
    """
    signers = [office.people["boris"], office.people["chi"]]
    packs.activate(office.desk, shipped_file("eu.evidence"), signers, office.now)
    authority = "a-court"
    if handover is not None:
        authority = "b-agency"
        enrol_agency(office, handover)
    case_id = office.receive()
    demands.authenticate(
        office.desk, case_id, authority=authority, findings=["called_back"], actor="ana", now=office.now
    )
    demand = office.demand(
        accounts=(EVA,),
        regime="eu",
        instrument="epoc",
        issuer_kind="judge",
        country="FR",
        elements=frozenset(ELEMENTS.split()),
        answers=ANSWERS,
    )
    demands.read(office.desk, case_id, demand, country="FR", actor="ana", now=office.now)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    office.decide(case_id)
    office.wait(hours=30)
    parcel = noise(size)
    if handover is not None:
        key = pyrage.x25519.Identity.from_str(office.desk.keys.keys(case_id).identity)
        parcel = pyrage.encrypt(parcel, [key.to_public()])
    return _sealed(office, case_id, parcel)


def _sealed(office: Office, case_id: str, parcel: bytes) -> str:
    """Puts these bytes into the place of the answer, with the events of a production."""
    desk = office.desk
    path = parcel_path(desk.installation.parcels, PARCEL_ID)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(parcel)
    hand = desk.hand("production", office.now, case_id)
    state = load_case(case_id).target("t1")
    head = steps.Head(1, witnessed=False)
    steps.start_production(
        case_id, hand, "t1", look=lambda _: [], plan_sha256=str(state.plan_sha256), head=head
    )
    made = steps.Produced(
        ref="t1",
        decision_sha256=str(state.decision_sha256),
        subject="one",
        parcel_id=PARCEL_ID,
        parcel_sha256=hashlib.sha256(parcel).hexdigest(),
        size_bytes=len(parcel),
        tables=[],
    )
    steps.finish_production(case_id, hand, made)
    office.wait(hours=6)
    return case_id
