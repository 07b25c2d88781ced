"""First aid for a paper that has just arrived: what such papers carry, which clock may run, what not to do.

General knowledge with sources, for the first hour. The rule packs decide later and in detail; this is not
legal advice, and every clock here only *may* run.
"""

from dataclasses import dataclass

from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class Clock:
    """A time that may be running, with its source. It does NOT say that the paper is valid."""

    text: str
    source: str

    def as_json(self) -> dict[str, Json]:
        return {"text": self.text, "source": self.source}


_PAPER: tuple[str, ...] = ("issuer", "signature", "date", "legal_basis", "identifier", "docket")
_SCOPE: tuple[str, ...] = ("categories", "window")

ELEMENTS: dict[str, str] = {
    "issuer": "who issues it (court, authority, unit)",
    "signature": "a signature or the name of who signed",
    "date": "a date of issue",
    "legal_basis": "the law it rests on, by section",
    "identifier": "one exact account or address that is named",
    "docket": "a docket, case or file number",
    "categories": "which data exactly",
    "window": "a time window with both ends",
    "certification": "the certification that 18 USC 2709(b) requires",
    "review_notice": "notice of the right to judicial review (18 USC 2709(d)(2))",
}

NEEDED: dict[str, tuple[str, ...]] = {
    "nsl": (*_PAPER, "certification", "review_notice", "window"),
    "preservation_letter": _PAPER,
    "emergency": ("issuer", "signature", "identifier", "categories"),
    "tco_removal": _PAPER,
    "dsa_art9": _PAPER,
    "mlat": _PAPER,
}
"""What papers of a kind usually carry; kinds that are not listed here need ``USUAL``."""
USUAL: tuple[str, ...] = (*_PAPER, *_SCOPE)

REACHES: dict[str, tuple[tuple[str, ...], str]] = {
    "subpoena": (("subscriber", "session"), "18 USC 2703(c)(2)"),
    "civil_subpoena": (("subscriber", "session", "traffic"), "18 USC 2702(a)"),
    "d_order": (
        ("subscriber", "session", "traffic"),
        "18 USC 2703(a), (d); Carpenter v. United States (2018)",
    ),
    "nsl": (("subscriber.identity", "subscriber.service", "session.times"), "18 USC 2709(b)"),
    "preservation_letter": ((), "18 USC 2703(f)"),
}
"""Categories that a kind of paper usually reaches at most, as a warning only: the rule packs decide."""

CLOCKS: dict[str, tuple[Clock, ...]] = {
    "preservation_letter": (
        Clock(
            "90 days from receipt to keep what exists; once more 90 on a renewed request. Keeping is not giving.",
            "18 USC 2703(f)",
        ),
    ),
    "nsl": (
        Clock(
            "If you want a judge to look at the silence, say so to the sender: the government then has 30 days to "
            "go to court. The silence goes on meanwhile.",
            "18 USC 3511(b)(1); 18 USC 2709(c)",
        ),
    ),
    "d_order": (
        Clock("The date on the order. A motion to quash or modify has to come promptly.", "18 USC 2703(d)"),
    ),
    "warrant": (Clock("The date on the warrant; ask a lawyer today.", "18 USC 2703(a), (g)"),),
    "subpoena": (
        Clock(
            "The return date on it. It reaches the list in (c)(2) and no content.",
            "18 USC 2703(c)(2)",
        ),
    ),
    "civil_subpoena": (
        Clock(
            "The return date on it. A private party gets no content of messages from a provider this way.",
            "18 USC 2702(a)",
        ),
    ),
    "emergency": (
        Clock(
            "None in law: a provider 'may' disclose, it never must.",
            "18 USC 2702(b)(8), (c)(4)",
        ),
    ),
    "epoc": (
        Clock("10 days from receipt.", "Regulation (EU) 2023/1543 Article 10(2)-(3)"),
        Clock("8 hours, where it is marked as an emergency.", "Regulation (EU) 2023/1543 Article 10(4)"),
    ),
    "epoc_pr": (
        Clock(
            "Keep without undue delay, for 60 days; 30 more if extended in that time.",
            "Regulation (EU) 2023/1543 Article 11(1)",
        ),
    ),
    "tco_removal": (
        Clock("1 hour from receipt. Look at this one now.", "Regulation (EU) 2021/784 Article 3(3)"),
    ),
    "dsa_art9": (
        Clock(
            "Without undue delay: tell the authority whether and when you acted.",
            "Regulation (EU) 2022/2065 Article 9(1)",
        ),
    ),
    "dsa_art10": (
        Clock(
            "Without undue delay: tell the authority that it arrived and what you did.",
            "Regulation (EU) 2022/2065 Article 10(1)",
        ),
    ),
    "de_auskunft": (
        Clock("Without delay, once the form is checked by a person.", "TDDDG sections 22(6), 24(5)"),
    ),
    "uk_order": (
        Clock(
            "For an overseas production order 7 days, beginning with the day of service, unless the judge set others.",
            "Crime (Overseas Production Orders) Act 2019 s 5(5)",
        ),
    ),
    "mlat": (Clock("Such requests go from ministry to ministry; the clock is theirs.", ""),),
    "informal": (Clock("None that binds you: a request without a legal paper compels nothing.", ""),),
}

RELEASED = Clock(
    "A duty of silence may have ended, for what the letter names and no more. Call back before you tell anyone.",
    "18 USC 2709(c), 3511",
)
SILENCE = Clock(
    "A duty of silence may run from receipt. A lawyer may normally still be told.",
    "18 USC 2705(b), 2709(c)(2); TDDDG 22(5); Regulation (EU) 2023/1543 Article 13",
)

NEVER: tuple[str, ...] = (
    "Do not send data, and do not say whether an account exists: that is a disclosure too.",
    "Do not call a number, open a link or write to an address from the message.",
    "Do not delete, change or 'clean up' anything; keep the message as it came.",
)
NEVER_SILENT = (
    "Do not forward it or tell the user before a lawyer has read the words of silence quoted above."
)
NEVER_EARLY = "Do not tell the user in a hurry, and do not promise the sender silence either."

EMERGENCY: tuple[str, ...] = (
    "Stay calm. Forged emergency requests from stolen police mailboxes have fooled the largest companies.",
    "Call back first, at a number that you found yourself. Officers expect it; it takes minutes.",
    "18 USC 2702 says 'may': you decide, on good faith that someone is in danger of death or serious injury.",
    "If the call-back holds, ask which single fact averts the danger. Only that may go, and two people decide.",
)
COLLECTIVE_SOURCE = (
    "Chatrie v. United States, No. 25-112 (US 29 June 2026); United States v. Smith (5th Cir. 2024)"
)
