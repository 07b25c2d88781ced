"""Nothing that was not authorised is in any package, and everything authorised is: random scopes on each engine.

The suite takes a sample; `make canary` runs 10,000 scopes on DuckDB and on SQLite, 500 on PostgreSQL, 50 on Spark.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from canary.expected import Asked, expected
from canary.platform_rows import EDGES
from canary.run import Platform, look, open_platform, produce, random_scope, run

SCOPES = {"sqlite": 60, "duckdb": 60, "parquet": 20, "postgresql": 20}


@pytest.fixture(params=SCOPES)
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """The synthetic platform on each engine in turn."""
    engine: str = request.param
    dsn = request.getfixturevalue("postgres_dsn") if engine == "postgresql" else ""
    found = open_platform(engine, tmp_path, dsn)
    yield found
    found.stores.close()


def test_random_scopes_give_exactly_what_they_authorise(platform: Platform) -> None:
    """No canary too many, no record too few, in packages that were sealed and opened again."""
    told = run(platform, SCOPES[platform.engine], seed=20261122, whole_every=3)
    assert told.wrong == []
    assert told.scopes == SCOPES[platform.engine]
    assert told.packages >= SCOPES[platform.engine] // 3
    assert told.records > 100


def test_the_comparison_sees_a_package_that_is_wider_or_narrower(tmp_path: Path) -> None:
    """A package for other categories, another window, account or purpose differs from what is expected."""
    platform = open_platform("sqlite", tmp_path)
    identity = pyrage.x25519.Identity.generate()
    asked = Asked("@eva:canary.example", frozenset({"traffic", "session.times"}), EDGES[0], EDGES[-1])
    wrong = (
        replace(asked, categories=asked.categories | {"content.profile"}),
        replace(asked, categories=frozenset({"traffic"})),
        replace(asked, name="@Eva:canary.example"),
        replace(asked, identify=True),
        replace(asked, until=EDGES[1]),
    )
    given = expected(asked, platform.tables, platform.by_owner)
    assert list(look(produce(platform, asked, identity), given)) == []
    assert all(list(look(produce(platform, each, identity), given)) for each in wrong)
    platform.stores.close()


def test_the_scopes_reach_every_table_and_lie_on_the_edges() -> None:
    """The dice ask about odd names, absent accounts, open windows and both purposes, and often for an edge itself."""
    dice = random.Random(5)
    asked = [random_scope(dice) for _ in range(2000)]
    assert {each.since for each in asked} >= set(EDGES[:-1])
    assert any(each.since is None for each in asked)
    assert {each.identify for each in asked} == {True, False}
    assert {"@eva:canary.example", "@Eva:canary.example", "@nobody:canary.example"} <= {
        each.name for each in asked
    }
