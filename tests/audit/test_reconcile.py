"""A production's own reads told apart from all others, even from those under its name."""

import datetime as dt

from dueprocess.audit.csvlog import Statement
from dueprocess.audit.reconcile import Beside, Reconciled, Run, application_name, printable, reconcile

DECISION, OTHER = "0123456789abcdef" * 4, "f" * 64
AT = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
RESOLVE, ROWS, COUNT = (
    "select a from users",
    "declare c for select b from sessions",
    "select count(*) from sessions",
)
RUN = Run(DECISION, [AT], AT + dt.timedelta(minutes=2), [RESOLVE, ROWS], [COUNT])


def said(text: str, *, minutes: float = 1, name: str = "", session: str = "s1") -> Statement:
    at = AT + dt.timedelta(minutes=minutes)
    return Statement(at, "dp", "192.0.2.1:5", name or application_name(DECISION), session, text)


def whys(found: Reconciled) -> list[str]:
    return [each.why for each in found.beside]


def test_a_productions_own_queries_reconcile() -> None:
    """Each once, and what it may ask besides."""
    found = reconcile([said(RESOLVE), said("declare  c\nfor select b from sessions"), said(COUNT)], [RUN])
    assert (found.beside, found.untraced, found.incomplete) == ([], [], {})
    assert found.own == {DECISION: 3}


def test_whoever_reads_without_the_tool_is_listed() -> None:
    """With time, role and address, and the statement without its values."""
    each = said("select * from users where name = '@eva:chat.example'", name="psql\x1b[2J")
    found = reconcile([each, said(RESOLVE), said(ROWS)], [RUN])
    assert whys(found) == ["not by the tool"]
    value = found.beside[0].as_json()
    assert value["statement"] == "select * from users where name = ?"
    assert value["application"] == "psql?[2J"
    assert value["at"] == "2026-11-22T08:01:00Z"


def test_a_name_that_was_copied_does_not_help() -> None:
    """Another query, the same once more, another time, more connections, or a name that nobody has."""
    own = [said(RESOLVE), said(ROWS)]
    for extra, why in (
        (said("table users"), "not one of its queries"),
        (said(ROWS), "asked more often"),
        (said(COUNT, minutes=-2), "at a time when it did not run"),
        (said(COUNT, minutes=63), "at a time when it did not run"),
        (said(COUNT, session="s2"), "more connections"),
        (said(COUNT, name=application_name(OTHER)), "the ledger does not know"),
    ):
        found = reconcile([*own, extra], [RUN])
        assert len(found.beside) == 1, why
        assert why in found.beside[0].why


def test_times_of_a_simulated_clock_are_not_compared() -> None:
    """They are not the database's."""
    assert reconcile([said(RESOLVE, minutes=9999), said(ROWS)], [RUN], compare_times=False).beside == []


def test_a_production_that_was_tried_twice_may_ask_twice() -> None:
    """Each try is in the ledger."""
    twice = Run(DECISION, [AT, AT], None, [RESOLVE], [ROWS])
    asked = [said(RESOLVE), said(RESOLVE, session="s2"), said(ROWS, session="s2")]
    found = reconcile(asked, [twice])
    assert (found.beside, found.incomplete, found.untraced) == ([], {}, [])


def test_a_production_without_a_trace_is_listed() -> None:
    """The log may be incomplete; one without an end owes none."""
    assert reconcile([], [RUN]).untraced == [DECISION]
    assert reconcile([said(RESOLVE)], [RUN]).incomplete == {DECISION: 1}
    assert reconcile([], [Run(DECISION, [AT], None, [RESOLVE])]).untraced == []


def test_a_plan_that_is_gone_is_said_to_be() -> None:
    """Nothing under its name can be told apart any more."""
    gone = Run(DECISION, [AT], AT, None)
    found = reconcile([said(RESOLVE)], [gone])
    assert "cannot be compared" in whys(found)[0]
    assert found.untraced == []


def test_the_tools_check_of_the_map_is_counted_apart() -> None:
    """Only in its own form."""
    check = 'SELECT 1 FROM "users" WHERE "name" IS NOT NULL LIMIT 1'
    found = reconcile([said(check, name="dueprocess"), said("table users", name="dueprocess")], [])
    assert (found.map_checks, whys(found)) == (1, ["not by the tool"])


def test_names_are_cut_and_have_no_control_characters() -> None:
    """Anybody may choose them."""
    assert printable("a\nb" + "c" * 99) == "a?b" + "c" * 61
    assert isinstance(Beside(said("x"), "y").as_json(), dict)
