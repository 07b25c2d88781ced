"""Receipts for drawn demands: of the right demand, whole, and true to the bundle."""

import pytest

from audit.synthetic import FIRST, LAST, ORIGIN, World
from dueprocess.audit.bundle import Withheld
from dueprocess.audit.chains import Chain
from dueprocess.audit.court import Opened, check_opened
from dueprocess.audit.recount import recount
from dueprocess.tlog.policy import parse_policy
from dueprocess.tlog.receipt import parse_receipt
from madelog import ALONE_TEXT, trust


@pytest.fixture
def world() -> World:
    """Two demands; the second is drawn. Its paper's digest stands in the first record."""
    made = World(last=LAST + 2)
    made.demand("other")
    made.add("drawn", "DemandReceived", paper_sha256="5" * 64)
    made.add(
        "drawn", "DemandRead", day=1, instrument="d_order", country="US", categories=["traffic", "session"]
    )
    made.withheld = [Withheld(2, "open", None, None), Withheld(4, "open", None, None)]
    return made


def chain(world: World) -> Chain:
    found = recount(world.bundle(), world.log(), drawn=frozenset({3}))
    assert found.faults == []
    (drawn,) = [each for each in found.chains.all if each.seqs]
    return drawn


def check(world: World, receipt: bytes, *, policy: bytes | None = None) -> Opened:
    chosen = trust().policy if policy is None else parse_policy(policy)
    return check_opened(receipt, chain(world), world.header(), chosen)


def codes(opened: Opened) -> list[str]:
    return [each.code for each in opened.faults]


def test_the_right_receipt_holds_and_names_the_paper(world: World) -> None:
    """The auditor compares that digest with the paper itself."""
    opened = check(world, world.receipt("drawn", world.published()))
    assert (opened.faults, opened.seq, opened.records, opened.unwitnessed) == ((), 3, 2, False)
    assert opened.paper_sha256 == "5" * 64
    assert opened.facts["country"] == "US"


def test_a_swapped_receipt_is_named(world: World) -> None:
    """An honest receipt of another demand."""
    opened = check(world, world.receipt("other", world.published()))
    assert codes(opened) == ["sample-swapped"]
    assert "another demand" in opened.faults[0].told
    assert opened.paper_sha256 is None


def test_a_receipt_that_leaves_something_out_is_named(world: World) -> None:
    """Its last record, or one between."""
    opened = check(world, world.receipt("drawn", world.published(), leave_out=(1,)))
    assert codes(opened) == ["receipt-short"]
    world.add("drawn", "DemandAssessed", day=2)
    opened = check(world, world.receipt("drawn", world.published(), leave_out=(1,)))
    assert codes(opened) == ["receipt-broken", "receipt-short"]


def test_a_receipt_that_shows_more_than_the_bundle_is_named(world: World) -> None:
    """A record of the period that the bundle did not have. One after the period is none of its business."""
    known = chain(world)
    world.add("drawn", "RequesterVerified", day=5)
    receipt = world.receipt("drawn", world.published())
    opened = check_opened(receipt, known, world.header(), trust().policy)
    assert codes(opened) == ["receipt-more"]
    world.made[-1].epoch = LAST + 1
    world.made[-1].record = type(world.made[-1].record)({**world.made[-1].record.values, "month": "2027-01"})
    opened = check_opened(world.receipt("drawn", world.published()), known, world.header(), trust().policy)
    assert opened.faults == ()
    assert LAST + 1 > FIRST


def test_a_receipt_for_somebody_else_is_refused(world: World) -> None:
    """A user's receipt shows less than a court's; one of another log shows nothing of this one."""
    opened = check(world, world.receipt("drawn", world.published(), audience="requester"))
    assert codes(opened) == ["receipt-other"]


def test_a_receipt_that_does_not_hold_is_said_to_be_so(world: World) -> None:
    """A changed byte, and one whose claim about witnesses is wrong."""
    receipt = world.receipt("drawn", world.published())
    opened = check(world, receipt.replace(b'"US"', b'"SE"'))
    assert codes(opened) == ["receipt-wrong"]
    assert codes(check(world, receipt, policy=ALONE_TEXT)) == ["receipt-wrong"]


def test_a_receipt_without_enough_witnesses_is_shown_as_such(world: World) -> None:
    """It holds under the operator's word alone, and that is said."""
    receipt = world.receipt("drawn", world.published().publish(by=()), unwitnessed=True)
    assert parse_receipt(receipt).origin == ORIGIN
    opened = check(world, receipt)
    assert (opened.faults, opened.unwitnessed) == ((), True)
