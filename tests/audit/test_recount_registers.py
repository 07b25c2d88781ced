"""The recount of registers, of reports and of the list of what stands in none."""

from dataclasses import replace

from audit.recounting import codes, count
from audit.synthetic import FIRST, LAST, World
from dueprocess.audit.bundle import Withheld
from dueprocess.report import parse_register, parse_report


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
