"""The draft of a facts file: what the packs in force make of a paper's own words."""

import datetime as dt

import pytest

from dueprocess.cli.draft import as_toml
from dueprocess.library.packs import shipped_packs

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("instrument", "kind"),
    [
        ("preservation_letter", "preservation"),
        ("epoc_pr", "preservation"),
        ("tco_removal", "removal"),
        ("d_order", "disclosure"),
        ("a_word_that_no_pack_knows", "disclosure"),
        (None, "disclosure"),
    ],
)
def test_a_draft_has_the_kind_that_such_a_paper_has(instrument: str | None, kind: str) -> None:
    """A letter to preserve is not drafted as a disclosure, which would end it as something nobody can produce."""
    draft = {"instrument": instrument, "targets": [{"kind": "account", "value": "@eva:chat.example"}]}
    assert f'kind = "{kind}"' in as_toml(draft, list(shipped_packs().values()), NOW).splitlines()
