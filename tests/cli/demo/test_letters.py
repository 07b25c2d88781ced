"""The real letters that were typed in from their page images: they parse, fit the published dates, and reach little."""

import csv
import datetime as dt

import pytest

from dueprocess.cli.demo.letters import examples_folder
from dueprocess.demand import Demand
from dueprocess.demand.facts import parse_facts
from dueprocess.law import assess
from dueprocess.library.packs import shipped_packs

FOLDER = examples_folder() / "nsl"
TRANSCRIBED = sorted(each.name for each in (FOLDER / "transcribed").iterdir())
NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)


def read(name: str) -> Demand:
    text = (FOLDER / "transcribed" / name).read_text(encoding="utf-8")
    return parse_facts(text, received_at=NOW, nonce=bytes(32))[0]


@pytest.mark.parametrize("name", TRANSCRIBED)
def test_the_day_of_issue_is_the_published_one(name: str) -> None:
    """The day that stands on the scan is the one that the publisher wrote down."""
    with (FOLDER / "truth.csv").open(encoding="utf-8") as file:
        truth = {row["pdf"].removesuffix(".pdf"): row["issue date"] for row in csv.DictReader(file)}
    assert str(read(name).issued_on) == truth[name.removesuffix(".toml")]


@pytest.mark.parametrize("name", TRANSCRIBED)
def test_a_letter_reaches_name_and_length_of_service_and_no_more(name: str) -> None:
    """18 USC 2709(b): transactional records are cut where they are asked; nothing is producible unread."""
    found = assess(read(name), list(shipped_packs().values()), on=NOW.date())
    assert not found.producible
    for item in found.permitted:
        assert item is not None
        assert set(item.categories) <= {"subscriber.identity", "subscriber.service"}


def test_no_account_is_invented() -> None:
    """Every target says that it is blacked out."""
    for name in TRANSCRIBED:
        assert all("blacked out" in item.target.value for item in read(name).scope.items)
