"""The shipped table, computed a second time by plain set arithmetic that shares no code with the engine."""

import datetime as dt
import itertools
import tomllib
from collections.abc import Callable

import pytest

from dueprocess.demand import Demand
from dueprocess.law import Pack, assess

LEAVES = [
    "subscriber.identity", "subscriber.service", "subscriber.payment", "subscriber.number", "session.times",
    "traffic", "location", "content.messages", "content.files", "content.profile", "secrets",
]  # fmt: skip
ON = dt.date(2026, 11, 22)
ISSUER = {"subpoena": "agency", "d_order": "court", "warrant": "court", "nsl": "fbi_official"}
HAND_WRITTEN = {
    "subpoena": set(LEAVES[:5]),
    "d_order": set(LEAVES[:6]),
    "warrant": set(LEAVES[:10]),
    "nsl": {"subscriber.identity", "subscriber.service"},
    "preservation_letter": set(LEAVES[:10]),
    "emergency": set(LEAVES[:10]),
}
"""law.md 2.1 by hand: the third opinion."""


def _reached(text: str, code: str) -> set[str]:
    table = next(each for each in tomllib.loads(text)["instrument"] if each["code"] == code)
    names = {name for reach in table["reach"] for name in reach["categories"]}
    return {leaf for leaf in LEAVES for name in names if leaf == name or leaf.split(".")[0] == name}


@pytest.mark.parametrize("code", HAND_WRITTEN)
def test_the_file_says_what_the_statute_table_says(pack_text: str, code: str) -> None:
    """The categories in the TOML equal the table of law.md 2.1, written down here by hand."""
    assert _reached(pack_text, code) == HAND_WRITTEN[code]


@pytest.mark.parametrize("code", HAND_WRITTEN)
def test_the_engine_permits_exactly_the_set_in_the_file(
    sca: Pack, pack_text: str, eva: Callable[..., Demand], code: str
) -> None:
    """For each single category, each pair and all together: permitted = demanded ∩ reached."""
    kind = "preservation" if code == "preservation_letter" else "disclosure"
    reached = _reached(pack_text, code)
    asked = [*itertools.combinations(LEAVES, 1), *itertools.combinations(LEAVES, 2), tuple(LEAVES)]
    for names in asked:
        demand = eva(*names, instrument=code, kind=kind, issuer_kind=ISSUER.get(code, "police"))
        item = assess(demand, [sca], on=ON).permitted[0]
        assert set(item.categories if item else ()) == set(names) & reached, names


@pytest.mark.parametrize("code", HAND_WRITTEN)
def test_whatever_is_cut_is_cut_with_a_finding(sca: Pack, eva: Callable[..., Demand], code: str) -> None:
    """No category disappears in silence: the cut findings name exactly what is missing."""
    kind = "preservation" if code == "preservation_letter" else "disclosure"
    demand = eva(*LEAVES, instrument=code, kind=kind, issuer_kind=ISSUER.get(code, "police"))
    found = assess(demand, [sca], on=ON)
    told = {leaf for each in found.findings if each.kind == "cut" for leaf in each.categories}
    assert told == set(LEAVES) - HAND_WRITTEN[code]
    assert all(each.citation and each.do for each in found.findings if each.kind == "cut")
