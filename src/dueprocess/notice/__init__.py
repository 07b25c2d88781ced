"""Telling people: the notice to the person concerned, and the letters to the authority.

`facts` says what a letter needs to know, `letters` turns it into text and HTML, ``templates/`` holds the words.
"""

from dueprocess.notice.facts import (
    DeficiencyFacts,
    Delay,
    Given,
    HoldingFacts,
    Missing,
    NoticeFacts,
    Phase,
    Proof,
    Refused,
    Sender,
)
from dueprocess.notice.letters import Letter, render_deficiency, render_holding_reply, render_notice

__all__ = [
    "DeficiencyFacts",
    "Delay",
    "Given",
    "HoldingFacts",
    "Letter",
    "Missing",
    "NoticeFacts",
    "Phase",
    "Proof",
    "Refused",
    "Sender",
    "render_deficiency",
    "render_holding_reply",
    "render_notice",
]
