"""The law that an installation applies: two people put it in force, its text is kept, and assessments rest on it."""

import datetime as dt
import warnings as python_warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sabotage
from desk.own_pack import COMPLETE, OWN, STRICT, VERSION, file_of, sca
from dueprocess.cases.packrules import ActivePack
from dueprocess.demand import Demand, Scope, ScopeItem, expand
from dueprocess.desk import assessments, decisions, demands, packs
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.errors import EXIT_CODES, BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.history.append import load_case, load_events
from dueprocess.law import Calendar, Outcome, assess
from dueprocess.library.packs import shipped_file
from dueprocess.steps import assess as assess_step
from office import Office

DAY = dt.timedelta(days=1)


def two(office: Office) -> list[FileKey]:
    return [office.people["boris"], office.people["chi"]]


def activate(office: Office, text: str) -> ActivePack:
    return packs.activate(office.desk, file_of(text), two(office), office.now)


def code_of(act: Callable[[], object]) -> str:
    """The code of the refusal; not one row is another afterwards."""
    before = sabotage.snapshot()
    with pytest.raises(DueprocessError) as caught:
        act()
    assert sabotage.snapshot() == before
    return caught.value.code


def in_force(office: Office) -> dict[str, str]:
    return {each.id: each.version for each in office.desk.pack_rules().active}


# ------------------------------------------------------------------------------------------- in force


def test_the_founders_put_the_baseline_and_their_regime_in_force(office: Office) -> None:
    """By events in the installation's own stream, right after the founding; nothing of another regime."""
    kinds = [event.kind for event in load_events(office.desk.stream)]
    assert kinds[:4] == ["Founded", "PackActivated", "PackActivated", "PackActivated"]
    assert list(in_force(office)) == ["baseline", "us.reverse", "us.sca"]
    assert set(office.desk.packs) == set(in_force(office))
    kept = {path.name for path in office.desk.installation.packs.iterdir()}
    assert kept == {f"{each.sha256}.toml" for each in office.desk.pack_rules().active}


def test_what_applies_is_what_was_put_in_force_and_never_what_is_shipped(office: Office) -> None:
    """A newer program changes no law here; another version applies from its activation on."""
    active = activate(office, sca((VERSION, 'version = "2026.12.01"')))
    assert office.desk.packs["us.sca"].version == "2026.12.01" == active.version
    assert shipped_file("us.sca").pack.version == "2026.11.22"
    told = [(each.version, each.until) for each in office.desk.pack_rules().history if each.id == "us.sca"]
    assert told == [("2026.11.22", office.now), ("2026.12.01", None)]
    assert check_everything(office.desk) == []


def test_without_a_pack_there_is_no_law(office: Office) -> None:
    """What nobody put in force is not applied: the paper goes to counsel, and the front page says it first."""
    for pack_id in ("us.reverse", "us.sca"):
        packs.retire(office.desk, pack_id, two(office), office.now)
    case_id = office.receive()
    office.verify(case_id)
    demands.read(office.desk, case_id, office.demand(), country="US", actor="ana", now=office.now)
    found = demands.assess(office.desk, case_id, actor="ana", now=office.now)
    assert (found.outcome, [each.code for each in found.findings]) == (
        Outcome.ESCALATE_TO_COUNSEL,
        ["no-pack"],
    )
    assert packs.warnings(office.desk, office.now.date())[0].startswith("No rule pack is in force")
    assert assessments.current(office.desk, load_case(case_id)) == found


@pytest.mark.parametrize("verb", ["activate", "retire"])
def test_packs_change_by_two_people_of_the_roster_only(office: Office, tmp_path: Path, verb: str) -> None:
    """One person, one twice, who only takes papers in, and a stranger: each is refused, and nothing applies."""
    desk, now = office.desk, office.now
    boris, chi, ana = (office.people[name] for name in ("boris", "chi", "ana"))
    eve = make_key("eve", tmp_path / "eve.json")

    def change(*signers: FileKey) -> str:
        if verb == "activate":
            return code_of(lambda: packs.activate(desk, file_of(OWN), list(signers), now))
        return code_of(lambda: packs.retire(desk, "us.sca", list(signers), now))

    assert change(boris) == change(boris, boris) == "two-people"
    assert change(boris, ana) == "wrong-role"
    assert change(chi, eve) == "unknown-signer"
    assert list(in_force(office)) == ["baseline", "us.reverse", "us.sca"]
    assert check_everything(desk) == []


def test_the_baseline_can_be_replaced_and_never_retired(office: Office) -> None:
    """It stays under every pack; nothing else may call itself the floor."""
    text = shipped_file("baseline").text
    assert code_of(lambda: packs.retire(office.desk, "baseline", two(office), office.now)) == "baseline-stays"
    activate(office, text.replace(VERSION, 'version = "2027.01.01"', 1))
    assert in_force(office)["baseline"] == "2027.01.01"
    other = text.replace('id = "baseline"', 'id = "my.floor"', 1)
    assert code_of(lambda: activate(office, other)) == "one-baseline"
    assert (
        code_of(lambda: activate(office, OWN.replace('id = "xx.own"', 'id = "baseline"'))) == "one-baseline"
    )


def test_what_is_in_force_cannot_be_put_in_force_again(office: Office) -> None:
    """The same content is the same pack, whatever its comments say."""
    assert code_of(lambda: activate(office, "# mine\n" + sca())) == "pack-active"
    assert code_of(lambda: packs.retire(office.desk, "xx.own", two(office), office.now)) == "pack-not-active"


# ------------------------------------------------------------------------------------------- overlays


def test_an_overlay_is_applied_and_its_pack_stays_under_it(office: Office) -> None:
    """House rules make the pack stricter; the pack cannot be taken away from under them."""
    assert code_of(lambda: activate(office, STRICT)) == "bad-pack"
    activate(office, OWN)
    plain = office.desk.packs["xx.own"]
    activate(office, STRICT)
    assert [each.id for each in office.desk.packs["xx.own"].layers] == ["xx.strict"]
    assert "xx.strict" not in office.desk.packs
    assert len(office.desk.packs["xx.own"].instruments[0].nevers) > len(plain.instruments[0].nevers)
    assert code_of(lambda: packs.retire(office.desk, "xx.own", two(office), office.now)) == "bad-pack"
    packs.retire(office.desk, "xx.strict", two(office), office.now)
    assert office.desk.packs["xx.own"] == plain
    assert check_everything(office.desk) == []


def test_a_pack_below_the_floor_is_refused_before_anybody_signs(office: Office) -> None:
    """The baseline asks every compulsory paper for its issuer; a pack that does not cannot come in force."""
    low = OWN.replace('  { code = "issuer", meaning = "the court", rule = "yes" },\n', "")
    with pytest.raises(MalformedError, match=r"own\.toml, line \d+"):
        activate(office, low)
    wide = STRICT.replace("[[tighten]]", '[[tighten]]\nissuers = ["police"]\nissuers_rule = "house"')
    activate(office, OWN)
    assert code_of(lambda: activate(office, wide)) == "bad-pack"


# ------------------------------------------------------------------------------------------- kept texts


def test_a_kept_text_that_is_missing_or_altered_stops_the_law(office: Office) -> None:
    """Integrity lost, exit 7, for whoever assesses; `fsck` names it. A comment alone changes nothing."""
    digest = office.desk.packs["us.sca"].sha256
    path = office.desk.installation.packs / f"{digest}.toml"
    text = path.read_text(encoding="utf-8")
    case_id = office.assessed_case()
    path.write_text("# a note\n" + text, encoding="utf-8")
    assert check_everything(office.desk) == []
    for broken in (text.replace('"judge", ', "", 1), text[:-200], "", "\0" * 9):
        path.write_text(broken, encoding="utf-8")
        _says_altered(office, case_id, digest)
    path.unlink()
    _says_altered(office, case_id, digest)
    path.mkdir()
    _says_altered(office, case_id, digest)
    path.rmdir()
    path.write_text(text, encoding="utf-8")
    assert check_everything(office.desk) == []


def _says_altered(office: Office, case_id: str, digest: str) -> None:
    desk = open_desk(office.root)
    for act in (
        lambda: desk.packs,
        lambda: demands.assess(desk, case_id, actor="ana", now=office.now),
        lambda: assessments.assessed(desk, load_case(case_id)),
        lambda: packs.warnings(desk, office.now.date()),
    ):
        with pytest.raises(BrokenError) as caught:
            act()
        assert (caught.value.code, EXIT_CODES[type(caught.value)]) == ("pack-altered", 7)
    faults = check_everything(desk)
    assert [(each.table, each.row) for each in faults] == [("pack", digest[:16])]


def test_an_activation_writes_the_text_anew_where_a_bad_one_lies(office: Office) -> None:
    """What an interrupted or careless hand left in the folder does not stand in the way."""
    path = office.desk.installation.packs / f"{file_of(OWN).pack.sha256}.toml"
    path.write_text("half a")
    activate(office, OWN)
    assert path.read_text(encoding="utf-8") == OWN
    assert check_everything(office.desk) == []


def test_rows_about_packs_that_nobody_signed_are_found(office: Office) -> None:
    """A copy of an old activation brings no pack back: the stream no longer folds, for anyone."""
    activate(office, sca((VERSION, 'version = "2026.12.01"')))
    rows = [row for row in sabotage.rows("event") if row["case_id"] == office.desk.stream]
    old = next(row for row in rows if row["kind"] == "PackActivated" and "us.sca" in row["body"])
    last = load_events(office.desk.stream)[-1]
    forged = {
        **old,
        "case_seq": last.case_seq + 1,
        "prev_sha256": last.sha256,
        "recorded_at": last.recorded_at,
    }
    with sabotage.unguarded():
        sabotage.insert("event", forged)
    with pytest.raises(DueprocessError) as caught:
        open_desk(office.root).pack_rules()
    assert caught.value.code == "wrong-number"
    assert any("number" in str(fault) for fault in check_everything(office.desk))


# ------------------------------------------------------------------------------------------- assessments


def test_deciding_rests_on_the_packs_in_force_now(office: Office) -> None:
    """After a change nobody narrows, proposes or approves by the old rules; assessed again, all goes on."""
    case_id = office.assessed_case()
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    activate(office, sca((VERSION, 'version = "2026.12.01"')))
    boris = office.people["boris"]

    def narrow() -> object:
        return demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)

    def propose() -> object:
        return decisions.propose(office.desk, case_id, "t1", boris, role="reviewer", now=office.now)

    assert code_of(narrow) == code_of(propose) == "packs-changed"
    assert assessments.assessed(office.desk, load_case(case_id)).producible
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    narrow()
    propose()
    activate(office, sca((VERSION, 'version = "2026.12.02"')))
    chi = office.people["chi"]
    again = lambda: decisions.approve(office.desk, case_id, "t1", chi, role="reviewer", now=office.now)  # noqa: E731
    assert code_of(again) == "packs-changed"


def test_another_law_in_force_changes_nothing_for_this_paper(office: Office) -> None:
    """A pack of another State, in force since, does not void what was assessed."""
    case_id = office.assessed_case()
    activate(office, OWN)
    office.decide(case_id)
    assert check_everything(office.desk) == []


@pytest.mark.stage("ready")
def test_what_was_approved_is_produced_by_the_packs_it_was_approved_under(office: Office) -> None:
    """A newer pack after the approval stops nothing, and the old text is still there to compute with."""
    case_id = office.cases[0]
    before = assessments.assessed(office.desk, load_case(case_id))
    activate(
        office,
        sca((VERSION, 'version = "2026.12.01"'), ('issuers = ["court", "judge"]', 'issuers = ["judge"]')),
    )
    assert assessments.assessed(office.desk, load_case(case_id)) == before
    assert office.produce(case_id).parcel_sha256
    assert check_everything(office.desk) == []


def test_an_assessment_by_a_pack_that_nobody_put_in_force_is_broken(office: Office) -> None:
    """Whoever writes rows or files by hand makes no law: not for narrowing, not for `fsck`."""
    case_id = office.assessed_case()
    mine = file_of(sca((VERSION, 'version = "9"')))
    (office.desk.installation.packs / f"{mine.pack.sha256}.toml").write_text(mine.text, encoding="utf-8")
    case = load_case(case_id)
    demand = assessments.reading(office.desk, case)
    found = assess(demand, [mine.pack, office.desk.packs["baseline"]], on=office.now.date())
    office.desk.vault.put_json(case_id, f"assessment:{found.assessment_sha256}", found.as_json())
    hand = office.desk.hand("ana", office.now, case_id)
    assess_step.assess(case_id, hand, found, expected=case.last_seq)
    for act in (
        lambda: demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now),
        lambda: assessments.assessed(office.desk, load_case(case_id)),
    ):
        assert code_of(act) == "pack-not-activated"
    (fault,) = check_everything(office.desk)
    assert "not in force then" in fault.what


def test_what_the_first_release_assessed_is_assessed_again(office: Office) -> None:
    """It applied what it brought: no fault in the tables, and nothing new rests on it."""
    case = load_case(office.assessed_case())
    assert case.assessed is not None
    body: dict[str, Any] = {
        **case.assessed.body,
        "packs": [{"id": "us.sca", "version": "1", "sha256": "0" * 64}],
    }
    old = replace(case.assessed, recorded_at="2026-08-31T08:00:00Z", body=body)
    early = replace(case, assessed=old, events=(*case.events[:-1], old))
    assert list(packs.pack_faults(office.desk, [early])) == []
    with pytest.raises(RefusedError) as caught:
        assessments.current(office.desk, early)
    assert caught.value.code == "no-packs-then"


@pytest.mark.stage("ready")
def test_the_gate_asks_who_put_the_packs_in_force(office: Office) -> None:
    """What rests on a pack that nobody activated is not compiled into a plan, so nothing is collected."""
    case = load_case(office.cases[0])
    assert case.assessed is not None
    forged: dict[str, Any] = {
        **case.assessed.body,
        "packs": [{"id": "us.sca", "version": "9", "sha256": "0" * 64}],
    }
    odd = replace(case, assessed=replace(case.assessed, body=forged))
    assert demands.authorised(office.desk, case, "t1")
    with pytest.raises(BrokenError) as caught:
        demands.authorised(office.desk, odd, "t1")
    assert caught.value.code == "pack-not-activated"


def test_a_program_that_reads_packs_otherwise_asks_for_a_new_assessment(office: Office) -> None:
    """The recorded answer must come out again from the same packs; else nothing rests on it."""
    case_id = office.assessed_case()
    case = load_case(case_id)
    assert case.assessed is not None
    body = dict(case.assessed.body)
    found = assessments.assessed(office.desk, case)
    other = replace(found, legal_basis=("18 USC 2703(d), otherwise",))
    office.desk.vault.put_json(case_id, f"assessment:{other.assessment_sha256}", other.as_json())
    odd = replace(case.assessed, body={**body, "assessment_sha256": other.assessment_sha256})
    with pytest.raises(RefusedError) as caught:
        assessments.assessed(office.desk, replace(case, assessed=odd))
    assert caught.value.code == "program-changed"


# ------------------------------------------------------------------------------------------- calendars


def exland(office: Office, **changes: Any) -> Demand:
    """An order of Exland for names and sessions, complete."""
    asked = office.demand().scope.items[0]
    categories = expand(["subscriber", "session"])
    scope = Scope(bytes(32), (ScopeItem(asked.target, categories, asked.period),))
    facts: dict[str, Any] = {"regime": "xx", "instrument": "order", "elements": COMPLETE, "scope": scope}
    return office.demand(**{**facts, **changes})


def exland_case(office: Office, **changes: Any) -> str:
    """Received, read as of Exland and assessed."""
    case_id = office.receive()
    office.verify(case_id)
    demands.read(office.desk, case_id, exland(office, **changes), country="XX", actor="ana", now=office.now)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    return case_id


def other_table(region: str, first_year: int, last_year: int) -> Calendar:
    """A newer release of the library, in which the tenth of September has become a holiday."""
    days = {dt.date(year, 9, 10): "Exland Day" for year in range(first_year, last_year + 1)}
    return Calendar(region, "holidays 999", first_year, last_year, days)


def test_a_case_keeps_the_holidays_it_was_counted_with(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer table changes no assessment that was made; that a date would come out otherwise is told."""
    activate(office, OWN)
    case_id = exland_case(office)
    found = assessments.assessed(office.desk, load_case(case_id))
    (ref,) = found.calendars
    assert ref.region == "DE"
    assert office.desk.vault.has(case_id, f"calendar:{ref.sha256}")
    (clock,) = found.clocks
    assert clock.due_at is not None
    assert "Europe/Berlin" in clock.arithmetic
    assert assessments.moved_due_dates(office.desk, load_case(case_id), office.now.date()) == []
    monkeypatch.setattr(assessments, "calendar", other_table)
    assert assessments.assessed(office.desk, load_case(case_id)) == found
    assert assessments.current(office.desk, load_case(case_id)) == found
    (moved,) = assessments.moved_due_dates(office.desk, load_case(case_id), office.now.date())
    assert (moved.clock, moved.before, moved.now) == ("xx.answer", clock.due_at, clock.due_at + DAY)
    assert moved.later
    unread = load_case(office.receive("another paper", "other.txt"))
    assert assessments.moved_due_dates(office.desk, unread, office.now.date()) == []


def test_a_region_without_a_table_counts_every_day_and_says_so(office: Office) -> None:
    """The earliest reading, and nothing to keep."""
    activate(office, OWN.replace('holidays = "DE"', 'holidays = "issuer"'))
    found = assessments.assessed(office.desk, load_case(exland_case(office)))
    assert found.calendars == ()
    assert "every day counts as a working day" in found.clocks[0].arithmetic


def test_a_kept_calendar_that_was_changed_is_broken(office: Office) -> None:
    """It is named by its digest, like everything that an assessment rests on."""
    activate(office, OWN)
    case_id = exland_case(office)
    (ref,) = assessments.assessed(office.desk, load_case(case_id)).calendars
    name = f"calendar:{ref.sha256}"
    office.desk.vault.drop(case_id, name)
    office.desk.vault.put_json(case_id, name, other_table("DE", 2026, 2027).as_json())
    with pytest.raises(BrokenError) as caught:
        assessments.assessed(office.desk, load_case(case_id))
    assert caught.value.code == "calendar-altered"


def test_a_paper_is_of_one_country(office: Office) -> None:
    """The country that clocks and calendars go by is the one that history names."""
    case_id = office.receive()
    demand = office.demand(country="DE")
    wrong = lambda: demands.read(office.desk, case_id, demand, country="US", actor="ana", now=office.now)  # noqa: E731
    assert code_of(wrong) == "bad-facts"
    demands.read(office.desk, case_id, demand, country="DE", actor="ana", now=office.now)
    assert assessments.reading(office.desk, load_case(case_id)).country == "DE"


# ------------------------------------------------------------------------------------------- warnings


def test_the_front_page_says_what_has_grown_old(office: Office) -> None:
    """Nobody reviewed it, a review long ago, a rule that ends, a newer pack that this program brings."""
    today = office.now.date()
    assert packs.warnings(office.desk, today)[0] == "No counsel has reviewed: baseline, us.reverse, us.sca."
    reviewed = ('reviewed_by = ""', 'reviewed_by = "A. Counsel"\nreviewed_on = 2026-08-31')
    activate(office, sca((VERSION, 'version = "2025.3.9"'), reviewed))
    told = packs.warnings(office.desk, today)
    assert "No counsel has reviewed: baseline, us.reverse." in told
    newer = [line for line in told if "This program brings us.sca 2026.11.22; in force is 2025.3.9" in line]
    assert newer[0].endswith("dueprocess packs diff active:us.sca shipped:us.sca")
    assert not [line for line in told if "last reviewed" in line]
    late = packs.warnings(office.desk, today + dt.timedelta(days=200))
    assert [line for line in late if "us.sca was last reviewed on 2026-08-31, more than 180 days ago" in line]
    ends = OWN.replace("from = 2020-01-01\n", f"from = 2020-01-01\nuntil = {today + DAY}\n")
    activate(office, ends)
    assert [
        line
        for line in packs.warnings(office.desk, today)
        if f"of the pack xx.own ends on {today + DAY}" in line
    ]
    assert [
        line for line in packs.warnings(office.desk, today + DAY) if "of the pack xx.own ended on" in line
    ]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026.9.1", "2026.11.22"),
        ("2026.11.22", "2026.11.22.1"),
        ("1.beta", "1.0"),
        ("2025.12.31", "2026.1.1"),
    ],
)
def test_versions_are_compared_by_their_numbers(older: str, newer: str) -> None:
    """Nine is before eleven."""
    assert packs.version_key(older) < packs.version_key(newer)


def test_open_cases_are_told_without_names(office: Office) -> None:
    """Regime, instrument and categories: what a change may concern. Closed and unread ones are left out."""
    unread = office.receive("unread", "unread.txt")
    closed, case_id = office.assessed_case(), office.assessed_case()
    office.close(closed)
    (found,) = packs.open_cases()
    assert (found.case_id, found.regime, found.instrument) == (case_id, "us", "d_order")
    assert found.categories == expand(["subscriber", "session", "traffic", "content"])
    assert unread != case_id


def test_a_key_file_signs_packs_in_the_role_that_it_holds(office: Office) -> None:
    """No warning of Python reaches the caller, and the event names who wrote it."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("error")
        activate(office, OWN)
    event = load_events(office.desk.stream)[-1]
    assert (event.kind, event.actor) == ("PackActivated", "boris")
