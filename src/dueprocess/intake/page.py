"""The triage page as plain text: one screen, eighty to a hundred columns, nothing a terminal could obey."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from dueprocess.intake.mail import Finding
from dueprocess.intake.places import Sign, clean
from dueprocess.intake.triage import Triage

SCREEN_LINES = 60
_SHORT = {
    "subscriber.identity": "name and address",
    "subscriber.service": "length and kind of service",
    "subscriber.payment": "payment",
    "subscriber.number": "numbers and network addresses",
    "session.times": "session times",
    "traffic": "traffic records",
    "location": "location",
    "content.messages": "messages",
    "content.files": "files",
    "content.profile": "profile",
    "secrets": "passwords or keys",
}
_QUIET = ("from", "government-ending", "no-authentication", "dkim-present", "authentication-results")


@dataclass(slots=True)
class _Page:
    width: int
    lines: list[str] = field(default_factory=list)

    def heading(self, title: str) -> None:
        self.lines.append(f"── {title} ".ljust(self.width, "─"))

    def say(self, text: str, *, mark: str = "") -> None:
        """One paragraph, wrapped under its mark. Long words are broken: a hash must not widen the page."""
        indent = " " * len(mark)
        wrapped = textwrap.wrap(text, self.width, initial_indent=mark, subsequent_indent=indent)
        self.lines.extend(wrapped or [mark.rstrip()])

    def listed(self, items: Iterable[str], most: int) -> None:
        """The first ``most`` items, and how many more there are."""
        every = list(items)
        for item in every[:most]:
            self.say(item, mark="  ")
        if len(every) > most:
            self.say(f"and {len(every) - most} more (--json shows them)", mark="  ")


def render_text(page: Triage, width: int = 96) -> str:
    """The page at ``width`` columns (60 to 120), shortened until it fits one screen of sixty lines.

    Shortening drops the tail of lists and says so; it never drops a section.
    """
    width = max(60, min(width, 120))
    text: list[str] = []
    for most in (4, 3, 2, 1):
        text = _render(page, width, most)
        if len(text) <= SCREEN_LINES:
            break
    return "\n".join(text) + "\n"


def _render(page: Triage, width: int, most: int) -> list[str]:
    out = _Page(width)
    out.heading(f"A demand has arrived: {clean(str(page.paper['name']))[: width - 30]}")
    out.say(page.disclaimer)
    _seems(out, page, most)
    _dangers(out, page, most)
    _missing(out, page)
    out.heading("Which clock may run")
    due = [f"The paper says: {_quoted(sign)}" for sign in page.due]
    out.listed(
        [f"{c.text} [{c.source}]" if c.source else c.text for c in page.clocks] or ["None found."], most
    )
    out.listed(due, max(1, most - 2))
    out.heading("What not to do")
    for never in page.never:
        out.say(never, mark="  ")
    out.heading("What the sender's mail shows, and what it does not prove")
    out.listed([_finding(each) for each in _loudest(page.sender)], most)
    out.heading("Holding reply, to copy")
    out.say(page.reply, mark="  ")
    out.heading("Call-back slip, to fill in by hand")
    out.lines += [f"  {line}" for line in page.slip]
    return out.lines


def _quoted(sign: Sign) -> str:
    return f"“{sign.quote}” ({sign.place})"


def _seems(out: _Page, page: Triage, most: int) -> None:
    out.heading("What this seems to be")
    if not page.readable:
        out.say("Nothing could be read by machine: it seems to be a scan. Read it yourself.", mark="  ")
    elif page.release:
        out.say("A letter that ends a duty of silence. It asks for nothing.", mark="  ")
        out.say(f"It rests on: {_quoted(page.release)}", mark="  ")
    elif not page.seems:
        out.say("No legal paper is named. An informal request compels nothing.", mark="  ")
    out.listed([f"{sign.value}: {_quoted(sign)}" for sign in page.seems], max(1, most - 1))
    if page.legal_bases:
        out.say("Law it names: " + ", ".join(sign.value for sign in page.legal_bases[: 2 * most]), mark="  ")
    if page.targets:
        named = [f"{sign.value} ({sign.place})" for sign in page.targets[:most]]
        more = f" and {len(page.targets) - most} more" if len(page.targets) > most else ""
        out.say("Names: " + "; ".join(named) + more, mark="  ")
    if page.asks:
        every = "everything, by its words: " if page.asks_all else ""
        out.say("Asks for: " + every + ", ".join(_SHORT[each] for each in page.asks), mark="  ")
    if page.unreadable:
        out.say("Could not be read:", mark="  ")
        out.listed([f"· {each}" for each in page.unreadable], most)


def _dangers(out: _Page, page: Triage, most: int) -> None:
    if page.collective:
        out.heading("It asks for people nobody has named")
        out.say("Not to be answered, whoever asks. A lawyer should see it.", mark="  ")
        out.listed([f"{sign.value}: {_quoted(sign)}" for sign in page.collective], max(1, most - 1))
    if page.emergency_steps:
        out.heading("It speaks of an emergency")
        out.listed([_quoted(sign) for sign in page.emergency], 1)
        for step in page.emergency_steps:
            out.say(step, mark="  ")
    if page.silence:
        out.heading("It speaks of silence")
        out.say(_quoted(page.silence), mark="  ")


def _missing(out: _Page, page: Triage) -> None:
    out.heading("What is missing, what is too much")
    if page.release:
        out.say("It asks for nothing, so nothing is looked for.", mark="  ")
    elif not page.readable:
        out.say("No machine can say. Look in the scan for: " + "; ".join(page.missing), mark="  ")
    elif page.missing:
        out.say("Not found in the words that could be read: " + "; ".join(page.missing) + ".", mark="  ")
    else:
        out.say("No usual element is missing by its words. That does not make the paper good.", mark="  ")
    _beyond(out, page)


def _beyond(out: _Page, page: Triage) -> None:
    if page.beyond:
        named = ", ".join(_SHORT[each] for each in page.beyond)
        out.say(f"Such a paper usually does not reach: {named}. [{page.beyond_source}]", mark="  ")
    elif "secrets" in page.asks:
        out.say("It asks for passwords or keys. Those are never given.", mark="  ")


def _loudest(found: tuple[Finding, ...]) -> list[Finding]:
    """What speaks against the sender first: the screen is short."""
    return sorted(found, key=lambda each: _QUIET.index(each.code) + 1 if each.code in _QUIET else 0)


def _finding(found: Finding) -> str:
    return f"{found.text} Shows: {found.proves}. Does not prove: {found.does_not_prove}."
