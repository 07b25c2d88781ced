"""The minimisation statement says what is true, and nothing about what was not looked at."""

import dataclasses
import datetime as dt
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.parcel import (
    NOT_NOTHING,
    Account,
    CategoryLine,
    RedactionCount,
    TableResult,
    statement_html,
    statement_json,
    summed,
)
from parcel.accounts import ACCOUNT, EMPTY, REDACTIONS, RESULTS, STATEMENT


def outcomes(account: Account) -> dict[str, dict[str, object]]:
    return {each.line.name: {**each.as_json()} for each in account.outcomes()}


def test_the_three_results_have_three_sentences() -> None:
    """Found with its number, nothing held, failed with its reason; files are not records."""
    said = [each.words for each in RESULTS]
    assert said[:4] == ["nothing held", "found 1,234 records", "failed: the store stopped", "found 3 files"]
    assert dataclasses.replace(RESULTS[1], rows=1).words == "found 1 record"
    assert RESULTS[2].as_json() == {
        "store": "main",
        "table": "devices",
        "status": "failed",
        "rows": 1,
        "why": "the store stopped",
    }


def test_an_entry_of_an_interrupted_run_says_when_it_was_read() -> None:
    """In the words and for programs; a failed one is never of another run, and says its reason alone."""
    read = (dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC))
    earlier = [dataclasses.replace(each, read=read) for each in RESULTS]
    when = "read from 2026-11-22T08:00:00Z to 2026-11-22T09:30:00Z, in a run that was interrupted later"
    said = [each.words for each in earlier]
    assert said[:3] == [f"nothing held; {when}", f"found 1,234 records; {when}", "failed: the store stopped"]
    assert earlier[0].as_json() == {
        **RESULTS[0].as_json(),
        "read_from": "2026-11-22T08:00:00Z",
        "read_until": "2026-11-22T09:30:00Z",
    }
    assert when in statement_html(STATEMENT, earlier).decode()


def test_held_is_yes_no_or_unknown() -> None:
    """Unknown: nothing was found and an entry failed. A record before the failure was held."""
    found = outcomes(ACCOUNT)
    held = {name: each["held"] for name, each in found.items()}
    assert held["subscriber.identity"] == "no"
    assert held["traffic"] == "yes"
    assert held["content.files"] == "yes"
    assert held["subscriber.payment"] == "unknown"
    assert (found["traffic"]["records"], found["content.files"]["files"]) == (1237, 3)
    only = dataclasses.replace(RESULTS[2], rows=1)
    assert outcomes(Account(STATEMENT, (only,)))["traffic"]["held"] == "yes"


def test_nothing_is_said_about_what_was_not_authorised() -> None:
    """Even if an entry's columns count under such a category, it has no held, no number and a reason."""
    found = outcomes(ACCOUNT)
    for name in ("location", "content.messages", "content.profile"):
        assert (found[name]["held"], found[name]["records"], found[name]["files"]) == (None, 0, 0)
    why = {name: found[name]["not_collected"] for name in found}
    assert why["location"] == "not authorised by the decision; it was not asked for"
    assert (
        why["content.profile"]
        == "not authorised by the decision; it was asked for and found not to be permitted"
    )
    assert why["content.messages"] == "not authorised by the decision; it was asked for and permitted"
    assert why["session.times"] == "these records carry times"
    assert why["traffic"] == ""
    assert outcomes(EMPTY)["subscriber.payment"]["not_collected"] == "not listed"


names = st.sampled_from([line.name for line in STATEMENT.categories])
results = st.builds(
    TableResult,
    st.just("main"),
    st.sampled_from("abc"),
    st.sampled_from(["found", "nothing_held", "failed"]),
    st.integers(1, 9),
    st.just("why"),
    st.lists(names, max_size=3).map(tuple),
    st.booleans(),
)


@given(st.lists(results, max_size=8))
@settings(max_examples=60, deadline=None)
def test_an_unauthorised_category_stays_silent_whatever_the_stores_gave(
    given_results: list[TableResult],
) -> None:
    """And its line is the same as if nothing had been read."""
    silent = outcomes(EMPTY)
    found = outcomes(Account(STATEMENT, tuple(given_results)))
    for line in STATEMENT.categories:
        if not line.authorised:
            assert found[line.name] == silent[line.name]


def test_redactions_find_their_category_and_their_reason() -> None:
    """A held copy has the columns of the live entry; a column of no category is counted in the table alone."""
    found = outcomes(ACCOUNT)
    assert found["traffic"]["redacted_places"] == 1236
    assert found["content.files"]["redacted_places"] == 0
    assert REDACTIONS[0].reason == "The whole value is about other people."
    assert (
        REDACTIONS[2].reason
        == "What stands at content.m.mentions.user_ids inside the value is about other people."
    )
    alone = Account(dataclasses.replace(STATEMENT, sources=()), RESULTS, REDACTIONS)
    assert outcomes(alone)["traffic"]["redacted_places"] == 1234


def test_counts_of_one_column_and_rule_are_summed() -> None:
    """In the order in which they first came."""
    one = RedactionCount("main", "a", "c", "mask", 1, 2)
    other = RedactionCount("main", "b", "c", "mask", 5, 5)
    assert summed([one, other, one]) == (RedactionCount("main", "a", "c", "mask", 2, 4), other)


def test_the_statement_for_programs_says_the_same() -> None:
    """JSON with every entry, source, redaction and window, and the plain warning."""
    value = json.loads(statement_json(ACCOUNT))
    assert [each["status"] for each in value["entries"]] == [each.status for each in RESULTS]
    assert value["entries"][3]["files"] is True
    assert value["windows"][0] == {"step": "asked", "window": "no end"}
    assert value["sources"][1]["files"] == ["ab" * 32]
    assert value["redactions"][2]["places"] == 31
    assert value["failed_entry_means"] == NOT_NOTHING
    assert statement_json(ACCOUNT).isascii()


def test_a_line_alone_knows_why() -> None:
    """The reason of the plan comes first, then the last step at which the category was still alive."""
    line = CategoryLine(
        "secrets", "keys", asked=False, permitted=False, authorised=False, not_collected="never"
    )
    assert line.why_not == "never; it was not asked for"
    assert (
        "never; it was not asked for"
        in statement_html(dataclasses.replace(STATEMENT, categories=(line,)), ()).decode()
    )
