"""Five families of error, by who must act; each says what, why, what to do and the source."""

import pytest

from dueprocess.errors import (
    EXIT_CODES,
    HTTP_STATUS,
    BrokenError,
    ConflictError,
    DueprocessError,
    MalformedError,
    RefusedError,
    UnavailableError,
)

FAMILIES = (RefusedError, MalformedError, ConflictError, UnavailableError, BrokenError)


def test_an_error_says_what_why_what_to_do_and_its_source_in_that_order() -> None:
    """One line each, as a hurried person reads them."""
    error = RefusedError("self-approval", "No.", why="One person.", do="Ask Chi.", source="formats.md")
    assert str(error).splitlines() == [
        "No.",
        "Why: One person.",
        "What to do: Ask Chi.",
        "Source: formats.md",
    ]
    assert error.args == ("No.",)


def test_what_is_not_known_is_left_out() -> None:
    """An error without reasons is one sentence, with no empty labels."""
    assert str(BrokenError("x", "It broke.")) == "It broke."


@pytest.mark.parametrize("kind", FAMILIES)
def test_each_family_has_its_name_exit_code_and_status(kind: type[DueprocessError]) -> None:
    """A program can tell the families apart by JSON, by exit code and over HTTP."""
    told = kind("a-code", "What.", why="w", do="d", source="s").as_json()
    assert told == {
        "family": kind.family, "code": "a-code", "what": "What.", "why": "w", "do": "d", "source": "s",
    }  # fmt: skip
    assert kind.__name__.lower() == kind.family + "error"
    assert EXIT_CODES[kind] > 2
    assert 400 <= HTTP_STATUS[kind] < 600


def test_no_two_families_look_alike_from_outside() -> None:
    """Exit codes differ, none is taken by success, a bug, a usage error or an interruption."""
    assert set(EXIT_CODES) == set(HTTP_STATUS) == set(DueprocessError.__subclasses__()) == set(FAMILIES)
    assert len(set(EXIT_CODES.values())) == len(FAMILIES) == len(set(HTTP_STATUS.values()))
    assert not set(EXIT_CODES.values()) & {0, 1, 2, 130}
