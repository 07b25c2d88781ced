"""The recount of a made-up ledger: what fits is told as fitting, and a tampered bundle is named."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from audit.recounting import codes, count, edited, lines
from audit.synthetic import FIRST, LAST, NOW, ORIGIN, TWO, World, seed_of
from dueprocess.audit.bundle import Withheld, parse_record, seed_line
from dueprocess.audit.recount import recount
from dueprocess.audit.result import MOST_OF_A_KIND, Bundle
from dueprocess.errors import MalformedError
from dueprocess.wire import b64

# ------------------------------------------------------------------ what fits


def test_an_honest_bundle_fits(world: World) -> None:
    """Every slot is rebuilt, every number counted, and nothing is said to be wrong."""
    found = count(world)
    assert found.faults == []
    assert (found.epochs, found.records) == (LAST - FIRST + 1, len(world.made))
    assert found.busy == 6
    july = found.chains.months["2026-07"]
    assert (july["received"], july["read"], july["decided"], july["produced"]) == (14, 14, 1, 1)
    assert (july["delivered"], july["notified"], july["challenged"], july["erased"]) == (1, 1, 1, 0)
    assert any("counted again" in each for each in found.registers.shown)


def test_a_period_without_a_record_fits() -> None:
    """Nothing happened: the seeds alone rebuild every slot."""
    found = count(World())
    assert (found.faults, found.records, found.busy) == ([], 0, 0)


def test_a_bundle_of_a_period_that_is_not_over_fits(world: World) -> None:
    """It ends with the newest slot that was published."""
    world.last, world.registers, world.reports, world.rare = FIRST + 40, {}, {}, {}
    world.withheld += [
        Withheld(each.seq, "too-early", None, "2026H2")
        for each in world.made
        if world.owner[each.seq].startswith("q") and each.record.value("kind") == "DemandRead"
    ]
    found = count(world)
    assert found.faults == []
    assert found.epochs == 41


def test_a_ledger_that_begins_before_the_period_is_followed_from_there() -> None:
    """Cases that began earlier are continued, and how they began is not claimed to have been seen."""
    world = World(first=FIRST - 3)
    world.demand("old", day=-2)
    world.produced("old", day=1)
    world.withheld = [Withheld(2, "open", None, None)]
    found = count(world, outside=[])
    assert found.faults == []
    assert [each.whole for each in found.chains.all] == [False]
    assert any("before the period" in each for each in found.registers.unseen)


def test_unwitnessed_work_and_what_two_people_decided_are_counted(world: World) -> None:
    """They are no faults, and are shown."""
    world.add("roster", "WitnessesWaived", day=7)
    world.add("p", "ProductionStarted", day=8, approvals=list(TWO), witnessed=False)
    found = count(world)
    assert found.faults == []
    assert found.chains.unwitnessed["ProductionStarted"] == 1
    assert found.chains.kinds["WitnessesWaived"] == 1


def test_many_faults_of_a_kind_are_counted(world: World) -> None:
    """A spoilt bundle cannot flood the reader."""
    bad = [seed_line(epoch, bytes(32)) for epoch in range(FIRST, LAST + 1)]
    found = count(world, seeds=bad)
    assert len(found.faults) == MOST_OF_A_KIND
    assert found.more["epoch-differs"] == LAST - FIRST + 1 - MOST_OF_A_KIND


def test_drawn_demands_keep_their_records(world: World) -> None:
    """For the receipts that are handed over for them."""
    arrival = next(each.seq for each in world.made if world.owner[each.seq] == "p")
    found = recount(world.bundle(), world.log(), drawn=frozenset({arrival}))
    (chain,) = [each for each in found.chains.all if each.seqs]
    assert chain.seqs is not None
    assert len(chain.seqs) == len(chain.commitments) == 11


def test_the_year_of_nothing_is_quick() -> None:
    """105,120 empty five-minute slots take a few seconds at most, with little memory beside the lines."""
    import time  # measured, not slept

    from dueprocess.audit.bundle import Header, epochs_of
    from dueprocess.audit.result import PublicLog
    from dueprocess.tlog.epoch import epoch_root, epoch_until
    from dueprocess.tlog.leaf import EpochLeaf

    since, until = dt.date(2026, 1, 1), dt.date(2027, 1, 1)
    first, last = epochs_of(since, until, 300)
    assert last - first + 1 == 105_120
    header = Header(ORIGIN, since, until, 300, first, last, None, None, 105_120, NOW, {})
    at = "2026-01-01T00:00:00Z"
    assert EpochLeaf(first, bytes(32), epoch_until(first)).as_json()["t"] == "epoch"
    leaves = [
        f'{{"e":"{each:010d}","r":"{b64(epoch_root(seed_of(each), each, {}))}","t":"epoch","ts":"{at}","v":1}}'.encode()
        for each in range(first, last + 1)
    ]
    seeds = [seed_line(each, seed_of(each)) for each in range(first, last + 1)]
    started = time.perf_counter()
    found = recount(Bundle(header, seeds, [], [], [], {}, {}), PublicLog(ORIGIN, 105_120, leaves, ()))
    assert found.faults == []
    assert found.epochs == 105_120
    assert time.perf_counter() - started < 10  # 1.4 s on two cores; tests may share them


# ------------------------------------------------------------------ attacks on the bundle


def test_a_hidden_record_is_seen_in_its_slot(world: World) -> None:
    """The newest record is kept back and the numbers are made to fit: the slot gives it away."""
    header = replace(world.header(), last_seq=len(world.made) - 1)
    found = count(
        world, header=header, records=lines(world)[:-1], withheld=[each.line for each in world.withheld[1:]]
    )
    assert codes(found) == {"epoch-differs"}
    assert "hidden" in found.faults[0].told


def test_a_record_left_out_is_a_missing_number(world: World) -> None:
    """One from the middle leaves a gap in the numbers, a slot that differs and a broken case."""
    kept = lines(world)
    del kept[3]
    found = count(world, records=kept)
    assert {"ledger-gap", "epoch-differs", "chain-broken"} <= codes(found)
    assert any("number 4 is missing" in each.told for each in found.faults)


def test_records_left_out_at_the_end_are_missing_numbers(world: World) -> None:
    """The bundle's own last number is looked at."""
    found = count(world, records=lines(world)[:-2])
    assert any("missing" in each.told for each in found.faults if each.code == "ledger-gap")


def test_a_record_twice_is_seen(world: World) -> None:
    """A second record of one number, at one place."""
    kept = lines(world)
    found = count(world, records=[*kept, kept[-1]])
    assert {"ledger-repeat", "record-without-epoch"} & codes(found)
    found = count(world, records=[*kept[:3], kept[2], *kept[3:]])
    assert {"ledger-repeat", "place-twice"} <= codes(found)


def test_a_record_added_beyond_the_last_number_is_seen(world: World) -> None:
    """The header names the last number."""
    header = replace(world.header(), last_seq=len(world.made) - 1)
    assert "ledger-repeat" in codes(count(world, header=header))


def test_a_changed_opening_is_named(world: World) -> None:
    """A fact that reads otherwise than it was sealed."""
    kept = lines(world)

    def later(value: dict[str, Any]) -> None:
        value["opening"]["opened"]["month"]["value"] = "2026-12"

    kept[3] = edited(kept[3], later)
    found = count(world, records=kept)
    assert codes(found) >= {"wrong-opening"}
    assert "Record 4 cannot be believed" in found.faults[0].told


def test_an_opening_of_another_record_is_named(world: World) -> None:
    """An honest opening under a wrong commitment, and under a wrong number."""
    kept = [parse_record(each) for each in lines(world)]
    swapped = replace(kept[3], opening=kept[5].opening)
    found = count(world, records=[each.line for each in [*kept[:3], swapped, *kept[4:]]])
    assert "does not lead to its commitment" in found.faults[0].told
    renumbered = replace(kept[-1], seq=kept[-1].seq + 1)
    found = count(world, records=[each.line for each in [*kept[:-1], renumbered]])
    assert {"ledger-gap", "wrong-opening"} <= codes(found)


def test_an_opening_that_shows_less_than_an_auditor_sees_is_refused(world: World) -> None:
    """A field that is kept back could hide anything."""
    kept = lines(world)

    def fewer(value: dict[str, Any]) -> None:
        del value["opening"]["opened"]["approvals"]

    kept[3] = edited(kept[3], fewer)
    assert "must also open approvals" in count(world, records=kept).faults[0].told


def test_a_wrong_seed_is_seen_in_its_slot(world: World) -> None:
    """Empty slots too are rebuilt from their seeds."""
    bad = [
        seed_line(each, seed_of(each) if each != FIRST + 30 else bytes(32)) for each in range(FIRST, LAST + 1)
    ]
    found = count(world, seeds=bad)
    assert [each.code for each in found.faults] == ["epoch-differs"]
    assert str(FIRST + 30) in found.faults[0].told


def test_seeds_have_one_line_for_each_slot(world: World) -> None:
    """A line too few or another number stops the recount; one too many is a fault."""
    good = list(world.bundle().seeds)
    for bad in (good[:-1], good[1:], [good[0], b"{}", *good[2:]], [good[0][:-2] + "é}".encode(), *good[1:]]):
        with pytest.raises(MalformedError, match="epoch"):
            count(world, seeds=bad)
    assert codes(count(world, seeds=[*good, seed_line(LAST + 1, bytes(32))])) == {"bad-seed"}


def test_a_record_in_a_slot_that_the_log_lacks_is_seen(world: World) -> None:
    """Before, between and after the slots of the log."""
    kept = [parse_record(each) for each in lines(world)]
    for epoch in (FIRST - 1, LAST + 1):
        moved = replace(kept[-1], epoch=epoch)
        found = count(world, records=[each.line for each in [*kept[:-1], moved]])
        assert {"record-without-epoch", "epoch-differs"} <= codes(found)
