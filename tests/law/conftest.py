"""The shipped pack, its text, and demands about Eva that a test can bend."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dueprocess.demand import Demand, Period, ReverseDemand, Scope, ScopeItem, Target, expand
from dueprocess.law import Pack, parse_pack
from dueprocess.law.parsing.packset import effective, parse_packs

PACK_FILE = Path(__file__).parents[2] / "rulepacks" / "us" / "sca.toml"
CASES_FILE = PACK_FILE.with_name("sca.cases.toml")
RECEIVED = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
ALL_ELEMENTS = frozenset(
    {"signature", "issuer", "date", "identifier", "legal_basis", "certification", "review_notice"}
)

SMALL_PACK = """
[pack]
id = "xx.small"
version = "1"
jurisdiction = "Nowhere"
title = "A small law"
status = "Not legal advice."
reviewed_by = "Counsel Fictional"
reviewed_on = 2026-01-02

[[source]]
key = "act"
short = "Act"
title = "The Act"
address = "https://law.example/act"
version = "2026"
read_on = 2026-01-01

[[source]]
key = "hearsay"
short = "Hearsay"
title = "What people say"
address = "nowhere"
version = "unknown"
not_read = "Nobody had it."

[[rule]]
id = "yes"
text = "It reaches this."
source = "act"
section = "1"
basis = "statute"
from = 2020-01-01
until = 2026-06-01

[[rule]]
id = "yes"
text = "It still reaches this."
source = "act"
section = "1a"
basis = "statute"
from = 2026-06-01
until = 2027-01-01

[[rule]]
id = "identify"
text = "To identify someone it reaches this too."
source = "act"
section = "2"
basis = "statute"
from = 2020-01-01

[[rule]]
id = "no"
text = "It does not reach this."
source = "act"
section = "(3)"
basis = "inference"
from = 2020-01-01

[[rule]]
id = "short-lived"
text = "It was so for a month."
source = "act"
section = "4"
basis = "statute"
from = 2020-01-01
until = 2020-02-01

[[clock]]
id = "xx.from-order"
starts = "nondisclosure_start"
days = 10
text = "Ten days."
source = "act"
section = "5"
basis = "statute"
from = 2020-01-01

[[clock]]
id = "xx.to-end"
starts = "nondisclosure_end"
text = "Its end."
source = "act"
section = "5"
basis = "statute"
from = 2020-01-01
until = 2026-12-01

[[nondisclosure]]
id = "hush"
names = ["Act 5"]
requires = "a reason"
end_clock = "xx.to-end"
review_clock = "xx.from-order"
text = "Say nothing."
source = "act"
section = "5"
basis = "statute"
from = 2020-01-01

[[instrument]]
code = "order"
name = "Order"
text = "An order."
source = "act"
section = "1"
basis = "statute"
from = 2020-01-01
until = 2026-12-01
demand_kind = "disclosure"
compulsion = "compulsory"
issuers = ["court"]
issuers_rule = "yes"
window_rule = "yes"
notice = { word = "required", rule = "yes" }
nondisclosure = ["hush"]
clocks = ["xx.from-order", "xx.to-end"]
report_cells = ["xx.order"]
reach = [
  { categories = ["subscriber"], rule = "yes" },
  { categories = ["traffic"], rule = "identify", purpose = "identify" },
]
never = [{ categories = ["session", "traffic", "location", "content", "secrets"], rules = ["no"] }]
"""


def small(text: str = SMALL_PACK) -> Pack:
    return parse_pack(text, "small.toml")


@pytest.fixture(scope="session")
def pack_text() -> str:
    """The text of the shipped pack us.sca."""
    return PACK_FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def cases_text() -> str:
    """The text of its worked cases."""
    return CASES_FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def sca(pack_text: str) -> Pack:
    """The shipped pack us.sca."""
    return parse_pack(pack_text, "sca.toml")


@pytest.fixture
def small_text() -> str:
    """The text of a small pack that a test can bend."""
    return SMALL_PACK


@pytest.fixture
def gapped_pack() -> Pack:
    """The small pack with an instrument that outlives its rules: no file may say so, the engine is safe anyway."""
    pack = small()
    order = pack.instruments[0]
    return replace(pack, instruments=(replace(order, rule=replace(order.rule, until=None)),))


@pytest.fixture
def eva() -> Callable[..., Demand]:
    """A demand about Eva's account: a complete subpoena for her name unless the test says otherwise."""

    def demand(*categories: str, **facts: Any) -> Demand:
        value: Any = facts.pop("value", "@eva:chat.example")
        kind: Any = facts.pop("target", "account")
        since = facts.pop("since", dt.datetime(2026, 9, 1, tzinfo=dt.UTC))
        until = facts.pop("until", dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
        names = categories or ("subscriber.identity",)
        purpose: Any = facts.pop("purpose", None)
        item = ScopeItem(Target(kind, value), expand(names), Period(since, until), purpose)
        base: dict[str, Any] = {
            "kind": "disclosure",
            "regime": "us",
            "instrument": "subpoena",
            "scope": Scope(bytes(32), (item,)),
            "received_at": RECEIVED,
            "issuer_kind": "court",
            "elements": ALL_ELEMENTS,
        }
        return Demand(**(base | facts))

    return demand


# ------------------------------------------------- a law of nowhere that uses every feature of the format

ENGINE = Path(__file__).parent / "data" / "engine"


def nowhere(*files: str) -> tuple[Pack, ...]:
    """These packs of the engine's tests, with overlays applied."""
    texts = [(name, (ENGINE / name).read_text(encoding="utf-8")) for name in files]
    return effective(parse_packs(texts))


@pytest.fixture(scope="session")
def plain_law() -> tuple[Pack, ...]:
    """The law of nowhere on its own."""
    return nowhere("law.toml")


@pytest.fixture(scope="session")
def full_law() -> tuple[Pack, ...]:
    """The law of nowhere over its floor."""
    return nowhere("law.toml", "floor.toml")


@pytest.fixture(scope="session")
def strict_law() -> tuple[Pack, ...]:
    """The law of nowhere, its floor and the rules of a house."""
    return nowhere("law.toml", "floor.toml", "overlay.toml")


@pytest.fixture
def order(eva: Callable[..., Demand]) -> Callable[..., Demand]:
    """A complete order under the law of nowhere unless the test says otherwise."""

    def demand(*categories: str, **facts: Any) -> Demand:
        base: dict[str, Any] = {
            "regime": "xx",
            "instrument": "order",
            "issuer_kind": "judge",
            "country": "XX",
            "elements": ALL_ELEMENTS | {"grounds", "translation", "stamp"},
            "answers": {"service": "mail", "serious": True, "notified": True},
            "flags_checked": True,
        }
        return eva(*categories, **(base | facts))

    return demand


@pytest.fixture
def survey() -> Callable[..., ReverseDemand]:
    """A paper that names nobody: a geofence under the law of nowhere unless the test says otherwise."""

    def demand(**facts: Any) -> ReverseDemand:
        base: dict[str, Any] = {
            "kind": "disclosure",
            "regime": "xx",
            "instrument": "survey",
            "received_at": RECEIVED,
            "issuer_kind": "judge",
            "asks": "geofence",
        }
        return ReverseDemand(**(base | facts))

    return demand


def lapse(packs: tuple[Pack, ...], *names: str) -> tuple[Pack, ...]:
    """The packs without these rules and clocks. No file may have such gaps; the engine is safe anyway."""
    return tuple(
        replace(
            pack,
            rules=tuple(each for each in pack.rules if each.id not in names),
            clocks=tuple(each for each in pack.clocks if each.id not in names),
        )
        for pack in packs
    )


@pytest.fixture(name="lapse")
def _lapse() -> Callable[..., tuple[Pack, ...]]:
    """How a test takes rules away."""
    return lapse
