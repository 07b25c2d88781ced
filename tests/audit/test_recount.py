"""The recount of a made-up ledger: what fits is told as fitting, and each thing that does not is named."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audit.synthetic import FIRST, FROM, LAST, NOW, ORIGIN, SECONDS, TWO, UNTIL, World, policy_leaf, seed_of
from dueprocess.audit.bundle import BundleRecord, Withheld, parse_record, seed_line
from dueprocess.audit.recount import covered_halves, recount
from dueprocess.audit.result import MOST_OF_A_KIND, Bundle, Recount
from dueprocess.errors import MalformedError
from dueprocess.report import parse_register, parse_report
from dueprocess.tlog.leaf import GapLeaf, IncidentLeaf
from dueprocess.wire import b64, canonical
from madelog import key_leaf, log_vkey


def codes(found: Recount) -> set[str]:
    return {each.code for each in found.faults}


def count(world: World, **changes: object) -> Recount:
    """The recount of a world, with parts of its bundle exchanged."""
    return recount(replace(world.bundle(), **changes), world.log())  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    """A half-year with twelve refused demands in a register, one production, one open demand under an order."""
    made = World()
    made.add("roster", "Founded")
    made.quiet()
    made.demand("p", day=3)
    made.produced("p", day=4)
    made.add("p", "UserNotified", day=5)
    made.add("p", "ChallengeOpened", day=5)
    read = made.demand("o", day=6)
    made.withheld = [Withheld(read, "open", None, None), Withheld(50, "open", None, None)]
    made.withheld[1] = Withheld(
        next(r.seq for r in made.made if made.owner[r.seq] == "p") + 1, "open", None, None
    )
    return made


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


# ------------------------------------------------------------------ attacks on the bundle


def lines(world: World) -> list[bytes]:
    return [bytes(each) for each in world.bundle().records]


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


def edited(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(line)
    change(value)
    return canonical(value)


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


# ------------------------------------------------------------------ registers and the list


def test_a_registered_demand_without_a_row_is_named(world: World) -> None:
    """The register was built without one of them."""
    world.rare = {}
    world.register([*range(11), 99])
    found = count(world)
    assert {"record-without-row", "row-without-record"} == codes(found)


def test_a_row_without_a_record_is_named(world: World) -> None:
    """A demand that nobody made is counted."""
    world.rare = {}
    world.register(range(13))
    found = count(world)
    assert codes(found) == {"row-without-record"}
    assert "1 rows without a record" in found.faults[0].told


def test_rows_of_erased_demands_are_counted_and_no_more_than_there_are() -> None:
    """Which row is whose cannot be seen, but how many there may be can."""
    world = World(last=LAST + 3)
    world.quiet()
    world.add("q0", "Erased", day=9)
    world.add("q1", "Erased", day=LAST - FIRST + 2)
    world.erased = {"q0", "q1"}
    found = count(world)
    assert found.faults == []
    assert any("2 rows of 2026H2 belong to erased demands" in each for each in found.registers.unseen)
    world.rare = {}
    world.register(range(13))
    assert codes(count(world)) == {"row-without-record"}


def test_an_erased_registration_beyond_the_period_accounts_for_its_row() -> None:
    """A register's row may belong to a record before the period, erased since."""
    world = World(first=FIRST - 60)
    world.demand("e", day=-40)
    world.closed("e", 0, day=-30)
    world.add("e", "Erased", day=-20)
    world.erased = {"e"}
    for number in range(1, 12):
        world.demand(f"q{number}")
        world.closed(f"q{number}", number)
    world.register(range(12))
    found = count(world)
    assert codes(found) == {"row-without-record"}, (
        "the erased one was registered in June, the register is July's"
    )
    for each in world.made[:5]:
        each.record = type(each.record)({**each.record.values, "month": "2026-07"})
    world.made[4].record = type(each.record)({**world.made[4].record.values, "month": "2026-07"})
    assert "row-without-record" not in codes(count(world))


def test_a_row_that_says_something_else_than_its_record_is_named() -> None:
    """The row's commitment is right, its values are not."""
    world = World()
    world.quiet(22, country="SE", accounts=0, basis=[], authority_class=None)
    assert any(each.named()["country"] == "US" for each in parse_register(world.registers["2026H2"]).rows)
    found = count(world)
    assert codes(found) == {"row-differs"}
    assert "country 'US', not 'SE'" in found.faults[0].told
    assert "authority_class 'court', not 'unknown'" in found.faults[0].told
    honest = World()
    honest.quiet(22)
    assert count(honest).faults == []


def test_a_register_of_fewer_than_ten_needs_no_rows() -> None:
    """It says "fewer than 10", and so do the records."""
    world = World()
    for number in range(4):
        world.demand(f"q{number}")
        world.closed(f"q{number}", number)
    world.register(range(4))
    assert count(world).faults == []


def test_an_empty_register_over_ten_demands_is_named() -> None:
    """Twelve were registered; "fewer than 10" is false."""
    world = World()
    for number in range(12):
        world.demand(f"q{number}")
        world.closed(f"q{number}", number)
    world.register([])
    assert codes(count(world)) == {"record-without-row"}


def test_national_security_process_stands_in_no_row() -> None:
    """Its records are no fault, and it is said once that such rows are missing, without a number."""
    world = World()
    world.quiet()
    for number in (20, 21):
        world.demand(f"n{number}")
        world.closed(f"n{number}", number, instrument="nsl")
    found = count(world)
    assert found.faults == []
    assert sum("national security" in each for each in found.registers.shown) == 1


def test_a_register_that_the_bundle_keeps_back_is_missed(world: World) -> None:
    """The log names it."""
    found = count(world, registers={}, reports={})
    assert codes(found) == {"register-missing"}


def test_a_registered_demand_that_awaits_its_register_must_be_listed() -> None:
    """And the list must give the right reason."""
    world = World()
    read = world.demand("q1")
    world.closed("q1", 1)
    assert codes(count(world)) == {"demand-nowhere"}
    world.withheld = [Withheld(read, "too-early", None, "2026H2")]
    assert count(world).faults == []
    world.withheld = [Withheld(read, "unregistered", None, "2026H2")]
    assert codes(count(world)) == {"withheld-wrongly"}


def test_a_demand_that_was_read_stands_somewhere(world: World) -> None:
    """Neither registered nor listed: it is named."""
    world.withheld = world.withheld[1:]
    found = count(world)
    assert codes(found) == {"demand-nowhere"}
    assert "neither in a register nor in the list" in found.faults[0].told


def test_the_list_is_held_against_the_ledger(world: World) -> None:
    """Twice the same, no reading of a demand, an order that nobody recorded."""
    first = world.withheld[0]
    world.withheld.append(first)
    assert codes(count(world)) == {"withheld-twice"}
    world.withheld[-1] = Withheld(1, "open", None, None)
    assert codes(count(world)) == {"withheld-unknown"}
    world.withheld = [replace(first, why="nondisclosure", until="2027-06-01"), *world.withheld[1:-1]]
    found = count(world)
    assert codes(found) == {"withheld-wrongly"}
    assert any("until 2027-06-01" in each for each in found.registers.shown)


def test_a_demand_under_an_order_is_listed_with_its_end() -> None:
    """The record says so too."""
    world = World()
    world.add("n", "DemandReceived")
    read = world.add("n", "DemandRead", nondisclosure=True)
    world.withheld = [Withheld(read, "nondisclosure", None, None)]
    found = count(world)
    assert found.faults == []
    assert any("further notice" in each for each in found.registers.shown)


def test_registers_and_reports_are_those_of_the_log(world: World) -> None:
    """Another file than the log names, one that cannot be read, one of another half-year, numbers that differ."""
    register, report = world.registers["2026H2"], world.reports["2026H2"]
    other = replace(parse_report(report), cells=parse_report(report).cells[1:]).encoded
    found = count(world, reports={"2026H2": other})
    assert {"report-not-in-log", "report-differs"} == codes(found)
    found = count(world, registers={"2026H2": b"{}"}, reports={"2026H2": b"{}"})
    assert {"register-not-in-log", "report-not-in-log", "bad-register", "bad-report"} <= codes(found)
    found = count(world, registers={"2026H1": register}, reports={})
    assert {"register-not-in-log", "bad-register"} <= codes(found)
    found = count(world, reports={})
    assert found.faults == []
    assert any("not recounted" in each for each in found.registers.unseen)
    found = count(world, registers={})
    assert codes(found) == {"register-missing"}


def test_a_report_with_another_number_is_named(world: World) -> None:
    """The report was published with a number that its register does not give."""
    report = parse_report(world.reports["2026H2"])
    cells = (replace(report.cells[0], number=11), *report.cells[1:])
    found = count(world, reports={"2026H2": replace(report, cells=cells).encoded})
    assert any("the report says 11, the register gives 12" in each.told for each in found.faults)


def test_one_demand_does_not_count_as_two(world: World) -> None:
    """The same row twice."""
    register = parse_register(world.registers["2026H2"])
    twice = replace(register, rows=tuple(sorted([*register.rows, register.rows[0]])))
    assert "row-twice" in codes(count(world, registers={"2026H2": twice.encoded}))


# ------------------------------------------------------------------ cases


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


__all__ = ["FROM", "SECONDS", "UNTIL"]
