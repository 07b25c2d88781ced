"""The life of a demand through the real command line: two people, one court, one platform, one simulated clock.

The story is typed once; each test then looks at one part of what was said. The first target of the demand goes
its way in words, the second through `--json`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from journeys.story import DAY, Story, tell_story
from journeys.typed import called, settings, typed
from office import EVA, FINN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Types the whole life of a demand."""
    return tell_story(tmp_path_factory.mktemp("desk"))


# ------------------------------------------------------------------------------------------- what was said

SENTENCES: dict[str, tuple[int, str]] = {
    "init": (0, "Next: dueprocess enrol authority"),
    "no clock": (6, "The simulated clock of this installation cannot be read."),
    "datamap check without credentials": (4, "needs PLATFORM_DSN, which is not set"),
    "datamap check": (0, "The map fits the live stores."),
    "enrol key": (0, "Whoever copies the file can sign."),
    "enrol person": (0, "Enrolled ana as intake; counts from 24 hours after"),
    "enrol authority": (0, "Enrolled the authority a-court: answers are encrypted to its age key."),
    "next at first": (
        0,
        "Rules: No counsel has reviewed: baseline, us.reverse, us.sca.\n\nNothing needs you now.",
    ),
    "cases at first": (0, "No cases yet."),
    "log at first": (0, "1 leaf, signed by init; no epoch has closed yet"),
    "fsck at first": (0, "Everything fits: 0 cases, the rosters"),
    "triage": (0, "court order under 18 USC 2703(d)"),
    "receive": (0, "(mail, 1 page)"),
    "authenticate by mail": (0, "doubted: nothing can be decided yet"),
    "authenticate by call": (0, "the requester is verified."),
    "read": (0, "was read: d_order, 2 targets. Next: dueprocess assess."),
    "assess": (0, "Content needs a warrant"),
    "narrow": (0, "cut content.messages: 2703.content-needs-warrant"),
    "propose": (0, f"Disclose about {EVA}"),
    "look before signing": (0, "Nothing was signed."),
    "approve by the proposer": (3, "Nobody approves their own proposal."),
    "approve": (0, "Approved by two."),
    "produce before sealing": (3, "No epoch is closed yet."),
    "notify before sealing": (3, "Nothing of this case is in the log yet."),
    "worker seals": (0, "t1: told the user (before)"),
    "produce while the user may object": (3, "The user may object until"),
    "production worker waits": (0, "waits: The user may object until"),
    "produce": (0, "main.sessions: found "),
    "deliver before sealing": (3, "Nothing is disclosed that was not sealed in the log first."),
    "deliver": (0, "Handed over: first.tar.age"),
    "close too early": (3, "notice"),
    "notify": (0, "The user of t1 was told (after)."),
    "notify again": (0, "Nothing is owed to the user of t1 now: this user was told everything."),
    "close": (0, "is closed: complied in part"),
    "show": (0, "t1: delivered; user told: before, after"),
    "challenge open": (0, "is held."),
    "challenge close": (0, "is no longer held."),
    "reject": (0, "is refused: nothing is handed over for it."),
    "verify": (0, "This receipt holds. Log: chat.example/dueprocess/1"),
    "verify with the log": (0, "contains every one of these records, and only grew"),
    "cases": (0, "finished"),
    "cases closed": (0, "finished"),
    "report too early": (3, "can be published from"),
    "report": (0, "fewer than 10 demands"),
    "report again": (0, "fewer than 10 demands"),
    "verify the report": (0, "is what its register gives"),
    "fsck": (0, "Everything fits: 2 cases, the rosters"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_each_command_says_what_matters(story: Story, name: str) -> None:
    """The exit code and the sentence that a person needs at that moment; never a traceback."""
    code, sentence = SENTENCES[name]
    said = story.said[name]
    assert said.code == code, said
    assert sentence in said.out + said.err, said
    assert "Traceback" not in said.err


def test_a_refusal_goes_to_standard_error_with_what_to_do(story: Story) -> None:
    """What a script reads stays clean; what a person reads says what, what to do, and the source of the rule."""
    for said in story.said.values():
        if said.code == 3 and "--json" not in said.words:
            assert said.out == ""
            assert "What to do: " in said.err, said


JSON_COMMANDS = [
    "init json", "datamap check json", "enrol key json", "enrol person json", "enrol list json", "triage json",
    "cases json", "suggest json", "narrow json", "propose json", "approve json", "notify before", "produce json",
    "production worker json", "next produced", "deliver json", "notify json", "show json", "receive json",
    "authenticate json", "read json", "assess json", "challenge open json", "challenge close json", "close json",
    "verify json", "report json", "log json", "fsck json",
]  # fmt: skip


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_json_is_exactly_one_value(story: Story, name: str) -> None:
    """With --json standard output is one JSON value, whether the command did it or refused."""
    said = story.said[name]
    assert said.code == (3 if name == "report json" else 0) or said.value, said
    assert said.value is not None


def test_a_refusal_in_json_has_its_family(story: Story) -> None:
    """The error's five parts are one value too, and the text still stands on standard error."""
    said = called("show", "ffffffff", "--json", environment=settings(story.install))
    assert said.code == 3
    assert set(said.value["error"]) == {"family", "code", "what", "why", "do", "source"}
    assert said.value["error"]["code"] == "no-such-case"
    assert said.err.startswith("Refused: ")


NEXT: dict[str, Callable[[Story], list[str]]] = {
    "next received": lambda s: [
        f"call back, then dueprocess authenticate {s.case} --finding called_back --authority ID",
        f"dueprocess read {s.case} --suggest",
    ],
    "next verified": lambda s: [f"dueprocess read {s.case} --suggest"],
    "next read": lambda s: [f"dueprocess assess {s.case}"],
    "next assessed": lambda s: [f"dueprocess narrow {s.case} t1", f"dueprocess narrow {s.case} t2"],
    "next narrowed": lambda s: [f"dueprocess propose {s.case} t1", f"dueprocess propose {s.case} t2"],
    "next proposed": lambda s: [
        f"a second person: dueprocess approve {s.case} t1",
        f"dueprocess propose {s.case} t2",
    ],
    "next approved": lambda _: [],
    "next produced": lambda s: [
        f"dueprocess deliver {s.case} t1 --to FILE",
        f"dueprocess deliver {s.case} t2 --to FILE",
    ],
    "next delivered": lambda s: [f"dueprocess close {s.case}"],
    "next closed": lambda _: [],
    "next challenged": lambda s: [
        f"an objection is open: dueprocess challenge close {s.second} t1",
        f"a second person: dueprocess approve {s.second} t2",
    ],
    "next refused": lambda s: [f"dueprocess close {s.second}"],
}


@pytest.mark.parametrize("moment", NEXT)
def test_next_names_the_right_command(story: Story, moment: str) -> None:
    """At every stage `next` lists the command that a person types then, and nothing that the worker does itself."""
    found = [re.sub(r"^[0-9a-f]{8} +", "", line) for line in story.said[moment].value["todo"]]
    assert found == NEXT[moment](story)


# ------------------------------------------------------------------------------------------- what it did


def test_the_draft_can_be_typed_in_again(story: Story) -> None:
    """What --suggest prints is a facts file as it stands: the same words of the paper, in TOML."""
    draft = story.said["suggest"].out
    assert f'value = "{EVA}"' in draft
    assert 'instrument = "d_order"' in draft
    assert "from = 2026-08-10T00:00:00Z" in draft
    assert draft.splitlines()[0].startswith("# A draft")


def test_an_enrolled_person_counts_only_after_a_day(story: Story) -> None:
    """The cooling-off is visible: founders are active, a fresh enrolment is not."""
    standing = {each["id"]: each["active"] for each in story.said["enrol list json"].value}
    assert standing["boris"]
    assert standing["chi"]
    assert not standing["ana"]
    assert not standing["dana"]


def test_who_approves_reads_before_signing(story: Story) -> None:
    """`approve --show` prints the open decision with account, data, window and recipient, and signs nothing."""
    shown = story.said["look before signing"].out
    assert EVA in shown
    assert "2026-08-10T00:00:00Z to 2026-09-21T00:00:00Z" in shown
    assert "a-court (age1" in shown
    events = story.said["show json"].value["events"]
    approvals = [e for e in events if e["kind"] == "DecisionApproved"]
    assert [e["actor"] for e in approvals] == ["chi", "chi"]


def test_what_was_delivered_opens_with_the_officers_key_only(story: Story) -> None:
    """The file holds the account's sessions, none of the other account's and no message."""
    plain = pyrage.decrypt((story.folder / "first.tar.age").read_bytes(), [story.officer])
    assert b"192.0.2.80" in plain
    assert FINN.encode() not in plain
    assert b"canary words" not in plain
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt((story.folder / "first.tar.age").read_bytes(), [pyrage.x25519.Identity.generate()])


def test_the_case_tells_its_whole_life(story: Story) -> None:
    """Every event in order, with who did it; identifiers stay in the locked case file."""
    shown = story.said["show"].out
    kinds = [event["kind"] for event in story.said["show json"].value["events"]]
    assert kinds[:3] == ["DemandReceived", "RequesterDoubted", "RequesterVerified"]
    assert kinds[-2:] == ["CaseClosed", "CaseRegistered"]
    assert kinds.count("DataProduced") == kinds.count("ParcelDelivered") == 2
    assert EVA not in shown
    assert EVA not in story.said["show json"].out


def test_the_letter_waits_in_the_outbox_with_its_proof(story: Story) -> None:
    """Each user gets a letter before production and one after, each with a receipt and the policy to check it."""
    for ref in ("t1", "t2"):
        for phase in ("before", "after"):
            names = {
                each.name for each in (story.install / "outbox" / f"{story.case}-{ref}-{phase}").iterdir()
            }
            assert names == {"notice.txt", "notice.html", "receipt.json", "policy.txt", "style.css"}


def test_an_upheld_objection_ends_it(story: Story) -> None:
    """The decision is withdrawn, the rejected target is refused, and the case closes as rejected."""
    shown = called("show", story.second, "--json", environment=settings(story.install)).value
    kinds = [event["kind"] for event in shown["events"]]
    assert "DecisionWithdrawn" in kinds
    assert "DecisionRejected" in kinds
    assert "DataProduced" not in kinds
    assert story.said["close json"].value["outcome"] == "rejected"


def test_a_facts_file_is_assessed_without_an_installation(story: Story, tmp_path: Path) -> None:
    """`assess --facts FILE --on DATE` needs no installation, stores nothing, and says the same as the case."""
    day = (story.now - DAY).date().isoformat()
    words: list[str | Path] = ["assess", "--facts", story.folder / "facts.toml", "--on", day]
    said = typed(*words, "--json", environment=settings(None), folder=tmp_path)
    assert said.code == 0, said
    ours: Any = story.said["assess json"].value
    for key in ("outcome", "producible", "instrument", "legal_basis", "findings"):
        assert said.value[key] == ours[key]
    assert list(tmp_path.iterdir()) == []
    assert called(*words, environment=settings(None)).out.startswith("Permit subset. ")
    assert called(*words, "--explain", environment=settings(None)).out.startswith("Assessed on ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["packs", "list"], "us.sca"),
        (["packs", "explain", "us.sca", "subpoena"], "18 USC 2703"),
        (["datamap", "list"], "synapse"),
        (["datamap", "show"], "main.sessions"),
    ],
)
def test_what_the_program_knows_can_be_read(story: Story, words: list[str], sentence: str) -> None:
    """Rule packs and the data map are pages to read, in words and as one JSON value."""
    said = called(*words, environment=settings(story.install))
    assert said.code == 0, said
    assert sentence in said.out
    assert called(*words, "--json", environment=settings(story.install)).value


def test_the_manual_names_every_command(story: Story) -> None:
    """`dueprocess --help` reads like a manual page, and every command explains itself."""
    page = typed("--help", environment=settings(None), folder=story.folder)
    assert page.code == 0
    for word in ("NAME", "SYNOPSIS", "EXIT STATUS", "Nothing here is legal advice."):
        assert word in page.out
    for name in re.findall(r"^    ([a-z]+) {2,}", page.out, flags=re.MULTILINE):
        said = called(name, "--help", environment=settings(None))
        assert said.code == 0, said
        assert f"Usage: dueprocess {name}" in said.out
