"""Every place of a TOML text has its line, and texts that look like tables fool nobody."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.law.parsing.lines import line_of, place_name

SHIPPED = sorted((Path(__file__).parents[2] / "rulepacks").glob("*/*.toml"))
BROKEN = sorted((Path(__file__).parent / "data" / "broken").glob("*.toml"))

TRICKY = '''\
"quoted key" = 1 # [not.a.table]
'it''s' = 2
a.b.c = { d.e = [1, [2, { f = "}" }], 3], g = 'x' } # { [
text = """
[[fake]]
key = "no" \\
\\""" ] } ""still text"" """""
raw = \'\'\'
[fake]
\'quoted\' \'\'\'\'\'
when = 2026-11-22 10:00:00Z
list = [ # a comment with ] and "
  "one", # two
  [ "inner", [] ],
  {}, { x = 1.5, y = [true] },
]
[t."dotted.name".u]
v = -inf
[[r]]
[[r]]
k = 1
[[r.s]]
m = 1
[[r.s]]
[r.s.deep]
m = 2
[[r]]
k = 3
'''.replace("'it''s'", "'its'")  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    if isinstance(value, list):
        for n, inner in enumerate(value, 1):
            yield from _places(inner, (*path, n))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("quoted key",), 1),
        (("its",), 2),
        (("a", "b", "c", "d", "e", 2, 2, "f"), 3),
        (("a", "b", "c", "g"), 3),
        (("text",), 4),
        (("raw",), 8),
        (("when",), 11),
        (("list", 1), 13),
        (("list", 2, 2), 14),
        (("list", 4, "y", 1), 15),
        (("t",), 17),
        (("t", "dotted.name", "u", "v"), 18),
        (("r",), 19),
        (("r", 1), 19),
        (("r", 2, "k"), 21),
        (("r", 2, "s", 1, "m"), 23),
        (("r", 2, "s", 2), 24),
        (("r", 2, "s", 2, "deep", "m"), 26),
        (("r", 3, "k"), 28),
    ],
)
def test_a_place_has_the_line_on_which_it_begins(path: tuple[Any, ...], line: int) -> None:
    """Lines counted by hand, in a text with every trap that TOML has."""
    assert path in set(_places(tomllib.loads(TRICKY)))
    assert line_of(TRICKY, path) == line


def test_what_is_missing_is_told_at_the_nearest_thing_around_it() -> None:
    """A missing key is told with the line of its table; a table within nothing with line 1."""
    assert line_of(TRICKY, ("r", 2, "missing", 7)) == 20
    assert line_of(TRICKY, ("nowhere", 1)) == 1
    assert line_of(TRICKY.replace("\n", "\r\n"), ("r", 3, "k")) == 28


@pytest.mark.parametrize("file", [*SHIPPED, *BROKEN], ids=lambda each: each.name)
def test_every_place_of_the_shipped_files_is_found_on_a_line_that_says_its_key(file: Path) -> None:
    """No key, table or list entry of a real file is told with another one's line."""
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    keyed = [path for path in _places(tomllib.loads(text)) if path and isinstance(path[-1], str)]
    for path in keyed[:: max(1, len(keyed) // 12)]:
        assert path[-1] in lines[line_of(text, path) - 1]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"{_toml(inner)},\n" for inner in value) + "]"
    return str(value)


@settings(max_examples=60)
@given(
    st.recursive(
        st.sampled_from(["1", '"]"', "'#'", '"""\n[x]\n"""', "1.5", "true"]),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_any_nesting_of_values_has_a_line_for_each_place(value: Any) -> None:
    """The walk agrees with `tomllib` about what there is, down to the depth that packs have."""
    text = f"before = 1\nx = {_toml(value)}\nafter = 2\n"
    content = tomllib.loads(text)
    assert line_of(text, ("after",)) == text.count("\n")
    for path in _places(content):
        assert 1 <= line_of(text, path) <= text.count("\n")


def test_what_lies_deeper_than_any_pack_is_stepped_over() -> None:
    """Deep values end where they end."""
    text = "a = " + "[" * 60 + '"]"' + "]" * 60 + "\nb = " + "{ x = " * 60 + "1" + " }" * 60 + "\nc = 1\n"
    tomllib.loads(text)
    assert line_of(text, ("c",)) == 3
    assert line_of(text, ("b", *("x",) * 60)) == 2


def test_a_path_is_named_as_people_write_it() -> None:
    """Dots between keys, numbers from one in brackets."""
    assert place_name(("instrument", 3, "reach", 1, "rule")) == "instrument[3].reach[1].rule"
    assert place_name(()) == ""
