"""The reference that people write their maps by says what the reader does: each example is read."""

import re
from pathlib import Path
from typing import get_args

import pytest

from dueprocess.demand import AUTHORISABLE, KINDS
from dueprocess.plan import DataMap, Layout, Stamp, TimeUnit, parse_map
from dueprocess.plan.listing import FILE, FROM, LINES, TABLE
from dueprocess.plan.routes import TARGET

PAGE = (Path(__file__).parents[2] / "docs" / "datamap.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml (\w+)\n(.*?)```", PAGE, re.DOTALL)
MAP = next(text for kind, text in EXAMPLES if kind == "map")
STORES = (
    '[store.log]\nconnect = "lines:///var/log"\nmax_rows = 1000\n'
    '[store.media]\nconnect = "file:///srv/forum/uploads"\n'
)


def whole(kind: str, text: str) -> DataMap:
    """The smallest map with one example laid into it."""
    stores = STORES if kind != "store" else ""
    return parse_map({"map": text, "store": MAP + text}.get(kind, MAP + stores + text), "docs/datamap.md")


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_each_example_is_read(kind: str, text: str) -> None:
    """What stands on the page can be copied."""
    datamap = whole(kind, text)
    added = {
        "map": len(datamap.tables), "store": len(datamap.stores) - 1, "target": len(datamap.targets) - 1,
        "table": len(datamap.tables) - 1, "file": len(datamap.files), "lines": len(datamap.lines),
    }  # fmt: skip
    assert added[kind] == 1


def test_all_examples_together_are_one_map() -> None:
    """They do not contradict each other: a whole service could say all of it."""
    parts = [text for kind, text in EXAMPLES if kind not in {"map", "store"}]
    datamap = parse_map(MAP + STORES + "".join(parts), "docs/datamap.md")
    assert len(datamap.targets) == 4
    assert len(datamap.tables) == 5


def test_every_key_and_word_stands_on_the_page() -> None:
    """Whoever looks for a key finds it, with what it may be."""
    keys = {key for place in (TARGET, TABLE, FILE, LINES, FROM) for part in place for key in part}
    words = {*KINDS, *AUTHORISABLE, *get_args(TimeUnit), *get_args(Layout), *get_args(Stamp)}
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"[\w.]+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert (keys | words) - named == set()
