"""The end of the demo: receipts, report, checks, the page, the transcript."""

import dataclasses
import datetime as dt
import json
import shutil

import pyrage

from dueprocess.cli.demo import cast
from dueprocess.cli.demo.cases import FIRST, SECOND, refused
from dueprocess.cli.demo.letters import CASE as REAL
from dueprocess.cli.demo.stage import COURT, EPOCH_HOURS, GRAND_JURY, ORIGIN, Stage
from dueprocess.cli.verify import check_receipt
from dueprocess.desk import closing
from dueprocess.desk.check import check_everything
from dueprocess.desk.receipts import receipt as receipt_for
from dueprocess.desk.site import write_site
from dueprocess.errors import BrokenError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.report.case_row import period_of, report_opens
from dueprocess.ui.rendering import stylesheet
from dueprocess.ui.story import (
    Story,
    StoryCase,
    StoryCommand,
    StoryFigure,
    StoryFile,
    StoryPaper,
    render_story,
)
from dueprocess.wire import instant

VERIFY = "dueprocess verify receipt.json --policy policy.txt --log log"

COMMANDS = (
    StoryCommand(
        VERIFY, "The user's receipt holds, and the log still stands by it. Needs the base install only."
    ),
    StoryCommand(
        "age -d -i officer.agekey parcel.tar.age | tar x", "Opens the answer package as the officer would."
    ),
    StoryCommand("bagit.py --validate p-*", "Every file of the package is the one its manifest names."),
    StoryCommand("dueprocess verify report/report.json", "Every number of the report, counted again."),
    StoryCommand(
        "dueprocess fsck --install install",
        "Every row, tile, file and parcel, read again.",
    ),
    StoryCommand(
        "dueprocess triage papers/order.eml", "What somebody sees who has just got the first police mail."
    ),
)

FILES = (
    StoryFile("parcel.tar.age", "the answer package of case 1, first account, encrypted to the officer"),
    StoryFile("officer.agekey", "the officer's demo identity, so that you can open it"),
    StoryFile("receipt.json", "the receipt of the first account's user"),
    StoryFile("policy.txt", "the keys that the receipt is checked against"),
    StoryFile("log", "the public log: tiles and checkpoint"),
    StoryFile("notice.html", "the letter to that user"),
    StoryFile("report/index.html", "the half-year's report"),
    StoryFile("papers", "the demands as they arrived"),
    StoryFile("more", "the other packages, receipts and letters"),
    StoryFile("platform", "the chat server's data as production saw it"),
    StoryFile("install", "the whole installation"),
    StoryFile("transcript.json", "this page as data"),
)


def finish(stage: Stage, first: str, second: str, letters: list[StoryPaper]) -> None:
    """Writes everything that the folder promises, checks it, and prints the summary."""
    out, desk, tell = stage.folder, stage.desk, stage.telling
    tell.title("Counted and checked")
    period = period_of(instant(stage.now))
    tell.attack(
        "A report while demands go on",
        f"the report of {period} is to be published before its time",
        refused(lambda: closing.report(desk, period, out / "report", now=stage.now)),
    )
    stage.wait(seconds=(report_opens(period) - stage.now).total_seconds())
    with tell.step(FIRST, "publish", "boris", stage.now) as told:
        published = desk.installation.public / "reports" / period
        register, _ = closing.report(desk, period, published, now=stage.now)
        shutil.copytree(published, out / "report")
        told.what, told.reason = (
            register.statement,
            "A small number would point at people; so it is not published.",
        )
        told.source = "security.md 5.6; formats.md, Report"
    stage.wait(hours=EPOCH_HOURS)
    _receipts(stage, first, second)
    _copy_log(stage)
    write_site(desk)
    with tell.step(FIRST, "verify", "anyone", stage.now) as told:
        lines, found = check_receipt((out / "receipt.json").read_bytes(), desk.policy, out / "log")
        told.what = (
            f"{lines[0]} {len(found['records'])} records, against a log of {found['log_size']} leaves."
        )
        told.reason = "Unwitnessed: nobody but the operator has confirmed the times. The receipt says so."
    _search_parcels(stage)
    with tell.step(FIRST, "fsck", "boris", stage.now) as told:
        faults = check_everything(desk)
        if faults:
            raise BrokenError("fsck", f"fsck found {faults[0]}")
        told.what = "Every row, tile, file and parcel was read again: everything fits."
    _write_page(stage, letters)
    _summary(stage)


def _receipts(stage: Stage, first: str, second: str) -> None:
    out = stage.folder
    names = {(first, "t1"): "", (first, "t2"): "case-1-t2-", (second, "t1"): "case-2-t1-"}
    for (case_id, ref), prefix in names.items():
        folder = out / "more" if prefix else out
        receipt = receipt_for(stage.desk, load_case(case_id), ref, "user")
        (folder / f"{prefix}receipt.json").write_bytes(receipt)
        for phase in ("before", "after"):
            letter = stage.desk.installation.outbox / f"{case_id[:8]}-{ref}-{phase}" / "notice.html"
            if letter.exists():
                main = not prefix and phase == "after"
                target = (
                    out / "notice.html" if main else out / "more" / f"{prefix or 'case-1-t1-'}{phase}.html"
                )
                shutil.copyfile(letter, target)
    (out / "policy.txt").write_bytes(stage.desk.policy_text)
    for folder in (out, out / "more"):
        (folder / "style.css").write_bytes(stylesheet())


def _search_parcels(stage: Stage) -> None:
    """Opens every parcel as its recipient would, and looks for anything that must not be there."""
    out, run = stage.folder, stage.run
    parcels = (
        (out / "parcel.tar.age", COURT, cast.EVA.id, True),
        (out / "more" / "case-1-t2.tar.age", COURT, cast.FINN.id, False),
        (out / "more" / "case-2-t1.tar.age", GRAND_JURY, cast.GINA.id, False),
    )
    searched = 0
    with stage.telling.step(FIRST, "search", "anyone", stage.now) as told:
        for path, authority, account, traffic in parcels:
            plain = pyrage.decrypt(path.read_bytes(), [stage.officers[authority]])
            canaries = run.canaries_for(account, traffic=traffic)
            found = [canary for canary in canaries if canary.encode() in plain]
            searched += len(canaries)
            if found or account.encode() not in plain:
                raise BrokenError(
                    "leak", f"{path.name} holds what it must not, or not its own account.", why=str(found)
                )
        told.what = f"{searched} words that must not be there were looked for in three opened parcels: none was found."
        told.reason = (
            "Other people, every message, every session before or after the window, tokens and passwords."
        )


def _copy_log(stage: Stage) -> None:
    target = stage.folder / "log"
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(stage.desk.installation.log, target)


def _write_page(stage: Stage, letters: list[StoryPaper]) -> None:
    out, tell = stage.folder, stage.telling
    head = ledger.head()
    assert head is not None
    summaries = {
        FIRST: (
            "Case 1: a court order that asks for more than it may",
            (
                "An order under 18 USC 2703(d) asks for everything about two accounts, message content included, "
                "with no end. Content is cut, the window is closed at the receipt, the users are told first."
            ),
        ),
        SECOND: (
            "Case 2: a subpoena with an order not to tell",
            "The user may not be told for fourteen days. The order ends, and the letter goes out by itself.",
        ),
        REAL: (
            "Real paper",
            "Letters that the FBI allowed to be published, read as they are: noisy text, scans, blacked-out names.",
        ),
    }
    story = Story(
        title="One demand, from paper to proof",
        summary=(
            (
                "A court asks a small chat service for everything about two people; it gets what the law lets it "
                "have, and anyone can check that."
            ),
            (
                "A real Matrix server was filled through its own interface. A demand arrived, was authenticated, "
                "checked against the law, cut down, signed by two people, sealed in a log, answered with an "
                "encrypted package, told to the users, and counted."
            ),
            f"{len(tell.attacks)} attacks were tried and {sum(a.stopped for a in tell.attacks)} of them were stopped.",
        ),
        clock_note=f"The clock of this office is simulated: it starts at the real time of the server's run and then "
        f"jumps to {stage.now:%d %B %Y}. Its log declares that.",
        cases=tuple(
            StoryCase(*summaries[name], tuple(tell.steps[name])) for name in summaries if name in tell.steps
        ),
        attacks=tuple(tell.attacks),
        files=FILES,
        commands=COMMANDS,
        figures=(
            StoryFigure(str(len(tell.attacks)), "attacks tried and stopped"),
            StoryFigure(str(head.size), "leaves in the public log, all of one size but the rare ones"),
            StoryFigure("3", "people told"),
            StoryFigure("0", "messages handed over"),
        ),
        papers=tuple(letters),
        papers_note="What each letter may obtain under 18 USC 2709, and what of its text could not be read.",
    )
    (out / "index.html").write_text(render_story(story), encoding="utf-8")
    attacks = [dataclasses.asdict(attack) for attack in tell.attacks]
    transcript = {
        "clock": {"mode": "simulated", "origin": ORIGIN, "ended": stage.now.astimezone(dt.UTC).isoformat()},
        "steps": tell.transcript,
        "attacks": attacks,
    }
    (out / "transcript.json").write_text(
        json.dumps(transcript, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _summary(stage: Stage) -> None:
    tell, out = stage.telling, stage.folder
    stopped = sum(attack.stopped for attack in tell.attacks)
    tell.title("In one minute")
    for line in (
        "A court asked a chat service for everything about two people, and a grand jury for one more.",
        "What left: names, dates and session records inside the window, encrypted to the court's key.",
        "What did not leave: any message, any other person, anything before or after the window.",
        "Who decided: two people each time, neither of them the one who had called the court back.",
        "Who was told: all three users, with a receipt; one of them when the order not to tell had ended.",
        f"Who can check: anyone. {stopped} of {len(tell.attacks)} attacks on it were stopped.",
        "",
        f"Read {out / 'index.html'}, then try:  {VERIFY}",
    ):
        tell.say(line)
