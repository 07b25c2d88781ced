"""Letters about a case: what it knows for them, what a person adds, what is recorded, what is owed."""

import dataclasses
import datetime as dt
import io
import tomllib
from typing import Any
from zoneinfo import ZoneInfo

import pypdf
import pytest

from dueprocess.cases.case import Case
from dueprocess.demand import NondisclosureOrder
from dueprocess.desk import check, demands, packs
from dueprocess.desk.letterfile import KEYS, Values, parse_letter_file
from dueprocess.desk.letterground import Ground, of_case
from dueprocess.desk.replies import DRAFT_HELP, compose, draft, letter_code, offered, owed_letters, sent
from dueprocess.errors import ConflictError, MalformedError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.law.pack import LetterCode
from dueprocess.library.packs import shipped_file
from dueprocess.notice import LETTERS, as_pdf, languages
from office import EVA, FINN, START, Office

TODAY = dt.date(2026, 9, 3)
NO_END = NondisclosureOrder("18 USC 2705(b)", START, None)
MORE: Values = parse_letter_file("""
recipient = "Amtsgericht Beispielstadt"
recipient_address = ["Am Markt 1", "12345 Beispielstadt"]
counsel = "Dana Beispiel"
reference = "26-mc-7"
own_reference = "2026-014"
signed_by = "Boris Beispiel"
preserved = true
court_path = "das Landgericht, § 21(2) TDDDG"
report_to = "https://chat.example/report"
[certificate]
kind = "EPOC"
issued_on = 2026-08-31
validating = "Parquet d'Exempleville"
[office]
name = "Chat zu Hause GmbH"
person = "Ana Beispiel"
address = "Hafenweg 1"
email = "papers@chat.example"
authorised = "Boris Beispiel"
[more_time]
until = 2026-10-01
because = ["Counsel needs two weeks."]
clocks = ["de.none"]
[silence]
order = "18 USC 2705(b)"
began_on = 2025-03-01
court = "a court"
federal = true
[route]
foreign = true
""")
EPOC: dict[str, Any] = {
    "regime": "eu",
    "instrument": "epoc",
    "issuer_kind": "judge",
    "country": "FR",
    "elements": frozenset({"issuer", "addressee", "date", "signature", "identifier"}),
    "answers": {
        "other_state": True,
        "service_kind": "users_communicate_or_store",
        "proceedings": "criminal_proceedings",
        "offence_class": "any",
        "channel": "system",
    },
}


def assessed(office: Office, **changes: Any) -> Case:
    return load_case(office.assessed_case(**changes))


def epoc(office: Office, *accounts: str) -> Case:
    """A case about an EPOC whose offence is not covered."""
    signers = [office.people["boris"], office.people["chi"]]
    packs.activate(office.desk, shipped_file("eu.evidence"), signers, office.now)
    case_id = office.receive()
    office.verify(case_id)
    demand = office.demand(accounts=accounts or (EVA, FINN), **EPOC)
    demands.read(office.desk, case_id, demand, country="FR", actor="ana", now=office.now)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    return load_case(case_id)


def code_of(caught: pytest.ExceptionInfo[Any]) -> str:
    return str(caught.value.code)


# ------------------------------------------------------------------------------------------- what is known


def test_what_the_case_knows_is_not_asked(office: Office) -> None:
    """Sender, authority, certificate, days in the law's own zone, the paper's name, findings and boxes."""
    ground = of_case(office.desk, epoc(office))
    assert ground.known["sender.name"] == "Chat Example"
    assert ground.known["recipient"] == "District Court of Example"
    assert ground.known["certificate.kind"] == "EPOC"
    assert ground.known["certificate.issued_on"] == dt.date(2026, 8, 31)
    assert str(ground.zone) == "Europe/Paris"
    assert ground.instrument == "European Production Order Certificate (EPOC)"
    assert ground.accounts == (EVA, FINN)
    text = compose(ground, "annex3", without("recipient"), language="en", on=TODAY).letter.text
    assert "Issuing authority: District Court of Example" in text
    assert "Date of issue of the EPOC/EPOC-PR: 31 August 2026" in text
    assert "Date of receipt of the EPOC/EPOC-PR: 3 September 2026" in text
    assert "[x] it is incomplete" in text
    assert "[x] the European Production Order to obtain traffic data" in text
    assert "[ ] the service is not covered" in text


def without(*names: str) -> Values:
    return {name: value for name, value in MORE.items() if name not in names}


def test_a_day_is_that_of_the_law(office: Office) -> None:
    """A paper that came at 22:30 UTC has come on the next day in Paris."""
    office.wait(hours=14.5)
    ground = of_case(office.desk, epoc(office))
    assert (ground.received_at.date(), ground.received_on) == (dt.date(2026, 9, 3), dt.date(2026, 9, 4))


def test_before_anybody_has_read_the_paper_a_holding_reply_goes_out(office: Office) -> None:
    """It needs no assessment; what states findings is refused until there is one."""
    case_id = office.receive()
    ground = of_case(office.desk, load_case(case_id))
    assert offered(ground) == ("holding",)
    written = compose(ground, "holding", {"recipient": "Police of Example"}, language="en", on=TODAY)
    assert "We are checking it." in written.letter.text
    for code in ("deficiency", "refusal", "objection", "annex3"):
        with pytest.raises(RefusedError) as caught:
            compose(ground, letter_code(code), MORE, language="en", on=TODAY)
        assert code_of(caught) == "not-assessed"


def test_a_paper_that_was_read_and_not_assessed_is_named_by_nobody(office: Office) -> None:
    """Its accounts are known, so that no letter names them; its law is not, so days are of UTC."""
    case_id = office.receive()
    demands.read(office.desk, case_id, office.demand(), country="US", actor="ana", now=office.now)
    ground = of_case(office.desk, load_case(case_id))
    assert (ground.accounts, ground.instrument, ground.zone) == ((EVA,), "", ZoneInfo("UTC"))
    assert offered(ground) == ("holding",)


def test_a_request_without_a_paper_is_redirected_as_what_it_is(office: Office) -> None:
    """The baseline pack knows it, so nobody is asked whether it is foreign."""
    ground = of_case(office.desk, assessed(office, instrument="informal_request", issuer_kind="police"))
    assert ground.known["route.foreign"] is False
    text = compose(ground, "redirect", {}, language="en", on=TODAY).letter.text
    assert "We see no law in it that obliges us" in " ".join(text.split())


def test_an_assessment_that_does_not_hold_any_more_writes_nothing(office: Office) -> None:
    """After two people have put other packs in force, the demand is assessed again first."""
    case = assessed(office)
    assert of_case(office.desk, case).assessment is not None
    signers = [office.people["boris"], office.people["chi"]]
    packs.retire(office.desk, "us.sca", signers, office.now)
    with pytest.raises(RefusedError) as caught:
        of_case(office.desk, case)
    assert code_of(caught) == "packs-changed"


@pytest.mark.stage("ready")
def test_what_two_people_approved_is_written_of_as_it_was_assessed(office: Office) -> None:
    """Later packs do not change what the decision rested on."""
    signers = [office.people["boris"], office.people["chi"]]
    packs.retire(office.desk, "us.sca", signers, office.now)
    assert of_case(office.desk, load_case(office.cases[0])).instrument == "Court order under 2703(d)"


# ------------------------------------------------------------------------------------------- what is written


def test_no_letter_names_an_account(office: Office) -> None:
    """Every letter, language and form, about a case with two accounts: neither name stands in any of it."""
    ground = of_case(office.desk, epoc(office, "@zoe-quartz:chat.example", "qxfinn@chat.example"))
    names = ["zoe-quartz", "qxfinn"]  # their whole names are longer
    made = 0
    for code in LETTERS:
        for language in languages():
            letter = compose(ground, code, MORE, language=language, on=TODAY).letter
            pages = pypdf.PdfReader(io.BytesIO(as_pdf(letter))).pages
            pdf = "".join("".join(page.extract_text() for page in pages).split())
            for text in (letter.text, letter.html, pdf):
                assert not [name for name in names if name in text.lower()], f"{code} in {language}"
                made += 1
    assert made == 11 * 3 * 3


@pytest.mark.parametrize("name", ["reference", "more_time.because", "third_country.interests"])
def test_a_word_that_names_an_account_is_refused(office: Office, name: str) -> None:
    """Whoever writes the name into the file is told where it stands; a part of another word is no name."""
    ground = of_case(office.desk, assessed(office))
    values: dict[str, Any] = {
        "reference": "about @Eva:chat.example",
        "more_time.because": ("We look for eva:CHAT.example.",),
        "third_country.interests": (("other", f"{EVA} lives there"),),
    }
    with pytest.raises(RefusedError) as caught:
        compose(ground, "holding", {name: values[name]}, language="en", on=TODAY)
    assert code_of(caught) == "names-account"
    assert name in caught.value.why
    harmless = {"reference": "eva:chat.examples", "own_reference": "eva"}
    assert "eva:chat.examples" in compose(ground, "holding", harmless, language="en", on=TODAY).letter.subject


def test_a_reason_of_ones_own_ticks_its_box_and_explains_it(office: Office) -> None:
    """What only the operator knows: data that are not there; with its place in the law, and in the codes."""
    ground = of_case(office.desk, epoc(office))
    own = {
        "reasons.not_stored": "Nothing was left at that time.",
        "reasons.manifest_error": "Section F is torn.",
    }
    written = compose(ground, "annex3", {**MORE, **own}, language="en", on=TODAY)
    text = " ".join(written.letter.text.split())
    assert "[x] it does not concern data stored" in text
    explained, asked = text.partition("Section F: ")[::2]
    assert (
        "Nothing was left at that time. (source: Regulation (EU) 2023/1543, Article 16(4)(d), (5)(c))"
        in explained
    )
    assert "Section F is torn." in asked
    assert "Nothing was left" not in asked
    assert {"reasons.not_stored", "reasons.manifest_error", "unmet.offence_class"} <= set(written.codes)
    assert not {code for code in written.codes if code.startswith("unknown.")}
    refusal = compose(ground, "refusal", {**MORE, **own}, language="en", on=TODAY)
    assert "torn" not in refusal.letter.text


def test_the_law_of_a_third_country_is_told_whole_or_not(office: Office) -> None:
    """Whoever begins section E must fill it and tick its box; then it is in the form."""
    ground = of_case(office.desk, epoc(office))
    law = {f"third_country.{each}": each.upper() for each in ("title", "provisions", "why_applicable")}
    with pytest.raises(MalformedError) as caught:
        compose(ground, "annex3", {**MORE, **law}, language="en", on=TODAY)
    assert code_of(caught) == "letter-lacks"
    for name in ("reasons.third_country", "third_country.interests", "third_country.consequences"):
        assert f"{name} (" in caught.value.why
    assert "third_country.title" not in caught.value.why
    rest = {f"third_country.{each}": each.upper() for each in ("why_conflict", "link", "consequences")}
    whole: Values = {
        **MORE, **law, **rest, "reasons.third_country": "It forbids it.",
        "third_country.interests": (("security", "the harbour"),),
    }  # fmt: skip
    text = compose(ground, "annex3", whole, language="en", on=TODAY).letter.text
    assert "Title of the law(s) of the third country: TITLE" in text
    assert "[x] fundamental interests of the third country related to national" in text


def test_a_list_for_counsel_does_not_go_to_the_authority(office: Office) -> None:
    """It has a recipient key of its own, so that no file for the authority can address it."""
    ground = of_case(office.desk, epoc(office))
    with pytest.raises(MalformedError, match="only you know") as caught:
        compose(ground, "motion_checklist", without("counsel"), language="en", on=TODAY)
    assert "counsel (your own counsel" in caught.value.why
    text = compose(ground, "motion_checklist", MORE, language="en", on=TODAY).letter.text
    assert "Dana Beispiel" in text
    assert "Amtsgericht" not in text
    assert "Am Markt" not in text
    assert "Time limits by our count" in text


def test_an_authority_is_told_the_time_limits_that_the_writer_names(office: Office) -> None:
    """None by itself: the others are nobody else's business."""
    ground = of_case(office.desk, epoc(office))
    text = compose(ground, "delay", MORE, language="en", on=TODAY).letter.text
    assert "time limits are running" not in text
    named = {**MORE, "more_time.clocks": ("eu.epoc.annex3",)}
    assert "time limits are running" in compose(ground, "delay", named, language="en", on=TODAY).letter.text


def test_an_unwritable_letter_says_where_its_parts_come_from(office: Office) -> None:
    """What the law's own check refuses keeps its words and gets the way to the draft."""
    ground = of_case(office.desk, assessed(office))
    with pytest.raises(MalformedError) as caught:
        compose(ground, "annex3", MORE, language="en", on=TODAY)
    assert code_of(caught) == "incomplete-form"
    assert "no reason is ticked" in caught.value.why
    assert "dueprocess assess" in caught.value.do
    assert caught.value.do.endswith(DRAFT_HELP)
    with pytest.raises(RefusedError) as unknown:
        letter_code("ransom_note")
    assert code_of(unknown) == "unknown-letter"


# ------------------------------------------------------------------------------------------- the letter file


def test_a_draft_filled_in_is_a_letter(office: Office) -> None:
    """As printed it is read, and refused by the names of the keys that are needed; filled in, it is enough."""
    ground = of_case(office.desk, epoc(office))
    for code in LETTERS:
        check_draft(ground, code)


def check_draft(ground: Ground, code: LetterCode) -> None:
    printed = "\n".join(draft(ground, code, TODAY))
    known = parse_letter_file(printed)
    filled = {name: MORE[name] for name in named_in(printed) if name in MORE}
    marked = marked_names(printed.splitlines())
    assert bool(marked) is (code not in ("holding", "deficiency", "refusal", "objection"))
    if marked:
        with pytest.raises(MalformedError) as caught:
            compose(ground, code, known, language="en", on=TODAY)
        assert code_of(caught) == "letter-lacks"
        assert all(f"{name} (" in caught.value.why for name in marked)
    written = compose(ground, code, {**known, **filled}, language="en", on=TODAY)
    assert written.letter.text == compose(ground, code, filled, language="en", on=TODAY).letter.text


def named_in(printed: str) -> list[str]:
    """Every key of a draft, commented or not, by its whole name."""
    names, section = [], ""
    for line in printed.splitlines():
        if line.startswith("["):
            section = line.strip("[]") + "."
        elif " = " in line:
            names.append(section + line.removeprefix("# ").partition(" = ")[0])
    return [name for name in names if name in KEYS]


def marked_names(lines: list[str]) -> set[str]:
    section, found = "", set()
    for line in lines:
        if line.startswith("["):
            section = line.strip("[]") + "."
        elif "# NEEDED: " in line:
            found.add(section + line.removeprefix("# ").partition(" = ")[0])
    return found


def test_a_draft_repeats_what_the_case_knows(office: Office) -> None:
    """The authority, the certificate, the order not to tell with its first day; and which time limits run."""
    ground = of_case(office.desk, assessed(office, nondisclosure=NO_END))
    printed = "\n".join(draft(ground, "end_of_silence", TODAY))
    assert tomllib.loads(printed)["silence"] == {"order": "18 USC 2705(b)", "began_on": dt.date(2026, 9, 1)}
    assert tomllib.loads(printed)["recipient"] == "District Court of Example"
    assert "Known: Court order under 2703(d); arrived on 2026-09-03" in printed
    assert "NEEDED" not in printed.partition("\n\n")[0].split("\n", 3)[3]
    assert "Time limits that run: " in "\n".join(draft(ground, "delay", TODAY))


# ------------------------------------------------------------------------------------------- sent, owed


def test_what_went_out_is_kept_and_history_knows_codes_only(office: Office) -> None:
    """The text in the vault under the event's digest, behind random bytes; the same once more conflicts."""
    case = epoc(office)
    written = compose(of_case(office.desk, case), "annex3", MORE, language="de", on=TODAY)
    event = sent(office.desk, case, written, actor="ana", now=office.now)
    assert event.kind == "LetterSent"
    assert (event.body["letter"], event.body["language"]) == ("annex3", "de")
    assert event.body["codes"] == sorted(written.codes)
    assert "unmet.offence_class" in written.codes
    kept = office.desk.vault.get(case.case_id, f"letter:{event.text('letter_sha256')}")
    assert kept[32:].decode() == written.letter.text
    after = load_case(case.case_id)
    assert (after.stage, after.letters) == (case.stage, (event,))
    with pytest.raises(ConflictError) as caught:
        sent(office.desk, after, written, actor="boris", now=office.now)
    assert code_of(caught) == "letter-sent"
    other = compose(of_case(office.desk, after), "annex3", MORE, language="fr", on=TODAY)
    with pytest.raises(ConflictError) as moved:
        sent(office.desk, case, other, actor="ana", now=office.now)
    assert code_of(moved) == "case-moved"
    sent(office.desk, after, other, actor="ana", now=office.now)
    assert [fault for fault in check.check_everything(office.desk) if fault.table == "vault"] == []


def test_a_letter_that_is_lost_from_the_vault_is_found(office: Office) -> None:
    """Fsck looks for each letter that history names."""
    case, vault = assessed(office), office.desk.installation.vault
    before = set(vault.rglob("*"))
    event = sent(
        office.desk, case, compose(of_case(office.desk, case), "holding", {}, language="en", on=TODAY),
        actor="ana", now=office.now,
    )  # fmt: skip
    (file,) = [path for path in vault.rglob("*") if path not in before and path.is_file()]
    file.unlink()
    (fault,) = [fault for fault in check.check_everything(office.desk) if fault.table == "vault"]
    assert fault.row == f"{case.case_id[:8]}/{event.case_seq}"


def test_the_end_of_silence_is_owed_after_a_year_and_again_after_ninety_days(office: Office) -> None:
    """Not a day before; a request is remembered; a closed case owes it still; what has an end owes nothing."""
    case_id = office.assessed_case(nondisclosure=NO_END)
    year, short = START + dt.timedelta(days=365), case_id[:8]

    def owed(now: dt.datetime) -> list[str]:
        return list(owed_letters(office.desk, load_case(case_id), now))

    line = f"{short}  an order not to tell names no end, ask for it: dueprocess letter {short} end_of_silence"
    assert owed(year - dt.timedelta(days=1)) == []
    assert owed(year) == [line]
    ground = of_case(office.desk, load_case(case_id))
    with pytest.raises(RefusedError) as early:
        compose(ground, "end_of_silence", {}, language="en", on=year.date() - dt.timedelta(days=1))
    assert code_of(early) == "too-early"
    assert "1 September 2027" in early.value.what
    written = compose(ground, "end_of_silence", {}, language="en", on=year.date())
    case = load_case(case_id)
    sent(office.desk, case, written, actor="ana", now=year)
    assert owed(year + dt.timedelta(days=89)) == []
    assert owed(year + dt.timedelta(days=90)) == [line.replace("ask for", "ask again for")]
    later = of_case(office.desk, load_case(case_id))
    again = compose(later, "end_of_silence", {}, language="en", on=year.date() + dt.timedelta(days=90))
    assert "We have asked before, on these days: 1 September 2027" in " ".join(again.letter.text.split())
    same = compose(later, "end_of_silence", {}, language="en", on=year.date())
    with pytest.raises(ConflictError):
        sent(office.desk, load_case(case_id), same, actor="ana", now=year)
    signers = [office.people["boris"], office.people["chi"]]
    packs.retire(office.desk, "us.sca", signers, year)
    assert len(owed(year + dt.timedelta(days=90))) == 1, "also while its assessment does not hold"
    office.now = year
    office.close(case_id)
    assert owed(year + dt.timedelta(days=90))


def test_an_order_with_an_end_is_not_asked_about(office: Office) -> None:
    """The letter would say what is not true."""
    ends = NondisclosureOrder("18 USC 2705(b)", START, START + dt.timedelta(days=90))
    case = assessed(office, nondisclosure=ends)
    assert owed_letters(office.desk, case, START + dt.timedelta(days=500)) == []
    with pytest.raises(RefusedError) as caught:
        compose(of_case(office.desk, case), "end_of_silence", MORE, language="en", on=TODAY)
    assert code_of(caught) == "order-has-end"


def test_nothing_is_written_of_an_erased_case(office: Office) -> None:
    """Its contents are gone; the refusal says so before anything is looked for."""
    case = assessed(office)
    with pytest.raises(RefusedError) as caught:
        of_case(office.desk, dataclasses.replace(case, erased=case.events[-1]))
    assert code_of(caught) == "erased"


def test_a_private_party_is_not_the_authority_of_the_case(office: Office) -> None:
    """The authority that was called back is not filled in for this letter."""
    ground: Ground = of_case(office.desk, assessed(office))
    printed = "\n".join(draft(ground, "private_party", TODAY))
    assert "District Court" not in printed
    assert "# recipient = " in printed
