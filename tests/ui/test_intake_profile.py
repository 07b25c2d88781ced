"""The intake profile: exact bytes, a schema that is exact on every level, and no place for a person."""

import copy
import dataclasses
import datetime as dt
import functools
import json
import operator
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dueprocess.law import Pack
from dueprocess.ui import WELL_KNOWN, intake_profile, profile_bytes, render_public_site
from dueprocess.wire import canonical
from ui.harbour import ALL, LOG, OF_HARBOUR, TODAY, both, facts, harbour

SPEC = pathlib.Path(__file__).parents[2] / "specs" / "intake"
SCHEMA = json.loads((SPEC / "intake.schema.json").read_bytes())
type Place = tuple[str | int, ...]
VALID = Draft202012Validator(SCHEMA)


def test_the_example_of_the_specification_is_what_the_program_writes() -> None:
    """specs/intake/example.json is the profile of the fictional law, byte for byte, and fits the schema."""
    written = render_public_site(facts(harbour()))[WELL_KNOWN]
    assert (SPEC / "example.json").read_bytes() == written
    assert [each.message for each in VALID.iter_errors(json.loads(written))] == []


@pytest.mark.parametrize("packs", [ALL, (), OF_HARBOUR], ids=["shipped", "none", "harbour"])
def test_every_profile_fits_the_schema(packs: tuple[Pack, ...]) -> None:
    """All shipped packs, no pack, and a fictional one."""
    profile = json.loads(render_public_site(facts(packs))[WELL_KNOWN])
    assert [each.message for each in VALID.iter_errors(profile)] == []


def levels(value: Any, way: Place = ()) -> Iterator[Place]:
    """The way to every object; of each list only the first item, the others are like it."""
    if isinstance(value, dict):
        yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for step, below in inner:
        if isinstance(below, dict | list):
            yield from levels(below, (*way, step))


def at(document: Any, way: Place) -> Any:
    return functools.reduce(operator.getitem, way, document)


def test_a_profile_with_a_member_more_or_less_does_not_fit() -> None:
    """The schema is exact on every level."""
    example = json.loads((SPEC / "example.json").read_bytes())

    seen = 0
    for way in levels(example):
        more, less = copy.deepcopy(example), copy.deepcopy(example)
        at(more, way)["officer"] = "a name"
        at(less, way).popitem()
        assert not VALID.is_valid(more), way
        assert not VALID.is_valid(less), way
        seen += 1
    assert seen > 20


def test_the_profile_has_no_place_for_a_person() -> None:
    """No member of the profile could name an account, an officer, a case or a day of a request."""
    names = {each for part in [SCHEMA, *SCHEMA["$defs"].values()] for each in part.get("properties", {})}
    assert names.isdisjoint(
        {"account", "target", "subject", "user", "officer", "person", "case", "received_at"}
    )


def test_the_profile_is_canonical_and_the_same_whatever_the_order_of_packs() -> None:
    """Bytes depend on the facts and the packs alone, and hold no day of making."""
    made = render_public_site(facts(ALL))[WELL_KNOWN]
    assert made == canonical(json.loads(made))
    assert made == profile_bytes(intake_profile(facts(tuple(reversed(ALL)))))
    assert made == profile_bytes(intake_profile(facts(ALL, on=TODAY + dt.timedelta(days=1))))


def test_places_lead_from_the_profile_to_the_site() -> None:
    """Relative to its own address; an address elsewhere stays as it is; none before the first checkpoint."""
    assert both(OF_HARBOUR)[1]["places"] == {
        "page": "../serve.html",
        "log": "../log/",
        "policy": "../policy.txt",
        "reports": "../reports.html",
    }
    far = dataclasses.replace(LOG, address="https://log.chat.example/")
    assert both((), log=far)[1]["places"]["log"] == "https://log.chat.example/"
    none = both((), log=None)[1]["places"]
    assert none["log"] is None
    assert none["policy"] == "../policy.txt"
