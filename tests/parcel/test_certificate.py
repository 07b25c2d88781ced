"""The custodian's form: it says what the software knows, leaves the rest blank, and binds the files."""

import dataclasses
import datetime as dt
import hashlib

import pytest

from dueprocess.parcel import (
    Block,
    CertificateFacts,
    Entry,
    certificate_page,
    form_for,
    manifest,
    payload_sha256,
)
from dueprocess.parcel.certificate import CERTIFICATE, MOST_LISTED

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
FILES = (Entry("data/main/sessions.0001.jsonl", 3, "ab" * 32), Entry("data/index.html", 9, "cd" * 32))
FACTS = CertificateFacts(
    parcel_id="p-7f3k",
    operator="Example Host",
    authority="District of Example",
    order="order 1:26-mc-1",
    software="dueprocess 0.1.0",
    started_at=NOON,
    ended_at=NOON,
    entries=9,
    failed=0,
    files=FILES,
)


def words(facts: CertificateFacts = FACTS, country: str = "US") -> str:
    blocks = certificate_page(facts, form_for(country)).blocks
    return "\n".join(
        text for block in blocks for text in (block.text, *(each for row in block.rows for each in row))
    )


def kinds(country: str, kind: str) -> list[Block]:
    return [each for each in certificate_page(FACTS, form_for(country)).blocks if each.kind == kind]


def test_the_digest_is_that_of_the_manifest_without_the_certificates_line() -> None:
    """So that two usual programs can check a signed paper: grep and sha256sum."""
    later = Entry(CERTIFICATE, 5, "ef" * 32)
    lines = manifest([*FILES, later]).decode().splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.endswith(f" {CERTIFICATE}\n"))
    assert len(lines) == 3
    assert (
        payload_sha256([later, *FILES]) == FACTS.payload_sha256 == hashlib.sha256(kept.encode()).hexdigest()
    )
    assert words().count(FACTS.payload_sha256) == 2
    changed = dataclasses.replace(FILES[0], sha256="00" * 32)
    assert payload_sha256([changed, FILES[1]]) != FACTS.payload_sha256


@pytest.mark.parametrize(
    ("country", "form"), [("US", "us"), ("us", "us"), ("DE", "neutral"), ("", "neutral")]
)
def test_the_country_chooses_the_form(country: str, form: str) -> None:
    """Where no form is known, the neutral one."""
    assert form_for(country) == form


def test_the_american_form_has_the_rules_and_both_declarations() -> None:
    """902(11), (13) and (14), and the words of 28 USC 1746 for inside and outside of the United States."""
    said = words()
    for rule in ("902(11)", "902(13)", "902(14)", "1746(1)", "1746(2)"):
        assert rule in said
    assert "I declare under penalty of perjury that the foregoing is true and correct." in said
    assert (
        "under penalty of perjury under the laws of the United States of America that the foregoing" in said
    )
    assert "902" not in words(country="FR")
    assert "perjury" not in words(country="FR")


@pytest.mark.parametrize("country", ["US", "FR"])
def test_the_software_affirms_nothing_for_a_person(country: str) -> None:
    """What only a person knows is a box to tick or a line to fill, and the form says that it is unsigned."""
    assert (
        certificate_page(FACTS, form_for(country))
        .blocks[0]
        .text.startswith("This form was filled in by a program.")
    )
    assert len(kinds(country, "tick")) >= 4
    labels = [label for block in kinds(country, "blanks") for row in block.rows for label in row]
    assert {"Name", "Executed on (date)", "Signature"} <= set(labels)
    said = [block.text for block in certificate_page(FACTS, form_for(country)).blocks if block.kind == "item"]
    assert not [each for each in said if "regular" in each or each.startswith("I ")]


def test_a_failed_entry_stands_on_the_form() -> None:
    """A paper that is signed without it would claim more than there is."""
    assert "None failed." in words()
    said = words(dataclasses.replace(FACTS, failed=2))
    assert "Failed: 2" in said
    assert "does NOT mean that nothing is held" in said


def test_few_files_are_listed_and_many_are_not() -> None:
    """The digest stands for all of them either way."""
    assert "data/main/sessions.0001.jsonl" in words()
    many = tuple(Entry(f"data/f{at}", 1, "ab" * 32) for at in range(MOST_LISTED + 1))
    assert "data/f1" not in words(dataclasses.replace(FACTS, files=many))
    assert "51 files, 51 bytes" in words(dataclasses.replace(FACTS, files=many))
    assert "Annex" not in words(dataclasses.replace(FACTS, files=()))


def test_the_account_is_not_named() -> None:
    """A certificate is filed in public records: the facts have no place for an account."""
    assert "account" not in {field.name for field in dataclasses.fields(CertificateFacts)}
