"""Letters: every sentence that a person needs is there, and no foreign value can forge one."""

import dataclasses
import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.notice import (
    Delay,
    Given,
    Letter,
    NoticeFacts,
    Proof,
    Refused,
    Sender,
    as_pdf,
    render_notice,
)
from notice.replies import Page, printed, squeezed

SENDER = Sender("Chat at Home", "privacy@chat.example", "1 Harbour Street, Exampletown")
COMMAND = "dueprocess verify receipt.json --policy policy.txt --log log"
AFTER = NoticeFacts(
    phase="after",
    sender=SENDER,
    written_on=dt.date(2026, 11, 22),
    addressee="Eva",
    account="@eva:chat.example",
    authority="District Court of Example County",
    instrument="court order",
    legal_basis=("18 USC 2703(d)",),
    checks=("We called the court back on a number from the public directory.",),
    asked=("subscriber.identity", "session.times", "content.messages"),
    refused=(Refused("content.messages", "this paper does not reach content", "18 USC 2703(a)"),),
    given=(Given("subscriber.identity", 1), Given("session.times", 12034)),
    window=(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)),
    received_on=dt.date(2026, 11, 2),
    decided_on=dt.date(2026, 11, 4),
    handed_over_on=dt.date(2026, 11, 20),
    object_to="write to privacy@chat.example",
    object_until=None,
    proof=Proof("receipt.json", COMMAND, "chat.example/dueprocess/1"),
)
BEFORE = dataclasses.replace(
    AFTER,
    phase="before",
    handed_over_on=None,
    object_until=dt.datetime(2026, 12, 2, tzinfo=dt.UTC),
    given=(Given("subscriber.identity"), Given("session.times")),
)
LATE = dataclasses.replace(
    AFTER,
    phase="after_delay",
    delay=Delay(
        "18 USC 2705(b)",
        dt.datetime(2026, 11, 2, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC),
    ),
)
ALL = (BEFORE, AFTER, LATE)


def both(letter: Letter) -> tuple[str, str]:
    """Text and HTML with every run of white space as one space."""
    return " ".join(letter.text.split()), Page(letter.html).text


ALWAYS = (
    "This does not mean that you are accused of anything.",
    "We do not vouch for the paper beyond these checks",
    "We never hand over passwords or keys.",
    "a lawyer; an organisation for digital rights",
    "Object",
    "One sentence is enough.",
    "receipt.json",
    COMMAND,
    "chat.example/dueprocess/1",
    "none (the record is unwitnessed)",
    "Unwitnessed means: nobody but us has confirmed when this was recorded.",
    "The receipt does not prove that the authority's paper is genuine or lawful.",
    "We will never ask for your password.",
    "District Court of Example County",
    "court order",
    "18 USC 2703(d)",
    "@eva:chat.example",
    "what was written or said: this paper does not reach content (source: 18 USC 2703(a))",
    "Only records from 1 September 2026, 00:00 UTC up to, and not including, 1 October 2026, 00:00 UTC.",
    "4 November 2026, by two people",
)


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.phase)
@pytest.mark.parametrize("sentence", ALWAYS)
def test_every_notice_says_what_a_person_must_know(facts: NoticeFacts, sentence: str) -> None:
    """In text and in HTML, whatever the phase."""
    for shown in both(render_notice(facts)):
        assert sentence in shown


@pytest.mark.parametrize(
    ("facts", "says", "never"),
    [
        (
            BEFORE,
            ["Nothing has been handed over yet.", "You can object until 2 December 2026, 00:00 UTC."],
            ["What we handed over", "could not tell you before", "12,034"],
        ),
        (
            AFTER,
            [
                "On 20 November 2026 we handed over",
                "times and lengths of sessions: 12,034 records",
                ": 1 record ",
            ],
            ["Nothing has been handed over", "could not tell you before"],
        ),
        (
            LATE,
            [
                (
                    "We could not tell you before, because an order under 18 USC 2705(b) forbade it from "
                    "2 November 2026, 00:00 UTC until 22 November 2026, 09:00 UTC. The order has ended."
                )
            ],
            ["Nothing has been handed over"],
        ),
    ],
    ids=["before", "after", "after_delay"],
)
def test_each_phase_says_what_is_true_then(facts: NoticeFacts, says: list[str], never: list[str]) -> None:
    """Nothing is promised that has passed, and nothing told that has not happened."""
    for shown in both(render_notice(facts)):
        assert all(sentence in shown for sentence in says)
        assert not any(sentence in shown for sentence in never)


def test_a_notice_that_nothing_was_held_says_so() -> None:
    """No data left, so the letter does not say that any did."""
    facts = dataclasses.replace(AFTER, given=(Given("session.times", 0),))
    for shown in both(render_notice(facts)):
        assert "We hold nothing of what it may have" in shown
        assert "times and lengths of sessions: nothing held" in shown
        assert "we handed over what is listed" not in shown


def test_a_notice_without_refusal_window_or_checks_does_not_invent_them() -> None:
    """Empty facts give no empty list and no false sentence."""
    facts = dataclasses.replace(AFTER, refused=(), window=None, checks=(), object_until=BEFORE.object_until)
    for shown in both(render_notice(facts)):
        assert "We refused nothing: the law named above allows all of what was asked." in shown
        assert "Only records from" not in shown
        assert "What we did to find out" not in shown
        assert "Object, until 2 December 2026, 00:00 UTC" in shown


def test_a_notice_of_which_nothing_remains_lists_nothing() -> None:
    """If two people granted nothing, the list says so."""
    facts = dataclasses.replace(BEFORE, given=())
    for shown in both(render_notice(facts)):
        assert "with success" in shown
        assert re.search(r"with success (-+ \* )?nothing", shown)


def test_witnesses_are_named_and_nothing_is_called_unwitnessed() -> None:
    """The honest warning goes away only when somebody independent has confirmed the log."""
    facts = dataclasses.replace(
        AFTER, proof=dataclasses.replace(AFTER.proof, witnesses=("w1.example", "w2.example"))
    )
    for shown in both(render_notice(facts)):
        assert "w1.example, w2.example" in shown
        assert "unwitnessed" not in shown.lower()


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": "before"},
        {"handed_over_on": None},
        {"delay": LATE.delay},
        {"phase": "after_delay"},
        {"legal_basis": ()},
        {"authority": ""},
        {"phase": "before", "handed_over_on": None, "object_until": None},
    ],
)
def test_facts_that_contradict_each_other_make_no_notice(changes: dict[str, Any]) -> None:
    """A notice cannot be called back, so a half-known one is refused."""
    with pytest.raises(MalformedError):
        dataclasses.replace(AFTER, **changes)


HOSTILE = '<script>alert(1)</script><img src=x onerror="x">'


def hostile(facts: NoticeFacts, value: str) -> NoticeFacts:
    """The same facts with a foreign value in every place that others can write."""
    return dataclasses.replace(
        facts,
        addressee=value,
        account=value,
        authority=value or "x",
        instrument=value or "x",
        legal_basis=(value,),
        checks=(value,),
        asked=(value,),
        refused=(Refused(value, value, value),),
        given=(Given(value, 3),),
        sender=Sender(value, value, value),
        proof=Proof(value, value, value, (value,)),
    )


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.phase)
def test_a_hostile_name_stays_text(facts: NoticeFacts) -> None:
    """Markup in a name is shown, not run."""
    page = Page(render_notice(hostile(facts, HOSTILE)).html)
    assert not {"script", "img", "style"} & set(page.tags)
    assert HOSTILE in page.text


@given(st.text(max_size=30), st.sampled_from(ALL))
@settings(max_examples=60, deadline=None)
def test_no_value_adds_a_heading_or_breaks_a_letter(value: str, facts: NoticeFacts) -> None:
    """Whatever others wrote, the letter is made, and has the headings of the template and no other."""
    plain = Page(render_notice(hostile(facts, "x")).html)
    letter = render_notice(hostile(facts, value))
    assert Page(letter.html).tags.count("h2") == plain.tags.count("h2")
    assert "\n" not in letter.subject
    assert "\r" not in letter.text


@pytest.mark.parametrize(
    "value", ["a\n## Forged\nb", "a\r\n- forged", "a\u2028## x", "## x", "= x:: y", "\u202eevil"]
)
def test_line_breaks_and_direction_marks_are_shown_as_such(value: str) -> None:
    """A name cannot begin a line, nor turn the text around it."""
    letter = render_notice(hostile(AFTER, value))
    assert Page(letter.html).tags.count("h2") == Page(render_notice(AFTER).html).tags.count("h2")
    for mark in ("\u202e", "\u2028", "\r"):
        assert mark not in letter.text + letter.html


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.phase)
def test_letters_hold_no_script_style_or_outside_address(facts: NoticeFacts) -> None:
    """The page obeys a policy of `default-src 'none'; style-src 'self'`."""
    page = Page(render_notice(facts, stylesheet="style.css").html)
    assert not {"script", "style", "img", "iframe", "form"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert "style" not in names
    assert not any(name.startswith("on") for name in names)
    assert [value for name, value in page.attributes if name in ("href", "src")] == ["style.css"]
    assert page.tags.count("h1") == 1


def test_a_letter_without_stylesheet_links_to_nothing() -> None:
    """A letter in a mail stands alone."""
    assert "link" not in Page(render_notice(AFTER).html).tags


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.phase)
def test_the_text_fits_72_columns(facts: NoticeFacts) -> None:
    """Only a command, which must stay on one line, may be longer."""
    lines = render_notice(facts).text.splitlines()
    assert all(len(line) <= 72 for line in lines if not line.startswith("    dueprocess"))


def test_the_subject_does_not_tell_what_was_asked_and_by_whom() -> None:
    """A subject is read on locked screens."""
    subject = render_notice(AFTER).subject
    assert subject == "Legal notice about your account at Chat at Home"


@pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.phase)
def test_a_notice_prints_what_it_says(facts: NoticeFacts) -> None:
    """The engine is the same, so a notice can be sent on paper too."""
    letter = render_notice(facts)
    words = printed(as_pdf(letter))
    assert all(squeezed(block.text) in words for block in letter.sheet.blocks)
