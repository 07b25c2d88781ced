"""Triage: what to know and do in the first hour after a demand arrived, on one page.

It says what the paper seems to be and what that rests on. It never says that a message is what it claims to
be; the reply it drafts neither confirms nor denies that an account exists; its call-back slip is blank where
a number goes, because a number from the message reaches whoever wrote the message.
"""

from dataclasses import dataclass

from dueprocess.demand import Category, covers, ordered
from dueprocess.intake import firstaid
from dueprocess.intake.firstaid import Clock
from dueprocess.intake.mail import Finding, sender_evidence
from dueprocess.intake.paper import Paper
from dueprocess.intake.places import Sign
from dueprocess.intake.reading import categories_of
from dueprocess.intake.signs import Signs, signs
from dueprocess.wire import Json

DISCLAIMER = (
    "First aid, not legal advice. It reads words, perhaps a machine's bad reading of a scan. "
    "It cannot tell whether a message is what it claims to be: only a call-back can."
)
SLIP: tuple[str, ...] = (
    "Number: _______________________  Found where: ___________________________",
    "  Find the number yourself: the authority's own website typed by hand, a",
    "  directory, the switchboard. Never one from the message.",
    "Called on: ____________ at ______ by ____________________________________",
    "Ask for the officer. Let THEM tell you; do not read the paper out to them:",
    "[ ] did they send us a paper, on which day, by which way  [ ] file number",
    "[ ] who signed it  [ ] which account  [ ] which data  [ ] where answers go",
    "Spoken with (name, rank, unit): _________________________________________",
    "Agrees with the paper:  [ ] yes   [ ] no   [ ] partly: ___________________",
)
"""The call-back slip. A constant: nothing from the message can reach it."""


_RECEIVED = (
    "We have received your message. We neither confirm nor deny that any account exists, and nothing is "
    "disclosed before a request has been checked. We check each one by calling the authority back, at a number "
    "that we find ourselves; please expect that call."
)


@dataclass(frozen=True, slots=True)
class Triage:
    """The page, section by section. Quotes stand in `Sign`s; everything else is ours."""

    paper: dict[str, Json]
    seems: tuple[Sign, ...]
    legal_bases: tuple[Sign, ...]
    targets: tuple[Sign, ...]
    asks: tuple[Category, ...]
    """Categories asked by words, in the usual order; ``secrets`` only if named."""
    asks_all: bool
    release: Sign | None
    collective: tuple[Sign, ...]
    emergency: tuple[Sign, ...]
    silence: Sign | None
    due: tuple[Sign, ...]
    missing: tuple[str, ...]
    beyond: tuple[Category, ...]
    """What is asked by words although papers of this kind usually do not reach it."""
    beyond_source: str
    unreadable: tuple[str, ...]
    readable: bool
    """Whether any words could be read at all."""
    clocks: tuple[Clock, ...]
    never: tuple[str, ...]
    emergency_steps: tuple[str, ...]
    sender: tuple[Finding, ...]
    reply: str
    slip: tuple[str, ...] = SLIP
    disclaimer: str = DISCLAIMER

    def as_json(self) -> dict[str, Json]:
        """The same page for programs."""
        return {
            "v": 1,
            "paper": self.paper,
            "disclaimer": self.disclaimer,
            "seems": _json(self.seems),
            "legal_bases": _json(self.legal_bases),
            "targets": _json(self.targets),
            "asks": list(self.asks),
            "asks_all": self.asks_all,
            "release": self.release.as_json() if self.release else None,
            "collective": _json(self.collective),
            "emergency": _json(self.emergency),
            "silence": self.silence.as_json() if self.silence else None,
            "due": _json(self.due),
            "missing": list(self.missing),
            "beyond": list(self.beyond),
            "beyond_source": self.beyond_source,
            "unreadable": list(self.unreadable),
            "readable": self.readable,
            "clocks": [each.as_json() for each in self.clocks],
            "never": list(self.never),
            "emergency_steps": list(self.emergency_steps),
            "sender": [each.as_json() for each in self.sender],
            "reply": self.reply,
            "slip": list(self.slip),
        }


def _json(found: tuple[Sign, ...]) -> list[Json]:
    return [each.as_json() for each in found]


def triage(paper: Paper) -> Triage:
    """The page for one paper. Reads nothing but the paper: no store, no key, no network, no clock."""
    found = signs(paper)
    silence = found.nondisclosure[0] if found.nondisclosure else None
    missing = _missing(found)
    asks = ordered(categories_of(found))
    beyond, beyond_source = _beyond(found, asks)
    return Triage(
        paper=paper.as_json(),
        seems=found.instruments,
        legal_bases=found.legal_bases,
        targets=found.identifiers,
        asks=tuple(asks),
        asks_all=any(each.code == "all" for each in found.categories),
        release=found.release,
        collective=found.collective,
        emergency=found.emergency,
        silence=silence,
        due=tuple(each for each in found.dates if each.code == "due"),
        missing=missing,
        beyond=beyond,
        beyond_source=beyond_source,
        unreadable=found.unreadable,
        readable=bool(paper.sheets),
        clocks=_clocks(found, silent=silence is not None),
        never=(*firstaid.NEVER, firstaid.NEVER_SILENT if silence else firstaid.NEVER_EARLY),
        emergency_steps=firstaid.EMERGENCY if _is_emergency(found) else (),
        sender=sender_evidence(paper),
        reply=_reply(found, missing),
    )


def _is_emergency(found: Signs) -> bool:
    return bool(found.emergency) or any(each.code == "emergency" for each in found.instruments)


def _codes(found: Signs) -> tuple[str, ...]:
    """Instruments that say something about clocks: the first named, and an emergency wherever it stands."""
    codes = [each.code for each in found.instruments]
    first = codes[:1] or ["informal"]
    return tuple(dict.fromkeys([*first, *(["emergency"] if _is_emergency(found) else [])]))


def _missing(found: Signs) -> tuple[str, ...]:
    """Elements whose words were not found. They may still be there, where nothing could be read."""
    if found.release:
        return ()
    code = _codes(found)[0]
    wanted = firstaid.NEEDED.get(code, firstaid.USUAL)
    present = {each.code for each in found.elements}
    present |= {"categories"} if found.categories else set()
    present |= {"window"} if found.windows else set()
    return tuple(firstaid.ELEMENTS[each] for each in wanted if each not in present)


def _beyond(found: Signs, asks: list[Category]) -> tuple[tuple[Category, ...], str]:
    reaches = firstaid.REACHES.get(_codes(found)[0])
    if reaches is None:
        return (), ""
    most, source = reaches
    beyond = tuple(each for each in asks if not any(covers(parent, each) for parent in most))
    return beyond, source if beyond else ""


def _clocks(found: Signs, *, silent: bool) -> tuple[Clock, ...]:
    if found.release:
        return (firstaid.RELEASED,)
    clocks = [clock for code in _codes(found) for clock in firstaid.CLOCKS.get(code, ())]
    return (*clocks, *((firstaid.SILENCE,) if silent else ()))


def _reply(found: Signs, missing: tuple[str, ...]) -> str:
    """A holding reply. Takes no word from the message, so that none can be answered by accident."""
    parts = [_RECEIVED]
    if _is_emergency(found):
        parts.append("If a life is in danger, please tell your duty desk now that we are about to call.")
    if found.collective:
        parts.append(
            "As far as we can read it, it asks for "
            + " and ".join(dict.fromkeys(each.value for each in found.collective[:3]))
            + ". We refuse a demand that does not name each account exactly."
        )
    if missing:
        parts.append(
            "As far as we can read it, it lacks: "
            + "; ".join(missing)
            + ". Please send the signed paper itself with these, or say why they do not apply."
        )
    parts.append(
        "This reply is no consent and no statement about any user or any data, and waives no objection."
    )
    return " ".join(parts)
