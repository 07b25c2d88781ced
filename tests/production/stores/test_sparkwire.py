"""Connection strings of Spark, and what a plan's text may not be; without a cluster."""

from pathlib import Path

import pytest

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.production.stores import open_store
from dueprocess.production.stores.examine import Column, Said, Shape, Value
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.sparkplan import Place, refuse_plan
from dueprocess.production.stores.sparkwire import Address, address


def test_a_connection_string_names_server_catalog_and_database() -> None:
    """TLS but on this machine, Spark's own catalog where none is named, its usual port."""
    assert address("x", "spark://127.0.0.1:15902/lake") == Address(
        "127.0.0.1", 15902, "spark_catalog", "lake", tls=False
    )
    assert address("x", "spark://spark.example/prod.lake?token=t%26") == Address(
        "spark.example", 15002, "prod", "lake", "t&"
    )
    assert address("x", "spark://spark.example/lake?tls=off").tls is False
    assert address("x", "spark://localhost/lake?ca=/x.pem&token=t").authority == Path("/x.pem")


@pytest.mark.parametrize(
    "where",
    ["spark://", "spark://h", "spark:///lake", "spark://h:x/lake", "spark://h/lake?x=1", "spark://h/lake.",
     "spark://h/lake?token=t&tls=off", "spark://localhost/lake?token=t", "spark://h/.lake"],
)  # fmt: skip
def test_a_connection_string_that_is_none_or_not_safe_is_malformed(where: str) -> None:
    """A token never goes in the clear."""
    with pytest.raises(MalformedError):
        address("x", where)


def test_a_server_that_does_not_answer_keeps_its_secrets() -> None:
    """Unavailable at once, with what to do, and without the token."""
    for where in ("spark://127.0.0.1:1/lake", "spark://127.0.0.1:1/lake?token=CANARY&ca=/nowhere.pem"):
        with pytest.raises(UnavailableError) as caught:
            open_store("main", where)
        assert caught.value.do
        assert "CANARY" not in str(caught.value)


SHAPE = Shape(
    (("t0", "t"),),
    (Column("t0", "a"),),
    frozenset({Said("=", (Column("t0", "a"), Value(1)))}),
    order=(Column("t0", "a"),),
)
GOOD = """== Parsed Logical Plan ==
'Filter

== Analyzed Logical Plan ==
a: string
Sort [a#1 ASC NULLS FIRST], true
+- Project [a#1]
   +- Filter (a#1 = eva)
      +- SubqueryAlias t0
         +- SubqueryAlias spark_catalog.lake.t
            +- Relation spark_catalog.lake.t[a#1,b#2L] parquet

== Optimized Logical Plan ==
x
"""
PLACE = Place(
    "spark_catalog", "lake", lambda _: {"a": ColumnFacts("string", None, None), "b": ColumnFacts("bigint", None, None)},
    lambda _: False,
)  # fmt: skip
BAD = {
    "another value": GOOD.replace("= eva", "= dana"),
    "another column by number": GOOD.replace("Project [a#1]", "Project [a#2]"),
    "another table": GOOD.replace("lake.t[", "lake.u["),
    "another database": GOOD.replace("lake", "pond"),
    "another condition": GOOD.replace("(a#1 = eva)", "((a#1 = eva) OR (b#2L = 1))"),
    "a table more": GOOD.replace("+- Filter", "+- Join Inner\n      +- Filter"),
    "a conversion": GOOD.replace("(a#1 = eva)", "(cast(a#1 as bigint) = eva)"),
    "a distinct": GOOD.replace("+- Project", "+- Distinct\n   +- Project"),
    "a filter behind the table": GOOD.replace(
        "+- Relation", "+- Filter (b#2L = 1)\n               +- Relation"
    ),
    "two plans": GOOD + GOOD,
    "no plan": "",
}


def test_the_plan_that_is_meant_passes() -> None:
    """Whatever numbers Spark gives."""
    refuse_plan(GOOD, SHAPE, ["eva"], PLACE)
    refuse_plan(GOOD.replace("#1", "#71"), SHAPE, ["eva"], PLACE)


@pytest.mark.parametrize("fault", BAD)
def test_any_other_plan_is_refused(fault: str) -> None:
    """Nothing may stand beside what the plan calls for."""
    with pytest.raises(BrokenError):
        refuse_plan(BAD[fault], SHAPE, ["eva"], PLACE)


def test_a_value_that_looks_like_a_plan_hides_nothing() -> None:
    """A name with Spark's own headings in it is refused, whatever stands around it."""
    value = f"x{GOOD[GOOD.index(chr(10) + chr(10) + '== Analyzed') :]}"
    wrong = BAD["another table"].replace("'Filter", f"'Filter (a = {value})")
    with pytest.raises(BrokenError):
        refuse_plan(wrong, SHAPE, ["eva"], PLACE)
