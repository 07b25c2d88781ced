"""What the demo tells: each step as it happens, with its reason and source, and the transcript of all of it."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dueprocess.errors import DueprocessError
from dueprocess.ui.story import StoryAttack, StoryStep
from dueprocess.wire import Json, instant


@dataclass
class Told:
    """One step while it happens: what is set here is printed and kept when it ends."""

    what: str = ""
    reason: str = ""
    source: str = ""
    event: str = ""
    refs: dict[str, Json] = field(default_factory=dict)


@dataclass
class Telling:
    """Prints steps and keeps them, by case."""

    quiet: bool = False
    steps: dict[str, list[StoryStep]] = field(default_factory=dict)
    attacks: list[StoryAttack] = field(default_factory=list)
    transcript: list[dict[str, Json]] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        """Prints one line at once."""
        if not self.quiet:
            print(text, flush=True)

    def title(self, text: str) -> None:
        self.say(f"\n── {text} " + "─" * max(3, 90 - len(text)))

    @contextmanager
    def step(self, case: str, verb: str, who: str, at: dt.datetime) -> Iterator[Told]:
        """Times one step; prints and keeps what it was told to say."""
        begun = time.monotonic()
        told = Told()
        yield told
        seconds = time.monotonic() - begun
        self.steps.setdefault(case, []).append(StoryStep(verb, who, at, told.what, told.reason, told.source))
        self.transcript.append(
            {
                "case": case,
                "verb": verb,
                "event": told.event,
                "seconds": f"{seconds:.3f}",
                "at": instant(at),
                "who": who,
                "what": told.what,
                "reason": told.reason,
                "source": told.source,
                "refs": told.refs,
            }
        )
        self.say(f"{verb:<13} {told.what}")
        for word, text in (("why", told.reason), ("source", told.source)):
            if text:
                self.say(f"{'':<13} {word}: {text}")

    def attack(self, name: str, tried: str, error: DueprocessError | None) -> None:
        """Keeps one attack with what the program said; one that was not stopped is shown in capitals."""
        if error is None:
            self.attacks.append(StoryAttack(name, tried, "Nothing stopped it.", stopped=False))
            self.say(f"NOT STOPPED: {name}")
            return
        reason = f"{error.what} {error.why}".strip()
        self.attacks.append(StoryAttack(name, tried, reason, error.code))
        self.say(
            f"stopped       {name}\n{'':<13} tried: {tried}\n{'':<13} {error.family} ({error.code}): {error.what}"
        )
        if error.why:
            self.say(f"{'':<13} why: {error.why}")
