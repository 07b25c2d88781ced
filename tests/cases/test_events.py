"""Events: one table of kinds and fields, checked on the way in; links and times, checked on the way back."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.story import Story, approved_story
from dueprocess.cases.events import BODIES, FIRST, Event, check_body, check_links
from dueprocess.errors import MalformedError
from dueprocess.wire import Json, canonical, instant, sha256_hex

HEX = sha256_hex(b"x")
GOOD: dict[str, Json] = {"text": "x", "hex": HEX, "int": 1, "bool": False, "list": [], "map": {}}
BAD: dict[str, list[Json]] = {
    "text": [1, None, []],
    "hex": [1, None, "", HEX[:-1], HEX.upper(), HEX[:-1] + "g"],
    "int": ["1", None, True],
    "bool": [1, None, "true"],
    "list": ["x", None, {}],
    "map": ["x", None, []],
}
FIELDS = [(kind, name, wanted) for kind, fields in BODIES.items() for name, wanted in fields.items()]


def _body(kind: str) -> dict[str, Json]:
    return {name: GOOD[wanted.removesuffix("?")] for name, wanted in BODIES[kind].items()}


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_a_body_has_exactly_the_fields_of_its_kind(kind: str) -> None:
    """The table's own fields pass; one more or one less does not."""
    check_body(kind, 1, _body(kind))
    for name in BODIES[kind]:
        fewer = {key: value for key, value in _body(kind).items() if key != name}
        with pytest.raises(MalformedError, match="other fields"):
            check_body(kind, 1, fewer)
    with pytest.raises(MalformedError, match="other fields"):
        check_body(kind, 1, {**_body(kind), "name": "Eva Example"})


@pytest.mark.parametrize(("kind", "name", "wanted"), FIELDS, ids=[f"{k}.{n}" for k, n, _ in FIELDS])
def test_a_field_has_exactly_its_type(kind: str, name: str, wanted: str) -> None:
    """True is no number, a digest is 64 lower-case digits, and null only where the table allows it."""
    for value in BAD[wanted.removesuffix("?")]:
        if value is None and wanted.endswith("?"):
            check_body(kind, 1, {**_body(kind), name: None})
            continue
        with pytest.raises(MalformedError, match="is not a"):
            check_body(kind, 1, {**_body(kind), name: value})


@pytest.mark.parametrize(("kind", "version"), [("DemandForgotten", 1), ("DemandReceived", 2), ("", 0)])
def test_an_unknown_kind_or_version_is_refused(kind: str, version: int) -> None:
    """Nobody writes an event that no program can read."""
    with pytest.raises(MalformedError, match="no event"):
        check_body(kind, version, {})


def test_no_kind_of_event_has_a_field_for_a_name_or_an_identifier() -> None:
    """History outlives erasure, so nothing in it may name a person."""
    names = {name for fields in BODIES.values() for name in fields}
    assert not names & {
        "name",
        "account",
        "identifier",
        "email",
        "phone",
        "address",
        "value",
        "user",
    }


# ------------------------------------------------------------------ links

EVENTS = approved_story().events


@pytest.mark.parametrize(
    "column", ["case_id", "case_seq", "kind", "version", "body", "actor", "recorded_at", "prev_sha256"]
)
def test_the_digest_of_an_event_covers_every_column(column: str) -> None:
    """A change of any column, unnoticed by eye, is another digest, and breaks the link after it."""
    event = EVENTS[1]
    value = getattr(event, column)
    other = {**value, "more": 1} if column == "body" else value + 1 if isinstance(value, int) else value + "x"
    changed = replace(event, **{column: other})  # type: ignore[arg-type]  # one column at a time, of its own type
    assert changed.sha256 != event.sha256
    with pytest.raises(MalformedError):
        check_links([EVENTS[0], changed, *EVENTS[2:]])


def test_an_untouched_history_is_linked() -> None:
    """The first event follows nothing, each later one its predecessor."""
    check_links([])
    check_links(EVENTS)
    assert EVENTS[0].prev_sha256 == FIRST
    assert [event.prev_sha256 for event in EVENTS[1:]] == [event.sha256 for event in EVENTS[:-1]]


def test_an_event_of_another_case_does_not_fit_in() -> None:
    """Even with the right number and digest."""
    alien = replace(EVENTS[1], case_id="d" * 32)
    with pytest.raises(MalformedError, match="does not follow"):
        check_links([EVENTS[0], alien])


def _dated(*moments: dt.datetime) -> list[Event]:
    body: dict[str, Json] = {"findings": []}
    prev, events = FIRST, []
    for number, moment in enumerate(moments, start=1):
        events.append(Event("c" * 32, number, "RequesterDoubted", 1, body, "ana", instant(moment), prev))
        prev = events[-1].sha256
    return events


@given(st.lists(st.datetimes(timezones=st.just(dt.UTC)), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_time_never_runs_back_between_events(moments: list[dt.datetime]) -> None:
    """Events in the order of their times pass, also where one has a fraction of a second and the next none."""
    check_links(_dated(*sorted(moments)))
    if sorted(moments) != moments:
        with pytest.raises(MalformedError, match="dated before"):
            check_links(_dated(*moments))


def test_half_a_second_later_is_later() -> None:
    """`…00Z` sorts after `…00.5Z` as text; as times it is the other way round."""
    full = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
    half = full + dt.timedelta(milliseconds=500)
    assert instant(full) > instant(half)
    check_links(_dated(full, half))
    with pytest.raises(MalformedError, match="dated before"):
        check_links(_dated(half, full))


def test_an_event_without_a_proper_time_is_refused() -> None:
    """A local time or none at all is no time of an event."""
    event = replace(EVENTS[0], recorded_at="2026-09-01 08:00")
    with pytest.raises(MalformedError, match="Expected a time"):
        check_links([event])


def test_an_event_speaks_canonical_json() -> None:
    """Its bytes are the same whatever order its body was built in."""
    event = Story().received().events[0]
    again = replace(event, body=dict(reversed(list(event.body.items()))))
    assert canonical(again.as_json()) == canonical(event.as_json())
    assert event.text("channel") == "mail"
