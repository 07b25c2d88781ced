"""The recount of cases: each step follows from the one before, or is named."""

from dataclasses import replace

from audit.recounting import codes, count, edited, lines
from audit.synthetic import FIRST, TWO, World
from dueprocess.audit.bundle import Withheld


def test_a_production_without_approval_is_named() -> None:
    """Each step that is left out is said in its own words."""
    said = {
        "DecisionProposed": "nobody had proposed and approved it",
        "DecisionApproved": "collecting began before a second person had approved",
        "ProductionStarted": "data was collected though no collecting was begun",
        "DataProduced": "a hand-over was begun before anything was collected",
        "DeliveryStarted": "a parcel was handed over though no hand-over was begun",
    }
    for left_out, words in said.items():
        world = World()
        read = world.demand("p")
        world.produced("p", leave_out=left_out)
        world.withheld = [Withheld(read, "open", None, None)]
        found = count(world)
        assert codes(found) <= {"not-approved", "not-produced"}
        assert any(words in each.told for each in found.faults), left_out


def test_two_signatures_are_needed_and_a_refused_decision_is_dead() -> None:
    """One signature, none at all, and a decision that was withdrawn before."""
    for approvals in ([TWO[0]], []):
        world = World()
        read = world.demand("p")
        world.produced("p", approvals=list(approvals))
        world.withheld = [Withheld(read, "open", None, None)]
        assert any("fewer than two people" in each.told for each in count(world).faults)
    world = World()
    read = world.demand("p")
    for kind in ("DecisionProposed", "DecisionApproved", "DecisionWithdrawn", "ProductionStarted"):
        world.add("p", kind, approvals=TWO[:1] if kind == "DecisionProposed" else list(TWO))
    world.withheld = [Withheld(read, "open", None, None)]
    assert any("refused or withdrawn before" in each.told for each in count(world).faults)


def test_an_approval_of_another_decision_does_not_count() -> None:
    """The signatures under the production are those that were given before."""
    world = World()
    read = world.demand("p")
    world.add("p", "DecisionProposed", approvals=TWO[:1])
    world.add("p", "DecisionApproved", approvals=list(TWO))
    world.add("p", "ProductionStarted", approvals=["c" * 64, "d" * 64])
    world.withheld = [Withheld(read, "open", None, None)]
    assert codes(count(world)) == {"not-approved"}


def test_a_production_of_an_erased_case_is_followed_by_its_kinds() -> None:
    """The signatures are gone, the order of the steps is not."""
    for left_out in ("", "DecisionApproved"):
        world = World()
        world.demand("p")
        world.produced("p", leave_out=left_out)
        world.closed("p", 1, day=3)
        world.add("p", "Erased", day=4)
        world.erased = {"p"}
        world.register([])
        assert codes(count(world)) == ({"not-approved"} if left_out else set())


def test_an_erased_record_cannot_be_passed_off_as_never_there() -> None:
    """Left out with its case, its number and its slot give it away; shown, its erasure is."""
    world = World()
    world.demand("e")
    world.closed("e", 1)
    world.add("e", "Erased", day=9)
    world.erased = {"e"}
    world.register([])
    assert count(world).faults == []
    header = replace(world.header(), first_seq=None, last_seq=None)
    assert codes(count(world, records=[], header=header)) == {"epoch-differs"}


def test_an_erasure_must_have_destroyed_the_contents() -> None:
    """What can still be opened was not erased; what follows an erasure cannot be."""
    world = World()
    world.demand("e")
    world.closed("e", 1)
    world.add("e", "Erased", day=3)
    world.register([])
    found = count(world)
    assert codes(found) == {"not-destroyed"}
    world.add("e", "ParcelPurged", day=4)
    world.erased = {"e"}
    assert codes(count(world)) == {"after-erasure"}


def test_chains_begin_at_a_beginning_and_never_split() -> None:
    """A record that claims to be first, one that follows an older one, a stranger in the rosters' chain."""
    world = World()
    world.add("x", "ScopeNarrowed")
    assert codes(count(world)) == {"wrong-start"}
    world = World()
    read = world.demand("x")
    world.withheld = [Withheld(read, "open", None, None)]
    world.tips["x"] = world.made[0].commitment.hex()
    world.add("x", "DemandAssessed")
    assert codes(count(world)) == {"chain-split"}
    world = World()
    world.add("roster", "Founded")
    world.add("roster", "DemandRead")
    world.add("roster", "InventedKind")
    assert "wrong-stream" in codes(count(world))
    world = World()
    world.add("x", "InventedKind")
    assert codes(count(world)) == {"unknown-kind", "wrong-start"}


def test_two_cases_cannot_follow_the_same_record_before_the_period() -> None:
    """Which of them is the true one cannot be seen, that they split can."""
    world = World(first=FIRST - 3)
    world.add("x", "DemandReceived", day=-2)
    before = world.tips["x"]
    world.add("x", "RequesterVerified")
    world.tips["x"] = before
    world.add("x", "RequesterDoubted")
    assert codes(count(world, outside=[])) == {"chain-split"}


def test_what_follows_an_unreadable_record_is_not_blamed_for_it(world: World) -> None:
    """One changed opening is one fault."""
    kept = lines(world)
    kept[2] = edited(kept[2], lambda value: value["opening"]["opened"]["country"].update(value="SE"))
    found = count(world, records=kept)
    assert "chain-broken" not in codes(found)
