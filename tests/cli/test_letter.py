"""`dueprocess letter` as a person types it: lists, drafts, letters in every form, what is refused, what is recorded."""

import functools
import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclopts import App

from dueprocess.cli.letter import WHEN, letter_command
from dueprocess.cli.place import Place
from dueprocess.errors import DueprocessError
from dueprocess.history.append import load_case
from dueprocess.notice import LETTERS
from office import EVA, Office

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "letters"
EPOC, ANNEX3 = EXAMPLES / "epoc.toml", EXAMPLES / "annex3.toml"
GUIDE = (ROOT / "docs" / "letters.md").read_text(encoding="utf-8")
ON = "2026-11-22"

type Out = pytest.CaptureFixture[str]


@pytest.fixture
def place(office: Office) -> Place:
    return Place(office.root)


def said(capsys: Out, act: Callable[[], object]) -> str:
    """What a command printed."""
    capsys.readouterr()
    act()
    return capsys.readouterr().out


def refusal(act: Callable[[], object]) -> DueprocessError:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value


def typed(line: str) -> None:
    """Runs one line as the shell would give it to the program."""
    words = shlex.split(line)
    assert words[:2] == ["dueprocess", "letter"]
    app = App(result_action="return_value")
    app.default(letter_command)
    app(words[2:], exit_on_error=False, print_error=False)


# ------------------------------------------------------------------------------------------- without a case


def test_the_list_says_which_letters_fit_and_when(capsys: Out) -> None:
    """First what the assessment offers, then the others, each once with its line."""
    told = said(capsys, lambda: letter_command(facts=EPOC, on=ON))
    fit, others = told.split("\nOthers\n")
    assert fit.startswith("Letters that fit this paper\n")
    assert f"  annex3             {WHEN['annex3']}" in fit
    assert "reciprocal_notice" in others
    assert sorted(re.findall(r"(?m)^  (\w+) ", told)) == sorted(LETTERS)


def test_facts_without_a_case_give_the_form(capsys: Out) -> None:
    """No installation: the code alone after --facts, or anywhere else on the line."""
    told = said(capsys, lambda: letter_command("annex3", facts=EPOC, on=ON, more=ANNEX3))
    assert "[x] the European Production Order to obtain traffic data" in told
    assert told.count("[x]") == 3, "EPOC, the offence, and that the data are kept"
    assert "eva:chat" not in told
    machine = Place(json=True)
    found = json.loads(
        said(capsys, lambda: letter_command("annex3", facts=EPOC, on=ON, more=ANNEX3, place=machine))
    )
    assert found["codes"] == ["unmet.offence_class"]
    assert found["text"].rstrip("\n") == told.rstrip("\n")


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_each_form_is_written_into_its_file(tmp_path: Path, capsys: Out, language: str) -> None:
    """Text, page and PDF by the file's ending; what is printed says nothing of recording without a case."""
    for ending, begin in ((".txt", b"Chat zu Hause"), (".html", b"<!doctype html>"), (".pdf", b"%PDF-")):
        out = tmp_path / f"annex3{ending}"
        write = functools.partial(letter_command, "annex3", facts=EPOC, on=ON, more=ANNEX3, language=language)
        told = said(capsys, functools.partial(write, out=out))
        assert told == f"Written: {out}. Read it, sign it, send it.\n"
        assert out.read_bytes().lower().startswith(begin.lower())
        assert b"eva:chat" not in out.read_bytes()


def test_what_is_missing_is_named_by_key_with_the_way_to_the_draft(capsys: Out) -> None:
    """The refusal names each key that the file lacks, and the draft has each of them marked."""
    error = refusal(lambda: letter_command("annex3", facts=EPOC, on=ON))
    assert error.code == "letter-lacks"
    assert "--draft" in error.do
    printed = said(capsys, lambda: letter_command("annex3", facts=EPOC, on=ON, draft=True))
    for name in ("recipient", "reference", "preserved", "office.email", "sender.contact"):
        assert f"{name} (" in error.why
        assert re.search(rf"(?m)^# {name.rpartition('.')[2]} = .*# NEEDED: ", printed)
    assert "certificate.kind (" not in error.why
    assert 'kind = "EPOC"' in printed


def test_a_letter_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    """The key is named, the known ones beside it, and the draft."""
    more = tmp_path / "more.toml"
    more.write_text("[office]\nmail = 'x'\n")
    error = refusal(lambda: letter_command("annex3", facts=EPOC, on=ON, more=more))
    assert error.code == "bad-letter-file"
    assert "'office.mail'" in error.what
    assert "email" in error.why
    assert "--draft" in error.do


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    """Files that are missing, no text, too large or of no known ending; days; a case beside --facts."""
    bad, big = tmp_path / "bad.toml", tmp_path / "big.toml"
    bad.write_bytes(b"\xff")
    big.write_bytes(b"#" * (2**20 + 1))
    tries = {
        "no-text-file": lambda: letter_command("holding", facts=EPOC, on=ON, more=tmp_path / "none.toml"),
        "bad-text-file": lambda: letter_command("holding", facts=EPOC, on=ON, more=bad),
        "letter-form": lambda: letter_command(
            "annex3", facts=EPOC, on=ON, more=ANNEX3, out=tmp_path / "a.doc"
        ),
        "cannot-write": lambda: letter_command(
            "annex3", facts=EPOC, on=ON, more=ANNEX3, out=tmp_path / "no" / "a.txt"
        ),
        "unknown-letter": lambda: letter_command("thanks", facts=EPOC, on=ON),
        "unknown-language": lambda: letter_command("annex3", facts=EPOC, on=ON, more=ANNEX3, language="tlh"),
        "no-day": lambda: letter_command("annex3", facts=EPOC),
        "bad-day": lambda: letter_command("annex3", facts=EPOC, on="soon"),
        "no-case": lambda: letter_command("3f2a", "annex3", facts=EPOC, on=ON),
    }
    assert {code: refusal(act).code for code, act in tries.items()} == {code: code for code in tries}
    assert refusal(lambda: letter_command("holding", facts=EPOC, on=ON, more=big)).code == "bad-text-file"
    assert refusal(letter_command).code == "no-case"
    assert refusal(lambda: letter_command("annex3", facts=EPOC, on=ON, sent=True)).code == "no-case"


def test_ones_own_packs_and_the_time_of_arrival_count(tmp_path: Path, capsys: Out) -> None:
    """As with `dueprocess assess --facts`: own packs in place of the shipped ones, the day of arrival in their zone."""

    def form(packs: list[Path] | None = None) -> None:
        arrived = "2026-11-20T23:30:00Z"
        letter_command("annex3", facts=EPOC, on=ON, more=ANNEX3, received=arrived, packs=packs)

    assert "Date of receipt of the EPOC/EPOC-PR: 21 November 2026" in said(capsys, form)
    own = ROOT / "rulepacks" / "us" / "sca.toml"
    assert refusal(lambda: form([own])).code == "incomplete-form", "a law that knows no EPOC has no boxes"


REMOVAL = """
kind = "removal"
regime = "eu"
instrument = "tco_removal"
country = "FR"
issuer_kind = "police"
[[target]]
kind = "content_url"
value = "https://forum.example/post/17"
categories = ["content"]
"""


def test_a_removal_order_that_cannot_be_executed_has_its_form(tmp_path: Path, capsys: Out) -> None:
    """The letter `delay` is then Annex III of Regulation (EU) 2021/784, with the minute of arrival in its zone."""
    facts, more = tmp_path / "facts.toml", tmp_path / "more.toml"
    facts.write_text(REMOVAL)
    delay = functools.partial(letter_command, "delay", facts=facts, on=ON, received="2026-11-21T02:00:00Z")
    printed = said(capsys, lambda: delay(draft=True))
    assert "received_at = 2026-11-21T02:00:00Z" in printed
    assert "more_time" not in printed
    begun = printed.replace('# hindrances = ["impossible", "errors"]', 'hindrances = ["errors"]')
    more.write_text(
        begun.replace('# because = "..."', 'because = "It is gone."').replace("# needed", "needed")
    )
    error = refusal(lambda: delay(more=more))
    assert error.code == "letter-lacks"
    assert "office.authorised (" in error.why
    assert "removal.because (" not in error.why
    text = (
        ANNEX3.read_text()
        + '[removal]\nhindrances = ["impossible"]\nbecause = "https://forum.example/post/17 is gone."\n'
    )
    more.write_text(text)
    told = " ".join(said(capsys, lambda: delay(more=more)).split())
    assert "21 November 2026, 03:00 (Europe/Paris)" in told
    assert "[x] force majeure" in told
    assert "https://forum.example/post/17 is gone." in told, "the address of a content is no account"


def test_the_commands_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    """Every line with --facts in docs/letters.md, in its order; and the form that it shows is what is printed."""
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"(?s)```sh\n(.*?)```", GUIDE)
    lines = [line for block in blocks for line in block.splitlines() if "--facts" in line]
    assert len(lines) == 6
    told = [said(capsys, lambda line=line: typed(line)) for line in lines]  # type: ignore[misc]
    (shown,) = re.findall(r"(?s)```text\n(.*?)```", GUIDE)
    assert shown in told[2]
    assert (tmp_path / "annex3.pdf").exists()
    assert (tmp_path / "counsel.pdf").exists()
    assert "is never\n    processable here" in told[4]


def test_the_guide_has_every_letter() -> None:
    """One row each, in the order of the program."""
    assert re.findall(r"(?m)^\| `(\w+)` \|", GUIDE) == list(LETTERS) == list(WHEN)


# ------------------------------------------------------------------------------------------- with a case


def test_a_case_is_written_about_and_the_letter_recorded(
    office: Office, place: Place, tmp_path: Path, capsys: Out
) -> None:
    """Written, read, sent, recorded: once, and only as it went out."""
    case_id, out = office.assessed_case(elements=frozenset({"issuer"})), tmp_path / "deficiency.pdf"
    short = case_id[:8]
    assert (
        "  deficiency         " in said(capsys, lambda: letter_command(short, place=place)).split("Others")[0]
    )
    told = said(capsys, lambda: letter_command(short, "deficiency", language="de", out=out, place=place))
    assert told.splitlines()[1] == "Once it went out, record it: the same command with --sent."
    first = out.read_bytes()
    assert load_case(case_id).letters == ()

    def sent(**changes: object) -> None:
        given = {"language": "de", "out": out, "sent": True, "place": place, **changes}
        letter_command(short, "deficiency", **given)  # type: ignore[arg-type]

    assert refusal(lambda: sent(language="fr")).code == "other-letter"
    assert refusal(lambda: sent(out=tmp_path / "gone.pdf")).code == "no-letter-file"
    assert load_case(case_id).letters == ()
    told = said(capsys, sent)
    assert told == "Recorded: the letter deficiency (de) of 2026-09-03 went out.\n"
    (event,) = load_case(case_id).letters
    missing = {"missing.signature", "missing.identifier"}
    assert set(map(str, event.body["codes"])) == missing  # type: ignore[arg-type]
    assert EVA not in json.dumps(event.as_json())
    assert out.read_bytes() == first
    assert refusal(sent).code == "letter-sent"
    office.wait(days=1)
    assert refusal(sent).code == "other-letter", "it would bear today's date"
    assert refusal(lambda: sent(on="2026-09-03")).code == "letter-sent"
    assert refusal(lambda: sent(on="2026-09-05")).code == "not-yet"


def test_a_list_for_counsel_is_written_and_never_recorded(
    office: Office, place: Place, tmp_path: Path, capsys: Out
) -> None:
    """History, which the authority's receipt shows, does not tell of it."""
    case_id, more = office.assessed_case(), tmp_path / "counsel.toml"
    more.write_text('counsel = "Dana Beispiel"\n')

    def listed(*, sent: bool = False) -> None:
        letter_command(case_id[:8], "motion_checklist", more=more, sent=sent, place=place)

    assert "Checklist for counsel" in said(capsys, listed)
    assert refusal(lambda: listed(sent=True)).code == "for-counsel-only"
    assert load_case(case_id).letters == ()


def test_a_paper_that_nobody_has_read_gets_a_holding_reply(office: Office, place: Place, capsys: Out) -> None:
    """The list says so; the others say what comes first."""
    case_id = office.receive()
    told = said(capsys, lambda: letter_command(case_id[:8], place=place))
    assert told.startswith("Nobody has checked this paper yet. What can always be said\n  holding ")
    assert refusal(lambda: letter_command(case_id[:8], "refusal", place=place)).code == "not-assessed"
    assert refusal(lambda: letter_command(case_id[:8], "holding", place=place)).code == "letter-lacks"


def test_a_draft_of_a_case_is_printed_as_one_value_too(office: Office, place: Place, capsys: Out) -> None:
    """With --json the same text stands under `draft`."""
    case_id = office.assessed_case()
    text = said(capsys, lambda: letter_command(case_id[:8], "annex3", draft=True, place=place))
    machine = Place(office.root, json=True)
    value = json.loads(said(capsys, lambda: letter_command(case_id[:8], "annex3", draft=True, place=machine)))
    assert value == {"letter": "annex3", "draft": text.rstrip("\n")}
    listed = json.loads(said(capsys, lambda: letter_command(case_id[:8], place=machine)))
    assert set(listed["fit"]) | set(listed["others"]) == set(LETTERS)
