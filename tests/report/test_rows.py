"""Register rows: class facts only, strict both ways."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.library.packs import shipped_packs
from dueprocess.report import RegisterRow, accounts_band, half_year, row_commitment

ROW = RegisterRow(
    period="2026H2",
    country="US",
    regime="us",
    instrument="d_order",
    basis="18 USC 2703(d)",
    authority_class="court",
    demand_kind="disclosure",
    emergency=False,
    categories=("subscriber", "session"),
    accounts_band="1",
    outcome="complied_in_part",
    narrowed=True,
    notice="told_before",
    challenged=False,
)


def test_a_row_survives_json_both_ways() -> None:
    """What is written is what is read, through real JSON text."""
    assert RegisterRow.from_json(json.loads(json.dumps(ROW.as_json()))) == ROW


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("period", "2026-11"),
        ("period", 2026),
        ("country", "us"),
        ("country", "@eva:example.org"),
        ("regime", "US"),
        ("instrument", "eva@chat.example"),
        ("basis", "eva@chat.example"),
        ("basis", "case 12345678"),
        ("basis", "https://court.example/1"),
        ("basis", ""),
        ("authority_class", "Court of Ana"),
        ("demand_kind", "realtime"),
        ("emergency", 1),
        ("narrowed", None),
        ("categories", ["session", "subscriber"]),
        ("categories", ["subscriber", "subscriber"]),
        ("categories", ["subscriber.identity"]),
        ("categories", "subscriber"),
        ("categories", [1]),
        ("accounts_band", "3"),
        ("accounts_band", 1),
        ("outcome", "other"),
        ("notice", "told"),
        ("v", 2),
        ("v", True),
    ],
)
def test_a_row_refuses_a_value_that_its_field_does_not_have(field: str, value: object) -> None:
    """No free text: an address, a name or a docket number fits into no field."""
    with pytest.raises(MalformedError):
        RegisterRow.from_json(ROW.as_json() | {field: value})


@pytest.mark.parametrize("value", [None, [], {}, "row", ROW.as_json() | {"name": "Eva"}])
def test_a_row_refuses_other_shapes(value: object) -> None:
    """Unknown and missing keys are errors."""
    with pytest.raises(MalformedError):
        RegisterRow.from_json(value)


def test_a_row_may_ask_for_no_data() -> None:
    """A removal asks for no category; its row says `none`."""
    assert dataclasses.replace(ROW, categories=(), demand_kind="removal").values()["categories"] == "none"


def test_a_statute_of_any_language_is_a_basis() -> None:
    """Citations of other countries fit: letters with accents, the section sign."""
    for basis in ("§ 100j StPO", "Regulation (EU) 2023/1543 Article 5", "Código Penal art. 3, nº 2"):
        assert dataclasses.replace(ROW, basis=basis).basis == basis


def test_every_shipped_instrument_fits_a_row() -> None:
    """A case can be closed whatever paper it began with: the basis of each instrument of each pack fits."""
    found = [each for pack in shipped_packs().values() for each in pack.instruments]
    assert len(found) > 40
    for each in found:
        label = each.rule.citation.label
        assert dataclasses.replace(ROW, basis=label, instrument=each.code).basis == label


@pytest.mark.parametrize(
    ("accounts", "band"),
    [(1, "1"), (2, "2-10"), (10, "2-10"), (11, "11-100"), (100, "11-100"), (101, ">100")],
)
def test_accounts_are_told_in_bands(accounts: int, band: str) -> None:
    """A row never holds an exact number of accounts above one."""
    assert accounts_band(accounts) == band


def test_a_demand_names_an_account() -> None:
    """There is no band for a demand that names nobody."""
    with pytest.raises(MalformedError):
        accounts_band(0)


def test_a_month_belongs_to_one_half_year() -> None:
    """June ends the first half, July begins the second."""
    assert [half_year(2026, 6), half_year(2026, 7)] == ["2026H1", "2026H2"]
    with pytest.raises(MalformedError):
        half_year(1926, 7)


@given(st.sampled_from(["country", "outcome", "basis", "categories"]))
@settings(max_examples=10, deadline=None)
def test_a_commitment_binds_every_field_and_the_salt(field: str) -> None:
    """Another row or another salt gives another commitment."""
    changed: dict[str, Any] = {
        "country": "SE",
        "outcome": "rejected",
        "basis": "18 USC 2703(b)",
        "categories": ("subscriber",),
    }
    first = row_commitment(ROW, bytes(32))
    assert first == row_commitment(ROW, bytes(32))
    assert first != row_commitment(dataclasses.replace(ROW, **{field: changed[field]}), bytes(32))
    assert first != row_commitment(ROW, b"\x01" * 32)


def test_a_salt_has_32_bytes() -> None:
    """A shorter salt could be guessed."""
    with pytest.raises(MalformedError):
        row_commitment(ROW, bytes(16))


@given(st.dictionaries(st.sampled_from([*ROW.as_json(), "x"]), st.none() | st.integers() | st.text()))
@settings(max_examples=100, deadline=None)
def test_parsing_a_row_raises_only_malformed(changes: dict[str, Any]) -> None:
    """No foreign value makes the parser fail in another way."""
    try:
        RegisterRow.from_json(ROW.as_json() | changes)
    except MalformedError:
        return
