"""Signs point at literal words with their place; what no word says is not found."""

import time
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import REVERSE_KINDS, expand
from dueprocess.intake import asked, words
from dueprocess.intake.dates import parse_date
from dueprocess.intake.paper import Page, Paper, read_paper
from dueprocess.intake.places import MAX_QUOTE, clean
from dueprocess.intake.reading import suggest_reading
from dueprocess.intake.signs import Signs, signs

WORDS = (
    "account : @ eva . example from to 2026-01-01 January 1, 2026 not notify until 18 U.S.C. § 2703(d) "
    "all users who within 200 meters of the contents of any and all records password"
)


def _read(text: str) -> Signs:
    return signs(read_paper(text.encode(), name="x.txt"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GRAND JURY SUBPOENA duces tecum", "subpoena"),
        ("ORDER under 18 U.S.C. § 2703(d)", "d_order"),
        ("SEARCH AND SEIZURE\nWARRANT", "warrant"),
        ("Title 18, United States Code (U.S.C.),\nSection 2709", "nsl"),
        ("a National Security\nLetter", "nsl"),
        ("under 18 USC 2703(f) we ask you to preserve", "preservation_letter"),
        ("Emergency Data Request", "emergency"),
        ("European Production Order Certificate", "epoc"),
        ("EPOC-PR for the preservation", "epoc_pr"),
        ("Order under Article 9 of Regulation (EU) 2022/2065", "dsa_art9"),
        ("Order under Article 10 of the Digital Services Act", "dsa_art10"),
        ("REMOVAL ORDER, Regulation (EU) 2021/784", "tco_removal"),
        ("Auskunftsersuchen nach § 22 TDDDG", "de_auskunft"),
        ("Amtsgericht Nordhafen, Beschluss", "de_beschluss"),
        ("Overseas Production Order", "uk_order"),
        ("a request for mutual legal assistance", "mlat"),
        ("SUBPOENA TO PRODUCE DOCUMENTS IN A CIVIL ACTION", "civil_subpoena"),
        ("Could you please send us the details of this user?", "informal"),
    ],
)
def test_each_legal_paper_is_named_by_its_words(text: str, code: str) -> None:
    """The first instrument that stands on the paper is the one that its title names."""
    assert _read(text).instruments[0].code == code


def test_every_sign_carries_its_words_and_its_place() -> None:
    """A person can go to the page and the line, and sees at most 160 characters."""
    found = _read("first line\n" + "x " * 300 + "search warrant " + "y " * 300 + "\fpage two\n\nsubpoena")
    warrant, subpoena = found.instruments
    assert (warrant.place.page, warrant.place.line) == (1, 2)
    assert (subpoena.place.page, subpoena.place.line) == (2, 3)
    assert "search warrant" in warrant.quote
    assert len(warrant.quote) <= MAX_QUOTE


def test_a_title_comes_before_what_the_text_mentions() -> None:
    """A preservation letter that announces a warrant is a preservation letter."""
    found = _read("PRESERVATION REQUEST\nPlease keep the records until a search warrant is issued.")
    assert [each.code for each in found.instruments] == ["preservation_letter", "warrant"]


@pytest.mark.parametrize(
    ("text", "basis"),
    [
        ("18 U.S.C. § 2703(d)", "18 USC 2703(d)"),
        ("18 U.S.C. Section 2703(c) (2)", "18 USC 2703(c)(2)"),
        ("Title 18, United States Code (U_S_C_), Sect.ion 2709", "18 USC 2709"),
        ("nach § 100j Abs. 1 StPO", "§ 100j Abs. 1 StPO"),
        ("§ 22 TDDDG", "§ 22 TDDDG"),
        ("Verordnung (EU) 2023/1543", "Regulation (EU) 2023/1543"),
        ("the Investigatory Powers Act 2016", "Investigatory Powers Act 2016"),
    ],
)
def test_citations_are_written_in_one_form(text: str, basis: str) -> None:
    """Noise of machine reading and several spellings give one citation."""
    assert basis in [each.value for each in _read(text).legal_bases]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("the name and address", "subscriber.identity"),
        ("basic subscriber information", "subscriber"),
        ("length of service", "subscriber.service"),
        ("means and source of payment", "subscriber.payment"),
        ("temporarily assigned network address", "subscriber.number"),
        ("session times and durations", "session.times"),
        ("IP logs", "traffic"),
        ("location history", "location"),
        ("the contents of all messages", "content.messages"),
        ("photos and videos", "content.files"),
        ("profile picture", "content.profile"),
        ("the password", "secrets"),
        ("any and all records", "all"),
    ],
)
def test_words_are_mapped_to_the_closed_tree(text: str, category: str) -> None:
    """Each category has words; each code stands in the tree, or is ``all``."""
    assert category in [each.code for each in _read(f"Provide {text} now.").categories]
    assert category == "all" or expand([category])


def test_what_the_paper_leaves_out_is_not_asked() -> None:
    """'Not including the contents' asks for no contents, and only for what stands beside it."""
    found = _read(
        "All records (not including the contents of communications) relating to the account, including IP logs.\n"
        "Nor should message content be provided; message content is not requested."
    )
    assert {each.code for each in found.categories} == {"all", "traffic"}
    assert [each.code for each in found.excluded] == ["content.messages"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("all users who were within a radius of 200 meters of the square", "area"),
        ("a tower dump for 3 October", "tower"),
        ("everyone who searched for the word harbour", "keyword"),
        ("accounts that used the hashtag", "hashtag"),
        ("the members of the chat room", "room"),
        ("users of 192.0.2.0/24", "ip_range"),
        ("all accounts that visited the page", "all"),
        ("#harbour:fernhill.example", "room"),
        ("install a pen register", "real_time"),
    ],
)
def test_a_demand_for_people_nobody_named_is_named_as_such(text: str, code: str) -> None:
    """Areas, words, rooms, ranges and everyone are found, and none becomes a target."""
    found = _read(f"Provide data of {text}.")
    assert code in [each.code for each in found.collective]
    assert found.asks_for_people
    assert all(each.code in ("ip", "account", "email", "content_url") for each in found.identifiers)
    assert suggest_reading(read_paper(f"Provide data of {text}.".encode(), name="x"))["targets"] == []


def test_every_code_for_no_target_is_one_that_targets_refuse() -> None:
    """The words are kept in step with the kinds that the vocabulary refuses by name."""
    assert set(asked.COLLECTIVE) - {"real_time"} <= set(REVERSE_KINDS)


def test_identifiers_are_quoted_and_the_officers_own_address_is_left_out() -> None:
    """Targets are candidates; where to answer is none."""
    mail = (
        b"From: Sam Holt <holt@northport.example>\nTo: legal@fernhill.example\nSubject: x\n\n"
        b'Account: @eva:fernhill.example\nE-mail: eva@post.example\nusername: "eva.lind"\n'
        b"Send your answer to boris@elsewhere.example\nor contact me at desk@northport.example\n\n"
        b"Detective Holt, holt@northport.example, Unit 4 unit4@northport.example\n"
    )
    found = signs(read_paper(mail, name="x.eml"))
    assert {(each.code, each.value) for each in found.identifiers} == {
        ("account", "@eva:fernhill.example"),
        ("account", "eva.lind"),
        ("email", "eva@post.example"),
    }


@pytest.mark.parametrize(
    ("words_", "day"),
    [
        ("May 12, 2015", "2015-05-12"),
        ("12 May 2015", "2015-05-12"),
        ("12th day of May, 2015", "2015-05-12"),
        ("3. Oktober 2026", "2026-10-03"),
        ("03.10.2026", "2026-10-03"),
        ("2026-10-03", "2026-10-03"),
        ("10/25/2026", "2026-10-25"),
        ("25/10/2026", "2026-10-25"),
        ("04/05/2026", None),
        ("February 30, 2026", None),
        ("no day", None),
    ],
)
def test_a_date_that_can_be_read_two_ways_has_no_value(words_: str, day: str | None) -> None:
    """Only what is certain becomes a date."""
    found = parse_date(words_)
    assert (found.isoformat() if found else None) == day


def test_windows_include_the_last_day_only_where_the_word_does() -> None:
    """'to' and 'through' include the day, so the exclusive end is the day after; 'until' does not."""
    cases = {
        "from September 1, 2026 to September 30, 2026": "2026-09-01/2026-10-01",
        "between 1 September 2026 and 30 September 2026": "2026-09-01/2026-10-01",
        "from 2026-09-01 until 2026-10-01": "2026-09-01/2026-10-01",
        "vom 01.09.2026 bis 30.09.2026": "2026-09-01/2026-10-01",
        "from September 1, 2026 to the present": "2026-09-01/",
        "From Inception to Present": "/",
    }
    for text, value in cases.items():
        assert [each.value for each in _read(text).windows][:1] == [value], text


def test_dates_have_roles() -> None:
    """The paper's date, the day to answer, a term for something else, and the end of the silence."""
    found = _read(
        "November 3, 2026\nYou are directed to provide the records within 21 business days of receipt.\n"
        "\nYou may object within 10 days.\n\nno later than 2026-11-24\n"
        "You shall not notify the user until December 31, 2026.\n"
    )
    roles = [(each.code, each.value) for each in found.dates]
    assert ("issued", "2026-11-03") in roles
    assert ("due", "2026-11-24") in roles
    assert ("due", "within 21 business days of receipt") in roles
    assert ("term", "within 10 days") in roles
    assert ("silent-until", "2026-12-31") in roles


def test_the_reading_is_a_draft_with_quotes(make: ModuleType) -> None:
    """The example order gives every fact of the demand, each with the words that it rests on."""
    content = make.examples()["order.eml"]
    draft = suggest_reading(read_paper(content, name="order.eml"))
    assert draft["instrument"] == "d_order"
    assert draft["legal_bases"] == ["18 USC 2703(d)", "18 USC 2705(b)"]
    assert draft["issued_on"] == "2026-11-03"
    assert draft["due_on"] == "2026-11-24"
    assert draft["issuer_kind"] == "judge"
    assert draft["targets"] == [
        {"kind": "account", "value": "@eva:fernhill.example"},
        {"kind": "account", "value": "@finn:fernhill.example"},
    ]
    assert (draft["from"], draft["until"]) == ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z")
    silence = draft["nondisclosure"]
    assert isinstance(silence, dict)
    assert silence["basis"] == "18 USC 2705(b)"
    assert silence["until"] == "2027-02-01T00:00:00Z"
    assert silence["certified"] is True
    assert {"signature", "issuer", "date", "identifier", "legal_basis"} <= set(draft["elements"])  # type: ignore[arg-type]  # a list of codes
    assert "content.messages" in draft["categories"]  # type: ignore[operator]  # a list of names
    assert "secrets" not in draft["categories"]  # type: ignore[operator]  # a list of names


def test_words_of_a_stronger_office_make_no_judge_of_a_policeman() -> None:
    """An informal mail of the police that mentions a judge is suggested as the police's."""
    paper = read_paper(b"Please send the data. A district judge will sign later. Northport Police", name="x")
    assert suggest_reading(paper)["issuer_kind"] == "police"


def test_a_paper_without_words_gives_an_empty_draft() -> None:
    """What no word says stays None: no default law, no default instrument, no default window."""
    draft = suggest_reading(read_paper(b"hello", name="x"))
    quiet = {"instrument", "issued_on", "due_on", "from", "until", "nondisclosure", "issuer_kind"}
    assert all(draft[key] is None for key in quiet)
    assert all(draft[key] == [] for key in ("legal_bases", "targets", "categories", "elements", "unreadable"))


def test_several_windows_suggest_none_and_say_so() -> None:
    """Where the paper names two windows the person chooses."""
    draft = suggest_reading(
        read_paper(b"from 2026-01-01 to 2026-01-31 and from 2026-03-01 to 2026-03-31", name="x")
    )
    assert draft["from"] is None
    assert any("several time windows" in str(each) for each in draft["cautions"])  # type: ignore[union-attr]  # a list of sentences


def test_redactions_are_reported_as_unreadable() -> None:
    """A hole in the text is listed with its place, never filled."""
    found = _read(
        "Dear :\nAccount: @mail.example From Inception\n650-253-\n████ and [REDACTED]\nCase Agent  or"
    )
    said = " ".join(found.unreadable)
    for words_ in ("after 'Dear'", "lacks its first part", "cut short", "covered", "after 'Agent'"):
        assert words_ in said
    assert found.identifiers == ()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_signs_without_control_characters(text: str) -> None:
    """No text crashes the search, and no quote carries a character that a terminal obeys."""
    paper = Paper("text", "x", "0" * 64, 0, (Page(1, text),))
    for group in signs(paper).as_json().values():
        for each in group if isinstance(group, list) else []:
            if isinstance(each, dict):
                assert clean(str(each["quote"])) == each["quote"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(WORDS.split()),
        max_size=60,
    )
)
def test_papers_of_legal_words_in_any_order_give_a_draft(pieces: list[str]) -> None:
    """Whatever order the words come in, the draft holds only targets that the vocabulary can name."""
    from dueprocess.demand import Target

    draft = suggest_reading(Paper("text", "x", "0" * 64, 0, (Page(1, " ".join(pieces)),)))
    targets = draft["targets"]
    assert isinstance(targets, list)
    for each in targets:
        assert isinstance(each, dict)
        target = Target(each["kind"], each["value"])  # type: ignore[arg-type]  # the kinds are checked by Target
        assert target.value == each["value"]


@pytest.mark.parametrize("unit", ["18 U.S.C. ", "not ", "a@", "@a:", "from ", "the ", " \n", "account:", "("])
def test_hostile_repetition_stays_fast(unit: str) -> None:
    """No pattern takes more than a few seconds on fifty thousand characters of its own beginning."""
    started = time.perf_counter()
    _read(unit * (50_000 // len(unit)) + "x")
    assert time.perf_counter() - started < 5


def test_every_instrument_has_a_name_and_words() -> None:
    """The table is complete: a title to show and a pattern to find."""
    assert all(title and wanted.pattern for title, wanted in words.INSTRUMENTS.values())
