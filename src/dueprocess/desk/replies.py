"""Letters back to whoever sent the paper: written from what is known and what a person adds, and recorded once sent.

What a letter says of the law comes from the assessment. Nothing is sent from here: a person signs and sends, and says
so afterwards.
"""

import datetime as dt
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dueprocess.cases.case import Case
from dueprocess.cases.events import Event
from dueprocess.cases.reply import endless_silence
from dueprocess.desk import letterground
from dueprocess.desk.desk import Desk
from dueprocess.desk.letterfacts import facts_of, stated
from dueprocess.desk.letterfile import KEYS, Need, Values, drafted, need
from dueprocess.desk.letterground import REMOVAL, Ground
from dueprocess.errors import ConflictError, MalformedError, RefusedError
from dueprocess.law.pack import LetterCode
from dueprocess.notice import LETTERS, Letter, end_of_silence_due, write_letter
from dueprocess.steps import reply as steps
from dueprocess.vault import Vault
from dueprocess.wire import sha256_hex

DRAFT_HELP = "The same command with --draft > FILE prints what belongs there; then name it with --more FILE."
_FROM_LAW: frozenset[LetterCode] = frozenset({"deficiency", "refusal", "objection", "annex3"})
"""Letters that say what the assessment found."""
_SHORTEST = 4
"""A shorter name of an account occurs in other words too often to be looked for."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished letter with what history may know of it."""

    code: LetterCode
    language: str
    letter: Letter
    codes: tuple[str, ...]
    """Of the findings that it states, and of the boxes that a person ticked."""


def letter_code(name: str) -> LetterCode:
    """The letter of this code. Refuses another name."""
    for code in LETTERS:
        if code == name:
            return code
    raise RefusedError(
        "unknown-letter", f"There is no letter {name[:40]!r}.", do=f"Choose one of: {', '.join(LETTERS)}."
    )


def offered(ground: Ground) -> tuple[LetterCode, ...]:
    """The letters that the assessment offers; before one, what can always be said."""
    return ground.assessment.letters if ground.assessment is not None else ("holding",)


def draft(ground: Ground, code: LetterCode, on: dt.date) -> list[str]:
    """The letter file for one letter, with what is known filled in."""
    wanted = _need(ground, code, {})
    notes = [
        f"What the letter {code} needs besides what is known. Fill in each line marked NEEDED and take its # away.",
        "Texts are printed as they stand, so write them in the language of the letter. Name no user anywhere.",
        f"Known: {ground.instrument or 'the paper has no name yet'}; arrived on {ground.received_on}; dated {on}.",
    ]
    clocks = [each.id for each in ground.assessment.clocks if each.due_at] if ground.assessment else []
    if "more_time.clocks" in wanted.used:
        notes.append(f"Time limits that run: {', '.join(clocks) or 'none with a date'}.")
    return drafted(wanted, _known(ground, code), notes)


def compose(ground: Ground, code: LetterCode, more: Values, *, language: str, on: dt.date) -> Written:
    """The letter, dated ``on``. Refuses what is incomplete, naming the keys, and a word that names an account."""
    if code in _FROM_LAW and ground.assessment is None:
        raise RefusedError(
            "not-assessed",
            "Nobody has checked this paper yet, so there is nothing for this letter to say.",
            do="Run dueprocess read and dueprocess assess; or write the letter `holding`.",
        )
    if code == "end_of_silence":
        _refuse_ending(ground)
    values = {**_known(ground, code), **more}
    _require(_need(ground, code, more), values)
    _refuse_names(ground.accounts, values)
    facts = facts_of(ground, code, values, on)
    try:
        letter = write_letter(code, facts, language=language)
    except MalformedError as error:
        raise MalformedError(
            error.code,
            error.what,
            why=error.why,
            do=f"What it says of the law comes from the assessment: dueprocess assess. The rest is yours. {DRAFT_HELP}",
            source=error.source,
        ) from error
    return Written(code, language, letter, stated(ground, code, values))


def _known(ground: Ground, code: LetterCode) -> Values:
    """What is known for this letter: one to a private party does not go to the authority."""
    return {k: each for k, each in ground.known.items() if k != "recipient" or code != "private_party"}


def _need(ground: Ground, code: LetterCode, more: Values) -> Need:
    law = any(name.startswith("third_country.") for name in more) or "reasons.third_country" in more
    removal = ground.instrument_code == REMOVAL or any(name.startswith("removal.") for name in more)
    return need(code, removal=removal, third_country=law)


def _require(wanted: Need, values: Values) -> None:
    missing = [name for name in wanted.used if name in wanted.must and name not in values]
    if missing:
        raise MalformedError(
            "letter-lacks",
            "This letter needs what only you know.",
            why=f"Missing: {'; '.join(f'{name} ({KEYS[name].words})' for name in missing)}.",
            do=DRAFT_HELP,
        )


def _refuse_ending(ground: Ground) -> None:
    if ground.silence_ends:
        raise RefusedError(
            "order-has-end",
            "The order not to tell names its end, or was lifted.",
            why="This letter asks for the end of an order that names none.",
            do="Wait for its end; the user is told then.",
        )


def _refuse_names(accounts: Iterable[str], values: Values) -> None:
    """Refuses a letter that a person's own words, or those of the paper, would let name an account."""
    words = [(name, _plain(text)) for name, value in values.items() for text in _texts(value)]
    for account in accounts:
        sought = re.sub(r"^\W+", "", _plain(account))
        named = re.compile(rf"(?<!\w){re.escape(sought)}(?!\w)")
        found = [name for name, text in words if len(sought) >= _SHORTEST and named.search(text)]
        found = [name for name in found if not name.startswith("sender.")]
        if found:
            raise RefusedError(
                "names-account",
                "A letter never names an account that the paper asks about.",
                why=f"It stands in: {', '.join(found)}. A letter can be read by people who have not seen the paper.",
                do="Say it without the name; the authority knows whom its own paper means.",
            )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _texts(value: object) -> list[str]:
    if isinstance(value, tuple):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


# ------------------------------------------------------------------------------------------- sent, owed


def sent(desk: Desk, case: Case, written: Written, *, actor: str, now: dt.datetime) -> Event:
    """Records that a letter went out: its text into the vault, its digest and codes into history.

    Refuses the same letter once more, and a case that somebody changed since.
    """
    text = written.letter.text.encode()
    for earlier in case.letters:
        if _stored_text(desk.vault, earlier) == text:
            raise ConflictError(
                "letter-sent",
                f"This letter was recorded as sent at {earlier.recorded_at}.",
                why="Every word of it is the same.",
                do="A new letter bears a new date; look at the case with dueprocess show.",
            )
    # Behind random bytes, as a notice is: nobody can confirm by the digest what a letter says, even after erasure.
    stored = secrets.token_bytes(32) + text
    digest = sha256_hex(stored)
    desk.vault.put(case.case_id, f"letter:{digest}", stored)
    return steps.sent(
        case.case_id,
        desk.hand(actor, now, case.case_id),
        written.code,
        language=written.language,
        letter_sha256=digest,
        codes=written.codes,
        expected=case.last_seq,
    )


def _stored_text(vault: Vault, event: Event) -> bytes:
    return vault.get(event.case_id, f"letter:{event.text('letter_sha256')}")[32:]


def owed_letters(desk: Desk, case: Case, now: dt.datetime) -> Sequence[str]:
    """The letters that are due now whatever else the case needs, as lines for `dueprocess next`.

    One kind: the end of an order not to tell that names none is asked for after a year, then again and again, also when
    the case is closed.
    """
    if not endless_silence(case):
        return []
    try:
        ground = letterground.of_case(desk, case)
    except RefusedError:  # an assessment that does not hold any more; `dueprocess next` says so itself
        ground = letterground.of_case(desk, case, checked=False)
    began = ground.known["silence.began_on"]
    assert isinstance(began, dt.date)
    if now.astimezone(ground.zone).date() < end_of_silence_due(began, ground.asked):
        return []
    short = case.case_id[:8]
    ask = "ask again" if ground.asked else "ask"
    return [
        f"{short}  an order not to tell names no end, {ask} for it: dueprocess letter {short} end_of_silence",
    ]
