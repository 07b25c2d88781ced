"""`dueprocess packs`, `assess`, `next` and the draft of a reading, as a person types them."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desk.own_pack import COMPLETE, OWN, STRICT, VERSION, sca, written
from dueprocess.cli import packs as commands
from dueprocess.cli import packs_decide
from dueprocess.cli.assess import assess_command
from dueprocess.cli.init import init_command
from dueprocess.cli.next import next_command
from dueprocess.cli.place import Place
from dueprocess.cli.read import read_command
from dueprocess.cli.show import show_command
from dueprocess.demand.facts import parse_facts
from dueprocess.desk import assessments, demands
from dueprocess.errors import DueprocessError
from office import EVA, Office

type Out = pytest.CaptureFixture[str]

FACTS = f"""
kind = "disclosure"
regime = "us"
instrument = "d_order"
country = "US"
issuer_kind = "judge"
issued_on = 2026-08-31
legal_bases = ["18 USC 2703(d)"]
identifies = false
elements = ["signature", "issuer", "date", "identifier", "reasonable_grounds"]
[[target]]
kind = "account"
value = "{EVA}"
categories = ["subscriber", "session", "content"]
from = 2026-08-01T00:00:00Z
until = 2026-08-31T00:00:00Z
"""
EXLAND = f"""
kind = "disclosure"
regime = "xx"
instrument = "order"
country = "XX"
issuer_kind = "court"
elements = {json.dumps(sorted(COMPLETE))}
[[target]]
kind = "account"
value = "{EVA}"
categories = ["subscriber", "session"]
"""
REVERSE = """
kind = "disclosure"
regime = "us"
instrument = "geofence_warrant"
country = "US"
reverse = "geofence"
"""


@pytest.fixture
def place(office: Office) -> Place:
    return Place(office.root)


def keys(office: Office) -> list[Path]:
    return [office.root.parent / "people" / f"{name}.json" for name in ("boris", "chi")]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def said(capsys: Out, act: Callable[[], object]) -> str:
    """What a command printed."""
    capsys.readouterr()
    act()
    return capsys.readouterr().out


# ------------------------------------------------------------------------------------------- packs


@pytest.mark.usefixtures("office")
def test_list_tells_what_is_in_force_and_what_is_shipped(office: Office, capsys: Out) -> None:
    """First what needs a person, then what applies here since when, then what the program brings."""
    told = said(capsys, lambda: commands.list_command(install=office.root))
    first, here, shipped = (
        told.index("No counsel has reviewed"),
        told.index("In force"),
        told.index("Shipped"),
    )
    assert first < here < shipped
    assert "  us.sca 2026.11.22  since 2026-09-01, not reviewed by counsel" in told
    assert "de.bund" not in told[:shipped]
    assert "de.bund" in told[shipped:]
    found = json.loads(said(capsys, lambda: commands.list_command(install=office.root, json=True)))
    assert [each["id"] for each in found["active"]] == ["baseline", "us.reverse", "us.sca"]
    assert found["warnings"]
    assert {"us.sca", "eu.evidence"} <= {each["id"] for each in found["shipped"]}


def test_list_needs_no_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    """Anywhere, it lists what is shipped, and says nothing about what is in force."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DUEPROCESS_INSTALL", raising=False)
    told = said(capsys, commands.list_command)
    assert told.startswith("Shipped with this program\nbaseline ")
    assert json.loads(said(capsys, lambda: commands.list_command(json=True)))["active"] is None
    assert code_of(lambda: commands.explain_command("active:us.sca", "subpoena")) == "no-installation"
    assert code_of(lambda: commands.explain_command("us.none", "subpoena")) == "no-such-pack"


def test_activation_says_first_what_changes_and_whom_it_touches(
    office: Office, place: Place, tmp_path: Path, capsys: Out
) -> None:
    """Against the pack that it replaces, what widens first, with the open cases; then that it is in force."""
    case_id = office.assessed_case()
    changes = (VERSION, 'version = "2026.12.01"'), ('issuers = ["court", "judge"]', 'issuers = ["judge"]')
    file = str(written(tmp_path, sca(*changes), "sca.toml"))
    compared = said(capsys, lambda: commands.diff_command("us.sca", file, install=office.root))
    assert compared.startswith("us.sca 2026.11.22 → us.sca 2026.12.01 (not reviewed by counsel)\n")
    told = said(capsys, lambda: packs_decide.activate_command(file, signer=keys(office), place=place))
    assert told.startswith(compared.rstrip())
    assert "Other changes" in told
    touched = told.partition("Open cases that this touches")[2]
    assert f"{case_id[:8]}  d_order: 1 of these changes; dueprocess assess {case_id[:8]}" in touched
    assert told.rstrip().endswith("2026.12.01 is in force since 2026-09-03T08:00:00Z: boris and chi signed.")
    back = json.loads(
        said(capsys, lambda: commands.diff_command(file, "shipped:us.sca", install=office.root, json=True))
    )
    assert (back["from"]["version"], back["to"]["version"]) == ("2026.12.01", "2026.11.22")
    assert any(each["widens"] for each in back["changes"])
    wider = said(
        capsys, lambda: commands.diff_command("active:us.sca", "shipped:us.sca", install=office.root)
    )
    assert wider.index("WIDER: look at these first") < wider.index("Other changes")


def test_a_new_pack_is_introduced_and_a_retired_one_is_named(
    office: Office, place: Place, tmp_path: Path, capsys: Out
) -> None:
    """A file, a shipped id; what ends says which open cases lose their law."""
    own = str(written(tmp_path, OWN))
    told = said(capsys, lambda: packs_decide.activate_command(own, signer=keys(office), place=place))
    assert told.startswith("xx.own 2026.11.22 is new here (not reviewed by counsel). It knows: order.")
    strict = str(written(tmp_path, STRICT, "strict.toml"))
    machine = Place(office.root, json=True)
    found = json.loads(
        said(capsys, lambda: packs_decide.activate_command(strict, signer=keys(office), place=machine))
    )
    assert (found["id"], found["version"]) == ("xx.strict", "2026.11.22")
    listed = said(capsys, lambda: commands.list_command(install=office.root))
    assert (
        "xx.strict 2026.11.22  since 2026-09-03, not reviewed by counsel, makes another pack stricter"
        in listed
    )
    page = said(capsys, lambda: commands.explain_command("xx.own", "order", install=office.root))
    assert "We do not hand out payment data." in page, "the page of what applies here, house rules in it"
    case_id = office.assessed_case()
    packs_decide.activate_command("de.bund", signer=keys(office), place=place)
    told = said(capsys, lambda: packs_decide.retire_command("us.sca", signer=keys(office), place=place))
    assert "us.sca 2026.11.22 is no longer in force. There is no default law." in told
    assert f"{case_id[:8]}  d_order: look at it again" in told
    assert (
        code_of(lambda: packs_decide.retire_command("us.sca", signer=keys(office), place=place))
        == "pack-not-active"
    )


def test_packs_that_say_the_same_say_so(office: Office, tmp_path: Path, capsys: Out) -> None:
    """Comments and spaces are no change."""
    file = str(written(tmp_path, "# read by Ana\n" + sca(), "mine.toml"))
    told = said(capsys, lambda: commands.diff_command("us.sca", file, install=office.root))
    assert told.splitlines()[1:] == ["They say the same."]


def test_init_puts_several_regimes_in_force(tmp_path: Path, capsys: Out) -> None:
    """`--regime` may be given several times; one that nobody ships is refused before anything is written."""
    facts: dict[str, Any] = {
        "origin": "chat.example/dueprocess/1", "operator": "Chat Example", "contact": "legal@chat.example",
        "country": "US", "founder": ["boris", "chi"],
    }  # fmt: skip
    assert (
        code_of(lambda: init_command(tmp_path / "no", regime=["us", "atlantis"], **facts)) == "no-such-regime"
    )
    assert not (tmp_path / "no").exists()
    told = said(capsys, lambda: init_command(tmp_path / "d", regime=["us", "br", "us"], **facts))
    assert "In force by the founders' word: baseline, br.marco_civil, us.reverse, us.sca." in told
    assert "regime" not in (tmp_path / "d" / "dueprocess.toml").read_text()


def test_settings_of_the_first_release_are_still_read(office: Office) -> None:
    """Their `regime` means nothing any more and stops nothing; another unknown setting does."""
    settings = office.root / "dueprocess.toml"
    text = settings.read_text()
    settings.write_text(text.replace("version = 1\n", 'version = 1\nregime = "us"\n'))
    assert Place(office.root).open()[0].packs
    settings.write_text(text.replace("version = 1\n", 'version = 1\nlaw = "us"\n'))
    assert code_of(Place(office.root).open) == "bad-settings"


# ------------------------------------------------------------------------------------------- assess


def test_the_answer_is_short_and_the_chain_is_long(office: Office, place: Place, capsys: Out) -> None:
    """Outcome, reach, what is cut, what to do next; `--explain` prints every rule with its source."""
    case_id = office.assessed_case()
    short = said(capsys, lambda: assess_command(case_id[:8], place=place))
    lines = short.splitlines()
    assert lines[0] == "Permit subset. It may be proposed to two people, as far as it is within reach."
    assert lines[1].startswith("  t1: within reach are subscriber.identity, ")
    assert "Cut (t1): Content needs a warrant" in short
    assert "Telling the user: allowed before production." in short
    assert "us.sca 2026.11.22 (not reviewed by counsel)" in lines[-2]
    assert lines[-1] == f"Next: dueprocess narrow {case_id[:8]} t1"
    chain = said(capsys, lambda: assess_command(case_id[:8], explain=True, place=place))
    assert chain.startswith("Assessed on 2026-09-03 (UTC).\nRules: us.sca ")
    assert len(chain) > 2 * len(short)
    value = json.loads(said(capsys, lambda: assess_command(case_id[:8], place=Place(office.root, json=True))))
    assert value == assessments.assessed(office.desk, office_case(case_id)).as_json()
    shown = said(capsys, lambda: show_command(case_id[:8], place=place))
    assert "  by us.sca 2026.11.22, baseline 2026.11.22, on 2026-09-03" in shown


def office_case(case_id: str) -> Any:
    from dueprocess.history.append import load_case

    return load_case(case_id)


def test_facts_are_assessed_without_a_case_by_the_shipped_packs(tmp_path: Path, capsys: Out) -> None:
    """No installation, nothing stored; a day is asked for, and a time of arrival may be given."""
    facts = tmp_path / "facts.toml"
    facts.write_text(FACTS)
    told = said(capsys, lambda: assess_command(facts=facts, on="2026-09-01"))
    assert told.startswith("Permit subset.")
    assert "Next: " not in told
    assert "Nobody has said that the list of things to look out for was gone through" in told
    assert code_of(lambda: assess_command(facts=facts)) == "no-day"
    assert code_of(lambda: assess_command(facts=facts, on="soon")) == "bad-day"
    assert code_of(assess_command) == "no-case"


def test_a_paper_that_names_nobody_is_assessed_and_never_read_in(
    office: Office, place: Place, tmp_path: Path, capsys: Out
) -> None:
    """It is told what to answer; nothing can be produced, and a case takes no such reading."""
    facts = tmp_path / "reverse.toml"
    facts.write_text(REVERSE)
    told = said(capsys, lambda: assess_command(facts=facts, on="2026-09-01"))
    assert "Nothing can be produced." in told.splitlines()[0]
    assert "It asks for an area (geofence) and names nobody" in told
    assert "Not known yet: " in told
    value = json.loads(
        said(capsys, lambda: assess_command(facts=facts, on="2026-09-01", place=Place(json=True)))
    )
    assert (value["permitted"], value["producible"], value["v"]) == ([], False, 2)
    case_id = office.receive()
    assert code_of(lambda: read_command(case_id[:8], facts=facts, place=place)) == "reverse-demand"


def test_ones_own_packs_are_tried_on_facts(tmp_path: Path, capsys: Out) -> None:
    """`--packs FILE`: instead of the shipped law, with the shipped floor; clocks in the law's own zone."""
    facts = tmp_path / "facts.toml"
    facts.write_text(EXLAND)
    files = [written(tmp_path, OWN)]
    arrived = "2026-09-03T16:02:00Z"
    told = said(capsys, lambda: assess_command(facts=facts, on="2026-09-03", received=arrived, packs=files))
    assert "Not known yet: Does the paper name a serious offence? (answers.serious)" in told
    assert "Clock xx.answer: due before Fri 2026-09-18 00:00 Europe/Berlin (2026-09-17T22:00:00Z)" in told
    late = said(capsys, lambda: assess_command(facts=facts, on="2026-10-03", received=arrived, packs=files))
    assert "Passed: The clock xx.answer has run out" in late
    files.append(written(tmp_path, STRICT, "strict.toml"))
    stricter = said(capsys, lambda: assess_command(facts=facts, on="2026-09-03", packs=files))
    assert "We do not hand out payment data." in stricter
    assert "xx.strict 2026.11.22 (not reviewed by counsel)" in stricter
    assert said(capsys, lambda: assess_command(facts=facts, on="2026-09-03")).startswith(
        "Escalate to counsel."
    )


# ------------------------------------------------------------------------------------------- next, read


def test_next_says_first_what_is_wrong_with_the_rules(
    office: Office, place: Place, tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then each case: packs that changed under it, and due dates that come out otherwise today."""
    told = said(capsys, lambda: next_command(place=place))
    assert told.startswith("Rules: No counsel has reviewed: baseline, us.reverse, us.sca.\n")
    assert told.rstrip().endswith("Nothing needs you now.")
    machine = Place(office.root, json=True)
    assert json.loads(said(capsys, lambda: next_command(place=machine)))["todo"] == []
    packs_decide.activate_command(str(written(tmp_path, OWN)), signer=keys(office), place=place)
    case_id = read_in(office, EXLAND)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    short = case_id[:8]
    from desk.test_packs import other_table

    with monkeypatch.context() as newer:
        newer.setattr(assessments, "calendar", other_table)
        (moved,) = [line for line in todo(capsys, machine) if "another due date" in line]
    assert moved.startswith(f"{short}  another due date: xx.answer is now due before 2026-09-18T22:00:00Z.")
    assert moved.endswith(f"dueprocess assess {short}")
    changed = OWN.replace("An order reaches this.", "An order reaches that.")
    packs_decide.activate_command(str(written(tmp_path, changed)), signer=keys(office), place=place)
    (line,) = [line for line in todo(capsys, machine) if "another answer" in line]
    assert line.endswith(f"dueprocess assess {short}")
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    assert todo(capsys, machine) == [f"{short}  dueprocess narrow {short} t1"]


def todo(capsys: Out, machine: Place) -> list[str]:
    found: list[str] = json.loads(said(capsys, lambda: next_command(place=machine)))["todo"]
    return found


def read_in(office: Office, facts: str) -> str:
    """A case with this reading, its requester verified."""
    case_id = office.receive()
    office.verify(case_id)
    demand, country = parse_facts(facts, received_at=office.now, nonce=bytes(32))
    demands.read(office.desk, case_id, demand, country=country, actor="ana", now=office.now)
    return case_id


ORDER = """UNITED STATES DISTRICT COURT
ORDER under 18 U.S.C. 2703(d)
Date: August 31, 2026
The court orders the disclosure of subscriber information about the account @eva:chat.example.
/s/ Judge Example
"""


def test_the_draft_asks_what_the_rules_ask(office: Office, place: Place, tmp_path: Path, capsys: Out) -> None:
    """Questions of the paper's law as commented answers, the flags in plain words, and whose law is in force."""
    case_id = office.receive(ORDER)
    draft = said(capsys, lambda: read_command(case_id[:8], suggest=True, place=place))
    assert 'regime = "us"' in draft
    assert "In force here: us\n" in draft
    assert 'country = "US"' in draft
    assert '#   "press": Does the paper, or what you know without looking into the account' in draft
    assert "flags = []\n# flags_checked = true" in draft
    demand, _ = parse_facts(draft, received_at=office.now, nonce=bytes(32))
    assert (demand.flags, demand.flags_checked) == (frozenset(), None)
    answered = draft.replace("# flags_checked", "flags_checked")
    assert parse_facts(answered, received_at=office.now, nonce=bytes(32))[0].flags_checked is True
    packs_decide.activate_command(str(written(tmp_path, with_d_order())), signer=keys(office), place=place)
    both = said(capsys, lambda: read_command(case_id[:8], suggest=True, place=place))
    assert 'regime = "UNKNOWN"' in both, "two laws know such a paper: a person says which"
    assert "# Does the paper name a serious offence?\n# answers.serious = true | false\n" in both
    value = json.loads(
        said(capsys, lambda: read_command(case_id[:8], suggest=True, place=Place(office.root, json=True)))
    )
    assert "serious" in [each["id"] for each in value["questions"]]
    assert "press" in [each["id"] for each in value["flags"]]
    opened = both.replace("# answers.serious = true | false", "answers.serious = true")
    opened = opened.replace('"UNKNOWN"', '"xx"', 1).replace('"UNKNOWN"', '"XX"')
    assert parse_facts(opened, received_at=office.now, nonce=bytes(32))[0].answers == {"serious": True}


def with_d_order() -> str:
    """The law of Exland, in which a paper of that name asks for the offence whatever it wants."""
    asked = '{ fact = "serious", is = [true], rule = "serious-only" }'
    return OWN.replace('code = "order"', f'code = "d_order"\nconditions = [{asked}]')


def test_the_draft_of_an_unknown_paper_asks_nothing_it_cannot_know(
    office: Office, place: Place, capsys: Out
) -> None:
    """No instrument, no questions; the flags are asked of every paper."""
    case_id = office.receive("Dear provider, please help us.")
    draft = said(capsys, lambda: read_command(case_id[:8], suggest=True, place=place))
    assert "answers." not in draft
    assert "flags = []" in draft
    assert 'instrument = "UNKNOWN"' in draft


def test_times_in_tests_are_those_of_the_office(office: Office) -> None:
    """The clock of the office stands two days after its founding."""
    assert office.now == dt.datetime(2026, 9, 3, 8, tzinfo=dt.UTC)
