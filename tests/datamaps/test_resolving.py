"""The package registry's own map: from a project to its owners, each of whom is then asked about alone."""

import pytest

from datamaps.reading import opened, plan_for, produced, resolved
from datamaps.test_warehouse import ASKED, NAMES, Registry, environment, registry
from datamaps.world import SEPTEMBER
from dueprocess.demand import Target, TargetKind
from dueprocess.errors import RefusedError
from dueprocess.library.datamaps import shipped_maps
from dueprocess.plan import parse_moment, question_only
from dueprocess.production.resolving import find_accounts

__all__ = ["environment", "registry"]


def found(environment: dict[str, str], kind: TargetKind, value: str) -> tuple[str, ...]:
    """The accounts behind a target, asked by the map under the role's rights alone."""
    datamap = shipped_maps()["warehouse"]
    plan = question_only(plan_for(datamap, value, SEPTEMBER, *ASKED, kind=kind))
    assert (plan.tables, plan.files) == ((), ())
    return find_accounts(plan, datamap, environment, "test")


def test_a_project_leads_to_its_owners_and_each_owner_to_an_answer_about_nobody_else(
    environment: dict[str, str], registry: Registry
) -> None:
    """By role and by organisation; no maintainer and no member. Each owner is a name that the account's route finds."""
    assert registry.due
    datamap = shipped_maps()["warehouse"]
    for project, owner in (("Example-Package", "eva-two"), ("held-package", "eva-three")):
        assert found(environment, "resource", project) == (owner,)
        plan = plan_for(datamap, owner, SEPTEMBER, *ASKED)
        with opened(datamap, environment) as stores:
            assert resolved(plan, stores) == owner
            rows = produced(plan, stores)
        assert "CANARY" not in repr(rows)
        assert [each for each in NAMES if each != owner and f"'{each}'" in repr(rows)] == []


def test_a_project_that_is_not_there_and_a_mail_address(environment: dict[str, str]) -> None:
    """Nobody; and one account in any case of its letters."""
    assert found(environment, "resource", "no-such-project") == ()
    assert found(environment, "email", "EVA-two@mail.example") == ("eva-two",)
    assert found(environment, "email", "nobody@mail.example") == ()


def test_the_other_way_round_has_no_form(environment: dict[str, str]) -> None:
    """Who downloaded a project, who uses an address, who is in an organisation: none of these is a question."""
    assert environment
    for kind, value in (
        ("all", "downloads of example-package"),
        ("room", "example-package"),
        ("ip_range", "x"),
    ):
        with pytest.raises(RefusedError, match="not for a named target"):
            Target(kind, value)  # type: ignore[arg-type]  # refused by name
    with pytest.raises(RefusedError):
        found(
            environment, "ip_at_time", "192.0.2.1 2026-09-01T10:00:00Z"
        )  # the map has no table of intervals
    assert parse_moment("192.0.2.1 2026-09-01T10:00:00Z").port is None
