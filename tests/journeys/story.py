"""The life of a demand, typed once: two people, one court, one platform, one simulated clock.

The first target goes its way in words, the second through `--json`.
"""

import contextlib
import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from dueprocess.report.case_row import report_opens
from dueprocess.wire import instant
from journeys.typed import Said, called, settings, typed
from office import EVA, FINN, MAP, make_platform

DAY = dt.timedelta(days=1)


@dataclass
class Story:
    """Everything that was typed, by a name for the moment, and where it happened."""

    folder: Path
    install: Path
    officer: pyrage.x25519.Identity
    now: dt.datetime
    case: str = ""
    second: str = ""
    said: dict[str, Said] = field(default_factory=dict)

    def type(self, name: str, *words: str | Path, **more: str) -> Said:
        """Types a command as Ana would, in a process of its own."""
        found = typed(*words, environment=settings(self.install, **more), folder=self.folder)
        self.said[name] = found
        return found

    def tell(self, name: str, *words: str | Path, **more: str) -> Said:
        """The same, entered without the start of a process."""
        with contextlib.chdir(self.folder):
            found = called(*words, environment=settings(self.install, **more))
        self.said[name] = found
        return found

    def ask(self, name: str, *words: str | Path, **more: str) -> Said:
        """The same with --json; the program is entered without the start of a process."""
        found = called(*words, "--json", environment=settings(self.install, **more))
        self.said[name] = found
        return found

    def key(self, person: str) -> dict[str, str]:
        return {"DUEPROCESS_KEY": str(self.install / "keys" / "people" / f"{person}.json")}

    def todo(self, name: str) -> None:
        """Asks what needs a person now."""
        self.ask(name, "next")

    def wait(self, name: str) -> None:
        """A day goes by; the worker takes its turn."""
        self.now += DAY
        (self.install / "clock").write_text(instant(self.now))
        self.type(name, "worker", "--once")

    @property
    def signers(self) -> list[str]:
        people = self.install / "keys" / "people"
        return ["--signer", str(people / "boris.json"), "--signer", str(people / "chi.json")]


def order(day: dt.date) -> str:
    """A court order that asks for more than it may, as a plain mail."""
    return f"""\
From: Clerk <clerk@court.example>
To: legal@chat.example
Subject: Order

UNITED STATES DISTRICT COURT
ORDER under 18 U.S.C. 2703(d)
Date: {day:%B} {day.day}, {day.year}
The applicant has offered specific and articulable facts showing reasonable grounds to believe that the
records are relevant and material to an ongoing criminal investigation.
The court orders the disclosure of all records about the accounts {EVA} and {FINN}
from August 10, 2026 to September 20, 2026: subscriber information, session times, IP addresses and the
contents of all messages.
/s/ Judge Example
"""


def facts_of(draft: str) -> str:
    """The draft with what a person adds after reading the paper."""
    lines = [line for line in draft.splitlines() if not line.startswith(("elements", "identifies"))]
    place = lines.index("[[target]]")
    elements = ["date", "identifier", "issuer", "reasonable_grounds", "signature"]
    lines[place:place] = [f"elements = {json.dumps(elements)}", "identifies = false", ""]
    return "\n".join(lines) + "\n"


def tell_story(folder: Path) -> Story:
    """Types the whole life of a demand in this folder."""
    begun = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) + DAY
    told = Story(folder, folder / "install", pyrage.x25519.Identity.generate(), begun)
    for part in (_set_up, _arrive, _understand, _decide, _collect, _hand_over, _second_case, _look_back):
        part(told)
    return told


def _set_up(told: Story) -> None:
    make_platform(told.folder / "platform.db")
    (told.folder / "platform.toml").write_text(MAP)
    words = [
        "--origin", "chat.example/dueprocess/1", "--regime", "us", "--operator", "Chat Example", "--contact",
        "legal@chat.example", "--country", "US", "--founder", "boris", "--founder", "chi", "--datamap",
        str(told.folder / "platform.toml"), "--epoch-seconds", "86400", "--window-days", "1",
    ]  # fmt: skip
    told.type("init", "init", told.install, *words)
    told.ask("init json", "init", told.folder / "other", *words)
    file = told.install / "dueprocess.toml"
    file.write_text(file.read_text().replace('mode = "system"', 'mode = "simulated"'))
    told.tell("no clock", "cases")
    (told.install / "clock").write_text(instant(told.now))
    told.tell("datamap check without credentials", "datamap", "check")
    (told.install / "worker" / "stores.env").write_text(
        f"PLATFORM_DSN=sqlite:///{told.folder / 'platform.db'}\n"
    )
    told.type("datamap check", "datamap", "check")
    told.ask("datamap check json", "datamap", "check")
    told.type("enrol key", "enrol", "key", "ana", "ana.json")
    told.ask("enrol key json", "enrol", "key", "dana", told.folder / "dana.json")
    told.type("enrol person", "enrol", "person", "ana.json", "--role", "intake", *told.signers)
    told.ask(
        "enrol person json", "enrol", "person", told.folder / "dana.json", "--role", "intake", *told.signers
    )
    court = ["--country", "US", "--class", "court", "--age", str(told.officer.to_public()), *told.signers]
    told.type("enrol authority", "enrol", "authority", "a-court", "--name", "District Court", *court)
    told.tell("enrol list", "enrol", "list")
    told.ask("enrol list json", "enrol", "list")
    told.tell("next at first", "next")
    told.tell("cases at first", "cases")
    told.tell("log at first", "log")
    told.tell("fsck at first", "fsck")


def _arrive(told: Story) -> None:
    paper = told.folder / "order.eml"
    paper.write_text(order((told.now - DAY).date()))
    told.type("triage", "triage", "order.eml")
    told.ask("triage json", "triage", paper)
    told.type("receive", "receive", "order.eml")
    told.case = told.ask("cases json", "cases").value[0]["case"][:8]
    told.todo("next received")
    told.type("authenticate by mail", "authenticate", told.case, "--finding", "mail_only")
    told.type(
        "authenticate by call",
        "authenticate",
        told.case,
        "--finding",
        "called_back",
        "--authority",
        "a-court",
    )
    told.todo("next verified")


def _understand(told: Story) -> None:
    draft = told.type("suggest", "read", told.case, "--suggest")
    told.ask("suggest json", "read", told.case, "--suggest")
    facts = told.folder / "facts.toml"
    facts.write_text(facts_of(draft.out))
    told.type("read", "read", told.case, "--facts", "facts.toml")
    told.todo("next read")
    told.type("assess", "assess", told.case)
    told.todo("next assessed")
    told.type("narrow", "narrow", told.case, "t1")
    told.ask("narrow json", "narrow", told.case, "t2", "--category", "subscriber", "--category", "session")
    told.todo("next narrowed")


def _decide(told: Story) -> None:
    told.type("propose", "propose", told.case, "t1", **told.key("boris"))
    told.todo("next proposed")
    told.ask("propose json", "propose", told.case, "t2", **told.key("boris"))
    told.tell("look before signing", "approve", told.case, "t1", "--show")
    told.tell("approve by the proposer", "approve", told.case, "t1", **told.key("boris"))
    told.type("approve", "approve", told.case, "t1", **told.key("chi"))
    told.ask("approve json", "approve", told.case, "t2", **told.key("chi"))
    told.todo("next approved")
    told.type("produce before sealing", "produce", told.case, "t1")
    told.tell("notify before sealing", "notify", told.case, "t1")


def _collect(told: Story) -> None:
    told.wait("worker seals")
    told.ask("notify before", "notify", told.case, "t1")
    told.tell("produce while the user may object", "produce", told.case, "t1")
    told.type("production worker waits", "worker", "--production", "--once")
    told.wait("worker waits")
    told.type("produce", "produce", told.case, "t1")
    told.ask("produce json", "produce", told.case, "t2")
    told.ask("production worker json", "worker", "--production", "--once")
    told.todo("next produced")
    told.tell("deliver before sealing", "deliver", told.case, "t1", "--to", "first.tar.age")


def _hand_over(told: Story) -> None:
    told.wait("worker seals the parcels")
    told.type("deliver", "deliver", told.case, "t1", "--to", "first.tar.age")
    told.ask("deliver json", "deliver", told.case, "t2", "--to", told.folder / "second.tar.age")
    told.tell("close too early", "close", told.case)
    told.type("notify", "notify", told.case, "t1")
    told.ask("notify json", "notify", told.case, "t2")
    told.tell("notify again", "notify", told.case, "t1")
    told.todo("next delivered")
    told.type("close", "close", told.case)
    told.todo("next closed")
    told.tell("show", "show", told.case)
    told.ask("show json", "show", told.case)


def _second_case(told: Story) -> None:
    told.ask("receive json", "receive", told.folder / "order.eml", "--channel", "upload")
    case = told.second = told.said["receive json"].value["case"][:8]
    found = ["--finding", "called_back", "--authority", "a-court"]
    told.ask("authenticate json", "authenticate", case, *found)
    told.ask("read json", "read", case, "--facts", told.folder / "facts.toml")
    told.ask("assess json", "assess", case)
    for ref in ("t1", "t2"):
        called("narrow", case, ref, environment=settings(told.install))
        called("propose", case, ref, environment=settings(told.install, **told.key("boris")))
    told.tell("challenge open", "challenge", "open", case, "t1", "--by", "user", "--ground", "not-me")
    told.todo("next challenged")
    told.ask("challenge close json", "challenge", "close", case, "t1", "--upheld")
    told.ask("challenge open json", "challenge", "open", case, "t2", "--by", "operator")
    told.type("challenge close", "challenge", "close", case, "t2", "--no-upheld")
    told.type("reject", "reject", case, "t2", "--reason", "not-lawful", **told.key("chi"))
    told.todo("next refused")
    told.ask("close json", "close", case)


def _look_back(told: Story) -> None:
    letter = told.install / "outbox" / f"{told.case}-t1-after"
    proof: list[str | Path] = ["verify", letter / "receipt.json", "--policy", letter / "policy.txt"]
    told.type("verify", *proof)
    told.tell("verify with the log", *proof, "--log", told.install / "log")
    told.ask("verify json", *proof, "--log", told.install / "log")
    told.tell("cases", "cases")
    told.tell("cases closed", "cases", "--stage", "closed")
    told.tell("report too early", "report", half_year(told.now)[0])
    period, told.now = half_year(told.now)
    told.wait("worker when the half-year is long over")
    told.type("report", "report", period, "--out", "report")
    told.tell("report again", "report", period, "--out", "report")
    told.ask("report json", "report", period, "--out", told.folder / "more")
    told.type("verify the report", "verify", "report/report.json")
    told.ask("log json", "log")
    told.type("fsck", "fsck")
    told.ask("fsck json", "fsck")


def half_year(day: dt.datetime) -> tuple[str, dt.datetime]:
    """The half-year of a day and the instant from which its report may be published."""
    if day.month <= 6:
        return f"{day.year}H1", report_opens(f"{day.year}H1")
    return f"{day.year}H2", report_opens(f"{day.year}H2")
