"""`dueprocess read CASE`: a person transcribes the paper; suggestions come with their quotes."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cli.place import Place, person
from dueprocess.demand.facts import parse_facts
from dueprocess.desk import demands
from dueprocess.desk.desk import Desk
from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.intake.paper import read_paper
from dueprocess.intake.reading import suggest_reading
from dueprocess.wire import parse_instant

_MOST_BYTES = 2**20


def read_command(
    case: str,
    *,
    facts: Annotated[Path | None, Parameter(help="the transcription, a TOML file")] = None,
    suggest: Annotated[bool, Parameter(help="print a draft with the words it rests on", negative="")] = False,
    place: Place | None = None,
) -> None:
    """Transcribe the paper. The paper stays the truth; identifiers go into the locked case file."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    received = load_case(case_id).received
    assert received is not None
    if suggest:
        draft = suggestion(desk, case_id)
        at.say(as_toml(draft), draft)
        return
    if facts is None:
        raise RefusedError(
            "no-facts",
            "Nothing was transcribed.",
            why="A person reads the paper; the program only suggests.",
            do=f"dueprocess read {case} --suggest > FILE, check every line, then dueprocess read {case} --facts FILE.",
        )
    demand, country = parse_facts(
        facts_text(facts), received_at=parse_instant(received.recorded_at), nonce=secrets.token_bytes(32)
    )
    event = demands.read(desk, case_id, demand, country=country, actor=person(), now=now)
    named = len(demand.scope.items)
    at.say(
        f"Case {case_id[:8]} was read: {demand.instrument}, {named} target{'s' if named != 1 else ''}. "
        "Next: dueprocess assess.",
        {"case": case_id, "event": event.as_json()},
    )


def facts_text(path: Path) -> str:
    """The text of a facts file. Refuses what cannot be read, is larger than any transcription, or is no text."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "no-facts-file",
            f"The facts file {path} cannot be read.",
            why=error.strerror or str(error),
            do="Check the name; `dueprocess read CASE --suggest > FILE` makes a first one.",
        ) from error
    try:
        if len(content) > _MOST_BYTES:
            raise MalformedError(
                "bad-facts", f"{path} is larger than any facts file.", do="Name the TOML file."
            )
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(
            "bad-facts", f"{path} is not a text in UTF-8.", why=str(error), do="Name the TOML file."
        ) from error


def suggestion(desk: Desk, case_id: str) -> dict[str, Any]:
    """What the literal words of the paper suggest; a person decides."""
    meta = desk.vault.get_json(case_id, "paper-meta")
    return dict(suggest_reading(read_paper(desk.vault.get(case_id, "paper"), name=meta["name"])))


def as_toml(draft: dict[str, Any]) -> str:
    """The draft as a facts file: what was found filled in, what was not left for the person, quotes as comments."""
    quotes: dict[str, Any] = draft.get("quotes") or {}
    lines = ["# A draft from the literal words of the paper. Check every line against the paper itself.", ""]
    lines += [f"# {key}: {_quoted(each)}" for key, found in quotes.items() for each in found[:3]]
    lines += [
        "",
        'kind = "disclosure"',
        'regime = "us"          # whose law the paper invokes; never guessed',
    ]
    lines += [f"instrument = {json.dumps(draft.get('instrument') or 'UNKNOWN')}", 'country = "US"']
    lines += [f"issuer_kind = {json.dumps(draft['issuer_kind'])}"] if draft.get("issuer_kind") else []
    listed = ("legal_bases", "elements", "unreadable")
    lines += [f"{key} = {json.dumps(draft.get(key) or [], ensure_ascii=False)}" for key in listed]
    lines += _present(draft, "issued_on", "due_on")
    if not draft.get("targets"):
        lines += ["", *_NO_TARGET]
    for target in draft.get("targets") or []:
        lines += [
            "",
            "[[target]]",
            f"kind = {json.dumps(target['kind'])}",
            f"value = {json.dumps(target['value'])}",
        ]
        lines += [
            f"categories = {json.dumps(draft.get('categories') or [])}",
            *_present(draft, "from", "until"),
        ]
    return "\n".join(lines) + "\n"


_NO_TARGET = (
    "# No account was found in the words of the paper. Name each one that the paper names; if it names",
    "# none, it cannot be read as a demand: ask the authority whom it means.",
    "# [[target]]",
    '# kind = "account"',
    '# value = ""',
    '# categories = ["subscriber.identity"]',
)


def _present(draft: dict[str, Any], *keys: str) -> list[str]:
    return [f"{key} = {draft[key]}" for key in keys if draft.get(key)]


def _quoted(sign: Any) -> str:
    """A quote with its place in words: part, page, line."""
    place: dict[str, Any] = sign["place"]
    part = f"{place['part']}, " if place["part"] else ""
    return f"“{sign['quote']}” ({part}page {place['page']}, line {place['line']})".replace("\n", " ")
