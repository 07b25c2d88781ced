"""A table that a person collected is named as such in the statement and in CASE, with whoever did it and the files."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema

from dueprocess.parcel import SourceNote, statement_json
from parcel.accounts import ACCOUNT, STATEMENT

SCHEMA = Path(__file__).parents[2] / "specs" / "parcel" / "statement.schema.json"
AT = "2026-11-20T09:30:00Z"


def test_a_note_names_its_table_the_person_and_every_file() -> None:
    """In words for people; nobody is named who is not of the staff."""
    one = SourceNote("paper", "hand", AT, table="tickets", by="ana", files=("ab" * 32,))
    two = SourceNote("paper", "hand", AT, table="tickets", files=("ab" * 32, "cd" * 32))
    assert one.name == "paper.tickets"
    assert one.words == (
        f"collected by hand on {AT} by ana, because no program reads this source; SHA-256 of the file: {'ab' * 32}"
    )
    assert two.words.endswith(f"; SHA-256 of the files: {'ab' * 32}, {'cd' * 32}")
    assert " by " not in two.words.partition(AT)[2]
    assert SourceNote("paper", "hand", AT, table="tickets").words.startswith(
        f"answered by hand on {AT}, because"
    )
    assert SourceNote("hold-1", "hold", AT).name == "hold-1"


def test_the_statement_with_such_notes_fits_its_schema() -> None:
    """For programs: table, person and files stand there for what a person collected, and nowhere else."""
    notes = (
        SourceNote("paper", "hand", AT, table="tickets", by="ana", files=("ab" * 32,)),
        SourceNote("paper", "hand", AT, table="contracts"),
        SourceNote("hold-3f2a9c01", "hold", AT),
    )
    told = json.loads(statement_json(replace(ACCOUNT, statement=replace(STATEMENT, sources=notes))))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(told)
    assert [set(each) - {"store", "kind", "taken_at"} for each in told["sources"]] == [
        {"table", "by", "files"}, {"table", "by", "files"}, set(),
    ]  # fmt: skip
