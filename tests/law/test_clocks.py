"""The clocks of a paper: when each begins, in whose zone and with whose holidays it is counted, and what it says."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import Demand, NondisclosureOrder, Period, Scope, ScopeItem, Target, expand
from dueprocess.law import Pack, assess, parse_pack
from dueprocess.law.assessment import Assessment, ClockState
from dueprocess.law.calendar import Calendar
from dueprocess.law.clocks import calendars_used, changed_due_dates, needed_calendars, run
from dueprocess.law.matter import Matter
from dueprocess.wire import instant

ON = dt.date(2026, 11, 22)
RECEIVED = dt.datetime(2026, 11, 20, 17, 2, tzinfo=dt.UTC)
CHRISTMAS = {dt.date(2026, 12, 25): "Christmas Day", dt.date(2026, 12, 26): "Second Day of Christmas"}
GERMANY = Calendar("DE", "test", 2026, 2026, CHRISTMAS)
FRANCE = Calendar("FR", "test", 2026, 2026, {dt.date(2026, 11, 23): "A day of our own"})

FIELDS = 'source = "act"\nsection = "1"\nbasis = "statute"\nfrom = 2020-01-01\n'
CLOCKS = {
    "x.received": 'starts = "received"\ndays = 10\ncounting = "after_day"\nroll = true',
    "x.issued": 'starts = "issued_on"\nworking_days = 3\ncounting = "after_day"',
    "x.due": 'starts = "due_on"',
    "x.order": 'starts = "nondisclosure_start"\ndays = 365',
    "x.end": 'starts = "nondisclosure_end"',
    "x.outside": 'starts = "outside"\nhours = 96',
    "x.messages": 'starts = "received"\nhours = 8\ncategories = ["content.messages"]',
    "x.mail": (
        'starts = "received"\nhours = 1\nwhen = [\n  { fact = "service", is = ["mail", "chat"], rule = "yes" },\n'
        '  { fact = "identifies", is = [true], rule = "yes" },\n]'
    ),
}

HEAD = """
[pack]
id = "xx.time"
version = "1"
jurisdiction = "Nowhere"
title = "A law of time"
status = "Not legal advice."
reviewed_by = "Counsel Fictional"
reviewed_on = 2026-11-01
zone = "Europe/Berlin"
holidays = "DE"

[[source]]
key = "act"
short = "Act"
title = "The Act"
address = "https://law.example/act"
version = "2026"
read_on = 2026-11-01

[[question]]
id = "service"
text = "Which service is it?"
about = "service"
choices = ["mail", "chat", "forum"]
"""

PAPER = """
[[instrument]]
code = "order"
name = "Order"
text = "An order."
demand_kind = "disclosure"
compulsion = "compulsory"
issuers = ["court"]
issuers_rule = "yes"
window_rule = "yes"
notice = { word = "required", rule = "yes" }
report_cells = ["xx.order"]
reach = [{ categories = ["subscriber", "content"], rule = "yes" }]
never = [{ categories = ["session", "traffic", "location", "secrets"], rules = ["yes"] }]
"""

LISTED = ", ".join(f'"{each}"' for each in CLOCKS)
RULE = f'[[rule]]\nid = "yes"\ntext = "It is so."\n{FIELDS}'
BASE = parse_pack(
    "\n".join(
        [
            HEAD,
            RULE,
            *(f'[[clock]]\nid = "{each}"\ntext = "Law: {each}."\n{FIELDS}{CLOCKS[each]}' for each in CLOCKS),
            PAPER + FIELDS + f"clocks = [{LISTED}]",
        ]
    ),
    "time.toml",
)
NO_ZONE: dict[str, Any] = {"zone": "", "holidays": ""}
ONE_ZONE: dict[str, Any] = {}
MANY_ZONES: dict[str, Any] = {
    "zone": "",
    "zones": {"DE": "Europe/Berlin", "PT": "Europe/Lisbon"},
    "holidays": "issuer",
}


def law(*clocks: str, head: dict[str, Any] = ONE_ZONE) -> Pack:
    """A pack whose one instrument runs these clocks."""
    paper = replace(BASE.instruments[0], clocks=clocks)
    running = tuple(each for each in BASE.clocks if each.id in clocks)
    return replace(BASE, clocks=running, instruments=(paper,), **head)


def demand(category: str = "subscriber", **facts: Any) -> Demand:
    item = ScopeItem(Target("account", "@eva:chat.example"), expand([category]), Period(None, RECEIVED))
    base: dict[str, Any] = {
        "kind": "disclosure",
        "regime": "xx",
        "instrument": "order",
        "scope": Scope(bytes(32), (item,)),
        "received_at": RECEIVED,
        "issuer_kind": "court",
    }
    return Demand(**(base | facts))


def matter(pack: Pack, *calendars: Calendar, on: dt.date = ON, **facts: Any) -> Matter:
    return Matter(demand(**facts), pack, pack.instruments[0], on, calendars)


def one(clock: str, *calendars: Calendar, head: dict[str, Any] = ONE_ZONE, **facts: Any) -> ClockState:
    (state,) = run(matter(law(clock, head=head), *calendars, **facts), (clock,))[0]
    return state


def test_a_receipt_starts_a_clock_in_the_law_s_zone() -> None:
    """18:02 in Berlin is 17:02 in UTC; ten days later, counted in days of Berlin, with a working day at the end."""
    state = one("x.received", GERMANY)
    assert state.arithmetic == (
        "received Fri 2026-11-20 18:02 Europe/Berlin; the day itself does not count; + 10 days = Mon 2026-11-30; a "
        "working day; due before Tue 2026-12-01 00:00 Europe/Berlin (2026-11-30T23:00:00Z)"
    )
    assert state.due_at == dt.datetime(2026, 11, 30, 23, tzinfo=dt.UTC)
    assert calendars_used([state, state]) == (GERMANY.ref,)
    assert state.as_json()["calendars"] == ["DE"]


def test_the_date_on_a_paper_begins_with_its_first_instant() -> None:
    """Issued on a Friday, three working days after it: Monday, Tuesday, Wednesday."""
    state = one("x.issued", GERMANY, issued_on=dt.date(2026, 11, 20))
    assert state.due_at == dt.datetime(2026, 11, 25, 23, tzinfo=dt.UTC)
    assert state.arithmetic.startswith(
        "issued Fri 2026-11-20 00:00 Europe/Berlin; the day itself does not count;"
    )


@pytest.mark.parametrize(
    ("head", "country", "due", "said"),
    [
        (NO_ZONE, None, "2026-12-01T00:00:00Z", ("the paper names Tue 2026-12-01, read as the first instant of that "
         "day; due before Tue 2026-12-01 00:00 UTC (2026-12-01T00:00:00Z)")),
        (ONE_ZONE, None, "2026-11-30T23:00:00Z", ("the paper names Tue 2026-12-01, read as the first instant of that "
         "day; due before Tue 2026-12-01 00:00 Europe/Berlin (2026-11-30T23:00:00Z)")),
        ({"zone": "America/Sao_Paulo"}, None, "2026-12-01T03:00:00Z", "due before Tue 2026-12-01 00:00 America/Sao_"),
        (MANY_ZONES, "PT", "2026-12-01T00:00:00Z", "due before Tue 2026-12-01 00:00 Europe/Lisbon"),
        # Several zones and none known: the earliest of those that it may be.
        (MANY_ZONES | {"zone": "Asia/Kolkata"}, None, "2026-11-30T18:30:00Z",
         "the authority's country is not known: counted in Asia/Kolkata; the paper names"),
        (MANY_ZONES | {"zone": "America/Sao_Paulo"}, "ZZ", "2026-12-01T00:00:00Z",
         "the pack names no time zone for ZZ: counted in America/Sao_Paulo; the paper names"),
    ],
)  # fmt: skip
def test_a_return_date_is_read_as_early_as_it_can_be(
    head: dict[str, Any], country: str | None, due: str, said: str
) -> None:
    """A paper names a day, not an hour and not a zone."""
    state = one("x.due", head=head, due_on=dt.date(2026, 12, 1), country=country)
    assert state.due_at is not None
    assert instant(state.due_at) == due
    assert said in state.arithmetic


def test_the_zone_is_the_authority_s_where_a_law_has_several() -> None:
    """Lisbon's midnight is an hour after Berlin's; an unknown country is counted in UTC and says so."""
    due = {
        country: one("x.received", head=MANY_ZONES, country=country) for country in ("DE", "PT", "US", None)
    }
    assert {country: instant(state.due_at) for country, state in due.items() if state.due_at} == {
        "DE": "2026-11-30T23:00:00Z",
        "PT": "2026-12-01T00:00:00Z",
        "US": "2026-12-01T00:00:00Z",
        None: "2026-12-01T00:00:00Z",
    }
    assert due["US"].arithmetic.startswith("the pack names no time zone for US: counted in UTC; received Fri")
    assert due[None].arithmetic.startswith(
        "the authority's country is not known: counted in UTC; received Fri"
    )
    assert due["PT"].arithmetic.startswith("received Fri 2026-11-20 17:02 Europe/Lisbon")


def test_holidays_are_those_of_the_region_that_the_pack_names() -> None:
    """A day off in France moves no German clock; with `issuer` the authority's country decides."""
    issued = dt.date(2026, 11, 20)
    german = one("x.issued", FRANCE, GERMANY, issued_on=issued, country="FR")
    french = one("x.issued", FRANCE, GERMANY, head=MANY_ZONES, issued_on=issued, country="FR")
    unknown = one("x.issued", FRANCE, GERMANY, head=MANY_ZONES, issued_on=issued)
    assert "A day of our own" not in german.arithmetic
    assert "Mon 2026-11-23 does not count (A day of our own)" in french.arithmetic
    assert [each.region for each in french.calendars] == ["FR"]
    assert "no calendar is named: every day counts" in unknown.arithmetic
    assert unknown.calendars == ()


def test_an_order_s_silence_starts_and_ends_clocks() -> None:
    """Its start plus the period, or the end that it names; without an end or an order no date is shown."""
    order = NondisclosureOrder("Act 1", RECEIVED, dt.datetime(2027, 1, 4, tzinfo=dt.UTC))
    assert one("x.order", nondisclosure=order).due_at == RECEIVED.replace(year=2027)
    assert one("x.order").arithmetic == "365 days from an event whose time is not known (order in force)"
    end = one("x.end", nondisclosure=order)
    assert end.due_at == order.until
    assert (
        end.arithmetic == "the order names its end: Mon 2027-01-04 01:00 Europe/Berlin (2027-01-04T00:00:00Z)"
    )
    assert one("x.end", nondisclosure=replace(order, until=None)).arithmetic == "the order names no end"
    assert one("x.end").due_at is None


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        ("x.issued", "3 working days from an event whose time is not known (issued)"),
        ("x.due", "the paper names no return date"),
        ("x.outside", "96 hours from an event that this paper does not record: Law: x.outside"),
    ],
)
def test_a_clock_whose_start_nobody_knows_shows_no_date(clock: str, said: str) -> None:
    """It stays in sight with its length and says what is missing."""
    state = one(clock)
    assert state.due_at is None
    assert state.arithmetic == said


def test_a_clock_runs_for_what_it_concerns() -> None:
    """A clock for content is silent where only the subscriber is demanded."""
    pack = law("x.messages")
    assert run(matter(pack), ("x.messages",)) == ([], [])
    assert len(run(matter(pack, category="content"), ("x.messages",))[0]) == 1


def test_an_unknown_condition_is_said_and_a_failed_one_stops_the_clock() -> None:
    """The reader sees the date that would count, with the questions on which it depends."""
    unknown = one("x.mail")
    assert unknown.arithmetic.startswith(
        "If “Which service is it?” is answered chat or mail and “Does the paper declare that its sole purpose is to "
        "identify someone?” is answered yes: received Fri 2026-11-20 18:02 Europe/Berlin; + 1 hour; due before"
    )
    half = one("x.mail", answers={"service": "mail"})
    assert half.arithmetic.startswith("If “Does the paper declare")
    assert half.only_if.startswith("identifies: ")
    met = one("x.mail", answers={"service": "mail"}, identifies=True)
    assert met.arithmetic.startswith("received ")
    assert unknown.due_at == half.due_at == met.due_at
    for facts in ({"answers": {"service": "forum"}}, {"identifies": False}):
        assert run(matter(law("x.mail"), **facts), ("x.mail",)) == ([], [])


def test_a_clock_without_a_rule_in_force_is_a_question_for_counsel() -> None:
    """There is no default period: the gap is a finding that escalates."""
    pack = law("x.due")
    states, (finding,) = run(matter(pack), ("x.unheard", "x.due", "x.due"))
    assert [state.id for state in states] == ["x.due"]
    assert finding.code == "not-in-force.x.unheard"


@pytest.mark.parametrize(
    ("clock", "on", "late"),
    [
        ("x.received", dt.date(2026, 11, 30), False),
        ("x.received", dt.date(2026, 12, 1), True),
        # Due on 30 November in Berlin, which begins at 23:00 of the 29th in UTC.
        ("x.due", dt.date(2026, 11, 30), False),
        ("x.due", dt.date(2026, 12, 1), True),
    ],
)
def test_what_ended_before_the_day_has_run_out(clock: str, on: dt.date, late: bool) -> None:  # noqa: FBT001  # a column of the table
    """On its last day a clock runs; on its return date a paper is due, not late."""
    findings = run(matter(law(clock), on=on, due_on=dt.date(2026, 11, 30)), (clock,))[1]
    assert [each.code for each in findings] == ([f"passed.{clock}"] if late else [])
    assert all(each.rule == clock and each.severity == "informs" for each in findings)


@pytest.mark.parametrize(
    "facts",
    [
        {"issued_on": dt.date(1, 1, 1)},
        {"issued_on": dt.date(9999, 12, 31)},
        {"received_at": dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)},
        {"due_on": dt.date(1, 1, 1)},
    ],
)
def test_dates_at_the_ends_of_the_calendar_raise_nothing(facts: dict[str, Any]) -> None:
    """A misread year is shown as what it is; the assessment goes on."""
    names = ("x.received", "x.issued", "x.due")
    states, _ = run(matter(law(*names), GERMANY, **facts), names)
    odd = [state for state in states if state.due_at is None and "9999" in state.arithmetic]
    assert len(odd) == 1


@given(
    facts=st.fixed_dictionaries({}, optional={
        "country": st.sampled_from(("DE", "FR", "ZZ")),
        "issued_on": st.dates(),
        "due_on": st.dates(),
        "identifies": st.booleans(),
        "received_at": st.datetimes(timezones=st.just(dt.UTC)),
        "answers": st.sampled_from(({}, {"service": "mail"}, {"service": "forum"})),
    }),
    head=st.sampled_from((ONE_ZONE, MANY_ZONES, NO_ZONE)),
    calendars=st.sampled_from(((), (GERMANY,), (FRANCE, GERMANY))),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_clocks_never_decide(
    facts: dict[str, Any], head: dict[str, Any], calendars: tuple[Calendar, ...]
) -> None:
    """Whatever the dates are, clocks inform: no finding lowers the outcome, and each state has a sentence."""
    names = tuple(CLOCKS)
    found = run(matter(law(*names, head=head), *calendars, **facts), names)
    assert found == run(matter(law(*names, head=head), *calendars, **facts), names)
    assert all(each.severity == "informs" and each.ceiling.code == "permit_all" for each in found[1])
    assert all(state.arithmetic and not state.arithmetic.endswith(".") for state in found[0])
    assert all(state.due_at is None or instant(state.due_at) in state.arithmetic for state in found[0])


def test_only_the_calendars_that_a_clock_needs_are_asked_for() -> None:
    """Region and year of each; none where nothing rolls, no region is named, or the authority's country is unknown."""
    rolling, plain = law("x.received"), law("x.due", "x.order")
    by_issuer, nowhere = law("x.received", head=MANY_ZONES), law("x.due", head=NO_ZONE)
    assert needed_calendars([rolling, plain], "FR", (2026, 2027)) == {("DE", 2026), ("DE", 2027)}
    assert needed_calendars([plain, nowhere], "FR", (2026,)) == frozenset()
    assert needed_calendars([by_issuer, rolling], "FR", (2026,)) == {("FR", 2026), ("DE", 2026)}
    assert needed_calendars([by_issuer], None, (2026,)) == frozenset()


def assessed(*clocks: str, calendars: tuple[Calendar, ...] = (GERMANY,), **facts: Any) -> Assessment:
    return assess(demand(**facts), [law(*clocks)], on=ON, calendars=calendars)


def test_a_due_date_that_moved_is_told_with_both_dates() -> None:
    """A table of holidays that comes later, or another length, moves a date; both are said, with the new count."""
    issued: dict[str, Any] = {"issued_on": dt.date(2026, 12, 22)}
    before = assessed("x.issued", "x.due", calendars=(), **issued)
    now = assessed("x.issued", "x.due", **issued)
    (moved,) = changed_due_dates(before.as_json(), now)
    assert (moved.clock, moved.before, moved.now) == (
        "x.issued",
        before.clocks[0].due_at,
        now.clocks[0].due_at,
    )
    assert moved.later
    assert moved.sentence.startswith(
        "x.issued is now due before 2026-12-28T23:00:00Z. It was due before 2026-12-25T23:00:00Z. issued Tue"
    )
    (back,) = changed_due_dates(now.as_json(), before)
    assert not back.later
    assert changed_due_dates(now.as_json(), now) == []


def test_a_due_date_that_came_or_fell_away_is_told() -> None:
    """A new clock, a clock that runs no longer, and a date that can no longer be computed."""
    before = assessed("x.due", "x.received", due_on=dt.date(2026, 12, 1))
    now = assessed("x.due", "x.mail")
    due, mail, received = changed_due_dates(before.as_json(), now)
    assert due.sentence.startswith("x.due shows no due date now. It was due before 2026-11-30T23:00:00Z.")
    assert due.later
    assert mail.before is None
    assert not mail.later
    assert mail.sentence.startswith("x.mail is now due before 2026-11-20T18:02:00Z. It showed no due date.")
    assert received.sentence == "x.received runs no longer. It was due before 2026-11-30T23:00:00Z."
    assert received.later
