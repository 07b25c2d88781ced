"""Real paper in the demo: National Security Letters that the FBI allowed to be published, read honestly."""

import datetime as dt
import importlib.resources
import secrets
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from dueprocess.cli.demo.stage import Stage
from dueprocess.demand import (
    NONCE_BYTES,
    UNBOUNDED,
    Demand,
    NondisclosureOrder,
    Scope,
    ScopeItem,
    Target,
    expand,
    ordered,
)
from dueprocess.demand.facts import parse_facts
from dueprocess.desk import demands
from dueprocess.errors import UnavailableError
from dueprocess.intake.paper import Paper
from dueprocess.intake.reading import suggest_reading
from dueprocess.law import Assessment
from dueprocess.ui.story import StoryPaper
from dueprocess.wire import parse_instant

CASE = "real paper"
REDACTED = "blacked out in the published copy"


def examples_folder() -> Traversable:
    """The example papers: in the wheel beside the package, in a source tree at its root."""
    packaged = importlib.resources.files("dueprocess") / "examples"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "examples"


def read_letters(stage: Stage) -> list[StoryPaper]:
    """Receives, reads and assesses every letter; says of each what it may obtain and what could not be read."""
    folder = examples_folder() / "nsl"
    letters = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".pdf")), key=lambda each: each.name
    )
    if not letters:
        raise UnavailableError(
            "no-examples", "The example letters are missing.", do="Install the whole package again."
        )
    return [_letter(stage, each) for each in letters]


def _letter(stage: Stage, letter: Traversable) -> StoryPaper:
    path = stage.folder / "papers" / letter.name
    path.write_bytes(letter.read_bytes())
    with stage.telling.step(CASE, "receive", "ana", stage.now) as told:
        case_id, paper = demands.receive(stage.desk, path, channel="letter", actor="ana", now=stage.now)
        told.what, told.event = (
            f"{letter.name}: {len(paper.pages)} pages, case {case_id[:8]}.",
            "DemandReceived",
        )
        told.refs = {"case_id": case_id, "paper_sha256": paper.sha256}
    draft = suggest_reading(paper)
    facts = examples_folder() / "nsl" / "transcribed" / f"{letter.name.removesuffix('.pdf')}.toml"
    if facts.is_file():
        text = facts.read_text(encoding="utf-8")
        demand, _ = parse_facts(text, received_at=stage.now, nonce=secrets.token_bytes(NONCE_BYTES))
        scans: list[str] = draft["unreadable"]  # type: ignore[assignment]  # JSON of our own making
        demand = replace(demand, unreadable=(*demand.unreadable, *scans))
        return _read(stage, case_id, paper, demand, "Typed in from the page images: they have no text layer.")
    if not draft["categories"]:
        return _unread(stage, letter.name, draft)
    how = "Only what stands there literally; the account is blacked out."
    return _read(stage, case_id, paper, _demand(draft, stage.now), how)


def _unread(stage: Stage, name: str, draft: dict[str, Any]) -> StoryPaper:
    """A cover letter that ends a duty of silence; the demand behind it is a scan that nobody transcribed."""
    with stage.telling.step(CASE, "read", "ana", stage.now) as told:
        told.what = f"{name}: {' '.join(draft['cautions']) or 'nothing that asks could be read'}"
        told.reason = "The demand that it speaks of is not in the file. Nothing is guessed."
    general = next(p for p in stage.desk.packs["us.sca"].instruments if p.code == "nsl")
    reach = ordered({category for each in general.reaches for category in each.categories})
    return StoryPaper(
        file=name,
        read=tuple(draft["cautions"]) or ("the cover page only",),
        unreadable=tuple(draft["unreadable"]),
        may=(f"nothing; the letter it speaks of, at most: {', '.join(reach)}",),
        may_not=("anything: it asks for nothing",),
    )


def _read(stage: Stage, case_id: str, paper: Paper, demand: Demand, how: str) -> StoryPaper:
    asked = ordered({category for item in demand.scope.items for category in item.categories})
    with stage.telling.step(CASE, "read", "ana", stage.now) as told:
        event = demands.read(stage.desk, case_id, demand, country="US", actor="ana", now=stage.now)
        told.what = f"{paper.name}: asks {', '.join(asked)}; {len(demand.unreadable)} parts unreadable."
        told.reason, told.event = how, event.kind
    with stage.telling.step(CASE, "assess", "rule packs", stage.now) as told:
        found = demands.assess(stage.desk, case_id, actor="ana", now=stage.now)
        producible = "producible" if found.producible else "nothing can be produced on it"
        told.what = f"Outcome: {found.outcome.code.replace('_', ' ')}; {producible}."
        told.reason = found.notice.text
        cuts = [f.citation for f in found.findings if f.citation and f.kind == "cut"]
        told.source = "; ".join(dict.fromkeys(map(str, cuts)))
        told.event = "DemandAssessed"
    return _story(paper.name, demand, found)


def _demand(draft: dict[str, Any], now: dt.datetime) -> Demand:
    order = draft["nondisclosure"]
    item = ScopeItem(Target("account", REDACTED), expand(draft["categories"]), UNBOUNDED)
    return Demand(
        kind="disclosure",
        regime="us",
        instrument=draft["instrument"],
        scope=Scope(secrets.token_bytes(NONCE_BYTES), (item,)),
        received_at=now,
        issuer_kind=draft["issuer_kind"],
        legal_bases=tuple(draft["legal_bases"]),
        issued_on=dt.date.fromisoformat(draft["issued_on"]) if draft["issued_on"] else None,
        nondisclosure=NondisclosureOrder(
            order["basis"], parse_instant(order["starts_on"]), None, order["certified"]
        )
        if order
        else None,
        elements=frozenset(draft["elements"]),
        unreadable=("the account is blacked out in the published copy", *draft["unreadable"]),
    )


def _story(name: str, demand: Demand, found: Assessment) -> StoryPaper:
    item = found.permitted[0]
    may = ordered(item.categories) if item is not None else []
    asked = demand.scope.items[0].categories
    never = [f"{c} (asked)" for c in ordered(asked - set(may))] + ["content", "traffic", "location"]
    issued = f"{demand.issued_on:%d %B %Y}" if demand.issued_on else "on an unread date"
    return StoryPaper(
        file=name,
        read=(f"issued {issued}", f"asks {', '.join(ordered(asked))}"),
        unreadable=demand.unreadable,
        may=tuple(may) or ("nothing before what is missing is there",),
        may_not=tuple(dict.fromkeys(never)),
    )
