"""Worked cases agree with the packs, and a wrong expectation is found."""

import datetime as dt
from pathlib import Path

import pytest

from dueprocess.demand import Demand, ReverseDemand
from dueprocess.errors import MalformedError
from dueprocess.law import Pack, parse_cases, parse_pack, run_case

RULEPACKS = Path(__file__).parents[2] / "rulepacks"
FILES = sorted(RULEPACKS.rglob("*.cases.toml"))
FLOOR = RULEPACKS / "baseline" / "baseline.toml"

CLOCK = "\n[[case.expect.clock"
NOTICE = 'notice = "allowed_before_production"'


def _read(file: Path) -> Pack:
    return parse_pack(file.read_text(encoding="utf-8"), file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".cases.toml"))
def test_every_worked_case_of_a_shipped_pack_agrees(file: Path) -> None:
    """The lawyer-readable cases hold together with the baseline, at least twelve of them for each pack."""
    beside = file.with_name(file.name.replace(".cases.toml", ".toml"))
    packs = [_read(each) for each in dict.fromkeys((beside, FLOOR))]
    cases = parse_cases(file.read_text(encoding="utf-8"), file.name)
    assert len(cases) >= 12
    assert {case.name: found for case in cases if (found := run_case(case, packs))} == {}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('outcome = "permit_all"', 'outcome = "refuse"', "outcome"),
        ("producible = true", "producible = false", "producible"),
        ("findings = []", 'findings = ["secrets.never"]', "findings"),
        ('"note.not-reviewed", ', '"note.invented", ', "also"),
        (f'categories = ["subscriber", "session.times"]{CLOCK}', f'categories = ["traffic"]{CLOCK}', "permitted"),
        ('notice = "allowed_before_production"', 'notice = "required"', "notice"),
        ("window_until = 2026-10-01", "window_until = 2026-10-02", "window_until"),
        ("due_at = 2026-11-30", "due_at = 2026-12-01", "clocks"),
        (NOTICE, f"{NOTICE}\nnotice_until = 2027-01-01T00:00:00Z", "notice_until"),
    ],
)  # fmt: skip
def test_a_wrong_expectation_is_named(sca: Pack, cases_text: str, old: str, new: str, what: str) -> None:
    """Each thing that a case states is compared; a mismatch says what was expected and what was found."""
    assert old in cases_text
    case = parse_cases(cases_text.replace(old, new, 1), "cases.toml")[0]
    assert [line.split(":")[0] for line in run_case(case, [sca])] == [what]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('regime = "us"\non = 2026-11-22\n', "no case"),
        ("on = 2026-11-22\n", "missing"),
    ],
)
def test_a_file_without_cases_is_refused(text: str, why: str) -> None:
    """Cases that are not there prove nothing."""
    with pytest.raises(MalformedError) as caught:
        parse_cases(text, "cases.toml")
    assert why in caught.value.why


def test_two_cases_of_one_name_are_refused(cases_text: str) -> None:
    """A name is how a lawyer finds the case."""
    name = 'name = "A subpoena that asks for messages only"'
    text = cases_text.replace('name = "A subpoena that asks for messages and logs"', name)
    with pytest.raises(MalformedError) as caught:
        parse_cases(text, "cases.toml")
    assert "same name" in caught.value.why


def test_a_case_with_an_area_cannot_be_written(cases_text: str) -> None:
    """There is no form for it in a case either; the message names the file."""
    text = cases_text.replace('kind = "account"', 'kind = "geofence"', 1)
    with pytest.raises(MalformedError, match=r"cases\.toml"):
        parse_cases(text, "cases.toml")


def test_a_time_without_zone_is_refused_in_a_case(cases_text: str) -> None:
    """09:00 somewhere is not an instant."""
    text = cases_text.replace("received_at = 2026-11-02T09:00:00Z", "received_at = 2026-11-02T09:00:00", 1)
    with pytest.raises(MalformedError) as caught:
        parse_cases(text, "cases.toml")
    assert "zone" in caught.value.why


# ------------------------------------------------------------------- what a case can say beyond the first release

ORDER = """
regime = "xx"
on = 2026-11-22
with = ["floor"]

[[calendar]]
region = "XX"
source = "by hand"
first_year = 2026
last_year = 2026
weekend = [5, 6]
day = [{ on = 2026-11-05, name = "A holiday" }]

[[case]]
name = "An order for messages"
why = "All that it needs is known."
[case.facts]
kind = "disclosure"
instrument = "order"
received_at = 2026-11-02T09:00:00Z
issuer_kind = "prosecutor"
validated_by = "judge"
country = "XX"
legal_bases = ["Act 1"]
identifies = true
answers = { service = "mail", serious = true, notified = false }
flags = ["press"]
flags_checked = true
elements = ["signature", "issuer", "date", "identifier", "grounds"]
[[case.facts.target]]
kind = "account"
value = "@eva:chat.example"
categories = ["traffic", "content.messages"]
purpose = "identify"
from = 2026-09-01T00:00:00Z
until = 2026-10-01T00:00:00Z
[case.expect]
outcome = "escalate_to_counsel"
findings = ["flag.press"]
reasons = ["immunity"]
letters = ["holding", "redirect"]
may_know = ["counsel"]
notice = "allowed_before_production"
notice_settled = true
[[case.expect.permitted]]
categories = ["traffic", "content.messages"]
[[case.expect.clock]]
id = "xx.answer"
due_at = 2026-11-05T23:00:00Z

[[case]]
name = "A place"
why = "It names nobody."
on = 2026-11-21
[case.facts]
regime = "xx.law"
kind = "disclosure"
instrument = "survey"
reverse = "geofence"
received_at = 2026-11-02T09:00:00Z
issuer_kind = "judge"
[case.expect]
outcome = "refuse"
findings = ["ceiling.survey"]
notice = "forbidden_by"
"""


def test_a_case_says_all_that_a_reading_says(full_law: tuple[Pack, ...]) -> None:
    """Answers, flags, validation, country, purpose, calendars; a reverse demand has no target."""
    order, place = parse_cases(ORDER, "law.cases.toml")
    assert isinstance(order.demand, Demand)
    assert isinstance(place.demand, ReverseDemand)
    assert (order.demand.validated_by, order.demand.country, order.demand.scope.items[0].purpose) == (
        "judge", "XX", "identify",
    )  # fmt: skip
    assert order.demand.answers == {"service": "mail", "serious": True, "notified": False}
    assert (order.demand.flags, order.demand.flags_checked) == (frozenset({"press"}), True)
    assert (order.calendars[0].region, order.beside, place.on) == ("XX", ("floor",), dt.date(2026, 11, 21))
    assert (place.demand.asks, place.demand.regime, order.demand.regime) == ("geofence", "xx.law", "xx")


def test_such_cases_are_run_with_their_calendar_and_packs(full_law: tuple[Pack, ...]) -> None:
    """The holiday moves the last day by one; the floor's flag, box and letter are found."""
    order, place = parse_cases(
        ORDER.replace("due_at = 2026-11-05T23", "due_at = 2026-11-06T23"), "law.cases.toml"
    )
    assert run_case(order, full_law) == []
    assert run_case(place, full_law) == []
    without = parse_cases(ORDER.replace("2026-11-05, name", "2026-11-03, name"), "law.cases.toml")[0]
    assert [each.split(":")[0] for each in run_case(without, full_law)] == ["clocks"]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('reasons = ["immunity"]', "reasons = []", "reasons"),
        ('letters = ["holding", "redirect"]', 'letters = ["annex3"]', "letters"),
        ('may_know = ["counsel"]', "may_know = []", "may_know"),
        ("notice_settled = true", "notice_settled = false", "notice_settled"),
    ],
)
def test_a_wrong_word_about_the_answer_is_named(
    full_law: tuple[Pack, ...], old: str, new: str, what: str
) -> None:
    """Boxes and those who may know are exact, letters are contained."""
    text = ORDER.replace("due_at = 2026-11-05T23", "due_at = 2026-11-06T23").replace(old, new)
    assert [line.split(":")[0] for line in run_case(parse_cases(text, "c")[0], full_law)] == [what]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('reverse = "geofence"', 'reverse = "Main Street"'),
        ('reverse = "geofence"', 'reverse = "geofence"\n[[case.facts.target]]\nkind = "account"'),
        ('country = "XX"', 'country = "Nowhere"'),
        ("serious = true", "serious = 1"),
        ('may_know = ["counsel"]', 'may_know = ["everybody"]'),
        ('letters = ["holding", "redirect"]', 'letters = ["love"]'),
        ('purpose = "identify"', 'purpose = "curiosity"'),
        ('validated_by = "judge"', 'validated_by = "sheriff"'),
        ("last_year = 2026", "last_year = 2025"),
        ("weekend = [5, 6]", "weekend = [9]"),
    ],
)
def test_a_case_is_read_strictly(old: str, new: str) -> None:
    """What cannot be meant is refused with the file's name."""
    assert old in ORDER
    with pytest.raises(MalformedError, match=r"law\.cases\.toml"):
        parse_cases(ORDER.replace(old, new, 1), "law.cases.toml")
