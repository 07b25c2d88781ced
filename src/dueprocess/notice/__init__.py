"""Telling people: the notice to the person concerned, and the letters to authorities, counsel and private parties.

`facts` and `reply` say what a letter needs to know, `letters` is the one engine, ``templates/`` holds the words in
English and ``locale/`` in other languages, `pdf` prints.
"""

from dueprocess.notice.annex3 import REASONS
from dueprocess.notice.catalogue import languages
from dueprocess.notice.facts import Delay, Given, NoticeFacts, Phase, Proof, Refused, Sender
from dueprocess.notice.from_law import boxes_of, periods_of, points_of
from dueprocess.notice.letters import Letter, Sheet, render_notice
from dueprocess.notice.pdf import as_pdf
from dueprocess.notice.reply import (
    Box,
    Certificate,
    MoreTime,
    Office,
    Period,
    Point,
    Removal,
    ReplyFacts,
    Route,
    Silence,
    ThirdCountryLaw,
)
from dueprocess.notice.timing import end_of_silence_due
from dueprocess.notice.write import LETTERS, write_letter

__all__ = [
    "LETTERS",
    "REASONS",
    "Box",
    "Certificate",
    "Delay",
    "Given",
    "Letter",
    "MoreTime",
    "NoticeFacts",
    "Office",
    "Period",
    "Phase",
    "Point",
    "Proof",
    "Refused",
    "Removal",
    "ReplyFacts",
    "Route",
    "Sender",
    "Sheet",
    "Silence",
    "ThirdCountryLaw",
    "as_pdf",
    "boxes_of",
    "end_of_silence_due",
    "languages",
    "periods_of",
    "points_of",
    "render_notice",
    "write_letter",
]
