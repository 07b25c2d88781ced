"""The demo from beginning to end: platform, two cases, real paper, attacks, report, and a folder that tells it all."""

import json
import shutil
from pathlib import Path

from dueprocess.cli.demo import attacks, cases
from dueprocess.cli.demo.ending import finish
from dueprocess.cli.demo.letters import read_letters
from dueprocess.cli.demo.platform import run_platform
from dueprocess.cli.demo.stage import COURT, EPOCH_HOURS, GRAND_JURY, Stage, set_stage
from dueprocess.cli.demo.telling import Telling
from dueprocess.desk import demands
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.history import connection

MARKER = ".dueprocess-demo"


def run_demo(out: Path, telling: Telling) -> None:
    """Runs everything into ``out``. Replaces only a folder that an earlier demo made."""
    clear(out)
    telling.title("A real chat server")
    run = run_platform(out / "platform", say=telling.say)
    telling.title("An office: two founders, one intake, one court (the clock is simulated from here on)")
    stage = set_stage(out, run, telling)
    first, second = _arrivals(stage)
    older, ready = out / ".older", out / ".ready"
    _decide(stage, first, second)
    snapshot(stage, older)
    _second_goes_out(stage, second)
    telling.title("Seven days later: the users of case 1 had time to object")
    cases.told_by_worker(stage, cases.FIRST, stage.wait(days=7))
    snapshot(stage, ready)
    _first_goes_out(stage, first)
    telling.title("The order not to tell ends: case 2")
    left = cases.silent_until(stage) - stage.now
    cases.told_by_worker(stage, cases.SECOND, stage.wait(seconds=left.total_seconds() + EPOCH_HOURS * 3600))
    cases.finish(stage, cases.SECOND, second)
    telling.title("Real paper: National Security Letters")
    letters = read_letters(stage)
    telling.title("Attacks that fail")
    attacks.all_attacks(stage, ready, older, first)
    for folder in (older, ready):
        shutil.rmtree(folder)
    stage.wait(hours=EPOCH_HOURS)
    finish(stage, first, second, letters)
    if not all(attack.stopped for attack in telling.attacks):
        raise BrokenError(
            "not-stopped", "An attack was not stopped.", do="Read the transcript; do not use this version."
        )


def snapshot(stage: Stage, target: Path) -> None:
    """A copy of the installation as it stands, for attackers to work on."""
    connection.close()
    shutil.copytree(stage.desk.installation.root, target)


def clear(out: Path) -> None:
    """Makes room for a demo. Refuses a folder that no demo made."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            raise RefusedError(
                "not-a-demo",
                f"{out} exists and was not made by a demo, so it is left alone.",
                do="Name another folder with --out DIR.",
            )
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text(json.dumps({"made_by": "dueprocess demo"}) + "\n")


def _arrivals(stage: Stage) -> tuple[str, str]:
    stage.telling.title("Case 1: a court order that asks for more than it may")
    first = cases.arrive(stage, cases.FIRST, "order.eml", cases.first_paper(stage), "mail")
    stage.telling.title("Case 2: a subpoena with an order not to tell")
    second = cases.arrive(stage, cases.SECOND, "subpoena.pdf", cases.second_paper(stage), "letter")
    return first, second


def _decide(stage: Stage, first: str, second: str) -> None:
    stage.telling.title("Case 1: from paper to two signatures")
    cases.vouch(stage, cases.FIRST, first, COURT)
    cases.understand(stage, cases.FIRST, first, cases.first_demand(stage))
    cases.agree(stage, cases.FIRST, first, "t1", demands.Choice())
    cases.agree(stage, cases.FIRST, first, "t2", demands.Choice(categories=cases.SMALL))
    stage.telling.title("Case 2: from paper to two signatures")
    cases.vouch(stage, cases.SECOND, second, GRAND_JURY)
    cases.understand(stage, cases.SECOND, second, cases.second_demand(stage))
    cases.agree(stage, cases.SECOND, second, "t1", demands.Choice())
    cases.told_by_worker(stage, cases.FIRST, cases.sealed(stage, cases.FIRST))
    cases.told_by_worker(stage, cases.FIRST, stage.wait(hours=EPOCH_HOURS))


def _second_goes_out(stage: Stage, second: str) -> None:
    stage.telling.title("Case 2: produced under the order not to tell")
    cases.collect(stage, cases.SECOND, second, "t1")
    cases.sealed(stage, cases.SECOND)
    more = stage.folder / "more"
    more.mkdir(exist_ok=True)
    cases.hand_over(stage, cases.SECOND, second, "t1", more / "case-2-t1.tar.age")


def _first_goes_out(stage: Stage, first: str) -> None:
    stage.telling.title("Case 1: produced, delivered, told, closed")
    for ref in ("t1", "t2"):
        cases.collect(stage, cases.FIRST, first, ref)
    cases.sealed(stage, cases.FIRST)
    cases.hand_over(stage, cases.FIRST, first, "t1", stage.folder / "parcel.tar.age")
    cases.hand_over(stage, cases.FIRST, first, "t2", stage.folder / "more" / "case-1-t2.tar.age")
    cases.told_by_worker(stage, cases.FIRST, stage.wait(hours=2 * EPOCH_HOURS))
    cases.finish(stage, cases.FIRST, first)
