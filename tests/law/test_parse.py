"""A pack is read strictly: what is not said with a source, a date and a basis is not law here."""

import contextlib
import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.law import Pack, effective, parse_cases, parse_pack, parse_packs, regime_packs
from dueprocess.law.parsing.table import read_toml

PACK_FILES = sorted(
    each for each in (Path(__file__).parents[2] / "rulepacks").glob("*/*.toml") if ".cases." not in each.name
)
BROKEN = Path(__file__).parent / "data" / "broken"
ELEMENT = '{ code = "a", meaning = "b", rule = "no" }'


def test_the_shipped_pack_reads_and_says_that_counsel_has_not_reviewed_it(sca: Pack) -> None:
    """us.sca parses, has its six instruments, no reviewer, and says that it is not legal advice."""
    assert [each.code for each in sca.instruments] == [
        "subpoena", "d_order", "warrant", "nsl", "preservation_letter", "emergency",
    ]  # fmt: skip
    assert (sca.reviewed_by, sca.reviewed_on) == ("", None)
    assert "not legal advice" in sca.status


@pytest.mark.parametrize("file", PACK_FILES, ids=lambda each: each.name)
def test_what_was_not_read_at_its_source_is_marked_unverified(file: Path) -> None:
    """In every shipped pack a rule on an unread source says so, and the source says why nobody read it."""
    pack = parse_pack(file.read_text(encoding="utf-8"), file.name)
    assert "not legal advice" in pack.status
    unread = {each.key for each in pack.sources if each.read_on is None}
    laws = [*pack.rules, *(each.rule for each in pack.clocks), *(each.rule for each in pack.nondisclosure)]
    laws += [each.rule for each in pack.instruments]
    resting = [rule for rule in laws if rule.citation.source in unread]
    assert all(rule.basis == "unverified" and str(rule.citation).endswith("unverified") for rule in resting)
    assert all(source.not_read for source in pack.sources if source.key in unread)


@pytest.mark.parametrize("file", PACK_FILES, ids=lambda each: each.name)
def test_every_rule_of_a_shipped_pack_is_used(file: Path) -> None:
    """A rule that nothing refers to would be law that is never applied."""
    text = file.read_text(encoding="utf-8")
    assert [rule.id for rule in parse_pack(text, file.name).rules if text.count(f'"{rule.id}"') < 2] == []


def test_the_shipped_packs_are_a_set() -> None:
    """Together they keep the baseline's floor, and their questions and flags are theirs."""
    packs = parse_packs((file.name, file.read_text(encoding="utf-8")) for file in PACK_FILES)
    assert len(packs) == len(PACK_FILES)
    assert effective(packs) == packs


def test_the_digest_is_over_the_content_and_not_its_layout(small_text: str) -> None:
    """Comments and blank lines do not change the digest; a word does."""
    plain = parse_pack(small_text, "a.toml").sha256
    assert parse_pack("# a comment\n\n" + small_text.replace("\n[[", "\n\n\n[["), "b.toml").sha256 == plain
    assert parse_pack(small_text.replace("Say nothing.", "Say little."), "a.toml").sha256 != plain


def test_a_value_is_the_one_in_force_on_the_day(small_text: str) -> None:
    """Versions of a rule follow one another: `from` included, `until` excluded, then nothing."""
    pack = parse_pack(small_text, "small.toml")
    days = [dt.date(2019, 12, 31), dt.date(2026, 5, 31), dt.date(2026, 6, 1), dt.date(2027, 1, 1)]
    found = [pack.rule("yes", day) for day in days]
    assert [rule and rule.citation.section for rule in found] == [None, "1", "1a", None]
    assert pack.clock("xx.to-end", dt.date(2026, 12, 1)) is None
    assert pack.instrument("order", dt.date(2019, 1, 1)) is None
    assert (pack.knows("order"), pack.knows("letter")) == (True, False)
    assert pack.source("act").short == "Act"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('jurisdiction = "Nowhere"', 'jurisdiktion = "Nowhere"', "missing"),
        ('title = "A small law"', 'title = "A small law"\nmood = "good"', "no such key"),
        ("[pack]", "colour = 1\n[pack]", "no such key"),
        ('version = "1"', "version = 1", "Expected a text"),
        ('version = "1"', 'version = " "', "empty"),
        ('id = "xx.small"', 'id = "xx..small"', "letters, digits"),
        ("reviewed_on = 2026-01-02", "", "missing"),
        ("read_on = 2026-01-01", "", "missing"),
        ("read_on = 2026-01-01", 'read_on = "2026-01-01"', "a date"),
        ("read_on = 2026-01-01", "read_on = 2026-01-01T00:00:00Z", "a date"),
        ('key = "hearsay"', 'key = "act"', "declared twice"),
        ('section = "(3)"', "", "missing"),
        ('source = "act"\nsection = "(3)"', 'source = "ghost"\nsection = "(3)"', "no [[source]]"),
        ('source = "act"\nsection = "(3)"', 'source = "hearsay"\nsection = "(3)"', "unverified"),
        ('basis = "inference"', 'basis = "hunch"', "not one of"),
        ('basis = "inference"\nfrom = 2020-01-01', 'basis = "inference"', "missing"),
        ('id = "no"', 'id = "no no"', "letters, digits"),
        ("until = 2020-02-01", "until = 2020-01-01", "empty"),
        ("until = 2026-06-01", "until = 2026-06-02", "same day"),
        ("days = 10", "days = 0", "1 to 100,000"),
        ("days = 10", "days = true", "whole number"),
        ('starts = "nondisclosure_start"', 'starts = "someday"', "not one of"),
        ('names = ["Act 5"]', "names = []", "at least one"),
        ('names = ["Act 5"]', 'names = ["Act 5", "Act 5"]', "twice"),
        ('names = ["Act 5"]', "names = [5]", "list of texts"),
        ('issuers = ["court"]', 'issuers = ["wizard"]', "not one of"),
        ('issuers = ["court"]', 'issuers = ["private_party"]', "not one of"),
        ('issuers_rule = "yes"', 'issuers_rule = "maybe"', "no [[rule]]"),
        ('clocks = ["xx.from-order", "xx.to-end"]', 'clocks = ["xx.other"]', "no [[clock]]"),
        ('nondisclosure = ["hush"]', 'nondisclosure = ["shh"]', "no [[nondisclosure]]"),
        ('end_clock = "xx.to-end"', 'end_clock = "xx.nowhere"', "no [[clock]]"),
        ('word = "required"', 'word = "perhaps"', "not one of"),
        ('categories = ["subscriber"]', 'categories = ["subscribers"]', "no data category"),
        ('categories = ["subscriber"]', "categories = []", "at least one"),
        ('categories = ["subscriber"]', 'categories = ["subscriber", "session"]', "Both reached"),
        ('categories = ["subscriber"]', 'categories = ["subscriber.identity"]', "Neither"),
        ('categories = ["subscriber"]', 'categories = ["subscriber", "secrets"]', "Secrets"),
        (', "secrets"]', "]", "Secrets"),
        ('report_cells = ["xx.order"]', "", "at least one"),
        ('purpose = "identify"', 'purpose = "curiosity"', "not one of"),
        ('rules = ["no"]', 'rules = ["never"]', "no [[rule]]"),
        ("reach = [", f"element = [{ELEMENT}, {ELEMENT}]\nreach = [", "twice"),
        ("reach = [", "emergency = 1\nreach = [", "true or false"),
        ("reach = [", "element = 1\nreach = [", "repeated tables"),
        ("reach = [", "element = [1]\nreach = [", "repeated tables"),
        ("reach = [", 'element = [{ code = "a", meaning = "b", rule = "ghost" }]\nreach = [', "no [[rule]]"),
        ("reach = [", 'objection = [{ code = "a", who = "king", rule = "no" }]\nreach = [', "not one of"),
        ("[pack]", "[pack", "")
    ],
)  # fmt: skip
def test_a_pack_with_one_fault_is_refused_with_file_and_reason(
    small_text: str, old: str, new: str, why: str
) -> None:
    """One changed word is found, and the message names the file."""
    assert old in small_text
    with pytest.raises(MalformedError) as caught:
        parse_pack(small_text.replace(old, new, 1), "small.toml")
    assert "small.toml" in caught.value.what
    assert why in caught.value.why


def test_a_time_without_its_zone_is_refused_with_its_line() -> None:
    """Nobody guesses where a clock on the wall hangs."""
    with pytest.raises(MalformedError) as caught:
        read_toml("a = 1\nat = 2026-11-20T18:02:00\n", "x.toml").moment("at")
    assert caught.value.what == "x.toml, line 2: at is not right."
    assert "Z" in caught.value.do


def test_a_pack_nested_beyond_reason_is_malformed_and_not_a_crash() -> None:
    """Depth is a fault of the file."""
    with pytest.raises(MalformedError, match=r"deep\.toml, line 1: this is nested too deeply"):
        parse_pack("a = " + "[" * 100_000, "deep.toml")


@settings(max_examples=150)
@given(st.text())
def test_any_text_is_a_pack_or_malformed(text: str) -> None:
    """No text raises anything else."""
    with pytest.raises(MalformedError):
        parse_pack(text, "any.toml")
    with pytest.raises(MalformedError):
        parse_cases(text, "any.toml")


def _value() -> st.SearchStrategy[str]:
    odd = '1 true 1.5 nan "" "x" [] {} [[]] 2020-01-01 2020-01-01T00:00:00 00:01:00 99999999999999999999'
    return st.sampled_from(odd.split()) | st.text(max_size=8)


@settings(max_examples=150)
@given(st.data())
def test_a_pack_with_any_line_replaced_is_a_pack_or_malformed(data: st.DataObject) -> None:
    """Faults deep inside a good file raise ``MalformedError`` too, whatever the value's type."""
    sca = Path(__file__).parents[2] / "rulepacks" / "us" / "sca.toml"
    for file, parse in ((sca, parse_pack), (sca.with_name("sca.cases.toml"), parse_cases)):
        with contextlib.suppress(MalformedError):
            assert parse(_bent(data, file.read_text(encoding="utf-8")), "bent.toml")


@settings(max_examples=300)
@given(st.data())
def test_a_set_with_any_line_replaced_is_a_set_or_malformed_with_a_line(data: st.DataObject) -> None:
    """Of a set of packs too, and the error says file and line."""
    names = ("floor.toml", "overlay.toml", "regime.toml", "second.toml")
    texts = {name: (BROKEN / name).read_text(encoding="utf-8") for name in names}
    bent = data.draw(st.sampled_from(names))
    texts[bent] = _bent(data, texts[bent])
    try:
        parse_packs(texts.items())
    except MalformedError as error:
        assert re.match(r"\w+\.toml, line [1-9]\d*: ", error.what), error.what  # noqa: PT017 - good packs come too


def _bent(data: st.DataObject, text: str) -> str:
    lines = text.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    key = lines[at].split("=")[0]
    lines[at] = f"{key}= {data.draw(_value())}" if "=" in lines[at] else data.draw(st.text(max_size=12))
    return "\n".join(lines)


def test_a_regime_is_a_prefix_on_dot_boundaries(small_text: str) -> None:
    """`xx` means xx and xx.small, never xxy; the empty regime means nothing."""
    pack = parse_pack(small_text, "small.toml")
    other = parse_pack(small_text.replace('id = "xx.small"', 'id = "xxy"'), "other.toml")
    assert regime_packs([other, pack], "xx") == (pack,)
    assert regime_packs([other, pack], "xx.small") == (pack,)
    assert regime_packs([pack], "") == ()
