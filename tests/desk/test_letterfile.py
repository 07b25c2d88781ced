"""The file with what a letter needs and the case does not know: read strictly, drafted so that it can be read."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.desk.letterfile import KEYS, Need, Values, drafted, need, parse_letter_file
from dueprocess.errors import MalformedError
from dueprocess.notice import LETTERS


def test_every_kind_of_value_is_drafted_and_read_back() -> None:
    """Text, list, yes or no, day, days and time, as TOML."""
    known: Values = {
        "recipient": 'Court of "Exampletown"',
        "recipient_address": ("one", "two"),
        "preserved": False,
        "certificate.issued_on": dt.date(2026, 11, 18),
        "removal.received_at": dt.datetime(2026, 11, 20, 3, 2, tzinfo=dt.UTC),
        "silence.asked": (dt.date(2026, 7, 1),),
    }
    every = Need(frozenset(KEYS), tuple(KEYS))
    printed = "\n".join(drafted(every, known, ["two\nlines"]))
    assert parse_letter_file(printed) == known
    assert printed.startswith("# two lines\n")
    assert printed.count("# NEEDED: ") == len(KEYS) - len(known)
    assert '# interests = { fundamental_rights = "..." }' in printed


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@settings(max_examples=100)
def test_a_value_in_a_draft_is_read_back(text: str) -> None:
    """Whatever an authority is called, its name stands in the draft as one value, and changes nothing else."""
    words = " ".join(text.split()).replace("...", "")
    printed = "\n".join(drafted(need("holding"), {"recipient": words}, ["a note"]))
    assert parse_letter_file(printed) == ({"recipient": words} if words else {})


@given(st.one_of(st.text(), st.binary().map(lambda data: data.decode("utf-8", "replace"))))
@settings(max_examples=200)
def test_any_text_is_read_or_refused(text: str) -> None:
    """A letter file is somebody's text: it is understood, or `MalformedError` says what is wrong."""
    with suppress(MalformedError):
        assert isinstance(parse_letter_file(text), dict)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recipient", "not TOML"),
        ("rcpt = 'x'", "'rcpt'"),
        ("[office]\nnmae = 'x'", "'office.nmae'"),
        ("[offices]\nname = 'x'", "'offices'"),
        ("office = 'x'", "'office'"),
        ("recipient = 5", "recipient"),
        ("recipient_address = 'x'", "recipient_address"),
        ("recipient_address = ['x', 5]", "recipient_address"),
        ("preserved = 'yes'", "preserved"),
        ("topics = ['quash', 'win']", "topics"),
        ("[certificate]\nkind = 'EPO'", "certificate.kind"),
        ("[certificate]\nissued_on = '2026-11-18'", "certificate.issued_on"),
        ("[certificate]\nissued_on = 2026-11-18T00:00:00Z", "certificate.issued_on"),
        ("[removal]\nreceived_at = 2026-11-18T00:00:00", "removal.received_at"),
        ("[silence]\nasked = [2026-11-18, 'x']", "silence.asked"),
        ("[silence]\nasked = 2026-11-18", "silence.asked"),
        ("[third_country]\ninterests = 'all'", "third_country.interests"),
        ("[third_country]\ninterests = { money = 'x' }", "third_country.interests"),
        ("[third_country]\ninterests = { other = 5 }", "third_country.interests"),
    ],
)
def test_a_wrong_letter_file_is_refused_by_key(text: str, words: str) -> None:
    """Unknown keys and values of another kind are named, with what to write instead."""
    with pytest.raises(MalformedError) as caught:
        parse_letter_file(text)
    assert caught.value.code == "bad-letter-file"
    assert words in caught.value.what
    assert caught.value.do or caught.value.why


def test_a_letter_file_is_read_by_whole_names() -> None:
    """Sections become part of the name; what is empty or a draft's dots is no value; a text is one line."""
    text = """
recipient = "two\\nlines"
reference = " "
own_reference = "..."
recipient_address = ["", "...", "x"]
topics = []
[removal]
received_at = 2026-11-20T03:02:00+01:00
hindrances = ["errors"]
[silence]
asked = [2026-07-01]
[third_country]
interests = { other = "x", security = "" }
"""
    found: Mapping[str, object] = parse_letter_file(text)
    assert found == {
        "recipient": "two lines",
        "recipient_address": ("x",),
        "removal.received_at": dt.datetime(2026, 11, 20, 2, 2, tzinfo=dt.UTC),
        "removal.hindrances": ("errors",),
        "silence.asked": (dt.date(2026, 7, 1),),
        "third_country.interests": (("other", "x"),),
    }


def test_a_removal_order_has_a_form_of_its_own() -> None:
    """Its keys replace those for more time; every key of every letter is one of the file's."""
    plain, form = need("delay"), need("delay", removal=True)
    assert "more_time.until" in plain.must
    assert not [name for name in form.used if name.startswith("more_time")]
    assert {"removal.hindrances", "office.authorised"} <= form.must
    used = {name for code in LETTERS for flag in (False, True) for name in need(code, removal=flag).used}
    assert used == set(KEYS)
