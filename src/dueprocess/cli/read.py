"""`dueprocess read CASE`: a person transcribes the paper; suggestions come with their quotes."""

import secrets
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cli.draft import as_toml, flags_of, questions_of
from dueprocess.cli.paperfile import facts_text
from dueprocess.cli.place import Place, person
from dueprocess.demand.facts import parse_facts
from dueprocess.desk import demands
from dueprocess.desk.desk import Desk
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.intake.paper import read_paper
from dueprocess.intake.reading import suggest_reading
from dueprocess.wire import parse_instant


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
        draft, packs = suggestion(desk, case_id), list(desk.packs.values())
        asked = {
            "questions": [
                {"id": q.id, "text": q.text, "choices": q.choices} for q in questions_of(packs, draft, now)
            ],
            "flags": [{"id": flag.id, "question": flag.question} for flag in flags_of(packs)],
        }
        at.say(as_toml(draft, packs, now), {**draft, **asked})
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


def suggestion(desk: Desk, case_id: str) -> dict[str, Any]:
    """What the literal words of the paper suggest; a person decides."""
    meta = desk.vault.get_json(case_id, "paper-meta")
    return dict(suggest_reading(read_paper(desk.vault.get(case_id, "paper"), name=meta["name"])))
