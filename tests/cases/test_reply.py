"""A letter back: what history may know of it, and which order not to tell names no end."""

import dataclasses
import datetime as dt

import pytest

from cases.story import START, Story, assessed_story
from dueprocess.cases.reply import INSIDE, endless_silence, sent
from dueprocess.cases.stages import MOVES, STAGES
from dueprocess.demand import NondisclosureOrder
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.wire import Json, sha256_hex

ONE, TWO = sha256_hex(b"one letter"), sha256_hex(b"another letter")
NO_END = NondisclosureOrder("18 USC 2709(c)", START, None)


def with_letter(story: Story, digest: str = ONE) -> Story:
    return story.tell(
        *sent(story.case, "deficiency", language="de", letter_sha256=digest, codes=["missing.date"])
    )


def test_a_letter_leaves_kind_language_digest_and_codes() -> None:
    """Nothing else of it stands in history, and each code once, in order."""
    story = assessed_story()
    (draft,) = sent(story.case, "annex3", language="fr", letter_sha256=ONE, codes=["b", "a", "b"])
    assert draft.kind == "LetterSent"
    assert draft.body == {"letter": "annex3", "language": "fr", "letter_sha256": ONE, "codes": ["a", "b"]}


def test_a_letter_changes_no_stage_and_may_go_out_at_every_one_but_the_last() -> None:
    """A holding reply before anyone has read the paper, a request for an end after the case is closed."""
    story = Story().received()
    assert with_letter(story).case.stage == "received"
    assert [each.text("language") for each in story.case.letters] == ["de"]
    assert MOVES["LetterSent"] == (frozenset(STAGES) - {"erased"}, None)


def test_the_same_letter_is_recorded_once() -> None:
    """The digest says that it is the same; another one may follow."""
    story = with_letter(assessed_story())
    with pytest.raises(ConflictError, match="recorded as sent already"):
        with_letter(story)
    assert len(with_letter(story, TWO).case.letters) == 2


def test_a_list_for_counsel_is_never_recorded() -> None:
    """The authority's receipt shows which letters went out, and this one is not for it."""
    assert set(INSIDE) == {"motion_checklist"}
    with pytest.raises(RefusedError, match="own counsel"):
        sent(assessed_story().case, "motion_checklist", language="en", letter_sha256=ONE, codes=[])


def test_an_order_without_an_end_is_silence_without_an_end() -> None:
    """Before the paper was read, without an order, or with its end named, there is none."""
    until = START + dt.timedelta(days=90)
    assert not endless_silence(Story().received().case)
    assert not endless_silence(assessed_story().case)
    read = Story().received().verified()
    assert endless_silence(read.read("@eva:chat.example", nondisclosure=NO_END).case)
    ending = dataclasses.replace(NO_END, until=until)
    assert not endless_silence(
        Story().received().verified().read("@eva:chat.example", nondisclosure=ending).case
    )


def test_a_later_paper_ends_the_silence_for_its_target_only() -> None:
    """As long as one target's order names no end, its end is asked for; an erased case owes nothing."""
    case = (
        Story()
        .received()
        .verified()
        .read("@eva:chat.example", "@finn:chat.example", nondisclosure=NO_END)
        .case
    )
    body: dict[str, Json] = {"target": "t1", "document": {"ended": True, "until": None}, "signatures": []}
    change = dataclasses.replace(case.events[-1], kind="SilenceChanged", body=body)
    one = {**case.targets, "t1": dataclasses.replace(case.targets["t1"], silence=change)}
    assert endless_silence(dataclasses.replace(case, targets=one))
    both = {ref: dataclasses.replace(state, silence=change) for ref, state in case.targets.items()}
    assert not endless_silence(dataclasses.replace(case, targets=both))
    assert not endless_silence(dataclasses.replace(case, erased=case.events[-1]))
