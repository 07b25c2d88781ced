"""The subpoena of which PyPI told in public, on the map of a package registry: from its text to five parcels.

It asks about the people behind a package, and for the addresses of everybody who downloaded it. The first is found out
by two people and then decided for each owner alone; the second has no form, and the letter says why.

Source: "PyPI was subpoenaed", blog of PyPI, 24 May 2023. People, hosts and the package are fictional.
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from datamaps.conftest import database
from datamaps.headers import statements
from datamaps.test_warehouse import NAMES, OTHERS, Registry
from datamaps.world import connected_as, make_role
from desk.test_erasing import jump
from dueprocess.cases.invariants import broken_promises
from dueprocess.desk.desk import open_desk
from dueprocess.history.append import load_case
from dueprocess.history.docket import full_id
from journeys.arriving import arrived, completed, opened, todo, turn, typing
from journeys.counter import EXAMPLES, REFUSED, give_stores, here, says, whole
from journeys.typed import Said, called
from office import Office

__all__ = ["database"]
pytestmark = [pytest.mark.slow, pytest.mark.stage("brisk")]

SUBPOENA = """\
From: Clerk <clerk@court.example>
To: legal@registry.example
Subject: Subpoena

UNITED STATES DISTRICT COURT
SUBPOENA under 18 U.S.C. 2703(c)(2)
Date: October 1, 2026
In the matter of a grand jury investigation the registry is commanded to produce for each owner of the
package "example-package" from September 1, 2026 to September 30, 2026:
1. names (including subscriber names and user names),
2. addresses (including mailing, residential and e-mail addresses),
3. records of session times and durations, and connection records with IP addresses,
4. length of service and types of services utilised,
5. means and source of payment.
6. It is further commanded to produce the IP addresses of all users who downloaded the package.
/s/ Assistant United States Attorney Example
"""
PACKAGE = """\
[[target]]
kind = "resource"
value = "example-package"
categories = ["subscriber", "session.times", "traffic"]
from = 2026-09-01T00:00:00Z
until = 2026-10-01T00:00:00Z
"""
DOWNLOADERS = """
[[target]]
kind = "all"
value = "everybody who downloaded example-package"
categories = ["subscriber.number"]
"""
REFS = [f"t{number}" for number in range(2, 7)]


@pytest.fixture(scope="module")
def registry(database: str) -> str:
    """Seven people: five own the package, one maintains it, one does neither. Returns the role's address."""
    made = Registry(database)
    owners = {name.replace("-", "_"): "Owner" for name in NAMES}
    made.project("example-package", **owners, CANARY_boris="Maintainer")
    made.finish([make_role(database, "dueprocess"), *statements("warehouse")])
    return connected_as(database, "dueprocess")


@pytest.fixture
def at_registry(office: Office, registry: str) -> Office:
    """The office of the registry, in October: the shipped map in the place of the small one."""
    shipped = Path(__file__).resolve().parents[2] / "datamaps" / "warehouse.toml"
    (office.root / "datamaps" / "platform.toml").write_text(shipped.read_text())
    office.environment = {"WAREHOUSE_DSN": registry}
    office.desk = open_desk(office.root)
    give_stores(office)
    jump(office, dt.datetime(2026, 10, 2, 8, tzinfo=dt.UTC))
    return office


def the_reading(draft: str) -> str:
    """What Ana reads: the package by name, and of point six nothing that the program could act on."""
    head = draft.partition("# No account was found")[0]
    elements = '["date", "identifier", "issuer", "legal_basis", "signature"]'
    return completed(head + PACKAGE, elements=elements, flags_checked="true")


def test_the_five_account_subpoena_from_its_text_to_five_parcels(at_registry: Office, tmp_path: Path) -> None:
    """One question for two people, five decisions for two people each, five parcels; nobody else is in any of them."""
    office, told = at_registry, list[Said]()
    say = typing(office, told)
    paper = office.root.parent / "subpoena.eml"
    paper.write_text(SUBPOENA)
    assert "It asks for people nobody has named" in say("ana", "triage", paper).out
    case = arrived(say, paper, the_reading)
    for who, verb in (("boris", "narrow"), ("boris", "propose"), ("chi", "approve")):
        say(who, verb, case, "t1")
    office.wait(hours=12)
    assert turn(office) == [f"{case} t1: resolved"]
    assert todo(say, case) == [f"dueprocess narrow {case} {ref}" for ref in REFS]

    for ref in REFS:
        for who, verb in (("boris", "narrow"), ("boris", "propose"), ("chi", "approve")):
            say(who, verb, case, ref)
    office.wait(days=3)
    lines = turn(office)
    assert [line.rsplit(" ", 1)[0] for line in lines] == [f"{case} {ref}: produced" for ref in REFS]
    office.wait(hours=12)
    owners = set()
    for ref in REFS:
        parcel = tmp_path / f"{ref}.age"
        say("boris", "deliver", case, ref, "--to", parcel)
        owners.add(about_one(opened(parcel, office.officer)))
    assert owners == set(NAMES)
    office.wait(days=1)
    say("boris", "close", case)
    found = load_case(full_id(case))
    assert (found.outcome, found.accounts) == ("complied_in_part", 5)
    assert list(broken_promises(found.events)) == []
    text = repr([event.as_json() for event in found.events])
    assert [name for name in (*NAMES, *OTHERS) if name in text] == []
    whole(office)


def about_one(members: Mapping[str, bytes]) -> str:
    """The one owner whose records a parcel holds; no other person's name is in any of its files."""
    rows = [
        json.loads(line)
        for name, data in members.items()
        if "/data/main/users." in name and name.endswith(".jsonl")
        for line in data.splitlines()
    ]
    (name,) = {row["username"] for row in rows}
    everything = b"\n".join(members.values())
    strangers = [each for each in (*NAMES, *OTHERS) if each != name]
    assert [each for each in strangers if each.encode() in everything] == []
    assert b"CANARY" not in everything
    return str(name)


def test_the_request_for_everybody_who_downloaded_is_refused_in_writing(at_registry: Office) -> None:
    """As a target it cannot be typed in; as a paper that names nobody it is answered, and the letter says why."""
    office, told = at_registry, list[Said]()
    say = typing(office, told)
    paper = office.root.parent / "subpoena.eml"
    paper.write_text(SUBPOENA)
    case = json.loads(say("ana", "receive", paper, "--channel", "mail", "--json").out)["case"][:8]
    draft = say("ana", "read", case, "--suggest").out
    facts = office.root.parent / "facts.toml"
    facts.write_text(the_reading(draft) + DOWNLOADERS)
    refused = called("read", case, "--facts", facts, environment=here(office))
    says(refused, REFUSED, "all users who share a property")
    assert load_case(full_id(case)).read is None

    facts.write_text(
        completed(
            draft.partition("# No account was found")[0] + "[[target]]",
            instrument='"reverse_request"', reverse='"all"', flags_checked="true",
        ).replace("[[target]]", "")
    )  # fmt: skip
    more = EXAMPLES / "letters" / "refusal.toml"
    letter = say("ana", "letter", "--facts", facts, "--on", "2026-10-02", "refusal", "--more", more).out
    words = " ".join(letter.split())
    assert "We cannot comply with your request" in words
    assert "names nobody" in words
    assert "needs a warrant" in words
    assert "example-package" not in words
