"""A paper that names nobody has a facts file too: it is assessed so that it can be answered, and never more."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import REVERSE_KINDS, Demand, ReverseDemand
from dueprocess.demand.facts import parse_facts, parse_paper
from dueprocess.errors import MalformedError, RefusedError

START = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
FACTS = """
kind = "disclosure"
regime = "us"
instrument = "geofence_warrant"
country = "US"
issuer_kind = "judge"
issued_on = 2026-08-31
answers = { incorporated = true }
flags = ["press"]
flags_checked = true
"""
TARGET = '[[target]]\nkind = "account"\nvalue = "@eva:chat.example"\ncategories = ["subscriber"]\n'


def _read(text: str) -> Demand | ReverseDemand:
    return parse_paper(text, received_at=START, nonce=bytes(32))[0]


@pytest.mark.parametrize("asks", REVERSE_KINDS)
def test_it_says_what_it_asks_for_and_holds_nothing_to_search_by(asks: str) -> None:
    """Every fact of the paper, and no scope: the stand-in that helped to read it is gone."""
    found = _read(f'reverse = "{asks}"\n{FACTS}')
    assert isinstance(found, ReverseDemand)
    assert (found.asks, found.issuer_kind, found.issued_on) == (asks, "judge", dt.date(2026, 8, 31))
    assert (found.country, dict(found.answers), found.flags) == (
        "US",
        {"incorporated": True},
        frozenset({"press"}),
    )
    assert not hasattr(found, "scope")
    assert "nobody" not in repr(found)


def test_a_paper_with_targets_is_the_same_by_either_reader() -> None:
    """`parse_paper` reads everything that `parse_facts` reads."""
    text = FACTS + TARGET
    both = [read(text, received_at=START, nonce=bytes(32)) for read in (parse_facts, parse_paper)]
    assert both[0] == both[1]
    assert both[0][1] == "US"


def test_it_cannot_be_read_into_a_case() -> None:
    """There is nothing that could be narrowed or produced."""
    with pytest.raises(RefusedError) as caught:
        parse_facts(f'reverse = "tower"\n{FACTS}', received_at=START, nonce=bytes(32))
    assert caught.value.code == "reverse-demand"


@pytest.mark.parametrize(
    "text",
    [
        f'reverse = "everyone"\n{FACTS}',
        f"reverse = 7\n{FACTS}",
        f"reverse = []\n{FACTS}",
        f'reverse = "geofence"\n{FACTS}{TARGET}',
        f'reverse = "geofence"\narea = "48.2,16.4"\n{FACTS}',
        f'reverse = "keyword"\nwords = ["a"]\n{FACTS}',
        'reverse = "geofence"\n',
        FACTS,
    ],
)
def test_an_area_a_word_or_a_target_beside_it_is_refused(text: str) -> None:
    """There is no key for what such a paper would search by."""
    with pytest.raises(MalformedError) as caught:
        _read(text)
    assert caught.value.code == "bad-facts"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", FACTS, FACTS + TARGET, f'reverse = "area"\n{FACTS}']))
def test_any_text_is_read_or_refused_in_words(text: str, rest: str) -> None:
    """Nothing but the two families of error comes out."""
    try:
        _read(text + rest)
    except (MalformedError, RefusedError):
        return
