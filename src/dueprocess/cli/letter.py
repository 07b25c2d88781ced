"""`dueprocess letter CASE CODE`: write back to whoever sent the paper, in three languages, as text, HTML or PDF."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cases.case import Case
from dueprocess.cli.paperfile import OwnPacks, ReceivedAt, day_of, packs_of, paper_of, small_text
from dueprocess.cli.place import Place, person
from dueprocess.desk import letterground, replies
from dueprocess.desk.desk import Desk
from dueprocess.desk.letterfile import parse_letter_file
from dueprocess.desk.letterground import Ground
from dueprocess.desk.replies import Written
from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.law.pack import LetterCode
from dueprocess.notice import LETTERS, Letter, as_pdf

WHEN: dict[LetterCode, str] = {
    "holding": "at once: the paper arrived and is being checked; decides nothing",
    "deficiency": "something is missing that the authority can send",
    "delay": "the check takes longer than the time given; for a removal order, the form of its law",
    "redirect": "the paper has no force here: no law behind it, or another State's order",
    "refusal": "you cannot comply: what is asked is not within the law that is named",
    "objection": "a binding order asks too much, and you contest it",
    "annex3": "an EPOC or EPOC-PR cannot be executed: the Regulation's own form, boxes from the assessment",
    "reciprocal_notice": "a National Security Letter forbids to tell: make the Government ask a court",
    "end_of_silence": "an order not to tell names no end: after 365 days, then every 90",
    "motion_checklist": "for your own counsel, confidential: which motion; it never goes to the authority",
    "private_party": "a private person, a company or their lawyer asks for data about a user",
}
"""Letter → when to use it."""
_FORMS: dict[str, Callable[[Letter], bytes]] = {
    ".txt": lambda letter: letter.text.encode(),
    ".html": lambda letter: letter.html.encode(),
    ".pdf": as_pdf,
}


@dataclass(frozen=True, slots=True)
class Rested:
    """What a letter rests on, the day that it bears, and the case, if there is one."""

    ground: Ground
    on: dt.date
    case: tuple[Desk, Case, dt.datetime] | None = None


def letter_command(  # noqa: PLR0913  the options of a command are its interface
    case: str | None = None,
    code: str | None = None,
    *,
    language: Annotated[str, Parameter(help="en, de or fr")] = "en",
    out: Annotated[
        Path | None, Parameter(help="write it into this file: .txt, .html or .pdf; default: print its text")
    ] = None,
    more: Annotated[
        Path | None, Parameter(help="what the case does not know, a TOML file; --draft prints a first one")
    ] = None,
    draft: Annotated[
        bool, Parameter(help="print that file for this letter, with what is known filled in", negative="")
    ] = False,
    sent: Annotated[
        bool,
        Parameter(
            help="record that you have sent this letter: same file, same --on; with --out the file is compared",
            negative="",
        ),
    ] = False,
    on: Annotated[str | None, Parameter(help="the day that the letter bears; default: today")] = None,
    facts: Annotated[
        Path | None, Parameter(help="without a case: a facts file, by the shipped packs; needs --on")
    ] = None,
    received: ReceivedAt = None,
    packs: OwnPacks = None,
    place: Place | None = None,
) -> None:
    """Write a letter about a case; without CODE, list the letters and when to use them. Nothing is sent from here.

    With --facts FILE --on DATE there is no case: name only the CODE.
    """
    at = place or Place()
    if facts is not None:
        code, case = (code, case) if code is not None else (case, None)
        _refuse_case(case, sent=sent)
        rested = _of_facts(facts, day_of(on), received, packs)
    else:
        rested = _of_case(at, case, on)
    if code is None:
        _list(at, rested.ground)
        return
    chosen = replies.letter_code(code)
    if draft:
        lines = replies.draft(rested.ground, chosen, rested.on)
        at.say(lines, {"letter": chosen, "draft": "\n".join(lines)})
        return
    given = parse_letter_file(small_text(more, do=replies.DRAFT_HELP)) if more is not None else {}
    written = replies.compose(rested.ground, chosen, given, language=language, on=rested.on)
    if sent:
        _record(at, rested, written, out)
    else:
        _give(at, written, out, stored=rested.case is not None)


def _of_case(at: Place, case: str | None, on: str | None) -> Rested:
    if case is None:
        raise RefusedError(
            "no-case",
            "A letter is about a paper.",
            do="Name a case and a letter: dueprocess letter CASE holding. Without a case: --facts FILE --on DATE.",
        )
    desk, now = at.open()
    found = load_case(at.case(case))
    ground = letterground.of_case(desk, found)
    today = now.astimezone(ground.zone).date()
    day = day_of(on) if on is not None else today
    if day > today:
        raise RefusedError(
            "not-yet", f"A letter is not dated ahead: today is {today}.", do="Leave --on away."
        )
    return Rested(ground, day, (desk, found, now))


def _refuse_case(case: str | None, *, sent: bool) -> None:
    if case is not None or sent:
        raise RefusedError(
            "no-case",
            "With --facts there is no case: nothing is stored, and nothing can be recorded as sent.",
            do="Name only the letter, or leave --facts away and name the case.",
        )


def _of_facts(facts: Path, day: dt.date, received: str | None, packs: list[Path] | None) -> Rested:
    return Rested(letterground.of_paper(paper_of(facts, day, received), packs_of(packs), day), day)


# ------------------------------------------------------------------------------------------- what comes out


def _list(at: Place, ground: Ground) -> None:
    fit = replies.offered(ground)
    other = [each for each in LETTERS if each not in fit]
    checked = ground.assessment is not None
    lines = [
        "Letters that fit this paper"
        if checked
        else "Nobody has checked this paper yet. What can always be said"
    ]
    lines += [f"  {each:<19}{WHEN[each]}" for each in fit]
    lines += ["", "Others", *(f"  {each:<19}{WHEN[each]}" for each in other)]
    at.say(lines, {"fit": list(fit), "others": other, "when": WHEN})


def _give(at: Place, written: Written, out: Path | None, *, stored: bool) -> None:
    found = _described(written)
    if out is None:
        at.say(written.letter.text, {**found, "text": written.letter.text})
        return
    _write(out, _as_file(written.letter, out))
    then = ["Once it went out, record it: the same command with --sent."] if stored else []
    at.say([f"Written: {out}. Read it, sign it, send it.", *then], {**found, "file": str(out)})


def _record(at: Place, rested: Rested, written: Written, out: Path | None) -> None:
    assert rested.case is not None
    desk, case, now = rested.case
    if out is not None:
        _compare(out, _as_file(written.letter, out))
    event = replies.sent(desk, case, written, actor=person(), now=now)
    at.say(
        f"Recorded: the letter {written.code} ({written.language}) of {rested.on} went out.",
        {**_described(written), "case": case.case_id, "event": event.as_json()},
    )


def _described(written: Written) -> dict[str, Any]:
    return {
        "letter": written.code,
        "language": written.language,
        "subject": written.letter.subject,
        "codes": list(written.codes),
    }


def _as_file(letter: Letter, out: Path) -> bytes:
    form = _FORMS.get(out.suffix.lower())
    if form is None:
        raise RefusedError(
            "letter-form",
            f"No letter is written as {out.suffix or 'a file without ending'}.",
            do=f"End the name of the file with one of: {', '.join(_FORMS)}.",
        )
    return form(letter)


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise UnavailableError(
            "cannot-write",
            f"The letter cannot be written into {out}.",
            why=error.strerror or str(error),
            do="Name a file in a folder that exists and that you may write to.",
        ) from error


def _compare(out: Path, content: bytes) -> None:
    """Refuses to record another letter than the one in the file that went out."""
    try:
        same = out.read_bytes() == content
    except OSError as error:
        raise UnavailableError(
            "no-letter-file",
            f"{out} cannot be read.",
            why=error.strerror or str(error),
            do="Name the file that you sent, or leave --out away.",
        ) from error
    if not same:
        raise ConflictError(
            "other-letter",
            f"The letter in {out} is not the one that would be recorded.",
            why="Its day, its words or what the case knows differ.",
            do="Give the day that it bears with --on, and the same --more and --language as then.",
        )
