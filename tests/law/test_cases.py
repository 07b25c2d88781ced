"""Worked cases agree with the pack, and a wrong expectation is found."""

import pytest

from dueprocess.errors import MalformedError
from dueprocess.law import Pack, parse_cases, run_case

CLOCK = "\n[[case.expect.clock"
NOTICE = 'notice = "allowed_before_production"'


def test_every_worked_case_of_the_shipped_pack_agrees(sca: Pack, cases_text: str) -> None:
    """The lawyer-readable cases hold, at least twelve of them."""
    cases = parse_cases(cases_text, "sca.cases.toml")
    assert len(cases) >= 12
    assert {case.name: run_case(case, sca) for case in cases if run_case(case, sca)} == {}


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
    assert [line.split(":")[0] for line in run_case(case, sca)] == [what]


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
