"""The recount against the log: slots, dates, and what is recorded beyond the period."""

import datetime as dt
from dataclasses import replace

import pytest

from audit.recounting import codes, count, lines
from audit.synthetic import FIRST, LAST, World, policy_leaf
from dueprocess.audit.bundle import BundleRecord, Withheld
from dueprocess.audit.recount import covered_halves, recount
from dueprocess.errors import MalformedError
from dueprocess.tlog.leaf import GapLeaf, IncidentLeaf
from madelog import key_leaf, log_vkey

# ------------------------------------------------------------------ the log


def test_missing_slots_need_a_word_of_the_log(world: World) -> None:
    """A gap leaf names them exactly, or it is a fault."""
    gap = [FIRST + 20, FIRST + 21]
    world.missed = set(gap)
    assert "epochs-missing" in codes(count(world))
    early = World(first=FIRST - 9, missed={FIRST - 5})
    assert count(early).faults == [], "what is missing before the period is another audit's"
    world.rare[FIRST + 19] = [GapLeaf(FIRST + 20, FIRST + 21)]
    found = count(world)
    assert found.faults == []
    assert any("missed" in each for each in found.shown)
    world.rare[FIRST + 19] = [GapLeaf(FIRST + 21, FIRST + 21)]
    assert {"wrong-gap"} <= codes(count(world))


def test_a_period_may_end_in_slots_that_were_missed(world: World) -> None:
    """The log says so; a log that just ends before the bundle does not."""
    world.missed = set(range(LAST - 5, LAST + 1))
    assert "epochs-missing" in codes(count(world))
    world.rare.setdefault(LAST, []).append(GapLeaf(LAST - 5, LAST))
    assert count(world).faults == []
    empty = World(missed=set(range(FIRST, LAST + 1)))
    assert codes(count(empty)) == {"epochs-missing"}


def test_a_log_that_began_within_the_period_says_so(world: World) -> None:
    """Before its first slot there is nothing to rebuild."""
    found = count(World(first=FIRST + 9))
    assert found.faults == []
    assert any(f"begins with time slot {FIRST + 9}" in each for each in found.shown)


def test_a_slot_that_comes_twice_is_seen(world: World) -> None:
    """Nothing may be sealed twice."""
    entries = world.entries()
    log = replace(world.log(), entries=[*entries[:9], entries[8], *entries[9:]])
    assert "epoch-repeated" in codes(recount(world.bundle(), log))


def test_slots_that_a_restored_backup_lost_are_told_apart_from_hidden_records(world: World) -> None:
    """The log says so in an incident; what stood in them cannot be seen."""
    header = replace(world.header(), last_seq=len(world.made) - 2)
    parts = {
        "header": header,
        "records": lines(world)[:-2],
        "withheld": [each.line for each in world.withheld[1:]],
    }
    assert codes(count(world, **parts)) == {"epoch-differs"}
    world.rare.setdefault(FIRST + 9, []).append(IncidentLeaf("store-restored", FIRST + 6, FIRST + 6))
    world.rare[FIRST + 9].append(IncidentLeaf("clock-moved", FIRST + 6, FIRST + 6))
    header = replace(world.header(), last_seq=len(world.made) - 2)
    found = count(world, **{**parts, "header": header})
    assert found.faults == []
    assert any("restored backup" in each for each in found.unseen)


def test_the_logs_own_rules_are_looked_at(world: World) -> None:
    """An entry nobody vouched for, one that nobody knows, and other lengths of the slots."""
    world.rare[FIRST] = [key_leaf("add", log_vkey("stranger"), by="stranger")]
    assert codes(count(world)) == {"key-not-vouched"}
    world.rare = {FIRST: [policy_leaf(number=2, epoch_seconds=600)]}
    assert {"other-slots", "slots-changed"} <= codes(count(world, registers={}, reports={}))
    entries = World().entries()
    log = replace(World().log(), entries=[*entries[:2], b"{}", *entries[2:]])
    assert codes(recount(World().bundle(), log)) == {"unknown-entry"}


def test_what_the_log_says_outside_of_the_period_is_not_shown() -> None:
    """An incident a year before is another audit's."""
    world = World(first=FIRST - 9, rare={FIRST - 8: [IncidentLeaf("clock-moved", FIRST - 8, FIRST - 8)]})
    found = count(world)
    assert (found.faults, [each for each in found.shown if "wrong" in each]) == ([], [])


def test_another_log_and_one_that_is_behind_are_refused(world: World) -> None:
    """The auditor's copy must be of this log and at least as long as the operator's was."""
    with pytest.raises(MalformedError, match="about the log"):
        recount(world.bundle(), replace(world.log(), origin="other.example/1"))
    with pytest.raises(MalformedError, match="has 3 entries"):
        recount(world.bundle(), replace(world.log(), size=3))


def test_what_is_published_after_the_bundle_was_made_is_no_fault(world: World) -> None:
    """A register that the log named later cannot be in the bundle."""
    size = len(world.entries())
    world.register(range(12), at=LAST)
    header = replace(world.header(), log_size=size)
    found = count(world, header=header)
    assert codes(found) <= {"published-twice"}


# ------------------------------------------------------------------ dates


def test_a_record_dated_ahead_is_a_fault_and_one_dated_back_is_shown(world: World) -> None:
    """A record's month is held against the slot in which it was sealed."""
    world.made[-1].record = type(world.made[-1].record)({**world.made[-1].record.values, "month": "2026-12"})
    assert "dated-ahead" in codes(count(world))
    world.made[-1].record = type(world.made[-1].record)({**world.made[-1].record.values, "month": "2026-01"})
    found = count(world)
    assert found.faults == []
    assert any("later month" in each for each in found.shown)


@pytest.mark.parametrize(
    ("since", "until", "halves"),
    [
        ((2026, 7, 1), (2027, 1, 1), {"2026H2"}),
        ((2026, 6, 30), (2026, 7, 1), {"2026H1"}),
        ((2026, 6, 30), (2026, 7, 2), {"2026H1", "2026H2"}),
        ((2026, 12, 31), (2027, 12, 31), {"2026H2", "2027H1", "2027H2"}),
    ],
)
def test_the_half_years_that_a_period_touches(
    world: World, since: tuple[int, int, int], until: tuple[int, int, int], halves: set[str]
) -> None:
    """The last day is left out."""
    header = replace(world.header(), from_on=dt.date(*since), until_on=dt.date(*until))
    assert covered_halves(header) == halves


# ------------------------------------------------------------------ records beyond the period


def test_an_erasure_after_the_period_explains_what_is_gone() -> None:
    """The case's later records are shown with their paths, up to the erasure."""
    world = World(last=LAST + 5)
    read = world.demand("e")
    world.closed("e", 1)
    world.add("e", "Erased", day=LAST - FIRST + 3)
    world.erased = {"e"}
    world.register([], at=LAST)
    found = count(world)
    assert found.faults == []
    assert found.chains.all[0].erased_seq == 5
    assert read == 2
    without = count(world, outside=[])
    assert codes(without) == {"erased-unsaid"}
    assert "no record says that the case was erased" in without.faults[0].told


def test_what_is_wrong_after_the_period_is_named_too() -> None:
    """A hand-over after the period of what nobody approved."""
    world = World(last=LAST + 5)
    read = world.demand("p")
    world.add("p", "DataProduced", day=LAST - FIRST + 2, approvals=[])
    world.withheld = [Withheld(read, "open", None, None)]
    assert codes(count(world)) == {"not-approved"}


def beyond(world: World) -> BundleRecord:
    return world.outside()[0]


def test_a_record_beyond_the_period_must_be_sealed_where_it_says() -> None:
    """Its path leads to the root of its slot, in the log, beyond the period."""
    world = World(last=LAST + 5)
    world.demand("e")
    world.add("e", "RequesterVerified", day=LAST - FIRST + 3)
    world.withheld = [Withheld(2, "open", None, None)]
    assert count(world).faults == []
    found = beyond(world)
    wrong = replace(found, path=(bytes(32), *(found.path or ())[1:]))
    assert codes(count(world, outside=[wrong.line])) == {"outside-not-sealed"}
    late = replace(found, epoch=LAST + 50)
    assert codes(count(world, outside=[late.line])) == {"outside-not-sealed"}
    inside = replace(found, epoch=FIRST + 3)
    for bad in ([inside.line], [replace(found, seq=1).line], [found.line, found.line]):
        assert "not-outside" in codes(count(world, outside=bad))
    broken = replace(found, commitment=bytes(32))
    assert "wrong-opening" in codes(count(world, outside=[broken.line]))


def test_a_later_record_of_another_case_says_nothing() -> None:
    """Only what continues a case of the bundle is followed."""
    world = World(last=LAST + 5)
    world.demand("e")
    world.withheld = [Withheld(2, "open", None, None)]
    world.add("later", "DemandReceived", day=LAST - FIRST + 3)
    assert count(world).faults == []
