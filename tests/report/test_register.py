"""The register: nobody stands alone in it, and nothing absent can be read as zero."""

import dataclasses
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.report import (
    CLOSED,
    DIMENSIONS,
    LEVELS,
    CoarseRow,
    Register,
    RegisterRow,
    band_of,
    build_register,
    build_report,
    covers_row,
    faults,
    holds_row,
    parse_register,
    recount,
    register_csv,
    report_csv,
    row_commitment,
)

EVA = RegisterRow(
    period="2026H2",
    country="US",
    regime="us",
    instrument="d_order",
    basis="18 USC 2703(d)",
    authority_class="court",
    demand_kind="disclosure",
    emergency=False,
    categories=("subscriber", "session"),
    accounts_band="1",
    outcome="complied_in_part",
    narrowed=True,
    notice="told_before",
    challenged=False,
)


def change(row: RegisterRow, **changes: Any) -> RegisterRow:
    return dataclasses.replace(row, **changes)


def rows_of(count: int, **changes: Any) -> list[RegisterRow]:
    return [dataclasses.replace(EVA, **changes)] * count


def register_of(rows: Iterable[RegisterRow], **settings: Any) -> Register:
    """A register whose lot falls on the first rows: commitments are counted up."""
    entries = [(row, f"{number:064x}") for number, row in enumerate(rows)]
    return build_register(entries, **{"period": "2026H2"} | settings)


@st.composite
def any_row(draw: st.DrawFn) -> RegisterRow:
    flag = st.booleans()
    return dataclasses.replace(
        EVA,
        country=draw(st.sampled_from(["US", "SE", "BR"])),
        instrument=draw(st.sampled_from(["d_order", "subpoena", "nsl"])),
        basis=draw(st.sampled_from(["18 USC 2703(d)", "18 USC 2703(c)(2)"])),
        categories=draw(st.sampled_from([(), ("subscriber",), ("subscriber", "traffic")])),
        outcome=draw(st.sampled_from(["complied", "rejected"])),
        emergency=draw(flag),
        challenged=draw(flag),
    )


def salts() -> Iterable[bytes]:
    return (number.to_bytes(32) for number in itertools.count(1))


@pytest.mark.parametrize("count", [0, 1, 9])
def test_fewer_than_k_demands_publish_no_rows_at_all(count: int) -> None:
    """No demand and nine demands give the same register, byte for byte."""
    register = register_of(rows_of(count))
    assert register.rows == ()
    assert register.statement == "fewer than 10 demands"
    assert register.encoded == register_of([]).encoded


def test_ten_alike_demands_are_counted_but_not_described() -> None:
    """Ten rows are all `other`: naming them would prove every absent value to be zero."""
    register = register_of(rows_of(10))
    assert register.statement == "10 demands"
    assert {row.values for row in register.rows} == {("other",) * len(DIMENSIONS)}


def test_ten_of_twenty_five_alike_demands_stay_other() -> None:
    """Described are the rows beyond the k of the lot."""
    register = register_of(rows_of(25))
    assert Counter(row.named()["country"] for row in register.rows) == {"US": 15, "other": 10}


def test_a_rare_value_is_not_named() -> None:
    """One demand of another country among thirty: the country appears nowhere in the published files."""
    rows = [*rows_of(30), *rows_of(1, country="SE")]
    register = register_of(rows)
    assert b'"SE"' not in register.encoded
    assert len(register.rows) == 31


def test_values_are_lost_in_the_fixed_order() -> None:
    """Rows that differ in the basis only keep everything but the basis."""
    rows = [*rows_of(20), *rows_of(6, basis="a 1"), *rows_of(6, basis="b 2")]
    named = [row.named() for row in register_of(rows).rows]
    assert Counter((row["basis"], row["outcome"]) for row in named) == {
        ("18 USC 2703(d)", "complied_in_part"): 10,
        ("other", "complied_in_part"): 12,
        ("other", "other"): 10,
    }


def test_the_lot_says_other_whatever_it_is() -> None:
    """Exchanging the demands of the lot for any others leaves every byte but their own commitments alike."""
    rest = rows_of(15)
    ten = [*rows_of(5, country="SE", outcome="rejected"), *rows_of(5, emergency=True)]
    assert register_of([*ten, *rest]).encoded == register_of([*rows_of(10), *rest]).encoded


def test_every_dimension_can_be_lost_exactly_once() -> None:
    """The hierarchy names each dimension once, so that its last step says `other` everywhere."""
    assert sorted(itertools.chain(*LEVELS)) == sorted(DIMENSIONS)


def test_national_security_process_is_in_no_row_and_no_total() -> None:
    """Thirty demands plus any number of letters give the same register as thirty demands."""
    plain = register_of(rows_of(30))
    mixed = register_of([*rows_of(30), *rows_of(12, instrument="nsl")])
    assert mixed.encoded == plain.encoded


def test_a_band_is_published_only_when_asked_for() -> None:
    """The band is off by default, and covers none as well as 249."""
    letters = rows_of(249, instrument="nsl")
    assert register_of(letters).band is None
    assert register_of(letters, with_band=True).band == "0-249"
    assert register_of([], with_band=True).band == "0-249"


@pytest.mark.parametrize(("number", "band"), [(0, "0-249"), (249, "0-249"), (250, "250-499")])
def test_bands_begin_at_zero(number: int, band: str) -> None:
    """Bands of 250 as 50 USC 1874(a)(3) has them."""
    assert band_of(number) == band


def test_bands_of_a_thousand() -> None:
    """The other width in the statute works the same way."""
    assert [band_of(999, width=1000), band_of(1000, width=1000)] == ["0-999", "1000-1999"]


def test_a_register_refuses_what_does_not_belong_to_it() -> None:
    """Rows of another period, a k that hides nobody, a wrong number of commitments."""
    with pytest.raises(MalformedError):
        register_of(rows_of(1), period="2026H1")
    with pytest.raises(MalformedError):
        register_of([], period="2026")
    with pytest.raises(MalformedError):
        register_of(rows_of(1), k=1)
    with pytest.raises(MalformedError):
        build_register([(EVA, "00" * 32)] * 2, period="2026H2")
    with pytest.raises(MalformedError):
        build_register([(EVA, "")], period="2026H2")


@given(st.lists(any_row(), max_size=40), st.integers(2, 6))
@settings(max_examples=100, deadline=None)
def test_nobody_stands_alone(rows: list[RegisterRow], k: int) -> None:
    """Any input gives a register without fault: k alike, k `other`, sorted, and a report that recounts."""
    register = register_of(rows, k=k)
    counted = [row for row in rows if row.instrument != "nsl"]
    assert faults(register) == []
    assert len(register.rows) == (len(counted) if len(counted) >= k else 0)
    assert recount(register, build_report(register)) == []


@given(st.lists(any_row(), max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_cases_leaves_no_trace(rows: list[RegisterRow], random: Any) -> None:
    """Shuffled input gives the same bytes."""
    entries = [(row, row_commitment(row, key)) for row, key in zip(rows, salts(), strict=False)]
    mixed = list(entries)
    random.shuffle(mixed)
    first, second = (build_register(each, period="2026H2", k=3).encoded for each in (entries, mixed))
    assert first == second


@given(st.lists(any_row(), max_size=40))
@settings(max_examples=40, deadline=None)
def test_every_counted_demand_finds_its_row_by_its_commitment(rows: list[RegisterRow]) -> None:
    """A person with the exact row and its salt finds it; with another salt not."""
    keyed = list(zip(rows, salts(), strict=False))
    register = build_register([(row, row_commitment(row, key)) for row, key in keyed], period="2026H2", k=3)
    for row, key in keyed:
        assert holds_row(register, row, key) == (bool(register.rows) and row.instrument != "nsl")
        assert not holds_row(register, row, bytes(32))


def test_a_row_that_describes_another_demand_is_not_this_one() -> None:
    """A commitment under a false description does not count."""
    entries = [(EVA, row_commitment(EVA, key)) for key in itertools.islice(salts(), 20)]
    register = build_register(entries, period="2026H2")
    first = next(key for key in salts() if row_commitment(EVA, key) == register.rows[0].commitment)
    assert holds_row(register, EVA, first)
    liar = dataclasses.replace(register, rows=tuple(_as_swedish(row) for row in register.rows))
    assert not holds_row(liar, EVA, first)
    assert not covers_row(liar.rows[0], EVA)


def _as_swedish(row: CoarseRow) -> CoarseRow:
    return CoarseRow(tuple("SE" if value == "US" else value for value in row.values), row.commitment)


def test_a_brute_force_reader_learns_no_withheld_number() -> None:
    """Someone who knows the rule and tries every input: each withheld cell still has several true values.

    Four kinds of demand (two countries, two outcomes), k = 2, every half-year of up to six demands in every
    order of the lot. Inputs with the same published bytes are put together; a cell whose true value were the
    same in all of them would be known, even a cell that is withheld because it is zero.
    """
    kinds = [
        change(EVA, country=country, outcome=outcome)
        for country, outcome in itertools.product(("US", "SE"), ("complied", "rejected"))
    ]
    worlds: dict[Register, list[tuple[RegisterRow, ...]]] = defaultdict(list)
    for size in range(7):
        for world in itertools.product(kinds, repeat=size):
            worlds[register_of(world, k=2)].append(world)
    for register, alike in worlds.items():
        report = build_report(register)
        for name, value in (
            ("country", "US"),
            ("country", "SE"),
            ("outcome", "complied"),
            ("outcome", "rejected"),
        ):
            cell = report.cell(f"{name}:{value}")
            if cell is None or cell.number is None:
                truths = {sum(getattr(row, name) == value for row in world) for world in alike}
                assert len(truths) > 1, (name, value, truths, alike[0])


@given(st.lists(any_row(), max_size=40), st.data())
@settings(max_examples=60, deadline=None)
def test_no_subtraction_of_totals_gives_a_small_number(rows: list[RegisterRow], data: st.DataObject) -> None:
    """Any two counts over the register, one within the other, differ by 0 or at least k."""
    register = register_of(rows, k=3)
    first, second = data.draw(st.tuples(st.sampled_from(DIMENSIONS), st.sampled_from(DIMENSIONS)))
    named = [row.named() for row in register.rows]
    for wide in {row[first] for row in named}:
        outer = [row for row in named if row[first] == wide]
        for narrow in {row[second] for row in named}:
            rest = len(outer) - sum(row[second] == narrow for row in outer)
            assert rest == 0 or rest >= 3


def test_a_register_survives_json() -> None:
    """Parsing the published bytes gives the same register and digest."""
    register = register_of([*rows_of(30), *rows_of(12, country="SE")], with_band=True)
    again = parse_register(register.encoded)
    assert again == register
    assert again.sha256 == register.sha256
    assert (
        parse_register(dataclasses.replace(register, corrects=register.sha256).encoded).corrects
        == register.sha256
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"k": 1},
        {"k": "10"},
        {"period": "2026"},
        {"statement": "25 demands"},
        {"rows": {}},
        {"rows": [1]},
        {"rows": [{}]},
        {"national_security_band": "1-250"},
        {"national_security_band": 7},
        {"national_security_band": "x-y"},
        {"national_security_band": "²-249"},
        {"corrects": "zz"},
        {"corrects": 7},
        {"extra": 1},
    ],
)
def test_a_register_is_parsed_strictly(changes: dict[str, Any]) -> None:
    """Other versions, values and keys are malformed, and nothing else is raised."""
    value = json.loads(register_of(rows_of(30)).encoded) | changes
    with pytest.raises(MalformedError):
        parse_register(json.dumps(value))


@pytest.mark.parametrize(
    ("field", "value"), [("country", "us"), ("rc", 5), ("rc", "00"), ("rc", None), ("outcome", None)]
)
def test_a_row_of_a_register_is_parsed_strictly(field: str, value: object) -> None:
    """A published value is one of its field's, or `other`."""
    parsed = json.loads(register_of(rows_of(30)).encoded)
    parsed["rows"][0][field] = value
    with pytest.raises(MalformedError):
        parse_register(json.dumps(parsed))


def test_faults_are_named() -> None:
    """A register that breaks the rule is told so, each fault in words."""
    good = register_of(rows_of(30))
    named = [row for row in good.rows if "US" in row.values]
    alone = _as_swedish(named[0])
    assert "share one combination" in faults(dataclasses.replace(good, rows=(*good.rows, alone)))[0]
    assert "say `other` everywhere" in faults(dataclasses.replace(good, rows=tuple(named)))[0]
    assert "not sorted" in faults(dataclasses.replace(good, rows=good.rows[::-1]))[0]
    letters = tuple(
        CoarseRow(tuple("nsl" if value == "d_order" else value for value in row.values), row.commitment)
        for row in good.rows
    )
    assert "national-security" in faults(dataclasses.replace(good, rows=letters))[0]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_parsing_a_register_raises_only_malformed(text: bytes) -> None:
    """No bytes make the parser fail in another way."""
    with pytest.raises(MalformedError):
        parse_register(text)


def test_csv_holds_every_row_and_no_formula() -> None:
    """One line per row; the header alone for `fewer than k`; nothing starts like a formula."""
    register = register_of(rows_of(30))
    lines = register_csv(register).decode().split("\r\n")
    assert lines[0] == "period," + ",".join(DIMENSIONS) + ",rc"
    assert len(lines) == 30 + 2
    assert len(register_csv(register_of([])).decode().split("\r\n")) == 2
    texts = (register_csv(register) + report_csv(build_report(register))).decode()
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in texts.replace("\r\n", ",").split(","))


def test_closed_lists_and_dimensions_agree() -> None:
    """Every fixed list belongs to a dimension of the row."""
    assert set(CLOSED) <= set(DIMENSIONS)
