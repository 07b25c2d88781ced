"""A facts file gives a demand about named targets, or says which key is wrong."""

import datetime as dt

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dueprocess.demand import KINDS, Demand
from dueprocess.demand.facts import parse_facts
from dueprocess.errors import MalformedError, RefusedError

START = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
LEAST = """
kind = "disclosure"
regime = "us"
instrument = "d_order"
country = "US"
[[target]]
kind = "account"
value = "@eva:chat.example"
categories = ["subscriber"]
"""
ORDER = '[nondisclosure]\nbasis = "18 USC 2705(b)"\nstarts_on = 2026-09-01T08:00:00Z\n'


def _read(text: str) -> Demand:
    return parse_facts(text, received_at=START, nonce=bytes(32))[0]


def test_a_short_file_leaves_unknown_what_it_does_not_say() -> None:
    """No default law, no default date: what is missing is unknown."""
    demand, country = parse_facts(LEAST, received_at=START, nonce=bytes(32))
    assert country == "US"
    assert (demand.issued_on, demand.identifies, demand.nondisclosure, demand.emergency) == (
        None,
        None,
        None,
        False,
    )
    item = demand.scope.items[0]
    assert (item.target.value, len(item.categories), item.period.since, item.period.until) == (
        "@eva:chat.example",
        4,
        None,
        None,
    )


def test_a_full_file_is_read_with_tomls_own_dates() -> None:
    """Days stay days, instants become UTC, and an order keeps its end and its certification."""
    text = (
        'authority = "a-court"\nissued_on = 2026-08-31\nlegal_bases = ["18 USC 2703(d)"]\nidentifies = false\n'
        + LEAST
    )
    text += "from = 2026-08-01T02:00:00+02:00\nuntil = 2026-08-31T00:00:00Z\n"
    text += ORDER + "until = 2026-12-01T00:00:00Z\ncertified = true\n"
    demand = _read(text)
    assert demand.scope.items[0].period.since == dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
    assert demand.issued_on == dt.date(2026, 8, 31)
    assert demand.authority_id == "a-court"
    assert demand.nondisclosure is not None
    assert (demand.nondisclosure.until, demand.nondisclosure.certified) == (
        dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
        True,
    )


def test_a_file_says_who_validated_what_was_answered_and_what_was_noticed() -> None:
    """Answers are yes, no or a word; a target may state the purpose that the paper declares."""
    text = (
        'validated_by = "judge"\nflags = ["press"]\nflags_checked = true\n'
        'answers = { service = "mail", serious = true }\n' + LEAST + 'purpose = "identify"\n'
    )
    demand = _read(text)
    assert (demand.validated_by, demand.country, demand.flags, demand.flags_checked) == (
        "judge", "US", frozenset({"press"}), True,
    )  # fmt: skip
    assert demand.answers == {"service": "mail", "serious": True}
    assert demand.scope.items[0].purpose == "identify"


@pytest.mark.parametrize(
    "text",
    [
        "",
        'validated_by = "sheriff"\n' + LEAST,
        'answers = ["mail"]\n' + LEAST,
        "answers = { service = 1 }\n" + LEAST,
        'flags = "press"\n' + LEAST,
        LEAST + 'purpose = "curiosity"\n',
        "this is no TOML",
        "a = " + "[" * 100_000,
        "a = " + "9" * 5000,
        LEAST.replace('kind = "disclosure"\n', "", 1),
        'keyword = "protest"\n' + LEAST,
        LEAST.replace('"US"', '"us"'),
        LEAST.replace('"US"', '"ÄÖ"'),
        LEAST.replace('"US"', '"USA"'),
        LEAST.replace('"US"', "1"),
        LEAST.replace('["subscriber"]', '["everything"]'),
        LEAST.replace('["subscriber"]', '"subscriber"'),
        LEAST.replace('["subscriber"]', "[1]"),
        LEAST.replace('"@eva:chat.example"', "1.5"),
        LEAST + "from = 2026-08-01T00:00:00\n",
        LEAST + "from = 2026-08-01\n",
        LEAST + "from = 08:00:00\n",
        LEAST + "from = 0.5\n",
        LEAST + 'area = "a square"\n',
        LEAST.replace("[[target]]", "[target]"),
        LEAST.split("[[", maxsplit=1)[0] + "target = [1]\n",
        "issued_on = 1\n" + LEAST,
        "nondisclosure = true\n" + LEAST,
        LEAST + ORDER + "tell = false\n",
        LEAST + '[nondisclosure]\nbasis = "x"\n',
    ],
)
def test_a_file_that_is_not_what_it_claims_is_malformed(text: str) -> None:
    """Each has one thing wrong; none is guessed around."""
    with pytest.raises(MalformedError):
        _read(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LEAST.split("[[", maxsplit=1)[0] + "target = []\n", "no-targets"),
        (LEAST.replace('kind = "account"', 'kind = "area"'), "reverse-demand"),
        (LEAST.replace("@eva:chat.example", "@*:chat.example"), "wildcard"),
        (LEAST.split("[[", maxsplit=1)[0] + "".join(
            f'[[target]]\nkind = "account"\nvalue = "eva{n}"\ncategories = ["traffic"]\n' for n in range(101)),
         "too-many-targets"),
    ],
)  # fmt: skip
def test_a_file_without_named_targets_is_refused(text: str, code: str) -> None:
    """No target, an area, a wildcard and a crowd are refused under their own names."""
    with pytest.raises(RefusedError) as caught:
        _read(text)
    assert caught.value.code == code


LINES = [
    *LEAST.strip().splitlines(),
    *ORDER.splitlines(),
    'value = "*"',
    "[[target]]",
    'kind = "all"',
    "until = 2026-08-01",
    "x = [",
    "issued_on = 1",
]


@given(st.lists(st.sampled_from(LINES), max_size=14).map("\n".join) | st.text(max_size=40))
@example(LEAST)
@settings(max_examples=200, deadline=None)
def test_no_file_gives_a_demand_without_named_targets(text: str) -> None:
    """Whatever lines a file holds, there is an error of the two families, or exact targets."""
    try:
        demand = _read(text)
    except (MalformedError, RefusedError):
        return
    assert demand.scope.items
    assert all(item.target.kind in KINDS and "*" not in item.target.value for item in demand.scope.items)
