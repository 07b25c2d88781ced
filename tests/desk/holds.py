"""What a test of holds does in an office: a letter to preserve, its steps, the worker's turn, and what can be seen."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dueprocess.cases.holdstate import HoldState
from dueprocess.demand import Period, Scope, ScopeItem, Target, expand
from dueprocess.desk import decisions, demands, holding, keeping
from dueprocess.desk.holding import Given
from dueprocess.history.append import load_case
from dueprocess.production.heldsources import HeldSource
from office import EVA, START, Office

EVERYTHING = ("subscriber", "session", "traffic", "content")


def letter(
    office: Office,
    *,
    verified: bool = True,
    account: str = EVA,
    categories: tuple[str, ...] = EVERYTHING,
    since: dt.datetime = START - dt.timedelta(days=20, hours=1),
    until: dt.datetime = START,
    **changes: Any,
) -> str:
    """A preservation letter about one account: received, read, assessed and narrowed."""
    case_id = office.receive()
    if verified:
        office.verify(case_id)
    item = ScopeItem(Target("account", account), expand(categories), Period(since, until))
    facts: dict[str, Any] = {
        "kind": "preservation", "instrument": "preservation_letter", "issuer_kind": "police",
        "elements": frozenset({"issuer", "date", "identifier"}), "legal_bases": (),
        "scope": Scope(bytes(32), (item,)),
    }  # fmt: skip
    demand = office.demand(**{**facts, **changes})
    demands.read(office.desk, case_id, demand, country="US", actor="ana", now=office.now)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    return case_id


def by(office: Office, who: str, role: str = "reviewer") -> Given:
    return Given(office.people[who], role)


def begin(office: Office, case_id: str, who: str = "boris", *, in_place: bool = False) -> None:
    holding.begin(office.desk, case_id, "t1", by(office, who), now=office.now, in_place=in_place)


def confirm(office: Office, case_id: str, who: str = "chi") -> None:
    holding.confirm(office.desk, case_id, "t1", by(office, who), now=office.now)


def keep(office: Office) -> list[str]:
    """One turn of the production worker about holds."""
    return keeping.keep(office.desk, office.environment, lambda: office.now)


def hold_of(case_id: str) -> HoldState:
    found = load_case(case_id).target("t1").hold
    assert found is not None
    return found


def held(office: Office, **changes: Any) -> str:
    """A hold that was begun, taken and confirmed."""
    case_id = letter(office, **changes)
    begin(office, case_id)
    keep(office)
    confirm(office, case_id)
    return case_id


def disclosure(office: Office, *, approve: bool = True, **choice: Any) -> str:
    """A disclosure about the same account, proposed by Boris and approved by Chi, sealed in the log."""
    case_id = office.assessed_case()
    demands.narrow(office.desk, case_id, "t1", demands.Choice(**choice), actor="boris", now=office.now)
    decisions.propose(office.desk, case_id, "t1", office.people["boris"], role="reviewer", now=office.now)
    if approve:
        decisions.approve(office.desk, case_id, "t1", office.people["chi"], role="reviewer", now=office.now)
    office.wait(hours=12)
    return case_id


def sources(office: Office, case_id: str) -> list[HeldSource]:
    """What the production of an approved case reads of holds."""
    case = load_case(case_id)
    _, plan = demands.authorised(office.desk, case, "t1")
    return holding.sources(office.desk, case, "t1", plan)


def read(office: Office, case_id: str, subject: str | None = EVA) -> dict[str, list[dict[str, Any]]]:
    """Every record that comes out of holds for an approved case, by table."""
    return {
        f"{each.store}/{each.query.label}": [
            row for batch in each.batches(subject) for row in batch.rows.to_pylist()
        ]
        for each in sources(office, case_id)
    }


@contextmanager
def platform(office: Office) -> Iterator[sqlite3.Connection]:
    """The fictional platform's database, open for changes that stay."""
    store = sqlite3.connect(office.environment["PLATFORM_DSN"].removeprefix("sqlite:///"))
    try:
        yield store
        store.commit()
    finally:
        store.close()


def files_with(folder: Path, words: bytes) -> Iterator[Path]:
    """The files below a folder that hold these bytes in the clear."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "platform.db" and words in path.read_bytes():
            yield path
