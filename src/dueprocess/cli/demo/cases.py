"""The two fictional cases of the demo, verb by verb, through the same desk that every entry point uses."""

import datetime as dt
import secrets
from pathlib import Path
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cli.demo import cast, papers
from dueprocess.cli.demo.stage import COURT, EPOCH_HOURS, GRAND_JURY, Stage
from dueprocess.cli.produce import run_production
from dueprocess.demand import Demand, Period, ordered
from dueprocess.desk import closing, decisions, demands, handover
from dueprocess.errors import DueprocessError
from dueprocess.history.append import load_case
from dueprocess.intake.paper import open_paper
from dueprocess.intake.triage import triage
from dueprocess.law import explain_assessment

FIRST, SECOND = "case 1", "case 2"
SILENT_DAYS = 14
SMALL = frozenset({"subscriber", "session"})
"""What a person leaves of the second target: less than the law would permit."""


def refused(act: Any) -> DueprocessError | None:
    """The refusal that an attempt meets, or None where nothing stopped it."""
    try:
        act()
    except DueprocessError as error:
        return error
    return None


def arrive(stage: Stage, name: str, file: str, content: bytes, channel: str) -> str:
    """Receives a paper: its bytes into the locked case file, its digest into history."""
    path = stage.folder / "papers" / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    page = triage(open_paper(path))
    with stage.telling.step(name, "triage", "ana", stage.now) as told:
        seems: Any = page.as_json()["seems"]
        told.what = f"{file} seems to be: {', '.join(each['value'] for each in seems) or 'nothing known'}."
        told.reason = "Words of the paper, each with its place; it never says that a paper is genuine."
    with stage.telling.step(name, "receive", "ana", stage.now) as told:
        case_id, paper = demands.receive(stage.desk, path, channel=channel, actor="ana", now=stage.now)
        told.what = f"{file} stored as it came, {len(content)} bytes, case {case_id[:8]}."
        told.reason = "Proves arrival only. The public log will hold nothing that shows that a demand exists."
        told.event, told.refs = "DemandReceived", {"case_id": case_id, "paper_sha256": paper.sha256}
    return case_id


def vouch(stage: Stage, name: str, case_id: str, authority: str) -> None:
    """Authenticates: first what a mail proves (nothing), then a call on a number found independently."""
    with stage.telling.step(name, "authenticate", "ana", stage.now) as told:
        event = demands.authenticate(
            stage.desk, case_id, authority=None, findings=["mail_only"], actor="ana", now=stage.now
        )
        told.what, told.event = "Only the message speaks for its sender: doubted.", event.kind
        told.reason = "Forged requests come from real mailboxes too; a mail proves no authority."
        told.source = "security.md 1.4 (FBI notice of 4 November 2024)"
    with stage.telling.step(name, "authenticate", "ana", stage.now) as told:
        event = demands.authenticate(
            stage.desk, case_id, authority=authority, findings=["called_back"], actor="ana", now=stage.now
        )
        told.what = "Ana called the court's switchboard, on a number from the directory: they sent it."
        told.reason, told.event = "A finding by a person, never a switch that software sets.", event.kind


def understand(stage: Stage, name: str, case_id: str, demand: Demand) -> None:
    """Reads and assesses."""
    with stage.telling.step(name, "read", "ana", stage.now) as told:
        event = demands.read(stage.desk, case_id, demand, country="US", actor="ana", now=stage.now)
        asked = ordered({category for item in demand.scope.items for category in item.categories})
        told.what = f"Transcribed: {demand.instrument}, {len(demand.scope.items)} account(s), asks {', '.join(asked)}."
        told.reason, told.event = (
            "The paper stays the truth; identifiers stay in the locked case file.",
            event.kind,
        )
    with stage.telling.step(name, "assess", "rule packs", stage.now) as told:
        found = demands.assess(stage.desk, case_id, actor="ana", now=stage.now)
        cuts = [f for f in found.findings if f.kind == "cut"]
        words = dict.fromkeys(f.text.split(". ")[0] for f in cuts)
        told.what = f"Outcome: {found.outcome.code.replace('_', ' ')}. " + " · ".join(words)
        told.reason = found.notice.text
        told.source = "; ".join(dict.fromkeys(str(f.citation) for f in cuts if f.citation)) or ", ".join(
            found.legal_basis
        )
        told.event, told.refs = "DemandAssessed", {"assessment_sha256": found.assessment_sha256}
        stage.folder.joinpath("more").mkdir(exist_ok=True)
        lines = explain_assessment(found, list(stage.desk.packs.values()))
        path = stage.folder / "more" / f"{name.replace(' ', '-')}-assessment.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def agree(stage: Stage, name: str, case_id: str, ref: str, choice: demands.Choice) -> None:
    """Narrows one target and lets two people sign."""
    desk, people = stage.desk, stage.people
    with stage.telling.step(name, "narrow", "boris", stage.now) as told:
        scope, plan = demands.narrow(desk, case_id, ref, choice, actor="boris", now=stage.now)
        item = scope.items[0]
        told.what = f"{ref}: keeps {', '.join(ordered(item.categories))}; {_window(item.period.as_json())}."
        told.reason, told.event = "; ".join(_cuts(load_case(case_id), ref)), "ScopeNarrowed"
        told.source = "authorised ⊆ permitted ⊆ demanded (formats.md, Scope)"
        told.refs = {"plan_sha256": plan.plan_sha256, "scope_sha256": scope.sha256}
    with stage.telling.step(name, "propose", "boris", stage.now) as told:
        document = decisions.propose(desk, case_id, ref, people["boris"], role="reviewer", now=stage.now)
        told.what = f"{ref}: Boris signed the decision first; it expires {document['expires_at'][:10]}."
        told.event, told.reason = (
            "DecisionProposed",
            "The signature means: this role, this verdict, this document.",
        )
    if ref == "t1" and name == FIRST:
        _attack_decision(stage, case_id, ref)
    with stage.telling.step(name, "approve", "chi", stage.now) as told:
        event = decisions.approve(desk, case_id, ref, people["chi"], role="reviewer", now=stage.now)
        told.what = f"{ref}: Chi read the same document and signed it second."
        told.event, told.reason = event.kind, "Two different people; neither made the call-back."
        told.source = "formats.md, Decision document and signatures"


def _attack_decision(stage: Stage, case_id: str, ref: str) -> None:
    desk, people = stage.desk, stage.people
    tell = stage.telling.attack
    tell(
        "Self-approval",
        "Boris, who proposed, also approves.",
        refused(
            lambda: decisions.approve(desk, case_id, ref, people["boris"], role="reviewer", now=stage.now)
        ),
    )
    tell(
        "A rejection replayed as an approval",
        "Chi's signature under `reject` is handed in as an approval.",
        refused(lambda: _replay(stage, case_id, ref)),
    )


def _replay(stage: Stage, case_id: str, ref: str) -> None:
    from dueprocess.cases.decide import Signing  # noqa: PLC0415  only this attack needs it
    from dueprocess.steps import decide as steps  # noqa: PLC0415

    desk, chi = stage.desk, stage.people["chi"]
    document = decisions.open_decision(desk, load_case(case_id), ref)
    word = chi.sign(desk.pins.origin, document, role="reviewer", verdict="reject")
    steps.approve(
        case_id, desk.hand("chi", stage.now, case_id), Signing(document, word, desk.roster(), stage.now)
    )


def _window(period: dict[str, Any]) -> str:
    return f"window {period['from'] or 'open'} to {period['until'] or 'open'}"


def _cuts(case: Case, ref: str) -> list[str]:
    events = [e for e in case.events if e.kind == "ScopeNarrowed" and e.body["target"] == ref]
    cuts: Any = events[-1].body["cuts"]
    return [f"cut {cut['category'] or 'the window'} ({cut['finding']})" for cut in cuts]


def collect(stage: Stage, name: str, case_id: str, ref: str) -> None:
    """Produces in the production worker's own process."""
    with stage.telling.step(name, "produce", "production worker", stage.now) as told:
        answer = run_production(str(stage.desk.installation.root), case_id, ref)
        told.what = f"{ref}: " + "; ".join(answer["tables"])
        told.reason = " ".join(answer["proved"])
        told.source, told.event = "formats.md, Gate", "DataProduced"
        told.refs = {"parcel_id": answer["parcel_id"], "parcel_sha256": answer["parcel_sha256"]}


def hand_over(stage: Stage, name: str, case_id: str, ref: str, to: Path) -> None:
    """Delivers the ciphertext as a file."""
    with stage.telling.step(name, "deliver", "boris", stage.now) as told:
        handover.deliver(stage.desk, case_id, ref, to, actor="boris", now=stage.now)
        told.what = (
            f"{ref}: handed over as {to.name}, encrypted to the key that two people enrolled for the court."
        )
        told.reason = "The gate opened a second time, after DataProduced was sealed in the log."
        told.source, told.event = "architecture.md 1.4", "ParcelDelivered"


def told_by_worker(stage: Stage, name: str, done: list[str]) -> None:
    """Keeps what the worker did by itself while the clock moved."""
    for line in done:
        with stage.telling.step(name, "notify", "worker", stage.now) as told:
            told.what, told.event = f"By itself: {line}.", "UserNotified"
            told.reason = "What is owed follows from the events; there is no queue that could lose it."


def finish(stage: Stage, name: str, case_id: str) -> None:
    """Closes and registers."""
    with stage.telling.step(name, "close", "boris", stage.now) as told:
        row = closing.close(stage.desk, case_id, actor="boris", now=stage.now)
        assert row is not None
        told.what = f"Closed: {row.outcome.replace('_', ' ')}; its coarse row is committed for {row.period}."
        told.reason, told.event = "Nothing in the row is finer than a half-year or a band.", "CaseRegistered"


def sealed(stage: Stage, name: str) -> list[str]:
    """Lets the epoch close and the log be signed. Returns what the worker did besides."""
    with stage.telling.step(name, "seal", "log signer", stage.now) as told:
        done = stage.wait(hours=EPOCH_HOURS)
        told.what = "The epoch closed; its root is a leaf of the public log, 115 bytes like every other."
        told.reason = "An empty epoch and a busy one look the same from outside."
        told.source = "security.md 5.2; C2SP tlog-tiles"
    return done


def _reading(stage: Stage, authority: str) -> cast.Read:
    run = stage.run
    window = Period(run.window_start, run.received_at)
    return cast.Read(window, run.received_at, run.received_at.date(), secrets.token_bytes(32), authority)


def first_demand(stage: Stage) -> Demand:
    """What Ana reads on the court order."""
    return cast.demand_1(_reading(stage, COURT))


def second_demand(stage: Stage) -> Demand:
    """What Ana reads on the grand jury subpoena with its order not to tell."""
    return cast.demand_2(_reading(stage, GRAND_JURY), due_on=_due(stage), silent_until=silent_until(stage))


def _due(stage: Stage) -> dt.date:
    return stage.run.received_at.date() + dt.timedelta(days=10)


def silent_until(stage: Stage) -> dt.datetime:
    return stage.run.received_at + dt.timedelta(days=SILENT_DAYS)


def first_paper(stage: Stage) -> bytes:
    run = stage.run
    return papers.order_2703d(
        window_start=run.window_start, issued_on=run.received_at.date(), sent_at=run.received_at
    )


def second_paper(stage: Stage) -> bytes:
    run = stage.run
    return papers.subpoena_2705b(
        window=Period(run.window_start, run.received_at),
        issued_on=run.received_at.date(),
        due_on=_due(stage),
        silent_until=silent_until(stage),
    )
